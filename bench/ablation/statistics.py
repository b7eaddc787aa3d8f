"""Paired bootstrap: how sure it is that one arm's models are better than the other's, on the same held-out text."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]

_RESAMPLES: Final = 10_000


@dataclass(frozen=True)
class Compared:
    """first, second: the means of the arms over seeds; difference: second - first, with the intervals in which 95 % of
    the resampled differences lie: `files` draws files and seeds anew, `repositories` whole repositories and seeds."""

    first: float
    second: float
    difference: float
    files: tuple[float, float]
    repositories: tuple[float, float]
    seeds: tuple[float, ...]  # the difference of each pair of equal seeds

    def row(self) -> dict[str, Any]:
        return asdict(self)


def compared(first: Floats, second: Floats, weights: Floats, repositories: Int64s, seed: int = 0) -> Compared:
    """first, second [seeds, items]: sums of an item (bits; hits); weights [items]: what they are divided by (bytes; 1);
    repositories [items]: the number of each item's repository."""
    random = np.random.default_rng(seed)
    seeds, items = first.shape

    def drawn(count: Callable[[], Int64s]) -> tuple[float, float]:
        differences = np.empty(_RESAMPLES)
        for at in range(_RESAMPLES):
            times = count() * 1.0  # how often each item is drawn
            trained = np.bincount(random.integers(0, seeds, seeds), minlength=seeds)
            sums = trained @ (second - first) @ times
            differences[at] = sums / seeds / (weights @ times)
        low, high = np.percentile(differences, [2.5, 97.5])
        return float(low), float(high)

    many = int(repositories.max()) + 1

    def some_files() -> Int64s:
        return np.bincount(random.integers(0, items, items), minlength=items)

    def some_repositories() -> Int64s:
        return np.bincount(random.integers(0, many, many), minlength=many)[repositories]

    by_seed = (second - first).sum(1) / weights.sum()
    one, other = (float(sums.sum(1).mean() / weights.sum()) for sums in (first, second))
    return Compared(one, other, other - one, drawn(some_files), drawn(some_repositories), tuple(by_seed.tolist()))
