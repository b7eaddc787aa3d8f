"""Where an identifier ends and the next begins: two bytes of one, one to MOST_BETWEEN bytes between, two bytes of the
next, hashed to HASH_BITS bits. ASCII letters are folded; a run of blanks and lines' ends counts as a space (`blanks`);
an identifier is a longest run of ASCII letters, digits and _.

Their terms are written as those of trigrams are (kernels/index_terms): each once, in the order in which they are met.
"""

import string
from typing import Any, Final

import numpy as np

from starloom.kernels.blanks import SPACE, folding
from starloom.kernels.cache import kernel
from starloom.kernels.index_terms import Terms, write_gram
from starloom.kernels.text import Int64s, UInt8s, checked

MOST_BETWEEN: Final = 3
HASH_BITS: Final = 20
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)  # of a multiplicative hash, the upper bits of which are taken
_BYTE, _LAST, _LENGTH, _LEFT = np.uint64(8), np.uint64(0xFF), np.uint64(56), np.uint64(64 - HASH_BITS)

_FOLDED: Final = folding(lines_too=True)
_INSIDE: Final = np.zeros(256, dtype=np.bool_)
_INSIDE[[ord(one) for one in string.ascii_letters + string.digits + "_"]] = True


def border_hash(border: bytes) -> int:
    """Of a border, closed up (`blanks`)."""
    value = int.from_bytes(border, "big") | len(border) << int(_LENGTH)
    return (value * int(_FACTOR) & (1 << 64) - 1) >> int(_LEFT)


def border_terms(offsets: Int64s, data: UInt8s) -> Terms:
    """Of every text the terms of its borders, a space behind each."""
    offsets, data = checked(offsets, data)
    most = int(offsets[-1] - offsets[0]) // 3  # an identifier of two bytes, one between
    out = np.empty(5 * most, dtype=np.uint8)
    bounds = _terms(offsets, data, out)
    return Terms(bounds, out[: bounds[-1]])


@kernel
def _terms(offsets: Any, data: Any, out: Any) -> Any:
    n = len(offsets) - 1
    bounds = np.zeros(n + 1, dtype=np.int64)
    met = np.zeros(1 << HASH_BITS - 3, dtype=np.uint8)  # a bit a hash
    largest = np.int64(0)
    for i in range(n):
        largest = max(largest, offsets[i + 1] - offsets[i])
    hashes = np.empty(largest // 3 + 1, dtype=np.int32)
    at = np.int64(0)
    for i in range(n):
        count = 0
        length = 0  # of the identifier that `p` is in
        last = 0  # of the one before it, or of that one once it has ended
        between = 0  # bytes since then, runs closed up
        value = np.uint64(0)  # its last two bytes, and those
        for p in range(offsets[i], offsets[i + 1]):
            byte = _FOLDED[data[p]]
            if not _INSIDE[byte]:
                if length:
                    last, length, between = length, 0, 0
                    value = np.uint64(0)
                    if last > 1:
                        value = np.uint64(_FOLDED[data[p - 2]]) << _BYTE | np.uint64(_FOLDED[data[p - 1]])
                if byte != SPACE or value & _LAST != SPACE:
                    value = value << _BYTE | np.uint64(byte)
                    between += 1
                continue
            length += 1
            if length != 2 or last < 2 or between > MOST_BETWEEN:
                continue
            value = value << _BYTE | np.uint64(_FOLDED[data[p - 1]])
            value = value << _BYTE | np.uint64(byte)
            value |= np.uint64(between + 4) << _LENGTH  # bytes of the border: at most seven
            hashed = np.int32(value * _FACTOR >> _LEFT)
            bit = np.uint8(1 << (hashed & 7))
            if not met[hashed >> 3] & bit:
                met[hashed >> 3] |= bit
                hashes[count] = hashed
                count += 1
        for k in range(count):
            met[hashes[k] >> 3] = 0
            at = write_gram(hashes[k], out, at)
        bounds[i + 1] = at
    return bounds
