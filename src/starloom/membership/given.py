"""What a person hands in to be checked: a file, every file below a folder, or a stream, as text.

What is no text, or too large, is told with the reason. In a folder no link is followed, what tools keep there (.git,
.venv, __pycache__ and the like) is not entered, and what cannot be read is told too.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from starloom.errors import UserError
from starloom.membership.check import MOST_BYTES
from starloom.outside.paths import RefusedError, Root, describe, text_path
from starloom.outside.text import Undecodable, decode
from starloom.outside.tool_folders import NOT_ENTERED


@dataclass(frozen=True)
class Given:
    """`path`: below the folder given, else as given. Without a `text`, `problem` says why; `unreadable`: it may well be
    one, and could not be read.

    Of a diff: `first_line` is the line of its file that the text begins on, `added` the lines of that file that are
    new, ascending. `folder`: the folder given, for those who need the way from where we are.
    """

    path: str
    text: str | None
    problem: str = ""
    first_line: int = 1
    added: tuple[int, ...] | None = None
    folder: str = ""
    unreadable: bool = False

    @property
    def place(self) -> str:
        """The path from where we are (of a diff: from the root of its work tree)."""
        return f"{self.folder}/{self.path}" if self.folder not in ("", ".") else self.path


def texts_at(places: Sequence[Path], stream: BinaryIO) -> Iterator[Given]:
    """The texts of files and folders, `-` being what comes from `stream`; of several places, called by the way from
    where we are. Raises UserError for a file given that cannot be read."""
    for path in places:
        if str(path) == "-":
            yield from_stream(stream)
        elif path.is_dir():
            for one in from_folder(path):
                yield one if len(places) == 1 else replace(one, path=one.place, folder="")
        else:
            yield from_file(path)


def from_file(path: Path) -> Given:
    """The text of a file (or pipe). Raises UserError when it cannot be read."""
    name = text_path(os.fsencode(path))
    try:
        with path.open("rb") as file:
            return _of_bytes(name, file.read(MOST_BYTES + 1))
    except OSError as problem:
        raise UserError(f"cannot read {name}: {describe(problem)}", "give a file or folder that you can read") from None


def from_stream(stream: BinaryIO) -> Given:
    """All that comes from `stream`."""
    return _of_bytes("-", stream.read(MOST_BYTES + 1))


def from_folder(folder: Path) -> Iterator[Given]:
    """Every regular file below `folder`, by path. Raises UserError when it cannot be read."""
    try:
        root = Root(folder)
    except OSError as problem:
        raise UserError(f"cannot read {folder}: {describe(problem)}", "give a folder that you can read") from None
    with root:
        name = text_path(os.fsencode(folder))
        for raw in _below(os.fsencode(folder)):
            yield replace(_given(root, raw), folder=name)


def of_text(path: str, text: str) -> Given:
    """A text that is there already, or why it is too large. Raises UnicodeEncodeError for lone surrogates."""
    size = len(text) if text.isascii() else len(text.encode())
    return Given(path, text) if size <= MOST_BYTES else Given(path, None, f"more than {MOST_BYTES:,} bytes")


def _below(folder: bytes) -> Iterator[bytes]:
    """Paths of the regular files below `folder`, relative to it, and of the folders there that cannot be read."""
    closed: list[bytes] = []
    for place, folders, files in os.walk(folder, onerror=lambda problem: closed.append(problem.filename)):
        folders[:] = sorted(one for one in folders if os.fsdecode(one) not in NOT_ENTERED)
        inside = os.path.relpath(place, folder)
        for name in sorted(files):
            if _is_regular(os.path.join(place, name)):  # noqa: PTH118 - names are bytes
                yield name if inside == b"." else b"%b/%b" % (inside, name)
    yield from (os.path.relpath(one, folder) for one in closed)


def _is_regular(path: bytes) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _given(root: Root, raw: bytes) -> Given:
    name = text_path(raw)
    try:
        data = root.read(raw, MOST_BYTES)
    except RefusedError as problem:
        return Given(name, None, str(problem), unreadable=True)
    return _of_bytes(name, data)


def _of_bytes(name: str, data: bytes) -> Given:
    """The text that all these bytes are, or why they are none; more than MOST_BYTES may be cut."""
    if len(data) > MOST_BYTES:
        return Given(name, None, f"more than {MOST_BYTES:,} bytes")
    found = decode(data)
    return Given(name, None, found.reason) if isinstance(found, Undecodable) else of_text(name, found.text)
