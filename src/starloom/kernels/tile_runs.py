"""Runs of equal tiles in a table: where they end, and in which files they stand, when some of these do not answer.

The tiles of a run are in the order of their numbers, so those of one file lie together, and from one file to the next
it is a leap by bisection, however often the file repeats the tile. Cost: 0.05 to 0.2 µs for each file that is met.
"""

from typing import Any, NamedTuple

import numpy as np

from starloom.kernels import slots
from starloom.kernels.cache import kernel, leaf
from starloom.kernels.text import Int64s, UInt8s, UInt32s, frozen
from starloom.kernels.tiles import Found, Table

_NEAR = 7  # bits


class Files(NamedTuple):
    """Which file has a tile, and whether it is wanted. `first_tile`: uint32[files + 1], the number of each file's first
    tile; `near`: see there; `state`: of each file, which is wanted where wanted[state] is not 0. Read-only and in one
    piece."""

    first_tile: UInt32s
    near: UInt32s
    state: UInt8s
    wanted: UInt8s


class Places(NamedTuple):
    """Places of tiles: of which run, `again` (0 for the first place in a file, 1 for others), in which file, and the
    how manieth tile of it."""

    run: Int64s
    again: Int64s
    file: Int64s
    nth: Int64s


def near(first_tile: UInt32s) -> UInt32s:
    """The file of every 128th tile, so that a tile's file is sought among two or three instead of all. At the end twice
    the last one."""
    begins = (first_tile.astype(np.int64) + (1 << _NEAR) - 1) >> _NEAR  # from which of those tiles on it is this file
    size = (int(first_tile[-1]) >> _NEAR) + 2
    found = np.cumsum(np.bincount(begins, minlength=size)[:size]) - 1
    return frozen(np.clip(found, 0, max(len(first_tile) - 2, 0)), np.uint32)


def run_ends(table: Table, first: Int64s) -> Int64s:
    """The ends of the runs of equal entries that begin at these entries."""
    ends = np.empty(len(first), dtype=np.int64)
    _run_ends(table.starts, table.tags, frozen(first, np.int64), ends)
    return ends


def living(table: Table, first: Int64s, files: Files, most: int) -> Int64s:
    """How many entries of the runs that begin at `first` are of wanted files, at most `most` + 1. Entries that name no
    file count for none."""
    ends = run_ends(table, first)
    counts = np.empty(len(first), dtype=np.int64)
    _living(table.tiles, frozen(first, np.int64), ends, *files, most, counts)
    return counts


def every(table: Table, runs: Found, files: Files) -> tuple[Int64s, Int64s, Int64s]:
    """(offset, file, the how manieth tile of it) of every place of these runs that is in a wanted file. Raises
    ValueError for an entry that names no file."""
    first, length = frozen(runs.first, np.int64), frozen(runs.length, np.int64)
    out = np.empty((3, int(length.sum())), dtype=np.int64)
    size = _every(table.tiles, frozen(runs.offsets, np.int64), first, length, *files, out)
    if size < 0:
        raise ValueError("a tile that no file has")
    return out[0, :size], out[1, :size], out[2, :size]


def spread(table: Table, first: Int64s, files: Files, most: int, most_files: int) -> tuple[Places, Int64s]:
    """(`most` places of each run that begins at an entry of `first`, of as many wanted files as there are; how many
    wanted files have each, at most `most_files`).

    Of each run first the first places of files, then others, by file both times. A run that is asked for again is not
    walked again.
    """
    ends = run_ends(table, first)
    first = frozen(first, np.int64)
    out = np.empty((4, int(np.minimum(ends - first, most).sum())), dtype=np.int64)
    seen = slots.table(len(first))
    before = np.empty(len(seen), dtype=np.int64)
    bounds, sharing = np.zeros(len(first) + 1, dtype=np.int64), np.empty(len(first), dtype=np.int64)
    _spread(table.tiles, first, ends, *files, most, most_files, seen, before, bounds, out, sharing)
    return Places(*out[:, : bounds[-1]]), sharing


@kernel
def _run_ends(starts: Any, tags: Any, first: Any, ends: Any) -> None:
    # A run ends with its bucket at the latest: the next bucket's first entry may have the same tag.
    for k in range(len(first)):
        low, high = 0, len(starts) - 1
        while high - low > 1:  # the last bucket that starts at or before `first`
            middle = (low + high) >> 1
            if np.int64(starts[middle]) <= first[k]:
                low = middle
            else:
                high = middle
        begin, end = first[k], np.int64(min(starts[high], len(tags)))
        if begin >= end:
            ends[k] = begin
            continue
        tag = tags[begin]
        while end - begin > 1:  # tags of a bucket are in order
            center = (begin + end) >> 1
            if tags[center] <= tag:
                begin = center
            else:
                end = center
        ends[k] = end


