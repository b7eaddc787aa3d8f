"""Which of many passages stand whole in which texts: every text is cut into windows side by side, and each passage is
known by the windows of as many offsets as lie from one cut to the next, so that one of them falls on a cut.

Texts and passages are squeezed (`kernels/squeeze`); a passage of `least` bytes or more is always found, at its first
place. Of each passage the windows that fewest passages share are taken, so that a common beginning costs nothing. A
window is looked up in a filter of four bits, then among the hashes of its bucket, and what is found is compared byte by
byte: no hash decides. Cost: 350 MB/s of source, squeezing included, with 14,000 passages on a shared core; a table of
20,000 takes two seconds and 8 MB beside their text.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.cache import kernel
from starloom.kernels.decoding import filter_mask
from starloom.kernels.text import Int64s, UInt8s, UInt64s, checked, frozen
from starloom.kernels.tiles import bucket_bits, filter_words
from starloom.kernels.windows import powers, window_hash, window_hashes

LEAST = 8  # bytes of the shortest passage that can be told
WIDEST = 50  # bytes of a window
_CONSIDERED = 512  # bytes of a passage among which its windows are chosen
_64 = np.uint64(64)


class Lookup(NamedTuple):
    """Hashes in order, and a filter over their 2**bits buckets."""

    bits: int
    filter: UInt64s  # [2**bits]
    starts: Int64s  # [2**bits + 1], the first hash of each bucket
    hashes: UInt64s  # [entries]


class Passages(NamedTuple):
    """Passage k is data[offsets[k]:offsets[k + 1]]; entry e of the table is its bytes from `place[e]` on."""

    width: int
    offsets: Int64s
    data: UInt8s
    lookup: Lookup
    passage: Int64s  # [entries]
    place: Int64s  # [entries]


class Found(NamedTuple):
    """A row for each passage of each text: its first place, in bytes of the squeezed text; in the order of the texts,
    then as they were met."""

    text: Int64s
    passage: Int64s
    start: Int64s


def passages(texts: Sequence[bytes], least: int) -> Passages:
    """The table of some squeezed passages, each of `least` bytes or more. Raises ValueError for a shorter one."""
    sizes = np.array([len(one) for one in texts], dtype=np.int64)
    if least < LEAST or (len(sizes) and sizes.min() < least):
        raise ValueError(f"a passage is shorter than {max(least, LEAST)} bytes")
    width = min((least + 1) // 2, WIDEST)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)])
    data = np.frombuffer(b"".join(texts), dtype=np.uint8)
    every = window_hashes(data, width)  # those that begin in one passage and end in the next are not used
    first = _rarest(every, offsets, width)
    places = first[:, None] + np.arange(width)
    hashes = every[(offsets[:-1, None] + places).ravel()] if len(texts) else np.zeros(0, dtype=np.uint64)
    passage = np.repeat(np.arange(len(texts)), width)
    order = np.lexsort((-places.ravel(), passage, hashes))  # of one passage the one that begins first is asked first
    return Passages(width, offsets, data, lookup(hashes[order]), passage[order], places.ravel()[order])


def lookup(hashes: UInt64s) -> Lookup:
    """The look-up of hashes that are in order."""
    bits = bucket_bits(len(hashes))
    bounds = np.arange(2**bits, dtype=np.uint64) << np.uint64(64 - bits)
    starts = np.append(np.searchsorted(hashes, bounds), len(hashes)).astype(np.int64)
    return Lookup(bits, filter_words(hashes, bits, 0, 2**bits), starts, hashes)


def find(bounds: Int64s, squeezed: UInt8s, table: Passages) -> Found:
    """The passages that stand in each squeezed text."""
    bounds, squeezed = checked(bounds, squeezed)
    arrays = [
        frozen(one, np.int64) for one in (table.offsets, table.lookup.starts, table.passage, table.place)
    ]  # one type, so one compilation
    found = _find(
        bounds,
        squeezed,
        powers(table.width),
        table.lookup.bits,
        frozen(table.lookup.filter, np.uint64),
        frozen(table.lookup.hashes, np.uint64),
        frozen(table.data, np.uint8),
        *arrays,
    )
    return Found(*(row.copy() for row in found))


def _rarest(every: UInt64s, offsets: Int64s, width: int) -> NDArray[np.int64]:
    """Of each passage the place from which on `width` windows are shared by the fewest passages; the first of those."""
    lengths = np.minimum(np.diff(offsets), _CONSIDERED + width) - width + 1
    used = np.zeros(len(every), dtype=np.bool_)
    for start, length in zip(offsets[:-1].tolist(), lengths.tolist()):
        used[start : start + length] = True
    _, which, counts = np.unique(every[used], return_inverse=True, return_counts=True)
    total = np.cumsum(np.concatenate([[0], counts[which]]))
    first, at = np.zeros(len(lengths), dtype=np.int64), 0
    for number, length in enumerate(lengths.tolist()):
        sums = total[at + width : at + length + 1] - total[at : at + length + 1 - width]
        first[number] = np.argmin(sums)
        at += length
    return first


@kernel
def _find(
    bounds: Any,
    squeezed: Any,
    weights: Any,
    bits: int,
    words: Any,
    hashes: Any,
    data: Any,
    offsets: Any,
    starts: Any,
    passage: Any,
    place: Any,
) -> Any:
    width = len(weights)
    shift = _64 - np.uint64(bits)
    found = np.empty((3, 64), dtype=np.int64)
    count = 0
    met = np.full(len(offsets), -1, dtype=np.int64)  # the last text in which a passage was found
    for i in range(len(bounds) - 1):
        begin, end = bounds[i], bounds[i + 1]
        for p in range(begin, end - width + 1, width):
            h = window_hash(squeezed, p, weights)
            bucket = np.int64(h >> shift)
            mask = filter_mask(h)
            if words[bucket] & mask != mask:
                continue
            for entry in range(starts[bucket], starts[bucket + 1]):
                if hashes[entry] != h or met[passage[entry]] == i:
                    continue
                k = passage[entry]
                start = p - place[entry]
                if start < begin or start + offsets[k + 1] - offsets[k] > end:
                    continue
                same = offsets[k]
                while same < offsets[k + 1] and squeezed[start + same - offsets[k]] == data[same]:
                    same += 1
                if same < offsets[k + 1]:
                    continue
                if count == found.shape[1]:
                    more = np.empty((3, 2 * count), dtype=np.int64)
                    more[:, :count] = found
                    found = more
                met[k] = i
                found[0, count], found[1, count], found[2, count] = i, k, start - begin
                count += 1
    return found[:, :count]
