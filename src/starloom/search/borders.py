"""Borders of identifiers: two bytes of one, one to three bytes between, two bytes of the next (`rn sel` of `return
self`). A text has a third as many as trigrams, and each says more: a large file has every trigram of a phrase, seldom
its borders. Hashed to 20 bits, and written as trigrams are; two that share a hash cost a look at a text.
"""

import itertools
import re
from typing import Final

import numpy as np

from starloom.kernels.borders import FILE_SHIFT, MOST_BETWEEN, border_hash, border_keys
from starloom.kernels.text import Int64s, UInt8s
from starloom.search.fields import ALPHABET, gram_term

_BORDER: Final = re.compile(b"(?=([0-9a-z_]{2}[^0-9a-z_]{1,%d}[0-9a-z_]{2}))" % MOST_BETWEEN)
_SIX_BITS: Final = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)


def border_terms(offsets: Int64s, data: UInt8s) -> list[str]:
    """Of every file the terms of its borders, each once, a space behind each. `data`: folded, but that ASCII may have
    its capitals."""
    found = np.sort(border_keys(offsets, data))  # by file; `np.unique` hashes, which takes five times as long
    found = found[np.diff(found, prepend=-1) != 0]
    terms = np.full((len(found), 5), ord(" "), dtype=np.uint8)
    for place, shift in enumerate((18, 12, 6, 0)):
        terms[:, place] = _SIX_BITS[found >> shift & 63]
    text = terms.tobytes().decode("ascii")
    bounds = np.searchsorted(found, np.arange(len(offsets), dtype=np.int64) << FILE_SHIFT) * 5
    return [text[start:end] for start, end in itertools.pairwise(bounds.tolist())]


def of_piece(folded: bytes) -> set[str]:
    """The terms of the borders in a piece of folded text: of each text that has the piece."""
    return {gram_term(border_hash(one).to_bytes(3, "big")) for one in _BORDER.findall(folded)}
