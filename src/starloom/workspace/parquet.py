"""The one function that writes Parquet for publication: the same rows give the same bytes.

Row groups are cut after `row_group_rows` rows or before `row_group_bytes` bytes of values, counted row by row, so the
cuts do not depend on how the rows came in. Each group is copied into one chunk before it is written, because pages are
cut per chunk. Memory: about twice one row group. Same bytes for the same pyarrow only: it signs files with its version.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from starloom.workspace.operations import Output

Sizes = npt.NDArray[np.int64]


def write(
    output: Output,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch | pa.Table],
    row_group_rows: int = 100_000,
    row_group_bytes: int = 64 << 20,
) -> int:
    """Rows written. Raises ValueError when a batch does not have exactly `schema` (a bug), OSError of the disk."""
    schema = _plain(schema)
    writer = pq.ParquetWriter(output, schema, compression="zstd", compression_level=3, write_statistics=True)
    rows = 0
    try:
        for group in _groups(schema, batches, row_group_rows, row_group_bytes):
            writer.write_table(group, row_group_size=len(group))
            rows += len(group)
        writer.close()
    finally:
        writer.is_open = False  # or its destructor writes a footer under what failed
    output.rows = rows
    return rows


def _plain(schema: pa.Schema) -> pa.Schema:
    for field in schema:
        if _has_dictionary(field.type):
            raise ValueError(f"column {field.name}: dictionary arrays carry their history; give the values' type")
    metadata = {key: value for key, value in (schema.metadata or {}).items() if key != b"pandas"}
    return schema.with_metadata(metadata or None)


def _has_dictionary(kind: Any) -> bool:
    inner = (kind.field(number).type for number in range(kind.num_fields))
    return pa.types.is_dictionary(kind) or any(map(_has_dictionary, inner))


def _groups(
    schema: pa.Schema, batches: Iterable[pa.RecordBatch | pa.Table], most_rows: int, most_bytes: int
) -> Iterator[pa.Table]:
    """Tables of one chunk each. A row that is larger than a group by itself makes one."""
    pieces: list[pa.Table] = []
    whole: list[pa.Table] = []  # those of `pieces` that `size` does not count yet
    rows = size = most = 0  # `most`: at least the size of all pieces
    for table in _tables(schema, batches):
        most += _most_size(table)
        if most <= most_bytes and rows + len(table) < most_rows:  # it fits: no need to count row by row
            pieces.append(table)
            whole.append(table)
            rows += len(table)
            continue
        size += sum(int(_row_sizes(piece).sum()) for piece in whole)
        ends = np.cumsum(_row_sizes(table))
        whole, start = [], 0
        while start < len(table):
            before = int(ends[start - 1]) if start else 0
            fits = int(np.searchsorted(ends, before + most_bytes - size, side="right"))
            stop = min(fits, start + most_rows - rows, len(table))
            if stop <= start and not pieces:
                stop = start + 1
            if stop > start:
                pieces.append(table.slice(start, stop - start))
                rows += stop - start
                size += int(ends[stop - 1]) - before
                start = stop
            if start < len(table) or rows >= most_rows:  # the next row does not fit, or none would
                yield pa.concat_tables(pieces).combine_chunks()
                pieces, rows, size = [], 0, 0
        most = size
    if pieces:
        yield pa.concat_tables(pieces).combine_chunks()


def _tables(schema: pa.Schema, batches: Iterable[pa.RecordBatch | pa.Table]) -> Iterator[pa.Table]:
    """One chunk per column, exactly the schema."""
    for batch in batches:
        if not batch.schema.equals(schema, check_metadata=False):
            raise ValueError(f"rows have the wrong columns\nexpected:\n{schema}\ngot:\n{batch.schema}")
        whole = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
        for piece in whole.to_batches():
            table = pa.Table.from_arrays(piece.columns, schema=schema)
            for field, column in zip(schema, piece.columns):
                if not field.nullable and column.null_count:
                    raise ValueError(f"column {field.name} must not have nulls")
            if len(table):
                yield table


def _most_size(table: pa.Table) -> int:
    """No less than the sum of its `_row_sizes`, mostly without a look at the rows."""
    return sum(
        int(_sizes(column).sum()) if pa.types.is_nested(column.type) else column.nbytes + len(column)
        for column in table.columns
    )


def _row_sizes(table: pa.Table) -> Sizes:
    """Bytes of values per row: an estimate that depends on nothing but the row."""
    widths = [_width(field.type) for field in table.schema]
    sizes = np.full(len(table), sum(width or 0 for width in widths), np.int64)
    for column, width in zip(table.columns, widths, strict=True):
        if width is None:
            sizes += _sizes(column.combine_chunks())
    return sizes


def _width(kind: Any) -> int | None:
    """Bytes of each value; None where values differ."""
    if pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return 1
    differ = _is_bytes(kind) or _is_list(kind) or pa.types.is_struct(kind)
    return None if differ else int(kind.bit_width // 8)


def _sizes(array: Any) -> Sizes:
    kind = array.type
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks == 1 else pa.concat_arrays(array.chunks)
    if pa.types.is_struct(kind):
        return sum((_sizes(field) for field in array.flatten()), np.zeros(len(array), np.int64))
    if _is_list(kind):
        lengths = np.asarray(pc.fill_null(pc.list_value_length(_as_list(array)), 0), np.int64)
        ends = np.concatenate(([0], np.cumsum(lengths)))
        values = np.concatenate(([0], np.cumsum(_sizes(_as_list(array).flatten()))))
        return 8 + values[ends[1:]] - values[ends[:-1]]
    if _is_bytes(kind):
        return 4 + np.asarray(pc.fill_null(pc.binary_length(array), 0), np.int64)
    return np.full(len(array), _width(kind), np.int64)


def _is_list(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_map(kind))


def _as_list(array: Any) -> Any:
    """A map is a list of pairs."""
    if not pa.types.is_map(array.type):
        return array
    pairs = pa.list_(pa.struct([("key", array.type.key_type), ("value", array.type.item_type)]))
    return array.cast(pairs)


def _is_bytes(kind: Any) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_string(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_large_string(kind)
    )
