"""White space folded away: what stays equal when code is re-indented, re-wrapped at its blank lines or saved as CRLF.

The rule is that of Data Portraits (arXiv 2303.03919, as stack.dataportraits.org applies it to code): a run of white
space with a newline in it becomes one newline, any other run one space, and the ends of a text have none; so leading
and trailing blanks of lines go, and empty lines. Blanks are space, tab, CR, VT and FF; a CR alone (old Macs) is a
blank, not a line end. Spaces of Unicode are left alone: they stand in strings, where they matter.

What a separator becomes depends on that run alone, so the fold of a piece that begins and ends with other bytes is a
piece of the fold: a copy is found wherever it was cut. Cost: bench/kernels.py; the text shrinks to about 0.86.
"""

from typing import Any, NamedTuple

import numpy as np

from starloom.kernels.cache import kernel
from starloom.kernels.text import Int64s, UInt8s, UInt32s, checked, frozen

_NEWLINE, _SPACE = np.uint8(0x0A), np.uint8(0x20)
_TAB, _CR = np.uint8(0x09), np.uint8(0x0D)  # and all between: LF, VT, FF


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

    def of(self, size: int, texts: int) -> tuple[UInt8s, UInt32s, UInt32s]:
        """(folded, position, lines) for so many bytes and texts; only what is filled is touched."""
        gaps = size // 2 + texts + 1  # a gap takes two line ends, or one at the start of a text
        if len(self._folded) < size:
            self._folded = np.empty(size, dtype=np.uint8)
        if self._gaps.shape[1] < gaps:
            self._gaps = np.empty((2, gaps), dtype=np.uint32)
        return self._folded, self._gaps[0], self._gaps[1]


def fold(offsets: Int64s, data: UInt8s) -> tuple[Int64s, UInt8s]:
    """(folded_offsets int64[n + 1], folded uint8[]): every text folded, one after the other."""
    bounds, folded, _ = fold_with_gaps(offsets, data)
    return bounds, folded


def fold_with_gaps(offsets: Int64s, data: UInt8s, room: Room | None = None) -> tuple[Int64s, UInt8s, Gaps]:
    """`fold`, and what lines of a text need to be told from its fold; texts of less than 4 GB. With `room` it holds
    until the next call with the same."""
    offsets, data = checked(offsets, data)
    out, position, lines = (room or Room()).of(int(offsets[-1] - offsets[0]), len(offsets) - 1)
    bounds, gaps = _fold_batch(offsets, data, out, position, lines)
    return bounds, out[: bounds[-1]], Gaps(gaps, position[: gaps[-1]], lines[: gaps[-1]])


def fold_with_map(data: UInt8s) -> tuple[UInt8s, Int64s]:
    """(folded uint8[m], sources int64[m]) of one text: byte k of the fold came from byte sources[k] of the text; a
    separator from the first byte of its run."""
    data = frozen(data, np.uint8)
    out = np.empty(len(data), dtype=np.uint8)
    sources = np.empty(len(data), dtype=np.int64)
    size = _fold_mapped(data, out, sources)
    return out[:size], sources[:size]


@kernel
def _fold_batch(offsets: Any, data: Any, out: Any, position: Any, lines: Any) -> Any:
    n = len(offsets) - 1
    bounds = np.zeros(n + 1, dtype=np.int64)
    gaps = np.zeros(n + 1, dtype=np.int64)
    at = gap = 0
    for i in range(n):
        first = at
        left_out = 0  # line ends of this text so far that the fold has not
        run = 0  # line ends since the last byte that is no white space
        separator = np.uint8(0)
        for p in range(offsets[i], offsets[i + 1]):
            byte = data[p]
            if byte == _SPACE or _TAB <= byte <= _CR:
                run += byte == _NEWLINE
                separator = _SPACE
                continue
            if separator != 0:
                separator = np.uint8(0)
                kept = 0
                if at > first:
                    kept = min(run, 1)
                    out[at] = _NEWLINE if kept else _SPACE
                    at += 1
                if run > kept:
                    left_out += run - kept
                    position[gap], lines[gap] = at - first, left_out
                    gap += 1
                run = 0
            out[at] = byte
            at += 1
        bounds[i + 1] = at
        gaps[i + 1] = gap
    return bounds, gaps


@kernel
def _fold_mapped(data: Any, out: Any, sources: Any) -> int:
    at = 0
    run = 0
    separator = np.uint8(0)
    for p in range(len(data)):
        byte = data[p]
        if byte == _SPACE or _TAB <= byte <= _CR:
            if separator == 0:
                run = p
                separator = _SPACE
            if byte == _NEWLINE:
                separator = _NEWLINE
            continue
        if separator != 0:
            if at > 0:
                out[at] = separator
                sources[at] = run
                at += 1
            separator = np.uint8(0)
        out[at] = byte
        sources[at] = p
        at += 1
    return at
