"""Twin of gram_filters.py in plain Python: a filter from sets of grams. Nothing but its test calls it."""

import re

from starloom.kernels.cuts import LARGE
from starloom.kernels.gram_filters import GRAM

_BITS, _BITS_OF_LARGE, _FACTOR = 2, 4 / 3, 0x9E3779B97F4A7C15


def gram_filter(text: bytes) -> bytes:
    """The filter of one text."""
    folded = re.sub(rb"\s+", b" ", text.lower())
    grams = {folded[start : start + GRAM] for start in range(len(folded) - GRAM + 1)}
    hashes = [int.from_bytes(gram, "big") * _FACTOR % 2**64 for gram in grams]
    width = max((8 * len(text) - 1).bit_length(), 6) if text else 6
    different = len({one >> 64 - width for one in hashes})
    found = bytearray((int(different * (_BITS if len(text) <= LARGE else _BITS_OF_LARGE)) + 7) // 8)
    for one in hashes:
        bit = (one >> 32) * 8 * len(found) >> 32
        found[bit // 8] |= 1 << bit % 8
    return bytes(found)
