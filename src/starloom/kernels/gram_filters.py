"""Which runs of GRAM bytes a text has, as filters of hashed bits: that it lacks a piece is told without its bytes.

A text is given in blocks, each of which has a filter: what stands in a block may be in it where all grams are, so that
of a large text only some blocks need be looked at. One bit a gram, in 1.6 bits of room for each that is different: a
gram that is not there is taken for one that is there in less than half of all cases, and a piece of a dozen bytes in
one of a thousand. Beside runs of bytes a filter knows which words follow each other on a line, whatever stands between
them: `Beside`. A text of more than one block has pairs of bytes too; of a short one the index knows them. Nothing that
is there is ever missed. ASCII letters are folded.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from starloom.kernels.cache import kernel, leaf
from starloom.kernels.text import Bools, Int64s, UInt8s, checked, frozen

GRAM: Final = 4  # bytes
PAIR: Final = 2
_BITS, _OF = 8, 5  # so many bits of a filter for so many grams
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)  # of a multiplicative hash, the upper 32 bits of which are taken
_MASK: Final = np.uint64((1 << 8 * GRAM) - 1)
_PAIR_MASK: Final = np.uint64((1 << 8 * PAIR) - 1)
_IS_PAIR: Final = np.uint64(1 << 8 * GRAM)
_IS_BESIDE: Final = np.uint64(2 << 8 * GRAM)
_NEWLINE: Final = np.uint8(0x0A)
_BYTE, _TWO = np.uint64(8), np.uint64(16)
_HALF: Final = np.uint64(32)
_FOLDED: Final = np.frombuffer(bytes(range(256)).lower(), dtype=np.uint8)
_WORD: Final = np.array([byte in b"0123456789abcdefghijklmnopqrstuvwxyz_" for byte in _FOLDED.tobytes()])
_BESIDE: Final = re.compile(rb"(?=([0-9a-z_]{2})[^0-9a-z_\n]+([0-9a-z_]{2}))")
_COUNTING: Final = 28  # most bits, by their logarithm, of the map in which the grams of a block are counted


def gram_filters(offsets: Int64s, data: UInt8s, pairs: Bools) -> tuple[Int64s, UInt8s]:
    """(bounds int64[n + 1], filters uint8[]): that of each block, one after the other; of one without grams, nothing.
    `data`: folded, but that ASCII may have its capitals. `pairs`: whether a block has them too."""
    offsets, data = checked(offsets, data)
    if len(pairs) != len(offsets) - 1:
        raise ValueError("each block has pairs or has none")
    longest = int(np.diff(offsets).max(initial=0))
    counted = np.zeros(1 << max(_width(longest) - 3, 0), dtype=np.uint8)
    grams = 2 * int(offsets[-1] - offsets[0])
    filters = np.zeros(_size(grams) + len(offsets), dtype=np.uint8)
    bounds = _filters(offsets, data, frozen(pairs, np.bool_), counted, filters)
    return bounds, filters[: bounds[-1]]


class Beside(NamedTuple):
    """The last two bytes of a word (ASCII letters, digits, _) and the first two of the next one on the same line."""

    left: bytes
    right: bytes


class Wanted:
    """What is sought in a block: of each choice one alternative, which is pieces, all of them."""

    def __init__(self, choices: Sequence[Sequence[Sequence[bytes | Beside]]]) -> None:
        hashed = [[[one for piece in pieces for one in _hashes(piece)] for pieces in some] for some in choices]
        telling = sorted((some for some in hashed if all(some)), key=lambda some: -min(map(len, some)))
        alternatives = [one for some in telling for one in some]
        told = [one for pieces in alternatives for one in pieces]
        self.hashes = frozen(np.array([one for one, _ in told], np.uint64), np.uint64)
        self.pair = frozen(np.array([pair for _, pair in told], np.bool_), np.bool_)
        self.alternatives = frozen(np.cumsum([0, *map(len, alternatives)]), np.int64)
        self.choices = frozen(np.cumsum([0, *map(len, telling)]), np.int64)

    def __bool__(self) -> bool:
        """Whether it says anything."""
        return len(self.choices) > 1


class Filters:
    """Those of the blocks of many texts, as `gram_filters` gives them."""

    def __init__(self, bounds: Int64s, filters: UInt8s, firsts: Int64s) -> None:
        """`firsts`: where the blocks of each text begin, and last how many blocks there are. Raises ValueError where
        the bounds do not describe slices of `filters`, or the texts none of the blocks."""
        self._bounds, self._filters = checked(bounds, filters)
        self._firsts = frozen(firsts, np.int64)
        if not len(firsts) or firsts[0] != 0 or firsts[-1] != len(bounds) - 1 or (np.diff(firsts) < 0).any():
            raise ValueError("these are not the blocks of texts")

    def __len__(self) -> int:
        """How many texts there are."""
        return len(self._firsts) - 1

    def among(self, wanted: Wanted, chosen: Int64s) -> tuple[Int64s, Int64s]:
        """(bounds int64[len(chosen) + 1], blocks int64[]): the blocks of each of these texts that may have what is
        wanted. Raises IndexError for a text that there is not."""
        chosen = frozen(chosen, np.int64)
        if len(chosen) and not 0 <= int(chosen.min()) <= int(chosen.max()) < len(self):
            raise IndexError(f"there are the filters of {len(self)} texts")
        blocks = np.empty(int((self._firsts[chosen + 1] - self._firsts[chosen]).sum()), dtype=np.int64)
        asked = wanted.hashes, wanted.pair, wanted.alternatives, wanted.choices
        bounds = _among(self._bounds, self._filters, self._firsts, chosen, *asked, blocks)
        return bounds, blocks[: bounds[-1]]


def _hashes(piece: bytes | Beside) -> list[tuple[int, bool]]:
    """(hash, whether it is of a pair) of all that is known of a piece, what tells most first."""
    if isinstance(piece, Beside):
        return [(_hash(b"".join(piece), _IS_BESIDE), False)]
    folded = piece.lower()
    grams = {_hash(folded[start : start + GRAM], 0) for start in range(len(folded) - GRAM + 1)}
    beside = {_hash(left + right, _IS_BESIDE) for left, right in _BESIDE.findall(folded)}
    pairs = {_hash(folded[start : start + PAIR], _IS_PAIR) for start in range(len(folded) - PAIR + 1)}
    return [*((one, False) for one in sorted(grams | beside)), *((one, True) for one in sorted(pairs))]


def _hash(gram: bytes, kind: Any) -> int:
    return ((int.from_bytes(gram, "big") | int(kind)) * int(_FACTOR) & (1 << 64) - 1) >> 32


@kernel
def _width(length: int) -> Any:
    """Of the map in which the grams of so many bytes are counted: eight bits for each, some of which are the same."""
    width = 6
    while width < _COUNTING and (1 << width) < 8 * length:
        width += 1
    return width


@kernel
def _size(different: int) -> Any:
    """Bytes of the filter of so many grams."""
    return (different * _BITS + 8 * _OF - 1) // (8 * _OF)


@leaf
def _counted(value: Any, shift: Any, counted: Any) -> Any:
    """Marks a gram in the map; returns whether it is the first."""
    bit = np.int64(value * _FACTOR >> shift)
    mark = np.uint8(1 << (bit & 7))
    new = (counted[bit >> 3] & mark) == 0
    counted[bit >> 3] |= mark
    return new


@leaf
def _set(value: Any, bits: Any, filters: Any, at: Any) -> None:
    bit = np.int64((value * _FACTOR >> _HALF) * bits >> _HALF)
    filters[at + (bit >> 3)] |= np.uint8(1 << (bit & 7))


@leaf
def _next(byte: Any, value: Any, left: Any, run: Any) -> Any:
    """(the last bytes, the last two of the word before on the line or 0, how long the word has been so far, whether
    this is the second byte of one that has a word before it)."""
    if _WORD[byte]:
        run += 1
    else:
        if byte == _NEWLINE:
            left = np.uint64(0)
        elif run > 0:
            left = value & _PAIR_MASK if run > 1 else np.uint64(0)
        run = 0
    value = (value << _BYTE | np.uint64(_FOLDED[byte])) & _MASK
    return value, left, run, run == 2 and left != 0


@kernel
def _filters(offsets: Any, data: Any, pairs: Any, counted: Any, filters: Any) -> Any:
    bounds = np.zeros(len(offsets), dtype=np.int64)
    for i in range(len(offsets) - 1):
        start, end = offsets[i], offsets[i + 1]
        at = bounds[i]
        width = _width(end - start)
        counted[: 1 << width - 3] = 0
        shift = np.uint64(64 - width)
        different = 0
        value = left = np.uint64(0)
        run = 0
        for p in range(start, end):
            value, left, run, second = _next(data[p], value, left, run)
            if p - start >= GRAM - 1:
                different += _counted(value, shift, counted)
            if second:
                different += _counted(left << _TWO | value & _PAIR_MASK | _IS_BESIDE, shift, counted)
            if pairs[i] and p - start >= PAIR - 1:
                different += _counted(value & _PAIR_MASK | _IS_PAIR, shift, counted)
        bounds[i + 1] = at + _size(different)
        bits = np.uint64(8 * _size(different))
        value = left = np.uint64(0)
        run = 0
        for p in range(start, end):
            value, left, run, second = _next(data[p], value, left, run)
            if p - start >= GRAM - 1:
                _set(value, bits, filters, at)
            if second:
                _set(left << _TWO | value & _PAIR_MASK | _IS_BESIDE, bits, filters, at)
            if pairs[i] and p - start >= PAIR - 1:
                _set(value & _PAIR_MASK | _IS_PAIR, bits, filters, at)
    return bounds


@leaf
def _has(filters: Any, at: Any, bits: Any, hash: Any) -> Any:
    bit = np.int64(hash * bits >> _HALF)
    return (filters[at + (bit >> 3)] >> (bit & 7) & 1) != 0


@kernel
def _among(
    bounds: Any,
    filters: Any,
    firsts: Any,
    chosen: Any,
    hashes: Any,
    pair: Any,
    alternatives: Any,
    choices: Any,
    found: Any,
) -> Any:
    ends = np.zeros(len(chosen) + 1, dtype=np.int64)
    size = 0
    for k in range(len(chosen)):
        first, last = firsts[chosen[k]], firsts[chosen[k] + 1]
        for block in range(first, last):
            at = bounds[block]
            bits = np.uint64(8 * (bounds[block + 1] - at))
            every = True
            for choice in range(len(choices) - 1):
                some = False
                for one in range(choices[choice], choices[choice + 1]):
                    some = True
                    for h in range(alternatives[one], alternatives[one + 1]):
                        if pair[h] and last - first == 1:
                            continue
                        if bits == 0 or not _has(filters, at, bits, hashes[h]):
                            some = False
                            break
                    if some:
                        break
                if not some:
                    every = False
                    break
            if every:
                found[size] = block
                size += 1
        ends[k + 1] = size
    return ends
