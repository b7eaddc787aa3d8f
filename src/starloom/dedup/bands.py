"""Locality-sensitive hashing: files that share a band's hash become candidates.

Cost: one sort of n hashes a band, about 0.3 us a file and band; memory 16 bytes a file, and 8 a pair.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEADERS = 64  # members of a bucket that the others are compared with


class Candidates(NamedTuple):
    """Distinct pairs of file numbers, left before right in the order given, sorted."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    capped: int  # buckets in which only the leaders were compared with the rest


def candidate_probability(similarity: float, bands: int, rows: int) -> float:
    """The probability that two files of this Jaccard similarity share a band.

    >>> round(candidate_probability(0.7, 50, 5), 4)
    0.9999
    """
    return float(1.0 - (1.0 - similarity**rows) ** bands)


def candidate_pairs(bands: NDArray[np.uint64], members: NDArray[np.int64], leaders: int = LEADERS) -> Candidates:
    """Pairs of `members` (row numbers of `bands`, best first) that share the hash of some band.

    Of a bucket larger than `leaders`, each member is paired with the first `leaders` only: the best, being
    first, are what it would be kept for. The cap bounds the pairs of the hot buckets that licence headers and
    generated code make.
    """
    count = len(members)
    found: list[NDArray[np.int64]] = []
    capped = 0
    for band in range(bands.shape[1]):
        hashes = bands[members, band]
        order = np.argsort(hashes, kind="stable")  # within a bucket, the best stay first
        ordered = hashes[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if count else np.zeros(0, np.int64)
        sizes = np.diff(np.r_[starts, count])
        starts, sizes = starts[sizes > 1], sizes[sizes > 1]
        capped += int((sizes > leaders).sum())
        for leader in range(min(int(sizes.max(initial=0)) - 1, leaders)):
            wide = sizes > leader + 1
            starts, sizes = starts[wide], sizes[wide]
            followers = sizes - leader - 1
            first = np.repeat(starts + leader, followers)
            within = np.arange(len(first)) - np.repeat(np.cumsum(followers) - followers, followers)
            # One number a pair: its places in `members`, best first.
            found.append(order[first] * count + order[first + 1 + within])
        if len(found) > 256:
            found = [np.unique(np.concatenate(found))]
    pairs = np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
    return Candidates(members[pairs // max(count, 1)], members[pairs % max(count, 1)], capped)
