"""The repositories of the dataset, one after the other, as `pack` lays them out: every row is read once.

A repository has its names and licences in memory. So it has its texts, up to LARGE bytes of them; those of a larger one
go to a scratch file and are read from there, one by one, in the order of its document. Memory: one row group (16 MB of
text) and LARGE twice; for a larger repository some 300 bytes a file.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from starloom.tokens import redacted
from starloom.tokens.templates.repository import File

LARGE = 64 << 20  # bytes of text

ABOUT = ["content_id", "path", "license_type", "detected_licenses"]  # of a file, what is told of its tokens
_COLUMNS = ["repo_name", *ABOUT, "language", redacted.COLUMN, "content"]


class Rows(NamedTuple):
    """Rows of one data file that follow one another."""

    path: Path
    first: int
    number: int


class Repository:
    """One repository's files, by number, in the dataset's order.

    name. about: a row of ABOUT for each file. paths: of its files. sizes: of their texts, in bytes. dependencies: its
    files in the order of their imports, when that is known.
    """

    def __init__(self, name: str, rows: pa.Table, texts: Sequence[str], sizes: list[int], tokens: Mapping[str, int]):
        """`rows`: _COLUMNS but the texts; `tokens`: those of markers, by their spelling."""
        self.name = name
        self.about = rows.select(ABOUT)
        self.paths: list[str] = rows.column("path").to_pylist()
        self.sizes = sizes
        self.texts = texts
        self.dependencies: list[int] | None = None
        self._ids: list[str] = rows.column("content_id").to_pylist()
        self._languages: list[str | None] = rows.column("language").to_pylist()
        self._noted = redacted.noted(rows) if _any(rows, redacted.COLUMN) else None
        self._tokens = tokens

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def bytes(self) -> int:
        return sum(self.sizes)

    def file(self, number: int) -> File:
        text = self.texts[number]
        marked = redacted.markers(text, self._noted[number], self._tokens) if self._noted else ()
        return File(self.paths[number], self._ids[number], text, marked, self._languages[number] or "")


def repositories(rows: Sequence[Rows], tokens: Mapping[str, int], scratch: Path) -> Iterator[Repository]:
    """The repositories that these rows are, in their order. One is used up before the next is asked for: it may lie in
    the file `scratch`, which is gone in the end. `tokens`: as in Repository."""
    found: _Gathered | None = None
    for table in _tables(rows):
        for part in _split(table):
            name = part.column("repo_name")[0].as_py()
            if found and found.name != name:
                yield found.done(tokens)
                scratch.unlink(missing_ok=True)
                found = None
            found = found or _Gathered(name, scratch)
            found.add(part)
    if found:
        yield found.done(tokens)
        scratch.unlink(missing_ok=True)


def _tables(rows: Sequence[Rows]) -> Iterator[pa.Table]:
    """By row group."""
    for path, first, number in rows:
        with pq.ParquetFile(path) as file:
            begins = 0
            for group in range(file.metadata.num_row_groups):
                ends = begins + file.metadata.row_group(group).num_rows
                start, stop = max(first, begins), min(first + number, ends)
                if start < stop:
                    yield file.read_row_group(group, columns=_COLUMNS).slice(start - begins, stop - start)
                begins = ends


def _split(table: pa.Table) -> Iterator[pa.Table]:
    """By repository."""
    names = table.column("repo_name").combine_chunks().dictionary_encode().indices.to_numpy()
    borders = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1).tolist(), len(names)]
    for start, stop in pairwise(borders):
        yield table.slice(start, stop - start)


class _Gathered:
    """A repository in the making."""

    def __init__(self, name: str, scratch: Path) -> None:
        self.name = name
        self._scratch = scratch
        self._rows: list[pa.Table] = []
        self._sizes: list[int] = []
        self._texts: list[pa.Table] = []  # not written
        self._bytes = 0
        self._output: pa.RecordBatchFileWriter | None = None

    def add(self, part: pa.Table) -> None:
        texts = part.select(["content"])
        self._rows.append(part.drop_columns(["content"]))
        sizes = pc.binary_length(texts.column(0)).to_pylist()
        self._sizes += sizes
        self._bytes += sum(sizes)
        self._texts.append(texts)
        if self._bytes > LARGE:
            if self._output is None:
                self._output = pa.ipc.new_file(self._scratch, texts.schema)
            for one in self._texts:
                self._output.write_table(one)
            self._texts = []

    def done(self, tokens: Mapping[str, int]) -> Repository:
        texts: Sequence[str]
        if self._output is None:
            texts = [text for one in self._texts for text in one.column(0).to_pylist()]
        else:
            self._output.close()
            texts = _Written(self._scratch)
        return Repository(self.name, pa.concat_tables(self._rows), texts, self._sizes, tokens)


class _Written(Sequence[str]):
    """The texts of a scratch file, read where they lie."""

    def __init__(self, path: Path) -> None:
        file = pa.ipc.open_file(pa.memory_map(str(path)))
        self._batches = [file.get_batch(number).column(0) for number in range(file.num_record_batches)]
        self._starts = [0, *accumulate(map(len, self._batches))]

    def __len__(self) -> int:
        return self._starts[-1]

    @overload
    def __getitem__(self, number: int) -> str: ...
    @overload
    def __getitem__(self, number: slice) -> list[str]: ...
    def __getitem__(self, number: int | slice) -> str | list[str]:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        if not 0 <= number < len(self):
            raise IndexError(number)
        batch = bisect_right(self._starts, number) - 1
        text: str = self._batches[batch][number - self._starts[batch]].as_py()
        return text


def _any(rows: pa.Table, name: str) -> bool:
    """Whether a column of lists has one that is not empty."""
    return name in rows.column_names and bool(pc.any(pc.greater(pc.list_value_length(rows.column(name)), 0)).as_py())
