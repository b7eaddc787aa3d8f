"""Published files proved by their hashes when they are opened, each once: what was proved is remembered by size, time
of change and inode, so that the next reader pays a `stat` a file.

Remembered in `.starloom/checked.json`; a file that is written again, replaced or put back from elsewhere is read again.
Not covered: a disk that alters bytes and leaves the times alone (`starloom verify` reads everything, always).
"""

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from starloom import progress
from starloom.errors import UserError
from starloom.workspace import atomic, operations
from starloom.workspace.lock import FOLDER
from starloom.workspace.manifest import FileEntry, problem_of, read_bytes

_NAME: Final = "checked.json"
_SHOWN: Final = 256 << 20  # bytes to be read from which a bar says so


def problems(root: Path, folder: Path, files: Sequence[FileEntry]) -> dict[str, str]:
    """By name, what is wrong with those of `files` (of the published `folder` in the workspace `root`) that are not
    what their manifest says; a name that is not there is proved."""
    known = _known(root)
    found: dict[str, str] = {}
    marks = {file.name: _mark(folder / file.name, file) for file in files}
    unproved = [one for one in files if (m := marks[one.name]) is None or known.get(_key(root, folder, one)) != m]
    total = sum(file.bytes for file in unproved)
    with contextlib.ExitStack() as stack:
        bar = stack.enter_context(progress.task("check", total)) if total > _SHOWN else None
        for file in unproved:
            if problem := problem_of(folder, file):
                found[file.name] = problem
            if bar:
                bar.advance(file.bytes)
    remember(root, folder, [file for file in unproved if file.name not in found])
    return found


def remember(root: Path, folder: Path, files: Sequence[FileEntry]) -> None:
    """These files are what their manifest says: somebody has just read or written them. Where it cannot be written
    down, the next reader reads them once more."""
    if not files:
        return
    known = {key: mark for key, mark in _known(root).items() if (root / key).exists()}
    known |= {_key(root, folder, file): mark for file in files if (mark := _mark(folder / file.name, file))}
    with contextlib.suppress(UserError, OSError):
        operations.make_parents(root / FOLDER)
        atomic.replace_file(root / FOLDER / _NAME, json.dumps(known, sort_keys=True).encode())


def _key(root: Path, folder: Path, file: FileEntry) -> str:
    return str((folder / file.name).relative_to(root))


def _mark(path: Path, file: FileEntry) -> list[object] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return [file.sha256, found.st_size, found.st_mtime_ns, found.st_ino]


def _known(root: Path) -> dict[str, list[object]]:
    """Nothing where it is missing or damaged: everything is then read once more."""
    try:
        found = json.loads(read_bytes(root / FOLDER / _NAME) or b"{}")
    except (OSError, UserError, ValueError):
        return {}
    return {str(key): mark for key, mark in found.items() if isinstance(mark, list)} if isinstance(found, dict) else {}
