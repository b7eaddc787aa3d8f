"""Rows of a query for a person, as JSON and as CSV, as they stream: no format holds more than a batch in memory.

JSON has no date, no bytes and no NaN: times are ISO 8601, bytes hexadecimal, what is no finite number is null. Two
columns of one name become `a` and `a_2`. In CSV and for a person, lists and structures are JSON.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TextIO

import pyarrow as pa

from starloom.outside.json_values import plain
from starloom.outside.paths import printable
from starloom.progress import counted

_WIDEST = 70  # characters of a cell for a person


def names(schema: pa.Schema) -> list[str]:
    """The columns' names, each once."""
    found: list[str] = []
    for name in schema.names:
        unique, number = name, 1
        while unique in found:
            number += 1
            unique = f"{name}_{number}"
        found.append(unique)
    return found


def rows(reader: Iterable[pa.RecordBatch]) -> Iterator[tuple[Any, ...]]:
    """Each row as values that JSON has."""
    for batch in reader:
        yield from zip(*(map(plain, _values(column)) for column in batch.columns), strict=True)


def _values(column: Any) -> list[Any]:
    """Of one column; null where Python has no such value (a date before the year 1)."""
    try:
        found: list[Any] = column.to_pylist()
    except (ValueError, OverflowError, pa.ArrowException):
        found = [_value(one) for one in column]
    return found


def _value(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except (ValueError, OverflowError, pa.ArrowException):
        return None


def write_json(reader: pa.RecordBatchReader, out: TextIO) -> None:
    """One object: `columns`, and `rows`, each an object, on a line of its own."""
    keys = names(reader.schema)
    columns = [{"name": key, "type": str(field.type)} for key, field in zip(keys, reader.schema, strict=True)]
    out.write(f'{{"columns": {json.dumps(columns, ensure_ascii=False)}, "rows": [')
    for number, row in enumerate(rows(reader)):
        out.write(",\n" if number else "\n")
        out.write(json.dumps(dict(zip(keys, row, strict=True)), ensure_ascii=False))
    out.write("\n]}\n")


def write_csv(reader: pa.RecordBatchReader, out: TextIO) -> None:
    """A line of names, then a line a row; null is empty."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names(reader.schema))
    for row in rows(reader):
        writer.writerow([json.dumps(one, ensure_ascii=False) if isinstance(one, list | dict) else one for one in row])


def table(reader: pa.RecordBatchReader, limit: int) -> list[str]:
    """Lines for a person: the first `limit` rows in columns, numbers to the right, and whether there are more."""
    found = list(islice(rows(reader), limit + 1))
    shown, keys = found[:limit], names(reader.schema)
    if not keys:
        return ["no columns"]
    right = [_is_number(field.type) for field in reader.schema]
    cells = [[_cut(printable(key)) for key in keys], *([_cut(_cell(one)) for one in row] for row in shown)]
    widths = [max(len(row[k]) for row in cells) for k in range(len(keys))]
    lines = [
        "  ".join(
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in cells
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    if len(found) > limit:
        lines.append(f"… more than {counted(limit, 'rows')}: --limit shows more, --csv and --json give all")
    elif not found:
        lines.append("no rows")
    return lines


def _cell(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return printable(", ".join(value))
    return printable(json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value))


def _cut(text: str) -> str:
    """Of a long text the beginning and the end: of a path, that is where it differs from others."""
    half = _WIDEST // 2
    return text if len(text) <= _WIDEST else f"{text[: half - 1]}…{text[-half:]}"


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
