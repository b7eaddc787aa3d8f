"""The hash of a window: the polynomial of its items modulo 2**64, which rolls from one offset to the next, mixed.

Items are bytes of a text (membership's tiles, a benchmark's passages) or hashes of its words (n-grams): one polynomial,
one base, so the hash of the same bytes is the same wherever it is taken. Cost: 1.5 GB/s rolled four at a time; 6 GB/s
at every so many bytes, where nothing waits for what was before it.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from starloom.kernels.cache import kernel
from starloom.kernels.decoding import mix
from starloom.kernels.text import Int64s, UInt8s, UInt64s, checked, frozen

BASE = 0x9E3779B97F4A7C15 | 0x5  # odd, 5 modulo 8: powers differ in as low a bit as they can

_B, _B2, _B3, _B4 = (np.uint64(pow(BASE, k, 2**64)) for k in (1, 2, 3, 4))
_ZERO = np.uint64(0)


def leaving_power(width: int) -> np.uint64:
    """What the item that leaves a window of `width` items counts, see `rolled`."""
    return np.uint64(pow(BASE, width, 2**64))


@lru_cache
def powers(width: int) -> UInt64s:
    """What each item of a window of `width` items counts, see `polynomial`; read-only."""
    return frozen(np.array([pow(BASE, width - 1 - k, 2**64) for k in range(width)], dtype=np.uint64), np.uint64)


def window_hashes(text: UInt8s, width: int) -> UInt64s:
    """uint64[max(n - width + 1, 0)]: the hash at every offset of one text."""
    text = frozen(text, np.uint8)
    hashes = np.empty(max(len(text) - width + 1, 0), dtype=np.uint64)
    if len(hashes):
        _window_hashes(text, leaving_power(width), powers(width), hashes)
    return hashes


def tile_hashes(offsets: Int64s, data: UInt8s, width: int) -> tuple[Int64s, UInt64s]:
    """(bounds int64[n + 1], hashes uint64[]) of each text cut into whole windows side by side, in order."""
    offsets, data = checked(offsets, data)
    bounds = np.zeros(len(offsets), dtype=np.int64)
    np.cumsum(np.diff(offsets) // width, out=bounds[1:])
    hashes = np.empty(bounds[-1], dtype=np.uint64)
    _tile_hashes(offsets, data, powers(width), bounds, hashes)
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
def roll(h: Any, arriving: Any, leaving: Any, power: Any, into: Any) -> Any:
    """`rolled` again and again: `into[k]` becomes the polynomial after arriving[k] came. Returns the last, not mixed.

    Four at a time: one multiplication waits for another instead of four.
    """
    for k in range(len(into)):
        into[k] = np.uint64(arriving[k]) - np.uint64(leaving[k]) * power
    whole = len(into) - len(into) % 4
    for k in range(0, whole, 4):
        one = into[k]
        two = one * _B + into[k + 1]
        three = two * _B + into[k + 2]
        four = three * _B + into[k + 3]
        into[k], into[k + 1], into[k + 2] = h * _B + one, h * _B2 + two, h * _B3 + three
        h = h * _B4 + four
        into[k + 3] = h
    for k in range(whole, len(into)):
        h = h * _B + into[k]
        into[k] = h
    return h


@kernel
def polynomial(text: Any, at: int, weights: Any) -> Any:
    """That of the bytes from `at` on, as many as `weights` (`powers` of the width) are: a sum that no order binds."""
    window = text[at : at + len(weights)]
    h = _ZERO
    for k in range(len(window)):
        h += np.uint64(window[k]) * weights[k]
    return h


@kernel
def window_hash(text: Any, at: int, weights: Any) -> Any:
    """The hash of the bytes from `at` on, as many as `weights` are."""
    return mix(polynomial(text, at, weights))


@kernel
def _window_hashes(text: Any, power: Any, weights: Any, hashes: Any) -> None:
    hashes[0] = polynomial(text, 0, weights)
    roll(hashes[0], text[len(weights) :], text, power, hashes[1:])
    for p in range(len(hashes)):
        hashes[p] = mix(hashes[p])


@kernel
def _tile_hashes(offsets: Any, data: Any, weights: Any, bounds: Any, hashes: Any) -> None:
    for i in range(len(offsets) - 1):
        p = offsets[i]
        for tile in range(bounds[i], bounds[i + 1]):
            hashes[tile] = window_hash(data, p, weights)
            p += len(weights)
