"""What a person hands in to be checked: a file, every file below a folder, or a stream, as text.

In a folder no link is followed, `.git` is not entered, and what is no text is told with the reason.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from starloom.errors import UserError
from starloom.membership.check import MOST_BYTES
from starloom.outside.paths import RefusedError, Root, describe, text_path
from starloom.outside.text import Undecodable, decode


@dataclass(frozen=True)
class Given:
    """`path`: below the folder given, else as given. Without a `text`, `problem` says why."""

    path: str
    text: str | None
    problem: str = ""


def from_file(path: Path) -> Given:
    """The text of a file (or pipe). Raises UserError when it cannot be read or is no text."""
    name = text_path(os.fsencode(path))
    try:
        with path.open("rb") as file:
            return _text(name, file)
    except OSError as problem:
        raise UserError(f"cannot read {name}: {describe(problem)}", "give a file or folder that you can read") from None


def from_stream(stream: BinaryIO) -> Given:
    """All that comes from `stream`. Raises UserError when it is no text."""
    return _text("-", stream)


def from_folder(folder: Path) -> Iterator[Given]:
    """Every regular file below `folder`, by path. Raises UserError when it cannot be read."""
    try:
        root = Root(folder)
    except OSError as problem:
        raise UserError(f"cannot read {folder}: {describe(problem)}", "give a folder that you can read") from None
    with root:
        for raw in _below(os.fsencode(folder)):
            yield _given(root, raw)


def _below(folder: bytes) -> Iterator[bytes]:
    """Paths of the regular files below `folder`, relative to it."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(one for one in folders if one != b".git")
        for name in sorted(files):
            path = os.path.join(place, name)  # noqa: PTH118 - names are bytes
            if os.path.isfile(path) and not os.path.islink(path):  # noqa: PTH113, PTH114
                yield os.path.relpath(path, folder)


def _given(root: Root, raw: bytes) -> Given:
    name = text_path(raw)
    try:
        data = root.read(raw, MOST_BYTES)
    except RefusedError as problem:
        return Given(name, None, str(problem))
    if len(data) > MOST_BYTES:
        return Given(name, None, f"more than {MOST_BYTES:,} bytes")
    found = decode(data)
    return Given(name, None, found.reason) if isinstance(found, Undecodable) else Given(name, found.text)


def _text(name: str, file: BinaryIO) -> Given:
    data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise UserError(f"{name} has more than {MOST_BYTES:,} bytes", "check it in pieces, or file by file")
    found = decode(data)
    if isinstance(found, Undecodable):
        raise UserError(f"{name} is no text: {found.reason}", "give source code, in UTF-8 if in doubt")
    return Given(name, found.text)
