"""`tile_gate` in plain Python, for tests."""

from collections.abc import Iterable

from starloom.kernels.twins import mix
from starloom.kernels.windows import BASE

_64 = 2**64


def key_of(window: bytes, piece: int) -> int | None:
    """Of the first anchor of a window; None where it has none."""
    for at in range(len(window) - piece + 1):
        words = [int.from_bytes(window[at + k : at + k + 8], "little") for k in range(0, piece, 8)]
        if words[0] * BASE % _64 >> 61 == 0:
            h = 0
            for word in words:
                h = (h * BASE + word) % _64
            return mix(h) >> 32
    return None


def gate(tiles: Iterable[bytes], piece: int, bits: int) -> list[int]:
    words = [0] * 2**bits
    for tile in tiles:
        if (key := key_of(tile, piece)) is not None:
            words[key >> (32 - bits)] |= _mask(key)
    return words


def passes(window: bytes, piece: int, bits: int, words: list[int]) -> bool:
    key = key_of(window, piece)
    return key is None or words[key >> (32 - bits)] & _mask(key) == _mask(key)


def _mask(key: int) -> int:
    mask = 0
    for shift in (40, 46, 52, 58):
        mask |= 1 << (key * BASE % _64 >> shift & 63)
    return mask
