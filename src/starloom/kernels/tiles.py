"""Tiles: every 50th stretch of 50 bytes of folded text as a 64-bit hash, the table of them, and its look-up.

The corpus is cut at multiples of 50, a question is asked at every offset (research: half the entries of winnowing for
the same guarantee): whatever runs on for 99 bytes holds a whole tile. A hash is the polynomial of its bytes, which
rolls, mixed at the end. Bytes of one tile may be parts of characters: UTF-8 keeps that harmless.

The table is sorted by hash and cut into 2**bits buckets by the top bits (three to six tiles each). Per bucket: a word
of a Bloom filter, four bits a tile, and its first entry; per entry: the next 32 bits of its hash, and the tile's
number. Nearly every offset that matches nothing ends at the filter: one load. What is found is a candidate, to be
confirmed on the text. Cost: hashing 700 MB/s, look-ups 40-60 M/s a core, 10 to 12 bytes a tile with all parts.
"""

from typing import Any, NamedTuple

import numpy as np

from starloom.kernels import windows
from starloom.kernels.cache import kernel
from starloom.kernels.decoding import mix
from starloom.kernels.text import Int64s, UInt8s, UInt32s, UInt64s, frozen
from starloom.kernels.windows import extended, leaving_power, rolled

WIDTH = 50  # bytes of a tile, and the distance from one to the next
MOST_TILES = 2**32 - 1  # numbers are 4 bytes: 215 GB of folded text
MOST_BITS = 30

_LEAVING = leaving_power(WIDTH)
_ONE, _SIX, _32, _64, _63 = np.uint64(1), np.uint64(6), np.uint64(32), np.uint64(64), np.uint64(63)
_ZERO = np.uint64(0)


class Table(NamedTuple):
    """The parts of a table, as kernels take them; all read-only."""

    bits: int
    filter: UInt64s  # [2**bits]
    starts: UInt32s  # [2**bits + 1], first entry of each bucket
    tags: UInt32s  # [entries]
    tiles: UInt32s  # [entries]


class Found(NamedTuple):
    """Offsets at which a tile begins, ascending; `first` and `length`: its run of entries in the table. `length` is at
    most the limit given, and one more where there are more."""

    offsets: Int64s
    first: Int64s
    length: Int64s


def tile_hashes(offsets: Int64s, folded: UInt8s) -> tuple[Int64s, UInt64s]:
    """(bounds int64[n + 1], hashes uint64[]) of the whole tiles of each folded text, in order."""
    return windows.tile_hashes(offsets, folded, WIDTH)


def window_hashes(folded: UInt8s) -> UInt64s:
    """uint64[max(n - 49, 0)]: the hash at every offset of one folded text."""
    return windows.window_hashes(folded, WIDTH)


def bucket_bits(tiles: int) -> int:
    """How many top bits make the buckets of a table of so many tiles."""
    return min(max((tiles // 3).bit_length() - 1, 1), MOST_BITS)


def filter_words(hashes: UInt64s, bits: int, first_bucket: int, buckets: int) -> UInt64s:
    """uint64[buckets]: the filter's words from `first_bucket` on, of hashes that all lie in those buckets."""
    words = np.zeros(buckets, dtype=np.uint64)
    _filter_words(frozen(hashes, np.uint64), bits, first_bucket, words)
    return words


def tags_of(hashes: UInt64s, bits: int) -> UInt32s:
    """uint32: the 32 bits of each hash below those that name its bucket."""
    return (hashes >> np.uint64(32 - bits)).astype(np.uint32)


def look_up(folded: UInt8s, table: Table, most: int) -> Found:
    """The tiles of `table` that stand in one folded text, at every offset. `most`: see `Found`."""
    folded = frozen(folded, np.uint8)
    table = _frozen(table)
    windows = max(len(folded) - WIDTH + 1, 0)
    offsets, first, length = (np.empty(windows, dtype=np.int64) for _ in range(3))  # touched only as far as filled
    found = _look_up(folded, table.bits, table.filter, table.starts, table.tags, most, offsets, first, length)
    return Found(offsets[:found].copy(), first[:found].copy(), length[:found].copy())


def run_end(table: Table, first: int, most: int) -> int:
    """The end of the run of equal entries that begins at entry `first`, or first + most if it ends later."""
    table = _frozen(table)
    return int(_run_end(table.starts, table.tags, first, most))


def _frozen(table: Table) -> Table:
    words, entries = frozen(table.filter, np.uint64), (table.starts, table.tags, table.tiles)
    return Table(table.bits, words, *(frozen(one, np.uint32) for one in entries))


@kernel
def filter_mask(h: Any) -> Any:
    """Four bits of a word, named by the lowest 24 bits of a hash."""
    mask = _ONE << (h & _63)
    for _ in range(3):
        h >>= _SIX
        mask |= _ONE << (h & _63)
    return mask


@kernel
def _filter_words(hashes: Any, bits: int, first_bucket: int, words: Any) -> None:
    shift = _64 - np.uint64(bits)
    for k in range(len(hashes)):
        bucket = np.int64(hashes[k] >> shift) - first_bucket
        if 0 <= bucket < len(words):
            words[bucket] |= filter_mask(hashes[k])


@kernel
def _look_up(
    folded: Any, bits: int, words: Any, starts: Any, tags: Any, most: int, offsets: Any, first: Any, length: Any
) -> int:
    shift, tag_shift = _64 - np.uint64(bits), _32 - np.uint64(bits)
    found = 0
    h = _ZERO
    for p in range(len(folded)):
        if p < WIDTH:
            h = extended(h, folded[p])
        else:
            h = rolled(h, folded[p], folded[p - WIDTH], _LEAVING)
        if p < WIDTH - 1:
            continue
        mixed = mix(h)
        bucket = mixed >> shift
        mask = filter_mask(mixed)
        if words[bucket] & mask != mask:
            continue
        tag = np.uint32(mixed >> tag_shift)
        entry = np.int64(starts[bucket])
        stop = np.int64(min(starts[bucket + _ONE], len(tags)))
        end = stop
        if end - entry > 32:  # a bucket that holds a common tile
            while entry < end:
                middle = (entry + end) >> 1
                if tags[middle] < tag:
                    entry = middle + 1
                else:
                    end = middle
        while entry < stop and tags[entry] < tag:
            entry += 1
        run = entry
        while run < stop and tags[run] == tag and run - entry <= most:
            run += 1
        if run > entry:
            offsets[found], first[found], length[found] = p - WIDTH + 1, entry, run - entry
            found += 1
    return found


@kernel
def _run_end(starts: Any, tags: Any, first: int, most: int) -> int:
    # The run ends with its bucket at the latest: the next bucket's first entry may have the same tag.
    low, high = 0, len(starts) - 1
    while high - low > 1:  # the last bucket that starts at or before `first`
        middle = (low + high) >> 1
        if np.int64(starts[middle]) <= first:
            low = middle
        else:
            high = middle
    end = np.int64(min(starts[high], len(tags), first + most))
    run = first
    while run < end and tags[run] == tags[first]:
        run += 1
    return run
