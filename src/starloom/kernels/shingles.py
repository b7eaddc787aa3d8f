"""Tokens and shingles: what two files have in common, word by word.

The tokenisation "words": lower-case each character, split at whatever `\\W` of Python's `re` matches, drop
the empties (text-dedup's way; BigCode's keeps the empties, which gives other sets). A shingle is five tokens
in a row, as a 64-bit hash. Exactly `re.findall(r"\\w+", "".join(c.lower() for c in text))` in Unicode 14.0.0;
`text.lower()` differs from it only at a word-final Greek sigma.

Files of fewer than five tokens have no shingle, hence no twin. Cost: about 215 MB/s to hash, about 150 MB/s
with sorting (one core with AVX2; bench/kernels.py). Sorting is NumPy's: Numba's own `np.sort` is slower.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.cache import kernel
from starloom.kernels.code_points import LOWER, WORD, properties
from starloom.kernels.decoding import code_point, mix
from starloom.kernels.text import Int64s, UInt8s, UInt64s, checked

SHINGLE = 5  # tokens

# Odd numbers without a pattern (the fraction of the square roots of 2, 3, 5 …, last bit set).
_TOKEN_1, _TOKEN_2 = np.uint64(0x6A09E667F3BCC909), np.uint64(0xBB67AE8584CAA73B)
_STREAM_1, _STREAM_2 = np.uint64(0x3C6EF372FE94F82B), np.uint64(0xA54FF53A5F1D36F1)
_C0, _C1, _C2 = np.uint64(0x510E527FADE682D1), np.uint64(0x9B05688C2B3E6C1F), np.uint64(0x1F83D9ABFB41BD6B)
_C3, _C4 = np.uint64(0x5BE0CD19137E2179), np.uint64(0xCBBB9D5DC1059ED9)
_SEED_1, _SEED_2 = np.uint64(0x629A292A367CD507), np.uint64(0x9159015A3070DD17)
_ZERO = np.uint64(0)

_LOWER, _WORD = np.uint32(LOWER), np.uint32(WORD)
_DOTTED_I, _I = np.uint64(0x130), np.uint64(ord("i"))


def token_counts_and_stream_hash(offsets: Int64s, data: UInt8s) -> tuple[NDArray[np.int32], UInt64s]:
    """(tokens int32[n], stream uint64[n, 2]): files equal but for case, white space and punctuation share a
    stream.

    The stream is two 64-bit hashes of the token sequence, which share no step.
    """
    offsets, data = checked(offsets, data)
    tokens, stream = _count_tokens(offsets, data, properties())
    return tokens, stream


def shingle_sets(offsets: Int64s, data: UInt8s) -> tuple[Int64s, UInt64s]:
    """(set_offsets int64[n + 1], shingles uint64[]): each file's shingle hashes, sorted, each once.

    Memory: up to 4 bytes of address space for each byte of text while it runs; about 1.5 of them are touched.
    """
    offsets, data = checked(offsets, data)
    bounds, found = _shingle_batch(offsets, data, properties())
    for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist()):
        found[start:end].sort()
    set_offsets = _unique_in_place(bounds, found)
    return set_offsets, found[: set_offsets[-1]].copy()


@kernel
def shingle_file(data: Any, start: int, end: int, table: Any, out: Any, out_at: int) -> tuple[int, Any, Any]:
    """Write the file's shingle hashes, in order, to out[out_at:]; returns (tokens, two stream hashes)."""
    tokens = 0
    s1, s2 = _SEED_1, _SEED_2
    t0, t1, t2, t3 = _ZERO, _ZERO, _ZERO, _ZERO
    p = start
    while p < end:
        h1, h2 = _SEED_1, _SEED_2
        begin = p
        after = p  # where the token ends; `begin` if there is none here
        while p < end:
            if data[p] < 0x80:
                point = np.uint64(data[p])
                p += 1
            else:
                point, p = code_point(data, p, end)
            value = table[point]
            if not value & _WORD:
                break
            after = p
            lower = np.uint64(value & _LOWER)
            if point == _DOTTED_I:
                lower = _I
            h1 = (h1 ^ lower) * _TOKEN_1
            h2 = (h2 ^ lower) * _TOKEN_2
            if point == _DOTTED_I:  # its lower-case form is "i" and a combining dot, which ends the token
                break
        if after == begin:
            continue
        t4 = mix(h1)
        s1 = mix((s1 ^ h1) * _STREAM_1)
        s2 = mix((s2 ^ h2) * _STREAM_2)
        tokens += 1
        if tokens >= 5:
            out[out_at] = mix(t0 * _C0 + t1 * _C1 + t2 * _C2 + t3 * _C3 + t4 * _C4)
            out_at += 1
        t0, t1, t2, t3 = t1, t2, t3, t4
    return tokens, s1, s2


@kernel
def longest_file(offsets: Any) -> int:
    """Bytes of the longest file."""
    longest = 0
    for i in range(len(offsets) - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    return longest


@kernel
def _count_tokens(offsets: Any, data: Any, table: Any) -> Any:
    n = len(offsets) - 1
    tokens = np.zeros(n, dtype=np.int32)
    stream = np.zeros((n, 2), dtype=np.uint64)
    found = np.empty(longest_file(offsets) // 2 + 1, dtype=np.uint64)
    for i in range(n):
        count, stream[i, 0], stream[i, 1] = shingle_file(data, offsets[i], offsets[i + 1], table, found, 0)
        tokens[i] = count
    return tokens, stream


@kernel
def _shingle_batch(offsets: Any, data: Any, table: Any) -> Any:
    n = len(offsets) - 1
    bounds = np.zeros(n + 1, dtype=np.int64)
    # k bytes hold at most (k + 1) // 2 tokens
    found = np.empty((offsets[n] - offsets[0]) // 2 + n, dtype=np.uint64)
    for i in range(n):
        tokens, _, _ = shingle_file(data, offsets[i], offsets[i + 1], table, found, bounds[i])
        bounds[i + 1] = bounds[i] + max(tokens - 4, 0)
    return bounds, found


@kernel
def _unique_in_place(bounds: Any, found: Any) -> Any:
    """Keep one of each value of each sorted slice, moved to the front; returns the new bounds."""
    n = len(bounds) - 1
    kept = np.zeros(n + 1, dtype=np.int64)
    at = 0
    for i in range(n):
        for k in range(bounds[i], bounds[i + 1]):
            if k == bounds[i] or found[k] != found[k - 1]:
                found[at] = found[k]
                at += 1
        kept[i + 1] = at
    return kept
