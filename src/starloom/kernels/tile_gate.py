"""A gate before a table of tiles: which windows of a text can be one of its tiles at all, told by far fewer looks.

A place in a text is an anchor when its next eight bytes say so: one place in eight. The first anchor of a tile, and
the bytes from there on (24 of a tile of 50), are the same wherever the tile stands; they set four bits in one word of
the gate. Windows side by side have the same first anchor, so one look at the gate is for eight windows, where the
filter of the table, which is chosen by the hash of a window, is looked at for each, and misses the cache each time.
Windows without an anchor (one in thirty) pass.

Cost: 2 ns a window, in code that is not indexed one in nine passes, and the table's filter is asked for those (13 ns).
A word for ten tiles; 25 ns a tile to make. Keys are 32 bits: of a table of 2 billion tiles (100 GB) a fourth of all
passes by chance.
"""

from typing import Any, NamedTuple

import numpy as np

from starloom.kernels.cache import kernel, leaf
from starloom.kernels.decoding import filter_mask, mix
from starloom.kernels.swar import eight
from starloom.kernels.text import Int64s, UInt8s, UInt32s, UInt64s, checked, frozen
from starloom.kernels.windows import BASE

_BASE, _RARE = np.uint64(BASE), np.uint64(61)
_ZERO, _32, _40 = (np.uint64(number) for number in (0, 32, 40))
_RANGES = 6


class Gate(NamedTuple):
    """`words`: uint64[2**bits], read-only and in one piece."""

    bits: int
    words: UInt64s


OPEN = Gate(1, frozen(np.full(2, ~_ZERO), np.uint64))  # lets everything pass


def piece_of(width: int) -> int:
    """How many bytes from its first anchor on are looked at, of a tile of `width`; from 16 on."""
    return width // 16 * 8


def gate_bits(tiles: int) -> int:
    """Of the gate of a table of so many tiles."""
    return min(max((tiles // 6).bit_length() - 1, 1), 30)


def keys(offsets: Int64s, folded: UInt8s, width: int) -> UInt32s:
    """What the gate has to know of the whole tiles of each folded text: at most one number for each."""
    offsets, folded = checked(offsets, folded)
    found = np.empty(int((np.diff(offsets) // width).sum()), dtype=np.uint32)
    return found[: _keys(offsets, folded, width, piece_of(width), found)]


def let_pass(words: UInt64s, found: UInt32s) -> None:
    """Sets the bits of `keys` in the words of a gate, uint64[2**bits], in place."""
    _let_pass(words, len(words).bit_length() - 1, frozen(found, np.uint32))


@leaf
def is_anchor(text: Any, at: Any) -> Any:
    return (eight(text, at) * _BASE) >> _RARE == _ZERO


@leaf
def key_of(text: Any, at: Any, piece: Any) -> Any:
    """32 bits of the hash of so many bytes, a multiple of eight."""
    h = eight(text, at)
    for k in range(8, piece, 8):
        h = h * _BASE + eight(text, at + k)
    return mix(h) >> _32


@leaf
def _mask(key: Any) -> Any:
    return filter_mask((key * _BASE) >> _40)


@leaf
def passing(
    text: Any, begin: Any, end: Any, width: Any, piece: Any, bits: Any, words: Any, lows: Any, highs: Any, looks: Any
) -> Any:
    """How many stretches of offsets there are, `lows` to `highs` (exclusive), ascending, none adjacent, of the windows
    from `begin` to `end` that may be tiles. All three arrays have room for all these offsets and a width more."""
    shift, reach = _32 - np.uint64(bits), width - piece  # the first anchor is no further behind a window's offset
    found: Any = 0
    for at in range(begin, end + reach):
        lows[found] = at
        found += np.int64(is_anchor(text, at))
    for k in range(found):
        highs[k] = key_of(text, lows[k], piece)
    for k in range(found):
        looks[k] = words[highs[k] >> shift]  # and nothing else in this loop, so that many of them are under way at once
    for k in range(found):
        mask = _mask(highs[k])
        highs[k] = np.uint64(looks[k] & mask == mask)
    # No branch here, since nobody can guess it: of the windows up to each anchor those without one before that, and
    # all where it passes. What is written lies before what is read.
    free: Any = begin
    some: Any = 0
    for k in range(found):
        after = min(lows[k] + 1, end)
        alone = max(min(lows[k] - reach, after), free)
        stop = alone + np.int64(highs[k]) * (after - alone)
        lows[some], highs[some] = free, np.uint64(stop)
        some += np.int64(stop > free)
        free = after
    lows[some], highs[some] = free, np.uint64(end)
    some += np.int64(end > free)
    joined = 0
    for k in range(some):
        if joined and np.uint64(lows[k]) == highs[joined - 1]:
            highs[joined - 1] = highs[k]
        else:
            lows[joined], highs[joined] = lows[k], highs[k]
            joined += 1
    return joined


@kernel
def _keys(offsets: Any, folded: Any, width: int, piece: int, keys: Any) -> int:
    found = 0
    for i in range(len(offsets) - 1):
        for begin in range(offsets[i], offsets[i + 1] - width + 1, width):
            for at in range(begin, begin + width - piece + 1):
                if is_anchor(folded, at):
                    keys[found] = key_of(folded, at, piece)
                    found += 1
                    break
    return found


@kernel
def _let_pass(words: Any, bits: int, keys: Any) -> None:
    # Parted by their top bits first: then the words that are written to lie in a core's cache.
    shift = _32 - np.uint64(bits)
    at = np.zeros((1 << _RANGES) + 1, dtype=np.int64)
    for k in range(len(keys)):
        at[(np.int64(keys[k]) >> (32 - _RANGES)) + 1] += 1
    for k in range(1, len(at)):
        at[k] += at[k - 1]
    parted = np.empty(len(keys), dtype=np.uint32)
    for k in range(len(keys)):
        part = np.int64(keys[k]) >> (32 - _RANGES)
        parted[at[part]] = keys[k]
        at[part] += 1
    for k in range(len(parted)):
        key = np.uint64(parted[k])
        words[key >> shift] |= _mask(key)
