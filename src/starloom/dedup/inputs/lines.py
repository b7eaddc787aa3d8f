"""A file of JSON lines as part of an input: its texts staged as Parquet, its lines copied from the original.

A line is one JSON object; blank lines are none. What is no object, or whose text is neither a string nor null, is an
error that names the line: a row that is passed over silently would be missing from what is written. Cost: some 150
MB/s of lines, once to stage and once to copy; scratch: the text, packed lightly, and the rest of the objects.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from starloom import progress
from starloom.dedup.inputs.part import MAX_TEXT, StagedTexts, id_text, ids_of, staged_texts
from starloom.dedup.text_files import TextFile
from starloom.errors import UserError
from starloom.outside.json_lines import LinesError, is_packed, json_object, lines

MAX_RATIO = 200  # of unpacked to packed bytes in a file that unpacks to more than _SMALL
_SMALL = 1 << 30
_LOOKED_AT = 100  # lines whose keys are a file's columns, before it is read
_TOLD = 1 << 20  # bytes between two looks at the progress
_TEXT, _REST, _LINE = "content", "rest", "line"  # staged columns; rest: the object without its text, as JSON


@dataclass(frozen=True)
class LinesPart:
    path: str
    file: Path
    content: str
    id_columns: tuple[str, ...]  # none: line numbers
    staged: Path
    rows: int
    keys: tuple[str, ...] = field(repr=False)

    @property
    def text(self) -> TextFile:
        return TextFile(self.staged, _TEXT)

    @property
    def own_ids(self) -> bool:
        return not self.id_columns

    def ids(self) -> Any:
        """As those of Parquet, but of line numbers, from 1."""
        import pyarrow.compute as pc

        fallback = pc.binary_join_element_wise(self.path, pq.read_table(self.staged, columns=[_LINE])[_LINE], ":")
        if not self.id_columns:
            return fallback
        texts = ([id_text(one) for values in self._values(name) for one in values] for name in self.id_columns)
        return ids_of([staged_texts(one) for one in texts], fallback)

    def columns(self) -> list[str]:
        return list(self.keys)

    def column(self, name: str) -> Any:
        pieces = [self._array(name, values) for values in self._values(name)]
        kind = self._one_kind(name, {piece.type for piece in pieces})
        try:
            return pa.chunked_array([piece.cast(kind) for piece in pieces], kind)
        except pa.ArrowException:
            raise self._mixed(name) from None

    def schema(self) -> Any:
        try:
            return pa.schema(list(self._kinds.items()))
        except UnicodeEncodeError:
            raise UserError(f"{self.path}: a key is no UTF-8", "write JSON lines (.jsonl)") from None

    def tables(self, keep: NDArray[Any], schema: Any) -> Iterator[Any]:
        names = [name for name in schema.names if name in self._kinds]
        row = 0
        for objects in self._objects():
            some = keep[row : row + len(objects)].tolist()
            row += len(objects)
            kept = [one for one, stays in zip(objects, some, strict=True) if stays]
            if kept:
                arrays = [self._array(name, [one.get(name) for one in kept], self._kinds[name]) for name in names]
                yield pa.table(arrays, names=names)

    def lines(self, keep: NDArray[Any]) -> Iterator[bytes]:
        row = 0
        for _, line in _numbered(self.path, self.file):
            if row < self.rows and keep[row]:
                yield line
            row += 1
        if row != self.rows:
            raise UserError(f"{self.path} changed while it was read", "run the same command again")

    @cached_property
    def _kinds(self) -> dict[str, Any]:
        """The one type that all values of a column have."""
        found: dict[str, set[Any]] = {name: set() for name in self.keys}
        for objects in self._objects():
            for name, kinds in found.items():
                kinds.add(self._array(name, [one.get(name) for one in objects]).type)
        return {name: self._one_kind(name, kinds) for name, kinds in found.items()}

    def _one_kind(self, name: str, kinds: set[Any]) -> Any:
        several = [pa.schema([("values", kind)]) for kind in sorted(kinds, key=str)]
        try:
            return pa.unify_schemas(several, promote_options="permissive").field(0).type if several else pa.null()
        except pa.ArrowException:
            raise self._mixed(name) from None

    def _array(self, name: str, values: list[Any], kind: Any = None) -> Any:
        try:
            return pa.array(values, kind)
        except UnicodeEncodeError:
            return self._array(name, [_encodable(one) for one in values], kind)
        except (pa.ArrowException, OverflowError, TypeError):
            raise self._mixed(name) from None

    def _mixed(self, name: str) -> UserError:
        return UserError(
            f"{self.path}: the values of `{name}` are of several kinds, or too large for a column",
            "make them one kind; a .jsonl file takes the lines as they are",
        )

    def _values(self, name: str) -> Iterator[list[Any]]:
        for objects in self._objects() if name == self.content else self._rest():
            yield [one.get(name) for one in objects]

    def _rest(self) -> Iterator[list[dict[str, Any]]]:
        with pq.ParquetFile(self.staged) as file:
            for batch in file.iter_batches(10_000, columns=[_REST]):
                yield list(map(json.loads, batch.column(0).to_pylist()))

    def _objects(self) -> Iterator[list[dict[str, Any]]]:
        """Whole rows; a text that was missing is null."""
        with pq.ParquetFile(self.staged) as file:
            for batch in file.iter_batches(1_000, columns=[_TEXT, _REST]):
                texts, rest = (batch.column(name).to_pylist() for name in (_TEXT, _REST))
                yield [json.loads(one) | {self.content: text} for text, one in zip(texts, rest, strict=True)]


def stage_lines(path: str, file: Path, content: str, ids: tuple[str, ...], staged: Path) -> LinesPart:
    """The part that `file` is, called `path`, its texts in the new file `staged`. Raises UserError."""
    keys: dict[str, None] = {}
    rows = done = 0
    total = None if is_packed(str(file)) else file.stat().st_size
    with progress.task(f"read {file.name}", total) as bar, StagedTexts(staged, _TEXT, _REST, _LINE) as out:
        for number, line in _numbered(path, file):
            row = json_object(line)
            if row is None:
                raise _no_object(path, number, line)
            keys.update(dict.fromkeys(row))
            text = row.pop(content, None)
            if not (text is None or isinstance(text, str)):
                raise UserError(
                    f"{path}, line {number}: `{content}` is no text", "name the column of the texts with --content"
                )
            out.add(text, json.dumps(row), str(number))
            rows += 1
            done += len(line) + 1
            if done > _TOLD:
                bar.advance(done)
                done = 0
        bar.advance(done)
    return LinesPart(path, file, content, ids, staged, rows, tuple(keys))


def lines_fields(path: str, file: Path) -> list[tuple[str, bool]]:
    """(key, whether it may hold texts) of the first lines. Raises UserError where they are no JSON objects."""
    found: dict[str, bool] = {}
    for number, line in islice(_numbered(path, file), _LOOKED_AT):
        row = json_object(line)
        if row is None:
            raise _no_object(path, number, line)
        for name, value in row.items():
            found[name] = found.get(name, True) and (value is None or isinstance(value, str))
    return list(found.items())


def _numbered(path: str, file: Path) -> Iterator[tuple[int, bytes]]:
    """Every line that is not blank, with its number, from 1. Raises UserError."""
    try:
        most = max(_SMALL, file.stat().st_size * MAX_RATIO)
        for number, (_, line) in enumerate(lines(str(file), max_line=MAX_TEXT, max_bytes=most), 1):
            if line is None:
                raise UserError(
                    f"{path}, line {number}: longer than {MAX_TEXT:,} bytes", "see that each row is a line of its own"
                )
            if line.strip():
                yield number, line
    except LinesError as problem:
        raise UserError(f"{path}: {problem}", "fetch or make the file again") from None


def _no_object(path: str, number: int, line: bytes) -> UserError:
    hint = "each line must be one JSON object, in UTF-8: mend that line, or take it out"
    if number == 1 and line.lstrip()[:1] == b"[":
        hint = "a JSON array becomes JSON lines by: jq -c '.[]' FILE > FILE.jsonl"
    elif number == 1 and line.strip() == b"{":
        hint = "objects over several lines become JSON lines by: jq -c . FILE > FILE.jsonl"
    return UserError(f"{path}, line {number}: no JSON object", hint)


def _encodable(value: Any) -> Any:
    """Without lone surrogates, which JSON can escape and UTF-8 has not."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_encodable(one) for one in value]
    if isinstance(value, dict):
        return {_encodable(key): _encodable(one) for key, one in value.items()}
    return value
