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

from starloom.kernels.stretches import grown
from starloom.kernels.text import Int64s, UInt8s
from starloom.kernels.tiles import hashes_at, look_up, look_up_hashes
from starloom.membership.layout import LICENSE, ORIGIN_ROWS, ORIGINS, packed_ids
from starloom.membership.segment import Segment, damaged
from starloom.membership.shard import (
    Covered,
    Described,
    Found,
    License,
    Places,
    Renamed,
    Split,
    Tiles,
    Wanted,
    first_places,
    joined,
    joined_renamed,
    merged_places,
    merged_tiles,
)
from starloom.the_stack.origins import OCCURRENCES, Origin, origin

_EVERY: Final = 1 << 40  # more places than a table has
_CANDIDATES: Final = 1 << 20  # confirmed at a time
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
            told.append(Tiles(found.offsets[counts > 0], counts[counts > 0]))
        return merged_tiles(told, most)

    def grown(self, query: UInt8s, offsets: Int64s, split: Split) -> Found:
        pieces = []
        hashes = hashes_at(query, offsets, self.covered.width)
        for segment in self.segments:
            found = look_up_hashes(hashes, segment.table, _EVERY)
            before = np.cumsum(found.length) - found.length
            entries = np.repeat(found.first - before, found.length) + np.arange(found.length.sum())
            at = np.repeat(offsets[found.offsets], found.length)
            for start in range(0, len(entries), _CANDIDATES):
                some = slice(start, start + _CANDIDATES)
                rows, tile = segment.rows_of(segment.table.tiles[entries[some]])
                offset = at[some]
                if not segment.all_answer(split):
                    kept = segment.answers(rows, split)
                    rows, tile, offset = rows[kept], tile[kept], offset[kept]
                pieces.append(self._confirmed(segment, query, rows, offset, tile * segment.width))
        return joined(pieces)

    def some(self, query: UInt8s, offsets: Int64s, split: Split, most: int) -> Places:
        hashes = hashes_at(query, offsets, self.covered.width)
        told = []
        for segment in self.segments:
            found = look_up_hashes(hashes, segment.table, 0)
            told.append(self._spread(segment, len(offsets), found.offsets, found.first, split, most, segment.width))
        return merged_places(told or [_nowhere(len(offsets))], most)

    def confirmed(self, query: UInt8s, offsets: Int64s, places: Places) -> Found:
        pieces = []
        for segment, rows in zip(self.segments, self._rows(places.contents)):
            row = rows[places.content]
            here = row >= 0
            outside = places.position[here] + segment.width > segment.text_size[row[here]]
            if outside.any() or (len(places.tile) and places.position.min() < 0):
                raise damaged(self._folder.parent, "a place beyond the end of a file")
            pieces.append(self._confirmed(segment, query, row[here], offsets[places.tile[here]], places.position[here]))
        return joined(pieces)

    def shapes(self, query: UInt8s, split: Split, most: int) -> Places:
        from starloom.membership import renamed

        asked = renamed.asked(query)
        tokens = renamed.token_count(query)
        told = []
        for segment in self.segments:
            if segment.shapes:
                found = look_up_hashes(asked.hashes, segment.shapes, 0)
                tile = asked.tokens[found.offsets]
                told.append(self._spread(segment, tokens, tile, found.first, split, most, None))
        return merged_places(told or [_nowhere(tokens)], most)

    def renamed(self, query: UInt8s, places: Places) -> Renamed:
        from starloom.membership import renamed

        pieces = []
        for segment, rows in zip(self.segments, self._rows(places.contents)):
            row = rows[places.content]
            here = row >= 0
            where = segment.text_start, segment.text_size, segment.text
            found = renamed.grown(query, *where, places.tile[here], row[here], places.position[here])
            numbers, content = np.unique(found[0], return_inverse=True)
            pieces.append(Renamed(segment.contents(numbers), content.astype(np.int64), *found[1:]))
        return joined_renamed(pieces)

    def described(self, wanted: Sequence[Wanted]) -> list[Described | None]:
        told: list[Described | None] = [None] * len(wanted)
        for segment, rows in zip(self.segments, self._rows([one.content_id for one in wanted])):
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

    def _rows(self, contents: Sequence[str]) -> list[Int64s]:
        """Of each segment, the rows of these contents; -1 where they are not there."""
        ids = packed_ids(contents)
        return [segment.find(ids) for segment in self.segments]

    def _confirmed(self, segment: Segment, query: UInt8s, rows: Int64s, offset: Int64s, position: Int64s) -> Found:
        where = segment.text_start, segment.text_size, segment.text
        try:
            found = grown(query, *where, rows, offset, position, segment.width)
        except ValueError as problem:
            raise damaged(self._folder.parent, str(problem)) from None
        numbers, content = np.unique(found.file, return_inverse=True)
        return Found(segment.contents(numbers), content.astype(np.int64), found.start, found.end, found.position)

    def _spread(
        self, segment: Segment, size: int, tile: Int64s, first: Int64s, split: Split, most: int, width: int | None
    ) -> Places:
        """`some` of one segment, of tiles whose runs begin at `first`. No width: positions are numbers of tiles."""
        sharing = np.zeros(size, dtype=np.int64)
        known: dict[int, tuple[Int64s, Int64s, Int64s, int]] = {}
        columns: list[tuple[Int64s, ...]] = []
        for at, entry in zip(tile.tolist(), first.tolist()):
            if entry not in known:
                entries, new, files = segment.spread(entry, split, most, width is None)
                table = segment.table if width else segment.shapes
                assert table is not None
                rows, nth = segment.rows_of(table.tiles[entries], width is None)
                again = (np.arange(len(entries)) >= len(new)).astype(np.int64)
                known[entry] = again, rows, nth * (width or 1), files
            again, rows, position, sharing[at] = known[entry]
            columns.append((np.full(len(rows), at, dtype=np.int64), again, rows, position))
        every = [np.concatenate([_NONE, *column]) for column in zip(*columns)] or [_NONE] * 4
        where, again, rows, position = every
        numbers, content = np.unique(rows, return_inverse=True)
        found = Places(segment.contents(numbers), where, again, content.astype(np.int64), position, sharing)
        return first_places(found, most)


def _nowhere(size: int) -> Places:
    """No place of so many tiles."""
    return Places((), _NONE, _NONE, _NONE, _NONE, np.zeros(size, dtype=np.int64))


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
