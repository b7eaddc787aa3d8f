"""Eight bytes of a text at a time, as one number: where the next line end is.

A loop over bytes takes a branch for each; a number of eight tells with four instructions whether any of them is it, and
which comes first (Knuth, The Art of Computer Programming, 7.1.3, "SIMD within a register").
"""

from typing import Any

import numpy as np

from starloom.kernels.cache import leaf
from starloom.kernels.vectors import lowest

_8, _16, _24, _32, _40, _48, _56 = (np.uint64(shift) for shift in range(8, 64, 8))
_1, _2, _3, _4, _5, _6, _7 = (np.uint64(place) for place in range(1, 8))
_ONES, _TOPS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_LINE_ENDS = np.uint64(0x0A0A0A0A0A0A0A0A)


@leaf
def eight(text: Any, at: Any) -> Any:
    """text[at:at + 8], the first byte lowest; `at` is not negative. The compiler makes one load of it."""
    p = np.uint64(at)  # unsigned: else each index is asked whether it counts from the end, and eight loads are made
    low = np.uint64(text[p]) | np.uint64(text[p + _1]) << _8
    low |= np.uint64(text[p + _2]) << _16 | np.uint64(text[p + _3]) << _24
    high = np.uint64(text[p + _4]) << _32 | np.uint64(text[p + _5]) << _40
    return low | high | np.uint64(text[p + _6]) << _48 | np.uint64(text[p + _7]) << _56


@leaf
def copied(text: Any, start: Any, stop: Any, out: Any, at: Any) -> None:
    """out[at:] becomes text[start:stop], 32 bytes at a time: up to 31 more are written, for which `out` has room. No
    index is negative."""
    while start < stop and start + 32 <= len(text):
        one, two = eight(text, start), eight(text, start + 8)
        three, four = eight(text, start + 16), eight(text, start + 24)  # all read before the first is written
        _put(out, at, one)
        _put(out, at + 8, two)
        _put(out, at + 16, three)
        _put(out, at + 24, four)
        start += 32
        at += 32
    for k in range(stop - start):
        out[at + k] = text[start + k]


@leaf
def _put(out: Any, at: Any, word: Any) -> None:
    """`eight` the other way."""
    p = np.uint64(at)
    out[p], out[p + _1] = np.uint8(word), np.uint8(word >> _8)
    out[p + _2], out[p + _3] = np.uint8(word >> _16), np.uint8(word >> _24)
    out[p + _4], out[p + _5] = np.uint8(word >> _32), np.uint8(word >> _40)
    out[p + _6], out[p + _7] = np.uint8(word >> _48), np.uint8(word >> _56)


@leaf
def same_after(one: Any, at: Any, other: Any, there: Any, most: Any) -> Any:
    """How many bytes of `one` from `at` on are those of `other` from `there` on, at most so many: both have them."""
    same = 0
    while same + 8 <= most:
        differ = eight(one, at + same) ^ eight(other, there + same)
        if differ:
            return same + (lowest(differ) >> 3)
        same += 8
    while same < most and one[at + same] == other[there + same]:
        same += 1
    return same


@leaf
def same_before(one: Any, at: Any, other: Any, there: Any, most: Any) -> Any:
    """The same of bytes that end before `at` and `there`."""
    same = 0
    while same + 8 <= most and eight(one, at - same - 8) == eight(other, there - same - 8):
        same += 8
    while same < most and one[at - same - 1] == other[there - same - 1]:
        same += 1
    return same


@leaf
def eight_of(byte: Any) -> Any:
    """Eight times the same byte."""
    return np.uint64(byte) * _ONES


@leaf
def zero_bytes(word: Any) -> Any:
    """The highest bit of the first byte that is 0, and maybe of some after it; 0 where none is."""
    return (word - _ONES) & ~word & _TOPS


@leaf
def first_byte(marks: Any) -> Any:
    """Which of eight bytes is the first whose highest bit is set; one is."""
    return lowest(marks) >> 3


@leaf
def line_end(text: Any, at: Any) -> Any:
    """Where the next "\\n" is, from `at` on; len(text) if there is none."""
    size = len(text)
    p = at
    while p >= 0 and p + 8 <= size:
        word = eight(text, p) ^ _LINE_ENDS
        marks = zero_bytes(word)
        if marks:
            return p + first_byte(marks)
        p += 8
    while 0 <= p < size and text[p] != 0x0A:
        p += 1
    return p
