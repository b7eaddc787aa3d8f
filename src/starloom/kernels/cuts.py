"""Large texts cut into blocks of whole lines, each with a filter of what it has: of one is unpacked only what may
have what is sought.

A cut text is, in numbers of four bytes, the lowest first: how many blocks; of each its bytes of text, of LZ4, of its
filter of pairs and of its filter of fours; then all filters, pairs before fours; then all blocks of LZ4. A filter is
one bit for each different pair or four of bytes of a line, ASCII letters folded and a run of blanks as a space
(`blanks`), so many bits for each: one that is not there is taken for one that is in two cases of five, and in half of
all. What stands on one line stands in one block.
Cost: 100 MB/s to make; 20 to 60 ns to ask one filter.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, pairwise
from typing import Any, Final

import numpy as np

from starloom.kernels.blanks import SPACE, closed_up, folding
from starloom.kernels.cache import kernel, leaf
from starloom.kernels.lz4 import ROOM, byte, unpack
from starloom.kernels.text import Int64s, UInt8s, UInt64s, frozen

LARGE: Final = 1 << 14  # bytes of a text, above which it is worth it
BLOCK: Final = 1 << 12  # bytes of text, where lines are shorter
HEAD: Final = 16  # bytes that say what a block has
PAIR, FOUR = 2, 4
_PAIR_BITS, _FOUR_BITS = 2, 4 / 3  # for each that is different
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)  # of a multiplicative hash, the upper 32 bits of which are taken
_HALF, _BYTE = np.uint64(32), np.uint64(8)
_LAST, _LOW, _PAIR_MASK = np.uint64(0xFF), np.uint64(0xFFFFFFFF), np.uint64(0xFFFF)
_IS_PAIR: Final = np.uint64(1 << 32)  # of a question
_COUNTED: Final = 1 << 17  # fours of a block are told apart by so many hashes
_FOLDED: Final = folding(lines_too=False)
_NEWLINE: Final = 0x0A


def cut(text: bytes, compress: Callable[[bytes], bytes]) -> bytes:
    """The cut text. `compress`: makes a block of LZ4."""
    data = np.frombuffer(text, np.uint8)
    ends, sizes = np.empty(most_blocks(len(text)), np.int64), np.empty((most_blocks(len(text)), 2), np.int64)
    filters = np.zeros(len(text) // 2 + 2 * len(ends), np.uint8)
    seen = np.zeros(_COUNTED + (1 << 16), np.int32)
    many, size = _cut(frozen(data, np.uint8), seen, ends, sizes, filters)
    bounds = [0, *ends[:many].tolist()]
    blocks = [compress(text[start:end]) for start, end in pairwise(bounds)]
    heads = np.empty((many, 4), "<u4")
    heads[:, 0], heads[:, 1], heads[:, 2:] = np.diff(bounds), [len(one) for one in blocks], sizes[:many]
    return b"".join([many.to_bytes(4, "little"), heads.tobytes(), filters[:size].tobytes(), *blocks])


def whole(packed: Any, size: int) -> bytes | None:
    """The text of a cut text, which is bytes or some other buffer, `size` bytes; None where it is no such text."""
    out = np.empty(max(size, 0) + ROOM, np.uint8)
    data = frozen(np.frombuffer(packed, np.uint8), np.uint8)
    return out[:size].tobytes() if _whole(data, np.empty(most_blocks(size), np.uint8), out, size) else None


def most_blocks(size: int) -> int:
    """How many blocks a text of so many bytes has at most: two together are longer than one may be."""
    return 2 * (max(size, 0) // BLOCK) + 2


def questions(piece: bytes) -> list[int]:
    """What is asked of the filters of a block that may have a piece, ASCII letters in any case; nothing, where that is
    more than may stand in one block, or too short."""
    if b"\n" in piece:
        return []
    piece = closed_up(piece, lines_too=False)
    fours = {_hash(piece[at : at + FOUR]) for at in range(len(piece) - FOUR + 1)}
    pairs = {_hash(piece[at : at + PAIR]) | int(_IS_PAIR) for at in range(len(piece) - PAIR + 1)}
    return [*sorted(pairs), *sorted(fours)]  # what is less often taken for being there first


def _hash(gram: bytes) -> int:
    return (int.from_bytes(gram, "big") * int(_FACTOR) & (1 << 64) - 1) >> 32


@kernel
def _cut(data: UInt8s, seen: Any, ends: Int64s, sizes: Any, filters: UInt8s) -> Any:
    """(how many blocks, how many bytes their filters are)"""
    many = start = at = 0
    while start < len(data):
        end = _block_end(data, start)
        ends[many] = end
        many += 1
        pairs, fours = _different(data, start, end, seen, many)
        pair_size = (pairs * _PAIR_BITS + 7) // 8
        four_size = (int(fours * _FOUR_BITS) + 8) // 8 if fours else 0
        _fill(data, start, end, filters[at : at + pair_size], filters[at + pair_size : at + pair_size + four_size])
        sizes[many - 1, 0], sizes[many - 1, 1] = pair_size, four_size
        at += pair_size + four_size
        start = end
    return many, at


@leaf
def _block_end(data: Any, start: Any) -> Any:
    """Behind the last line that ends within BLOCK bytes, or behind the first that does."""
    if len(data) - start <= BLOCK:
        return len(data)
    end = start + BLOCK
    while end > start and data[end - 1] != _NEWLINE:
        end -= 1
    if end == start:
        end = start + BLOCK
        while end < len(data) and data[end - 1] != _NEWLINE:
            end += 1
    return end


@leaf
def _different(data: Any, start: Any, end: Any, seen: Any, number: Any) -> Any:
    """How many different pairs there are, and fours."""
    pairs = fours = 0
    value, passed = np.uint64(0), 0
    for p in range(start, end):
        value, passed = _after(value, passed, _FOLDED[data[p]])
        if passed >= PAIR:
            place = np.int64(value & _PAIR_MASK)
            pairs += seen[place] != number
            seen[place] = number
        if passed >= FOUR:
            place = (1 << 16) + np.int64((value * _FACTOR >> _HALF) * np.uint64(_COUNTED) >> _HALF)
            fours += seen[place] != number
            seen[place] = number
    return pairs, fours


@leaf
def _fill(data: Any, start: Any, end: Any, pairs: Any, fours: Any) -> None:
    value, passed = np.uint64(0), 0
    for p in range(start, end):
        value, passed = _after(value, passed, _FOLDED[data[p]])
        if passed >= PAIR:
            bit = _bit((value & _PAIR_MASK) * _FACTOR >> _HALF, len(pairs))
            pairs[bit >> 3] |= np.uint8(1 << (bit & 7))
        if passed >= FOUR:
            bit = _bit(value * _FACTOR >> _HALF, len(fours))
            fours[bit >> 3] |= np.uint8(1 << (bit & 7))


@leaf
def _after(value: Any, passed: Any, byte: Any) -> Any:
    """(the last four bytes of a line, how many have passed) after one more; a blank behind a blank is none."""
    if byte == _NEWLINE:
        return np.uint64(0), 0
    if byte == SPACE and value & _LAST == SPACE:
        return value, passed
    return (value << _BYTE | np.uint64(byte)) & _LOW, passed + 1


@leaf
def _bit(hashed: Any, size: Any) -> Any:
    return np.int64(hashed * np.uint64(8 * size) >> _HALF)


# Asked


@leaf
def number(data: Any, at: Any) -> Any:
    """Four bytes, the lowest first."""
    return byte(data, at) | byte(data, at + 1) << 8 | byte(data, at + 2) << 16 | byte(data, at + 3) << 24


@leaf
def blocks_of(data: Any, start: Any, stop: Any, most: Any) -> Any:
    """How many blocks the cut text data[start:stop] has, `most` at most; -1 where it is none, or not in `data`."""
    if not (0 <= start <= stop - 4 and stop <= len(data)):
        return -1
    many = number(data, start)
    if many > most or many * HEAD > stop - start - 4:
        return -1
    size = 4 + many * HEAD
    for block in range(many):
        head = start + 4 + block * HEAD
        size += number(data, head + 4) + number(data, head + 8) + number(data, head + 12)
    return many if size == stop - start else -1


@leaf
def may_have(data: Any, at: Any, head: Any, asked: Any, first: Any, last: Any) -> Any:
    """Whether a block, the filters of which are at a place, may have what asked[first:last] asks. `head`: where the
    cut text says what it has."""
    pairs, fours = number(data, head + 8), number(data, head + 12)
    for k in range(first, last):
        if asked[k] >= _IS_PAIR:
            place, size = at, pairs
        else:
            place, size = at + pairs, fours
        bit = _bit(asked[k] & _LOW, size)
        if size == 0 or byte(data, place + (bit >> 3)) >> (bit & 7) & 1 == 0:
            return False
    return True


@leaf
def unpack_some(data: Any, start: Any, many: Any, chosen: Any, out: Any, most: Any) -> Any:
    """The blocks of a cut text of so many (see `blocks_of`) that are chosen, one after the other in `out`: how many
    bytes they are; -1 where one is none, or they are more than `most`."""
    at = start + 4 + many * HEAD
    for block in range(many):
        head = start + 4 + block * HEAD
        at += number(data, head + 8) + number(data, head + 12)
    size = 0
    for block in range(many):
        head = start + 4 + block * HEAD
        length, packed = number(data, head), number(data, head + 4)
        if chosen[block]:
            if length > most - size or not unpack(data, at, at + packed, out[size:], length):
                return -1
            size += length
        at += packed
    return size


@kernel
def _whole(data: UInt8s, chosen: UInt8s, out: UInt8s, size: int) -> bool:
    many = blocks_of(data, 0, len(data), len(chosen))
    chosen[:] = 1
    return many >= 0 and unpack_some(data, 0, many, chosen, out, size) == size  # type: ignore[no-any-return]


def packed_questions(
    groups: Sequence[Sequence[bytes]], in_turn: Sequence[Sequence[bytes]]
) -> tuple[UInt64s, Int64s, Int64s]:
    """(questions, where those of each piece end, where the pieces of each group end). `in_turn`: more groups, each
    asked for where those of these before it may stand, so that nothing is asked twice."""
    asked = [questions(piece) for group in groups for piece in group]
    known: set[int] = set()
    for group in in_turn:
        asked += [[one for one in questions(piece) if one not in known] for piece in group]
        known |= set(asked[-1]) if len(group) == 1 else set()
    groups = [*groups, *in_turn]
    every = np.frombuffer(array("Q", [one for some in asked for one in some]).tobytes(), np.uint64)
    return every, ends_of(map(len, asked)), ends_of(map(len, groups))


def ends_of(sizes: Iterable[int]) -> Int64s:
    """Where each of some things of these sizes ends, that stand one behind the other; first the beginning."""
    return np.frombuffer(array("q", accumulate(sizes, initial=0)).tobytes(), np.int64)
