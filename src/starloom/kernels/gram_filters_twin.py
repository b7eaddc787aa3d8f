"""Twin of gram_filters.py in plain Python: a filter from sets of grams. Nothing but its test calls it."""

import re

from starloom.kernels.gram_filters import GRAM, PAIR

_FACTOR = 0x9E3779B97F4A7C15


def gram_filter(block: bytes, pairs: bool) -> bytes:
    """The filter of one block."""
    folded = block.lower()
    grams = {int.from_bytes(folded[start : start + GRAM], "big") for start in range(len(folded) - GRAM + 1)}
    grams |= {
        int.from_bytes(b"".join(found.groups()), "big") | 2 << 32
        for found in re.finditer(rb"(?=([0-9a-z_]{2})[^0-9a-z_\n]+([0-9a-z_]{2}))", folded)
    }
    if pairs:
        starts = range(len(folded) - PAIR + 1)
        grams |= {int.from_bytes(folded[start : start + PAIR], "big") | 1 << 32 for start in starts}
    hashes = [gram * _FACTOR % 2**64 for gram in grams]
    width = max((8 * len(block) - 1).bit_length(), 6) if block else 6
    different = len({one >> 64 - width for one in hashes})
    found = bytearray((different * 8 + 39) // 40)
    for one in hashes:
        bit = (one >> 32) * 8 * len(found) >> 32
        found[bit // 8] |= 1 << bit % 8
    return bytes(found)
