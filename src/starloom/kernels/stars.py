"""Greedy star clusters over a graph in CSR form: the loop of `starloom.dedup.stars`. One step an edge."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.cache import kernel
from starloom.kernels.text import Int64s, frozen


def greedy_stars(
    order: Int64s, starts: Int64s, neighbours: Int64s, similarity: NDArray[np.float64]
) -> tuple[Int64s, NDArray[np.float64]]:
    """(keeper int64[n], similarity float64[n]).

    Nodes are visited in `order` (a permutation of 0 … n - 1); one that nothing covers yet becomes a centre
    and covers each of its neighbours that nothing covers yet. Node i's neighbours are
    `neighbours[starts[i]:starts[i + 1]]`, the more similar first where one stands twice.
    """
    keeper, to_keeper = _greedy_stars(
        frozen(order, np.int64),
        frozen(starts, np.int64),
        frozen(neighbours, np.int64),
        frozen(similarity, np.float64),
    )
    return keeper, to_keeper


@kernel
def _greedy_stars(order: Any, starts: Any, neighbours: Any, similarity: Any) -> Any:
    n = len(order)
    keeper = np.full(n, -1, dtype=np.int64)
    to_keeper = np.ones(n, dtype=np.float64)
    for k in range(n):
        centre = order[k]
        if keeper[centre] >= 0:
            continue
        keeper[centre] = centre
        for edge in range(starts[centre], starts[centre + 1]):
            other = neighbours[edge]
            if keeper[other] < 0:
                keeper[other] = centre
                to_keeper[other] = similarity[edge]
    return keeper, to_keeper
