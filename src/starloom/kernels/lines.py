"""Lines and characters of each file: the published columns num_lines, max_line_length, avg_line_length and so
on.

A line ends at "\\n"; what follows the last "\\n" is a line too if it is not empty (so "a\\n" is one line, ""
none). One "\\r" at the end of a line belongs to its end, not to its length. Lengths are in characters (code
points). "Alphabetic" and "alphanumeric" are `str.isalpha` and `str.isalnum`, as shares of all characters,
line ends included (The Stack v2's alphanum_fraction counts so).

Cost: about 500 MB/s (bench/kernels.py, one core with AVX2); what is beyond ASCII is decoded and costs more.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.cache import kernel, leaf
from starloom.kernels.code_points import ALPHA, ALPHANUMERIC, properties
from starloom.kernels.counting import continuation_bytes, letters_and_digits
from starloom.kernels.decoding import code_point
from starloom.kernels.text import Int64s, UInt8s, checked
from starloom.kernels.vectors import BITS, between, equal, last, lowest

_ALPHA, _ALPHANUMERIC = np.uint32(ALPHA), np.uint32(ALPHANUMERIC)
_ONE = np.uint64(1)


class LineStatistics(NamedTuple):
    """One value a file."""

    num_lines: NDArray[np.int32]
    max_line_length: NDArray[np.int32]  # characters
    avg_line_length: NDArray[np.float32]  # characters; 0 for an empty file
    characters: NDArray[np.int64]
    alpha_fraction: NDArray[np.float32]
    alphanum_fraction: NDArray[np.float32]


def line_statistics(offsets: Int64s, data: UInt8s) -> LineStatistics:
    """The statistics of every file, in order."""
    offsets, data = checked(offsets, data)
    counts = _count(offsets, data, properties())
    lines, longest, in_lines, characters, alphabetic, alphanumeric = counts
    whole = np.maximum(characters, 1)
    return LineStatistics(
        num_lines=lines.astype(np.int32),
        max_line_length=longest.astype(np.int32),
        avg_line_length=(in_lines / np.maximum(lines, 1)).astype(np.float32),
        characters=characters,
        alpha_fraction=(alphabetic / whole).astype(np.float32),
        alphanum_fraction=(alphanumeric / whole).astype(np.float32),
    )


@kernel
def _count(offsets: Any, data: Any, table: Any) -> Any:
    n = len(offsets) - 1
    counts = np.zeros((6, n), dtype=np.int64)
    tail = np.empty(64, dtype=np.uint8)
    for i in range(n):
        # A slice, counted from 0: with a start that might be negative Numba checks each index, and nothing is
        # vectorised (2 GB/s instead of 20 for the next line).
        text = data[offsets[i] : offsets[i + 1]]
        continuations = continuation_bytes(text)
        alphabetic, digits = letters_and_digits(text)
        if continuations:
            more, others = _beyond_ascii(text, table)
            alphabetic, digits = alphabetic + more, digits + others
        lines, longest, in_lines = _lines(text, continuations > 0, tail)
        counts[0, i] = lines
        counts[1, i] = longest
        counts[2, i] = in_lines
        counts[3, i] = len(text) - continuations
        counts[4, i] = alphabetic
        counts[5, i] = alphabetic + digits
    return counts


@leaf
def _beyond_ascii(text: Any, table: Any) -> Any:
    """(alphabetic, those alphanumeric only) of the characters beyond ASCII."""
    alphabetic = 0
    others = 0
    p = 0
    while p < len(text):
        if text[p] < 0x80:
            p += lowest(between(text, p, 0x80, 128)) if p + BITS <= len(text) else 1
            continue
        point, p = code_point(text, p, len(text))
        if table[point] & _ALPHA:
            alphabetic += 1
        elif table[point] & _ALPHANUMERIC:
            others += 1
    return alphabetic, others


@leaf
def _lines(text: Any, decode: bool, tail: Any) -> Any:
    """(lines, the longest, the sum of their lengths), in characters. `tail`: 64 bytes to work in."""
    lines = longest = total = begin = 0
    size = len(text)
    last(text, tail)
    for base in range(0, size, 64):
        ends = equal(text, base, 0x0A) if base + 64 <= size else equal(tail, 0, 0x0A)
        while ends:
            length = _length(text, begin, base + lowest(ends), decode)
            begin = base + lowest(ends) + 1
            ends &= ends - _ONE
            lines += 1
            total += length
            longest = max(longest, length)
    if begin < size:
        length = _length(text, begin, size, decode)
        lines += 1
        total += length
        longest = max(longest, length)
    return lines, longest, total


@leaf
def _length(text: Any, begin: Any, stop: Any, decode: bool) -> Any:
    """Of a line, without a "\\r" at its end."""
    length = stop - begin
    if length and text[stop - 1] == 0x0D:
        length -= 1
    return length - continuation_bytes(text[begin:stop]) if decode else length
