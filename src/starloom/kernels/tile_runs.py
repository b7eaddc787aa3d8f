"""Runs of equal tiles in a table: where they end, and in which files they stand, when some of these do not answer.

The tiles of a run are in the order of their numbers, so those of one file lie together, and from one file to the next
it is a leap by bisection, however often the file repeats the tile. Cost: 0.1 to 0.3 µs for each file that is met.
"""

from typing import Any

import numpy as np

from starloom.kernels.cache import kernel
from starloom.kernels.text import Int64s, UInt8s, UInt32s, frozen
from starloom.kernels.tiles import Table, frozen_table


def run_ends(table: Table, first: Int64s) -> Int64s:
    """The ends of the runs of equal entries that begin at these entries."""
    table = frozen_table(table)
    ends = np.empty(len(first), dtype=np.int64)
    _run_ends(table.starts, table.tags, frozen(first, np.int64), ends)
    return ends


def living(table: Table, first: Int64s, first_tile: UInt32s, state: UInt8s, wanted: UInt8s, most: int) -> Int64s:
    """How many entries of the runs that begin at `first` are of wanted files, at most `most` + 1.

    `first_tile`: uint32[files + 1], number of each file's first tile; `state`: of each file; a file is wanted where
    `wanted[state]` is not 0. Entries that name no file count for none.
    """
    table = frozen_table(table)
    ends = run_ends(table, first)
    counts = np.empty(len(first), dtype=np.int64)
    files = frozen(first_tile, np.uint32), frozen(state, np.uint8), frozen(wanted, np.uint8)
    _living(table.tiles, frozen(first, np.int64), ends, *files, most, counts)
    return counts


def spread(
    table: Table, first: int, first_tile: UInt32s, state: UInt8s, wanted: UInt8s, most: int, most_files: int
) -> tuple[Int64s, Int64s, int]:
    """(`most` entries of the run that begins at `first`, of as many wanted files as there are; how many of these are
    the first of their file; how many wanted files have the tile, at most `most_files`). See `living`."""
    table = frozen_table(table)
    entries = np.empty(most, dtype=np.int64)
    end = run_ends(table, np.array([first], dtype=np.int64))[0]
    files = frozen(first_tile, np.uint32), frozen(state, np.uint8), frozen(wanted, np.uint8)
    taken, new, sharing = _spread(table.tiles, first, end, *files, most_files, entries)
    return entries[:taken], entries[:new], int(sharing)


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


@kernel
def file_of(tile: Any, first_tile: Any) -> int:
    """The file that holds a tile; at most the last one."""
    low, high = 0, len(first_tile) - 1
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
    tiles: Any, first: Any, ends: Any, first_tile: Any, state: Any, wanted: Any, most: int, counts: Any
) -> None:
    for k in range(len(first)):
        entry = first[k]
        count = 0
        while entry < ends[k] and count <= most:
            if tiles[entry] >= first_tile[-1]:
                break
            file = file_of(tiles[entry], first_tile)
            after = _next_file(tiles, entry, ends[k], first_tile[file + 1])
            if state[file] < len(wanted) and wanted[state[file]]:
                count += after - entry
            entry = after
        counts[k] = min(count, most + 1)


@kernel
def _spread(
    tiles: Any, first: int, end: int, first_tile: Any, state: Any, wanted: Any, most_files: int, entries: Any
) -> Any:
    taken = sharing = 0
    entry = first
    while entry < end and sharing < most_files:
        if tiles[entry] >= first_tile[-1]:
            break
        file = file_of(tiles[entry], first_tile)
        if state[file] < len(wanted) and wanted[state[file]]:
            sharing += 1
            if taken < len(entries):
                entries[taken] = entry
                taken += 1
        entry = _next_file(tiles, entry, end, first_tile[file + 1])
    new = taken
    if sharing > new:
        return taken, new, sharing
    for k in range(new):  # room left: further places in the same files
        file = file_of(tiles[entries[k]], first_tile)
        entry = entries[k] + 1
        while entry < end and tiles[entry] < first_tile[file + 1] and taken < len(entries):
            entries[taken] = entry
            taken += 1
            entry += 1
    return taken, new, sharing
