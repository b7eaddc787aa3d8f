"""Rows of layout.FILES as tables, and the texts they name."""

from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from starloom.kernels.text import Int64s
from starloom.search.layout import FILES, text_name

_EMPTY = {pa.string(): "", pa.binary(16): bytes(16), pa.bool_(): False}  # of a column that must have something


def with_column(rows: pa.Table, name: str, values: Any) -> pa.Table:
    """The rows with other values in a column."""
    at = FILES.get_field_index(name)
    return rows.set_column(at, FILES.field(at), values)


def without(rows: pa.Table, gone: Int64s) -> pa.Table:
    """The rows, some of them gone: of them is left that they were there, and no name."""
    keep = rows.column("live").to_numpy().copy()
    keep[gone] = False
    emptied = rows.cast(FILES).take(pa.array(np.arange(len(rows)), mask=~keep))
    for field in FILES:
        if not field.nullable:
            column = emptied.column(field.name)
            nothing = pa.scalar(_EMPTY.get(field.type, 0), field.type)
            emptied = with_column(emptied, field.name, pc.if_else(pa.array(keep), column, nothing))
    return emptied


def counted(rows: pa.Table) -> tuple[int, int]:
    """How many are live, and how many bytes of text they have."""
    live = rows.filter(rows.column("live"))
    return len(live), int(pc.sum(live.column("text_bytes")).as_py() or 0)


# Places of texts


def placed(rows: pa.Table, number: int, start: int) -> pa.Table:
    """The rows, their texts being in the file of that number, from `start` on."""
    rows = with_column(rows, "text_file", pa.array(np.full(len(rows), number), pa.int16()))
    return with_column(rows, "text_start", pc.add(rows.column("text_start"), pa.scalar(start, pa.int64())))


def touched(rows: pa.Table, gone: Int64s) -> list[int]:
    """The numbers of the files of texts that hold one of rows that have gone."""
    return [int(one) for one in np.unique(rows.column("text_file").to_numpy()[gone])]


def packed(rows: pa.Table, number: int) -> pa.Table:
    """The rows, the live ones of one file of texts being all that is left in it: see `left`."""
    starts, sizes = (rows.column(name).to_numpy().copy() for name in ("text_start", "text_size"))
    there = _there(rows, number)
    starts[there] = np.cumsum(sizes[there]) - sizes[there]
    return with_column(rows, "text_start", pa.array(starts))


def left(folder: Path, rows: pa.Table, number: int) -> Iterator[bytes]:
    """What is left of a file of texts: the blocks of its live rows, as they come in it."""
    texts = mapped(folder / text_name(number))
    there = _there(rows, number)
    starts, sizes = (rows.column(name).to_numpy()[there] for name in ("text_start", "text_size"))
    for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
        yield texts[start : start + size]


def _there(rows: pa.Table, number: int) -> Int64s:
    """The live rows of one file of texts, as their texts come in it."""
    there = np.flatnonzero((rows.column("text_file").to_numpy() == number) & rows.column("live").to_numpy())
    return there[np.argsort(rows.column("text_start").to_numpy()[there], kind="stable")]


def mapped(path: Path) -> mmap | bytes:
    """A file's content, in memory where it is read."""
    with path.open("rb") as file:
        return mmap(file.fileno(), 0, access=ACCESS_READ) if path.stat().st_size else b""
