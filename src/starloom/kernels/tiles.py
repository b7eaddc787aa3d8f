"""Tiles: every 50th stretch of 50 bytes of folded text as a 64-bit hash, and their look-up in a table.

The corpus is cut at multiples of the width, a question is asked at every offset (research: half the entries of
winnowing for the same guarantee): whatever runs on for twice the width less one holds a whole tile. A hash is the
polynomial of its bytes, which rolls, mixed at the end. Bytes of one tile may be parts of characters: UTF-8 keeps that
harmless.

The table is sorted by hash and cut into 2**bits buckets by the top bits (three to six tiles each). Per bucket: a word
of a Bloom filter, four bits a tile, and its first entry; per entry: the next 32 bits of its hash, and the tile's
number. Nearly every offset that matches nothing ends at the gate (`tile_gate`), which settles eight at a time, the
others at the filter: one load. What is found is a candidate, to be confirmed on the text. `tile_table` makes tables,
`tile_runs` walks through equal tiles. Cost: bench/membership, 4.6 ns an offset instead of 13 without the gate; 11 to 13
bytes a tile with all parts.
"""

from typing import Any, NamedTuple

import numpy as np

from starloom.kernels import windows
from starloom.kernels.cache import kernel, leaf
from starloom.kernels.decoding import filter_mask, mix
from starloom.kernels.text import Int64s, UInt8s, UInt32s, UInt64s, frozen
from starloom.kernels.tile_gate import OPEN, Gate, passing, piece_of
from starloom.kernels.windows import leaving_power, powers, rolled, window_hash

WIDTH = 50  # bytes of a tile, and the distance from one to the next, unless another is named
MOST_TILES = 2**32 - 1  # numbers are 4 bytes: 215 GB of folded text
MOST_BITS = 30

_ONE, _32, _64 = np.uint64(1), np.uint64(32), np.uint64(64)
_ZERO = np.uint64(0)
_BLOCK = 4096


class Table(NamedTuple):
    """The parts of a table, as kernels take them: read-only and in one piece (`frozen_table`)."""

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


def tile_hashes(offsets: Int64s, folded: UInt8s, width: int = WIDTH) -> tuple[Int64s, UInt64s]:
    """(bounds int64[n + 1], hashes uint64[]) of the whole tiles of each folded text, in order."""
    return windows.tile_hashes(offsets, folded, width)


def window_hashes(folded: UInt8s, width: int = WIDTH) -> UInt64s:
    """uint64[max(n - width + 1, 0)]: the hash at every offset of one folded text."""
    return windows.window_hashes(folded, width)


def hashes_at(folded: UInt8s, offsets: Int64s, width: int = WIDTH) -> UInt64s:
    """The hashes at some offsets of one folded text. Raises ValueError for one at which no tile fits."""
    folded, offsets = frozen(folded, np.uint8), frozen(offsets, np.int64)
    if len(offsets) and (offsets.min() < 0 or offsets.max() > len(folded) - width):
        raise ValueError("an offset lies outside the text")
    hashes = np.empty(len(offsets), dtype=np.uint64)
    _hashes_at(folded, offsets, powers(width), hashes)
    return hashes


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


def look_up(folded: UInt8s, table: Table, most: int, width: int = WIDTH, gate: Gate = OPEN) -> Found:
    """The tiles of `table` that stand in one folded text, at every offset. `most`: see `Found`; `gate`: the one made of
    these tiles (`tile_gate`), which changes no answer."""
    folded = frozen(folded, np.uint8)
    windows = max(len(folded) - width + 1, 0)
    offsets, first, length = (np.empty(windows, dtype=np.int64) for _ in range(3))  # touched only as far as filled
    parts = table.bits, table.filter, table.starts, table.tags
    how = leaving_power(width), powers(width), piece_of(width), *gate
    found = _look_up(folded, *how, *parts, most, offsets, first, length)
    return Found(offsets[:found].copy(), first[:found].copy(), length[:found].copy())


def look_up_hashes(hashes: UInt64s, table: Table, most: int) -> Found:
    """Those of some hashes that are in `table`; `offsets` are their positions among `hashes`."""
    hashes = frozen(hashes, np.uint64)
    offsets, first, length = (np.empty(len(hashes), dtype=np.int64) for _ in range(3))
    found = _look_up_hashes(hashes, table.bits, table.filter, table.starts, table.tags, most, offsets, first, length)
    return Found(offsets[:found].copy(), first[:found].copy(), length[:found].copy())


def frozen_table(table: Table) -> Table:
    """The same, as kernels take it."""
    words, entries = frozen(table.filter, np.uint64), (table.starts, table.tags, table.tiles)
    return Table(table.bits, words, *(frozen(one, np.uint32) for one in entries))


@kernel
def _hashes_at(folded: Any, offsets: Any, weights: Any, hashes: Any) -> None:
    for k in range(len(offsets)):
        hashes[k] = window_hash(folded, offsets[k], weights)


