"""An open table of whole numbers, for kernels: where each of them stands, or may be put.

`keys` is an array of a power of two of numbers, never full; what stands with a key lies in other arrays at its place.
"""

from typing import Any

import numpy as np

from starloom.kernels.cache import leaf
from starloom.kernels.decoding import mix
from starloom.kernels.text import Int64s

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
