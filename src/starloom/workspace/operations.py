"""Every file-system call that publication makes, and the seam where a test makes it fail.

Each call names itself (`mkdir`, `open`, `write`, `fsync`, `fsync-dir`, `rename`, `unlink`, `rmdir`) and goes through
`do`, which asks `fault_hook` first. With no hook that is one comparison. Calls raise OSError with the path in it;
`explained` turns those that a user can mend into UserError.
"""

import contextlib
import ctypes
import errno
import functools
import hashlib
import io
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from starloom.errors import UserError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

Result = TypeVar("Result")

# Asked before each operation. May raise OSError or end the process; at a `write` it may return the most bytes that this
# one call writes (a short write; 0: a device that takes nothing). Only tests set it.
fault_hook: Callable[[str, Path], int | None] | None = None

_BUFFER: Final = 1 << 20  # bytes gathered before a write: Parquet's own writes are small
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NOREPLACE: Final = 1  # linux/fs.h: RENAME_NOREPLACE
_EXCHANGE: Final = 2  # linux/fs.h: RENAME_EXCHANGE
_AT_FDCWD: Final = -100  # linux/fcntl.h: paths are relative to the working directory
_UNSUPPORTED: Final = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)  # by this kernel or this file system

_REMEDIES: Final = {
    errno.ENOSPC: "free some space on that file system",
    errno.EDQUOT: "free some of your quota on that file system, or have it raised",
    errno.EIO: "the device or the network share failed: check it (`dmesg`, its cable, its server)",
    errno.EROFS: "the file system is read-only: mount it for writing, or choose another folder",
    errno.EACCES: "make the folder writable for you, or choose another one",
    errno.EPERM: "make the folder writable for you, or choose another one",
    errno.EFBIG: "raise the limit on file sizes (`ulimit -f`), or choose another file system",
    errno.EMFILE: "raise the limit on open files (`ulimit -n 4096`)",
    errno.ENFILE: "the machine has too many open files: end some programs",
    errno.ENAMETOOLONG: "choose a shorter folder name",
    errno.ENOTDIR: "a file is in the way where a folder should be: move it",
    errno.ELOOP: "a symbolic link is in the way: give the real folder",
    errno.ESTALE: "the network share lost the folder: mount it again",
}
# Where it is not known whether something was read or written.
_ANYWHERE: Final = _REMEDIES | {
    errno.EACCES: "see that you may read and write there, or choose another place",
    errno.EPERM: "see that you may read and write there, or choose another place",
    errno.ENOTDIR: "a part of this path is a file, not a folder: see that the path is right",
    errno.ELOOP: "a symbolic link of this path leads in a circle, or is not followed: give the real path",
}
_OF_DEVICES: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # never a bug, whether or not a path is known


def do(operation: str, path: Path, call: Callable[[], Result]) -> Result:
    """The result of `call`, unless the fault hook has other plans. Raises OSError that names `path`."""
    try:
        if fault_hook is not None:
            fault_hook(operation, path)
        return call()
    except OSError as problem:
        if problem.filename is None:
            problem.filename = str(path)
        raise


@contextlib.contextmanager
def explained(result: Path) -> Iterator[None]:
    """Errors of the file system while `result` is made, as UserError: path, cause, remedy. Others pass unchanged."""
    try:
        yield
    except OSError as problem:
        told = _told(problem, f"cannot write {result}", f" ({problem.filename or result})", result, _REMEDIES)
        if told is None:
            raise  # a bug, or none of ours: it keeps its traceback
        raise told from problem


def refused(problem: OSError) -> UserError | None:
    """What the machine refused, wherever it was met: path, cause, remedy. None for what may be a bug, as what is said
    without a path may be."""
    where = os.fsdecode(problem.filename) if isinstance(problem.filename, str | bytes) else ""
    if not where and problem.errno not in _OF_DEVICES:
        return None
    return _told(problem, where or "what was asked for could not be read or written", "", Path(where), _ANYWHERE)


def _told(problem: OSError, what: str, where: str, place: Path, remedies: dict[int, str]) -> UserError | None:
    if problem.errno is None or problem.errno not in remedies:
        return None
    room = f" ({_free_bytes(place)} there now)" if problem.errno == errno.ENOSPC and place != Path() else ""
    return UserError(
        f"{what}: {os.strerror(problem.errno)}{where}",
        f"{remedies[problem.errno]}{room}, then run the same command: it does what is left",
    )


def _free_bytes(path: Path) -> str:
    while not path.exists() and path != path.parent:
        path = path.parent
    try:
        free = shutil.disk_usage(path).free
        inodes = os.statvfs(path).f_favail
    except OSError:
        return "free space unknown"
    return f"{free / 1e6:,.1f} MB and {inodes:,} files free"


def make_folder(path: Path) -> None:
    """A new folder. Raises FileExistsError, OSError."""
    _make(path, "mkdir", lambda: path.mkdir())


def _make(path: Path, operation: str, call: Callable[[], Result]) -> Result:
    """What makes `path`. Raises OSError."""
    try:
        return do(operation, path, call)
    except FileNotFoundError:
        if path.parent.is_dir():  # so say file systems of the kernel's own, /proc: nobody makes anything there
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(path)) from None
        raise


