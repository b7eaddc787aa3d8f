"""The first half of indexing: the dataset's texts, each compressed by itself, and their rows, apart by shard.

A piece is made of some row groups of the dataset and holds, for each shard that has new files in it, `NN.lz4` (blocks)
and `NN.parquet` (rows of layout.FILES, with `text_start` counted in that file); and `kept.parquet`, the rows of the
index before this one that say just what the dataset says. Cost: 50 MB/s; 7 MB/s where symbols are looked for.
"""

import functools
import hashlib
import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from starloom.collector import uncollected
from starloom.languages.syntax.definitions import Definitions
from starloom.search import fields
from starloom.search import texts as texts_of
from starloom.search.grams import filters_of
from starloom.search.layout import FILES, FROM_DATASET, shard_name, shard_of
from starloom.search.work import Work
from starloom.workspace.atomic import Draft
from starloom.workspace.operations import Output

KEPT: Final = "kept.parquet"
KEPT_ROWS: Final = pa.schema(
    [pa.field("shard", pa.int32(), nullable=False), pa.field("row", pa.int64(), nullable=False)]
)


class Piece(NamedTuple):
    """A row group of the dataset."""

    split: str
    path: Path
    group: int
    bytes: int  # of its texts


@dataclass(frozen=True)
class Gathering:
    """What one worker is to gather. `known`: a folder with the marks of the index before, see `write_known`; None:
    everything is new."""

    work: Work
    name: str  # of what it makes
    pieces: tuple[Piece, ...]
    shards: int
    symbols: bool
    known: Path | None


def pieces(paths: Sequence[tuple[str, Path]]) -> list[Piece]:
    """The row groups of these files of the dataset, each given with its split."""
    found = []
    for split, path in paths:
        with pq.ParquetFile(path) as file:
            for group in range(file.metadata.num_row_groups):
                sizes = file.read_row_group(group, columns=["length_bytes"]).column(0)
                found.append(Piece(split, path, group, int(pc.sum(sizes).as_py() or 0)))
    return found


def gather(task: Gathering) -> None:
    """Makes the piece, unless it is there."""
    if task.work.finished(task.name):
        return
    known = Known(task.known, task.shards)
    with uncollected(), task.work.publish(task.name) as draft, ExitStack() as stack:
        new = [_New(draft, shard, stack) for shard in range(task.shards)]
        symbols = _definitions() if task.symbols else None
        kept: list[tuple[int, int]] = []
        for piece in task.pieces:
            with pq.ParquetFile(piece.path) as file:
                table = file.read_row_group(piece.group, columns=[*FROM_DATASET, "content"])
            kept += _gather(table, piece.split, new, known, symbols)
        for one in new:
            one.finish()
        table = pa.table([pa.array(column) for column in zip(*kept)] or [[], []], names=KEPT_ROWS.names)
        draft.parquet(KEPT, KEPT_ROWS, [table.cast(KEPT_ROWS)])


@functools.cache
def _definitions() -> Definitions:
    """What finds symbols in all pieces that this process gathers: it takes a second to start and to learn grammars."""
    return Definitions()


def close() -> None:
    """Ends what finds symbols, where this process has gathered."""
    if _definitions.cache_info().currsize:
        _definitions().close()
        _definitions.cache_clear()


class _New:
    """The new files of a shard."""

    def __init__(self, draft: Draft, shard: int, stack: ExitStack) -> None:
        self._draft = draft
        self._name = shard_name(shard)
        self._stack = stack
        self._texts: Output | None = None
        self._rows: list[pa.Table] = []

    def add(self, rows: list[dict[str, Any]], texts: list[bytes]) -> None:
        """Takes rows that lack only the place of their text."""
        if self._texts is None:
            self._texts = self._stack.enter_context(self._draft.create(f"{self._name}.lz4"))
        for row, text in zip(rows, texts, strict=True):
            start = self._texts.tell()
            size = self._texts.write(texts_of.pack(text))
            row |= {"text_start": start, "text_size": size, "text_bytes": len(text), "text_file": 0, "live": True}
        for row, grams in zip(rows, filters_of(texts), strict=True):
            row["grams"] = grams
        self._rows.append(pa.Table.from_pylist(rows, FILES))

    def finish(self) -> None:
        if self._rows:
            self._draft.parquet(f"{self._name}.parquet", FILES, self._rows)