@leaf
def file_of(tile: Any, first_tile: Any, near: Any) -> Any:
    """The file that holds a tile, which is one of theirs."""
    low, high = np.int64(near[tile >> _NEAR]), np.int64(near[(tile >> _NEAR) + 1]) + 1
    while high - low > 1:
        middle = (low + high) >> 1
        if first_tile[middle] <= tile:
            low = middle
        else:
            high = middle
    return low


@kernel
def _next_file(tiles: Any, entry: int, end: int, bound: Any) -> int:
    """The first entry after `entry` whose tile is not below `bound`: steps that double, then bisection."""
    step, low = 1, entry
    while low + step < end and tiles[low + step] < bound:
        low += step
        step *= 2
    high = min(low + step, end)
    while high - low > 1:
        middle = (low + high) >> 1
        if tiles[middle] < bound:
            low = middle
        else:
            high = middle
    return high


@kernel
def _living(
    tiles: Any, first: Any, ends: Any, first_tile: Any, near: Any, state: Any, wanted: Any, most: int, counts: Any
) -> None:
    for k in range(len(first)):
        entry = first[k]
        count = 0
        while entry < ends[k] and count <= most:
            if tiles[entry] >= first_tile[-1]:
                break
            file = file_of(np.int64(tiles[entry]), first_tile, near)
            after = _next_file(tiles, entry, ends[k], first_tile[file + 1])
            if state[file] < len(wanted) and wanted[state[file]]:
                count += after - entry
            entry = after
        counts[k] = min(count, most + 1)


@kernel
def _every(
    tiles: Any, offsets: Any, first: Any, length: Any, first_tile: Any, near: Any, state: Any, wanted: Any, out: Any
) -> int:
    count = 0
    for k in range(len(first)):
        for entry in range(first[k], first[k] + length[k]):  # a loop of its own: what is read is under way side by side
            if tiles[entry] >= first_tile[-1]:
                return -1
            out[0, count], out[2, count] = offsets[k], tiles[entry]
            count += 1
    found = 0
    for k in range(count):
        tile = out[2, k]
        file = file_of(tile, first_tile, near)
        if state[file] < len(wanted) and wanted[state[file]]:
            out[0, found], out[1, found], out[2, found] = out[0, k], file, tile - np.int64(first_tile[file])
            found += 1
    return found


@kernel
def _spread(
    tiles: Any,
    first: Any,
    ends: Any,
    first_tile: Any,
    near: Any,
    state: Any,
    wanted: Any,
    most: int,
    most_files: int,
    seen: Any,
    before: Any,
    bounds: Any,
    out: Any,
    sharing: Any,
) -> None:
    entries = np.empty(most, dtype=np.int64)
    for k in range(len(first)):
        begun = bounds[k]
        at = slots.slot(seen, first[k])
        if seen[at] == first[k]:
            same = before[at]
            size = bounds[same + 1] - bounds[same]
            out[0, begun : begun + size] = k
            out[1:, begun : begun + size] = out[1:, bounds[same] : bounds[same] + size]
            bounds[k + 1], sharing[k] = begun + size, sharing[same]
            continue
        seen[at], before[at] = first[k], k
        new, sharing[k] = _first_ones(
            tiles, first[k], ends[k], first_tile, near, state, wanted, most_files, entries, out[:, begun:]
        )
        taken = new
        if sharing[k] == new:  # room left: further places in the same files
            taken = _others(tiles, ends[k], first_tile, entries, new, most, out[:, begun:])
        out[0, begun : begun + taken] = k
        bounds[k + 1] = begun + taken


@kernel
def _first_ones(
    tiles: Any,
    first: int,
    end: int,
    first_tile: Any,
    near: Any,
    state: Any,
    wanted: Any,
    most_files: int,
    entries: Any,
    out: Any,
) -> Any:
    """(how many first places of files were put into `out` and `entries`, how many wanted files there are)."""
    taken = sharing = 0
    entry = first
    while entry < end and sharing < most_files:
        if tiles[entry] >= first_tile[-1]:
            break
        file = file_of(np.int64(tiles[entry]), first_tile, near)
        if state[file] < len(wanted) and wanted[state[file]]:
            sharing += 1
            if taken < len(entries):
                entries[taken] = entry
                out[1, taken], out[2, taken] = 0, file
                out[3, taken] = np.int64(tiles[entry]) - np.int64(first_tile[file])
                taken += 1
        entry = _next_file(tiles, entry, end, first_tile[file + 1])
    return taken, sharing


@kernel
def _others(tiles: Any, end: int, first_tile: Any, entries: Any, new: int, most: int, out: Any) -> int:
    """How many places there are once further ones in the files of the first `new` are put behind these."""
    taken = new
    for k in range(new):
        file = out[2, k]
        entry = entries[k] + 1
        while entry < end and tiles[entry] < first_tile[file + 1] and taken < most:
            out[1, taken], out[2, taken] = 1, file
            out[3, taken] = np.int64(tiles[entry]) - np.int64(first_tile[file])
            taken += 1
            entry += 1
    return taken
