"""Compiling every kernel before it is needed.

Processes that start cold each compile for themselves (Numba's cache takes no lock): call `warm()` once in the
parent, before the workers start. Cost: some seconds the first time on a machine, about a second later.
"""

import time


def warm() -> float:
    """Compile every kernel, or load it from the cache, by a tiny input. Returns the seconds it took."""
    started = time.perf_counter()
    import numpy as np

    from starloom.kernels import lines, minhash, pairs, shingles, stars

    text = "one two three four five six é\n".encode()
    offsets = np.array([0, len(text), 2 * len(text)], dtype=np.int64)
    data = np.frombuffer(text * 2, dtype=np.uint8)
    lines.line_statistics(offsets, data)
    shingles.token_counts_and_stream_hash(offsets, data)
    set_offsets, sets = shingles.shingle_sets(offsets, data)
    signatures, _, _ = minhash.signatures(offsets, data)
    minhash.band_hashes(signatures, 50, 5)
    one, two = np.array([0], dtype=np.int64), np.array([1], dtype=np.int64)
    pairs.jaccard(set_offsets, sets, one, two, 0.7)
    stars.greedy_stars(np.array([0, 1], dtype=np.int64), np.array([0, 1, 2], dtype=np.int64), two.repeat(2), np.ones(2))
    return time.perf_counter() - started
