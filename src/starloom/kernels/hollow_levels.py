"""Texts of languages in which deeper lines belong to a definition (INDENTED, ENDED: see hollow_layout), emptied."""

from typing import Any, Final

import numpy as np

from starloom.kernels.cache import leaf
from starloom.kernels.hollow_layout_rules import ASYNC, BEGINS, ENDED, ENDS, STARTS, STAYS
from starloom.kernels.hollow_steps import (
    CLASSES,
    CLOSES,
    OPENS,
    WHITE,
    WORD,
    copied,
    does_word,
    emptied,
    next_span,
    run_end,
)
from starloom.kernels.lexical_rules import STRING

MOST_LEVELS: Final = 64
COLUMNS: Final = 7  # of a level: a definition whose lines are deeper than its own

_COLUMN, _STATE, _PLACE, _LINE, _INSIDE, _NEEDED, _OPEN = range(COLUMNS)
_HEADER, _BODY, _NONE = range(3)
_EQUALS, _COLON, _BACKSLASH, _LINE_END, _RETURN, _FEED, _TAB, _COMMA, _DOT, _QUOTE = (
    0x3D,
    0x3A,
    0x5C,
    0x0A,
    0x0D,
    0x0C,
    0x09,
    0x2C,
    0x2E,
    0x22,
)


@leaf
def hollow_levels(
    data: Any, start: Any, stop: Any, language: Any, spans: Any, span: Any, last_span: Any, packed: Any, levels: Any,
    out: Any, at: Any,
) -> Any:  # fmt: skip
    """Writes one text, INDENTED or ENDED; returns where it ends. Negative: it nests too deep."""
    forms, firsts, lengths, words, kinds = packed
    ended = forms[language] == ENDED
    top, depth, line, column = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    line_start, first_line, indent = start, line, column  # of this line; lines before it; where its code begins
    begins, first = True, False  # a line, with nothing but white space yet; with its first words
    last = np.int64(0)  # byte of code on this line
    p = start
    while p < stop:
        in_span = span < last_span and p >= start + spans[span, 0]
        byte = data[p]
        kind = CLASSES[byte]
        if in_span:
            if spans[span, 2] != STRING:
                at, line, p = copied(data, p, min(start + spans[span, 1], stop), out, at, line)
                span += 1
                continue
        elif byte == _LINE_END:
            goes_on = last == _BACKSLASH
            if top and levels[top, _STATE] == _HEADER and depth == 0 and not goes_on:
                if ended:
                    levels[top, _STATE] = _HEADER if last == _COMMA else _BODY
                else:
                    levels[top, _STATE] = _BODY if last == _COLON else _NONE
            out[at] = byte
            at += 1
            p += 1
            line += 1
            begins, column, line_start, first_line = depth == 0 and not goes_on, np.int64(0), p, line
            last = np.int64(0)
            continue
        elif kind == WHITE:
            if byte == _TAB:
                column += 8
            elif byte in (_FEED, _RETURN):
                column = np.int64(0)
            else:
                column += 1
            out[at] = byte
            at += 1
            p += 1
            continue
        end = p
        does: Any = np.int64(0)
        if not in_span and kind == WORD:
            end = run_end(data, p, next_span(spans, span, last_span, start, stop), WORD)
            does = does_word(data, p, end, language, firsts, lengths, words, kinds)
            if last == _DOT or (ended and last == _COLON):
                does = np.int64(0)
        if begins:
            indent = column
            while top and levels[top, _COLUMN] >= column:
                if (
                    levels[top, _STATE] == _BODY
                    and levels[top, _PLACE] >= 0
                    and not levels[top, _NEEDED]
                    and (not ended or (levels[top, _COLUMN] == column and does & ENDS and levels[top, _OPEN] == 0))
                ):
                    at = emptied(out, levels[top, _PLACE], first_line - levels[top, _LINE], not ended)
                    at, _, _ = copied(data, line_start, p, out, at, line)
                top -= 1
            if top:
                if levels[top, _STATE] == _BODY and levels[top, _PLACE] < 0:
                    levels[top, _PLACE], levels[top, _LINE], levels[top, _INSIDE] = at, line, column
                    levels[top, _NEEDED] |= byte == _LINE_END  # no code is less than a 0
                elif not ended:
                    levels[top, _NEEDED] |= levels[top, _STATE] != _BODY or column < levels[top, _INSIDE]
        first = begins or (first and last == 0)
        begins = False
        if in_span:
            at, line, p = copied(data, p, min(start + spans[span, 1], stop), out, at, line)
            span += 1
            last, first = np.int64(_QUOTE), False
            continue
        if does & (STAYS | STARTS):
            levels[top, _NEEDED] = 1
        if does & STARTS and first:
            if top + 1 == MOST_LEVELS:
                return np.int64(-1)
            top += 1
            levels[top] = 0
            levels[top, _COLUMN], levels[top, _PLACE] = indent, -1
        levels[top, _OPEN] += np.int64((does & BEGINS) > 0) - np.int64((does & ENDS) > 0)
        if kind == WORD:
            at, line, p = copied(data, p, end, out, at, line)
            if not (first and does & ASYNC):
                first = False
                last = np.int64(byte)
            continue
        if kind == OPENS:
            depth += 1
        elif kind == CLOSES:
            if depth == 0:
                levels[top, _NEEDED] = 1
            else:
                depth -= 1
        elif byte == _EQUALS and ended and depth == 0 and levels[top, _STATE] == _HEADER:
            levels[top, _NEEDED] |= CLASSES[data[p - 1]] == WHITE if p > start else True
        first = False
        last = np.int64(byte)
        out[at] = byte
        at += 1
        p += 1
    while top and not ended:
        if depth == 0 and levels[top, _STATE] == _BODY and levels[top, _PLACE] >= 0 and not levels[top, _NEEDED]:
            at = emptied(out, levels[top, _PLACE], line - levels[top, _LINE], True)
        top -= 1
    return at
