"""A segment of a shard, mapped: its table, the folded text of its contents, their state and places."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.kernels.fold import lines_of
from starloom.kernels.growing import Texts, grown
from starloom.kernels.stretches import Stretches
from starloom.kernels.text import Int64s, UInt8s, UInt32s, UInt64s, frozen
from starloom.kernels.tile_gate import Gate
from starloom.kernels.tile_runs import Files, Places, every, living, near, spread
from starloom.kernels.tiles import Found, Table, frozen_table, hashes_at, look_up_hashes
from starloom.membership.layout import GONE, HELD_OUT, ID_BYTES, RENAMED, STATE, TABLE, TRAIN, heads, immutable
from starloom.membership.shard import ALL, Split

_REMEDY = "delete {} and run `starloom index`: it is made again"
_WANTED: dict[Split, UInt8s] = {
    None: frozen(np.array([0, 1, 1]), np.uint8),
    "train": frozen(np.array([0, 1, 0]), np.uint8),
    "held_out": frozen(np.array([0, 0, 1]), np.uint8),
}
_EVERY = 1 << 40  # more places than a table has
_CANDIDATES = 1 << 20  # confirmed at a time


class Segment:
    """What an index of its contents is asked. Rows are numbered in the order of content_ids."""

    def __init__(self, folder: Path, about: Mapping[str, Any], width: int, renamed: bool) -> None:
        """Raises OSError, ValueError, KeyError, TypeError when its files do not belong together."""
        number, rows = int(about["segment"]), int(about["rows"])
        kinds = immutable(renamed) | STATE
        arrays = {name: mapped(folder / f"{number}-{name}.bin", np.dtype(kind)) for name, kind in kinds.items()}
        self.folder = folder
        self.number = number
        self.rows = rows
        self.width = width
        self.head = arrays["head"]
        self.ids: UInt8s = arrays["ids"].reshape(-1, ID_BYTES)
        self.text: UInt8s = arrays["text"]
        self.text_start, self.text_size = arrays["text_start"], arrays["text_size"]
        self.mark = arrays["mark"]
        self.state: UInt8s = arrays["state"]
        self.origin_first, self.origin_count = (arrays["origin_first"], arrays["origin_count"])
        self.first_tile: UInt32s = arrays["first_tile"]
        self.table = frozen_table(Table(int(about["bits"]), *(arrays[name] for name in TABLE)))
        self.gate = Gate(int(about["gate_bits"]), frozen(arrays["gate"], np.uint64))
        self.shapes: Table | None = None
        if renamed:
            self.first_shape: UInt32s = arrays[f"{RENAMED}first_tile"]
            parts = (arrays[f"{RENAMED}{name}"] for name in TABLE)
            self.shapes = frozen_table(Table(int(about["renamed_bits"]), *parts))
        self._gap_start, self._gap_count = arrays["gap_start"], arrays["gap_count"]
        self._gap_position, self._gap_lines = (arrays["gap_position"], arrays["gap_lines"])
        self._texts = Texts(self.text_start, self.text_size, self.text)
        self._check(arrays)
        self._files = _files(self.first_tile, self.state)
        if renamed:
            self._shape_files = _files(self.first_shape, self.state)
        used = np.bincount(self.state, minlength=3) if rows else np.zeros(3, dtype=np.int64)
        self.gone = int(used[GONE])
        self._answers = {None: not self.gone, "train": rows == used[TRAIN], "held_out": rows == used[HELD_OUT]}

    def _check(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        rows = self.rows
        told = {name: len(arrays[name]) for name in ("head", "text_start", "text_size", "gap_start", "gap_count")}
        told |= {name: len(arrays[name]) for name in (*STATE, "mark")} | {"ids": len(self.ids)}
        if {*told.values()} != {rows} or len(self.first_tile) != rows + 1:
            raise ValueError("its files do not belong together")
        tables = [(self.table, self.first_tile)]
        if self.shapes:
            tables.append((self.shapes, self.first_shape))
        for table, first in tables:
            buckets, tiles = (2**table.bits, int(first[-1]) if len(first) == rows + 1 else -1)
            if [len(one) for one in table[1:]] != [buckets, buckets + 1, tiles, tiles]:
                raise ValueError("its files do not belong together")
        if len(self.gate.words) != 2**self.gate.bits:
            raise ValueError("its files do not belong together")
        for starts, sizes, whole in (
            (self.text_start, self.text_size, self.text),
            (self._gap_start, self._gap_count, self._gap_position),
        ):
            if rows and (int(starts.min()) < 0 or int((starts + sizes).max()) > len(whole)):
                raise ValueError("its files do not belong together")
        if len(self._gap_position) != len(self._gap_lines) or (rows and self.state.max() > HELD_OUT):
            raise ValueError("its files do not belong together")

    def answers(self, rows: Int64s, split: Split) -> NDArray[np.bool_]:
        """Which of the contents in these rows answer a question about `split`."""
        found: NDArray[np.bool_] = _WANTED[split][self.state[rows]] != 0
        return found

    def all_answer(self, split: Split) -> bool:
        return bool(self._answers[split])

    def living(self, found: Found, split: Split, most: int) -> Int64s:
        """How many places of contents that answer each run has, at most `most` + 1; `found` was cut there."""
        if self.all_answer(split):
            return found.length
        return living(self.table, found.first, self._files[split], most)

    def every(self, query: UInt8s, offsets: Int64s, split: Split) -> Iterator[Stretches]:
        """The longest equal stretch around every place of the tiles at these offsets. Raises UserError when damaged."""
        found = look_up_hashes(hashes_at(query, offsets, self.width), self.table, _EVERY)
        found = found._replace(offsets=offsets[found.offsets])
        before = np.cumsum(found.length)
        cuts = np.searchsorted(before, np.arange(_CANDIDATES, before[-1] if len(before) else 0, _CANDIDATES))
        for low, high in pairwise([0, *cuts.tolist(), len(before)]):
            some = Found(*(column[low:high] for column in found))
            try:
                offset, rows, nth = every(self.table, some, self._files[split])
            except ValueError as problem:
                raise damaged(self.folder.parent, str(problem)) from None
            yield self.grown(query, rows, offset, nth * self.width)

    def spread(self, hashes: UInt64s, split: Split, most: int, shapes: bool = False) -> tuple[Places, Int64s]:
        """(up to `most` places of each of the tiles with these hashes, of as many contents as there are; how many have
        it, at most ALL); see `tile_runs.spread`. `run`: which hash."""
        table, files = self.table, self._files[split]
        if shapes:
            assert self.shapes is not None
            table, files = self.shapes, self._shape_files[split]
        found = look_up_hashes(hashes, table, 0)
        places, sharing = spread(table, found.first, files, most, ALL)
        every = np.zeros(len(hashes), dtype=np.int64)
        every[found.offsets] = sharing
        return places._replace(run=found.offsets[places.run]), every

    def grown(self, query: UInt8s, rows: Int64s, offset: Int64s, position: Int64s) -> Stretches:
        """The longest equal stretch around each candidate, see `growing.grown`. Raises UserError when damaged."""
        try:
            return grown(query, self._texts, rows, offset, position, self.width)
        except ValueError as problem:
            raise damaged(self.folder.parent, str(problem)) from None

    def find(self, ids: UInt8s) -> Int64s:
        """The rows of content_ids (uint8[n, 20]), -1 for those that are not here or no longer."""
        wanted = heads(ids)
        rows = np.searchsorted(self.head, wanted)
        found = np.full(len(ids), -1, dtype=np.int64)
        left = np.arange(len(ids))
        while len(left):
            left = left[rows[left] < self.rows]
            left = left[self.head[rows[left]] == wanted[left]]
            same = (self.ids[rows[left]] == ids[left]).all(axis=1) & (self.state[rows[left]] != GONE)
            found[left[same]] = rows[left[same]]
            left = left[~same]
            rows[left] += 1
        return found

    def lines(self, rows: Int64s, first: Int64s, last: Int64s) -> Int64s:
        """int64[2, n]: on which lines of its file, counted from 1, two bytes of the fold of each content stand; `first`
        <= `last`. Raises UserError when damaged."""
        if ((first < 0) | (first > last) | (last >= self.text_size[rows])).any():
            raise damaged(self.folder.parent, "a place beyond the end of a file")
        texts = self.text, self._gap_position, self._gap_lines
        twice = np.concatenate([rows, rows])
        where = self.text_start[twice], self._gap_start[twice], self._gap_count[twice]
        return lines_of(*texts, *where, np.concatenate([first, last])).reshape(2, -1)


def _files(first_tile: UInt32s, state: UInt8s) -> dict[Split, Files]:
    """By which of them are asked."""
    nearest = near(first_tile)
    return {split: Files(first_tile, nearest, state, wanted) for split, wanted in _WANTED.items()}


def damaged(folder: Path, why: str) -> UserError:
    """What to raise when the index is not what was written."""
    return UserError(f"{folder} is damaged: {why}", _REMEDY.format(folder))


def mapped(path: Path, kind: np.dtype[Any]) -> NDArray[Any]:
    """The whole file as a read-only array; nothing is read before it is asked for. Raises OSError, ValueError."""
    if path.stat().st_size == 0:  # what mmap refuses
        return np.zeros(0, dtype=kind)
    return np.asarray(np.memmap(path, dtype=kind, mode="r"))
