"""The hash of a window: the polynomial of its items modulo 2**64, which rolls from one offset to the next, mixed.

Items are bytes of a text (membership's tiles, a benchmark's passages) or hashes of its words (n-grams): one polynomial,
one base, so the hash of the same bytes is the same wherever it is taken. Cost: 500 to 700 MB/s rolled, twice that at
every so many bytes.
"""

from typing import Any

import numpy as np

from starloom.kernels.cache import kernel
from starloom.kernels.decoding import mix
from starloom.kernels.text import Int64s, UInt8s, UInt64s, checked, frozen

BASE = 0x9E3779B97F4A7C15 | 0x5  # odd, 5 modulo 8: powers differ in as low a bit as they can

_B = np.uint64(BASE)
_ZERO = np.uint64(0)


def leaving_power(width: int) -> np.uint64:
    """What the item that leaves a window of `width` items counts, see `rolled`."""
    return np.uint64(pow(BASE, width, 2**64))


def window_hashes(text: UInt8s, width: int) -> UInt64s:
    """uint64[max(n - width + 1, 0)]: the hash at every offset of one text."""
    text = frozen(text, np.uint8)
    hashes = np.empty(max(len(text) - width + 1, 0), dtype=np.uint64)
    _window_hashes(text, width, leaving_power(width), hashes)
    return hashes


def tile_hashes(offsets: Int64s, data: UInt8s, width: int) -> tuple[Int64s, UInt64s]:
    """(bounds int64[n + 1], hashes uint64[]) of each text cut into whole windows side by side, in order."""
    offsets, data = checked(offsets, data)
    bounds = np.zeros(len(offsets), dtype=np.int64)
    np.cumsum(np.diff(offsets) // width, out=bounds[1:])
    hashes = np.empty(bounds[-1], dtype=np.uint64)
    _tile_hashes(offsets, data, width, bounds, hashes)
    return bounds, hashes


@kernel
def extended(h: Any, arriving: Any) -> Any:
    """The polynomial with one item more; not mixed."""
    return h * _B + np.uint64(arriving)


@kernel
def rolled(h: Any, arriving: Any, leaving: Any, power: Any) -> Any:
    """The polynomial of a full window one item on; `power`: `leaving_power` of its width. Not mixed."""
    return h * _B + np.uint64(arriving) - np.uint64(leaving) * power


@kernel
def window_hash(text: Any, at: int, width: int) -> Any:
    """The hash of the `width` bytes from `at` on."""
    h = _ZERO
    for k in range(at, at + width):
        h = extended(h, text[k])
    return mix(h)


@kernel
def _window_hashes(text: Any, width: int, power: Any, hashes: Any) -> None:
    h = _ZERO
    for p in range(min(width, len(text))):
        h = extended(h, text[p])
    for p in range(len(hashes)):
        if p > 0:
            h = rolled(h, text[p + width - 1], text[p - 1], power)
        hashes[p] = mix(h)


@kernel
def _tile_hashes(offsets: Any, data: Any, width: int, bounds: Any, hashes: Any) -> None:
    for i in range(len(offsets) - 1):
        p = offsets[i]
        for tile in range(bounds[i], bounds[i + 1]):
            hashes[tile] = window_hash(data, p, width)
            p += width
