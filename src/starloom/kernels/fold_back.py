"""From bytes of folds back to the texts: which characters they came from, and on which lines.

Of a text only what was asked for is told: nothing is written for each of its bytes, as `fold_with_map` does. Cost: a
text of which something is asked is read, at 1.2 GB/s.
"""

from typing import Any

import numpy as np

from starloom.kernels.bits import first_with, first_without, words_of
from starloom.kernels.cache import kernel
from starloom.kernels.counting import continuation_bytes, continues, newlines
from starloom.kernels.fold import marked
from starloom.kernels.text import Int64s, UInt8s, checked, frozen, stretches


def came_from(offsets: Int64s, data: UInt8s, text: Int64s, at: Int64s) -> tuple[Int64s, Int64s]:
    """(character, line) of byte at[k] of the fold of text[k]: the character of the text, counted from 0, that has it
    (of a separator the first of its run), and its line, counted from 1. Raises ValueError for a byte outside."""
    offsets, data = checked(offsets, data)
    text, at = frozen(text, np.int64), frozen(at, np.int64)
    if len(text) and (text.min() < 0 or text.max() >= len(offsets) - 1 or at.min() < 0 or at.max() >= len(data)):
        raise ValueError("a byte lies outside the texts")
    bits = np.empty((3, words_of(int(np.diff(offsets).max(initial=0)))), dtype=np.uint64)
    found = np.empty((2, len(at)), dtype=np.int64)
    order = np.argsort(offsets[text] + at)  # by text, and in it by byte
    if not _came_from(offsets, data, text, at, order, *bits, *found):
        raise ValueError("a byte lies outside the texts")
    return found[0], found[1]


def characters_of(query: UInt8s, starts: Int64s, ends: Int64s) -> Int64s:
    """int64[n]: how many characters begin in bytes `starts` to `ends` (exclusive). Raises ValueError."""
    starts, ends, query = stretches(starts, ends, query)
    found: Int64s = _characters_of(query, starts, ends)
    return found


@kernel
def _came_from(
    offsets: Any,
    data: Any,
    text: Any,
    at: Any,
    order: Any,
    white: Any,
    line_ends: Any,
    changes: Any,
    character: Any,
    line: Any,
) -> bool:
    reading = np.int64(-1)
    piece = data[:0]
    # Byte `folded` of the fold came from `start`, those after it from those after that, up to `run`: the separator.
    size = start = run = folded = 0
    counted = characters = lines = 0  # how many began and ended in so many bytes of the text
    for k in order:
        if text[k] != reading:
            reading = text[k]
            piece = data[offsets[reading] : offsets[reading + 1]]
            size = len(piece)
            words = (size + 63) >> 6
            marked(piece, white[:words], line_ends[:words], changes[:words])
            start = first_without(white, 0, size)
            run = first_with(changes, start, size) if start < size else size
            folded = counted = characters = lines = 0
        while start < size and at[k] > folded + run - start:
            folded += run - start + 1
            start = first_without(white, run, size)
            run = first_with(changes, start, size) if start < size else size
        source = start + at[k] - folded
        if source >= size or first_without(white, source, size) == size:
            return False
        between = piece[counted:source]
        characters += source - counted - continuation_bytes(between)
        lines += newlines(between)
        counted = source
        character[k] = characters - (1 if continues(piece[source]) else 0)
        line[k] = lines + 1
    return True


@kernel
def _characters_of(query: Any, starts: Any, ends: Any) -> Any:
    found = np.empty(len(starts), dtype=np.int64)
    for k in range(len(starts)):
        found[k] = ends[k] - starts[k] - continuation_bytes(query[starts[k] : ends[k]])
    return found
