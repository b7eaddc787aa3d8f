"""The listing in memory, by repository and path, and beside each file, in the same row, what was measured of it.

Content ids are texts of 40 characters: to join by them, once for each signal, is what `decide` would spend most of its
time on. Here each is looked up once and is a number from then on; all else are rows of tables.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


def beside(root: Path, listing: Placed, needs: Collection[str], sql: str) -> dict[str, pa.Array]:
    """A row for each file: `c`, of its content the `place` and `src_encoding`; and what the query `sql` asks (as
    `f.SIGNAL.COLUMN`) of the signals among `needs`, a struct for each."""
    place = listing.place()
    found = {"c": _struct({"place": place, "src_encoding": _taken(listing.contents.column("src_encoding"), place)})}
    names = _Names(listing, place)
    for one in all_signals():
        asked = set(re.findall(rf"\bf\.{one.name}\.(\w+)", sql)) if one.name in needs else ()
        if columns := [name for name in one.columns.names if name in asked]:
            rows, where = _rows(root, listing, one, columns, place, names)
            found[one.name] = _struct({name: _taken(rows.column(name), where) for name in columns})
    return found


def _rows(
    root: Path, listing: Placed, one: Signal, columns: Sequence[str], place: pa.Array, names: "_Names"
) -> tuple[pa.Table, pa.Array]:
    """Rows of a signal, and which of them each file has."""
    paths = tables.signal(root, one.name)
    if one.by_name:
        rows = read(paths, one.schema, ["content_id", "file_name", *columns])
        return rows, names.rows(rows.column("content_id"), rows.column("file_name"))
    rows = read(paths, one.schema, columns)
    if len(rows) == len(listing.contents) and tuple(path.parent.name for path in paths) == listing.parts:
        return rows, place
    # A part of a signal has the rows of the part of the cache that it was measured of, unless a run was stopped in
    # between.
    rows = read(paths, one.schema, ["content_id", *columns])
    return rows, places(listing.contents.column("content_id"), rows.column("content_id")).take(place)


class _Names:
    """Finds, for each file, rows that are keyed by content and file name. Signals have many keys in common: those of
    the last one are kept."""

    def __init__(self, listing: Placed, place: pa.Array) -> None:
        self._ids = listing.contents.column("content_id").combine_chunks()
        encoded = listing.files.column("file_name").combine_chunks().dictionary_encode()
        self._names = encoded.dictionary
        self._keys = self._key(place, encoded.indices)
        self._last: tuple[pa.ChunkedArray, pa.ChunkedArray] | None = None
        self._found: pa.Array | None = None

    def _key(self, contents: pa.Array, names: pa.Array) -> pa.Array:
        return pc.add(pc.multiply(contents.cast(pa.int64()), len(self._names)), names.cast(pa.int64()))

    def rows(self, ids: pa.ChunkedArray, names: pa.ChunkedArray) -> pa.Array:
        """Of each file, the row that has its content and name; null where none has."""
        if self._last != (ids, names) or self._found is None:
            codes = pc.index_in(names.combine_chunks(), self._names)
            self._found = pc.index_in(self._keys, self._key(places(ids, self._ids), codes), skip_nulls=True)
            self._last = ids, names
        return self._found


def with_columns(table: pa.Table, columns: Mapping[str, Any]) -> pa.Table:
    """The table with more columns."""
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table


def _struct(columns: Mapping[str, pa.Array]) -> pa.Array:
    return pa.StructArray.from_arrays(list(columns.values()), list(columns))


def _taken(column: pa.ChunkedArray, rows: pa.Array) -> Any:
    return column.combine_chunks().take(rows)


def read(paths: Sequence[Path], schema: pa.Schema, columns: Sequence[str]) -> pa.Table:
    """These columns of Parquet files of one schema, in order. Raises UserError for one that cannot be read."""
    found = [pa.schema([schema.field(name) for name in columns]).empty_table()]
    for path in paths:
        try:
            with pq.ParquetFile(path) as file:
                found.append(file.read(columns=list(columns), use_threads=len(paths) == 1))
        except (OSError, pa.ArrowException) as problem:
            raise UserError(
                f"{path} cannot be read ({str(problem).splitlines()[0]})",
                "`starloom verify` checks the workspace's files",
            ) from None
    return pa.concat_tables(found)
