"""A bit for each byte of a text, 64 to a number: where the next byte of a kind is, and how many are in a stretch.

Bit k of number n stands for byte 64 * n + k; `vectors` makes them. A loop over bytes that asks the same takes a branch
for each, and one that nobody foresees where runs of a kind are short.
"""

from typing import Any

import numpy as np

from starloom.kernels.cache import leaf
from starloom.kernels.vectors import lowest, ones

ZERO, ONE = np.uint64(0), np.uint64(1)
_ALL = np.uint64(2**64 - 1)
_63 = np.uint64(63)


def words_of(size: int) -> int:
    """How many numbers hold a bit for each of so many bytes."""
    return (size + 63) // 64


@leaf
def first_with(bits: Any, at: Any, stop: Any) -> Any:
    """Where the first byte with a bit is, from `at` on; `stop` if there is none before it."""
    word = at >> 6
    rest = bits[word] & _from(at) if at < stop else ZERO
    while rest == ZERO:
        word += 1
        if word << 6 >= stop:
            return stop
        rest = bits[word]
    return min((word << 6) + lowest(rest), stop)


@leaf
def first_without(bits: Any, at: Any, stop: Any) -> Any:
    """Where the first byte without a bit is, from `at` on; `stop` if there is none before it."""
    word = at >> 6
    rest = ~bits[word] & _from(at) if at < stop else ZERO
    while rest == ZERO:
        word += 1
        if word << 6 >= stop:
            return stop
        rest = ~bits[word]
    return min((word << 6) + lowest(rest), stop)


@leaf
def count(bits: Any, start: Any, stop: Any) -> Any:
    """How many of the bytes `start` to `stop` (exclusive) have a bit."""
    if start >= stop:
        return 0
    first, last = start >> 6, (stop - 1) >> 6
    low, high = _from(start), _ALL >> (_63 - (np.uint64(stop - 1) & _63))
    if first == last:
        return ones(bits[first] & low & high)
    found = ones(bits[first] & low) + ones(bits[last] & high)
    for word in range(first + 1, last):
        found += ones(bits[word])
    return found


@leaf
def _from(at: Any) -> Any:
    """The bits of a number from this byte's on."""
    return _ALL << (np.uint64(at) & _63)
