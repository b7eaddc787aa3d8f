"""White space folded away: what stays equal when code is re-indented, re-wrapped at its blank lines or saved as CRLF.

The rule is that of Data Portraits (arXiv 2303.03919, as stack.dataportraits.org applies it to code): a run of white
space with a newline in it becomes one newline, any other run one space, and the ends of a text have none; so leading
and trailing blanks of lines go, and empty lines. Blanks are space, tab, CR, VT and FF; a CR alone (old Macs) is a
blank, not a line end. Spaces of Unicode are left alone: they stand in strings, where they matter.

What a separator becomes depends on that run alone, so the fold of a piece that begins and ends with other bytes is a
piece of the fold: a copy is found wherever it was cut. The text shrinks to about 0.86.

Cost: 1.2 GB/s. Most white space is one space or one line end between words and stays as it is, so what lies between two
runs that change is copied whole, and bits (`kernels/bits`) tell where the next such run begins and ends.
"""

from typing import Any, NamedTuple

import numpy as np

from starloom.kernels.bits import ONE, ZERO, count, first_with, first_without, words_of
from starloom.kernels.cache import kernel, leaf
from starloom.kernels.counting import newlines
from starloom.kernels.swar import copied
from starloom.kernels.text import Int64s, UInt8s, UInt32s, UInt64s, checked, frozen
from starloom.kernels.vectors import BITS, between, equal, last

_NEWLINE, _SPACE = np.uint8(0x0A), np.uint8(0x20)
_TAB, _CR = np.uint8(0x09), np.uint8(0x0D)  # and all between: LF, VT, FF
_63 = np.uint64(63)
_NONE = -1  # no byte
_MORE = 32  # bytes that `copied` may write beyond the end


class Gaps(NamedTuple):
    """Where a fold left line ends out: those of text i are offsets[i] to offsets[i + 1].

    `position`: a byte of the text's fold from which on `lines` more line ends of the text stand before it than of its
    fold, ascending.
    """

    offsets: Int64s
    position: UInt32s
    lines: UInt32s


class Room:
    """Where `fold_with_gaps` writes, kept from one call to the next: fresh memory costs the system's time."""

    def __init__(self) -> None:
        self._folded = np.empty(0, dtype=np.uint8)
        self._gaps = np.empty((2, 0), dtype=np.uint32)
        self._bits = np.empty((3, 0), dtype=np.uint64)

    def of(self, size: int, texts: int) -> tuple[UInt8s, UInt32s, UInt32s]:
        """(folded, position, lines) for so many bytes and texts; only what is filled is touched."""
        gaps = size // 2 + texts + 1  # a gap takes two line ends, or one at the start of a text
        if len(self._folded) < size + _MORE:
            self._folded = np.empty(size + _MORE, dtype=np.uint8)
        if self._gaps.shape[1] < gaps:
            self._gaps = np.empty((2, gaps), dtype=np.uint32)
        return self._folded, self._gaps[0], self._gaps[1]

    def bits(self, size: int) -> tuple[UInt64s, UInt64s, UInt64s]:
        """(white, line_ends, changes) for so many bytes, see `marked`."""
        words = words_of(size)
        if self._bits.shape[1] < words:
            self._bits = np.empty((3, words), dtype=np.uint64)
        return self._bits[0, :words], self._bits[1, :words], self._bits[2, :words]


def fold(offsets: Int64s, data: UInt8s, behind: int = _NONE) -> tuple[Int64s, UInt8s]:
    """(folded_offsets int64[n + 1], folded uint8[]): every text folded, one after the other, and behind each, where it
    is given, that byte."""
    bounds, folded, _ = _folded(offsets, data, Room(), behind)
    return bounds, folded


def fold_with_gaps(offsets: Int64s, data: UInt8s, room: Room | None = None) -> tuple[Int64s, UInt8s, Gaps]:
    """`fold`, and what lines of a text need to be told from its fold; texts of less than 4 GB. With `room` it holds
    until the next call with the same."""
    return _folded(offsets, data, room or Room(), _NONE)


def _folded(offsets: Int64s, data: UInt8s, room: Room, behind: int) -> tuple[Int64s, UInt8s, Gaps]:
    offsets, data = checked(offsets, data)
    data = data[offsets[0] : offsets[-1]]
    texts = len(offsets) - 1
    out, position, lines = room.of(len(data) + texts, texts)
    bits = room.bits(len(data))
    marked(data, *bits)
    bounds, gaps = _fold_batch(offsets - offsets[0], data, *bits, out, position, lines, behind)
    return bounds, out[: bounds[-1]], Gaps(gaps, position[: gaps[-1]], lines[: gaps[-1]])


def fold_with_map(data: UInt8s) -> tuple[UInt8s, Int64s]:
    """(folded uint8[m], sources int64[m]) of one text: byte k of the fold came from byte sources[k] of the text; a
    separator from the first byte of its run."""
    data = frozen(data, np.uint8)
    out = np.empty(len(data) + _MORE, dtype=np.uint8)
    sources = np.empty(len(data), dtype=np.int64)
    bits = Room().bits(len(data))
    marked(data, *bits)
    size = _fold_mapped(data, *bits, out, sources)
    return out[:size], sources[:size]