def _gather(
    table: pa.Table, split: str, new: list[_New], known: "Known", symbols: Definitions | None
) -> list[tuple[int, int]]:
    """Adds what is new of a row group to `new`; returns (shard, row) of what is known."""
    texts = [content or b"" for content in table.column("content").cast(pa.large_binary()).to_pylist()]
    rows = table.drop_columns(["content"]).to_pylist()
    by_shard: dict[int, list[int]] = {}
    kept = []
    for number, (row, text) in enumerate(zip(rows, texts, strict=True)):
        row["split"] = split
        row["mark"] = _mark(row, text)
        shard = shard_of(row["content_id"], len(new))
        if (place := known.row(shard, row["mark"])) is None:
            by_shard.setdefault(shard, []).append(number)
        else:
            kept.append((shard, place))
    if symbols:
        _add_symbols(rows, texts, [number for numbers in by_shard.values() for number in numbers], symbols)
    for shard, numbers in sorted(by_shard.items()):
        for row in (some := [rows[number] for number in numbers]):
            row["rank"] = fields.rank(
                row["repo_name"] or "",
                row["path"] or "",
                row["content_id"],
                bool(row["is_vendor"]),
                bool(row["is_generated"]),
                row["star_events_count"] or 0,
            )
        new[shard].add(some, [texts[number] for number in numbers])
    return kept


def _mark(row: dict[str, Any], text: bytes) -> bytes:
    """Sixteen bytes that stand for the row and its text."""
    digest = hashlib.blake2b(text, digest_size=16, person=b"starloom-mark")
    digest.update(json.dumps([len(text), *row.values()]).encode())
    return digest.digest()


def _add_symbols(rows: list[dict[str, Any]], texts: list[bytes], numbers: list[int], symbols: Definitions) -> None:
    """Names and lines of what these files define, where it is known."""
    asked = [(rows[number]["language"] or "", texts[number]) for number in numbers]
    for number, found in zip(numbers, symbols(asked), strict=True):
        if found is not None:
            rows[number]["symbols"] = [one.name for one in found]
            rows[number]["symbol_lines"] = [one.line for one in found]


# What the index before this one has

_COLUMNS: Final = ("first", "second", "rows")


def write_known(folder: Path, shard: int, rows: pa.Table) -> None:
    """The marks of live rows of a shard, for `Known`: sorted, to be mapped by all workers."""
    live = np.flatnonzero(rows.column("live").to_numpy())
    marks = np.frombuffer(b"".join(rows.column("mark").to_pylist()), dtype="<u8").reshape(-1, 2)[live]
    order = np.argsort(marks[:, 0], kind="stable")
    for name, column in zip(_COLUMNS, (marks[:, 0], marks[:, 1], live), strict=True):
        np.save(folder / f"{shard_name(shard)}-{name}.npy", np.ascontiguousarray(column[order]))


def _columns(folder: Path, shard: int) -> list[NDArray[Any]]:
    return [np.load(folder / f"{shard_name(shard)}-{name}.npy", mmap_mode="r") for name in _COLUMNS]


class Known:
    """Which row of the index before says just what the dataset says. Of two marks that begin alike the second counts
    as new: its file is then indexed again."""

    def __init__(self, folder: Path | None, shards: int) -> None:
        self._columns = [_columns(folder, shard) for shard in range(shards)] if folder else []

    def row(self, shard: int, mark: bytes) -> int | None:
        """The number of the live row of the shard that has this mark."""
        if not self._columns:
            return None
        firsts, seconds, rows = self._columns[shard]
        first, second = np.frombuffer(mark, dtype="<u8")
        at = int(firsts.searchsorted(first))
        return int(rows[at]) if at < len(firsts) and firsts[at] == first and seconds[at] == second else None
