"""The lines at the top of many texts that are marked or stand in a block, without marks, up to the first line of code.

What marks a line, opens and closes a block, or has a line passed over, is given. White space at the ends of a line says
nothing; in a line that has tabs or several spaces together, each stretch of it becomes one space. A text where
characters beyond ASCII might be white space, or letters of a mark, is left to whoever knows all characters.
Cost: 2 to 4 ns a byte of these lines.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from starloom.kernels.cache import kernel, leaf
from starloom.kernels.marks import Marks, Stands
from starloom.kernels.swar import copied, line_end
from starloom.kernels.text import Bools, Int32s, Int64s, UInt8s, frozen, stretches

_WHITE, _SIGN, _EDGE, _LETTER, _OPENING = 1, 2, 4, 8, 16  # classes of bytes
_SPACES: Final = b"\t\n\v\f\r\x1c\x1d\x1e\x1f "  # what `str` takes for white space
_LETTERS: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_NEWLINE, _SPACE, _TAB, _BRACE = 0x0A, 0x20, 0x09, 0x7B
_BEYOND: Final = 0x80  # ASCII
_LONGEST: Final = 16  # bytes: no mark is longer

_KEPT, _TAKEN, _WORD, _SPACED = map(int, Stands)
_OPENERS, _WORDS, _PASSED = range(3)  # parts of the table of words
_OPENS, _MARKED, _PASSES, _CODE = range(4)  # what a line does
_NONE, _ODD = -1, -2


class Compiled:
    """Marks as arrays."""

    def __init__(self, marks: Marks) -> None:
        """Raises ValueError where a mark is too long, or not of ASCII."""
        openers = sorted(marks.blocks, key=len, reverse=True)  # the longest that a line begins with comes first
        words = [word.encode() for word in (*openers, *marks.words, *marks.passed)]
        if any(len(word) > _LONGEST or not word.isascii() for word in words):
            raise ValueError(f"a mark is of ASCII and has at most {_LONGEST} bytes")
        classes = np.zeros(256, np.uint8)
        for kind, members in (
            (_WHITE, _SPACES),
            (_SIGN, marks.signs.encode()),
            (_EDGE, marks.edges.encode()),
            (_LETTER, _LETTERS),
            (_OPENING, {word[0] for word in words[: len(openers)]}),
        ):
            classes[list(members)] |= kind
        stands = [*[Stands.KEPT] * len(openers), *marks.words.values(), *marks.passed.values()]
        closers = [*(marks.blocks[opener].encode() for opener in openers), b"}"]
        self.arrays = (
            frozen(classes, np.uint8),
            *_joined(words),
            frozen(np.array(stands), np.uint8),
            frozen(np.cumsum([0, len(openers), len(marks.words), len(marks.passed)]), np.int64),
            *_joined(closers),
        )


def _joined(words: Sequence[bytes]) -> tuple[UInt8s, Int64s]:
    bounds = np.cumsum([0, *map(len, words)])
    return frozen(np.frombuffer(b"".join(words), np.uint8), np.uint8), frozen(bounds, np.int64)


class Lines(NamedTuple):
    """Those of text i, with line ends between them, are data[bounds[i]:bounds[i + 1]]; their numbers in the text, from
    1, are numbers[first[i]:first[i + 1]]. There are none of a text that is odd."""

    bounds: Int64s
    data: UInt8s
    first: Int64s
    numbers: Int32s
    odd: Bools


def leading_lines(starts: Int64s, stops: Int64s, data: UInt8s, marks: Compiled) -> Lines:
    """Of each data[start:stop]."""
    starts, stops, data = stretches(starts, stops, data)
    room = int((stops - starts).sum()) + 32
    bounds, first = np.zeros(len(starts) + 1, np.int64), np.zeros(len(starts) + 1, np.int64)
    out, numbers, odd = np.empty(room, np.uint8), np.empty(room, np.int32), np.zeros(len(starts), np.bool_)
    _leading_lines(starts, stops, data, *marks.arrays, bounds, out, first, numbers, odd)
    return Lines(bounds, out[: bounds[-1]], first, numbers[: first[-1]], odd)


@kernel
def _leading_lines(
    starts: Any,
    stops: Any,
    data: Any,
    classes: Any,
    words: Any,
    ends: Any,
    stands: Any,
    parts: Any,
    closers: Any,
    closer_ends: Any,
    bounds: Any,
    out: Any,
    first: Any,
    numbers: Any,
    odd: Any,
) -> None:
    for i in range(len(starts)):
        at, count = bounds[i], first[i]
        text = data[starts[i] : stops[i]]
        place = 3 if len(text) > 2 and text[0] == 0xEF and text[1] == 0xBB and text[2] == 0xBF else 0
        number, block = 0, _NONE
        does = _MARKED
        while place <= len(text) and does != _CODE:
            number += 1
            end = line_end(text, place)
            begin, end, following = place, end, end + 1
            place = following
            if _may_have_space(text, begin, end):
                does = _ODD
                break
            begin, end = _stripped(text, begin, end, classes, _WHITE)
            if begin == end:
                continue
            if block == _NONE:
                does, which = _does(text, begin, end, following, classes, words, ends, stands, parts)
                if does == _OPENS:
                    block = which
                    begin += ends[which + 1] - ends[which] if which < len(closer_ends) - 2 else 1
                elif does == _MARKED and which >= 0:
                    begin = _behind(text, begin, end, classes, ends[which + 1] - ends[which], stands[which])
                elif does != _MARKED:
                    if does == _PASSES:
                        continue
                    break
            if block != _NONE:
                low, high = closer_ends[block], closer_ends[block + 1]
                closer = _find(text, begin, end, closers, low, high)
                if closer >= 0:
                    block = _NONE
                    after, last = _stripped(text, closer + high - low, end, classes, _WHITE)
                    does = _does_after(text, after, last, classes, words, ends, stands, parts)
                    if does == _ODD:
                        break
                    end = closer
            begin, end = _stripped(text, begin, end, classes, _EDGE)
            if begin < end:
                if count > first[i]:
                    out[at] = _NEWLINE
                    at += 1
                at = _write(text, begin, end, classes, out, at)
                numbers[count] = number
                count += 1
        odd[i] = does == _ODD
        bounds[i + 1], first[i + 1] = (bounds[i], first[i]) if odd[i] else (at, count)


@leaf
def _does(
    text: Any,
    begin: Any,
    end: Any,
    following: Any,
    classes: Any,
    words: Any,
    ends: Any,
    stands: Any,
    parts: Any,
) -> Any:
    """What a line outside of blocks does, and by which word."""
    kind = classes[text[begin]]
    if kind & _OPENING:
        which = _begins(text, begin, end, classes, words, ends, stands, parts, _OPENERS)
        if which >= 0:
            return _OPENS, which
    if text[begin] == _BRACE:
        opens = _brace_opens(text, begin + 1, end, following, classes)
        if opens:
            return _OPENS if opens > 0 else _ODD, parts[_WORDS]
    if kind & _SIGN:
        return _MARKED, _NONE
    which = _begins(text, begin, end, classes, words, ends, stands, parts, _WORDS)
    if which != _NONE:
        return _MARKED if which >= 0 else _ODD, which
    which = _begins(text, begin, end, classes, words, ends, stands, parts, _PASSED)
    if which != _NONE:
        return _PASSES if which >= 0 else _ODD, which
    for p in range(begin, min(end, begin + _LONGEST)):  # some letters are one of a mark's in any case
        if text[p] >= _BEYOND:
            return _ODD, _NONE
    return _CODE, _NONE


@leaf
def _does_after(text: Any, begin: Any, end: Any, classes: Any, words: Any, ends: Any, stands: Any, parts: Any) -> Any:
    """Whether what stands behind a block is code."""
    if begin == end or (end == begin + 1 and text[begin] in (0x3B, 0x2C)):  # `;,`
        return _MARKED
    if classes[text[begin]] & _SIGN:
        return _MARKED
    if _begins(text, begin, end, classes, words, ends, stands, parts, _OPENERS) >= 0:
        return _MARKED
    which = _begins(text, begin, end, classes, words, ends, stands, parts, _WORDS)
    return _CODE if which == _NONE else _MARKED if which >= 0 else _ODD


@leaf
def _begins(
    text: Any,
    begin: Any,
    end: Any,
    classes: Any,
    words: Any,
    ends: Any,
    stands: Any,
    parts: Any,
    part: Any,
) -> Any:
    """The first word of a part of the table that text[begin:end] begins with, as it shall stand."""
    case = np.uint8(0x20) if part != _OPENERS else np.uint8(0)
    for which in range(parts[part], parts[part + 1]):
        first, size = ends[which], ends[which + 1] - ends[which]
        if begin + size > end:
            continue
        k = 0
        while k < size:
            byte = text[begin + k]
            if np.uint8(byte - np.uint8(0x41)) < 26:
                byte |= case
            if byte != words[first + k]:
                break
            k += 1
        if k < size:
            continue
        kind, is_last = stands[which], begin + size == end
        if kind in (_KEPT, _TAKEN):
            return which
        if kind == _WORD:
            if is_last or (text[begin + size] < _BEYOND and not classes[text[begin + size]] & _LETTER):
                return which
            if text[begin + size] >= _BEYOND:
                return _ODD
        elif not is_last and classes[text[begin + size]] & _WHITE:
            return which
    return _NONE


@leaf
def _brace_opens(text: Any, begin: Any, end: Any, following: Any, classes: Any) -> Any:
    """Whether a brace opens a block: what follows it is no code. 1, 0, or _ODD."""
    begin, end = _stripped(text, begin, end, classes, _WHITE)
    if begin == end:
        if following > len(text):
            return 0
        end = line_end(text, following)
        if _may_have_space(text, following, end):
            return _ODD
        begin, end = _stripped(text, following, end, classes, _WHITE)
        if begin == end:
            return 0
    byte = text[begin]
    if byte >= _BEYOND:
        return _ODD
    return (byte != 0x5F and classes[byte] & _LETTER) or byte in (0x2A, 0x3D, 0x2D)  # `*=-`


@leaf
def _behind(text: Any, begin: Any, end: Any, classes: Any, size: Any, kind: Any) -> Any:
    """Where a line goes on behind its mark, if that is taken off."""
    if kind == _TAKEN:
        return begin + size
    p = begin + size
    if kind == _KEPT or p == end or not classes[text[p]] & _WHITE:
        return begin
    while p < end and classes[text[p]] & _WHITE:
        p += 1
    return p


@leaf
def _find(text: Any, begin: Any, end: Any, closers: Any, low: Any, high: Any) -> Any:
    line, first = text[begin:end], closers[low]
    there = np.uint8(0)
    for p in range(len(line)):  # all at once: most lines have not even its first byte
        there |= np.uint8(line[p] == first)
    if not there:
        return _NONE
    for p in range(begin, end - (high - low) + 1):
        k = low
        while k < high and text[p + k - low] == closers[k]:
            k += 1
        if k == high:
            return p
    return _NONE


@leaf
def _stripped(text: Any, begin: Any, end: Any, classes: Any, kind: Any) -> Any:
    while begin < end and classes[text[begin]] & kind:
        begin += 1
    while end > begin and classes[text[end - 1]] & kind:
        end -= 1
    return begin, end


@leaf
def _may_have_space(text: Any, begin: Any, end: Any) -> Any:
    """Whether characters beyond ASCII may be white space."""
    line = text[begin:end]
    highest = np.uint8(0)
    for p in range(len(line)):
        highest = max(highest, line[p])
    if highest < _BEYOND:
        return False
    for p in range(begin, end - 1):
        one, two = text[p], text[p + 1]
        if one == 0xC2 and (two == 0x85 or two == 0xA0):
            return True
        if (one == 0xE1 and two == 0x9A) or (one == 0xE3 and two == 0x80):
            return True
        if one == 0xE2 and (two == 0x80 or two == 0x81):
            three = text[p + 2]
            if two == 0x81 or three <= 0x8A or three == 0xA8 or three == 0xA9 or three == 0xAF:
                return True
    return False


@leaf
def _write(text: Any, begin: Any, end: Any, classes: Any, out: Any, at: Any) -> Any:
    """Writes a line; returns where it ends in `out`."""
    line, before = text[begin + 1 : end], text[begin : end - 1]
    apart = np.uint8(text[begin] == _TAB)
    for p in range(len(line)):
        apart |= np.uint8(line[p] == _TAB) | np.uint8((line[p] == _SPACE) & (before[p] == _SPACE))
    if not apart:
        copied(text, begin, end, out, at)
        return at + end - begin
    begin, end = _stripped(text, begin, end, classes, _WHITE)
    for p in range(begin, end):
        if not classes[text[p]] & _WHITE:
            out[at] = text[p]
            at += 1
        elif not classes[text[p - 1]] & _WHITE:
            out[at] = _SPACE
            at += 1
    return at
