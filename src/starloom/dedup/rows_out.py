"""Rows of an input into a file: Parquet with all columns, or JSON lines, copied byte for byte where they were lines.

Rows keep their order. Parquet to JSON lines and back is converted: times are ISO 8601, bytes hexadecimal, what is no
finite number is null; each key of JSON lines becomes a column of the one type that its values have. Memory: a row group
(64 MB of values), and a batch. The same rows give the same bytes. Cost: reading the input once more, and zstd.
"""

import csv
import gzip
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from starloom import progress
from starloom.dedup.inputs import Input
from starloom.errors import UserError

_FORM = re.compile(r".*\.(parquet|csv|(?:jsonl|ndjson)(?:\.gz|\.zst)?)", re.IGNORECASE | re.DOTALL)
_GROUP_BYTES, _GROUP_ROWS = 64 << 20, 100_000


def form_of(path: Path, csv_too: bool = False) -> str:
    """How a file is written, by its name: "parquet", "jsonl", "jsonl.gz", "jsonl.zst", "csv". Raises UserError."""
    found = _FORM.fullmatch(path.name)
    form = found[1].lower().replace("ndjson", "jsonl") if found else ""
    if not found or (form == "csv" and not csv_too):
        forms = [".parquet", ".jsonl", ".jsonl.gz", ".jsonl.zst", *([".csv"] if csv_too else [])]
        raise UserError(f"{path}: its name does not say what to write", f"let it end in one of: {', '.join(forms)}")
    return form


def write_rows(source: Input, keep: NDArray[Any], out: BinaryIO, form: str) -> None:
    """The rows of `source` where `keep: bool[rows]` holds. `out` may be closed then. Raises UserError
    where they do not go into such a file."""
    with progress.task("write rows", int(keep.sum()), "rows") as bar:
        if form == "parquet":
            schema = _schema(source)
            with pq.ParquetWriter(out, schema, compression="zstd", compression_level=3) as writer:
                for group in _groups(_cast(table, schema, source.name) for table in _tables(source, keep, schema)):
                    writer.write_table(group, row_group_size=len(group))
                    bar.advance(len(group))
        else:
            with _packed(out, form) as file:
                for part, some in _by_part(source, keep):
                    for line in part.lines(some):
                        file.write(line + b"\n")
                        bar.advance(1)


def write_table(table: Any, out: BinaryIO, form: str) -> None:
    """A table of texts and numbers, whole; `out` may be closed then."""
    if form == "parquet":
        pq.write_table(table, out, compression="zstd", compression_level=3)
        return
    import json

    with _packed(out, form) as file, io.TextIOWrapper(file, "utf-8", newline="") as text:
        writer = csv.writer(text, lineterminator="\n")
        if form == "csv":
            writer.writerow(table.column_names)
        for batch in table.to_batches(max_chunksize=10_000):
            for row in batch.to_pylist():
                if form == "csv":
                    writer.writerow(row.values())
                else:
                    text.write(json.dumps(row, ensure_ascii=False) + "\n")


@contextmanager
def _packed(out: BinaryIO, form: str) -> Iterator[Any]:
    if form.endswith(".gz"):
        with gzip.GzipFile(filename="", fileobj=out, mode="wb", compresslevel=6, mtime=0) as file:
            yield file
    elif form.endswith(".zst"):
        with pa.CompressedOutputStream(out, "zstd") as file:
            yield file
    else:
        yield out


def _by_part(source: Input, keep: NDArray[Any]) -> Iterator[tuple[Any, NDArray[Any]]]:
    row = 0
    for part in source.parts:
        yield part, keep[row : row + part.rows]
        row += part.rows


def _tables(source: Input, keep: NDArray[Any], schema: Any) -> Iterator[Any]:
    for part, some in _by_part(source, keep):
        yield from part.tables(some, schema)


def _schema(source: Input) -> Any:
    """Of all rows. Raises UserError where the parts do not go together."""
    schemas = [part.schema() for part in source.parts]
    try:
        return pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowException as problem:
        raise UserError(
            f"the files do not make one table: {str(problem).splitlines()[0]}",
            "write JSON lines (.jsonl), or take those files apart",
        ) from None


def _cast(table: Any, schema: Any, name: str) -> Any:
    """With all columns of `schema`, null where there are none."""
    there = set(table.column_names)
    columns = [table.column(field.name) if field.name in there else pa.nulls(len(table)) for field in schema]
    try:
        return pa.table([one.cast(field.type) for one, field in zip(columns, schema, strict=True)], schema=schema)
    except (pa.ArrowException, ValueError) as problem:
        raise UserError(
            f"{name}: the rows do not go into one table: {str(problem).splitlines()[0]}",
            "write JSON lines (.jsonl), or take the files apart",
        ) from None


def _groups(tables: Iterable[Any]) -> Iterator[Any]:
    """Tables of about a row group each."""
    pieces: list[Any] = []
    rows = size = 0
    for table in tables:
        pieces.append(table)
        rows += len(table)
        size += table.nbytes
        if size >= _GROUP_BYTES or rows >= _GROUP_ROWS:
            yield pa.concat_tables(pieces)
            pieces, rows, size = [], 0, 0
    if pieces:
        yield pa.concat_tables(pieces)
