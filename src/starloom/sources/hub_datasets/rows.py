"""Rows of Parquet files and JSON lines, one at a time, as if both were the same.

Files of strangers: what a footer states is checked before anything is read, rows come in small batches, a JSON line has
a limit, and whatever Arrow or gzip make of damage is a `SourceError` with the file's name. Memory: a page of each
column and `_FEW` rows; where a row is a repository, that row. Not covered: a Parquet page that unpacks to what its
footer hides (Arrow holds such a page, at most 2 GB, before it can be refused), and damage within values where the pages
have no checksums (most writers leave them out): a hash that the data set states then differs, and is counted.
"""

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from starloom.outside import parquet_footers
from starloom.outside.json_lines import LinesError, is_packed, json_object, lines
from starloom.sources.hub_datasets.shape import Shape, shape_of
from starloom.sources.repository import RepositoryProblem, SourceError

MAX_LINE = 256 << 20  # bytes of a JSON line
MAX_TEXT = 1 << 40  # bytes of JSON lines in one file
UNIT_BYTES = 256 << 20  # of text read in one go by one worker
_SAMPLE = 1000  # lines whose keys are a file's columns
_FEW = 32  # rows with contents in memory
_MANY = 10_000  # rows without
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Unit:
    """What one worker reads in one go."""

    path: str
    shape: Shape
    start: int  # row group; byte of JSON lines
    stop: int | None  # None: to the end


class Row(NamedTuple):
    """One row: its values by column, and those of its files."""

    number: int  # its row in the file, or the byte at which its line begins
    values: Mapping[str, Any]
    files: list[Mapping[str, Any]]


class _Cells(Mapping[str, Any]):
    """Row `at` of columns that are lists of values."""

    __slots__ = ("_at", "_columns")

    def __init__(self, columns: Mapping[str, list[Any]], at: int) -> None:
        self._columns, self._at = columns, at

    def __getitem__(self, name: str) -> Any:
        return self._columns[name][self._at]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def is_parquet(path: str) -> bool:
    return path.lower().endswith(".parquet")


def columns_of(path: str) -> tuple[list[str], Shape | None]:
    """(its columns, its shape or None where that is not understood). Raises SourceError."""
    if is_parquet(path):
        with _explained(path):
            schema = pq.read_schema(path)
        inner, structs = [], []
        for field in schema:
            kind = field.type
            if pa.types.is_struct(kind):
                structs += [f"{field.name}.{kind.field(number).name}" for number in range(kind.num_fields)]
            elif field.name == "files" and _is_list(kind) and pa.types.is_struct(kind.value_type):
                inner = [kind.value_type.field(number).name for number in range(kind.value_type.num_fields)]
        return schema.names, shape_of(schema.names, inner, structs)
    found: dict[str, set[str]] = {}  # a line may be without the columns that are null in it
    with _explained(path):
        for _, line in islice(lines(path, max_line=MAX_LINE, max_bytes=MAX_TEXT), _SAMPLE):
            for name, value in ((line and json_object(line)) or {}).items():
                keys = found.setdefault(name, set())
                files = value[:1] if name == "files" and isinstance(value, list) else [value]
                keys.update(key for one in files if isinstance(one, dict) for key in one)
    structs = [f"{name}.{key}" for name, keys in found.items() for key in keys]
    return list(found), shape_of(found, found.get("files", ()), structs)


def units(path: str, shape: Shape) -> list[Unit]:
    """What is in a file, cut for the workers. Raises SourceError where it must not be read."""
    with _explained(path):
        size = Path(path).stat().st_size
        if not is_parquet(path):
            if is_packed(path):
                return [Unit(path, shape, 0, None)]
            return [Unit(path, shape, start, start + UNIT_BYTES) for start in range(0, size, UNIT_BYTES)]
        metadata = pq.read_metadata(path)
        if metadata.num_rows > size:
            raise LinesError(f"refused: {metadata.num_rows:,} rows in {size:,} bytes")
        if bad := parquet_footers.too_large(metadata, size):
            raise LinesError(f"refused: row group {bad[0]} unpacks to {bad[1]:,} bytes")
        found: list[Unit] = []
        start = together = 0
        for number in range(metadata.num_row_groups):
            together += metadata.row_group(number).total_byte_size
            if together >= UNIT_BYTES or number == metadata.num_row_groups - 1:
                found.append(Unit(path, shape, start, number + 1))
                start, together = number + 1, 0
        return found


