"""Byte-pair encoding: texts to ids. Pre-tokens (`pretokens`) that were met before are looked up, the others merged.

Merging goes in rounds: of all merges that the parts allow the first is done wherever it is possible, from the left;
then the first of those that are possible now. That is what Hugging Face's queue does one by one, provided that what a
merge makes takes part in later merges only (`Merges.of` sees to it): then a round opens nothing that should have come
before its end. The ids depend on the pre-token alone: of those up to 15 bytes that give up to four, some 65,000 that
were met last are kept in a table, which changes nothing but the time.

Cost: 100 to 120 MB/s of real code on one core, 60 times Hugging Face's; half of it is merging the 3 % of pre-tokens
that are not in the table. 6 MB of tables; 15 ms to make them for 49,152 tokens.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.cache import kernel
from starloom.kernels.pretokens import kinds, pretokens
from starloom.kernels.text import Int64s, UInt8s, UInt32s, UInt64s, checked, frozen

MOST_IDS: Final = 1 << 21
MOST_MERGES: Final = (1 << 22) - 1
_KEPT_BITS: Final = 16  # of the table of pre-tokens: 2 MB, what a core's own cache holds
_LONGEST: Final = 15  # bytes of a pre-token that is kept: with its length, two words
_KEPT_IDS: Final = 4
_PROBES: Final = 4
PADDING: Final = 16  # bytes after the last text, which save a copy: words are read whole
_AT_ONCE: Final = (1 << 31) - 1  # bytes of a text

# Rounds go over what is left of a pre-token: work can grow as the square of its length. A text gets so many steps, and
# so many for each of its bytes (real code takes less than one); what needs more is left to others.
_PATIENCE, _PATIENCE_A_BYTE = np.int64(1 << 20), np.int64(256)

_NO_MERGE: Final = np.uint32(0xFFFFFFFF)
_FREE: Final = np.uint64(0xFFFFFFFFFFFFFFFF)
_A, _B = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)  # odd: multipliers of hashes
_ZERO, _ONE, _NUMBER = np.uint64(0), np.uint64(1), np.uint64(MOST_MERGES)
_ID_BITS, _MERGE_BITS, _HALF, _LENGTH_AT = np.uint64(21), np.uint64(22), np.uint64(32), np.uint64(56)


class Merges(NamedTuple):
    """Merges as the kernels take them; merge n joins two tokens to made[n], and comes before merge n + 1."""

    of_byte: UInt32s  # [256], the id of each byte
    of_bytes: UInt32s  # [65536], the merge of each two bytes, first byte * 256 + second
    table: UInt64s  # [2**bits], open addressing: left id, right id, merge
    bits: int
    made: UInt32s  # [merges]

    @classmethod
    def of(cls, of_byte: UInt32s, left: UInt32s, right: UInt32s, made: UInt32s) -> "Merges | None":
        """None for merges whose order in rounds might not be that of a queue, or too many."""
        merges, ids = len(made), max(int(part.max(initial=0)) for part in (of_byte, left, right, made)) + 1
        if merges > MOST_MERGES or ids > MOST_IDS or len(np.unique(of_byte)) != 256:
            return None
        last = np.full(ids, -1, dtype=np.int64)  # the last merge that makes each
        np.maximum.at(last, made, np.arange(merges))
        if (last[of_byte] >= 0).any() or (np.maximum(last[left], last[right]) >= np.arange(merges)).any():
            return None
        if len(np.unique(left.astype(np.int64) * ids + right)) != merges:
            return None
        byte = np.full(ids, -1, dtype=np.int64)
        byte[of_byte] = np.arange(256)
        both = np.flatnonzero((byte[left] >= 0) & (byte[right] >= 0))
        of_bytes = np.full(1 << 16, _NO_MERGE, dtype=np.uint32)
        of_bytes[byte[left[both]] * 256 + byte[right[both]]] = both
        bits = max((2 * merges - 1).bit_length(), 1)
        table = np.full(1 << bits, _FREE, dtype=np.uint64)
        _fill(frozen(left, np.uint32), frozen(right, np.uint32), table, bits)
        parts = (frozen(of_byte, np.uint32), frozen(of_bytes, np.uint32), frozen(table, np.uint64))
        return cls(*parts, bits, frozen(made, np.uint32))


class Encoded(NamedTuple):
    """ids[bounds[i] : bounds[i + 1]] are those of text i; none where `done` is False, whatever the text."""

    ids: UInt32s
    bounds: Int64s
    done: NDArray[np.bool_]


class Encoder:
    """Merges, and the pre-tokens last met. One thread at a time."""

    def __init__(self, merges: Merges) -> None:
        self._merges = merges
        # Each row: up to 7 bytes and 8 more with the length on top, then four ids.
        self._kept = np.zeros((1 << _KEPT_BITS, 4), dtype=np.uint64)

    def encode(self, offsets: Int64s, data: UInt8s) -> Encoded:
        """The ids of every text. Not done: texts with characters that are newer than `pretokens` knows, texts that take
        more than a fair time, texts of more than 2 GB. Memory: four bytes for each byte of text, of which the pages
        that hold ids are touched; and fourteen for each byte of the longest text."""
        offsets, data = checked(offsets, data)
        size = int(offsets[-1] - offsets[0])
        if len(data) - offsets[-1] < PADDING:
            data = frozen(np.concatenate([data[offsets[0] : offsets[-1]], np.zeros(PADDING, np.uint8)]), np.uint8)
            offsets = frozen(offsets - offsets[0], np.int64)
        # The eight bytes at each offset as one number: an array of words that overlap, which Numba knows as unaligned.
        words = np.ndarray((len(data) - 7,), np.dtype("<u8"), data.data, strides=(1,))
        ids = np.empty(size, dtype=np.uint32)
        bounds, done = np.zeros(len(offsets), dtype=np.int64), np.ones(len(offsets) - 1, dtype=np.bool_)
        kept = self._kept
        of_byte, of_bytes, table, bits, made = self._merges
        _encode(
            offsets, data, words, kinds(), of_byte, of_bytes, table, bits, made, _MASKS, kept,
            kept.view(np.uint32), ids, bounds, done
        )  # fmt: skip
        return Encoded(ids[: bounds[-1]], bounds, done)


def _masks() -> UInt64s:
    """uint64[16, 2]: what to keep of two words for each length."""
    rows = [bytes([255]) * length + bytes(16 - length) for length in range(_LONGEST + 1)]
    return frozen(np.frombuffer(b"".join(rows), dtype="<u8").reshape(-1, 2), np.uint64)


_MASKS = _masks()


@kernel
def _fill(left: Any, right: Any, table: Any, bits: Any) -> None:
    last = np.uint64(len(table) - 1)
    for number in range(len(left)):
        key = (np.uint64(left[number]) << _ID_BITS) | np.uint64(right[number])
        slot = (key * _A) >> np.uint64(64 - bits)
        while table[slot] != _FREE:
            slot = (slot + _ONE) & last
        table[slot] = (key << _MERGE_BITS) | np.uint64(number)


@kernel
def _merge_of(left: Any, right: Any, table: Any, bits: Any) -> Any:
    key = (np.uint64(left) << _ID_BITS) | np.uint64(right)
    last = np.uint64(len(table) - 1)
    slot = (key * _A) >> np.uint64(64 - bits)
    while table[slot] != _FREE:
        if (table[slot] >> _MERGE_BITS) == key:
            return np.uint32(table[slot] & _NUMBER)
        slot = (slot + _ONE) & last
    return _NO_MERGE


@kernel
def _merged(text: Any, of_byte: Any, of_bytes: Any, table: Any, bits: Any, made: Any, parts: Any, next: Any) -> Any:
    """(how many ids a pre-token has, the steps it took); the ids are the first of `parts`. next[i]: the merge of parts
    i and i + 1."""
    count, steps = len(text), np.int64(len(text))
    best = _NO_MERGE
    for i in range(count - 1):
        parts[i] = of_byte[text[i]]
        next[i] = of_bytes[np.int64(text[i]) * 256 + np.int64(text[i + 1])]
        best = min(best, next[i])
    parts[count - 1] = of_byte[text[count - 1]]
    most = _PATIENCE + _PATIENCE_A_BYTE * count
    while best != _NO_MERGE and steps < most:
        steps += count
        token, least = made[best], _NO_MERGE
        at: Any = 0
        to: Any = 0
        joined_before: Any = False
        while at < count:
            joined: Any = at + 1 < count and next[at] == best
            part = token if joined else parts[at]
            if to > 0:
                merge = next[at - 1]
                if joined or joined_before:
                    merge = _merge_of(parts[to - 1], part, table, bits)
                next[to - 1] = merge
                least = min(least, merge)
            parts[to] = part
            to += 1
            at += 2 if joined else 1
            joined_before = joined
        count, best = to, least
    return count if best == _NO_MERGE else -1, steps


@kernel
def _encode(
    offsets: Any, data: Any, words: Any, kinds: Any, of_byte: Any, of_bytes: Any, table: Any, bits: Any, made: Any,
    masks: Any, kept: Any, kept_ids: Any, ids: Any, bounds: Any, done: Any
) -> None:  # fmt: skip
    longest = np.int64(0)
    for i in range(len(done)):
        done[i] = offsets[i + 1] - offsets[i] <= _AT_ONCE
        if done[i]:
            longest = max(longest, offsets[i + 1] - offsets[i])
    kind, begins = np.empty(longest + 2, dtype=np.uint8), np.empty(longest, dtype=np.uint8)
    stops = np.empty(longest + 1, dtype=np.int32)
    parts, next = np.empty(longest, dtype=np.uint32), np.empty(longest, dtype=np.uint32)
    last = np.uint64(len(kept) - 1)
    out = np.int64(0)
    for i in range(len(done)):
        bounds[i] = out
        text = data[offsets[i] : offsets[i + 1]]
        count = pretokens(text, kinds, kind, begins, stops) if done[i] else np.int64(-1)
        if count < 0:
            done[i] = False
            continue
        patience = _PATIENCE + _PATIENCE_A_BYTE * len(text)
        for j in range(count):
            at, end = np.int64(stops[j]), np.int64(stops[j + 1])
            size = end - at
            if size == 1:
                ids[out] = of_byte[text[at]]
                out += 1
                continue
            slot = low = high = _ZERO
            if size <= _LONGEST:
                low = words[offsets[i] + at] & masks[size, 0]
                high = (words[offsets[i] + at + 8] & masks[size, 1]) | (np.uint64(size) << _LENGTH_AT)
                mixed = (low * _A) ^ (high * _B)
                mixed ^= mixed >> _HALF
                first = ((mixed * _A) >> _HALF) & last
                slot = first
                for _ in range(_PROBES):
                    if (kept[slot, 0] == low and kept[slot, 1] == high) or kept[slot, 1] == _ZERO:
                        break
                    slot = (slot + _ONE) & last
                else:
                    slot = first  # all taken: the first makes room
                if kept[slot, 0] == low and kept[slot, 1] == high:
                    for k in range(_KEPT_IDS):
                        if kept_ids[slot, 4 + k] == _NO_MERGE:
                            break
                        ids[out] = kept_ids[slot, 4 + k]
                        out += 1
                    continue
            found, steps = _merged(text[at:end], of_byte, of_bytes, table, bits, made, parts, next)
            patience -= steps
            if found < 0 or patience < 0:
                done[i] = False
                break
            if size <= _LONGEST and found <= _KEPT_IDS:
                kept[slot, 0], kept[slot, 1] = low, high
                for k in range(_KEPT_IDS):
                    kept_ids[slot, 4 + k] = parts[k] if k < found else _NO_MERGE
            for k in range(found):
                ids[out + k] = parts[k]
            out += found
        if not done[i]:
            out = bounds[i]
    bounds[-1] = out
