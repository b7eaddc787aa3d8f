"""Files that a command was asked to write: refused before the work where they cannot be, and never there half."""

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from starloom.errors import UserError


def check_outputs(outputs: Mapping[str, Path | None], inputs: Sequence[Path]) -> None:
    """`outputs`: what was given with each option. Raises UserError for one that would replace what is read, would be
    read itself, is given twice, or has no folder that it may be made in."""
    given = {option: path for option, path in outputs.items() if path is not None}
    first: dict[Path, str] = {}
    for option, path in given.items():
        target = path.resolve()
        if (other := first.setdefault(target, option)) != option:
            raise UserError(f"{other} and {option} are both {path}", "give each a file of its own")
        if any(target == one.resolve() for one in inputs):
            raise UserError(f"{path} is read, so it cannot be written", "give the output another name")
        if any(one.is_dir() and target.is_relative_to(one.resolve()) for one in inputs):
            raise UserError(f"{path} lies in a folder that is read", "write elsewhere: the next run would read it too")
        _check_folder(path)
        if path.exists() and not path.is_file():
            raise UserError(f"{path} is in the way: it is no regular file", "give the output another name")


def _check_folder(path: Path) -> None:
    folder = path.absolute().parent
    if not os.path.lexists(folder):
        raise UserError(
            f"{path}: there is no folder {path.parent}", f"make it: mkdir -p {shlex.quote(str(path.parent))}"
        )
    if not folder.is_dir():
        raise UserError(f"{path}: {path.parent} is no folder", "write into another one")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(
            f"{path}: nothing can be written into {path.parent}", "make it writable for you, or write elsewhere"
        )


@contextmanager
def output(path: Path) -> Iterator[BinaryIO]:
    """A file to write that becomes `path` when the block ends, or leaves no trace when it raises. Raises UserError."""
    from starloom.workspace import operations
    from starloom.workspace.atomic import aside_name

    target = path.absolute()
    aside = aside_name(target)
    with operations.explained(target):
        file = operations.Output(aside)
        try:
            yield cast(BinaryIO, file)
            file.finish()
            operations.rename(aside, target)
        except BaseException:
            file.abandon()
            operations.discard(aside)
            raise
        operations.sync_folder(target.parent)
