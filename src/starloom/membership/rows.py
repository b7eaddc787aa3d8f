"""`origins.arrow`, mapped: the places of contents, read cell by cell.

A row costs 20 µs, since its cells are taken from Arrow's buffers and the texts of dictionaries made once; a cell of a
table, as an object, costs 5 alone.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from starloom.kernels.slots import numbered
from starloom.kernels.text import Int64s
from starloom.membership.described import License, Licenses, Made, ranged
from starloom.membership.layout import LICENSE, ORIGIN_ROWS
from starloom.membership.matches import Place
from starloom.the_stack.origins import OCCURRENCES, origin

_REMEMBERED: Final = 8192  # places and licences kept as objects
_TOGETHER: Final = 1 << 20  # places whose licences are counted at once, about

Cells = Callable[[int], Any]  # by row


class Rows:
    """The places of all contents, row by row.

    Raises OSError, ValueError, ArrowException for a file that is none."""

    def __init__(self, path: Path) -> None:
        with pa.memory_map(str(path)) as file:
            table = pa.ipc.open_file(file).read_all()
        if table.schema != ORIGIN_ROWS or table.column(LICENSE).null_count:
            raise ValueError("its files do not belong together")
        table.validate(full=True)
        if table.column(0).num_chunks > 1:
            table = table.combine_chunks()
        self._size = len(table)
        self._cells = {name: _cells(table.column(name)) for name in OCCURRENCES.names}
        self._codes, self._names = _coded(table.column(LICENSE))
        self.place = lru_cache(_REMEMBERED)(self._place)

    def __len__(self) -> int:
        return self._size

    def _place(self, row: int) -> Place:
        """What stands in a row."""
        return Place.of(origin({name: cell(row) for name, cell in self._cells.items()}))

    def licenses(self, firsts: Int64s, counts: Int64s) -> Licenses:
        """Of contents, each so many rows from a first one on."""
        names, before = max(len(self._names), 1), np.cumsum(counts)
        cuts = np.searchsorted(before, np.arange(_TOGETHER, before[-1] if len(before) else 0, _TOGETHER))
        parts = []
        for low, high in pairwise([0, *cuts.tolist(), len(counts)]):
            of: Int64s = np.repeat(np.arange(low, high), counts[low:high])
            found, number = numbered(of * names + self._codes[ranged(firsts[low:high], counts[low:high])])
            parts.append((found, np.bincount(number, minlength=len(found))))
        every, numbers = (np.concatenate(column) for column in zip(*parts))
        return Licenses(self._names, *np.divmod(every, names), numbers)


def license_text(kind: str, *names: str) -> str:
    """What stands in the column `license`; empty texts stand for nothing."""
    return json.dumps([kind or None, sorted(filter(None, names))], ensure_ascii=False)


@lru_cache(_REMEMBERED)
def _license(text: str) -> License:
    kind, names = json.loads(text)
    return kind, tuple(names)


def _cells(column: pa.ChunkedArray) -> Cells:
    return _of_array(column.chunk(0)) if column.num_chunks == 1 else lambda row: column[row].as_py()


def _of_array(array: pa.Array) -> Cells:
    if pa.types.is_dictionary(array.type):
        cells = _named(array)
    elif pa.types.is_string(array.type):
        cells = _texts(array)
    elif pa.types.is_list(array.type):
        cells = _lists(array)
    else:
        cells = _bits(array.buffers()[1], array.offset)
    if not array.null_count:
        return cells
    valid = _bits(array.buffers()[0], array.offset)
    return lambda row: cells(row) if valid(row) else None


def _named(array: pa.DictionaryArray) -> Cells:
    codes = _codes(array)
    known: dict[int, str] = {}  # each of its texts is made once

    def cell(row: int) -> str:
        code = int(codes[row])
        if code not in known:
            known[code] = array.dictionary[code].as_py()
        return known[code]

    return cell


def _coded(column: pa.ChunkedArray) -> tuple[NDArray[np.int32], Made[License]]:
    """(of each row the number of its licence, the licences)"""
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()  # one is mapped as it lies
    name = _texts(array.dictionary)
    return _codes(array), Made(range(len(array.dictionary)), lambda number: _license(name(number)))


def _codes(array: pa.DictionaryArray) -> NDArray[np.int32]:
    return np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array)]


def _texts(array: pa.StringArray) -> Cells:
    ends, data = _ends(array), array.buffers()[2]
    text = memoryview(data) if data else b""
    return lambda row: str(text[ends[row] : ends[row + 1]], "utf-8")


def _lists(array: pa.ListArray) -> Cells:
    ends, item = _ends(array), _of_array(array.values)
    return lambda row: [item(number) for number in range(ends[row], ends[row + 1])]


def _bits(buffer: pa.Buffer, offset: int) -> Cells:
    bits = memoryview(buffer)
    return lambda row: bool(bits[(row + offset) >> 3] >> ((row + offset) & 7) & 1)


def _ends(array: pa.Array) -> NDArray[np.int32]:
    """Where each item of an array of texts or lists begins; the last ends where the next would."""
    return np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
