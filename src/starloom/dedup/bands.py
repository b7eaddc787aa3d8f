"""Locality-sensitive hashing: files that share a band's hash become candidates.

One band at a time: sort its hashes, and pair the members of each bucket. Of a bucket larger than the cap, each member
is paired with the first ones only: the best, being first, are what it would be kept for, and the pairs of the hot
buckets that licence headers and generated code make stay linear.

Cost: 80 ms a band of a million members, and 20 ns for each time that a pair shares a band. Memory: 60 bytes a member,
and 40 a distinct pair, of which 16 are the result; the pairs that wait to be merged are never more than those found,
or 8 M.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from starloom import progress

LEADERS = 64  # members of a bucket that the others are compared with
_BUFFER = 1 << 22  # pairs that are gathered before they are sorted and merged

_APART = np.uint64(0xD6E8FEB86659FD93)  # odd: what parts the buckets of two groups


class Candidates(NamedTuple):
    """Distinct pairs of file numbers, left before right in the order given, sorted by it."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    capped: int  # buckets in which only the leaders were compared with the rest
    hot: NDArray[np.int64]  # the files that were in such a bucket: sorted, each once


def candidate_probability(similarity: float, bands: int, rows: int) -> float:
    """The probability that two files of this Jaccard similarity share a band.

    >>> round(candidate_probability(0.7, 50, 5), 4)
    0.9999
    """
    return float(1.0 - (1.0 - similarity**rows) ** bands)


def candidate_pairs(
    bands: NDArray[np.uint64],
    members: NDArray[np.int64],
    leaders: int = LEADERS,
    groups: NDArray[np.int64] | None = None,
) -> Candidates:
    """Pairs of `members` (distinct row numbers of `bands`, best first) that share the hash of some band.

    `bands`: uint64[rows, bands], in memory or mapped; read a column at a time, so column-major is best. `leaders`: at
    least 1; of a larger bucket each member is paired with the first `leaders` only. `groups`: one number a row of
    `bands`; rows of different groups are never paired and share no bucket.
    """
    if leaders < 1:
        raise ValueError(f"{leaders} leaders: there must be one at least")
    members = np.asarray(members, dtype=np.int64)
    count = len(members)
    apart = None if groups is None else np.asarray(groups)[members].astype(np.uint64) * _APART
    distinct = _Distinct()
    capped = 0
    hot = np.zeros(count, dtype=bool)
    columns = bands.shape[1] if count > 1 else 0
    with progress.task("find candidates", columns, "bands") as bar:
        for band in range(columns):
            hashes = bands[:, band][members]
            if apart is not None:
                hashes = hashes + apart
            order, starts, sizes = _buckets(hashes)
            large = sizes > leaders
            capped += int(large.sum())
            hot[order[spread(starts[large], sizes[large])]] = True
            for pairs in _pairs(order, starts, sizes, leaders):
                distinct.add(pairs)
            bar.advance(1)
    found = distinct.all()
    left, right = members[found // max(count, 1)], members[found % max(count, 1)]
    if groups is not None:  # two groups meet by a collision of 64 bits only
        same = np.asarray(groups)[left] == np.asarray(groups)[right]
        left, right = left[same], right[same]
    return Candidates(left, right, capped, np.sort(members[hot]))


def _pairs(
    order: NDArray[np.int64], starts: NDArray[np.int64], sizes: NDArray[np.int64], leaders: int
) -> Iterator[NDArray[np.int64]]:
    """The pairs of `_buckets`, each as one number of its places, best first, in portions that are in ascending order:
    merging them is cheap then."""
    count = len(order)
    leading = np.minimum(sizes - 1, leaders)
    heads = spread(starts, leading)
    followers = np.repeat(starts + sizes, leading) - heads - 1
    by_place = np.argsort(order[heads])
    heads, followers = heads[by_place], followers[by_place]
    ends = np.cumsum(followers)
    start = 0
    while start < len(heads):
        before = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, before + _BUFFER, side="right")), start + 1)
        some = followers[start:stop]
        pairs = np.repeat(order[heads[start:stop]] * count, some)
        pairs += order[spread(heads[start:stop] + 1, some)]
        yield pairs
        start = stop


