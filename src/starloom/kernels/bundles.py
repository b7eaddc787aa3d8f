"""Long stretches cut at their borders and bundled, so that each bundle nearly fills a row.

Cost: 100 to 200 ns a border of a long stretch, nothing for those of others; 20 bytes each.
"""

from typing import Any

import numpy as np

from starloom.kernels.cache import kernel
from starloom.kernels.text import Int32s, Int64s, frozen


def bundles(starts: Int64s, borders: Int64s, size: int, ahead: int) -> tuple[Int64s, Int32s, Int32s]:
    """(bounds int64[n + 1], bundle int32[n], sizes int32[bundles]): part i, from bounds[i] to bounds[i + 1], is of
    bundle[i]; a bundle's parts are of one stretch, `size` long at most together, and none follows another directly.

    starts: int64[m + 1], ascending: the stretches side by side. One of at most `size` is a bundle of its own. A longer
    one is cut at the borders in it, and a piece between two that is longer than `size` every `size`: that many are
    bundles of their own, its rest is a piece like others. A bundle then takes the pieces in their order while they fit,
    and of the next `ahead` the largest that fits, again and again. borders: ascending; those outside of all stretches
    do nothing. Raises ValueError where they are not, or there are 2**31 pieces.
    """
    starts, borders = frozen(starts, np.int64), frozen(borders, np.int64)
    if not 0 < size < 2**31 or len(starts) < 1 or (np.diff(starts) < 0).any() or (np.diff(borders) < 0).any():
        raise ValueError(f"bundles of {size}, or places out of order")
    most = len(starts) + len(borders) + int(starts[-1] - starts[0]) // size
    if most >= 2**31:
        raise ValueError(f"{most:,} pieces")
    bounds = np.empty(most + 1, dtype=np.int64)
    bundle, lengths, sizes = np.empty((3, most), dtype=np.int32)
    parts, count = _bundles(starts, borders, size, ahead, bounds, bundle, lengths, sizes)
    return bounds[: parts + 1].copy(), bundle[:parts].copy(), sizes[:count].copy()


@kernel
def _bundles(
    starts: Any, borders: Any, size: int, ahead: int, bounds: Any, bundle: Any, lengths: Any, sizes: Any
) -> Any:
    n = count = border = 0  # pieces, bundles, the next border
    for i in range(len(starts) - 1):
        at, stop = starts[i], starts[i + 1]
        if stop - at <= size:
            if stop > at:
                bounds[n], lengths[n], bundle[n], sizes[count] = at, stop - at, count, stop - at
                n += 1
                count += 1
            continue
        first = n
        while border < len(borders) and borders[border] <= at:
            border += 1
        while at < stop:
            end = stop
            if border < len(borders) and borders[border] < stop:
                end = borders[border]
                while border < len(borders) and borders[border] == end:
                    border += 1
            while end - at > size:
                bounds[n], lengths[n], bundle[n], sizes[count] = at, size, count, size
                n += 1
                count += 1
                at += size
            bounds[n], lengths[n], bundle[n] = at, end - at, -1
            n += 1
            at = end
        count = _fill(first, n, lengths, size, ahead, bundle, sizes, count)
    # Neighbours of one bundle are one part.
    parts = 0
    for k in range(n):
        if parts == 0 or bundle[k] != bundle[parts - 1]:
            bounds[parts], bundle[parts] = bounds[k], bundle[k]
            parts += 1
    bounds[parts] = starts[-1]
    return parts, count


@kernel
def _fill(first: int, n: int, lengths: Any, size: int, ahead: int, bundle: Any, sizes: Any, count: int) -> int:
    """Bundles for the pieces from `first` to before `n` that have none; returns how many there are now."""
    at = first
    while at < n:
        if bundle[at] >= 0:
            at += 1
            continue
        room = size
        while at < n and (bundle[at] >= 0 or lengths[at] <= room):
            if bundle[at] < 0:
                bundle[at] = count
                room -= lengths[at]
            at += 1
        while room > 0:
            largest = -1
            for k in range(at, min(at + ahead, n)):
                if bundle[k] < 0 and lengths[k] <= room and (largest < 0 or lengths[k] > lengths[largest]):
                    largest = k
            if largest < 0:
                break
            bundle[largest] = count
            room -= lengths[largest]
        sizes[count] = size - room
        count += 1
    return count
