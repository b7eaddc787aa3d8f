"""Texts with some of their brackets emptied: what stands in them goes, but for its line ends, so that what is left is
on the line where it was.

A pair is emptied if nothing in it must stay. What must is told by words, and by a name before parentheses and a
bracket (`f(x) {`): see hollow_rules. Comments and strings, as kernels/lexical finds them, hold neither words nor
brackets. In doubt a pair stays: where brackets do not match or nest MOST_LEVELS deep, where one of the two stands under
a condition (`#if`) and the other does not, and where it is not behind white space or a bracket (`$x{key}`).

Cost: a little less than to find comments and strings (kernels/lexical); linear on any input.
"""

from typing import Any, Final

import numpy as np

from starloom.kernels.cache import kernel, leaf
from starloom.kernels.hollow_rules import (
    ARROWS,
    CALLS,
    CLOSE,
    CONTROLS,
    END,
    HOLDS,
    LISP,
    OPEN,
    PERL,
    STAYS,
    WHITE,
    WORD,
    C,
    Packed,
)
from starloom.kernels.hollow_steps import checked_spans, copied, does_word, next_span
from starloom.kernels.lexical_rules import STRING
from starloom.kernels.text import Int64s, UInt8s

MOST_LEVELS: Final = 256
MOST_CONDITIONS: Final = 64

# Columns of a level: a bracket that is open; the first level is the file.
_KIND, _PLACE, _LINE, _CONDITION, _MAY, _NEEDED, _WAITS, _NAMED, _CALLED = range(9)
_MAY_BE, _BEFORE_END = 1, 2  # of _MAY: be emptied, even before the end of a statement

# The last token, where it is no byte.
_NOTHING, _NAME, _CONTROL, _TEXT = 256, 257, 258, 259

_LINE_END, _RETURN, _HASH, _BACKSLASH = 0x0A, 0x0D, 0x23, 0x5C
_EQUALS, _LESS, _GREATER, _SEMICOLON = 0x3D, 0x3C, 0x3E, 0x3B
_ROUND, _ROUND_END, _CURLY, _CURLY_END = 0x28, 0x29, 0x7B, 0x7D
_NO_DIRECTIVE, _IF, _ELSE, _ENDIF, _DEFINE = range(5)


def hollow(
    offsets: Int64s, data: UInt8s, languages: Int64s, bounds: Int64s, spans: Int64s, packed: Packed
) -> tuple[Int64s, UInt8s]:
    """The texts with their brackets emptied, in the same form. `languages`: the place of each in `packed`;
    spans[bounds[i]:bounds[i + 1]]: (start, end, COMMENT | STRING) in text i, in order.

    Raises ValueError where any of these does not fit the others.
    """
    texts = checked_spans(offsets, data, languages, bounds, spans, len(packed.classes))
    out = np.empty(int(offsets[-1] - offsets[0]), np.uint8)  # nothing is put in where there was less
    ends = _hollow_all(*texts, tuple(packed), out)
    return ends, out[: ends[-1]]


@kernel
def _hollow_all(offsets: Any, data: Any, languages: Any, bounds: Any, spans: Any, packed: Any, out: Any) -> Any:
    n = len(offsets) - 1
    ends = np.zeros(n + 1, np.int64)
    levels = np.zeros((MOST_LEVELS, 9), np.int64)
    floors = np.zeros(MOST_CONDITIONS + 1, np.int64)  # how many levels were open where a condition began; 0: none
    for i in range(n):
        start, stop = offsets[i], offsets[i + 1]
        at = _hollow(
            data, start, stop, languages[i], spans, bounds[i], bounds[i + 1], packed, levels, floors, out, ends[i]
        )
        if at < 0:  # given up
            at, _, _ = copied(data, start, stop, out, ends[i], np.int64(0))
        ends[i + 1] = at
    return ends