def linked_pairs(
    bands: NDArray[np.uint64], members: NDArray[np.int64], groups: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(left, right): each member of a bucket, however large, with its first. That links all that share a band, in one
    pair less than the bucket has members: enough for connected components. Arguments and order: `candidate_pairs`."""
    found = candidate_pairs(bands, members, 1, groups)
    return found.left, found.right


def _buckets(hashes: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(order, starts, sizes): `order[starts[i]:starts[i] + sizes[i]]` are the places of one hash, ascending; buckets of
    one member left out.

    What `np.argsort(hashes, kind="stable")` gives, in half the time: the place is packed into the low bits of the hash,
    numbers alone are sorted, and where two hashes differ in those bits only, that stretch is sorted again.
    """
    count = len(hashes)
    bits = np.uint64(max(count - 1, 1).bit_length())
    low = (np.uint64(1) << bits) - np.uint64(1)
    packed = (hashes & ~low) | np.arange(count, dtype=np.uint64)
    packed.sort()
    order = (packed & low).view(np.int64)
    packed >>= bits
    alike = packed[1:] == packed[:-1]
    # Few hashes have a neighbour; only of those the whole hash matters.
    beside = np.flatnonzero(alike)
    mixed = hashes[order[beside]] != hashes[order[beside + 1]]
    if mixed.any():
        _sort_again(hashes, order, packed, packed[beside[mixed]])
        alike[beside] = hashes[order[beside]] == hashes[order[beside + 1]]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], alike, [False]]).view(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    return order, starts, ends - starts + 1


def _sort_again(
    hashes: NDArray[np.uint64], order: NDArray[np.int64], high: NDArray[np.uint64], mixed: NDArray[np.uint64]
) -> None:
    """Sort those stretches of `order` by hash and place whose high bits are among `mixed`."""
    values = np.unique(mixed)
    starts, ends = np.searchsorted(high, values), np.searchsorted(high, values, side="right")
    where = spread(starts, ends - starts)
    places = order[where]
    order[where] = places[np.lexsort((places, hashes[places]))]


def spread(starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """start, start + 1 … of each stretch, one after the other.

    >>> spread(np.array([5, 9]), np.array([3, 1])).tolist()
    [5, 6, 7, 9]
    """
    ends = np.cumsum(sizes, dtype=np.int64)
    places = np.arange(ends[-1] if len(ends) else 0, dtype=np.int64)
    places += np.repeat(starts - (ends - sizes), sizes)
    return places


def each_once(ascending: NDArray[np.int64]) -> NDArray[np.int64]:
    """Without repetitions. `np.unique` hashes, which takes seventeen times as long as to sort first (NumPy 2.4)."""
    new = np.ones(len(ascending), dtype=bool)
    np.not_equal(ascending[1:], ascending[:-1], out=new[1:])
    return ascending[new]


class _Distinct:
    """Numbers, each once, from ascending arrays: gathered until they are as many as those known, then merged, so that
    it takes few merges however many arrays they come in."""

    def __init__(self) -> None:
        self._known = np.zeros(0, dtype=np.int64)
        self._gathered: list[NDArray[np.int64]] = []
        self._size = 0

    def add(self, numbers: NDArray[np.int64]) -> None:
        self._gathered.append(numbers)
        self._size += len(numbers)
        if self._size >= max(_BUFFER, len(self._known)):
            self._merge()

    def all(self) -> NDArray[np.int64]:
        """All of them, ascending."""
        self._merge()
        return self._known

    def _merge(self) -> None:
        self._known = np.concatenate([self._known, *self._gathered])
        self._gathered.clear()
        self._size = 0
        self._known.sort(kind="stable")  # merges the ascending stretches
        self._known = each_once(self._known)
