"""Folders for what runs spill, each locked by the run that made it.

The lock is the kernel's (`flock` on a file in the folder): it ends with its process, in whatever machine or container
that was. The names of host and process are for people: of containers each has a new one, or all have the same. Programs
that a run starts do not inherit the lock, nor do the engine's workers; whoever else is forked holds it until it ends,
and the folder stays as long. Where a file system has no locks, folders stay. Where locks are each machine's own (NFS
mounted with `nolock`), machines must not share a folder.
"""

import contextlib
import fcntl
import itertools
import os
import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LOCK: Final = "lock"
_NAME: Final = re.compile(r".+-[0-9]+\.[0-9]+|[0-9]+")  # digits alone: of Starloom before its folders had locks
_NUMBERS: Final = itertools.count()


@contextlib.contextmanager
def own(place: Path) -> Iterator[Path]:
    """A new folder below `place`, which whoever uses it removes. Where none can be made it is one that is not there."""
    folder, descriptor = _new(place)
    try:
        yield folder
    finally:
        _leave(folder, descriptor)


def clear(place: Path) -> None:
    """Removes the folders of those that were killed; a living one's stays."""
    with contextlib.suppress(OSError):
        for folder in list(place.iterdir()):
            if _NAME.fullmatch(folder.name) and not folder.is_symlink():
                with contextlib.suppress(OSError):  # it lives, it is another user's, or there are no locks
                    descriptor = _locked(folder)
                    shutil.rmtree(folder, ignore_errors=True)
                    _leave(folder, descriptor)


def _new(place: Path) -> tuple[Path, int | None]:
    """And the descriptor that holds its lock; None where it has none."""
    host = re.sub(r"[^A-Za-z0-9.-]", "_", socket.gethostname())
    while True:
        folder = place / f"{host}-{os.getpid()}.{next(_NUMBERS)}"
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError:
            return folder, None
        try:
            folder.mkdir()
            return folder, _locked(folder)
        except (FileExistsError, FileNotFoundError, BlockingIOError):
            continue  # of another with our names, or cleared before it was locked
        except OSError:
            return folder, None


def _locked(folder: Path) -> int:
    """The descriptor that holds its lock. Raises BlockingIOError: another has it; OSError."""
    path = folder / LOCK
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(descriptor), path.stat()):
            raise FileNotFoundError(path)  # removed meanwhile, and made by another
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _leave(folder: Path, descriptor: int | None) -> None:
    if descriptor is not None:
        os.close(descriptor)
        with contextlib.suppress(OSError):  # network shares keep a file that is open, and so the folder that it is in
            folder.rmdir()
