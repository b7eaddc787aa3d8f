"""`origins.arrow`: every place of every content of a shard, written and found again."""

from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from starloom.kernels.text import UInt8s, UInt32s
from starloom.membership.layout import ID_BYTES, LICENSE, ORIGIN_ROWS, packed_ids
from starloom.membership.rows import license_text


def write(output: IO[bytes] | Any, places: pa.Table) -> None:
    """Rows of OCCURRENCES as `origins.arrow`, one batch."""
    table = places.append_column(LICENSE, _licenses(places)).combine_chunks()
    columns = [
        pc.dictionary_encode(table.column(one.name)).cast(one.type) if pa.types.is_dictionary(one.type) else column
        for one in ORIGIN_ROWS
        for column in [table.column(one.name)]
    ]
    with pa.ipc.new_file(output, ORIGIN_ROWS) as file:
        for batch in pa.Table.from_arrays(columns, schema=ORIGIN_ROWS).combine_chunks().to_batches():
            file.write_batch(batch)


def _licenses(places: pa.Table) -> pa.ChunkedArray:
    """The column LICENSE: few texts, so only those are made."""
    kinds = pc.fill_null(places.column("license_type"), "")
    names = pc.fill_null(pc.binary_join(places.column("detected_licenses"), "\n"), "")
    joined = pc.binary_join_element_wise(kinds, names, "\n").combine_chunks()
    told = pc.dictionary_encode(pa.concat_arrays(joined.chunks) if isinstance(joined, pa.ChunkedArray) else joined)
    texts = [license_text(*text.split("\n")) for text in told.dictionary.to_pylist()]
    return pa.chunked_array([pa.array(texts, pa.string()).take(told.indices)])


class Ranges:
    """Which rows of a table of OCCURRENCES, which is in the order of content_ids, are a content's."""

    def __init__(self, places: pa.Table) -> None:
        counted = pc.value_counts(places.column("content_id").combine_chunks())
        self._ids = packed_ids(counted.field("values").to_pylist()).view("S20").reshape(-1)
        self._counts = counted.field("counts").to_numpy().astype(np.int64)
        self._firsts = np.cumsum(self._counts) - self._counts

    def of(self, ids: UInt8s) -> tuple[UInt32s, UInt32s]:
        """(first row, number of rows) of contents; none for one that has no place."""
        wanted = np.ascontiguousarray(ids.reshape(-1, ID_BYTES)).view("S20").reshape(-1)
        if not len(self._ids):
            return np.zeros(len(wanted), np.uint32), np.zeros(len(wanted), np.uint32)
        at = np.minimum(np.searchsorted(self._ids, wanted), len(self._ids) - 1)
        there = self._ids[at] == wanted
        first, count = ((column[at] * there).astype(np.uint32) for column in (self._firsts, self._counts))
        return first, count


def read_places(path: Path) -> pa.Table:
    """repo_name, path and content_id of every place in an `origins.arrow`, mapped."""
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all().select(["repo_name", "path", "content_id"])
