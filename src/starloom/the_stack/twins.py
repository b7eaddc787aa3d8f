"""Star clusters among the files that passed every rule, and the held-out split that no twin crosses."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from starloom.dedup.stars import star_clusters
from starloom.engine.verbs import Engine, Table
from starloom.kernels.random import keyed_units


class Streams(NamedTuple):
    """The token streams of some files, and which of them are alike. A stream's number is counted by its first file."""

    of: NDArray[np.int64]  # the number of each file's stream
    size: int  # how many streams
    left: NDArray[np.int64]  # pairs of numbers
    right: NDArray[np.int64]
    jaccard: NDArray[np.float64]


class Twins(NamedTuple):
    """Per file, in the order given: the one that is kept for it (itself if it stays), and how similar."""

    keeper: NDArray[np.int64]
    similarity: NDArray[np.float64]


_NUMBERED = """
SELECT a.number AS "left", b.number AS "right", p.jaccard
FROM pairs p JOIN numbers a ON p."left" = a.stream_id JOIN numbers b ON p."right" = b.stream_id
"""


def streams(engine: Engine, stream_ids: pa.Array, pairs: Table) -> Streams:
    """`stream_ids`: of each file. `pairs`: left, right (streams), jaccard; numbered by the engine, for as texts they
    would fill the memory."""
    encoded = stream_ids.dictionary_encode()
    numbers = pa.table({"stream_id": encoded.dictionary, "number": pa.array(np.arange(len(encoded.dictionary)))})
    found = engine.table(_NUMBERED, {"pairs": pairs, "numbers": numbers})
    left, right, jaccard = (found.column(name).to_numpy() for name in ("left", "right", "jaccard"))
    return Streams(encoded.indices.to_numpy().astype(np.int64), len(encoded.dictionary), left, right, jaccard)


def near_duplicates(found: Streams, threshold: float) -> Twins:
    """Star clusters; files are given best first. Of a stream the best file stands for all; the others go where it goes
    (their shingles are the same)."""
    best = np.empty(found.size, dtype=np.int64)
    best[found.of[::-1]] = np.arange(len(found.of))[::-1]  # the last that is written is the first file
    ranks = np.arange(found.size)  # streams are numbered by their best file, best first
    keeper, similarity = star_clusters(found.size, found.left, found.right, found.jaccard, ranks, threshold)
    return Twins(best[keeper[found.of]], similarity[found.of])


def held_out(
    repo_names: pa.Array, kept: NDArray[np.int64], found: Streams, share: float, seed: int
) -> NDArray[np.bool_]:
    """Which of the files `kept` (`repo_names`: of each) are held out: those of repositories drawn by a keyed hash,
    and every file that a chain of pairs of kept files links to one of them (pairs down to their floor, so nothing
    trained on resembles what is held out)."""
    repositories = repo_names.dictionary_encode()
    chosen = keyed_units(seed, "split", repositories.dictionary.to_pylist()) < share
    if not chosen.any() or chosen.all():  # a split needs both sides
        return np.zeros(len(kept), dtype=bool)
    stream = found.of[kept]
    present, marked = np.zeros(found.size, dtype=bool), np.zeros(found.size, dtype=bool)
    present[stream] = True
    marked[stream[chosen[repositories.indices.to_numpy()]]] = True
    both = present[found.left] & present[found.right]
    left, right = found.left[both], found.right[both]
    while True:
        reached = marked[left] ^ marked[right]
        if not reached.any():
            return np.asarray(marked[stream])
        marked[left[reached]] = True
        marked[right[reached]] = True
