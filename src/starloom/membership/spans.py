"""From a folded text to the stretches of it that stand in files: found by hash, confirmed and grown on the text.

A tile that stands in the index up to `most` times is compared with every place it has. One that stands there more
often (licence headers, tables of zeros), and one in the midst of a text that repeats itself within a tile, would make
work without end: those are compared with `most` places, of as many files as possible: one in each tile's width of them,
then those that nothing found covers yet. Whether a tile is common depends on where a file's tiles begin: a header that
thousands have in one way may be rare in another, so what is found by a rare tile does not stand for the others.

So every stretch of 99 bytes that a file has too is found with that file, as long as one of its tiles stands at most
`most` times in the dataset; where all its tiles are commoner, the stretch is found, with some of the files. Counts and
choices are over all shards (`shard`), so no cut changes them. Memory: 100 bytes for each byte of the text at which
a tile begins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from starloom.kernels.common_tiles import midst
from starloom.kernels.stretch_order import in_order
from starloom.kernels.stretches import Stretches, apart, trimmed
from starloom.kernels.text import Bools, Int64s, UInt8s
from starloom.kernels.tiles import hashes_at
from starloom.membership.shard import ALL, NOWHERE, Found, Shard, Split, renumbered

MOST: Final = 32
EVERY: Final = ALL  # entries of a common tile that are looked at, at most


@dataclass(frozen=True)
class Spans:
    """What was found in a text. `stretches.file` is a position in `contents`, see `Found`; they begin and end with
    whole characters that are no white space; they are in the order of their starts, and no two are equal.

    `frequent`: offsets of tiles that were not compared with every place they have. `common`: those of them that were
    compared with some, and `sharing`: in how many files each stands, by its hash, at most ALL.
    """

    contents: UInt8s
    stretches: Stretches
    frequent: Int64s
    common: Int64s
    sharing: Int64s


def find(shard: Shard, query: UInt8s, split: Split = None, most: int = MOST) -> Spans:
    """Every stretch of the folded text `query` that stands in a file; see the module. Raises UserError as the shard."""
    width = shard.covered.width
    offsets, counts = shard.tiles(query, split, most)
    if not len(offsets):
        return _NOTHING
    # A stretch of a file that reaches out of a repetition has a tile at its ends; what is inside is one of many.
    rare = (counts <= most) & ~midst(offsets, hashes_at(query, offsets, width), width)
    found = [shard.grown(query, offsets[rare], split)] if rare.any() else []
    frequent = left = offsets[~rare]
    common, sharing = [_NONE], [_NONE]
    while len(left):
        now = apart(left, width)
        asked = left[now]
        places = shard.some(query, asked, split, most)
        found.append(shard.confirmed(query, asked, places))
        common.append(asked)
        sharing.append(places.sharing)
        left = left[~now]
        for one in found if len(common) == 2 else found[-1:]:
            left = left[~_covered(one, left, width)]
    return _together(query, found, frequent, np.concatenate(common), np.concatenate(sharing), width)


def _together(
    query: UInt8s, found: Sequence[Found], frequent: Int64s, common: Int64s, sharing: Int64s, width: int
) -> Spans:
    contents, file = renumbered([(one.contents, one.content) for one in found])
    columns = (np.concatenate(column) for column in zip(*(one[2:] for one in found)))
    whole = in_order(trimmed(query, Stretches(file, *columns), width))
    asked = np.argsort(common, kind="stable")
    return Spans(contents, whole, frequent, common[asked], sharing[asked])


_NONE: Final[Int64s] = np.zeros(0, dtype=np.int64)
_NOTHING: Final = Spans(NOWHERE, Stretches(_NONE, _NONE, _NONE, _NONE), _NONE, _NONE, _NONE)


def _covered(found: Found, offsets: Int64s, width: int) -> Bools:
    """Which tiles of the text at `offsets` lie inside one of the stretches."""
    if not len(offsets) or not len(found.start):
        return np.zeros(len(offsets), dtype=np.bool_)
    order = np.argsort(found.start, kind="stable")
    reach = np.maximum.accumulate(found.end[order])  # the furthest end of those that start no later
    at = np.searchsorted(found.start[order], offsets, side="right") - 1
    covered: Bools = (at >= 0) & (reach[at] >= offsets + width)
    return covered
