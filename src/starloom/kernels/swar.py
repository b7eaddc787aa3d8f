"""Eight bytes of a text at a time, as one number: where the next line end or digit is.

A loop over bytes takes a branch for each; a number of eight tells with four instructions whether any of them is it, and
which comes first (Knuth, The Art of Computer Programming, 7.1.3, "SIMD within a register").
"""

from typing import Any

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from starloom.kernels.cache import kernel

_8, _16, _24, _32, _40, _48, _56 = (np.uint64(shift) for shift in range(8, 64, 8))
_3 = np.uint64(3)
_ONES, _TOPS, _LOWS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080), np.uint64(0x7F7F7F7F7F7F7F7F)
_LINE_ENDS, _ZEROS = np.uint64(0x0A0A0A0A0A0A0A0A), np.uint64(0x3030303030303030)
_TO_TOP = np.uint64(0x7676767676767676)  # plus ten and more, a byte reaches its highest bit


@kernel
def eight(text: Any, at: Any) -> Any:
    """text[at:at + 8], the first byte lowest; `at` is not negative. The compiler makes one load of it."""
    low = np.uint64(text[at]) | np.uint64(text[at + 1]) << _8
    low |= np.uint64(text[at + 2]) << _16 | np.uint64(text[at + 3]) << _24
    high = np.uint64(text[at + 4]) << _32 | np.uint64(text[at + 5]) << _40
    return low | high | np.uint64(text[at + 6]) << _48 | np.uint64(text[at + 7]) << _56


@kernel
def first_byte(marks: Any) -> Any:
    """Which of eight bytes is the first whose highest bit is set; one is."""
    return np.int64(trailing_zeros(marks) >> _3)


@kernel
def line_end(text: Any, at: Any) -> Any:
    """Where the next "\\n" is, from `at` on; len(text) if there is none."""
    size = len(text)
    p = at
    while p >= 0 and p + 8 <= size:
        word = eight(text, p) ^ _LINE_ENDS
        marks = (word - _ONES) & ~word & _TOPS
        if marks:
            return p + first_byte(marks)
        p += 8
    while 0 <= p < size and text[p] != 0x0A:
        p += 1
    return p


@kernel
def next_digit(text: Any, at: Any) -> Any:
    """Where the next of 0 to 9 is, from `at` on; len(text) if there is none."""
    size = len(text)
    p = at
    while p >= 0 and p + 8 <= size:
        word = eight(text, p) ^ _ZEROS
        marks = ~(((word & _LOWS) + _TO_TOP) | word) & _TOPS
        if marks:
            return p + first_byte(marks)
        p += 8
    while 0 <= p < size and np.uint8(text[p] - np.uint8(0x30)) >= 10:
        p += 1
    return p
