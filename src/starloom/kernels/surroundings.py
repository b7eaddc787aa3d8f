"""How far around pieces of texts is looked, so that what reaches into a piece is seen whole.

As far as `wide` characters on both sides where a mark stands there, of things that may be so long. Elsewhere `near`
characters, from there to the end of a word of at most `word`, a quarter of `near` more, and not beyond `lines` lines.
`privacy.hidden` says why, and is the same in plain Python. Cost: what is looked at for marks, twice `wide`; the rest is
some hundred bytes.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from starloom.kernels.cache import kernel, leaf
from starloom.kernels.moves import back, continues, forward
from starloom.kernels.text import UInt8s, frozen
from starloom.kernels.vectors import BITS, equal, lowest

_NEWLINE = np.uint8(0x0A)
_ONE = np.uint64(1)


class Reach(NamedTuple):
    """In characters, but for `lines`."""

    wide: int
    near: int
    word: int
    lines: int


class Piece(NamedTuple):
    """data[start:end] of a text in UTF-8, data[begin:stop]."""

    begin: int
    stop: int
    start: int
    end: int


class Surroundings:
    """`marks`: of at least two bytes each."""

    def __init__(self, reach: Reach, marks: Sequence[str]) -> None:
        some = [mark.encode() for mark in marks]
        if min(map(len, some), default=2) < 2:
            raise ValueError("a mark has two bytes")
        self.reach = frozen(np.array(reach), np.int64)
        self.marks = np.frombuffer(b"".join(some), np.uint8)
        self.bounds = frozen(np.cumsum([0, *map(len, some)]), np.int64)

    def around(self, pieces: Sequence[Piece], data: UInt8s) -> list[list[int]]:
        """(first, last) of each piece: in data[first:last] is looked. Raises ValueError for one that is not in its
        text, and for a text that is not in `data`."""
        bounds = np.array(pieces, np.int64).reshape(-1, 4)
        found = np.empty((len(bounds), 2), np.int64)
        if not _around(bounds, frozen(data, np.uint8), self.reach, self.marks, self.bounds, found):
            raise ValueError("a piece is not in its text")
        return found.tolist()


@kernel
def _around(pieces: Any, data: Any, reach: Any, marks: Any, bounds: Any, found: Any) -> bool:
    wide, near, word, lines = reach[0], reach[1], reach[2], reach[3]
    for i in range(len(pieces)):
        begin, stop = pieces[i, 0], pieces[i, 1]
        if not 0 <= begin <= pieces[i, 2] <= pieces[i, 3] <= stop <= len(data):
            return False
        text = data[begin:stop]
        start, end = pieces[i, 2] - begin, pieces[i, 3] - begin
        first, last = back(text, 0, start, wide), forward(text, end, len(text), wide)
        if not _marked(text, first, last, marks, bounds):
            first = max(_words_before(text, start, near, word), _lines_before(text, start, lines, wide))
            last = min(_words_behind(text, end, near, word), _lines_behind(text, end, lines, wide))
        found[i, 0], found[i, 1] = begin + first, begin + last
    return True


@leaf
def _marked(text: Any, first: Any, last: Any, marks: Any, bounds: Any) -> bool:
    """Whether text[first:last] has one of the marks."""
    at = first
    while at < last - 1:
        if at + BITS < last:
            bits = np.uint64(0)
            for k in range(len(bounds) - 1):
                bits |= equal(text, at, marks[bounds[k]]) & equal(text, at + 1, marks[bounds[k] + 1])
            while bits:
                if _stands(text, at + lowest(bits), last, marks, bounds):
                    return True
                bits &= bits - _ONE
            at += BITS
        else:
            if _stands(text, at, last, marks, bounds):
                return True
            at += 1
    return False


@leaf
def _stands(text: Any, at: Any, last: Any, marks: Any, bounds: Any) -> bool:
    for k in range(len(bounds) - 1):
        size = bounds[k + 1] - bounds[k]
        p = 0
        if at + size <= last:
            while p < size and text[at + p] == marks[bounds[k] + p]:
                p += 1
        if p == size:
            return True
    return False


@leaf
def _is_blank(byte: Any) -> bool:
    return bool(byte == 0x20 or byte == 0x0A or byte == 0x09)


@leaf
def _words_before(text: Any, start: Any, near: Any, word: Any) -> Any:
    p = back(text, 0, start, near)
    for _ in range(word):
        if p == 0:
            break
        p = back(text, 0, p, 1)
        if _is_blank(text[p]):
            return back(text, 0, p, near // 4)
    return 0


@leaf
def _words_behind(text: Any, end: Any, near: Any, word: Any) -> Any:
    p = forward(text, end, len(text), near)
    for _ in range(word):
        if p == len(text) or _is_blank(text[p]):
            break
        p = forward(text, p, len(text), 1)
    return forward(text, p, len(text), near // 4)


@leaf
def _lines_before(text: Any, start: Any, lines: Any, wide: Any) -> Any:
    """The line end so many lines before; where there are not so many, so many characters before."""
    p, left = start, wide
    while p > 0 and left > 0:
        p -= 1
        left -= not continues(text[p])
        if text[p] == _NEWLINE:
            lines -= 1
            if lines == 0:
                break
    return p


@leaf
def _lines_behind(text: Any, end: Any, lines: Any, wide: Any) -> Any:
    """The same of those behind; a line end that the piece is followed by does not count."""
    p, left = end, wide
    while p < len(text) and left > 0:
        if text[p] == _NEWLINE and p > end:
            lines -= 1
            if lines == 0:
                break
        p += 1
        while p < len(text) and continues(text[p]):
            p += 1
        left -= 1
    return p
