"""A folder of source files as part of an input: every regular file below it that is text, staged as Parquet.

A row's id is the file's path. No link is followed; folders where tools keep what is no part of a project (`.git`,
`.venv`, caches) are not entered. What is no text, too large or unreadable has no row, and is named with its reason.
Cost: files are opened and read once and decoded as in a build, some 5,000 a second; scratch: the text, packed lightly.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from starloom import progress
from starloom.dedup.inputs.part import MAX_TEXT, LeftOut, StagedTexts, unreadable
from starloom.dedup.text_files import TextFile
from starloom.outside import lfs
from starloom.outside.paths import RefusedError, Root, describe, read_descriptor, text_path
from starloom.outside.text import Undecodable, decode, is_binary
from starloom.outside.tool_folders import NOT_ENTERED

_HEAD = 1 << 16  # bytes in which most binaries have a NUL: the rest of those is not read
_COLUMNS = ("path", "extension", "content")


class Found(NamedTuple):
    """A regular file below a folder, or a link (`is_link`)."""

    raw: bytes  # below the folder
    size: int
    is_link: bool


@dataclass(frozen=True)
class FolderPart:
    path: str
    staged: Path
    rows: int
    own_ids: bool = True

    @property
    def text(self) -> TextFile:
        return TextFile(self.staged, "content")

    def ids(self) -> Any:
        return self.column("path")

    def columns(self) -> list[str]:
        return list(_COLUMNS)

    def column(self, name: str) -> Any:
        return pq.read_table(self.staged, columns=[name]).column(name)

    def schema(self) -> Any:
        return pa.schema([(name, pa.string()) for name in _COLUMNS])

    def tables(self, keep: NDArray[Any], schema: Any) -> Iterator[Any]:
        names = [name for name in schema.names if name in _COLUMNS]
        row = 0
        with pq.ParquetFile(self.staged) as file:
            for batch in file.iter_batches(1_000, columns=names):
                some = keep[row : row + len(batch)]
                row += len(batch)
                if some.any():
                    yield pa.Table.from_batches([batch]).filter(pa.array(some)).select(names)

    def lines(self, keep: NDArray[Any]) -> Iterator[bytes]:
        """`path`, `extension` and `content` of each file."""
        import json

        for table in self.tables(keep, self.schema()):
            for row in table.to_pylist():
                yield json.dumps(row, ensure_ascii=False).encode()


def files_below(folder: Path, left_out: list[LeftOut]) -> list[Found]:
    """Regular files and links below `folder`, by the bytes of their paths; what cannot be one is added to `left_out`.
    Raises UserError when the folder itself cannot be read."""
    found: list[Found] = []
    waiting = [b""]
    top = os.fsencode(folder)
    while waiting:
        prefix = waiting.pop()
        try:
            with os.scandir(os.path.join(top, prefix)) as entries:  # noqa: PTH118 - names are bytes
                for entry in entries:
                    raw = prefix + entry.name
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(status.st_mode):
                        if text_path(entry.name) in NOT_ENTERED:
                            left_out.append(LeftOut(text_path(raw) + "/", "not entered", "a tool's own folder"))
                        else:
                            waiting.append(raw + b"/")
                    elif stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
                        found.append(Found(raw, status.st_size, stat.S_ISLNK(status.st_mode)))
                    else:
                        left_out.append(LeftOut(text_path(raw), "no file", "a pipe, socket or device"))
        except OSError as problem:
            if not prefix:
                raise unreadable(folder, problem) from None
            left_out.append(LeftOut(text_path(prefix), "unreadable", describe(problem)))
    return sorted(found)


def stage_folder(folder: Path, files: list[Found], staged: Path, left_out: list[LeftOut]) -> FolderPart:
    """The part that the source files of a folder are, its texts in the new file `staged`. Raises UserError."""
    rows = 0
    total = sum(one.size for one in files)
    try:
        below = Root(folder)
    except OSError as problem:
        raise unreadable(folder, problem) from None
    with below as root, progress.task(f"read {folder}", total) as bar, StagedTexts(staged, *_COLUMNS) as out:
        for one in files:
            path = text_path(one.raw)
            text = _text(root, one)
            if isinstance(text, str):
                out.add(path, Path(path).suffix.lower().removeprefix("."), text)
                rows += 1
            else:
                left_out.append(LeftOut(path, *text))
            bar.advance(one.size)
    return FolderPart(text_path(os.fsencode(folder)), staged, rows)


def _text(root: Root, file: Found) -> str | tuple[str, str]:
    """The text; else the kind of reason and the reason why there is none."""
    if file.is_link:
        return "symbolic link", "not followed"
    try:
        descriptor, status = root.open(file.raw)
    except RefusedError as problem:
        return "unreadable", str(problem)
    try:
        if status.st_size > MAX_TEXT:
            return "too large", f"more than {MAX_TEXT:,} bytes"
        head = os.read(descriptor, _HEAD)
        nul = is_binary(head)
        data = head + (read_descriptor(descriptor, MAX_TEXT) if nul is None else b"")
    except OSError as problem:
        return "unreadable", describe(problem)
    finally:
        os.close(descriptor)
    if lfs.pointer(data):
        return "LFS pointer", "not the file itself: git lfs pull"
    found = decode(data)
    return ("no text", found.reason) if isinstance(found, Undecodable) else found.text
