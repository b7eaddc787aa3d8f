"""Which source of the mixture each sample is of: a table that is gone through again and again.

In `period` samples each source has as many as its share says (largest remainder, at least one), spread so that any
stretch of samples is close to the shares: the k-th of n is due at (k + 1/2) / n of the period. So the source of sample
n, its number among that source's samples, and the way back are one look into a table.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

PERIOD: Final = 1 << 16  # samples; shares are exact to one in so many

_Int64s = NDArray[np.int64]


class Schedule:
    """The shares of some sources, by their numbers 0, 1, 2, …"""

    def __init__(self, shares: Sequence[float], period: int = PERIOD) -> None:
        """`shares`: one a source, above 0; their sum is the whole. Raises ValueError for others, and for a period that
        has not a sample for each."""
        weights = np.array(shares, dtype=np.float64)
        if not 0 < len(weights) <= period or not np.isfinite(weights).all() or (weights <= 0).any():
            raise ValueError(f"shares of {list(shares)} in {period:,} samples")
        self.counts = _counts(weights / weights.sum(), period if len(weights) > 1 else 1)  # [sources], in one period
        self.period = int(self.counts.sum())
        sources = np.repeat(np.arange(len(self.counts)), self.counts)
        ranks = np.concatenate([np.arange(count) for count in self.counts])
        due = (ranks + 0.5) / self.counts[sources]
        order = np.lexsort((sources, due))
        self._sources, self._ranks = sources[order], ranks[order]
        self._first = np.concatenate([[0], np.cumsum(self.counts)])  # where a source's slots begin in _slots
        self._slots = np.lexsort((self._ranks, self._sources))

    def at(self, samples: _Int64s) -> tuple[_Int64s, _Int64s]:
        """(source, number among the samples of that source) of each sample, 0 or more."""
        periods, slots = np.divmod(samples, self.period)
        sources = self._sources[slots]
        return sources, periods * self.counts[sources] + self._ranks[slots]

    def samples(self, source: int, numbers: _Int64s) -> _Int64s:
        """The inverse of `at`: which samples are these of one source."""
        periods, ranks = np.divmod(numbers, self.counts[source])
        found: _Int64s = periods * self.period + self._slots[self._first[source] + ranks]
        return found

    def before(self, source: int, sample: int) -> int:
        """How many of the samples before `sample` are of that source."""
        periods, slot = divmod(sample, self.period)
        inside = self._slots[self._first[source] : self._first[source + 1]]
        return periods * int(self.counts[source]) + int(np.searchsorted(inside, slot))


def _counts(shares: NDArray[np.float64], period: int) -> _Int64s:
    """Whole numbers of the sum `period` that are nearest to the shares, none of them 0."""
    exact = shares * period
    counts = np.maximum(np.floor(exact), 1).astype(np.int64)
    missing = period - int(counts.sum())
    if missing > 0:
        counts[np.argsort(counts - exact, kind="stable")[:missing]] += 1
    while missing < 0:  # shares below one in a period took from the others
        counts[int(np.argmax(np.where(counts > 1, counts - exact, -np.inf)))] -= 1
        missing += 1
    return counts
