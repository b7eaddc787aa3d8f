"""Exact verification: the Jaccard similarity of candidate pairs, from their texts.

Shingle sets are made again here rather than kept for all files: re-making them for the candidates only is
cheaper than storing them. Cost: about 180 MB/s for the sets, then about 1 M pairs/s. Memory: the sets of the files that
some pair names, 8 bytes a shingle (about as much as their texts), and some 200 MB.
"""

import numpy as np
from numpy.typing import NDArray

from starloom import progress
from starloom.dedup.signature import Tokenisation

_BYTES = 1 << 25  # of text that is shingled at a time
_PAIRS = 1 << 18  # compared at a time


def verify(
    offsets: NDArray[np.int64],
    data: NDArray[np.uint8],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    floor: float,
    tokenisation: Tokenisation = "words",
) -> NDArray[np.float64]:
    """float64[m]: the exact similarity of files left[k] and right[k] wherever it is at least `floor`, else
    -1.0.

    Only the files that some pair names are shingled. ValueError if a pair names a file that is not there.
    """
    from starloom.kernels import pairs

    offsets = np.asarray(offsets, dtype=np.int64)
    if len(left) == 0:
        return np.zeros(0, dtype=np.float64)
    touched = np.unique(np.concatenate([left, right]))
    if touched[0] < 0 or touched[-1] >= len(offsets) - 1:
        raise ValueError("a pair names a file that is not there")
    bounds, sets = _shingled(offsets, data, touched, tokenisation)
    result = np.empty(len(left), dtype=np.float64)
    with progress.task("verify pairs", len(left), "pairs") as bar:
        for start in range(0, len(left), _PAIRS):
            some = slice(start, start + _PAIRS)
            one, two = np.searchsorted(touched, left[some]), np.searchsorted(touched, right[some])
            result[some] = pairs.jaccard(bounds, sets, one, two, floor)
            bar.advance(len(one))
    return result


def _shingled(
    offsets: NDArray[np.int64], data: NDArray[np.uint8], files: NDArray[np.int64], tokenisation: Tokenisation
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """(bounds int64[files + 1], shingle sets of `files`): the texts are gathered a portion at a time."""
    from starloom.kernels.shingles import shingle_sets

    sizes = offsets[files + 1] - offsets[files]
    ends = np.cumsum(sizes)
    bounds = np.zeros(len(files) + 1, dtype=np.int64)
    sets = np.empty(0, dtype=np.uint64)
    with progress.task("shingle candidates", int(ends[-1]), "bytes") as bar:
        start = 0
        while start < len(files):
            before = int(ends[start] - sizes[start])
            end = max(int(np.searchsorted(ends, before + _BYTES, side="right")), start + 1)
            packed = np.concatenate([[0], ends[start:end] - before])
            text = np.empty(packed[-1], dtype=np.uint8)
            for file, at, size in zip(files[start:end].tolist(), packed.tolist(), sizes[start:end].tolist()):
                text[at : at + size] = data[offsets[file] : offsets[file] + size]
            some_bounds, some = shingle_sets(packed, text, tokenisation)
            bounds[start + 1 : end + 1] = bounds[start] + some_bounds[1:]
            sets.resize(int(bounds[end]), refcheck=False)  # grows in place where the system can: no second copy
            sets[bounds[start] :] = some
            bar.advance(len(text))
            start = end
    return bounds, sets
