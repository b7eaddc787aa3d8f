"""Where an identifier ends and the next begins: two bytes of one, one to MOST_BETWEEN bytes between, two bytes of the
next, hashed to HASH_BITS bits. ASCII letters are folded; an identifier is a longest run of ASCII letters, digits and _.
"""

import string
from typing import Any, Final

import numpy as np

from starloom.kernels.cache import kernel
from starloom.kernels.text import Int64s, UInt8s, checked

MOST_BETWEEN: Final = 3
HASH_BITS: Final = 20
FILE_SHIFT: Final = 24  # of a file's number, before a hash
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)  # of a multiplicative hash, the upper bits of which are taken
_BYTE, _LENGTH, _LEFT = np.uint64(8), np.uint64(56), np.uint64(64 - HASH_BITS)

_FOLDED: Final = np.frombuffer(bytes(range(256)).lower(), dtype=np.uint8)
_INSIDE: Final = np.zeros(256, dtype=np.bool_)
_INSIDE[[ord(one) for one in string.ascii_letters + string.digits + "_"]] = True


def border_hash(border: bytes) -> int:
    """Of a folded border."""
    value = int.from_bytes(border, "big") | len(border) << int(_LENGTH)
    return (value * int(_FACTOR) & (1 << 64) - 1) >> int(_LEFT)


def border_keys(offsets: Int64s, data: UInt8s) -> Int64s:
    """Of every border in every text, in their order: the text's number << FILE_SHIFT | its hash."""
    offsets, data = checked(offsets, data)
    keys = np.empty(int(offsets[-1] - offsets[0]) // 3 + 1, dtype=np.int64)  # an identifier of two bytes, one between
    return keys[: _keys(offsets, data, keys)]


@kernel
def _keys(offsets: Any, data: Any, keys: Any) -> int:
    count = 0
    for i in range(len(offsets) - 1):
        length = 0  # of the identifier that `p` is in
        end = -1  # of the last one before it; -1 where that is a single byte, or there is none
        for p in range(offsets[i], offsets[i + 1]):
            if not _INSIDE[data[p]]:
                if length:
                    end = p if length > 1 else -1
                    length = 0
                continue
            length += 1
            if length == 2 and end >= 0 and p - 1 - end <= MOST_BETWEEN:
                value = np.uint64(p + 3 - end)  # bytes of the border: at most seven
                value <<= _LENGTH
                for at in range(end - 2, p + 1):
                    value |= np.uint64(_FOLDED[data[at]]) << (np.uint64(p - at) * _BYTE)
                keys[count] = i << FILE_SHIFT | np.int64(value * _FACTOR >> _LEFT)
                count += 1
    return count
