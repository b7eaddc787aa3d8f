"""Cells of the rows of a shard, read from Arrow's buffers as they are mapped.

Cost: 0.1 to 0.6 us a cell; Arrow's scalars take 0.3 to 3.6, most of all for what is a dictionary, and a page of ten
hits has a hundred of them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import pyarrow as pa

from starloom.kernels.text import Int32s, UInt8s

Cell: TypeAlias = Callable[[int], Any]  # by the number of the row; None: null

_Format: TypeAlias = Literal["b", "h", "i", "q", "Q"]
_FORMATS: Final[dict[pa.DataType, _Format]] = {
    pa.int8(): "b",
    pa.int16(): "h",
    pa.int32(): "i",
    pa.int64(): "q",
    pa.uint64(): "Q",
}


class Columns:
    """Those of a table."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self._cells: dict[str, Cell] = {}

    def value(self, row: int, name: str) -> Any:
        """A cell. Raises KeyError for no column."""
        return (self._cells.get(name) or self._cell(name))(row)

    def _cell(self, name: str) -> Cell:
        cell = self._cells.get(name)
        if cell is None:  # threads may make it twice
            cell = self._cells[name] = cell_of(self._table.column(name))
        return cell

    def of_rows(self, rows: Sequence[int], names: Iterable[str]) -> Iterator[tuple[Any, ...]]:
        """Of each row the cells of some columns, read column by column. Raises as `value`."""
        return zip(*[list(map(self._cell(name), rows)) for name in names], strict=True)

    def array(self, name: str) -> pa.Array:
        """A column in one piece."""
        return _whole(self._table.column(name))

    def numbers(self, name: str) -> "memoryview[int]":
        """A column of integers, none of them null."""
        array = self.array(name)
        return _numbers(array.buffers()[1], _FORMATS[array.type], array.offset)


class Lists:
    """A column of lists, in one piece: of a row, its values where they lie."""

    def __init__(self, column: pa.Array) -> None:
        self._starts = _numbers(column.buffers()[1], "i", column.offset)
        self.values = column.values

    def slice(self, row: int) -> tuple[int, int]:
        return self._starts[row], self._starts[row + 1]


class Strings:
    """An array of strings: its buffers, and one of them by its number."""

    def __init__(self, strings: pa.Array) -> None:
        _, starts, data = strings.buffers()
        self._cell = cell_of(strings)
        self._starts = np.frombuffer(starts, dtype=np.int32)[strings.offset :] if starts else np.zeros(1, np.int32)
        self._data = np.frombuffer(data, dtype=np.uint8) if data else np.zeros(0, np.uint8)

    def buffers(self) -> tuple[Int32s, UInt8s]:
        """(where each starts, and the last ends, of which bytes)."""
        return self._starts, self._data

    def __getitem__(self, number: int) -> str:
        return self._cell(number)  # type: ignore[no-any-return]


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def cell_of(column: pa.ChunkedArray | pa.Array) -> Cell:
    """What gives the cells of a column."""
    array = _whole(column) if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.DictionaryArray):
        values, indices = array.dictionary.to_pylist(), array.indices
        if array.null_count or not len(array) or indices.type not in _FORMATS:
            number = cell_of(indices)
            return lambda row: None if (found := number(row)) is None else values[found]
        numbers = _numbers(indices.buffers()[1], _FORMATS[indices.type], indices.offset)
        return lambda row: values[numbers[row]]
    if array.type == pa.string() and len(array):
        return _with_nulls(array, _text(array))
    if array.type in _FORMATS and len(array):
        return _with_nulls(array, _numbers(array.buffers()[1], _FORMATS[array.type], array.offset).__getitem__)
    if isinstance(array, pa.ListArray) and len(array):
        bounds, inner = _numbers(array.buffers()[1], "i", array.offset), cell_of(array.values)
        return _with_nulls(array, lambda row: [inner(number) for number in range(bounds[row], bounds[row + 1])])
    return lambda row: array[row].as_py()


def _numbers(buffer: pa.Buffer, format: _Format, offset: int) -> "memoryview[int]":
    numbers: memoryview[int] = memoryview(buffer).cast("B").cast(format)
    return numbers[offset:]


def _text(array: pa.StringArray) -> Cell:
    _, starts, data = array.buffers()
    bounds = _numbers(starts, "i", array.offset)
    characters = memoryview(data) if data else memoryview(b"")
    return lambda row: str(characters[bounds[row] : bounds[row + 1]], "utf-8")


def _with_nulls(array: pa.Array, cell: Cell) -> Cell:
    if not array.null_count:
        return cell
    valid = array.is_valid().to_numpy(zero_copy_only=False).tobytes()
    return lambda row: cell(row) if valid[row] else None
