"""Exact Jaccard similarity of pairs of sorted shingle sets: what a candidate must pass before anything is
removed.

Cost: about 1 M pairs/s at 270 shingles a side (merge, with a bound by size and an early exit).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.cache import kernel
from starloom.kernels.text import Int64s, UInt8s, UInt64s, frozen


def jaccard(set_offsets: Int64s, shingles: UInt64s, left: Int64s, right: Int64s, floor: float) -> NDArray[np.float64]:
    """float64[m]: the exact similarity where it is at least `floor`, else -1.0; of two empty sets -1.0."""
    set_offsets, left, right = (frozen(one, np.int64) for one in (set_offsets, left, right))
    if len(left) != len(right):
        raise ValueError("left and right differ in length")
    if floor != floor:
        raise ValueError("floor is not a number")
    n = len(set_offsets) - 1
    if len(left) and (min(left.min(), right.min()) < 0 or max(left.max(), right.max()) >= n):
        raise ValueError("a pair names a set that is not there")
    found: NDArray[np.float64] = _jaccard(set_offsets, frozen(shingles, np.uint64), left, right, float(floor))
    return found


def agreement(sketches: UInt8s, left: Int64s, right: Int64s) -> NDArray[np.int32]:
    """int32[m]: in how many of their k places the rows left[i] and right[i] of `sketches`, uint8[n, k], are equal.
    About 20 ns a pair at 256 places."""
    left, right = frozen(left, np.int64), frozen(right, np.int64)
    if len(left) != len(right):
        raise ValueError("left and right differ in length")
    if len(left) and (min(left.min(), right.min()) < 0 or max(left.max(), right.max()) >= len(sketches)):
        raise ValueError("a pair names a row that is not there")
    found: NDArray[np.int32] = _agreement(frozen(sketches, np.uint8), left, right)
    return found


@kernel
def _agreement(sketches: Any, left: Any, right: Any) -> Any:
    found = np.empty(len(left), dtype=np.int32)
    for i in range(len(left)):
        one, other = sketches[left[i]], sketches[right[i]]
        equal = np.int32(0)
        for k in range(len(one)):
            equal += np.int32(one[k] == other[k])
        found[i] = equal
    return found


_STRIDE = 32  # steps of a merge between two looks at the early exit


@kernel
def _jaccard(set_offsets: Any, shingles: Any, left: Any, right: Any, floor: float) -> Any:
    found = np.empty(len(left), dtype=np.float64)
    for k in range(len(left)):
        i, j = left[k], right[k]
        found[k] = _one(shingles, set_offsets[i], set_offsets[i + 1], set_offsets[j], set_offsets[j + 1], floor)
    return found


@kernel
def _one(shingles: Any, i: int, i_end: int, j: int, j_end: int, floor: float) -> float:
    a, b = i_end - i, j_end - j
    if a == 0 and b == 0:
        return -1.0
    if min(a, b) / max(a, b) < floor:
        return -1.0
    # The fewest common shingles that reach the floor, found with the very division that gives the answer: an
    # estimate by arithmetic alone could be one too many at the limit. Ends at min(a, b) at the latest, by the
    # test above.
    needed = 0
    if floor > 0.0:
        needed = max(int(floor * (a + b) / (1.0 + floor)) - 1, 0)
        while needed / (a + b - needed) < floor:
            needed += 1
    common = 0
    while i < i_end and j < j_end:
        left = min(i_end - i, j_end - j)
        if common + left < needed:
            return -1.0
        for _ in range(min(left, _STRIDE)):  # these steps cannot pass an end: no test but the loop's own
            x, y = shingles[i], shingles[j]
            common += x == y
            i += x <= y
            j += y <= x
    similarity = common / (a + b - common)
    return similarity if similarity >= floor else -1.0
