"""Compiling every kernel before it is needed.

Processes that start cold each compile for themselves (Numba's cache takes no lock): call `warm()` once in the
parent, before the workers start, unless `is_warm()`. Cost: some seconds the first time on a machine, about a
second later; to ask `is_warm` costs a millisecond and no Numba.
"""

import hashlib
import platform
import sys
import time
from pathlib import Path

from starloom.kernels.cache import cache_folder


def _mark() -> Path:
    """The file that says that this Python on this kind of CPU has compiled everything."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = [platform.processor()]
    told = sorted({line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))})
    digest = hashlib.sha256("\n".join([sys.version, platform.machine(), *told]).encode()).hexdigest()[:16]
    return cache_folder() / f"warm-{digest}"


def is_warm() -> bool:
    """Whether `warm` has run here before, so that every process finds the kernels compiled."""
    return _mark().exists()


def warm() -> float:
    """Compile every kernel, or load it from the cache, by a tiny input. Returns the seconds it took."""
    started = time.perf_counter()
    import numpy as np

    from starloom.kernels import (
        fold,
        lexical,
        lexical_rules,
        lines,
        markup,
        minhash,
        ngrams,
        pairs,
        runs,
        shape,
        shingles,
        stars,
        stretches,
        texture,
        tiles,
    )

    text = "one two three four five six é\n".encode()
    offsets = np.array([0, len(text), 2 * len(text)], dtype=np.int64)
    data = np.frombuffer(text * 2, dtype=np.uint8)
    lines.line_statistics(offsets, data)
    runs.encoded_runs(offsets, data)
    shape.shape(offsets, data)
    markup.visible_bytes(offsets, data)
    texture.texture(offsets, data)
    ngrams.margins(offsets, data, np.zeros(1 << 10, np.float32), 1)
    syntax = lexical_rules.Syntax((lexical_rules.Rule(lexical_rules.COMMENT, b"#"),))
    lexical.lexical_counts(offsets, data, np.zeros(2, np.int32), lexical_rules.pack([syntax]))
    shingles.token_counts_and_stream_hash(offsets, data)
    set_offsets, sets = shingles.shingle_sets(offsets, data)
    signatures, _, _ = minhash.signatures(offsets, data)
    minhash.band_hashes(signatures, 50, 5)
    one, two = np.array([0], dtype=np.int64), np.array([1], dtype=np.int64)
    pairs.jaccard(set_offsets, sets, one, two, 0.7)
    stars.greedy_stars(np.array([0, 1], dtype=np.int64), np.array([0, 1, 2], dtype=np.int64), two.repeat(2), np.ones(2))
    bounds, folded = fold.fold(np.array([0, 2 * len(text)], dtype=np.int64), data)
    fold.fold_with_map(data)
    _, hashes = tiles.tile_hashes(bounds, folded)
    starts = np.searchsorted(hashes >> np.uint64(63), np.arange(3)).astype(np.uint32)
    table = tiles.Table(
        1, tiles.filter_words(hashes, 1, 0, 2), starts, tiles.tags_of(hashes, 1), np.zeros(1, np.uint32)
    )
    found = tiles.look_up(folded, table, 1)
    tiles.run_end(table, 0, 1)
    grown = stretches.grown(folded, bounds, folded, one, found.offsets, one)
    stretches.trimmed(folded, grown)
    stretches.chosen(grown.start, grown.end, len(folded), 1)
    _mark().touch()
    return time.perf_counter() - started
