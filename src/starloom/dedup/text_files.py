"""Texts that lie in Parquet files: rows numbered over all files, and read in runs that fit in memory.

Any Parquet will do: ours, a download from the Hub, row groups of a thousand rows or one of a million. A run is some row
groups of one file, about 64 MB of text, one item of work. Of it a worker has rows in memory as they are read, about 8
MB by the mean size of a row (within a row group their sizes are not known); it hands on portions of 8 MB or one text,
which lie where they were read, and a text that several rows have once. A null counts as empty text, as everywhere in
this package. Cost: about 0.7 GB/s of text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from starloom.errors import UserError

_RUN_BYTES = 64 << 20  # of text in one item of work
_BATCH_BYTES = 8 << 20  # of text in hand at a time, by the mean size of a row
_BATCH_ROWS = 1 << 14


class TextFile(NamedTuple):
    """A Parquet file with a column of texts. Rows of several files are numbered on from those before."""

    path: Path
    column: str = "content"


@dataclass(frozen=True)
class Run:
    """Consecutive row groups of one file."""

    file: TextFile
    before: int  # rows of the files before it
    groups: tuple[int, ...]
    starts: tuple[int, ...]  # the number of each group's first row, over all files; then that of the row after the last
    batch: int  # rows to read at a time
    bytes: int  # of text, about

    @property
    def start(self) -> int:
        return self.starts[0]

    @property
    def stop(self) -> int:
        return self.starts[-1]


def row_counts(files: Sequence[TextFile]) -> list[int]:
    """Rows of each file. Raises UserError as `runs`."""
    found = []
    for file in files:
        with _opened(file) as opened:
            found.append(opened.metadata.num_rows)
    return found


def runs(files: Sequence[TextFile]) -> list[Run]:
    """Everything in `files`, in order. Raises UserError for a file that is not there or no Parquet, and for a column
    that it does not have or that holds no texts."""
    found: list[Run] = []
    row = 0
    for file in files:
        with _opened(file) as opened:
            metadata = opened.metadata
        before = row
        place = next(k for k in range(metadata.num_columns) if metadata.schema.column(k).path == file.column)
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        sizes = [group.column(place).total_uncompressed_size for group in groups]
        rows = [group.num_rows for group in groups]
        for some in _cuts(sizes):
            starts = tuple(accumulate(rows[some.start : some.stop], initial=row))
            size = sum(sizes[some.start : some.stop])
            mean = size / max(starts[-1] - row, 1)
            batch = int(min(max(_BATCH_BYTES // max(mean, 1), 1), _BATCH_ROWS))
            found.append(Run(file, before, tuple(some), starts, batch, size))
            row = starts[-1]
    return found


def _cuts(sizes: list[int]) -> Iterator[range]:
    """Ranges of groups of about _RUN_BYTES, at least one each."""
    start, size = 0, 0
    for number, one in enumerate(sizes):
        size += one
        if size >= _RUN_BYTES or number == len(sizes) - 1:
            yield range(start, number + 1)
            start, size = number + 1, 0


class Portion(NamedTuple):
    """Some consecutive rows, or of those wanted."""

    rows: NDArray[np.int64]  # their numbers
    texts: Any  # an Arrow array of large strings, valid UTF-8
    of: NDArray[np.int64]  # of each row, the place of its text in `texts`


def portions(run: Run, wanted: NDArray[np.int64] | None = None) -> Iterator[Portion]:
    """The texts of a run, portion by portion.

    `wanted`, numbers of rows in ascending order: only those rows, and no row group without one is read. Raises
    UserError for what cannot be read or is no text.
    """
    try:
        with _opened(run.file) as opened:
            for group, start, stop in zip(run.groups, run.starts, run.starts[1:], strict=False):
                rows = np.arange(start, stop) if wanted is None else _between(wanted, start, stop)
                if not len(rows):
                    continue
                first = start
                columns = [run.file.column]
                for batch in opened.iter_batches(run.batch, row_groups=[group], columns=columns, use_threads=False):
                    numbers = _between(rows, first, first + len(batch))
                    if len(numbers):
                        yield from _texts(batch.column(0), numbers, first, run)
                    first += len(batch)
    except (pa.ArrowException, OSError) as problem:
        raise _unreadable(run.file.path, problem) from None


def _between(rows: NDArray[np.int64], start: int, stop: int) -> NDArray[np.int64]:
    return rows[np.searchsorted(rows, start) : np.searchsorted(rows, stop)]


def _texts(column: Any, numbers: NDArray[np.int64], first: int, run: Run) -> Iterator[Portion]:
    """The rows `numbers` of a column that begins with row `first`, in portions of _BATCH_BYTES (one text at least)."""
    if pa.types.is_null(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    places = np.asarray(column.indices.cast(pa.int64()).fill_null(-1))[numbers - first]
    texts, of = _used(column.dictionary, places)
    try:  # Parquet promises UTF-8, and not every writer keeps it
        texts = texts.cast(pa.large_binary()).cast(pa.large_string())
    except pa.ArrowInvalid:
        bad = np.array([not _is_utf8(value or b"") for value in texts.cast(pa.binary()).to_pylist()], dtype=bool)
        row = numbers[bad[of]][0] - run.before
        raise UserError(
            f"{run.file.path}: `{run.file.column}` of row {row:,} is no UTF-8",
            "convert that text, or drop its row",
        ) from None
    ends = np.cumsum(np.asarray(pc.binary_length(texts).fill_null(0), dtype=np.int64)[of])
    start = 0
    while start < len(numbers):
        before = int(ends[start - 1]) if start else 0
        stop = max(int(np.searchsorted(ends, before + _BATCH_BYTES, side="right")), start + 1)
        yield Portion(numbers[start:stop], *_used(texts, of[start:stop]))
        start = stop


def _used(values: Any, places: NDArray[np.int64]) -> tuple[Any, NDArray[np.int64]]:
    """Those of `values` that `places` names, each once, and the places in them; -1 is an empty text. They are copied
    only where others lie between them, or where there is an empty one."""
    used = np.unique(places)
    empty = len(used) > 0 and used[0] < 0
    named = used[1:] if empty else used
    if len(named) and len(named) == named[-1] - named[0] + 1:
        texts = values.slice(named[0], len(named))
    else:
        texts = values.take(pa.array(named))
    if empty:
        texts = pa.concat_arrays([pa.array([""]).cast(values.type), texts])
    return texts, np.searchsorted(used, places)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_binary(kind: Any) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def is_text(kind: Any) -> bool:
    """Whether a column of this type holds texts: strings, bytes, or nulls only; as they are or as a dictionary."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    strings = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return bool(strings or _is_binary(kind) or pa.types.is_null(kind))


def _opened(file: TextFile) -> pq.ParquetFile:
    try:
        with pq.ParquetFile(file.path) as plain:
            metadata, schema = plain.metadata, plain.schema_arrow
    except (pa.ArrowException, OSError) as problem:
        raise _unreadable(file.path, problem) from None
    if schema.names.count(file.column) != 1:
        number = "two columns" if file.column in schema.names else "no column"
        raise UserError(
            f"{file.path} has {number} `{file.column}`", f"its columns are: {', '.join(schema.names) or 'none'}"
        )
    kind = schema.field(file.column).type
    if not is_text(kind):
        raise UserError(f"{file.path}: column `{file.column}` holds {kind}, not texts", "name the column of the texts")
    # Read in pieces: else a row group's whole column is taken into memory, compressed, before the first row comes. As a
    # dictionary: a text that a group has a thousand times is one text still.
    columns = [file.column]
    return pq.ParquetFile(file.path, metadata=metadata, buffer_size=1 << 20, pre_buffer=False, read_dictionary=columns)


def _unreadable(path: Path, problem: Exception) -> UserError:
    return UserError(f"cannot read {path}: {str(problem).splitlines()[0]}", "check that it is a complete Parquet file")
