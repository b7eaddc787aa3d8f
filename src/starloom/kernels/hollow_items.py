"""Texts of languages in which definitions begin in the first column (BOUND, EQUATIONS: see hollow_layout), emptied."""

from typing import Any

import numpy as np

from starloom.kernels.cache import leaf
from starloom.kernels.hollow_layout_rules import (
    DROPPED,
    EQUATIONS,
    GOES_ON,
    HOLDS,
    INCOMPLETE,
    NEXT,
    NO_EQUATION,
    STARTS,
    STAYS,
    WHERE,
)
from starloom.kernels.hollow_steps import (
    CLASSES,
    CLOSES,
    OPENS,
    SYMBOL,
    WHITE,
    WORD,
    copied,
    does_word,
    emptied,
    next_span,
    run_end,
)
from starloom.kernels.lexical_rules import STRING

_HEADER, _BODY, _NONE = range(3)
_ZERO, _EQUALS, _COLON, _SEMICOLON, _BAR, _HASH, _LINE_END, _SQUARE_END = 0x30, 0x3D, 0x3A, 0x3B, 0x7C, 0x23, 0x0A, 0x5D


@leaf
def hollow_items(
    data: Any, start: Any, stop: Any, language: Any, spans: Any, span: Any, last_span: Any, packed: Any, out: Any,
    at: Any,
) -> Any:  # fmt: skip
    """Writes one text, BOUND or EQUATIONS; returns where it ends."""
    forms, firsts, lengths, words, kinds = packed
    equations = forms[language] == EQUATIONS
    depth, line = np.int64(0), np.int64(0)
    begins, commented = True, False  # the line: nothing but comments and white space yet; a comment
    state = np.int64(_NONE)
    needed: Any = True  # of the item, and so on
    complete: Any = False
    dropped = False
    place, item_place, item_line, place_line = np.int64(-1), at, line, line
    waits_where, bound, put, filled, opened = False, False, np.int64(1), False, np.int64(0)
    over_twice = False  # by ;;
    line_start = start
    p = start
    while p < stop:
        in_span = span < last_span and p >= start + spans[span, 0]
        byte = data[p]
        kind = CLASSES[byte]
        if in_span:
            if spans[span, 2] != STRING:
                before = line
                at, line, p = copied(data, p, min(start + spans[span, 1], stop), out, at, line)
                span += 1
                if p > start and data[p - 1] == _LINE_END:
                    begins, commented, line_start = True, False, p
                elif begins or line > before:
                    begins, commented = True, True
                continue
        elif byte == _LINE_END:
            out[at] = byte
            at += 1
            p += 1
            line += 1
            begins, commented, line_start = True, False, p
            continue
        elif kind == WHITE:
            out[at] = byte
            at += 1
            p += 1
            continue
        end = p
        does: Any = np.int64(0)
        if not in_span and kind == WORD:
            end = run_end(data, p, next_span(spans, span, last_span, start, stop), WORD)
            does = does_word(data, p, end, language, firsts, lengths, words, kinds)
        if begins and (commented or p == line_start):
            lost = depth > 0 and does & STARTS  # a bracket that is none
            if depth == 0 or lost or commented:
                fits = not (commented or lost or needed or state != _BODY)
                if equations:
                    fits = fits and byte != _HASH and not does & WHERE and (filled or dropped)
                else:
                    ends = not in_span and byte == _SEMICOLON and p + 1 < stop and data[p + 1] == _SEMICOLON
                    over = does & NEXT or ends
                    fits = fits and complete and filled and over
                if fits:
                    at = _put(out, place, line - place_line, 3 if over_twice else put)
                depth = np.int64(0) if lost else depth
                # The next item
                item_place, item_line = at, line
                state, needed, dropped, waits_where, filled = np.int64(_NONE), commented or in_span, False, False, False
                if equations:
                    if kind == WORD and not needed and (0x61 <= byte <= 0x7A or byte == 0x5F):
                        if does & DROPPED:
                            state, dropped, place, place_line, put = np.int64(_BODY), True, at, line, np.int64(0)
                        elif does & HOLDS:
                            state, waits_where = np.int64(_HEADER), True
                        elif not does & NO_EQUATION:
                            state = np.int64(_HEADER)
                else:
                    bound = (does & STARTS) > 0 or (bound and (does & GOES_ON) > 0)
                    if bound and not needed:
                        state = np.int64(_HEADER)
                        does = np.int64(0)
        begins = False
        if in_span:
            filled = filled or (state == _BODY and byte != _LINE_END)  # no code is less than a 0
            at, line, p = copied(data, p, min(start + spans[span, 1], stop), out, at, line)
            span += 1
            complete, over_twice = True, False
            continue
        needed |= (does & STAYS) > 0
        if kind == WORD:
            at, line, p = copied(data, p, end, out, at, line)
            if not equations and state == _BODY:
                opened += np.int64((does & STARTS) > 0) - np.int64((does & WHERE) > 0)
                needed |= opened < 0 or ((does & STARTS) > 0 and complete)  # ours is an expression; another begins
            complete, over_twice = not does & INCOMPLETE, False
            filled = filled or state == _BODY
            if state == _HEADER and does & WHERE and depth == 0:
                state, place, place_line, put, dropped = np.int64(_BODY), at, line, np.int64(0), True
                needed |= not waits_where
            continue
        if kind == SYMBOL:
            end = run_end(data, p, next_span(spans, span, last_span, start, stop), SYMBOL)
            single = end == p + 1
            if equations and byte == _BAR and end < stop and data[end] == _SQUARE_END:
                needed = True  # a quotation
            if state == _HEADER and depth == 0 and not waits_where:
                if single and byte == _EQUALS:
                    state, place, place_line, put = np.int64(_BODY), at + 1, line, np.int64(1)
                    opened = np.int64(0)
                elif equations and single and byte == _BAR:
                    state, place, place_line, put = np.int64(_BODY), at, line, np.int64(2)
                elif equations and end == p + 2 and byte == _COLON and data[p + 1] == _COLON:
                    state, place, place_line, put, dropped = np.int64(_BODY), item_place, item_line, np.int64(0), True
                elif (
                    equations and end == p + 2 and (data[p + 1] == 0x3E or data[p + 1] == 0x2D) and byte != data[p + 1]
                ):
                    state = np.int64(_NONE)
            at, line, p = copied(data, p, end, out, at, line)
            complete = over_twice = False
            continue
        if kind == OPENS:
            depth += 1
        elif kind == CLOSES:
            if depth == 0:
                needed = True
            else:
                depth -= 1
        over_twice = byte == _SEMICOLON and p > start and data[p - 1] == _SEMICOLON
        complete = kind == CLOSES or over_twice
        filled = filled or (state == _BODY and byte != _SEMICOLON)
        needed |= equations and byte == _SEMICOLON and depth == 0
        out[at] = byte
        at += 1
        p += 1
    if state == _BODY and not needed and depth == 0 and (dropped or (filled and (equations or complete))):
        at = _put(out, place, line - place_line, 3 if over_twice else put)
    return at


@leaf
def _put(out: Any, at: Any, lines: Any, put: Any) -> Any:
    """What an emptied item has instead: nothing, a 0, = and a 0, 0;; for what ends so."""
    if put == 2:
        out[at] = _EQUALS
        at += 1
    if put == 3:
        out[at] = _ZERO
        out[at + 1] = out[at + 2] = _SEMICOLON
        at += 3
    return emptied(out, at, lines, 0 < put < 3)
