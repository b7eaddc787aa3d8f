"""UTF-8 to code points, and the mixing of 64-bit hashes: what the kernels share."""

from typing import Any

import numpy as np

from starloom.kernels.cache import leaf

# Every literal is wrapped: in Numba `uint64 (op) int64` becomes float64.
_MIX_1, _MIX_2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_33 = np.uint64(33)
_ONE, _SIX, _TWELVE, _63 = np.uint64(1), np.uint64(6), np.uint64(12), np.uint64(63)


@leaf
def mix(h: Any) -> Any:
    """MurmurHash3's finaliser: a bijection of 64 bits; every bit of input moves every bit of output."""
    h = (h ^ (h >> _33)) * _MIX_1
    h = (h ^ (h >> _33)) * _MIX_2
    return h ^ (h >> _33)


@leaf
def filter_mask(h: Any) -> Any:
    """Four bits of a word of a Bloom filter, named by the lowest 24 bits of a hash."""
    mask = (_ONE << (h & _63)) | (_ONE << ((h >> _SIX) & _63))
    h >>= _TWELVE
    return mask | (_ONE << (h & _63)) | (_ONE << ((h >> _SIX) & _63))


@leaf
def code_point(data: Any, at: int, end: int) -> Any:
    """(code point, position after it) of the non-ASCII character at `at`.

    The text is valid UTF-8; should it not be, the answer is some code point below 0x110000 and nothing
    outside the file is read.
    """
    first: Any = np.int64(data[at])
    if first >= 0xF0:
        length, point = 4, first & 0x07
    elif first >= 0xE0:
        length, point = 3, first & 0x0F
    else:
        length, point = 2, first & 0x1F
    if at + length > end:
        return np.uint64(0xFFFD), end
    for k in range(1, length):
        point = (point << 6) | (np.int64(data[at + k]) & 0x3F)
    if point > 0x10FFFF:
        point = 0xFFFD
    return np.uint64(point), at + length
