"""The exact answer for a few thousand files, and how far a deduplicator is from it.

Jaccard similarities of all pairs, by the product of the sparse matrix of files and shingles with its transpose: no pair
is left out. Cost: seconds for 3,000 files of code; memory: 12 bytes for each pair that has a shingle in common.
"""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, triu


class Similar(NamedTuple):
    """Every pair with a shingle in common, left before right."""

    files: int
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    jaccard: NDArray[np.float64]


def similarities(sets: pa.ChunkedArray) -> Similar:
    """Of lists of uint64, each distinct in its list: the shingle set of each file."""
    sets = sets.combine_chunks()
    starts = sets.offsets.to_numpy()
    _, columns = np.unique(sets.values.to_numpy(), return_inverse=True)
    ones = np.ones(len(columns), dtype=np.int32)
    files = csr_matrix((ones, columns, starts), shape=(len(sets), int(columns.max(initial=0)) + 1))
    common = triu(files @ files.T, k=1).tocoo()
    sizes = np.diff(starts).astype(np.int64)
    left, right = common.row.astype(np.int64), common.col.astype(np.int64)
    return Similar(len(sets), left, right, common.data / (sizes[left] + sizes[right] - common.data))


def judged(truth: Similar, keepers: NDArray[np.int64], pairs: pa.Table, threshold: float) -> dict[str, Any]:
    """`pairs`: those that the deduplicator takes for duplicates (left, right, distinct). `recall`: of the pairs at or
    above the threshold, those among them. `precision`: of them, those at or above it."""
    near = truth.jaccard >= threshold
    left, right = truth.left[near], truth.right[near]
    real = left * truth.files + right
    said = pairs["left"].to_numpy() * truth.files + pairs["right"].to_numpy()
    right_ones = int(np.isin(real, said).sum())
    best = np.zeros(truth.files)
    np.maximum.at(best, truth.left, truth.jaccard)
    np.maximum.at(best, truth.right, truth.jaccard)
    removed = np.flatnonzero(keepers != np.arange(truth.files))
    kept_for = keepers[removed]
    ends = np.minimum(removed, kept_for) * truth.files + np.maximum(removed, kept_for)
    return {
        "pairs at the threshold": len(real),
        "files with a twin": int((best >= threshold).sum()),
        "pairs said": len(said),
        "recall": right_ones / max(len(real), 1),
        "precision": right_ones / len(said) if len(said) else None,
        "removed": len(removed),
        "removed without a twin": int((best[removed] < threshold).sum()),
        "removed below the threshold to their keeper": int((~np.isin(ends, real)).sum()),
    }
