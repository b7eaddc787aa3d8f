"""An open table of whole numbers, for kernels: where each of them stands, or may be put.

`keys` is an array of a power of two of numbers, never full; what stands with a key lies in other arrays at its place.
"""

from typing import Any

import numpy as np

from starloom.kernels.cache import kernel, leaf
from starloom.kernels.decoding import mix
from starloom.kernels.text import Int64s, frozen

FREE = -(2**63)  # no key


def table(most: int) -> Int64s:
    """Room for so many keys, half of it left free."""
    return np.full(1 << (2 * most).bit_length(), FREE, dtype=np.int64)


@leaf
def slot(keys: Any, key: Any) -> Any:
    """The place of a key, or, where it is not there, the free one where it would be."""
    inside = np.uint64(len(keys) - 1)
    at = mix(np.uint64(key)) & inside
    while keys[at] != key and keys[at] != FREE:
        at = (at + np.uint64(1)) & inside
    return at


def numbered(values: Int64s) -> tuple[Int64s, Int64s]:
    """(each of the values once, by its first place; of every value its number among these). No value is FREE. A fifth
    of the time of `np.unique`, which sorts.

    >>> [one.tolist() for one in numbered(np.array([7, 3, 7, 9]))]
    [[7, 3, 9], [0, 1, 0, 2]]
    """
    keys = table(len(values))
    found, number = np.empty(len(values), dtype=np.int64), np.empty(len(values), dtype=np.int64)
    return found[: _numbered(frozen(values, np.int64), keys, np.empty_like(keys), found, number)], number


@kernel
def _numbered(values: Any, keys: Any, numbers: Any, found: Any, number: Any) -> int:
    count = 0
    for k in range(len(values)):
        at = slot(keys, values[k])
        if keys[at] == FREE:
            keys[at], numbers[at], found[count] = values[k], count, values[k]
            count += 1
        number[k] = numbers[at]
    return count