@kernel
def _filter_words(hashes: Any, bits: int, first_bucket: int, words: Any) -> None:
    shift = _64 - np.uint64(bits)
    for k in range(len(hashes)):
        bucket = np.int64(hashes[k] >> shift) - first_bucket
        if 0 <= bucket < len(words):
            words[bucket] |= filter_mask(hashes[k])


@leaf
def _run(mixed: Any, begin: Any, stop: Any, bits: int, tags: Any, most: int) -> Any:
    """(first entry, length) of the run of a hash that the filter let through, among the entries of its bucket; length
    0: it is not there."""
    tag = np.uint32(mixed >> (_32 - np.uint64(bits)))
    entry, end = begin, stop
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
    return entry, run - entry


@leaf
def _bucket(bucket: Any, starts: Any, tags: Any) -> Any:
    """(first entry, the one after the last)."""
    return np.int64(starts[bucket]), np.int64(min(starts[bucket + _ONE], len(tags)))


@leaf
def _hashed(folded: Any, begin: Any, stop: Any, power: Any, weights: Any, hashes: Any, offsets: Any, size: Any) -> Any:
    """Puts the hashes (not mixed) of the windows at offsets `begin` to `stop` (exclusive) behind the first `size`; how
    many there are then."""
    width = np.uint64(len(weights))
    first = np.uint64(begin)  # unsigned, as all places here: see `swar.eight`
    h = _ZERO
    for k in range(len(weights)):
        h += np.uint64(folded[first + np.uint64(k)]) * weights[k]
    hashes[size], offsets[size] = h, begin
    for k in range(1, stop - begin):
        place = first + np.uint64(k)
        h = rolled(h, folded[place + width - _ONE], folded[place - _ONE], power)
        hashes[size + k], offsets[size + k] = h, begin + k
    return size + stop - begin


@leaf
def _asked(
    folded: Any,
    begun: Any,
    end: Any,
    power: Any,
    weights: Any,
    piece: Any,
    gate_bits: Any,
    gate: Any,
    anchors: Any,
    keys: Any,
    hashes: Any,
    offsets: Any,
) -> Any:
    """How many of the windows at offsets `begun` to `end` (exclusive) the gate lets pass, with their hashes (not mixed)
    and offsets."""
    found = passing(folded, begun, end, len(weights), piece, gate_bits, gate, anchors, keys, hashes)
    size = 0
    for k in range(found):
        size = _hashed(folded, anchors[k], np.int64(keys[k]), power, weights, hashes, offsets, size)
    return size


@kernel
def _look_up(
    folded: Any,
    power: Any,
    weights: Any,
    piece: int,
    gate_bits: int,
    gate: Any,
    bits: int,
    words: Any,
    starts: Any,
    tags: Any,
    most: int,
    offsets: Any,
    first: Any,
    length: Any,
) -> int:
    # A block at a time, and a loop for each step: so the loads, each a miss of the cache where the filter is large,
    # stand close together and are under way side by side.
    shift = _64 - np.uint64(bits)
    width = len(weights)
    block, word = np.empty(_BLOCK + width, dtype=np.uint64), np.empty(_BLOCK + width, dtype=np.uint64)
    at, passed = np.empty(_BLOCK, dtype=np.int64), np.empty(_BLOCK + width, dtype=np.int64)
    begins, stops = np.empty(_BLOCK, dtype=np.int64), np.empty(_BLOCK, dtype=np.int64)
    windows = len(folded) - width + 1
    found = 0
    for begun in range(0, windows, _BLOCK):
        end = min(begun + _BLOCK, windows)
        size = _asked(folded, begun, end, power, weights, piece, gate_bits, gate, passed, word, block, at)
        for k in range(size):
            block[k] = mix(block[k])
            word[k] = block[k] >> shift
        for k in range(size):
            word[k] = words[word[k]]
        for k in range(size):
            mask = filter_mask(block[k])
            word[k] = word[k] & mask == mask
        through: Any = 0
        for k in range(size):
            passed[through] = k
            through += np.int64(word[k])
        for j in range(through):
            block[j], at[j] = block[passed[j]], at[passed[j]]
            begins[j], stops[j] = _bucket(block[j] >> shift, starts, tags)
        for j in range(through):
            word[j] = tags[begins[j]] if begins[j] < stops[j] else _ZERO  # so that those that are read next are near
        for j in range(through):
            entry, run = _run(block[j], begins[j], stops[j], bits, tags, most)
            if run > 0:
                offsets[found], first[found], length[found] = at[j], entry, run
                found += 1
    return found


@kernel
def _look_up_hashes(
    hashes: Any, bits: int, words: Any, starts: Any, tags: Any, most: int, offsets: Any, first: Any, length: Any
) -> int:
    shift = _64 - np.uint64(bits)
    found = 0
    for k in range(len(hashes)):
        bucket = hashes[k] >> shift
        mask = filter_mask(hashes[k])
        if words[bucket] & mask != mask:
            continue
        begin, stop = _bucket(bucket, starts, tags)
        entry, size = _run(hashes[k], begin, stop, bits, tags, most)
        if size > 0:
            offsets[found], first[found], length[found] = k, entry, size
            found += 1
    return found
