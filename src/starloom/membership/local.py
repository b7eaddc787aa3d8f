"""A shard of the index on this machine: `shard.Shard` over its segments and its table of places."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from starloom.kernels.text import Int64s, UInt8s
from starloom.kernels.tiles import hashes_at, look_up
from starloom.membership.layout import LICENSE, ORIGIN_ROWS, ORIGINS, packed_ids
from starloom.membership.segment import Segment
from starloom.membership.shard import (
    NOWHERE,
    Covered,
    Described,
    Found,
    License,
    Places,
    Renamed,
    Split,
    Tiles,
    Wanted,
    joined,
    joined_renamed,
    merged_places,
    merged_tiles,
    used,
)
from starloom.the_stack.origins import OCCURRENCES, Origin, origin

_REMEMBERED: Final = 4096  # contents whose places are kept as objects
_FEW: Final = 4  # places up to which reading their cells costs less than a slice of the table does
_NONE: Final = np.zeros(0, dtype=np.int64)


class LocalShard:
    """One shard, opened; many threads may ask at a time."""

    def __init__(self, folder: Path, about: Sequence[Mapping[str, Any]], covered: Covered) -> None:
        """Raises OSError, ValueError, KeyError, TypeError, ArrowException when its files do not belong together."""
        self.covered = covered
        self.segments = [Segment(folder, one, covered.width, covered.renamed) for one in about]
        self._folder = folder
        self._origins = _Origins(folder / ORIGINS)
        for one in self.segments:
            if one.rows and int((one.origin_first.astype(np.int64) + one.origin_count).max()) > len(self._origins):
                raise ValueError("its files do not belong together")

    def tiles(self, query: UInt8s, split: Split, most: int) -> Tiles:
        told = []
        for segment in self.segments:
            found = look_up(query, segment.table, most, segment.width)
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

    def described(self, wanted: Sequence[Wanted]) -> list[Described | None]:
        told: list[Described | None] = [None] * len(wanted)
        ids = packed_ids([one.content_id for one in wanted])
        for segment in self.segments:
            rows = segment.find(ids)
            if not segment.rows:
                continue
            totals, firsts = (segment.origin_count[rows].tolist(), segment.origin_first[rows].tolist())
            here = np.flatnonzero(rows >= 0).tolist()
            pairs = [(rows[number], *pair) for number in here for pair in wanted[number].lines]
            lines = iter(segment.lines(*np.array(pairs, np.int64).reshape(-1, 3).T))
            for number in here:
                one, total, first = wanted[number], totals[number], firsts[number]
                places = self._origins.of(first, total if one.most is None else min(total, one.most))
                licenses = self._origins.licenses(first, total)
                told[number] = Described(tuple(islice(lines, len(one.lines))), places, total, licenses)
        return told


def _nowhere(size: int) -> Places:
    """No place of so many tiles."""
    return Places(NOWHERE, _NONE, _NONE, _NONE, _NONE, np.zeros(size, dtype=np.int64))


class _Origins:
    """`origins.arrow`, mapped."""

    def __init__(self, path: Path) -> None:
        with pa.memory_map(str(path)) as file:
            batches = pa.ipc.open_file(file).read_all()
        if batches.schema != ORIGIN_ROWS:
            raise ValueError("its files do not belong together")
        batches.validate(full=True)
        self._table = batches.combine_chunks() if batches.column(0).num_chunks > 1 else batches
        column = self._table.column(LICENSE)
        chunk = column.chunk(0) if column.num_chunks else pa.array([], column.type)
        self._codes: NDArray[np.int32] = chunk.indices.to_numpy()
        self._licenses: list[License] = [_license(text) for text in chunk.dictionary.to_pylist()]
        self._places = self._table.select(OCCURRENCES.names)
        self._cells = {name: self._table.column(name) for name in OCCURRENCES.names}
        self.of = lru_cache(_REMEMBERED)(self._of)
        self._one: list[Mapping[License, int]] = [{license: 1} for license in self._licenses]

    def __len__(self) -> int:
        return len(self._table)

    def _of(self, first: int, number: int) -> tuple[Origin, ...]:
        if number > _FEW:
            return tuple(origin(row) for row in self._places.slice(first, number).to_pylist())
        rows = range(first, first + number)
        return tuple(origin({name: column[row].as_py() for name, column in self._cells.items()}) for row in rows)

    def licenses(self, first: int, number: int) -> Mapping[License, int]:
        if number == 1:
            return self._one[int(self._codes[first])]
        codes, counts = np.unique(self._codes[first : first + number], return_counts=True)
        found: Counter[License] = Counter()
        for code, count in zip(codes.tolist(), counts.tolist()):
            found[self._licenses[code]] += count
        return found


def license_text(kind: str, *names: str) -> str:
    """What stands in the column `license`; empty texts stand for nothing."""
    return json.dumps([kind or None, sorted(filter(None, names))], ensure_ascii=False)


def _license(text: str) -> License:
    kind, names = json.loads(text)
    return kind, tuple(names)
