"""Which candidates have a term that stands on one line: only the blocks that may have it are unpacked, and candidates
are looked at some together. That none of them has it is mostly so, and told by one look.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from starloom.kernels.gram_filters import Wanted
from starloom.kernels.text import Int64s
from starloom.search.blocks import Blocks
from starloom.search.matching import Stands, Text

_FIRST: Final = 2  # blocks that are looked at together; then ever more
_MOST: Final = 64


def proved(blocks: Blocks, wanted: Wanted, stands: Stands, rows: Int64s) -> Iterator[tuple[int, bool]]:
    """The places in `rows` of those that have it, in order, and now and then of one that has not, the last of all among
    them. `wanted`: what a block must have for it."""
    bounds, found = blocks.filters.among(wanted, rows)
    ends, numbers, most = bounds.tolist(), found.tolist(), _FIRST
    last = len(rows) - 1
    looked: list[tuple[int, bytes]] = []
    begun = 0
    for place in np.flatnonzero(np.diff(bounds)).tolist():
        start, end = ends[place], ends[place + 1]
        looked.append((place, b"\n".join(blocks.some(int(rows[place]), numbers[start:end]))))
        if end - begun >= most or end == len(numbers):
            yield from _told(looked, stands)
            looked, begun, most = [], end, min(2 * most, _MOST)
    if last >= 0 and ends[last] == ends[last + 1]:
        yield last, False


def _told(looked: list[tuple[int, bytes]], stands: Stands) -> Iterator[tuple[int, bool]]:
    """Of some candidates with their blocks: those that have it, and the last."""
    if len(looked) > 1 and not stands(Text(b"\n".join([blocks for _, blocks in looked]))):
        yield looked[-1][0], False
        return
    for number, (place, blocks) in enumerate(looked, 1):
        there = stands(Text(blocks))
        if there or number == len(looked):
            yield place, there
