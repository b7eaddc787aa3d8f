"""One writer per workspace.

The lock is the kernel's (`flock` on ROOT/.starloom/lock), so it ends with its process, kill -9 and power cut included:
there are no stale locks. What the file says is only for the message. The file itself stays: removing it would let two
writers lock two files of one name.
"""

import contextlib
import errno
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from starloom.errors import UserError
from starloom.workspace import operations

FOLDER: Final = ".starloom"
UNFINISHED: Final = f"{FOLDER}/unfinished"  # folders of what stages that were killed go on with, texts of files in it
NAME: Final = "lock"


@contextlib.contextmanager
def lock(root: Path, command: str, name: str = NAME) -> Iterator[None]:
    """Holds the workspace `root` for `command` (as the user typed it, e.g. "starloom build"); `name`: or a part of it
    that has a lock of its own.

    Raises UserError when another process holds it, and where the file system has no locks.
    """
    path = root / FOLDER / name
    with operations.explained(path):
        operations.make_parents(path.parent)
        descriptor = _acquire(path, root)
    try:
        with operations.explained(path):
            _say(descriptor, path, command)
        yield
    finally:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
        os.close(descriptor)


def _acquire(path: Path, root: Path) -> int:
    while True:
        descriptor = operations.do(
            "open", path, lambda: os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        )
        try:
            _flock(descriptor, path, root)
            # Someone who removed the file meanwhile would leave us with a lock that nobody else meets.
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _flock(descriptor: int, path: Path, root: Path) -> None:
    try:
        operations.do("flock", path, lambda: fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB))
    except BlockingIOError:
        raise UserError(
            f"workspace {root} is in use by {_holder(descriptor)}",
            "wait until it has ended, or stop it; `starloom why` and other readers work meanwhile",
        ) from None
    except OSError as problem:
        if problem.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL):
            raise
        raise UserError(
            f"the file system of {root} has no locks ({problem.strerror}): two runs could write at once",
            "put the workspace on a local disk, or have the lock service of the network share started",
        ) from problem


def _say(descriptor: int, path: Path, command: str) -> None:
    text = json.dumps(
        {
            "command": command,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now().astimezone().isoformat(timespec="seconds"),
        }
    )
    os.ftruncate(descriptor, 0)
    operations.write_all(descriptor, path, text.encode())


def _holder(descriptor: int) -> str:
    """Who holds the lock, as far as the file tells: it may be empty, or half written."""
    try:
        holder = json.loads(os.pread(descriptor, 1 << 16, 0))
        since = datetime.fromisoformat(holder["since"])
        today = since.date() == datetime.now().astimezone().date()
        when = since.strftime("%H:%M" if today else "%Y-%m-%d %H:%M")
        return f"`{holder['command']}` (pid {holder['pid']} on {holder['host']}, since {when})"
    except (ValueError, KeyError, TypeError, OSError):
        return "another process"
