"""Candidates between two collections: pairs, one of each, that share the hash of a band.

Pairs within a collection are never made: two copies of one corpus are compared in time linear in its size. Of a bucket
that is large on both sides, each file of the one is compared with the first files of the other only.

Cost: two sorts a band, about 0.1 us a file and band. Memory: 40 bytes a file; pairs come in portions.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from starloom import progress
from starloom.dedup.bands import LEADERS, each_once, spread

Int64s: TypeAlias = NDArray[np.int64]

BLOCK = 1 << 19  # files of the left side whose pairs are searched at a time
PORTION = 1 << 25  # pairs that are held at a time; 8 bytes each, and as much again to sort them
_SLICE = 1 << 21  # pairs that are written out at a time


class Portion(NamedTuple):
    """Distinct pairs (row of the one collection, row of the other), sorted. Where hot buckets make more than fit in
    memory, a later portion may have some of them again."""

    left: Int64s
    right: Int64s


class Across:
    """`for left, right in Across(…)`: all candidates; `capped` tells afterwards how many buckets were not whole.

    `left` and `right` are the rows of `left_bands` and `right_bands` (uint64[n, bands], best read column by column)
    that take part; each file of `left` is to be compared with files of `right`, in their order where a bucket is cut.
    """

    def __init__(
        self,
        left_bands: NDArray[np.uint64],
        left: Int64s,
        right_bands: NDArray[np.uint64],
        right: Int64s,
        leaders: int = LEADERS,
        block: int = BLOCK,
        portion: int = PORTION,
    ) -> None:
        self.capped = 0
        self._bands = (left_bands, right_bands)
        self._count = left_bands.shape[1]
        self._rows = (left, right)
        self._leaders, self._block, self._portion = leaders, block, portion

    def __iter__(self) -> Iterator[Portion]:
        left, right = self._rows
        for start in range(0, len(left) if len(right) else 0, self._block):
            block = left[start : start + self._block]
            slices = self._slices(block, start // self._block * self._count)
            while len(keys := self._portion_of(slices)):
                yield Portion(block[keys // len(right)], right[keys % len(right)])

    def _portion_of(self, slices: Iterator[tuple[int, Int64s, Int64s]]) -> Int64s:
        """Distinct pairs, as one number each, sorted: as many as there are, or as may be held. Empty at the end."""
        held: list[Int64s] = []
        count = 0
        steps = -(-len(self._rows[0]) // self._block) * self._count
        with progress.task("find candidates", steps, "bands") as bar:  # closed while the pairs are compared
            for step, one, two in slices:
                bar.advance(step - bar.done)
                held.append(one * len(self._rows[1]) + two)
                count += len(one)
                if count > self._portion:  # bands find the same pairs again
                    held = [_distinct(held)]
                    count = len(held[0])
                    if count > self._portion // 2:  # the other half is room: else there would be no end of sorting
                        break
        return _distinct(held)

    def _slices(self, block: Int64s, step: int) -> Iterator[tuple[int, Int64s, Int64s]]:
        """(number of the band, from `step` on; places in `block`, places on the right) of equal hashes, some at a
        time."""
        right = self._rows[1]
        bits = max(len(block), len(right), 2).bit_length()
        for band in range(self._count):
            order_left, start_left, size_left, of_left = _buckets(self._bands[0][:, band][block], bits)
            order_right, start_right, size_right, of_right = _buckets(self._bands[1][:, band][right], bits)
            there = np.minimum(np.searchsorted(of_right, of_left), len(of_right) - 1)
            here = np.flatnonzero(of_right[there] == of_left)
            there = there[here]
            wide, deep = size_left[here], size_right[there]
            # Where the left side is small, all of the right side can be afforded.
            cut = np.where(wide <= self._leaders, deep, np.minimum(deep, self._leaders))
            self.capped += int((cut < deep).sum())
            yield step + band, order_left[:0], order_right[:0]
            for one, two in _rectangles(start_left[here], wide, start_right[there], cut):
                yield step + band + 1, order_left[one], order_right[two]


def _distinct(held: list[Int64s]) -> Int64s:
    """Each number once, sorted."""
    keys = np.concatenate([*held, np.zeros(0, dtype=np.int64)])
    held.clear()
    keys.sort()
    return each_once(keys)


def _buckets(hashes: NDArray[np.uint64], bits: int) -> tuple[Int64s, Int64s, Int64s, NDArray[np.uint64]]:
    """(order; of each distinct hash: its start therein, its size, itself without the last `bits`).

    The place stands where the last bits of the hash were, so that plain numbers are sorted: ten times as fast. Two
    hashes that differ there only make a candidate more, one in 2^(64 - bits) pairs.
    """
    low = np.uint64((1 << bits) - 1)
    packed = (hashes & ~low) | np.arange(len(hashes), dtype=np.uint64)
    packed.sort()
    order = (packed & low).astype(np.int64)
    packed >>= np.uint64(bits)
    starts = np.flatnonzero(np.r_[True, packed[1:] != packed[:-1]])
    return order, starts, np.diff(np.r_[starts, len(packed)]), packed[starts]


def _rectangles(
    start_left: Int64s,
    size_left: Int64s,
    start_right: Int64s,
    size_right: Int64s,
) -> Iterator[tuple[Int64s, Int64s]]:
    """Every pair of places of each rectangle start_left … + size_left times start_right … + size_right."""
    # A row of a rectangle: one place on the left, its stretch on the right. There may be many; the pairs are more.
    rows = np.repeat(np.arange(len(size_left)), size_left)
    place = spread(start_left, size_left)
    width = size_right[rows]
    ends = np.cumsum(width)
    row = 0
    while row < len(rows):
        done = int(ends[row - 1]) if row else 0
        stop = max(int(np.searchsorted(ends, done + _SLICE, side="right")), row + 1)
        some = slice(row, stop)
        yield (
            np.repeat(place[some], width[some]),
            spread(start_right[rows[some]], width[some]),
        )
        row = stop
