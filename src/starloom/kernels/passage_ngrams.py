"""Which of many passages stand in which texts nearly: those of which enough runs of `n` words are there.

A word is ASCII letters, digits, "_" and whatever lies beyond ASCII but white space, its ASCII letters in lower case;
escapes are white space (see `kernels/squeeze`), punctuation only separates. So a copy is found whose comments are set
otherwise, whose names differ here and there. Runs are told apart by 64-bit hashes, and nothing is compared: of a
passage with one run a hash decides. Cost: 170 MB/s with 500,000 runs on a shared core; memory: some 40 bytes a run.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.cache import kernel
from starloom.kernels.decoding import filter_mask, mix
from starloom.kernels.passages import Lookup, lookup
from starloom.kernels.squeeze import skipped
from starloom.kernels.text import Int64s, UInt8s, UInt64s, checked, frozen
from starloom.kernels.windows import extended, leaving_power, rolled

LONGEST = 100  # words of a run

_64, _ZERO = np.uint64(64), np.uint64(0)
_SEPARATOR, _UNUSUAL = 0, 256  # _UNUSUAL: with what follows it may be white space


def _letters() -> NDArray[np.uint16]:
    """What each byte counts in a word: itself, in lower case."""
    letters = np.zeros(256, dtype=np.uint16)
    for one in range(0x80):
        if chr(one).isalnum() or one == ord("_"):
            letters[one] = ord(chr(one).lower())
    letters[0x80:] = np.arange(0x80, 0x100)
    letters[[ord("\\"), 0xC2, 0xE1, 0xE2, 0xE3, 0xEF]] = _UNUSUAL
    return letters


_LETTERS = _letters()


class PassageNGrams(NamedTuple):
    """Distinct runs, and for each of them the passages that have it: passage[first[r]:first[r + 1]]."""

    n: int
    lookup: Lookup
    first: Int64s
    passage: Int64s
    runs: Int64s  # [passages], the distinct runs of each; 0: it has fewer than n words
    needed: Int64s  # [passages], how many of them a text must have


class FoundNearly(NamedTuple):
    """A row for each passage of each text: from the first byte of its first run there to behind the last one's last;
    `runs`: how many of its distinct ones the text has."""

    text: Int64s
    passage: Int64s
    start: Int64s
    end: Int64s
    runs: Int64s


def passage_ngrams(texts: Sequence[bytes], n: int, share: float) -> PassageNGrams:
    """The table of some passages as they are written; `share` of the distinct runs of one must be found.

    Raises ValueError for n outside 1 to 100 and a share that is not above 0 and at most 1.
    """
    if not 1 <= n <= LONGEST or not 0 < share <= 1:
        raise ValueError(f"runs of {n} words, a share of {share}")
    sizes = np.array([len(one) for one in texts], dtype=np.int64)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)])
    data = np.frombuffer(b"".join(texts), dtype=np.uint8)
    bounds, hashes = run_hashes(offsets, data, n)
    pairs = np.empty(len(hashes), dtype=[("hash", np.uint64), ("passage", np.int64)])
    pairs["hash"], pairs["passage"] = hashes, np.repeat(np.arange(len(texts)), np.diff(bounds))
    pairs = np.unique(pairs)
    distinct, first = np.unique(pairs["hash"], return_index=True)
    runs = np.bincount(pairs["passage"], minlength=len(texts)).astype(np.int64)
    needed = np.maximum(np.ceil(runs * share - 1e-9), 1).astype(np.int64)
    first = np.append(first, len(pairs)).astype(np.int64)
    return PassageNGrams(n, lookup(distinct), first, pairs["passage"].copy(), runs, needed)


def run_hashes(offsets: Int64s, data: UInt8s, n: int) -> tuple[Int64s, UInt64s]:
    """(bounds int64[texts + 1], hashes uint64[]): of every run of n words of each text, in order."""
    offsets, data = checked(offsets, data)
    out = np.empty(int(offsets[-1] - offsets[0] + 1) // 2 + len(offsets), dtype=np.uint64)
    bounds = _run_hashes(offsets, data, n, leaving_power(n), out)
    return bounds, out[: bounds[-1]].copy()


def find_nearly(offsets: Int64s, data: UInt8s, table: PassageNGrams) -> FoundNearly:
    """The passages of which each text has enough runs."""
    offsets, data = checked(offsets, data)
    found = _find(
        offsets,
        data,
        table.n,
        leaving_power(table.n),
        table.lookup.bits,
        frozen(table.lookup.filter, np.uint64),
        frozen(table.lookup.hashes, np.uint64),
        frozen(table.lookup.starts, np.int64),
        frozen(table.first, np.int64),
        frozen(table.passage, np.int64),
        frozen(table.needed, np.int64),
    )
    return FoundNearly(*(row.copy() for row in found))


@kernel
def _next_word(data: Any, p: int, end: int) -> Any:
    """(hash, start, end) of the first word at or after byte `p`; an empty one at the end of the text."""
    while p < end:
        letter = _LETTERS[data[p]]
        if letter == _SEPARATOR:
            p += 1
        elif letter < _UNUSUAL:
            break
        else:
            after = skipped(data, p, end)
            if after == p:
                break
            p = after
    start = p
    h = _ZERO
    while p < end:
        letter = _LETTERS[data[p]]
        if letter == _SEPARATOR:
            break
        if letter == _UNUSUAL:
            if skipped(data, p, end) > p:
                break
            letter = np.uint16(data[p])
        h = extended(h, letter)
        p += 1
    return mix(h), start, p


@kernel
def _run_hashes(offsets: Any, data: Any, n: int, power: Any, out: Any) -> Any:
    bounds = np.zeros(len(offsets), dtype=np.int64)
    words = np.empty(n, dtype=np.uint64)
    at = 0
    for i in range(len(offsets) - 1):
        p, end = offsets[i], offsets[i + 1]
        h, count = _ZERO, 0
        while True:
            word, start, p = _next_word(data, p, end)
            if start == p:
                break
            slot = count % n
            h = extended(h, word) if count < n else rolled(h, word, words[slot], power)
            words[slot] = word
            count += 1
            if count >= n:
                out[at] = mix(h)
                at += 1
        bounds[i + 1] = at
    return bounds


@kernel
def _find(
    offsets: Any,
    data: Any,
    n: int,
    power: Any,
    bits: int,
    filter_: Any,
    hashes: Any,
    starts: Any,
    first: Any,
    passage: Any,
    needed: Any,
) -> Any:
    shift = _64 - np.uint64(bits)
    found = np.empty((5, 64), dtype=np.int64)
    count = 0
    words, begins = np.empty(n, dtype=np.uint64), np.empty(n, dtype=np.int64)
    last = np.full(len(hashes), -1, dtype=np.int64)  # the last text in which a run was found
    seen = np.zeros((3, len(needed)), dtype=np.int64)  # of this text: runs, start, end of each passage
    touched = np.empty(len(needed), dtype=np.int64)
    for i in range(len(offsets) - 1):
        p, end = offsets[i], offsets[i + 1]
        h, number, touches = _ZERO, 0, 0
        while True:
            word, start, p = _next_word(data, p, end)
            if start == p:
                break
            slot = number % n
            h = extended(h, word) if number < n else rolled(h, word, words[slot], power)
            words[slot], begins[slot] = word, start
            number += 1
            if number < n:
                continue
            mixed = mix(h)
            bucket = np.int64(mixed >> shift)
            mask = filter_mask(mixed)
            if filter_[bucket] & mask != mask:
                continue
            for run in range(starts[bucket], starts[bucket + 1]):
                if hashes[run] != mixed or last[run] == i:
                    continue
                last[run] = i
                for e in range(first[run], first[run + 1]):
                    k = passage[e]
                    if seen[0, k] == 0:
                        touched[touches] = k
                        touches += 1
                        seen[1, k] = begins[number % n] - offsets[i]
                    seen[0, k] += 1
                    seen[2, k] = p - offsets[i]
        for t in range(touches):
            k = touched[t]
            if seen[0, k] >= needed[k]:
                if count == found.shape[1]:
                    more = np.empty((5, 2 * count), dtype=np.int64)
                    more[:, :count] = found
                    found = more
                found[0, count], found[1, count] = i, k
                found[2, count], found[3, count], found[4, count] = seen[1, k], seen[2, k], seen[0, k]
                count += 1
            seen[0, k] = 0
    return found[:, :count]
