"""Whether a text has a piece, and the lines that have some, ASCII letters as they are or in any case: without a folded
copy of the text.

Three bytes of the piece are compared at 64 places at once, the rest only where all three are right. Cost: 7 GB/s and
1 us; `in` has 2 GB/s, with `lower` 1.2.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from starloom.kernels.cache import kernel
from starloom.kernels.swar import line_end
from starloom.kernels.text import UInt8s

_BLOCK: Final = 64
_NEWLINE: Final = 0x0A


def seeker(piece: bytes, any_case: bool) -> Callable[[bytes], bool]:
    """Tells of texts whether they have the piece; `any_case`: in lower case, for which it must be in lower case itself.
    Raises ValueError for no piece at all."""
    sought = _array(piece)
    masks = _masks(sought) if any_case else np.zeros(len(sought), dtype=np.uint8)
    return lambda data: len(data) >= len(piece) and _find(_array(data), 0, sought, masks) >= 0


def line_seeker(piece: bytes, others: Sequence[bytes]) -> Callable[[bytes], Iterator[tuple[int, int]]]:
    """Tells of texts which lines, (start, end) without its end, have the piece and all the others, each of which is in
    lower case, in any case. Raises ValueError for no piece, and for one with a line's end."""
    if b"\n" in piece:
        raise ValueError("on no line is a line's end")
    sought, joined = _array(piece), _array(b"\n".join(others) or b"\n")
    masks, joined_masks = _masks(sought), _masks(joined)
    ends = np.cumsum([len(one) + 1 for one in others], dtype=np.int64)

    def lines(data: bytes) -> Iterator[tuple[int, int]]:
        if len(data) < len(piece):
            return
        text, end = _array(data), -1
        while True:
            start, end = _line(text, end + 1, sought, masks, joined, joined_masks, ends)
            if end < 0:
                return
            yield start, end

    return lines


def _array(data: bytes) -> UInt8s:
    if not data:
        raise ValueError("nothing is everywhere")
    return np.frombuffer(data, dtype=np.uint8)


def _masks(piece: UInt8s) -> UInt8s:
    """What makes a letter of either case that of the piece: one bit; of what is no letter nothing."""
    return ((piece >= ord("a")) & (piece <= ord("z"))).astype(np.uint8) << np.uint8(5)


@kernel
def _find(data: Any, first_place: int, piece: Any, masks: Any) -> Any:
    """Where the piece stands first, from a place on; -1: nowhere."""
    end = len(piece) - 1
    middle = end >> 1
    first, second, third = piece[0], piece[middle], piece[end]
    first_mask, second_mask, third_mask = masks[0], masks[middle], masks[end]
    places = len(data) - end
    for start in range(first_place, places, _BLOCK):
        if start + _BLOCK <= places:
            a = data[start : start + _BLOCK]
            b = data[start + middle : start + middle + _BLOCK]
            c = data[start + end : start + end + _BLOCK]
            wrong = np.uint8(1)
            for i in range(_BLOCK):
                other = (a[i] | first_mask) ^ first | (b[i] | second_mask) ^ second | (c[i] | third_mask) ^ third
                wrong = min(wrong, np.uint8(other))
            if wrong != 0:
                continue
        for p in range(start, min(start + _BLOCK, places)):
            k = 0
            while k <= end and (data[p + k] | masks[k]) == piece[k]:
                k += 1
            if k > end:
                return p
    return -1


@kernel
def _line(data: Any, at: int, piece: Any, masks: Any, others: Any, other_masks: Any, ends: Any) -> Any:
    """(start, end) of the first line from `at`, where one begins, that has them all; (-1, -1): none."""
    place = _find(data, at, piece, masks)
    while place >= 0:
        start, end = place, line_end(data, place + len(piece))
        while start > at and data[start - 1] != _NEWLINE:
            start -= 1
        there, first = True, 0
        for k in range(len(ends)):
            last = ends[k] - 1
            if _find(data[start:end], 0, others[first:last], other_masks[first:last]) < 0:
                there = False
                break
            first = ends[k]
        if there:
            return start, end
        at = end + 1
        place = _find(data, at, piece, masks)
    return -1, -1
