"""Numbers that are too many to hold: written to a scratch file by several processes, then mapped.

Written with write(2), so that a full disk is an error and no crash in a mapped page. What is mapped counts as memory of
the process while its pages are there; the system takes them back when it needs them.
"""

import contextlib
import errno
import fcntl
import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from starloom.errors import UserError


@dataclass(frozen=True)
class Columns:
    """uint64[rows, columns] in the file `path`, column by column: who reads one column reads one stretch of it."""

    path: Path
    rows: int
    columns: int

    def create(self) -> "Columns":
        """The file, all zeros."""
        with explained(self.path), self.path.open("wb") as file:
            file.truncate(self.rows * self.columns * 8)
        return self

    def write(self, row: int, values: NDArray[np.uint64]) -> None:
        """Rows from `row` on. Processes that write different rows do not meet."""
        with explained(self.path), self.path.open("r+b", buffering=0) as file:
            for column in range(self.columns):
                write_at(file, values[:, column].astype("<u8").data, (column * self.rows + row) * 8)

    def mapped(self) -> NDArray[np.uint64]:
        """The table, read-only."""
        values, _ = mapped(self.path, "<u8")
        return values.reshape((self.rows, self.columns), order="F")


def write_at(file: IO[bytes], data: memoryview, at: int) -> None:
    """All of `data` into the file from byte `at` on."""
    view = data.cast("B")
    while view:  # it may take less, and says so only by its count
        written = os.pwrite(file.fileno(), view, at)
        view, at = view[written:], at + written


def appended(file: IO[bytes], values: NDArray[Any]) -> int:
    """Writes `values` at the end of the file, to which other processes may write too; returns where they begin."""
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        at = file.seek(0, os.SEEK_END)
        if values.size:
            write_at(file, values.data, at)
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
    return at


def mapped(path: Path, kind: str) -> tuple[NDArray[Any], mmap.mmap | None]:
    """(the numbers in a file, read-only; their mapping, to `forget` by, None of an empty file)."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return np.zeros(0, dtype=kind), None
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return np.frombuffer(pages, dtype=kind), pages


def forget(pages: mmap.mmap | None) -> None:
    """What this process has read of a mapping is memory of its own no longer; it can be read again."""
    if pages is not None:
        pages.madvise(mmap.MADV_DONTNEED)


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """A full disk, as UserError."""
    try:
        yield
    except OSError as problem:
        if problem.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise UserError(
            f"cannot write {path}: {os.strerror(problem.errno)}",
            "free some space there, or have scratch files elsewhere",
        ) from None
