"""Pages of far-away shards on this disk: written once, checked by whoever reads them, the oldest removed for new ones.

One file a page, below the user's cache folder, shared by all processes; a name is taken from the content, so that it
never means something else. It is a cache: what cannot be kept (a full disk, a folder of somebody else's) is fetched
again.
Cost: 0.1 ms a page beside reading it; looking through the folder, 20 ms for 20,000 pages, whenever it is full.
"""

import contextlib
import os
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from starloom.errors import UserError
from starloom.progress import say

LIMIT: Final = 20_000_000_000  # bytes, where STARLOOM_CACHE_BYTES does not say otherwise
_KEPT: Final = 0.9  # of the limit, when it was reached: the oldest go


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/starloom/tokens`, by default below ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "starloom" / "tokens"


def cache_limit() -> int:
    """Bytes of pages that are kept. Raises UserError for a number that is none."""
    told = os.environ.get("STARLOOM_CACHE_BYTES", "")
    if told and not (told.isascii() and told.isdigit()):
        raise UserError(f"STARLOOM_CACHE_BYTES = {told!r} is no number of bytes", f"for example {LIMIT}, or 0")
    return int(told) if told else LIMIT


class BlockCache:
    """Pages by name: letters, digits and -. Thread-safe; several processes may share a folder."""

    def __init__(self, folder: Path, limit: int) -> None:
        """`limit`: bytes, a little more for a moment; 0: nothing is kept."""
        self.folder = folder
        self.limit = limit
        self._lock = threading.Lock()
        self._bytes: int | None = None  # in the folder, as far as it is known
        self._told = False

    def get(self, name: str) -> bytes | None:
        """A page, or None. It may have been damaged since."""
        path = self._path(name)
        try:
            data = path.read_bytes()
            os.utime(path)  # by which the oldest are found
        except OSError:
            return None
        return data

    def put(self, name: str, data: bytes) -> None:
        """Keeps a page, if that can be."""
        if len(data) > self.limit:
            return
        path = self._path(name)
        aside = path.with_name(f".{secrets.token_hex(8)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                aside.write_bytes(data)
                aside.replace(path)
            except OSError:
                with contextlib.suppress(OSError):
                    aside.unlink(missing_ok=True)
                raise
        except OSError as problem:
            with self._lock:
                told, self._told = self._told, True
            if not told:
                say(f"note: tokens from afar are not kept in {self.folder}: {problem.strerror}; they are fetched again")
            return
        with self._lock:
            if self._bytes is None:
                self._bytes = sum(size for _, size, _ in self._files())
            else:
                self._bytes += len(data)
            if self._bytes > self.limit:
                self._bytes = self._trim()

    def drop(self, name: str) -> None:
        """Removes a page that is damaged."""
        with contextlib.suppress(OSError):
            self._path(name).unlink()

    def _trim(self) -> int:
        """Removes the pages that nobody asked for the longest. Returns the bytes that are left."""
        files = sorted(self._files())
        left = sum(size for _, size, _ in files)
        for _, size, path in files:
            if left <= self.limit * _KEPT:
                break
            with contextlib.suppress(OSError):  # another process was faster
                path.unlink()
            left -= size
        return left

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """(last use, bytes, path) of every page, and of what a dead process left."""
        with contextlib.suppress(OSError):
            for folder in self.folder.iterdir():
                with contextlib.suppress(OSError):
                    for path in folder.iterdir():
                        with contextlib.suppress(OSError):
                            status = path.stat()
                            yield status.st_mtime, status.st_size, path

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / name
