"""What ScanCode answered before: an SQLite file of answers by (version, text_id), shared by all builds of a user.

Several processes may use one file at a time. It holds nothing that cannot be asked again, so whatever is wrong with it
costs only time: a damaged file is begun anew, a damaged row is no row (each bears its own hash), and where the file can
be neither read nor written, answers are kept in memory. Rows of other versions stay. Cost: 10 µs a look-up, 100 µs a
new row, about 500 bytes each.
"""

import contextlib
import hashlib
import os
import sqlite3
from pathlib import Path

_WAIT = 10.0  # seconds for another process that is writing
_TABLE = """
CREATE TABLE IF NOT EXISTS answers (
  version BLOB, text_id BLOB, answer BLOB, hash BLOB, PRIMARY KEY (version, text_id)) WITHOUT ROWID
"""

# What is wrong with the file itself, its schema included, rather than with its surroundings (locked, full, read-only).
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT)


def default_path() -> Path:
    """`$XDG_CACHE_HOME/starloom/scancode.sqlite`, by default below ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "starloom" / "scancode.sqlite"


class Answers:
    """The answers of one version; for one thread at a time."""

    def __init__(self, path: Path, version: str) -> None:
        self._path = path
        self._version = version.encode()
        self._file = self._open(path)

    def get(self, text_id: str) -> bytes | None:
        """The answer that was put there, or None."""
        key = text_id.encode()
        try:
            row = self._file.execute(
                "SELECT answer, hash FROM answers WHERE version = ? AND text_id = ?", (self._version, key)
            ).fetchone()
        except sqlite3.Error as error:
            self._recover(error)
            return None
        if row is None or not isinstance(row[0], bytes) or row[1] != self._hash(key, row[0]):
            return None
        return row[0]

    def put(self, text_id: str, answer: bytes) -> None:
        """Keeps an answer, in place of one that is there."""
        key = text_id.encode()
        row = (self._version, key, answer, self._hash(key, answer))
        try:
            self._insert(row)
        except sqlite3.Error as error:
            self._recover(error)
            with contextlib.suppress(sqlite3.Error):  # as when the disk is full: asked again next time
                self._insert(row)

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._file.close()

    def _insert(self, row: tuple[bytes, ...]) -> None:
        self._file.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", row)

    def _hash(self, key: bytes, answer: bytes) -> bytes:
        return hashlib.blake2b(b"\0".join((self._version, key, answer)), digest_size=8).digest()

    def _open(self, path: Path) -> sqlite3.Connection:
        """The file, begun anew if it is damaged; one in memory where there can be no file."""
        for last in (False, True):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                return _connect(str(path))
            except sqlite3.Error as error:
                if last or not _is_damage(error):
                    break
                _remove(path)
            except OSError:
                break
        return _connect(":memory:")

    def _recover(self, error: sqlite3.Error) -> None:
        if _is_damage(error):
            self.close()
            _remove(self._path)
            self._file = self._open(self._path)
        elif not _is_busy(error):  # what is read-only or full now will be so for the next text
            self.close()
            self._file = _connect(":memory:")


def _connect(name: str) -> sqlite3.Connection:
    file = sqlite3.connect(name, timeout=_WAIT, isolation_level=None, check_same_thread=False)
    try:
        file.execute("PRAGMA synchronous = OFF")  # a power cut may damage the file, which is found out
        file.execute(_TABLE)
        file.execute("SELECT version, text_id, answer, hash FROM answers LIMIT 1").fetchone()
    except sqlite3.Error:
        file.close()
        raise
    return file


def _is_damage(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


def _is_busy(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _remove(path: Path) -> None:
    for one in (path, path.with_name(f"{path.name}-journal"), path.with_name(f"{path.name}-wal")):
        with contextlib.suppress(OSError):
            one.unlink()