def make_parents(path: Path) -> None:
    """`path` and every missing folder above it, each made durable."""
    if path.is_dir():
        return
    make_parents(path.parent)
    with contextlib.suppress(FileExistsError):  # another worker was faster
        make_folder(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """The names in `path` reach the disk."""

    def sync() -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        except OSError as problem:
            if problem.errno not in _UNSUPPORTED:  # some network file systems have no fsync of folders
                raise
        finally:
            os.close(descriptor)

    do("fsync-dir", path, sync)


def sync_file(path: Path) -> None:
    """What another process wrote into `path` reaches the disk."""

    def sync() -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    do("fsync", path, sync)


def rename(old: Path, new: Path) -> None:
    """Plain rename(2): replaces a file, or an empty folder."""
    do("rename", new, lambda: os.rename(old, new))  # noqa: PTH104


def link(path: Path, new: Path) -> None:
    """A second name for the file `path`; its content copied where the file system has no such names. Raises OSError."""
    try:
        do("link", new, lambda: os.link(path, new, follow_symlinks=False))
    except OSError as problem:
        if problem.errno not in (errno.EPERM, errno.EMLINK, errno.EXDEV, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        with path.open("rb") as source:
            output = Output(new)
            try:
                shutil.copyfileobj(source, output, 1 << 20)
                output.finish()
            finally:
                output.abandon()


def rename_new(old: Path, new: Path) -> None:
    """Moves the folder `old` to `new`. Raises FileExistsError when `new` exists."""

    def move() -> None:
        try:
            _renameat2(old, new, _NOREPLACE)
        except OSError as problem:
            if problem.errno not in _UNSUPPORTED:
                raise
            if new.is_symlink() or (new.exists() and not new.is_dir()):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(new)) from None
            try:
                os.rename(old, new)  # noqa: PTH104 - of folders, rename(2) replaces only an empty one: nothing is lost
            except OSError as refused:
                if refused.errno == errno.ENOTEMPTY:
                    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(new)) from None
                raise

    do("rename", new, move)


def exchange(old: Path, new: Path) -> bool:
    """Swaps two folders in one step; False where the file system cannot (nothing was changed then)."""

    def swap() -> bool:
        try:
            _renameat2(old, new, _EXCHANGE)
        except OSError as problem:
            if problem.errno not in _UNSUPPORTED:
                raise
            return False
        return True

    return do("rename", new, swap)


def _renameat2(old: Path, new: Path, flags: int) -> None:
    try:
        call = _library().renameat2
    except AttributeError:  # no Linux, or a C library before glibc 2.28
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), str(new)) from None
    if call(_AT_FDCWD, os.fsencode(old), _AT_FDCWD, os.fsencode(new), ctypes.c_uint(flags)):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(new))


@functools.cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def remove(path: Path) -> None:
    """Removes a file, or a folder with all that is in it; links are removed, never followed. Raises OSError."""
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        do("unlink", path, path.unlink)
        return
    for name in sorted(os.listdir(path)):  # noqa: PTH208 - names only; sorted: a fault kit counts operations
        remove(path / name)
    do("rmdir", path, path.rmdir)


def discard(path: Path) -> None:
    """`remove` for what nobody sees: what cannot be removed now is left to `atomic.recover`."""
    with contextlib.suppress(OSError):
        remove(path)


class Output(io.RawIOBase):
    """A new file, written through the seam: buffered, every count checked, hashed on the way.

    `rows` is what the manifest will say; set it when the file has rows. Not seekable. `close` does nothing, so that
    writers put on top may close what they were given: `finish` ends the file, `abandon` gives it up.
    """

    def __init__(self, path: Path) -> None:
        """Raises FileExistsError when `path` exists, OSError."""
        self._descriptor = -1
        super().__init__()
        self.path = path
        self.rows: int | None = None
        self.size = 0
        self._sha256 = hashlib.sha256()
        self._buffer = bytearray()
        self._failure: BaseException | None = None
        self._descriptor = _make(path, "open", lambda: os.open(path, _CREATE, 0o666))

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.size

    def write(self, data: "ReadableBuffer", /) -> int:
        """Takes all of `data`. Raises OSError; after that every write raises it again."""
        if self._failure is not None:
            raise self._failure
        view = memoryview(data).cast("B")
        self._buffer += view
        self.size += len(view)
        if len(self._buffer) >= _BUFFER:
            self._drain()
        return len(view)

    def close(self) -> None:
        """Nothing: see the class."""

    def finish(self) -> None:
        """The file is complete: its bytes reach the disk. Raises OSError; a failed fsync is never tried again."""
        try:
            if self._failure is not None:  # a writer on top may have swallowed it
                raise self._failure
            self._drain()
            do("fsync", self.path, lambda: os.fsync(self._descriptor))
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Frees the descriptor; what was written so far stays where it is."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _drain(self) -> None:
        data, self._buffer = self._buffer, bytearray()
        self._sha256.update(data)
        try:
            write_all(self._descriptor, self.path, data)
        except BaseException as problem:
            self._failure = problem
            raise


def write_all(descriptor: int, path: Path, data: "ReadableBuffer") -> None:
    """All of `data`, however many calls it takes: write(2) may take less and say so only by its count."""
    view = memoryview(data)
    try:
        while view:
            most = fault_hook("write", path) if fault_hook is not None else None
            written = os.write(descriptor, view if most is None else view[:most])
            if written == 0:
                raise OSError(errno.EIO, "the device takes no more bytes")
            view = view[written:]
    except OSError as problem:
        if problem.filename is None:
            problem.filename = str(path)
        raise


def write_new(path: Path, data: bytes) -> Output:
    """The file `path`, new, with this content, on the disk."""
    output = Output(path)
    try:
        output.write(data)
        output.finish()
    finally:
        output.abandon()
    return output
