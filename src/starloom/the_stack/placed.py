"""The listing in memory, by repository and path, and beside each file, in the same row, what was measured of it.

Content ids are texts of 40 characters: to join by them, once for each signal, is what `decide` would spend most of its
time on. Here each is looked up once and is a number from then on; all else are rows of tables.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from starloom.errors import UserError
from starloom.the_stack import tables
from starloom.the_stack.id_places import places
from starloom.the_stack.signal import Signal, all_signals

_ALWAYS = ("repo_name", "path", "file_name", "content_id")


@dataclass(frozen=True)
class Placed:
    """`files`: columns of LISTED_FILES in order, and `content`, which numbers content ids (null: the file has none);
    those that could be read have the numbers of their places in `contents` (content_id, src_encoding)."""

    files: pa.Table
    contents: pa.Table
    parts: tuple[str, ...]  # of the cache that the contents stand in

    def place(self) -> pa.Array:
        """Of each file, the row of `contents`; null where its content could not be read."""
        numbers = self.files.column("content").combine_chunks()
        return pc.if_else(pc.less(numbers, pa.scalar(len(self.contents), pa.int32())), numbers, None)


def placed(root: Path, columns: Iterable[str]) -> Placed:
    """The listing with these `columns` and those that it always has."""
    listed = [name for name in tables.LISTED_FILES.names if name in {*_ALWAYS, *columns}]
    parts = tables.contents(root)
    with ThreadPoolExecutor(1) as aside:
        reading = aside.submit(read, parts, tables.CONTENTS, ["content_id", "src_encoding"])
        files = in_order(read(tables.listed_files(root), tables.LISTED_FILES, listed))
        contents = reading.result().combine_chunks()
    numbers = numbered(files.column("content_id"), contents.column("content_id"))
    return Placed(files.append_column("content", numbers), contents, tuple(path.parent.name for path in parts))


def in_order(files: pa.Table) -> pa.Table:
    """The files by repository, a dictionary array then, and path: by bytes, as the query engine orders texts. A listing
    has each repository's files together and mostly by path, so few are moved."""
    files = files.combine_chunks()
    repositories = files.column("repo_name").combine_chunks().dictionary_encode()
    names = repositories.dictionary.to_pylist()
    rank = np.empty(len(names), np.int32)
    rank[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    ranks = rank[repositories.indices.to_numpy()]
    order = np.argsort(ranks, kind="stable")
    files = files.set_column(0, "repo_name", repositories)
    if (np.diff(order) != 1).any():
        files, ranks = files.take(pa.array(order)), ranks[order]
    path = files.column("path")
    if (pc.greater(path[:-1], path[1:]).to_numpy() & (np.diff(ranks) == 0)).any():
        keys = pa.table({"rank": ranks, "path": path})
        files = files.take(pc.sort_indices(keys, [("rank", "ascending"), ("path", "ascending")]))
    return files.combine_chunks()


def numbered(ids: pa.ChunkedArray, first: pa.ChunkedArray) -> pa.Array:
    """A number for each of `ids`, null for null: its place in `first`, else one above all of them."""
    every = ids.combine_chunks()
    found = places(every, first)
    unread = pc.and_(found.is_null(), every.is_valid())
    others = pc.add(every.filter(unread).dictionary_encode().indices, pa.scalar(len(first), pa.int32()))
    return pc.replace_with_mask(found, unread, others)


class Measured(NamedTuple):
    """What is asked of a signal."""

    signal: Signal
    paths: list[Path]
    columns: list[str]
    rows: pa.Table  # the columns, of a signal by name with its keys


def asked_of(root: Path, needs: Collection[str], sql: str) -> list[Measured]:
    """What the query `sql` asks, as `f.SIGNAL.COLUMN`, of the signals among `needs`."""
    found = []
    for one in all_signals():
        asked = set(re.findall(rf"\bf\.{one.name}\.(\w+)", sql)) if one.name in needs else ()
        if columns := [name for name in one.columns.names if name in asked]:
            paths = tables.signal(root, one.name)
            keys = ["content_id", "file_name"] if one.by_name else []
            found.append(Measured(one, paths, columns, read(paths, one.schema, [*keys, *columns])))
    return found


def beside(listing: Placed, measured: Iterable[Measured]) -> dict[str, pa.Array]:
    """A row for each file: `c`, of its content the `place` and `src_encoding`; and of each signal a struct of what is
    asked of it."""
    place = listing.place()
    found = {"c": _struct({"place": place, "src_encoding": _taken(listing.contents.column("src_encoding"), place)})}
    names = _Names(listing, place)
    for one in measured:
        rows, where = one.rows, place
        if one.signal.by_name:
            where = names.rows(rows.column("content_id"), rows.column("file_name"))
        elif len(rows) != len(listing.contents) or tuple(path.parent.name for path in one.paths) != listing.parts:
            # A part of a signal has the rows of the part of the cache that it was measured of, unless a run was stopped
            # in between.
            rows = read(one.paths, one.signal.schema, ["content_id", *one.columns])
            where = places(listing.contents.column("content_id"), rows.column("content_id")).take(place)
        found[one.signal.name] = _struct({name: _taken(rows.column(name), where) for name in one.columns})
    return found


class _Names:
    """Finds, for each file, rows that are keyed by content and file name. Signals have many keys in common: those that
    were looked up are kept."""

    def __init__(self, listing: Placed, place: pa.Array) -> None:
        self._ids = listing.contents.column("content_id")
        encoded = listing.files.column("file_name").combine_chunks().dictionary_encode()
        self._names = encoded.dictionary
        self._keys = self._key(place, encoded.indices)
        self._found: list[tuple[pa.ChunkedArray, pa.ChunkedArray, pa.Array]] = []

    def _key(self, contents: pa.Array, names: pa.Array) -> pa.Array:
        return pc.add(pc.multiply(contents.cast(pa.int64()), len(self._names)), names.cast(pa.int64()))

    def rows(self, ids: pa.ChunkedArray, names: pa.ChunkedArray) -> pa.Array:
        """Of each file, the row that has its content and name; null where none has."""
        for known, named, found in self._found:
            if known == ids and named == names:
                return found
        codes = pc.index_in(names.combine_chunks(), self._names)
        found = pc.index_in(self._keys, self._key(places(ids, self._ids), codes), skip_nulls=True)
        self._found.append((ids, names, found))
        return found


def with_columns(table: pa.Table, columns: Mapping[str, Any]) -> pa.Table:
    """The table with more columns."""
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table


def with_numbers(table: pa.Table) -> pa.Table:
    """The table with the column `number`, by which `by_number` finds its order again."""
    return table.append_column("number", pa.array(np.arange(len(table))))


def by_number(rows: pa.Table) -> pa.Table:
    """The rows of an answer by their `number`, which goes."""
    order = np.argsort(rows.column("number").to_numpy(), kind="stable")
    return rows.drop_columns(["number"]).take(pa.array(order))


def _struct(columns: Mapping[str, pa.Array]) -> pa.Array:
    return pa.StructArray.from_arrays(list(columns.values()), list(columns))


def _taken(column: pa.ChunkedArray, rows: pa.Array) -> Any:
    return column.combine_chunks().take(rows)


def read(paths: Sequence[Path], schema: pa.Schema, columns: Sequence[str]) -> pa.Table:
    """These columns of Parquet files of one schema, in order. Raises UserError for one that cannot be read."""
    found = [pa.schema([schema.field(name) for name in columns]).empty_table()]
    for path in paths:
        try:
            with pq.ParquetFile(path, pre_buffer=False) as file:  # it would hand small files to threads
                found.append(file.read(columns=list(columns), use_threads=len(paths) == 1))
        except (OSError, pa.ArrowException) as problem:
            raise UserError(
                f"{path} cannot be read ({str(problem).splitlines()[0]})",
                "`starloom verify` checks the workspace's files",
            ) from None
    return pa.concat_tables(found)
