"""A hash of the bytes of a line, to find lines that repeat: 64 bits, eight bytes at a step, no key."""

from typing import Any

import numpy as np

from starloom.kernels.cache import leaf
from starloom.kernels.decoding import mix
from starloom.kernels.swar import eight

_SEED, _TIMES = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
_8, _32 = np.uint64(8), np.uint64(32)


@leaf
def line_hash(line: Any) -> Any:
    """Of a line of at least one byte; never 0."""
    size = len(line)
    h = _SEED ^ np.uint64(size)
    at = 0
    while at + 8 < size:
        # Each word is mixed before it joins: added alone, bytes of neighbouring words that differ can make up for each
        # other, as they do in tables.
        h = (h ^ _mixed(eight(line, at))) * _TIMES
        at += 8
    last = np.uint64(0)
    if size >= 8:
        last = eight(line, size - 8)  # of which some may have been there
    else:
        for p in range(size):
            last = (last << _8) | np.uint64(line[p])
    h = mix((h ^ _mixed(last)) * _TIMES)
    return h if h != 0 else np.uint64(1)


@leaf
def _mixed(word: Any) -> Any:
    word *= _SEED
    return (word ^ (word >> _32)) * _TIMES
