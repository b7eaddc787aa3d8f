"""A segment of a shard, mapped: its table, the folded text of its contents, their state and places."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.kernels.fold import lines_of
from starloom.kernels.text import Int64s, UInt8s, UInt32s
from starloom.kernels.tile_runs import living, spread
from starloom.kernels.tiles import Found, Table
from starloom.membership.layout import GONE, HELD_OUT, ID_BYTES, RENAMED, STATE, TABLE, TRAIN, heads, immutable
from starloom.membership.shard import ALL, Split

_REMEDY = "delete {} and run `starloom index`: it is made again"
_WANTED: dict[Split, UInt8s] = {
    None: np.array([0, 1, 1], dtype=np.uint8),
    "train": np.array([0, 1, 0], dtype=np.uint8),
    "held_out": np.array([0, 0, 1], dtype=np.uint8),
}


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
        self.table = Table(int(about["bits"]), *(arrays[name] for name in TABLE))
        self.shapes: Table | None = None
        if renamed:
            self.first_shape: UInt32s = arrays[f"{RENAMED}first_tile"]
            self.shapes = Table(int(about["renamed_bits"]), *(arrays[f"{RENAMED}{name}"] for name in TABLE))
        self._gap_start, self._gap_count = arrays["gap_start"], arrays["gap_count"]
        self._gap_position, self._gap_lines = (arrays["gap_position"], arrays["gap_lines"])
        self._check(arrays)
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

    def rows_of(self, tiles: UInt32s, shapes: bool = False) -> tuple[Int64s, Int64s]:
        """(row of the content, number of the tile in it) of entries of a table. Raises UserError when damaged."""
        first = self.first_shape if shapes else self.first_tile
        if len(tiles) and tiles.max() >= first[-1]:
            raise damaged(self.folder.parent, "a tile that no file has")
        rows = np.searchsorted(first, tiles, side="right") - 1
        return rows, tiles.astype(np.int64) - first[rows]

    def living(self, found: Found, split: Split, most: int) -> Int64s:
        """How many places of contents that answer each run has, at most `most` + 1."""
        if self.all_answer(split):
            return np.minimum(found.length, most + 1)
        return living(self.table, found.first, self.first_tile, self.state, _WANTED[split], most)

    def spread(self, first: int, split: Split, most: int, shapes: bool = False) -> tuple[Int64s, Int64s, int]:
        """See `tile_runs.spread`: of the run that begins at this entry."""
        table, tiles = (self.shapes, self.first_shape) if shapes else (self.table, self.first_tile)
        assert table is not None
        return spread(table, first, tiles, self.state, _WANTED[split], most, ALL)

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

    def contents(self, rows: Int64s) -> tuple[str, ...]:
        """The content_ids of rows."""
        return tuple(self.ids[rows].tobytes().hex(" ", ID_BYTES).split())

    def lines(self, rows: Int64s, first: Int64s, last: Int64s) -> list[tuple[int, int]]:
        """On which lines of its file, counted from 1, two bytes of the fold of each content stand; `first` <= `last`.
        Raises UserError when damaged."""
        if ((first < 0) | (first > last) | (last >= self.text_size[rows])).any():
            raise damaged(self.folder.parent, "a place beyond the end of a file")
        texts = self.text, self._gap_position, self._gap_lines
        twice = np.concatenate([rows, rows])
        where = self.text_start[twice], self._gap_start[twice], self._gap_count[twice]
        found = lines_of(*texts, *where, np.concatenate([first, last])).tolist()
        return list(zip(found[: len(rows)], found[len(rows) :]))


def damaged(folder: Path, why: str) -> UserError:
    """What to raise when the index is not what was written."""
    return UserError(f"{folder} is damaged: {why}", _REMEDY.format(folder))


def mapped(path: Path, kind: np.dtype[Any]) -> NDArray[Any]:
    """The whole file as a read-only array; nothing is read before it is asked for. Raises OSError, ValueError."""
    if path.stat().st_size == 0:  # what mmap refuses
        return np.zeros(0, dtype=kind)
    return np.asarray(np.memmap(path, dtype=kind, mode="r"))
