"""One file from a server to the disk: whole and verified, or not there.

`TARGET.part` grows while bytes come, `TARGET.part.json` says of what; a later call goes on where the first was killed.
It asks by Range and If-Range, so a file that changed meanwhile, or a server that cannot, starts from nothing. Only a
whole, verified, fsynced file is renamed to TARGET. Files are private to the user (mode 600).

Cost: SHA-256 of every byte (0.5 GB/s and more), once more of what a partial holds. A partial is trusted across a reboot
only where the checksum is known, as a power cut may have left holes in it. Not covered: two machines that download to
one TARGET on a share that knows no locks.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from starloom.errors import UserError
from starloom.outside.http import Body, Http, HttpError, RangeError, TooLargeError, shown

_PIECE: Final = 1 << 20
_PROGRESS: Final = 1 << 20  # bytes between two failures that make the first forgotten
_OPEN: Final = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_COMPRESSED: Final = (".gz", ".tgz", ".gzip", ".z")  # names whose bytes are compressed, whatever the server's headers

_REMEDIES: Final = {
    errno.ENOSPC: "free some space on that file system",
    errno.EDQUOT: "free some of your quota on that file system, or have it raised",
    errno.EIO: "the device or the network share failed: check it",
    errno.EROFS: "the file system is read-only: mount it for writing, or choose another folder",
    errno.EACCES: "make the folder writable for you, or choose another one",
    errno.EPERM: "make the folder writable for you, or choose another one",
    errno.EFBIG: "raise the limit on file sizes (`ulimit -f`), or choose another file system",
    errno.ENOLCK: "that file system knows no locks: choose another one",
    errno.ELOOP: "a symbolic link is in the way: remove it",
    errno.EISDIR: "a folder is in the way: move it",
    errno.ENAMETOOLONG: "choose a shorter folder name",
}


@dataclass(frozen=True)
class _Origin:
    """What a partial is a part of. No URL: a query may hold a secret."""

    key: str  # SHA-256 that is expected, or that of the URL
    validator: str = ""  # strong ETag or Last-Modified
    boot: str = ""  # of the machine that wrote it


def download(
    http: Http,
    url: str,
    target: Path,
    *,
    limit: int,
    sha256: str | None = None,
    size: int | None = None,
    advance: Callable[[int], None] | None = None,
    headers: Mapping[str, str] = {},
) -> str:
    """Fetches `url` into `target` and gives its SHA-256 in hex. The folder must exist.

    At most `limit` bytes; exactly `size` and `sha256` where given. A `target` that has that `sha256` is not fetched
    again, any other is replaced. `advance` is told bytes as they are there: those of a partial at once, and a negative
    number when it had to be dropped. Raises HttpError (a wrong size or checksum is one; nothing is left then) and
    UserError (the disk; another process at it).
    """
    sha256 = sha256.lower() if sha256 else None
    tell = advance or (lambda _: None)
    with _explained(target):
        if sha256 and _digest_at(target) == sha256:
            tell(target.stat().st_size)
            return sha256
        with _Partial(target) as partial:
            try:
                digest = _Fetch(http, url, partial, limit, sha256, size, tell, headers).run()
            except BaseException:
                if not partial.length:
                    partial.remove()
                raise
            partial.publish()
            return digest


class _Fetch:
    def __init__(
        self,
        http: Http,
        url: str,
        partial: "_Partial",
        limit: int,
        sha256: str | None,
        size: int | None,
        tell: Callable[[int], None],
        headers: Mapping[str, str],
    ) -> None:
        self._http = http
        self._url = url
        self._partial = partial
        self._limit = limit
        self._sha256 = sha256
        self._size = size
        self._tell = tell
        self._headers = headers
        # With a known checksum another mirror may go on.
        self._key = sha256 or hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()

    def run(self) -> str:
        """The digest of the whole, which then lies in the partial."""
        if self._size is not None and self._size > self._limit:
            raise TooLargeError(f"{shown(self._url)}: {self._size:,} bytes, more than the limit of {self._limit:,}")
        resumed = self._resume()
        try:
            digest = self._complete()
            if resumed and self._wrong(digest):
                # What an earlier run left may be the fault: once more, from nothing.
                self._drop()
                digest = self._complete()
        except TooLargeError:
            self._partial.clear()
            raise
        if reason := self._wrong(digest):
            self._partial.clear()
            raise HttpError(f"{shown(self._url)}: {reason}")
        return digest

    def _wrong(self, digest: str) -> str | None:
        if self._size is not None and self._partial.length != self._size:
            return f"{self._partial.length:,} bytes came, {self._size:,} were expected"
        if self._sha256 is not None and digest != self._sha256:
            return f"its SHA-256 is {digest}, expected was {self._sha256}"
        return None

    def _resume(self) -> bool:
        """Takes over what lies in the partial, where it may be a part of this; whether it does."""
        known = self._partial.origin()
        usable = (
            known is not None
            and known.key == self._key
            and self._partial.length <= (self._limit if self._size is None else self._size)
        )
        if not usable or not (self._sha256 or (known and known.validator and known.boot == _boot())):
            self._partial.clear()
            return False
        self._partial.rehash()
        self._tell(self._partial.length)
        return self._partial.length > 0

    def _drop(self) -> None:
        self._tell(-self._partial.length)
        self._partial.clear()

    def _complete(self) -> str:
        """Asks until all is there."""
        if self._sha256 is not None and self._partial.digest() == self._sha256:
            return self._sha256  # killed between the last byte and the rename
        retries = self._http.retries()
        furthest = self._partial.length
        while True:
            before = self._partial.length
            try:
                self._attempt()
            except RangeError:
                if not before:
                    raise
                self._drop()
            except HttpError as problem:
                # Only new ground counts: a server that cannot resume may break at the same place for ever.
                if self._partial.length - furthest >= _PROGRESS:
                    furthest = self._partial.length
                    retries.progressed()
                retries.wait(problem)
            else:
                return self._partial.digest()

    def _attempt(self) -> None:
        start = self._partial.length
        known = self._partial.origin()
        headers = {**self._headers, "Accept-Encoding": "identity"}
        if start and known and known.validator:
            headers["If-Range"] = known.validator
        with self._http.stream(self._url, limit=self._limit, headers=headers, start=start) as body:
            self._check(body)
            validator = _validator(body.headers)
            if start and body.start and known and known.validator not in ("", validator):
                raise RangeError(f"{shown(self._url)}: it changed", body.status)  # the server ignores If-Range
            if start and not body.start:
                self._drop()
            if not body.start:
                self._partial.begin(_Origin(self._key, validator, _boot()))
            for piece in body:
                if self._size is not None and self._partial.length + len(piece) > self._size:
                    raise TooLargeError(f"{shown(self._url)}: more than the {self._size:,} bytes expected", body.status)
                self._partial.write(piece)
                self._tell(len(piece))

    def _check(self, body: Body) -> None:
        if self._size is not None and body.total not in (None, self._size):
            raise HttpError(f"{shown(self._url)}: {body.total:,} bytes, {self._size:,} were expected", body.status)
        encoding = body.headers.get("content-encoding", "identity").lower()
        compressed = shown(self._url).lower().endswith(_COMPRESSED)
        if encoding not in ("", "identity") and not (self._sha256 or compressed):
            raise HttpError(f"{shown(self._url)}: sent compressed although the plain bytes were asked for", body.status)


class _Partial:
    """TARGET.part, open and locked, with the digest of what it holds, and the note beside it."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self.path = target.with_name(target.name + ".part")
        self._note = target.with_name(target.name + ".part.json")
        self._descriptor = -1
        self._hash = hashlib.sha256()
        self.length = 0

    def __enter__(self) -> "_Partial":
        while True:
            descriptor = os.open(self.path, _OPEN, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise UserError(f"{self.path} is no regular file", "move it out of the way")
                with contextlib.suppress(FileNotFoundError):
                    if os.path.samestat(status, self.path.lstat()):
                        self._descriptor = descriptor
                        self.length = status.st_size
                        return self
                os.close(descriptor)  # another process renamed it to its TARGET in between
            except BlockingIOError:
                os.close(descriptor)
                raise UserError(
                    f"{self._target} is being downloaded by another process", "wait until that one has ended"
                ) from None
            except BaseException:
                os.close(descriptor)
                raise

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def origin(self) -> _Origin | None:
        """What the note says; None where there is none, or a torn one."""
        try:
            values = json.loads(self._note.read_bytes()[:10_000])
            if all(isinstance(value, str) for value in values.values()):
                return _Origin(**values)
        except (OSError, ValueError, TypeError, AttributeError, RecursionError):
            pass
        return None

    def rehash(self) -> None:
        """Reads what is there."""
        self._hash = hashlib.sha256()
        self.length = 0
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        while piece := os.read(self._descriptor, _PIECE):
            self._hash.update(piece)
            self.length += len(piece)

    def digest(self) -> str:
        return self._hash.hexdigest()

    def clear(self) -> None:
        """Empties it; the note goes first, so that it never speaks of other bytes."""
        self._note.unlink(missing_ok=True)
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        self._hash = hashlib.sha256()
        self.length = 0

    def begin(self, origin: _Origin) -> None:
        """From here on bytes of `origin` are written to the empty partial."""
        self.clear()
        aside = self._note.with_name(self._note.name + ".new")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(origin), file)
        aside.replace(self._note)

    def write(self, piece: bytes) -> None:
        rest = memoryview(piece)
        while rest:
            count = os.write(self._descriptor, rest)
            self._hash.update(rest[:count])
            self.length += count
            rest = rest[count:]

    def publish(self) -> None:
        """Renames it to TARGET, all durable."""
        os.fsync(self._descriptor)
        self.path.replace(self._target)
        self._note.unlink(missing_ok=True)
        folder = os.open(self._target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def remove(self) -> None:
        self._note.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def _validator(headers: Mapping[str, str]) -> str:
    """What If-Range may carry: a strong ETag, else Last-Modified, else nothing."""
    etag = headers.get("etag", "")
    return etag if etag.startswith('"') else headers.get("last-modified", "")


def _boot() -> str:
    """Changes at every start of the machine; empty where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def _digest_at(path: Path) -> str | None:
    """SHA-256 of a regular file; None where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def _explained(target: Path) -> Iterator[None]:
    """Errors of the file system as UserError: path, cause, remedy. Others pass unchanged."""
    try:
        yield
    except OSError as problem:
        remedy = _REMEDIES.get(problem.errno or 0)
        if remedy is None:
            raise
        raise UserError(
            f"cannot write {target}: {os.strerror(problem.errno or 0)}",
            f"{remedy}, then run the same command: it resumes",
        ) from problem
