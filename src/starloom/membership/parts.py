"""One data file of the dataset folded and cut into tiles, in a worker: what `segments` puts together.

Each row group is read once, about a megabyte at a time and into the same memory, since fresh pages cost the system's
time. For each shard, texts go to the end of a scratch file of this worker, so that what one worker wrote in order need
not be put together again; the tiles to a file of their own, parted by ranges of their hashes. Memory: a row group,
packed, and about 30 bytes a tile of the data file.
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from starloom.kernels.text import Int64s, UInt32s, UInt64s
from starloom.membership.layout import TEXT

if TYPE_CHECKING:
    from starloom.kernels.fold import Room

_ROWS: Final = 128  # read at a time: what a cache holds of their texts
KEYS: Final = "gate_keys"
SCRATCH: Final = {"hashes": "<u8", "numbers": "<u4", "renamed_hashes": "<u8", "renamed_numbers": "<u4", KEYS: "<u4"}


@dataclass(frozen=True)
class Part:
    """A data file. `shards`: of each row, the shard it goes to, or -1. `ranges`: bits by which tiles are parted."""

    source: Path
    folder: Path
    number: int
    shards: NDArray[np.int16]
    width: int
    renamed: bool
    ranges: int


class Tiled(NamedTuple):
    """The tiles of a piece: how many of each row, and where each range begins in its scratch file."""

    counts: UInt32s
    bounds: Int64s


class Stretch(NamedTuple):
    """Bytes of a scratch file, `end` exclusive."""

    path: Path
    begin: int
    end: int


@dataclass(frozen=True)
class Piece:
    """What one shard got of a part: of its rows, in the order of the file, the bytes of their folds, their gaps and
    their tiles. `texts`: where each of TEXT is."""

    folder: Path
    name: str
    texts: dict[str, Stretch]
    text_size: UInt32s
    gap_count: UInt32s
    tiles: Tiled
    shapes: Tiled | None
    text_bytes: int  # before folding

    def scratch(self, name: str) -> Path:
        return self.folder / f"{self.name}.{name}"


def tile_part(part: Part) -> dict[int, Piece]:
    """By shard."""
    makers: dict[int, _Maker] = {}
    file = pq.ParquetFile(part.source)
    row = 0  # of the first of a row group
    with contextlib.ExitStack() as stack:
        for group in range(file.metadata.num_row_groups):
            rows = part.shards[row : row + file.metadata.row_group(group).num_rows]
            row += len(rows)
            if not (rows >= 0).any():
                continue
            at = 0
            for batch in file.iter_batches(_ROWS, row_groups=[group], columns=["content"], use_threads=False):
                content, shards = batch.column(0), rows[at : at + len(batch)]
                at += len(batch)
                for shard in np.unique(shards[shards >= 0]).tolist():
                    if shard not in makers:
                        makers[shard] = stack.enter_context(_Maker(part, shard))
                    mine = shards == shard
                    makers[shard].add(content if mine.all() else content.filter(pa.array(mine)))
        return {shard: maker.piece() for shard, maker in makers.items()}


class _Maker:
    """The piece of one shard, as its texts come."""

    def __init__(self, part: Part, shard: int) -> None:
        self._part = part
        self._shard = shard
        self._name = f"{part.number}-{shard}"
        self._outputs: dict[str, IO[bytes]] = {}
        self._begins: dict[str, int] = {}
        self._columns: list[tuple[UInt32s, UInt32s]] = []
        self._tiles = _Tiles()
        self._shapes = _Tiles()
        self._room: Room | None = None
        self._text_bytes = 0

    def __enter__(self) -> Self:
        self._outputs = {name: self._texts(name).open("ab") for name in TEXT}
        self._begins = {name: one.tell() for name, one in self._outputs.items()}
        self._outputs[KEYS] = (self._part.folder / f"{self._name}.{KEYS}").open("wb")
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._outputs.values():
            one.close()

    def add(self, content: pa.Array) -> None:
        from starloom.kernels.fold import Room, fold_with_gaps
        from starloom.kernels.text import text_buffers
        from starloom.kernels.tile_gate import keys
        from starloom.kernels.tiles import tile_hashes

        offsets, data = text_buffers(content)
        self._room = self._room or Room()
        bounds, folded, gaps = fold_with_gaps(offsets, data, self._room)
        columns: dict[str, NDArray[Any]] = {"text": folded, "gap_position": gaps.position, "gap_lines": gaps.lines}
        for name, column in columns.items():
            self._outputs[name].write(np.ascontiguousarray(column.astype(TEXT[name], copy=False)).data)
        self._columns.append((_uint32(np.diff(bounds)), _uint32(np.diff(gaps.offsets))))
        self._tiles.add(*tile_hashes(bounds, folded, self._part.width))
        self._outputs[KEYS].write(keys(bounds, folded, self._part.width).astype(SCRATCH[KEYS], copy=False).data)
        if self._part.renamed:
            from starloom.membership import renamed

            self._shapes.add(*renamed.tiles(bounds, folded))
        self._text_bytes += int(offsets[-1] - offsets[0])

    def piece(self) -> Piece:
        """All of it; the tiles are written now."""
        texts = {name: Stretch(self._texts(name), self._begins[name], self._outputs[name].tell()) for name in TEXT}
        sizes, gaps = (np.concatenate(column) for column in zip(*self._columns))
        place = self._part.folder / self._name
        tiles = self._tiles.written(place, "", self._part.ranges)
        shapes = self._shapes.written(place, "renamed_", self._part.ranges) if self._part.renamed else None
        return Piece(self._part.folder, self._name, texts, sizes, gaps, tiles, shapes, self._text_bytes)

    def _texts(self, name: str) -> Path:
        return self._part.folder / f"worker-{os.getpid()}-{self._shard}.{name}"


class _Tiles:
    def __init__(self) -> None:
        self._counts: list[UInt32s] = []
        self._hashes: list[UInt64s] = []

    def add(self, bounds: Int64s, hashes: UInt64s) -> None:
        self._counts.append(_uint32(np.diff(bounds)))
        self._hashes.append(hashes)

    def written(self, place: Path, prefix: str, ranges: int) -> Tiled:
        from starloom.kernels.tile_table import parted

        bounds, hashes, numbers = parted(np.concatenate([np.zeros(0, np.uint64), *self._hashes]), ranges)
        for name, column in ((f"{prefix}hashes", hashes), (f"{prefix}numbers", numbers)):
            column.astype(SCRATCH[name], copy=False).tofile(place.with_name(f"{place.name}.{name}"))
        return Tiled(np.concatenate([np.zeros(0, np.uint32), *self._counts]), bounds)


def _uint32(values: NDArray[Any]) -> UInt32s:
    return values.astype(np.uint32)
