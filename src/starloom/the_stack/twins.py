"""Clusters of near-duplicates among the files that passed every rule, and the held-out split that no twin crosses."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from starloom.dedup.components import connected_components
from starloom.dedup.stars import star_clusters
from starloom.engine.verbs import Engine, Table
from starloom.kernels.random import keyed_units


class Streams(NamedTuple):
    """The token streams of some files, and which of them are alike. A stream's number is counted by its first file."""

    of: NDArray[np.int64]  # the number of each file's stream
    size: int  # how many streams
    left: NDArray[np.int64]  # pairs of numbers
    right: NDArray[np.int64]
    jaccard: NDArray[np.float64]  # NaN: not verified


class Twins(NamedTuple):
    """Per file, in the order given: the one that is kept for it (itself if it stays), and how similar (NaN: that pair
    was not verified)."""

    keeper: NDArray[np.int64]
    similarity: NDArray[np.float64]


_NUMBERED = """
SELECT a.number AS "left", b.number AS "right", p.jaccard
FROM pairs p JOIN numbers a ON p."left" = a.stream_id JOIN numbers b ON p."right" = b.stream_id
"""


def streams(engine: Engine, content_ids: pa.Array, stream_ids: pa.Array, pairs: Table) -> Streams:
    """`content_ids`: of each file, no two alike; `stream_ids`: null where no other content has that stream. `pairs`:
    left, right (streams), jaccard; numbered by the engine, for as texts they would fill the memory."""
    shared = np.flatnonzero(stream_ids.is_valid())
    encoded = stream_ids.take(pa.array(shared)).dictionary_encode()  # numbered as they come
    codes = encoded.indices.to_numpy()
    _, first = np.unique(codes, return_index=True)
    best = np.arange(len(content_ids))  # of each file, the first with its stream
    best[shared] = shared[first][codes]
    alone = best == np.arange(len(best))
    names = pc.coalesce(stream_ids, content_ids).filter(pa.array(alone))
    numbers = pa.table({"stream_id": names, "number": pa.array(np.arange(len(names)))})
    found = engine.table(_NUMBERED, {"pairs": pairs, "numbers": numbers})
    left, right, jaccard = (found.column(name).to_numpy() for name in ("left", "right", "jaccard"))
    return Streams((np.cumsum(alone) - 1)[best], len(names), left, right, jaccard)


def within(found: Streams, kinds: pa.Array) -> Streams:
    """The same where files of different `kinds` (a text a file, null is one too) are not alike, whatever they hold: a
    stream is as many streams as its files are of kinds."""
    kind = kinds.dictionary_encode("encode").indices.to_numpy().astype(np.int64)
    many = kind.max(initial=0) + 1
    nodes, first, of = np.unique(found.of * many + kind, return_index=True, return_inverse=True)
    number = np.empty(len(nodes), dtype=np.int64)
    number[np.argsort(first)] = np.arange(len(nodes))  # counted by its first file
    node_kind = nodes % many
    starts = np.searchsorted(nodes, np.arange(found.size + 1) * many)
    counts = np.diff(starts)
    edges = []
    most = int(counts.max(initial=0))  # the kinds of one stream are few
    for i in range(most):
        for j in range(most):
            pair = np.flatnonzero((counts[found.left] > i) & (counts[found.right] > j))
            one, other = starts[found.left[pair]] + i, starts[found.right[pair]] + j
            same = node_kind[one] == node_kind[other]
            edges.append((number[one[same]], number[other[same]], found.jaccard[pair[same]]))
    if not edges:
        return found
    left, right, jaccard = (np.concatenate(some) for some in zip(*edges, strict=True))
    return Streams(number[of], len(nodes), left, right, jaccard)


def near_duplicates(found: Streams, threshold: float, clusters: str) -> Twins:
    """`clusters`: "stars", or "components" of the pairs at or above the threshold and of those not verified. Files are
    given best first. Of a stream the best file stands for all; the others go where it goes (their shingles are the
    same)."""
    best = np.empty(found.size, dtype=np.int64)
    best[found.of[::-1]] = np.arange(len(found.of))[::-1]  # the last that is written is the first file
    ranks = np.arange(found.size)  # streams are numbered by their best file, best first
    if clusters == "stars":
        keeper, similarity = star_clusters(found.size, found.left, found.right, found.jaccard, ranks, threshold)
    else:
        keeper, similarity = _components(found, threshold, ranks)
    return Twins(best[keeper[found.of]], similarity[found.of])


def _components(
    found: Streams, threshold: float, ranks: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(the best of each stream's component; its similarity to that, where the very pair was verified)."""
    near = ~(found.jaccard < threshold)
    left, right, jaccard = found.left[near], found.right[near], found.jaccard[near]
    keeper = connected_components(found.size, left, right, ranks)
    similarity = np.where(keeper == ranks, 1.0, np.nan)
    for one, other in ((left, right), (right, left)):
        direct = keeper[one] == other
        similarity[one[direct]] = jaccard[direct]
    return keeper, similarity


def held_out(
    repo_names: pa.Array,
    kept: NDArray[np.int64],
    found: Streams,
    share: float,
    seed: int,
    drawn: Collection[str] | None = None,
) -> NDArray[np.bool_]:
    """Which of the files `kept` (`repo_names`: of each) are held out: those of repositories drawn by a keyed hash, or
    `drawn` before; and every file that a chain of pairs of kept files links to one of them (pairs down
    to their floor, so nothing trained on resembles what is held out)."""
    repositories = repo_names.dictionary_encode()
    names = repositories.dictionary.to_pylist()
    if drawn is None:
        chosen = keyed_units(seed, "split", names) < share
    else:
        chosen = np.array([name in drawn for name in names], bool)
    if not chosen.any() or (chosen.all() and drawn is None):  # a split needs both sides
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
