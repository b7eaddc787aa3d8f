"""The repositories of the dataset, one after the other, as `pack` lays them out: every text is read once.

A repository is in memory, but for the texts of a large one: those go to a scratch file and are read from there, one by
one, in the order of its document. Memory: one row group (16 MB of text), LARGE bytes of text, and for a larger
repository some 500 bytes a file.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from starloom.tokens import redacted
from starloom.tokens.templates.repository import File

LARGE = 64 << 20  # bytes of text

_TOLD = ["content_id", "path", "license_type", "detected_licenses"]
_LAID_OUT = ["repo_name", "path", "content_id", "language", redacted.COLUMN, "content"]


class Rows(NamedTuple):
    """Rows of one data file that follow one another."""

    path: Path
    first: int
    number: int


class Repository:
    """One repository's files, by number, in the dataset's order.

    name. paths: of its files. sizes: of their texts, in bytes. dependencies: its files in the order of their imports,
    when somebody has asked.
    """

    def __init__(self, name: str, files: list[File], sizes: list[int], texts: "_Written | None") -> None:
        """`texts`: of files that have none themselves."""
        self.name = name
        self.paths = [file.path for file in files]
        self.sizes = sizes
        self.bytes = sum(sizes)
        self.dependencies: list[int] | None = None
        self._files, self._texts = files, texts

    def __len__(self) -> int:
        return len(self._files)

    def file(self, number: int) -> File:
        file = self._files[number]
        return file._replace(content=self._texts.text(number)) if self._texts else file


def repositories(rows: Sequence[Rows], tokens: Mapping[str, int], scratch: Path) -> Iterator[Repository]:
    """The repositories that these rows are, in their order. `tokens`: those of markers, by their spelling. One is used
    up before the next is asked for: its texts may lie in the file `scratch`, which is gone in the end."""
    making: _Repository | None = None
    for table in _tables(rows, _LAID_OUT):
        files, sizes = _files(table, tokens)
        names = table.column("repo_name").combine_chunks()
        codes = names.dictionary_encode().indices.to_numpy()
        borders = np.concatenate([[0], np.flatnonzero(codes[1:] != codes[:-1]) + 1])
        stretches = pairwise([*borders.tolist(), len(files)])
        for name, (start, stop) in zip(names.take(borders).to_pylist(), stretches, strict=True):
            if making and making.name != name:
                yield making.done()
                making.forget()
                making = None
            making = making or _Repository(name, scratch)
            making.add(files[start:stop], sizes[start:stop])
    if making:
        yield making.done()
        making.forget()


def told(rows: Sequence[Rows]) -> pa.Table:
    """Of each of these files its content_id, path, license_type and detected_licenses, in one piece."""
    return pa.concat_tables(_tables(rows, _TOLD)).combine_chunks()


def made_of(decided: Path, repo_names: Sequence[str], paths: Sequence[str]) -> pa.Array:
    """Of each of these documents the content_id of the file that it was made of, by which others know it. `decided`: of
    the documents' listing (tables.DECIDED)."""
    table = pq.read_table(decided, columns=["repo_name", "path", "made_of"])
    names, places, contents = (column.to_pylist() for column in table.columns)
    known = dict(zip(zip(names, places, strict=True), contents, strict=True))
    return pa.array([known[one] for one in zip(repo_names, paths, strict=True)], pa.string())


def _tables(rows: Sequence[Rows], columns: list[str]) -> Iterator[pa.Table]:
    """By row group."""
    for path, first, number in rows:
        with pq.ParquetFile(path) as file:
            begins = 0
            for group in range(file.metadata.num_row_groups):
                ends = begins + file.metadata.row_group(group).num_rows
                start, stop = max(first, begins), min(first + number, ends)
                if start < stop:
                    yield file.read_row_group(group, columns=columns).slice(start - begins, stop - start)
                begins = ends


def _files(table: pa.Table, tokens: Mapping[str, int]) -> tuple[list[File], list[int]]:
    """The files of these rows, and the bytes of their texts."""
    paths, ids, languages, texts = (
        table.column(name).to_pylist() for name in ("path", "content_id", "language", "content")
    )
    marked: list[redacted.Markers] = [()] * len(texts)
    for number in _redacted(table):
        noted = table.column(redacted.COLUMN)[number].as_py()
        marked[number] = redacted.markers(texts[number], noted, tokens)
    files = [File(*one) for one in zip(paths, ids, texts, marked, (one or "" for one in languages), strict=True)]
    return files, pc.binary_length(table.column("content")).to_pylist()


def _redacted(table: pa.Table) -> list[int]:
    """The rows in which something was replaced; none where an older Starloom wrote them."""
    if redacted.COLUMN not in table.column_names:
        return []
    lengths = pc.fill_null(pc.list_value_length(table.column(redacted.COLUMN)), 0)
    found: list[int] = np.flatnonzero(lengths.to_numpy()).tolist()
    return found


class _Repository:
    """A repository in the making."""

    def __init__(self, name: str, scratch: Path) -> None:
        self.name = name
        self._scratch = scratch
        self._files: list[File] = []
        self._sizes: list[int] = []
        self._bytes = 0
        self._output: pa.RecordBatchFileWriter | None = None

    def add(self, files: list[File], sizes: list[int]) -> None:
        self._sizes += sizes
        self._bytes += sum(sizes)
        self._files += files
        if self._bytes > LARGE:
            if self._output is None:
                self._output = pa.ipc.new_file(self._scratch, _Written.SCHEMA)
                files = self._files
            texts = pa.array([file.content for file in files], pa.large_string())
            self._output.write_batch(pa.record_batch([texts], schema=_Written.SCHEMA))
            self._files[-len(files) :] = [file._replace(content="") for file in files]

    def done(self) -> Repository:
        if self._output:
            self._output.close()
        return Repository(self.name, self._files, self._sizes, _Written(self._scratch) if self._output else None)

    def forget(self) -> None:
        if self._output:
            self._scratch.unlink()


class _Written:
    """The texts of a scratch file, read where they lie."""

    SCHEMA = pa.schema([("content", pa.large_string())])

    def __init__(self, path: Path) -> None:
        file = pa.ipc.open_file(pa.memory_map(str(path)))
        self._batches = [file.get_batch(number).column(0) for number in range(file.num_record_batches)]
        self._starts = list(accumulate(chain([0], map(len, self._batches))))

    def text(self, number: int) -> str:
        batch = bisect_right(self._starts, number) - 1
        found: str = self._batches[batch][number - self._starts[batch]].as_py()
        return found
