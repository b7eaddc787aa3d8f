"""Tokens and shingles: what two files have in common, word by word.

A shingle is five tokens in a row, as a 64-bit hash. What a token is has a name:

- "words": lower-case each character, split at whatever `\\W` of Python's `re` matches, drop the empties. Exactly
  `re.findall(r"\\w+", "".join(c.lower() for c in text))`.
- "text-dedup": the same of `text.lower()`, which differs at a word-final Greek sigma only. The n-grams of text-dedup
  with `ngram_size = 5` (its minhash.py of March 2026).
- "bigcode-v2": `re.split(r"\\W", text.lower())`, empties kept: four spaces make three empty tokens. The n-grams of The
  Stack v2 (bigcode-dataset, near_deduplication/bigcode-v2/intra_dedup.py), before its 32-bit hash of them.

All in Unicode 14.0.0, whatever Python runs. Files of fewer than five tokens have no shingle, hence no twin (BigCode's
script gives all of those one signature, so it keeps one of them; text-dedup drops them).

Cost: about 540 MB/s to hash, about 165 MB/s with sorting (bench/kernels.py); "bigcode-v2" is slower by what
the empties add. Sorting is NumPy's: Numba's own `np.sort` is slower.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.cache import kernel, leaf
from starloom.kernels.code_points import LOWER, WORD, properties
from starloom.kernels.decoding import code_point, mix
from starloom.kernels.sigma import with_final_sigmas
from starloom.kernels.text import Int64s, UInt8s, UInt64s, checked
from starloom.kernels.words import SEED_1, SEED_2, STREAM_1, STREAM_2, TOKEN_1, TOKEN_2, room, word_hashes

SHINGLE = 5  # tokens
TOKENISATIONS = ("words", "bigcode-v2", "text-dedup")

_C0, _C1, _C2 = np.uint64(0x510E527FADE682D1), np.uint64(0x9B05688C2B3E6C1F), np.uint64(0x1F83D9ABFB41BD6B)
_C3, _C4 = np.uint64(0x5BE0CD19137E2179), np.uint64(0xCBBB9D5DC1059ED9)
_RUN = np.uint64(0x8EB44A8768581511)
_ZERO = np.uint64(0)
_EMPTY = np.uint64(0x05541C2D6963E871)  # mix(SEED_1): the empty token

_LOWER, _WORD = np.uint32(LOWER), np.uint32(WORD)
_DOTTED_I, _I = np.uint64(0x130), np.uint64(ord("i"))


def prepared(offsets: Int64s, data: UInt8s, tokenisation: str) -> tuple[Int64s, UInt8s, bool]:
    """(offsets, data, whether empty tokens count) as the loops below take them. ValueError for an unknown name."""
    if tokenisation not in TOKENISATIONS:
        raise ValueError(f"tokenisation {tokenisation!r} is none of {', '.join(TOKENISATIONS)}")
    offsets, data = checked(offsets, data)
    if tokenisation != "words":
        offsets, data = with_final_sigmas(offsets, data)
    return offsets, data, tokenisation == "bigcode-v2"


def token_counts_and_stream_hash(
    offsets: Int64s, data: UInt8s, tokenisation: str = "words"
) -> tuple[NDArray[np.int32], UInt64s]:
    """(tokens int32[n], stream uint64[n, 2]): files of the same tokens in the same order share a stream. With "words"
    those are files equal but for case, white space and punctuation.

    The stream is two 64-bit hashes of the token sequence, which share no step.
    """
    offsets, data, empties = prepared(offsets, data, tokenisation)
    tokens, stream = _count_tokens(offsets, data, properties(), empties)
    return tokens, stream


def shingle_sets(offsets: Int64s, data: UInt8s, tokenisation: str = "words") -> tuple[Int64s, UInt64s]:
    """(set_offsets int64[n + 1], shingles uint64[]): each file's shingle hashes, sorted, each once.

    Memory: up to 4 bytes of address space (with empties 8) for each byte of text while it runs; about 1.5 of them are
    touched.
    """
    offsets, data, empties = prepared(offsets, data, tokenisation)
    bounds, found = _shingle_batch(offsets, data, properties(), empties)
    for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist()):
        found[start:end].sort()
    set_offsets = _unique_in_place(bounds, found)
    return set_offsets, found[: set_offsets[-1]].copy()


@leaf
def shingle_file(data: Any, start: int, end: int, table: Any, room: Any, out: Any, out_at: int) -> tuple[int, Any, Any]:
    """Write the file's shingle hashes, in order, to out[out_at:], where there is room for a number a token; returns
    (tokens, two stream hashes). `room`: of `words.room()`."""
    tokens, s1, s2 = word_hashes(data, start, end, table, room, out, out_at)
    here = out[out_at : out_at + tokens]
    for k in range(tokens):
        here[k] = mix(here[k])
    for k in range(tokens - SHINGLE + 1):
        here[k] = mix(here[k] * _C0 + here[k + 1] * _C1 + here[k + 2] * _C2 + here[k + 3] * _C3 + here[k + 4] * _C4)
    return tokens, s1, s2


@leaf
def shingle_file_with_empties(data: Any, start: int, end: int, table: Any, out: Any, out_at: int) -> Any:
    """The same where every character that is none of a word ends a token, an empty one too.

    Returns (tokens, shingles written, two stream hashes). Empties stand in long runs, as indentation: of such a run the
    one shingle that it holds is written once only, and the stream takes their number instead of each.
    """
    tokens, written = 0, 0
    empties = 0  # in a row, up to here
    s1, s2 = SEED_1, SEED_2
    t0, t1, t2, t3 = _ZERO, _ZERO, _ZERO, _ZERO
    p = start
    more = True  # the last token ends with the file
    while more:
        h1, h2 = SEED_1, SEED_2
        empty = True
        more = False
        while p < end:
            if data[p] < 0x80:
                point = np.uint64(data[p])
                p += 1
            else:
                point, p = code_point(data, p, end)
            value = table[point]
            if not value & _WORD:
                more = True
                break
            empty = False
            lower = np.uint64(value & _LOWER)
            if point == _DOTTED_I:
                lower = _I
            h1 = (h1 ^ lower) * TOKEN_1
            h2 = (h2 ^ lower) * TOKEN_2
            if point == _DOTTED_I:
                more = True
                break
        tokens += 1
        if empty:
            empties += 1
            if empties > 5:
                continue  # t0 to t3 are what they were
            t4 = _EMPTY
        else:
            t4 = mix(h1)
            run = np.uint64(empties) * _RUN
            s1 = mix((s1 ^ (h1 + run)) * STREAM_1)
            s2 = mix((s2 ^ (h2 + run)) * STREAM_2)
            empties = 0
        if tokens >= 5:
            out[out_at + written] = mix(t0 * _C0 + t1 * _C1 + t2 * _C2 + t3 * _C3 + t4 * _C4)
            written += 1
        t0, t1, t2, t3 = t1, t2, t3, t4
    if empties:
        run = np.uint64(empties) * _RUN
        s1 = mix((s1 ^ (SEED_1 + run)) * STREAM_1)
        s2 = mix((s2 ^ (SEED_2 + run)) * STREAM_2)
    return tokens, written, s1, s2


@leaf
def most_shingles(size: int, empties: bool) -> int:
    """No file of so many bytes has more: words take a byte each and one between them, empties one in all."""
    return size + 1 if empties else size // 2 + 1


@leaf
def longest_file(offsets: Any) -> int:
    """Bytes of the longest file."""
    longest = 0
    for i in range(len(offsets) - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    return longest


@kernel
def _count_tokens(offsets: Any, data: Any, table: Any, empties: bool) -> Any:
    n = len(offsets) - 1
    tokens = np.zeros(n, dtype=np.int32)
    stream = np.zeros((n, 2), dtype=np.uint64)
    found = np.empty(most_shingles(longest_file(offsets), empties), dtype=np.uint64)
    work = room()
    for i in range(n):
        if empties:
            count, _, one, two = shingle_file_with_empties(data, offsets[i], offsets[i + 1], table, found, 0)
        else:
            count, one, two = shingle_file(data, offsets[i], offsets[i + 1], table, work, found, 0)
        tokens[i], stream[i, 0], stream[i, 1] = count, one, two
    return tokens, stream


@kernel
def _shingle_batch(offsets: Any, data: Any, table: Any, empties: bool) -> Any:
    n = len(offsets) - 1
    bounds = np.zeros(n + 1, dtype=np.int64)
    found = np.empty(most_shingles(offsets[n] - offsets[0], empties) + n, dtype=np.uint64)
    work = room()
    for i in range(n):
        if empties:
            _, size, _, _ = shingle_file_with_empties(data, offsets[i], offsets[i + 1], table, found, bounds[i])
        else:
            tokens, _, _ = shingle_file(data, offsets[i], offsets[i + 1], table, work, found, bounds[i])
            size = max(tokens - 4, 0)
        bounds[i + 1] = bounds[i] + size
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
