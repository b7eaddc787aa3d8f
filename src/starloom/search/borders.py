"""Borders of identifiers: two bytes of one, one to three bytes between, two bytes of the next (`rn sel` of `return
self`). A text has a third as many as trigrams, and each says more: a large file has every trigram of a phrase, seldom
its borders. Hashed to 20 bits, and written as trigrams are; two that share a hash cost a look at a text.
"""

import itertools
import re
from typing import Final

import numpy as np

from starloom.kernels.text import Int64s, UInt8s, checked
from starloom.search.fields import ALPHABET, gram_term

_BETWEEN: Final = (1, 2, 3)
_BORDER: Final = re.compile(rb"(?=([0-9a-z_]{2}[^0-9a-z_]{1,3}[0-9a-z_]{2}))")
_FACTOR: Final = 0x9E3779B97F4A7C15  # of a multiplicative hash
_MASK: Final = (1 << 64) - 1
_SHIFT: Final = 64 - 20  # a large file has some thousands of them; more bits would make a dictionary of their own

_INSIDE: Final = np.zeros(256, dtype=np.bool_)
_INSIDE[list(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")] = True
_FOLDED: Final = np.frombuffer(bytes(range(256)).lower(), dtype=np.uint8)
_SIX_BITS: Final = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)


def border_terms(offsets: Int64s, data: UInt8s) -> list[str]:
    """Of every file the terms of its borders, each once, a space behind each. `data`: folded, but that ASCII may have
    its capitals. Cost: 60 MB/s."""
    offsets, data = checked(offsets, data)
    inside = _INSIDE[data]
    keys = [_keys(offsets, data, inside, between) for between in _BETWEEN]
    found = np.sort(np.concatenate(keys))  # by file; `np.unique` hashes, which takes five times as long
    found = found[np.diff(found, prepend=-1) != 0]
    terms = np.full((len(found), 5), ord(" "), dtype=np.uint8)
    for place, shift in enumerate((18, 12, 6, 0)):
        terms[:, place] = _SIX_BITS[found >> shift & 63]
    text = terms.tobytes().decode("ascii")
    bounds = np.searchsorted(found, np.arange(len(offsets), dtype=np.int64) << 24) * 5
    return [text[start:end] for start, end in itertools.pairwise(bounds.tolist())]


def of_piece(folded: bytes) -> set[str]:
    """The terms of the borders in a piece of folded text: of each text that has the piece."""
    return {_term(one) for one in _BORDER.findall(folded)}


def _term(border: bytes) -> str:
    value = int.from_bytes(border, "big") | len(border) << 56
    return gram_term(((value * _FACTOR & _MASK) >> _SHIFT).to_bytes(3, "big"))


def _keys(offsets: Int64s, data: UInt8s, inside: np.ndarray, between: int) -> Int64s:
    """The number of the file and the hash of each border with so many bytes between."""
    length = 4 + between
    starts = len(data) - length + 1
    if starts <= 0:
        return np.zeros(0, dtype=np.int64)
    is_border = inside[:starts] & inside[1 : starts + 1]
    for place in range(2, 2 + between):
        is_border &= ~inside[place : starts + place]
    for place in (length - 2, length - 1):
        is_border &= inside[place : starts + place]
    at = np.flatnonzero(is_border)
    file = np.searchsorted(offsets, at, side="right") - 1
    whole = at + length <= offsets[file + 1]
    at, file = at[whole], file[whole]
    value = np.full(len(at), length << 56, dtype=np.uint64)
    for place in range(length):
        value |= _FOLDED[data[at + place]].astype(np.uint64) << np.uint64(8 * (length - 1 - place))
    return file << 24 | (value * np.uint64(_FACTOR) >> np.uint64(_SHIFT)).astype(np.int64)
