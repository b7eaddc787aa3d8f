"""A Parquet file of anybody's as part of an input: read where it lies, never as a whole.

What a footer states is checked before anything is read. Not covered: a page that unpacks to what its footer hides
(Arrow holds such a page, at most 2 GB, before it can be refused).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from starloom.dedup.inputs.part import ids_of, numbered, unreadable
from starloom.dedup.text_files import TextFile, is_text
from starloom.errors import UserError
from starloom.outside import parquet_footers
from starloom.outside.json_values import plain
from starloom.settings import nearest

_FEW_ROWS = 1 << 20  # that any file may have; more than one a byte is a lie, or of no use
_BATCH_BYTES = 16 << 20
_BATCH_ROWS = 1 << 14
_HINT = "check that it is a complete Parquet file"


@dataclass(frozen=True)
class ParquetPart:
    path: str
    file: Path
    content: str
    id_columns: tuple[str, ...]  # none: row numbers
    rows: int
    batch: int  # rows to read at a time

    @property
    def text(self) -> TextFile:
        return TextFile(self.file, self.content)

    @property
    def own_ids(self) -> bool:
        return not self.id_columns

    def ids(self) -> Any:
        fallback = numbered(self.path, self.rows)
        if not self.id_columns:
            return fallback
        return ids_of([self.column(name) for name in self.id_columns], fallback)

    def columns(self) -> list[str]:
        return list(self.schema().names)

    def column(self, name: str) -> Any:
        with _opened(self.path, self.file) as file:
            found = file.read(columns=[name]).column(name)
        kind = found.type.value_type if pa.types.is_dictionary(found.type) else found.type
        return found.cast(_plain_kind(kind))

    def schema(self) -> Any:
        with _opened(self.path, self.file) as file:
            fields = [field.with_type(_plain_kind(field.type)) for field in file.schema_arrow]
            return pa.schema(fields, file.schema_arrow.metadata)

    def tables(self, keep: NDArray[Any], schema: Any) -> Iterator[Any]:
        with _opened(self.path, self.file) as file:
            names = [name for name in schema.names if name in file.schema_arrow.names]
            row = 0
            for group in range(file.metadata.num_row_groups):  # not across: Arrow fails there at structs of nulls
                for batch in file.iter_batches(self.batch, row_groups=[group], columns=names):
                    some = keep[row : row + len(batch)]
                    row += len(batch)
                    if some.any():
                        yield _plain(batch).filter(pa.array(some)).select(names)
            if row != self.rows:
                raise UserError(f"{self.path} changed while it was read", "run the same command again")

    def lines(self, keep: NDArray[Any]) -> Iterator[bytes]:
        import json

        for table in self.tables(keep, self.schema()):
            columns = [_values(table.column(name), f"{self.path}, column {name}") for name in table.column_names]
            for row in zip(*columns, strict=True):
                yield json.dumps(dict(zip(table.column_names, row, strict=True)), ensure_ascii=False).encode()


def open_parquet(path: str, file: Path, content: str, ids: tuple[str, ...]) -> ParquetPart:
    """The part that `file` is, called `path`. Raises UserError for what is damaged, or would not fit in memory."""
    with _opened(path, file) as opened:
        metadata = opened.metadata
        names = opened.schema_arrow.names
        if twice := [name for name in names if names.count(name) > 1]:
            raise UserError(f"{path} has two columns `{twice[0]}`", "give each column a name of its own")
        for name in (content, *ids):
            if name not in names:
                raise UserError(f"{path} has no column `{name}`", nearest(name, names))
        groups = [metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups)]
    batch = int(min(max(_BATCH_BYTES * metadata.num_rows // max(sum(groups), 1), 1), _BATCH_ROWS))
    return ParquetPart(path, file, content, ids, metadata.num_rows, batch)


def parquet_fields(path: str, file: Path) -> list[tuple[str, bool]]:
    """(name, whether it may hold texts) of every column. Raises UserError."""
    with _opened(path, file) as opened:
        return [(field.name, is_text(field.type)) for field in opened.schema_arrow]


def _plain_kind(kind: Any) -> Any:
    """Views of texts, for which Arrow has few functions, as texts."""
    views = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
    return views.get(kind, kind)


def _plain(batch: Any) -> Any:
    columns = [column.cast(_plain_kind(column.type)) for column in batch.columns]
    return pa.table(columns, names=batch.schema.names)


@contextmanager
def _opened(path: str, file: Path) -> Iterator[Any]:
    """The open file, and what goes wrong with it as UserError."""
    try:
        with pq.ParquetFile(file, pre_buffer=False, buffer_size=1 << 20, page_checksum_verification=True) as opened:
            _check(path, opened.metadata, file.stat().st_size)
            yield opened
    except OSError as problem:
        if problem.errno is not None:
            raise unreadable(path, problem) from None
        raise UserError(f"{path} cannot be read as Parquet: {str(problem).splitlines()[0]}", _HINT) from None
    except pa.ArrowException as problem:
        raise UserError(f"{path} cannot be read as Parquet: {str(problem).splitlines()[0]}", _HINT) from None


def _check(path: str, metadata: Any, size: int) -> None:
    if metadata.num_rows > max(size, _FEW_ROWS):
        raise UserError(f"{path}: {metadata.num_rows:,} rows in {size:,} bytes", _HINT)
    if bad := parquet_footers.too_large(metadata, size):
        raise UserError(f"{path}: row group {bad[0]} would unpack to {bad[1]:,} bytes of memory", _HINT)


def _values(column: Any, where: str) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    try:
        return [plain(one) for one in column.to_pylist()]
    except (ValueError, OverflowError, pa.ArrowException):
        raise UserError(f"{where}: JSON cannot hold {column.type}", "write the rows to a .parquet file") from None
