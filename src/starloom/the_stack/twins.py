"""Star clusters among the files that passed every rule, and the held-out split that no twin crosses."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from starloom.dedup.stars import star_clusters
from starloom.kernels.random import keyed_units


class Twins(NamedTuple):
    """Per surviving file, in the order given: the one that is kept for it (itself if it stays), and how similar."""

    keeper: NDArray[np.int64]
    similarity: NDArray[np.float64]


def near_duplicates(stream_ids: list[str], pairs: pa.Table, threshold: float) -> Twins:
    """`stream_ids`: the token stream of each survivor, best first. `pairs`: left, right (streams), jaccard.

    Of a stream the best file stands for all; the others go where it goes (their shingles are the same).
    """
    number: dict[str, int] = {}
    best: list[int] = []
    stream = np.empty(len(stream_ids), dtype=np.int64)
    for row, name in enumerate(stream_ids):
        stream[row] = number.setdefault(name, len(number))
        if stream[row] == len(best):
            best.append(row)
    best_row = np.array(best, dtype=np.int64)
    left, right, jaccard = _known(pairs, number)
    ranks = np.arange(len(best_row))  # streams are numbered by their best file, best first
    keeper, similarity = star_clusters(len(best_row), left, right, jaccard, ranks, threshold)
    return Twins(best_row[keeper[stream]], similarity[stream])


def held_out(
    repo_names: list[str], stream_ids: list[str], pairs: pa.Table, share: float, seed: int
) -> NDArray[np.bool_]:
    """Which kept files are held out: those of repositories drawn by a keyed hash, and every file that a chain of pairs
    links to one of them (pairs down to their floor, so nothing trained on resembles what is held out)."""
    drawn = np.zeros(len(repo_names), dtype=bool)
    repositories = sorted(set(repo_names))
    units = keyed_units(seed, "split", repositories)
    chosen = {name for name, unit in zip(repositories, units.tolist(), strict=True) if unit < share}
    if not chosen or len(chosen) == len(repositories):  # a split needs both sides
        return drawn
    drawn |= np.array([name in chosen for name in repo_names])
    number: dict[str, int] = {}
    stream = np.array([number.setdefault(name, len(number)) for name in stream_ids], dtype=np.int64)
    left, right, _ = _known(pairs, number)
    marked = np.zeros(len(number), dtype=bool)
    marked[stream[drawn]] = True
    while True:
        reached = marked[left] ^ marked[right]
        if not reached.any():
            return np.asarray(marked[stream])
        marked[left[reached]] = True
        marked[right[reached]] = True


def _known(pairs: pa.Table, number: dict[str, int]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """The pairs of which both streams are among `number`, as numbers."""
    one = np.array([number.get(name, -1) for name in pairs.column("left").to_pylist()], dtype=np.int64)
    two = np.array([number.get(name, -1) for name in pairs.column("right").to_pylist()], dtype=np.int64)
    both = (one >= 0) & (two >= 0)
    jaccard = pairs.column("jaccard").to_numpy()
    return one[both], two[both], np.asarray(jaccard[both], dtype=np.float64)
