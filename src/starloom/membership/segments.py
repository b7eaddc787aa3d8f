"""A segment of a shard put together from the pieces of the data files: rows in the order of content_ids, texts as they
came, and the tables, a range of hashes at a time. Memory: 60 bytes a content, 12 bytes a tile of one piece, one a tile
of all, and a few megabytes; disk: the segment twice for a while."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.kernels.text import Int64s, UInt8s, UInt32s, UInt64s
from starloom.membership.layout import GATE, RENAMED, ROWS, TABLE, TEXT, heads
from starloom.membership.parts import KEYS, SCRATCH, Piece, Stretch, Tiled
from starloom.membership.segment import mapped


@dataclass(frozen=True)
class Made:
    """`about`: what the manifest's facts say of a segment. `names`: of its files, each `FOLDER/NUMBER-NAME.bin`."""

    about: dict[str, Any]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Pieces:
    """In a worker: the pieces of one segment. `piece` and `nth`: of each row, in the order of ids, where it is."""

    folder: Path
    number: int
    width: int
    pieces: Sequence[Piece]
    ids: UInt8s
    marks: UInt64s
    piece: Int64s
    nth: Int64s


def write_segment(given: Pieces) -> Made:
    """Writes the files of a segment into `given.folder`. Raises UserError when there are too many tiles."""
    writer = _Writer(given)
    for name in TEXT:
        _join(given.folder / f"{given.number}-{name}.bin", [one.texts[name] for one in given.pieces])
    text_start, text_size = writer.column([one.text_size for one in given.pieces])
    gap_start, gap_count = writer.column([one.gap_count for one in given.pieces])
    rows: dict[str, NDArray[Any]] = {
        "head": heads(given.ids),
        "ids": given.ids.reshape(-1),
        "text_start": text_start,
        "text_size": text_size,
        "gap_start": gap_start,
        "gap_count": gap_count,
        "mark": given.marks,
    }
    for name, values in rows.items():
        values.astype(ROWS[name]).tofile(given.folder / f"{given.number}-{name}.bin")
    about = {
        "segment": given.number,
        "rows": len(given.ids),
        "text_bytes": sum(one.text_bytes for one in given.pieces),
        "folded_bytes": int(text_size.sum(dtype=np.int64)),
    }
    names = [*TEXT, *ROWS, *TABLE, *GATE]
    about["bits"], about["tiles"] = writer.table("", [one.tiles for one in given.pieces])
    about["gate_bits"] = _write_gate(given, about["tiles"])
    shapes = [one.shapes for one in given.pieces if one.shapes]
    if len(shapes) == len(given.pieces) and shapes:
        about["renamed_bits"], about["renamed_tiles"] = writer.table(RENAMED, shapes)
        names += [f"{RENAMED}{name}" for name in ("first_tile", *TABLE)]
    return Made(about, tuple(names))


def _write_gate(given: Pieces, tiles: int) -> int:
    """Of so many tiles; its bits."""
    from starloom.kernels.tile_gate import gate_bits, let_pass

    bits = gate_bits(tiles)
    words = np.zeros(2**bits, dtype=GATE["gate"])
    for one in given.pieces:
        let_pass(words, np.fromfile(one.scratch(KEYS), dtype=SCRATCH[KEYS]))
    words.tofile(given.folder / f"{given.number}-gate.bin")
    return bits


