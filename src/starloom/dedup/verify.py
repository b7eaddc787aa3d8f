"""Exact verification: the Jaccard similarity of candidate pairs, from their texts.

Shingle sets are made again here rather than kept for all files: re-making them for the candidates only is
cheaper than storing them. Cost: about 180 MB/s for the sets, then about 1 M pairs/s. Memory: the sets of the files that
some pair names, 8 bytes a shingle (about as much as their texts), and some 200 MB.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from starloom import progress
from starloom.dedup.signature import Tokenisation

_BYTES = 1 << 25  # of text that is shingled at a time
_PAIRS = 1 << 18  # compared at a time

Piece: TypeAlias = tuple[NDArray[np.int64], NDArray[np.uint8]]  # (offsets, data) of some files


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
    return verify_pieces([(np.asarray(offsets, dtype=np.int64), data)], left, right, floor, tokenisation)


def verify_pieces(
    pieces: Sequence[Piece],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    floor: float,
    tokenisation: Tokenisation = "words",
) -> NDArray[np.float64]:
    """The same of files that lie in several buffers, numbered on from one to the next."""
    from starloom.kernels import pairs

    if len(left) == 0:
        return np.zeros(0, dtype=np.float64)
    touched = np.unique(np.concatenate([left, right]))
    if touched[0] < 0 or touched[-1] >= sum(len(offsets) - 1 for offsets, _ in pieces):
        raise ValueError("a pair names a file that is not there")
    bounds, sets = _shingled(pieces, touched, tokenisation)
    result = np.empty(len(left), dtype=np.float64)
    with progress.task("verify pairs", len(left), "pairs") as bar:
        for start in range(0, len(left), _PAIRS):
            some = slice(start, start + _PAIRS)
            one, two = np.searchsorted(touched, left[some]), np.searchsorted(touched, right[some])
            result[some] = pairs.jaccard(bounds, sets, one, two, floor)
            bar.advance(len(one))
    return result


def _shingled(
    pieces: Sequence[Piece], files: NDArray[np.int64], tokenisation: Tokenisation
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """(bounds int64[files + 1], shingle sets of `files`): the texts are gathered a portion at a time."""
    from starloom.kernels.shingles import shingle_sets

    firsts = np.cumsum([0, *(len(offsets) - 1 for offsets, _ in pieces)])
    piece_of = np.searchsorted(firsts, files, side="right") - 1
    starts, sizes = np.empty(len(files), dtype=np.int64), np.empty(len(files), dtype=np.int64)
    for number in np.unique(piece_of).tolist():
        here = piece_of == number
        offsets = pieces[number][0]
        rows = files[here] - firsts[number]
        starts[here], sizes[here] = offsets[rows], offsets[rows + 1] - offsets[rows]
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
            some_files = zip(*(one[start:end].tolist() for one in (piece_of, starts, sizes)), packed.tolist())
            for piece, first, size, at in some_files:
                text[at : at + size] = pieces[piece][1][first : first + size]
            some_bounds, some = shingle_sets(packed, text, tokenisation)
            bounds[start + 1 : end + 1] = bounds[start] + some_bounds[1:]
            sets.resize(int(bounds[end]), refcheck=False)  # grows in place where the system can: no second copy
            sets[bounds[start] :] = some
            bar.advance(len(text))
            start = end
    return bounds, sets