def rows(unit: Unit) -> Iterator[Row | str]:
    """Every row of the unit, in order; text: why a line is no row. Raises SourceError."""
    with _explained(unit.path):
        yield from _parquet_rows(unit) if is_parquet(unit.path) else _json_rows(unit)


@contextmanager
def _explained(path: str) -> Iterator[None]:
    try:
        yield
    except LinesError as problem:
        reason = str(problem)
    except OSError as problem:
        reason = f"unreadable: {problem.strerror or _first_line(problem)}"
    except (pa.ArrowException, ValueError, OverflowError) as problem:
        reason = f"damaged: {_first_line(problem)}"
    else:
        return
    raise SourceError(RepositoryProblem(path, reason, "fetch or make the file again; its rows are not listed"))


def _first_line(problem: Exception) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0][:200]


def _json_rows(unit: Unit) -> Iterator[Row | str]:
    for offset, line in lines(unit.path, max_line=MAX_LINE, max_bytes=MAX_TEXT, start=unit.start, stop=unit.stop):
        if line is None:
            yield f"a line is longer than {MAX_LINE:,} bytes"
        elif line.strip():
            row = json_object(line)
            if row is None:
                yield "a line is no JSON object"
            elif unit.shape.nested:
                files = row.get("files")
                files = files if isinstance(files, list) else []
                yield Row(offset, row, [one for one in files if isinstance(one, dict)])
            else:
                yield Row(offset, row, [row])


def _parquet_rows(unit: Unit) -> Iterator[Row]:
    shape = unit.shape
    few = 1 if shape.nested else _FEW
    options = {"pre_buffer": False, "buffer_size": 1 << 20, "page_checksum_verification": True}
    with pq.ParquetFile(unit.path, **options) as file:
        groups = range(unit.start, unit.stop or 0)
        number = sum(file.metadata.row_group(one).num_rows for one in range(unit.start))
        columns = [name for name in shape.columns() if name in file.schema_arrow.names]
        for batch in file.iter_batches(few if shape.inline else _MANY, row_groups=groups, columns=columns):
            names = [name for name in batch.schema.names if not (shape.nested and name == "files")]
            flat = {name: _values(batch.column(name)) for name in names}
            files = _nested(batch) if shape.nested else None
            for at in range(batch.num_rows):
                row = _Cells(flat, at)
                yield Row(number, row, [row] if files is None else files[at])
                number += 1


def _nested(batch: pa.RecordBatch) -> list[list[Mapping[str, Any]]]:
    """The files of each row."""
    array = batch.column("files")
    inner = array.flatten()
    columns = _fields(inner)
    lengths = [0 if one is None else one for one in array.value_lengths().to_pylist()]
    found: list[list[Mapping[str, Any]]] = []
    start = 0
    for length in lengths:
        found.append([_Cells(columns, at) for at in range(start, start + length)])
        start += length
    return found


def _values(array: Any) -> list[Any]:
    """As Python values; text as bytes, for nothing says that it is text; times in UTC."""
    if isinstance(array.type, pa.BaseExtensionType):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return list(array.cast(pa.large_binary()).to_pylist())
    if pa.types.is_timestamp(kind):
        return [
            _moment(one) for one in array.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.int64()).to_pylist()
        ]
    if pa.types.is_struct(kind):
        inner = _fields(array)
        return [_Cells(inner, at) for at in range(len(array))]
    if _is_list(kind) and pa.types.is_string(kind.value_type):
        array = array.cast(pa.large_list(pa.large_binary()))
    return list(array.to_pylist())


def _fields(structs: Any) -> dict[str, list[Any]]:
    """The values of each field; None where the struct itself is null."""
    return {field.name: _values(array) for field, array in zip(structs.type, structs.flatten(), strict=True)}


@functools.lru_cache(4096)
def _moment(microseconds: int | None) -> datetime | None:
    if microseconds is None or not 0 <= microseconds < 253_402_300_800_000_000:
        return None
    return _EPOCH + timedelta(microseconds=microseconds)


def _is_list(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))