class _Writer:
    def __init__(self, given: Pieces) -> None:
        self._given = given
        sizes = [len(one.text_size) for one in given.pieces]
        self._first_row = np.cumsum([0, *sizes])[:-1].astype(np.int64)
        self._order = (self._first_row[given.piece] if sizes else given.piece) + given.nth  # rows as they were read

    def column(self, pieces: Sequence[UInt32s]) -> tuple[Int64s, UInt32s]:
        """(where each row's begin, how many they are), in the order of rows; they lie in the order of reading."""
        counts = np.concatenate([np.zeros(0, np.uint32), *pieces])
        starts = np.cumsum(counts, dtype=np.int64) - counts
        return starts[self._order], counts[self._order]

    def table(self, prefix: str, tiled: Sequence[Tiled]) -> tuple[int, int]:
        """Writes a table; (its bits, its entries)."""
        from starloom.kernels.tile_table import bucketed
        from starloom.kernels.tiles import bucket_bits

        given = self._given
        _, counts = self.column([one.counts for one in tiled])
        first = np.zeros(len(counts) + 1, dtype=np.int64)
        np.cumsum(counts, out=first[1:])
        total = int(first[-1])
        check_size(total)
        first.astype(ROWS["first_tile"]).tofile(given.folder / f"{given.number}-{prefix}first_tile.bin")
        as_read = np.empty(len(counts), dtype=np.int64)
        as_read[self._order] = first[:-1]
        self._renumber(prefix, tiled, as_read)
        bits = bucket_bits(total)
        kept = min(
            bits, (len(tiled[0].bounds) - 1).bit_length() - 1 if tiled else 0
        )  # bits of the ranges that were parted
        buckets = 2 ** (bits - kept)
        outputs = {name: (given.folder / f"{given.number}-{prefix}{name}.bin").open("wb") for name in TABLE}
        try:
            before = 0
            for number, (hashes, tiles) in enumerate(self._ranges(prefix, tiled, kept)):
                words, starts, tags, numbers = bucketed(hashes, tiles, bits, number * buckets, buckets)
                columns: list[NDArray[Any]] = [words, before + starts[:-1], tags, numbers]
                for (name, kind), column in zip(TABLE.items(), columns):
                    outputs[name].write(column.astype(kind, copy=False).data)
                before += len(hashes)
            outputs["starts"].write(np.array([total], dtype=TABLE["starts"]).tobytes())
        finally:
            for one in outputs.values():
                one.close()
        return bits, total

    def _renumber(self, prefix: str, tiled: Sequence[Tiled], first: Int64s) -> None:
        """Numbers of a piece's own tiles become those of the segment. `first`: of each row, as they were read."""
        from starloom.kernels.tile_table import renumbered

        name = f"{prefix}numbers"
        for piece, one, row in zip(self._given.pieces, tiled, self._first_row.tolist()):
            numbers = np.fromfile(piece.scratch(name), dtype=SCRATCH[name])
            numbers = renumbered(numbers, one.counts, first[row : row + len(one.counts)])
            numbers.astype(SCRATCH[name], copy=False).tofile(piece.scratch(name))

    def _ranges(self, prefix: str, tiled: Sequence[Tiled], kept: int) -> Iterator[tuple[UInt64s, UInt32s]]:
        """(hashes, numbers) of each of 2**kept ranges, from all pieces."""
        names = f"{prefix}hashes", f"{prefix}numbers"
        columns = [[mapped(one.scratch(name), np.dtype(SCRATCH[name])) for one in self._given.pieces] for name in names]
        for number in range(2**kept):
            cuts = []
            for one in tiled:
                step = (len(one.bounds) - 1) >> kept
                cuts.append(slice(int(one.bounds[number * step]), int(one.bounds[(number + 1) * step])))
            hashes, numbers = ([column[cut] for column, cut in zip(some, cuts)] for some in columns)
            yield (
                np.concatenate([np.zeros(0, np.uint64), *hashes]),
                np.concatenate([np.zeros(0, np.uint32), *numbers]),
            )


_MOST_TILES: Final = 2**32 - 1


def check_size(tiles: int) -> None:
    """Raises UserError when so many tiles do not fit into one shard."""
    if tiles > _MOST_TILES:
        raise UserError(
            f"a shard of the index would have {tiles:,} tiles, and {_MOST_TILES:,} is the most",
            "set more shards: `shards = …` under [membership] in starloom.toml, 0 for one every 100 GB of text",
        )


def _join(target: Path, stretches: Sequence[Stretch]) -> None:
    """A file that holds these, one after the other; the files that they are in go."""
    paths = sorted({one.path for one in stretches})
    begins, ends = [one.begin for one in stretches], [one.end for one in stretches]
    if len(paths) == 1 and begins == [0, *ends[:-1]] and ends[-1] == paths[0].stat().st_size:  # it is that already
        shutil.move(paths[0], target)
        return
    with target.open("wb") as output:
        for path, at, end in stretches:
            with path.open("rb") as texts:  # the system copies: half the time of reading and writing
                while at < end and (sent := os.sendfile(output.fileno(), texts.fileno(), at, end - at)):
                    at += sent
    for path in paths:
        path.unlink()
