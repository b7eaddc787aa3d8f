"""Star clusters: which file is kept for each group of near-duplicates.

Connected components chain: A like B, B like C, and C is removed for an A it does not resemble (7-10 of 220
removed files in the measurement of 2026). In a star, every file that goes is at least `threshold` similar to
the very file that stays.

Cost: a sort of the edges, then one step an edge; 40 bytes an edge.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FEW = 1 << 18  # edges that plain Python visits in the time that Numba takes to load (a second or two)


def star_clusters(
    n: int, left: ArrayLike, right: ArrayLike, jaccard: ArrayLike, rank: ArrayLike, threshold: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(keeper int64[n], similarity float64[n]) of n files and their pairs.

    Files are visited in ascending `rank`, ties by number. One that no centre covers yet becomes a centre (its
    own keeper, similarity 1.0) and covers every uncovered neighbour of at least `threshold`. The order and
    the direction of the pairs do not matter; of a pair given twice the higher similarity counts.
    """
    one, two = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
    weight = np.asarray(jaccard, dtype=np.float64)
    ranks: NDArray[Any] = np.asarray(rank)
    if not len(one) == len(two) == len(weight):
        raise ValueError("left, right and jaccard differ in length")
    if len(ranks) != n:
        raise ValueError(f"{len(ranks)} ranks for {n} files")
    if len(one) and (min(one.min(), two.min()) < 0 or max(one.max(), two.max()) >= n):
        raise ValueError("a pair names a file that is not there")
    near = weight >= threshold
    one, two, weight = one[near], two[near], weight[near]
    order = np.argsort(ranks, kind="stable")
    # An edge matters to the end that is visited first only: when the other's turn comes, both are covered.
    visit = np.empty(n, dtype=np.int64)
    visit[order] = np.arange(n)
    back = visit[one] > visit[two]
    sources, targets = np.where(back, two, one), np.where(back, one, two)
    edges = _sorted(sources, targets, weight, n)
    starts = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(sources, minlength=n), out=starts[1:])
    if len(edges) <= FEW:
        return _few(order, starts, targets[edges], weight[edges])
    from starloom.kernels.stars import greedy_stars

    return greedy_stars(order, starts, targets[edges], weight[edges])


def _sorted(
    sources: NDArray[np.int64], targets: NDArray[np.int64], weights: NDArray[np.float64], n: int
) -> NDArray[np.int64]:
    """The order of the edges by source, target, and weight, greatest first. Weights matter where a pair is given twice
    only: so first by one key, which is four times as fast."""
    if n <= 1 << 31:
        keys = sources * n + targets
        edges = np.argsort(keys)
        keys = keys[edges]
        if not (keys[1:] == keys[:-1]).any():
            return edges
    return np.lexsort((-weights, targets, sources))


def _few(
    order: NDArray[np.int64], starts: NDArray[np.int64], neighbours: NDArray[np.int64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """`kernels.stars.greedy_stars` in plain Python, over the nodes that have neighbours."""
    n = len(order)
    keeper, similarity = np.arange(n), np.ones(n)
    covered: set[int] = set()
    linked = order[starts[order + 1] > starts[order]]
    bounds, others, values = starts.tolist(), neighbours.tolist(), weights.tolist()
    for centre in linked.tolist():
        if centre in covered:
            continue
        covered.add(centre)
        for edge in range(bounds[centre], bounds[centre + 1]):
            other = others[edge]
            if other not in covered:
                covered.add(other)
                keeper[other], similarity[other] = centre, values[edge]
    return keeper, similarity
