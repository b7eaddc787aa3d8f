"""Candidates confirmed on the text and grown to both sides.

A candidate says that a tile of the query stands in a text too, by its hash. Its bytes are compared, and those around it
as far as they agree. Of a copied stretch every tile is a candidate, so what was found last is remembered for each
diagonal (how far ahead of the query's byte that of the text is): candidates inside it cost one look at a table.
"""

from typing import Any, NamedTuple

import numpy as np

from starloom.kernels import slots
from starloom.kernels.cache import kernel
from starloom.kernels.stretches import Stretches
from starloom.kernels.swar import eight, same_after, same_before
from starloom.kernels.text import Int64s, UInt8s, UInt32s, frozen
from starloom.kernels.tiles import WIDTH

_OUTSIDE = -1
_BLOCK = 256


class Texts(NamedTuple):
    """Text i is the sizes[i] bytes of `folded` from starts[i] on. Read-only and in one piece."""

    starts: Int64s
    sizes: UInt32s
    folded: UInt8s


def grown(query: UInt8s, texts: Texts, file: Int64s, offset: Int64s, position: Int64s, width: int = WIDTH) -> Stretches:
    """The longest equal stretch around each candidate: bytes offset to offset + width of `query` against the same from
    `position` of a text.

    A candidate whose bytes differ gives none; those of one stretch give it once. Raises ValueError for a candidate
    outside the texts.
    """
    if (offset[1:] < offset[:-1]).any():
        order = np.argsort(offset, kind="stable")
        file, offset, position = file[order], offset[order], position[order]
    columns = frozen(file, np.int64), frozen(offset, np.int64), frozen(position, np.int64)
    diagonals = slots.table(len(file))
    reached = np.empty(len(diagonals), dtype=np.int64)
    out = np.empty((4, len(file)), dtype=np.int64)
    found = _grown(frozen(query, np.uint8), *texts, *columns, width, diagonals, reached, out)
    if found == _OUTSIDE:
        raise ValueError("a candidate lies outside the texts")
    return Stretches(*out[:, :found].copy())


@kernel
def _grown(
    query: Any,
    starts: Any,
    sizes: Any,
    folded: Any,
    file: Any,
    offset: Any,
    position: Any,
    width: int,
    diagonals: Any,
    reached: Any,
    out: Any,
) -> int:
    # A block at a time, and a loop for each step, so that what is read here and there is under way side by side.
    begins = np.empty(_BLOCK, dtype=np.int64)
    words = np.empty(_BLOCK, dtype=np.uint64)
    found = 0
    for begun in range(0, len(file), _BLOCK):
        size = min(_BLOCK, len(file) - begun)
        for k in range(begun, begun + size):
            if not 0 <= file[k] < len(starts) or not 0 <= offset[k] <= len(query) - width:
                return _OUTSIDE
            first, room = starts[file[k]], np.int64(sizes[file[k]])
            if not 0 <= first <= len(folded) - room or not 0 <= position[k] <= room - width:
                return _OUTSIDE
            begins[k - begun] = first
        for k in range(size):
            words[k] = eight(folded, begins[k] + position[begun + k])
        for k in range(begun, begun + size):
            a, p, first = offset[k], position[k], begins[k - begun]
            if words[k - begun] != eight(query, a):
                continue
            # Offsets ascend: a later candidate on this diagonal is inside what was found last, or in a text behind.
            at = slots.slot(diagonals, first + p - a)
            if diagonals[at] != slots.FREE and a + width <= reached[at]:
                continue
            after = same_after(query, a, folded, first + p, min(len(query) - a, sizes[file[k]] - p))
            if after < width:
                continue
            before = same_before(query, a, folded, first + p, min(a, p))
            diagonals[at], reached[at] = first + p - a, a + after
            out[0, found], out[1, found], out[2, found], out[3, found] = file[k], a - before, a + after, p - before
            found += 1
    return found
