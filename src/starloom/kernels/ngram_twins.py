"""`ngrams` again in plain Python: what it means, and what the tests hold it to."""

import math
from collections.abc import Sequence

from starloom.kernels import ngrams
from starloom.kernels.twins import mix

_64 = (1 << 64) - 1
_LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_") | frozenset(range(0x80, 0x100))
_DIGITS = frozenset(b"0123456789")
_SPACES = frozenset(b" \t\r\f\v")


def tokens(text: bytes) -> list[int]:
    """The hash of each token of the head of `text`."""
    text = text[: ngrams.HEAD]
    found = []
    p = 0
    while p < len(text):
        begin, first = p, text[p]
        p += 1
        if first in _SPACES:
            continue
        if first in _LETTERS or first in _DIGITS:
            while p < len(text) and text[p] in _LETTERS | _DIGITS:
                p += 1
            if first in _DIGITS:
                found.append(mix(ngrams.NUMBERS ^ min(p - begin, 8)))
            elif p - begin > ngrams.LONGEST_WORD:
                found.append(mix(ngrams.WORDS))
            else:
                h = ngrams.WORDS
                for one in text[begin:p]:
                    h = (h ^ one) * ngrams.BYTE & _64
                found.append(mix(h))
        elif first == ord("\n"):
            while p < len(text) and text[p] in _SPACES:
                p += 1
            width = sum(4 if one == ord("\t") else 1 for one in text[begin + 1 : p])
            empty = p == len(text) or text[p] == ord("\n")
            found.append(mix(ngrams.LINES ^ (ngrams.BLANK if empty else min(width // 4, 4))))
        else:
            while p < len(text) and text[p] == first:
                p += 1
            found.append(mix(ngrams.SIGNS ^ (first << 3) ^ min(p - begin, 4)))
    return found


def features(text: bytes, bits: int, orders: int) -> list[int]:
    """The distinct buckets, in order of their first place."""
    found: dict[int, None] = {}
    hashes = tokens(text)
    for k, token in enumerate(hashes):
        grams = [token]
        if k >= 1 and orders >= 2:
            grams.append(mix(hashes[k - 1] * ngrams.SECOND + token & _64))
        if k >= 2 and orders >= 3:
            grams.append(mix(hashes[k - 2] * ngrams.THIRD + hashes[k - 1] * ngrams.SECOND + token & _64))
        for gram in grams:
            found.setdefault(gram >> (64 - bits))
    return list(found)


def margin(text: bytes, weights: Sequence[float], orders: int) -> float:
    """Twin of `ngrams.margins` for one file."""
    found = features(text, len(weights).bit_length() - 1, orders)
    total = 0.0
    for one in found:
        total += weights[one]
    return total / math.sqrt(len(found)) if found else 0.0
