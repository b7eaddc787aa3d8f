"""What workers do for a shard. Each step makes a piece (see `work`), unless it is there.

`copy-NN` holds the texts and rows that a shard keeps which is made anew; `index-NN-KK` segments of some new rows;
`shard-NN` all its segments, settled, and the files of texts that are written anew without what has gone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from starloom.collector import uncollected
from starloom.kernels.text import Int64s
from starloom.search import rows as rows_of
from starloom.search import segments
from starloom.search import texts as texts_of
from starloom.search.layout import FILES, META, ROWS, read_rows, shard_name, text_name, text_number, texts_among
from starloom.search.work import Work
from starloom.workspace import operations
from starloom.workspace.atomic import Draft
from starloom.workspace.manifest import FileEntry, Manifest

_READ: Final = 1_000  # rows at a time
_BLOCK: Final = ("text_start", "text_size", "text_bytes")  # where a text is
_PLACES: Final = ["text_file", "text_start", "text_size", "live"]


@dataclass(frozen=True)
class Before:
    """A shard as it is published: `files` without the name of its folder."""

    folder: Path
    files: dict[str, FileEntry]

    @classmethod
    def of(cls, folder: Path, manifest: Manifest, shard: int) -> "Before":
        prefix = f"{shard_name(shard)}/"
        files = {one.name.removeprefix(prefix): one for one in manifest.files if one.name.startswith(prefix)}
        return cls(folder / shard_name(shard), files)

    @property
    def texts(self) -> list[str]:
        return texts_among(self.files)

    def rows(self, columns: list[str] | None = None) -> pa.Table:
        return read_rows(self.folder / ROWS).select(columns or FILES.names)


@dataclass(frozen=True)
class Part:
    """New rows of a shard, and their texts: files of a piece."""

    piece: str
    rows: int
    text_bytes: int
    file_bytes: int

    @classmethod
    def of(cls, work: Work, piece: str, shard: str) -> "Part | None":
        """That of a shard; None where the piece has none."""
        files = {one.name: one for one in work.manifest(piece).files}
        if f"{shard}.parquet" not in files:
            return None
        sizes = pq.read_table(work.path(piece) / f"{shard}.parquet", columns=["text_bytes"]).column(0)
        return cls(piece, len(sizes), int(pc.sum(sizes).as_py() or 0), files[f"{shard}.lz4"].bytes)


@dataclass(frozen=True)
class Copy:
    """To copy what a shard keeps."""

    work: Work
    name: str
    shard: str
    before: Before
    gone: Int64s


def copy(task: Copy) -> None:
    if task.work.finished(task.name):
        return
    rows = rows_of.without(task.before.rows(), task.gone)
    copied, start = [], 0
    with task.work.publish(task.name) as draft:
        with draft.create(f"{task.shard}.lz4") as output:
            for number in map(text_number, task.before.texts):
                for block in rows_of.left(task.before.folder, rows, number):
                    output.write(block)
                some = rows_of.packed(rows, number)
                some = some.filter(pc.and_(some.column("live"), pc.equal(some.column("text_file"), number)))
                copied.append(rows_of.placed(some, 0, start))
                start = output.tell()
        draft.parquet(f"{task.shard}.parquet", FILES, copied)


@dataclass(frozen=True)
class Slice:
    """To index some parts of a shard, whose rows are numbered from `first` on."""

    work: Work
    name: str
    shard: str
    first: int
    parts: tuple[Part, ...]

    @property
    def text_bytes(self) -> int:
        return sum(part.text_bytes for part in self.parts)


def index(task: Slice) -> None:
    if task.work.finished(task.name):
        return
    with uncollected(), task.work.publish(task.name) as draft:
        folder = draft.worker_folder()
        segments.make(folder, _files(task), task.first)
        _take(draft, folder, {})


def _files(task: Slice) -> Iterator[tuple[dict[str, Any], bytes]]:
    for part in task.parts:
        folder = task.work.path(part.piece)
        texts = rows_of.mapped(folder / f"{task.shard}.lz4")
        with pq.ParquetFile(folder / f"{task.shard}.parquet") as file:
            for batch in file.iter_batches(_READ, columns=[*segments.FROM_ROWS, *_BLOCK]):
                for row in batch.to_pylist():
                    block = texts[row["text_start"] : row["text_start"] + row["text_size"]]
                    yield row, texts_of.unpack(block, row["text_bytes"])


@dataclass(frozen=True)
class Settling:
    """To make one index of the slices of a shard and of what it was before, without the rows that have gone."""

    work: Work
    name: str
    slices: tuple[str, ...]
    before: Before | None
    gone: Int64s


def settle(task: Settling) -> None:
    if task.work.finished(task.name):
        return
    places = {task.work.path(one): {file.name: file for file in task.work.manifest(one).files} for one in task.slices}
    if task.before:
        places = {task.before.folder: task.before.files} | places
    with task.work.publish(task.name) as draft:
        folder = draft.worker_folder()
        known = {}
        for place, files in places.items():
            for name in segments.files_of(place):
                operations.link(place / name, folder / name)
                known[name] = files[name]
        if places:
            segments.put_together(folder, [(place / META).read_bytes() for place in places])
        else:
            segments.make(folder, [], 0)
        segments.settle(folder, task.gone)
        _take(draft, folder, known)
        if task.before and len(task.gone):
            _write_left(draft, task.before, task.gone)


def _take(draft: Draft, folder: Path, known: dict[str, FileEntry]) -> None:
    """Takes an index over. `known`: those of its files whose hash is known."""
    for name in segments.files_of(folder):
        if name in known:
            draft.keep(folder / name, name, known[name])
        else:
            draft.adopt(folder / name, name, None)
    draft.write(META, (folder / META).read_bytes())


def _write_left(draft: Draft, before: Before, gone: Int64s) -> None:
    """The files of texts that lose some, without them; none where nothing is left."""
    rows = before.rows(_PLACES)
    numbers = rows_of.touched(rows, gone)
    live = rows.column("live").to_numpy().copy()
    live[gone] = False
    rows = rows.set_column(_PLACES.index("live"), "live", pa.array(live))
    for number in numbers:
        blocks = rows_of.left(before.folder, rows, number)
        if first := next(blocks, None):
            with draft.create(text_name(number)) as output:
                output.write(first)
                output.writelines(blocks)
