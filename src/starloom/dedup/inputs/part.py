"""A part of an input, a file of rows or a folder of source files: its texts, its other columns, its rows as they were.

What `Part` promises; ids; and the scratch file in which the texts of what is no Parquet are staged.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from starloom.dedup.text_files import TextFile
from starloom.errors import UserError
from starloom.outside.json_values import plain
from starloom.outside.paths import describe, printable

MAX_TEXT = 256 << 20  # bytes of a text, or of the line it is in
_GROUP_BYTES = 32 << 20  # of staged text in a row group, and in memory


class LeftOut(NamedTuple):
    """Something below a folder that gave no row."""

    path: str
    kind: str  # such as "no text": what is counted together
    reason: str


def left_out_lines(left_out: Sequence[LeftOut], shown: int = 5, indent: str = "  ") -> list[str]:
    """For a person: a line for each kind of what gave no row, with the first of them by name."""
    paths: dict[str, list[str]] = {}
    for one in sorted(left_out, key=lambda one: (one.kind, one.path)):
        paths.setdefault(one.kind, []).append(printable(one.path))
    return [
        f"{indent}left out, {kind}: {', '.join(some[:shown])}"
        + (f", and {len(some) - shown:,} more" if len(some) > shown else "")
        for kind, some in paths.items()
    ]


class Part(Protocol):
    """`path`: as the user may call it, below the input. Rows are in the order of the original."""

    @property
    def path(self) -> str: ...

    @property
    def text(self) -> TextFile:
        """Where the texts are read from."""
        ...

    @property
    def rows(self) -> int: ...

    @property
    def own_ids(self) -> bool:
        """Whether the ids are made here, of paths and row numbers."""
        ...

    def ids(self) -> Any:
        """string[rows]"""
        ...

    def columns(self) -> list[str]: ...

    def column(self, name: str) -> Any:
        """[rows], of one of `columns`. Raises UserError."""
        ...

    def schema(self) -> Any:
        """Of the whole rows as Arrow has them. Raises UserError where a column has no one type."""
        ...

    def tables(self, keep: NDArray[Any], schema: Any) -> Iterator[Any]:
        """The whole rows where `keep: bool[rows]` holds, as tables of those columns of `schema` that there are here."""
        ...

    def lines(self, keep: NDArray[Any]) -> Iterator[bytes]:
        """The same rows as JSON lines without their ends; lines of the original as they stand there."""
        ...


def numbered(path: str, rows: int, first: int = 0) -> Any:
    """Ids of the rows of a file: `PATH:ROW`."""
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(path, pa.array(range(first, first + rows)).cast(pa.string()), ":")


def ids_of(columns: Sequence[Any], fallback: Any) -> Any:
    """string[rows]: the values of `columns` with a colon between, of rows without a value their `fallback`."""
    import pyarrow.compute as pc

    texts = [_as_texts(column) for column in columns]
    joined = texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, ":")
    return pc.coalesce(joined, fallback)


def _as_texts(column: Any) -> Any:
    try:
        return column.cast(pa.string())
    except pa.ArrowException:  # bytes, lists and whatever else somebody calls an id
        return pa.array(map(id_text, column.to_pylist()), pa.string())


def id_text(value: Any) -> str | None:
    """A value as an id: text as it is, other values as JSON has them."""
    if value is None or isinstance(value, str):
        return value
    value = plain(value)
    return value if isinstance(value, str) else json.dumps(value)


def id_columns(columns: Iterable[str], asked: str | None) -> tuple[str, ...]:
    """The columns that make a row's id: the one asked for, else `id`, else `repo_name` and `path`; else none."""
    there = set(columns)
    if asked is not None:
        return (asked,) if asked in there else ()
    if "id" in there:
        return ("id",)
    return ("repo_name", "path") if {"repo_name", "path"} <= there else ()


class StagedTexts:
    """Rows of texts into a Parquet file below the scratch folder, about 32 MB in memory at a time."""

    def __init__(self, path: Path, *columns: str) -> None:
        self._schema = pa.schema([(name, pa.string()) for name in columns])
        self._path = path
        self._rows: list[tuple[str | None, ...]] = []
        self._bytes = 0
        self._writer: Any = None

    def __enter__(self) -> "StagedTexts":
        with _explained(self._path):
            self._writer = pq.ParquetWriter(self._path, self._schema, compression="lz4", write_statistics=False)
        return self

    def add(self, *values: str | None) -> None:
        """A row. Raises UserError when the disk is full."""
        self._rows.append(values)
        self._bytes += sum(len(one) for one in values if one is not None)
        if self._bytes >= _GROUP_BYTES:
            self._flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _explained(self._path):
            if kind is None:
                self._flush()
                self._writer.close()
            else:
                self._writer.is_open = False  # or its destructor writes on a file that has failed

    def _flush(self) -> None:
        columns = [staged_texts(list(values)) for values in zip(*self._rows, strict=True)]
        self._rows, self._bytes = [], 0
        if columns:
            with _explained(self._path):
                self._writer.write_table(pa.table(columns, schema=self._schema))


def staged_texts(values: list[str | None]) -> Any:
    """The texts as an Arrow array, with `?` for what UTF-8 has not."""
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:  # lone surrogates, which JSON can escape and UTF-8 has not
        return pa.array([one and one.encode("utf-8", "replace").decode() for one in values], pa.string())


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise UserError(
            f"cannot write {path}: {str(problem).splitlines()[0]}",
            "free some space there, or have scratch files elsewhere: TMPDIR=/some/other/folder",
        ) from None


def unreadable(path: str | Path, problem: OSError) -> UserError:
    return UserError(f"cannot read {path}: {describe(problem)}", "give a file or folder that you can read")
