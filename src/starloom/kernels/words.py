"""The words of a text, each as two hashes: the first half of a shingle's way, for the tokenisation "words" (see
kernels.shingles, which says what a word is).

A word's hashes take its lower-case characters one after the other, and words are short: a loop over characters spends
its time on branches that no CPU foresees. So a text is taken in blocks, and a block in steps that are the same for
whatever it says: lower case, zero for what is of no word; where words begin and end, from bits; the first eight bytes
of each word as one number; and those hashed for all words at once, which the compiler vectorises. Only what is left is
looked at by itself: longer words, and those with characters beyond ASCII.

Cost: about 540 MB/s.
"""

from typing import Any

import numpy as np

from starloom.kernels.cache import kernel, leaf
from starloom.kernels.code_points import LOWER, WORD
from starloom.kernels.decoding import code_point, mix
from starloom.kernels.swar import eight
from starloom.kernels.vectors import equal, lowest

# Odd numbers without a pattern (the fraction of the square roots of 2, 3, 5 …, last bit set).
TOKEN_1, TOKEN_2 = np.uint64(0x6A09E667F3BCC909), np.uint64(0xBB67AE8584CAA73B)
STREAM_1, STREAM_2 = np.uint64(0x3C6EF372FE94F82B), np.uint64(0xA54FF53A5F1D36F1)
SEED_1, SEED_2 = np.uint64(0x629A292A367CD507), np.uint64(0x9159015A3070DD17)

BLOCK = 1 << 13  # bytes: what the steps leave for each other stays near the CPU

_LOWER, _WORD = np.uint32(LOWER), np.uint32(WORD)
_DOTTED_I, _I = np.uint64(0x130), np.uint64(ord("i"))
_BEYOND = np.uint8(0x80)  # from here on a byte is of no ASCII character
_A, _0, _LINE, _CASE = np.uint8(ord("a")), np.uint8(ord("0")), np.uint8(ord("_")), np.uint8(0x20)
_26, _10 = np.uint8(26), np.uint8(10)
_ZERO, _ONE, _8, _63, _BYTE = (np.uint64(one) for one in (0, 1, 8, 63, 0xFF))
_TOP_BITS = np.uint64(0x8080808080808080)


@kernel
def room() -> Any:
    """What `word_hashes` works in, to be used again."""
    most = BLOCK // 2 + 1  # words in a block
    return (
        np.zeros(BLOCK + 128, dtype=np.uint8),
        np.empty(2 * most, dtype=np.int32),
        np.empty((3, most), dtype=np.uint64),
    )


@leaf
def word_hashes(data: Any, start: int, end: int, table: Any, room: Any, out: Any, out_at: int) -> tuple[int, Any, Any]:
    """Write the first hash of each word of data[start:end] to out[out_at:]; returns (words, two hashes of their
    stream). `room`: of `room()`."""
    low, edges, rows = room
    firsts, one, two = rows[0], rows[1], rows[2]
    at = out_at
    s1, s2 = SEED_1, SEED_2
    p = start
    while p < end:
        size = min(end - p, BLOCK)
        _fold(data[p : p + size], low)
        low[size : size + 64] = 0
        words = _edges(low, size, edges)
        _first_bytes(low, edges, words, firsts)
        _hash_first_bytes(firsts[:words], one, two)
        reached = p  # one by one
        for k in range(words):
            first, last = edges[2 * k], edges[2 * k + 1]
            if p + first < reached:  # never in valid UTF-8: a character has swallowed what parts two words
                continue
            h1, h2 = one[k], two[k]
            simple = not firsts[k] & _TOP_BITS and (last < size or p + size == end)
            if simple and last - first > 8:
                for q in range(first + 8, last):
                    simple = simple and low[q] < _BEYOND
                    h1 = (h1 ^ np.uint64(low[q])) * TOKEN_1
                    h2 = (h2 ^ np.uint64(low[q])) * TOKEN_2
            if simple:
                out[at] = h1
                at += 1
                s1 = mix((s1 ^ h1) * STREAM_1)
                s2 = mix((s2 ^ h2) * STREAM_2)
            else:
                reached, at, s1, s2 = _one_by_one(data, p + first, end, table, out, at, s1, s2)
        p = max(p + size, reached)
    return at - out_at, s1, s2


@leaf
def _fold(text: Any, low: Any) -> None:
    """Lower case; 0 for ASCII characters of no word; other bytes as they are."""
    for i in range(len(text)):
        byte = text[i]
        letter = np.uint8(byte | _CASE)
        is_letter = np.uint8(letter - _A) < _26
        as_it_is = (np.uint8(byte - _0) < _10) | (byte == _LINE) | (byte >= _BEYOND)
        low[i] = letter if is_letter else (byte if as_it_is else np.uint8(0))


@leaf
def _edges(low: Any, size: int, edges: Any) -> Any:
    """Write where each run of bytes other than 0 begins and ends in low[:size], behind which are 64 zeros; returns how
    many runs there are."""
    count = _ZERO
    before = _ZERO
    for base in range(0, size + 1, 64):
        bits = ~equal(low, base, 0)
        turns = bits ^ ((bits << _ONE) | before)
        before = bits >> _63
        while turns:
            edges[count] = base + lowest(turns)
            count += _ONE
            turns &= turns - _ONE
    return np.int64(count >> _ONE)


@leaf
def _first_bytes(low: Any, edges: Any, words: int, firsts: Any) -> None:
    """The first eight bytes of each word as one number, 0 where it is shorter."""
    for k in range(words):
        first = np.int64(edges[2 * k])
        size = np.uint64(edges[2 * k + 1] - first)
        drop = _8 * (_8 - min(size, _8))
        firsts[k] = (eight(low, first) << drop) >> drop


@leaf
def _hash_first_bytes(firsts: Any, one: Any, two: Any) -> None:
    """The hashes of each word so far as its first bytes go: a byte of all words at a time."""
    for k in range(len(firsts)):
        one[k], two[k] = SEED_1, SEED_2
    for j in range(8):
        shift = np.uint64(8 * j)
        for k in range(len(firsts)):
            byte = (firsts[k] >> shift) & _BYTE
            h1, h2 = one[k], two[k]
            one[k] = (h1 ^ byte) * TOKEN_1 if byte != _ZERO else h1
            two[k] = (h2 ^ byte) * TOKEN_2 if byte != _ZERO else h2


@leaf
def _one_by_one(data: Any, p: int, end: int, table: Any, out: Any, at: int, s1: Any, s2: Any) -> Any:
    """The same of what is at p, character by character, up to an ASCII character that is of no word: characters beyond
    ASCII may part it into several words, or be of none. Returns (where that character is, at, s1, s2)."""
    more = True
    while p < end and more:
        h1, h2 = SEED_1, SEED_2
        begin = p
        after = p  # where the word ends; `begin` if there is none here
        while p < end:
            if data[p] < 0x80:
                point, following = np.uint64(data[p]), p + 1
            else:
                point, following = code_point(data, p, end)
            value = table[point]
            if not value & _WORD:
                more = data[p] >= 0x80
                p = following if more else p
                break
            p = after = following
            lower = np.uint64(value & _LOWER)
            if point == _DOTTED_I:
                lower = _I
            h1 = (h1 ^ lower) * TOKEN_1
            h2 = (h2 ^ lower) * TOKEN_2
            if point == _DOTTED_I:  # its lower-case form is "i" and a combining dot, which ends the word
                break
        if after > begin:
            out[at] = h1
            at += 1
            s1 = mix((s1 ^ h1) * STREAM_1)
            s2 = mix((s2 ^ h2) * STREAM_2)
    return p, at, s1, s2
