"""A shard of the index on this machine: `shard.Shard` over its segments and its table of places."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from starloom.kernels.text import Int64s, UInt8s
from starloom.kernels.tiles import hashes_at, look_up
from starloom.membership.described import Described, Made, ranged
from starloom.membership.layout import ORIGINS
from starloom.membership.rows import Rows
from starloom.membership.segment import Segment
from starloom.membership.shard import (
    NOWHERE,
    Covered,
    Found,
    Places,
    Renamed,
    Split,
    Tiles,
    Wanted,
    joined,
    joined_renamed,
    merged_places,
    merged_tiles,
    no_lines,
    used,
)

_NONE: Final = np.zeros(0, dtype=np.int64)


class LocalShard:
    """One shard, opened; many threads may ask at a time."""

    def __init__(self, folder: Path, about: Sequence[Mapping[str, Any]], covered: Covered) -> None:
        """Raises OSError, ValueError, KeyError, TypeError, ArrowException when its files do not belong together."""
        self.covered = covered
        self.segments = [Segment(folder, one, covered.width, covered.renamed) for one in about]
        self._folder = folder
        self._rows = Rows(folder / ORIGINS)
        for one in self.segments:
            if one.rows and int((one.origin_first.astype(np.int64) + one.origin_count).max()) > len(self._rows):
                raise ValueError("its files do not belong together")

    def tiles(self, query: UInt8s, split: Split, most: int) -> Tiles:
        told = []
        for segment in self.segments:
            found = look_up(query, segment.table, most, segment.width, segment.gate)
            counts = segment.living(found, split, most)
            if segment.all_answer(split):
                told.append(Tiles(found.offsets, counts))
            else:
                told.append(Tiles(found.offsets[counts > 0], counts[counts > 0]))
        return merged_tiles(told, most)

    def grown(self, query: UInt8s, offsets: Int64s, split: Split) -> Found:
        return joined([Found(one.ids, *found) for one in self.segments for found in one.every(query, offsets, split)])

    def some(self, query: UInt8s, offsets: Int64s, split: Split, most: int) -> Places:
        hashes = hashes_at(query, offsets, self.covered.width)
        told = []
        for segment in self.segments:
            places, sharing = segment.spread(hashes, split, most)
            told.append(Places(segment.ids, *places[:3], places.nth * segment.width, sharing))
        return merged_places(told or [_nowhere(len(offsets))], most)

    def confirmed(self, query: UInt8s, offsets: Int64s, places: Places) -> Found:
        pieces = []
        for segment in self.segments:
            if places.contents is segment.ids:  # it named them
                row, tile, position = places.content, places.tile, places.position
            else:
                row = segment.find(places.contents)[places.content]
                here = row >= 0
                row, tile, position = row[here], places.tile[here], places.position[here]
            pieces.append(Found(segment.ids, *segment.grown(query, row, offsets[tile], position)))
        return joined(pieces)

    def shapes(self, query: UInt8s, split: Split, most: int) -> Places:
        from starloom.membership import renamed

        asked = renamed.asked(query)
        told = []
        for segment in self.segments:
            if segment.shapes:
                places, sharing = segment.spread(asked.hashes, split, most, shapes=True)
                contents, content = used(segment.ids, places.file)
                every = np.zeros(renamed.token_count(query), dtype=np.int64)
                every[asked.tokens] = sharing
                told.append(Places(contents, asked.tokens[places.run], places.again, content, places.nth, every))
        return merged_places(told or [_nowhere(renamed.token_count(query))], most)

    def renamed(self, query: UInt8s, places: Places) -> Renamed:
        from starloom.membership import renamed

        pieces = []
        for segment in self.segments:
            row = segment.find(places.contents)[places.content]
            here = row >= 0
            where = segment.text_start, segment.text_size, segment.text
            found = renamed.grown(query, *where, places.tile[here], row[here], places.position[here])
            pieces.append(Renamed(segment.ids, *found))
        return joined_renamed(pieces)

    def described(self, wanted: Wanted) -> Described:
        totals, firsts = np.full(len(wanted.content), -1, dtype=np.int64), np.zeros(len(wanted.content), dtype=np.int64)
        lines = no_lines(wanted)
        for segment in self.segments:
            if wanted.contents is segment.ids:  # it named them
                rows = wanted.content
            else:
                rows = segment.find(wanted.contents[wanted.content])
            here = rows >= 0
            if not here.any():
                continue
            firsts[here], totals[here] = segment.origin_first[rows[here]], segment.origin_count[rows[here]]
            pairs = np.flatnonzero(here[wanted.of])
            lines[:, pairs] = segment.lines(rows[wanted.of[pairs]], wanted.first[pairs], wanted.last[pairs])
        every = np.maximum(totals, 0)
        some = np.minimum(every, wanted.most)
        return Described(
            totals,
            np.append(0, np.cumsum(some)),
            Made(ranged(firsts, some).tolist(), self._rows.place),
            self._rows.licenses(firsts, every),
            lines,
        )


def _nowhere(size: int) -> Places:
    """No place of so many tiles."""
    return Places(NOWHERE, _NONE, _NONE, _NONE, _NONE, np.zeros(size, dtype=np.int64))