def lines_of(
    text: UInt8s, position: UInt32s, lines: UInt32s, starts: Int64s, first_gap: Int64s, gap_count: UInt32s, at: Int64s
) -> Int64s:
    """int64[n]: on which lines of their texts, counted from 1, bytes `at` of folds stand.

    The fold asked about in question i begins at starts[i] in `text`, its gaps, so many, at first_gap[i] in `position`
    and `lines`. Each fold is read once at most, however many of its bytes are asked about. Raises ValueError for what
    lies outside.
    """
    text, position, lines = frozen(text, np.uint8), frozen(position, np.uint32), frozen(lines, np.uint32)
    columns = [frozen(one, np.int64) for one in (starts, first_gap, gap_count, at)]
    starts, first_gap, gap_count, at = columns
    if len(at) and (
        min(int(one.min()) for one in columns) < 0
        or (starts + at).max() >= len(text)
        or (first_gap + gap_count).max() > min(len(position), len(lines))
    ):
        raise ValueError("a byte or a gap lies outside the texts")
    found = np.empty(len(at), dtype=np.int64)
    order = np.argsort(starts + at)  # by fold, and in it by byte
    _lines_of(text, position, lines, starts, first_gap, first_gap + gap_count, at, order, found)
    return found


@kernel
def _lines_of(
    text: Any, position: Any, lines: Any, starts: Any, gaps: Any, stops: Any, at: Any, order: Any, found: Any
) -> None:
    start, reached, before = -1, 0, 0  # the fold read last, up to where, and how many line ends are before that
    for k in order:
        if starts[k] != start:
            start, reached, before = starts[k], 0, 0
        before += newlines(text[start + reached : start + at[k]])
        reached = at[k]
        found[k] = 1 + before + _left_out(position, lines, gaps[k], stops[k], at[k])


@leaf
def _left_out(position: Any, lines: Any, gap: Any, stop: Any, byte: Any) -> Any:
    """What the last of the gaps `gap` to `stop` at or before `byte` says; 0 if none is."""
    low, high = gap, stop
    while low < high:
        middle = (low + high) >> 1
        if position[middle] <= byte:
            low = middle + 1
        else:
            high = middle
    return np.int64(lines[low - 1]) if low > gap else 0


@kernel
def marked(data: Any, white: Any, line_ends: Any, changes: Any) -> None:
    """A bit for each byte: is it white space, is it a line end, and does a run of white space begin there that is
    anything but one space or one line end."""
    tail = np.empty(BITS, dtype=np.uint8)
    last(data, tail)
    for word in range(len(white)):
        if (word + 1) * BITS <= len(data):
            spaces, controls, line_ends[word] = _kinds(data, word * BITS)
        else:
            spaces, controls, line_ends[word] = _kinds(tail, 0)
        white[word], changes[word] = spaces | controls, controls & ~line_ends[word]
    before = ZERO
    for word in range(len(white)):
        run = white[word]
        after = white[word + 1] << _63 if word + 1 < len(white) else ZERO
        begins = run & ~(run << ONE | before >> _63)
        changes[word] = begins & (run >> ONE | after | changes[word])
        before = run


@leaf
def _kinds(text: Any, at: Any) -> Any:
    """(space, tab to CR, line end): a bit for each of 64 bytes."""
    return equal(text, at, _SPACE), between(text, at, _TAB, _CR - _TAB + 1), equal(text, at, _NEWLINE)


@kernel
def _fold_batch(
    offsets: Any, data: Any, white: Any, line_ends: Any, changes: Any, out: Any, position: Any, lines: Any, behind: Any
) -> Any:
    # Bits know nothing of where texts begin: a run over an end is cut there.
    n = len(offsets) - 1
    bounds = np.zeros(n + 1, dtype=np.int64)
    gaps = np.zeros(n + 1, dtype=np.int64)
    at = gap = 0
    for i in range(n):
        first, stop = at, offsets[i + 1]
        start = first_without(white, offsets[i], stop)  # of what is not copied yet
        left_out = count(line_ends, offsets[i], start)  # line ends of this text so far that the fold has not
        if left_out > 0 and start < stop:
            position[gap], lines[gap] = 0, left_out
            gap += 1
        while start < stop:
            run = first_with(changes, start, stop)
            copied(data, start, run, out, at)
            at += run - start
            start = first_without(white, run, stop)
            if start == stop:
                break
            ends = count(line_ends, run, start)
            out[at] = _NEWLINE if ends > 0 else _SPACE
            at += 1
            if ends > 1:
                left_out += ends - 1
                position[gap], lines[gap] = at - first, left_out
                gap += 1
        if at > first and (out[at - 1] == _SPACE or out[at - 1] == _NEWLINE):
            at -= 1  # one alone at the end, which changed nothing before
        if behind >= 0:
            out[at] = behind
            at += 1
        bounds[i + 1] = at
        gaps[i + 1] = gap
    return bounds, gaps


@kernel
def _fold_mapped(data: Any, white: Any, line_ends: Any, changes: Any, out: Any, sources: Any) -> int:
    stop = len(data)
    at = 0
    start = first_without(white, 0, stop)
    while start < stop:
        run = first_with(changes, start, stop)
        copied(data, start, run, out, at)
        for k in range(run - start):
            sources[at + k] = start + k
        at += run - start
        start = first_without(white, run, stop)
        if start == stop:
            break
        out[at] = _NEWLINE if count(line_ends, run, start) > 0 else _SPACE
        sources[at] = run
        at += 1
    if at > 0 and (out[at - 1] == _SPACE or out[at - 1] == _NEWLINE):
        at -= 1  # see `_fold_batch`
    return at
