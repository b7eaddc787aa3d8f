"""Near-duplicates among texts in memory: the whole of this package in one call.

    found = near_duplicates(pa.array(["…", "…"]))
    kept = found.keeper == np.arange(len(found.keeper))

Cost: about 165 MB/s for signatures, some microseconds a candidate pair; memory: the texts, 500 bytes a file, 8
a pair.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from starloom.dedup.bands import candidate_pairs
from starloom.dedup.signature import MinHashSettings, measure
from starloom.dedup.stars import star_clusters
from starloom.dedup.verify import verify
from starloom.errors import UserError


class NearDuplicates(NamedTuple):
    """Per file: which one is kept for it, and how similar that is. Then the pairs that were verified."""

    keeper: NDArray[np.int64]  # the file itself where it stays
    similarity: NDArray[np.float64]  # exact Jaccard to the keeper, at least the threshold; 1.0 to itself
    left: NDArray[np.int64]  # pairs at or above the threshold; files of one token stream are one file here, its best
    right: NDArray[np.int64]
    jaccard: NDArray[np.float64]  # of each pair, exact
    candidates: int  # pairs that were compared
    capped_buckets: int  # buckets in which only the first 64 were compared with the rest


def near_duplicates(
    contents: Any,
    threshold: float = 0.7,
    rank: ArrayLike | None = None,
    settings: MinHashSettings | None = None,
) -> NearDuplicates:
    """Find and cluster the near-duplicates of `contents`, an Arrow array or chunked array of strings.

    `rank`: one number a file, the lowest is kept; by default their order. `settings`: MinHashSettings().
    """
    from starloom.kernels.text import text_buffers

    if not 0.0 < threshold <= 1.0:
        raise UserError(f"threshold = {threshold} is out of range", "use a Jaccard similarity above 0, up to 1")
    settings = settings or MinHashSettings()
    offsets, data = text_buffers(contents)
    n = len(offsets) - 1
    ranks: NDArray[Any] = np.arange(n) if rank is None else np.asarray(rank)
    if len(ranks) != n:
        raise UserError(f"{len(ranks)} ranks for {n} texts", "give one rank a text")

    measured = measure(offsets, data, settings)
    order = np.argsort(ranks, kind="stable")
    order = order[measured.tokens[order] >= settings.shingle]
    best, others, best_of_others = _same_stream(measured.stream, order)
    left, right, capped = candidate_pairs(measured.bands, best)
    jaccard = verify(offsets, data, left, right, threshold)
    near = jaccard >= threshold
    left, right, jaccard = left[near], right[near], jaccard[near]

    keeper, similarity = star_clusters(n, left, right, jaccard, ranks, threshold)
    # A file with the token stream of a better one has its shingles too, so it goes where that one goes.
    keeper[others] = keeper[best_of_others]
    similarity[others] = similarity[best_of_others]
    return NearDuplicates(keeper, similarity, left, right, jaccard, len(near), capped)


def _same_stream(
    stream: NDArray[np.uint64], order: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(the best file of each token stream, best first; the other files; the best one of each of those)."""
    groups = stream[order].view([("a", np.uint64), ("b", np.uint64)]).reshape(-1)
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    best_of_each = order[first[group]]
    is_best = best_of_each == order
    return order[is_best], order[~is_best], best_of_each[~is_best]
