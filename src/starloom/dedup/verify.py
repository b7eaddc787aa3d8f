"""Exact verification: the Jaccard similarity of candidate pairs, from their texts.

Shingle sets are made again here rather than kept for all files: re-making them for the candidates only is
cheaper than storing them. Cost: about 150 MB/s for the sets, then about 1 M pairs/s.
"""

import numpy as np
from numpy.typing import NDArray


def verify(
    offsets: NDArray[np.int64],
    data: NDArray[np.uint8],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    floor: float,
) -> NDArray[np.float64]:
    """float64[m]: the exact similarity of files left[k] and right[k] wherever it is at least `floor`, else
    -1.0.

    Only the files that some pair names are shingled.
    """
    from starloom.kernels import pairs, shingles

    offsets = np.asarray(offsets, dtype=np.int64)
    if len(left) == 0:
        return np.zeros(0, dtype=np.float64)
    touched, places = np.unique(np.concatenate([left, right]), return_inverse=True)
    if touched[0] < 0 or touched[-1] >= len(offsets) - 1:
        raise ValueError("a pair names a file that is not there")
    sizes = offsets[touched + 1] - offsets[touched]
    packed = np.zeros(len(touched) + 1, dtype=np.int64)
    np.cumsum(sizes, out=packed[1:])
    text = np.empty(packed[-1], dtype=np.uint8)
    for file, at in zip(touched.tolist(), packed.tolist()):
        source = data[offsets[file] : offsets[file + 1]]
        text[at : at + len(source)] = source
    set_offsets, sets = shingles.shingle_sets(packed, text)
    return pairs.jaccard(set_offsets, sets, places[: len(left)], places[len(left) :], floor)
