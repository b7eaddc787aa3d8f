"""Tiles that say little of where they come from: where a text repeats itself, and how many files share a stretch.

Cost: 10 ns for each tile of a text of some kilobytes, 140 for each of eight million (a table beyond all caches).
"""

from typing import Any

import numpy as np

from starloom.kernels import slots
from starloom.kernels.cache import kernel
from starloom.kernels.text import Bools, Int64s, UInt64s, frozen


def midst(offsets: Int64s, hashes: UInt64s, width: int) -> Bools:
    """Which of the tiles at these ascending offsets lie in the midst of a repetition: the same tile stands there again
    and again, each time less than a width further, and began at least a width before and goes on at least a width
    behind."""
    keys = hashes.view(np.int64)
    offsets, keys = frozen(offsets, np.int64), frozen(np.where(keys == slots.FREE, 0, keys), np.int64)
    known = slots.table(len(keys))
    inside = np.zeros(len(keys), dtype=np.bool_)
    _midst(offsets, keys, width, known, np.empty_like(known), inside)
    return inside


def sharing(
    starts: Int64s,
    ends: Int64s,
    asked: tuple[Int64s, Int64s],
    frequent: Int64s,
    held: tuple[Int64s, Int64s],
    width: int,
) -> Int64s:
    """In how many files bytes starts[k] to ends[k] of a text are by hash, at most: of each way to lay tiles over them
    in which every tile is common, as many as share the rarest that was asked for; and those that lay them otherwise. 0
    where no tile was asked for.

    A way is where tiles begin, modulo their width. `asked`: ascending offsets of common tiles, and in how many files
    each is; `frequent`: ascending offsets of all common tiles; `held`: the ways of the files that were found, those of
    span k from held[1][k] to held[1][k + 1].
    """
    found = np.zeros(len(starts), dtype=np.int64)
    if not len(asked[0]):
        return found
    low, high = np.searchsorted(asked[0], [starts, ends - width + 1])
    columns = [frozen(one, np.int64) for one in (starts, ends, low, high, *asked, *held, frequent)]
    _sharing(width, found, *columns)
    return found


@kernel
def _midst(offsets: Any, keys: Any, width: int, known: Any, last: Any, inside: Any) -> None:
    before = np.full(len(keys), -1, dtype=np.int64)  # the tile before it in its repetition
    begins, ends = offsets.copy(), offsets.copy()
    for k in range(len(keys)):
        at = slots.slot(known, keys[k])
        if known[at] != slots.FREE and offsets[k] - offsets[last[at]] < width:
            before[k], begins[k] = last[at], begins[last[at]]
        known[at], last[at] = keys[k], k
    for k in range(len(keys) - 1, -1, -1):
        if before[k] >= 0:
            ends[before[k]] = ends[k]
        inside[k] = offsets[k] - begins[k] >= width and ends[k] - offsets[k] >= width


@kernel
def _sharing(
    width: Any,
    found: Any,
    starts: Any,
    ends: Any,
    low: Any,
    high: Any,
    asked: Any,
    files: Any,
    ways: Any,
    ways_at: Any,
    frequent: Any,
) -> None:
    least = np.empty(width, dtype=np.int64)  # of each way, in how many files its rarest tile is; -1: it is none
    for k in range(len(starts)):
        if low[k] >= high[k]:
            continue
        least[:] = -1
        for tile in range(low[k], high[k]):
            way = asked[tile] % width
            least[way] = min(least[way], files[tile]) if least[way] >= 0 else files[tile]
        some = False
        for way in range(width):
            if least[way] >= 0 and not _common_all_along(starts[k], ends[k], way, frequent, width):
                least[way] = -1
            found[k] += max(least[way], 0)
            some |= least[way] >= 0
        for number in range(ways_at[k], ways_at[k + 1]):
            found[k] += some and least[ways[number]] < 0


@kernel
def _common_all_along(start: Any, end: Any, way: Any, frequent: Any, width: Any) -> bool:
    at: Any = 0
    for tile in range(start + (way - start) % width, end - width + 1, width):
        at += np.searchsorted(frequent[at:], tile)
        if at == len(frequent) or frequent[at] != tile:
            return False
    return True