@leaf
def _hollow(
    data: Any, start: Any, stop: Any, language: Any, spans: Any, span: Any, last_span: Any, packed: Any,
    levels: Any, floors: Any, out: Any, at: Any,
) -> Any:  # fmt: skip
    """Writes one text; returns where it ends. Negative: it nests too deep."""
    classes, emptied, traits, firsts, lengths, words, kinds = packed
    c, lisp, calls, perl = (
        traits[language, C],
        traits[language, LISP],
        traits[language, CALLS],
        traits[language, PERL],
    )
    levels[0] = 0
    top, conditions, line = np.int64(0), np.int64(0), np.int64(0)
    last = np.int64(_NOTHING)
    blank, directive = True, False  # nothing but white space was on this line; it is a directive's
    p = start
    while p < stop:
        if span < last_span and p >= start + spans[span, 0]:  # as it is
            end = min(start + spans[span, 1], stop)
            first_line = line
            at, line, p = copied(data, p, end, out, at, line)
            if spans[span, 2] == STRING:
                blank, last = False, np.int64(_TEXT)
                levels[top, _NEEDED] |= perl and line > first_line
            span += 1
            continue
        byte = data[p]
        kind = classes[language, byte]
        out[at] = byte
        at += 1
        p += 1
        if byte == _LINE_END:
            line += 1
            blank = True
            directive = directive and _goes_on(data, start, p - 1)
            continue
        if directive or kind == WHITE:
            continue
        if c and blank and byte == _HASH:
            directive = True
            what = _directive(data, p, stop)
            if what == _IF:
                if conditions == MOST_CONDITIONS:
                    return np.int64(-1)
                conditions += 1
                floors[conditions] = top
            elif what == _ELSE and conditions:
                levels[floors[conditions], _NEEDED] |= top > floors[conditions]
                top = floors[conditions]
            elif what == _ENDIF and conditions:
                conditions -= 1
            elif what == _DEFINE:
                levels[top, _NEEDED] = 1
            continue
        blank = False
        if kind == WORD:
            begin = p - 1
            end = next_span(spans, span, last_span, start, stop)
            while p < end and (classes[language, data[p]] == WORD or (lisp and _escaped(data, p))):
                out[at] = data[p]
                at += 1
                p += 1
            does = does_word(data, begin, p, language, firsts, lengths, words, kinds)
            if does and p < stop and data[p] == _ROUND_END:
                does = np.int64(0)
            if lisp or does & STAYS:
                levels[top, _WAITS] = 0
            levels[top, _NEEDED] |= (does & STAYS) > 0
            levels[top, _WAITS] |= (does & HOLDS) > 0
            last = np.int64(_CONTROL if does & CONTROLS else _NAME)
            continue
        if kind == OPEN:
            if top + 1 == MOST_LEVELS:
                return np.int64(-1)
            apart = p - 2 < start or _is_apart(classes[language, data[p - 2]], data[p - 2])
            if perl and last in (_NOTHING, _SEMICOLON, _CURLY, _CURLY_END):  # it begins a statement
                apart = False
            _open(levels, top, byte, emptied[language, byte], apart, last, c, calls)
            top += 1
            levels[top, _PLACE], levels[top, _LINE], levels[top, _CONDITION] = at, line, conditions
        elif kind == CLOSE:
            floor = floors[conditions] if conditions else 0
            level = _opened_by(levels, top, floor, byte)
            if level > floor:
                if _may_go(levels, level, top, conditions) and (
                    levels[level, _MAY] == _BEFORE_END or not _ends(classes, language, data, p, stop)
                ):
                    at = levels[level, _PLACE]
                    for _ in range(line - levels[level, _LINE]):
                        out[at] = _LINE_END
                        at += 1
                    out[at] = byte
                    at += 1
                _close(levels, level, top, emptied[language, levels[level, _KIND]])
                top = level - 1
        elif kind == END:
            levels[top, _WAITS] = levels[top, _CALLED] = 0
        elif byte == _GREATER and last == _EQUALS:
            levels[top, _NEEDED] |= traits[language, ARROWS]
        elif byte == _LESS and last == _LESS:
            levels[top, _NEEDED] |= perl
        last = np.int64(byte)
    return at


@leaf
def _escaped(data: Any, p: Any) -> Any:
    return data[p - 1] == _BACKSLASH and data[p] != _LINE_END


@leaf
def _is_apart(kind: Any, byte: Any) -> Any:
    return kind in (WHITE, OPEN, CLOSE) or byte == _LINE_END


@leaf
def _open(levels: Any, top: Any, byte: Any, may_empty: Any, apart: Any, last: Any, c: Any, calls: Any) -> None:
    """The bracket opens a level above `top`."""
    may = 0
    if may_empty:
        held = levels[top, _WAITS] and not (c and last == _ROUND_END)
        levels[top, _NEEDED] |= held or (calls and levels[top, _CALLED])
        levels[top, _WAITS] = levels[top, _CALLED] = 0
        if apart and not held:
            may = _BEFORE_END if last == _EQUALS or not c else _MAY_BE
    levels[top + 1] = 0
    levels[top + 1, _KIND], levels[top + 1, _MAY] = byte, may
    levels[top + 1, _NAMED] = last in (_NAME, _GREATER)


@leaf
def _opened_by(levels: Any, top: Any, floor: Any, byte: Any) -> Any:
    """The level that the bracket closes; `floor` if none."""
    opening = _ROUND if byte == _ROUND_END else byte - 2
    level = top
    while level > floor and levels[level, _KIND] != opening:
        level -= 1
    return level


@leaf
def _may_go(levels: Any, level: Any, top: Any, conditions: Any) -> Any:
    """Whether nothing in the level must stay."""
    if level < top or levels[level, _NEEDED]:
        return False
    return levels[level, _MAY] > 0 and levels[level, _CONDITION] == conditions


@leaf
def _close(levels: Any, level: Any, top: Any, may_empty: Any) -> None:
    """What the level below learns."""
    levels[level - 1, _NEEDED] |= level < top or levels[level, _NEEDED]
    if may_empty:
        levels[level - 1, _WAITS] = levels[level - 1, _CALLED] = 0
    elif levels[level, _KIND] == _ROUND:
        levels[level - 1, _CALLED] = levels[level, _NAMED]


@leaf
def _ends(classes: Any, language: Any, data: Any, p: Any, stop: Any) -> Any:
    """Whether the end of a statement comes next."""
    while p < stop and (classes[language, data[p]] == WHITE or data[p] == _LINE_END):
        p += 1
    return p < stop and classes[language, data[p]] == END


@leaf
def _goes_on(data: Any, start: Any, p: Any) -> Any:
    """Whether the line that ends at data[p] goes on in the next."""
    p -= 1
    if p > start and data[p] == _RETURN:
        p -= 1
    return p >= start and data[p] == _BACKSLASH


@leaf
def _directive(data: Any, p: Any, stop: Any) -> Any:
    """What the line says behind its #: by the first letters."""
    while p < stop and (data[p] == 0x20 or data[p] == 0x09):
        p += 1
    if p + 2 > stop:
        return _NO_DIRECTIVE
    first, second = data[p], data[p + 1]
    if first == 0x69 and second == 0x66:  # if, ifdef, ifndef
        return _IF
    if first == 0x65 and second == 0x6C:  # else, elif
        return _ELSE
    if first == 0x65 and second == 0x6E:  # endif
        return _ENDIF
    return _DEFINE if first == 0x64 and second == 0x65 else _NO_DIRECTIVE
