"""Tables of tiles made from their hashes: parted by range, then each range sorted by itself.

Cost a tile: 4 ns to part, 15 to 20 ns to sort, filter and tags included; sorting whole hashes with NumPy takes 90.
"""

from typing import Any

import numpy as np

from starloom.kernels.cache import kernel
from starloom.kernels.decoding import filter_mask
from starloom.kernels.text import Int64s, UInt32s, UInt64s, frozen

_32, _64 = np.uint64(32), np.uint64(64)
_LOW = np.uint64(0xFFFFFFFF)
_FEW = 40  # entries of a bucket that are sorted by insertion


def parted(hashes: UInt64s, bits: int) -> tuple[Int64s, UInt64s, UInt32s]:
    """(bounds int64[2**bits + 1], hashes, numbers uint32): by their top bits, in their order where these are equal;
    `numbers`: where each was."""
    hashes = frozen(hashes, np.uint64)
    bounds = np.zeros(2**bits + 1, dtype=np.int64)
    sorted_hashes, numbers = np.empty_like(hashes), np.empty(len(hashes), dtype=np.uint32)
    _parted(hashes, bits, bounds, sorted_hashes, numbers)
    return bounds, sorted_hashes, numbers


def renumbered(numbers: UInt32s, counts: UInt32s, first: Int64s) -> UInt32s:
    """The same tiles by other numbers. `counts`: how many each text has, by which `numbers` count; `first`: the new
    number of its first one. Raises IndexError for a number that no text has."""
    numbers, counts, first = frozen(numbers, np.uint32), frozen(counts, np.uint32), frozen(first, np.int64)
    new = np.empty(int(counts.sum(dtype=np.int64)), dtype=np.uint32)
    if len(first) != len(counts) or (len(numbers) and numbers.max() >= len(new)):
        raise IndexError("a number that no text has")
    found = np.empty(len(numbers), dtype=np.uint32)
    _renumbered(numbers, counts, first, new, found)
    return found


def bucketed(
    hashes: UInt64s, numbers: UInt32s, bits: int, first_bucket: int, buckets: int
) -> tuple[UInt64s, Int64s, UInt32s, UInt32s]:
    """(words of the filter, entries before each bucket int64[buckets + 1], tags, tiles) of some buckets of a table of
    2**bits, from all hashes that lie in them, with their numbers. Equal tags are in the order of their numbers.

    Raises ValueError for a hash that lies in another bucket.
    """
    hashes, numbers = frozen(hashes, np.uint64), frozen(numbers, np.uint32)
    words = np.zeros(buckets, dtype=np.uint64)
    starts = np.zeros(buckets + 1, dtype=np.int64)
    keys = np.empty(len(hashes), dtype=np.uint64)
    if not _bucketed(hashes, numbers, bits, first_bucket, words, starts, keys):
        raise ValueError("a hash lies in another range")
    return words, starts, (keys >> _32).astype(np.uint32), keys.astype(np.uint32)


@kernel
def _parted(hashes: Any, bits: int, bounds: Any, out: Any, numbers: Any) -> None:
    shift = _64 - np.uint64(bits)
    if bits == 0:
        bounds[1] = len(hashes)
        for k in range(len(hashes)):
            out[k], numbers[k] = hashes[k], k
        return
    for k in range(len(hashes)):
        bounds[np.int64(hashes[k] >> shift) + 1] += 1
    for k in range(1, len(bounds)):
        bounds[k] += bounds[k - 1]
    at = bounds[:-1].copy()
    for k in range(len(hashes)):
        part = np.int64(hashes[k] >> shift)
        out[at[part]], numbers[at[part]] = hashes[k], k
        at[part] += 1


@kernel
def _renumbered(numbers: Any, counts: Any, first: Any, new: Any, found: Any) -> None:
    tile: Any = 0
    for text in range(len(counts)):
        own = np.int64(counts[text])
        for k in range(own):
            new[tile + k] = first[text] + k
        tile += own
    for k in range(len(numbers)):
        found[k] = new[numbers[k]]


@kernel
def _bucketed(hashes: Any, numbers: Any, bits: int, first_bucket: int, words: Any, starts: Any, keys: Any) -> bool:
    shift, tag_shift = _64 - np.uint64(bits), _32 - np.uint64(bits)
    for k in range(len(hashes)):
        bucket = np.int64(hashes[k] >> shift) - first_bucket
        if not 0 <= bucket < len(words):
            return False
        starts[bucket + 1] += 1
        words[bucket] |= filter_mask(hashes[k])
    for k in range(1, len(starts)):
        starts[k] += starts[k - 1]
    at = starts[:-1].copy()
    for k in range(len(hashes)):
        bucket = np.int64(hashes[k] >> shift) - first_bucket
        keys[at[bucket]] = ((hashes[k] >> tag_shift) & _LOW) << _32 | np.uint64(numbers[k])
        at[bucket] += 1
    for word in range(len(words)):
        low, high = starts[word], starts[word + 1]
        if high - low > _FEW:
            keys[low:high].sort()
            continue
        for k in range(low + 1, high):
            key = keys[k]
            j = k
            while j > low and keys[j - 1] > key:
                keys[j] = keys[j - 1]
                j -= 1
            keys[j] = key
    return True
