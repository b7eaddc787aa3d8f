"""Names that strangers chose: as text, checked, printable, and opened without leaving their folder.

A path inside a repository is data. It is never joined to a directory, except by `Root`, which opens one
component after the other and follows no symbolic link. Cost of `Root.open`: one system call per new folder
and two per file.
"""

import errno
import os
import re
import stat
import unicodedata
from types import TracebackType

MAX_PATH = 4096  # bytes; Linux's PATH_MAX, so longer ones cannot have been a file of any working tree

_AMBIGUOUS = re.compile(rb"\\(?=x[0-9a-f]{2})")
_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")
_SEPARATORS = re.compile(r"[/\\]")

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a FIFO that nobody writes to would hang for ever; regular files ignore it.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class RefusedError(Exception):
    """A file that is not opened, with the reason: unsafe, missing, unreadable or not a regular file."""


def text_path(raw: bytes) -> str:
    r"""`raw` as text: itself where it is UTF-8; each other byte as `\xHH` (two lower-case hex digits).

    A backslash that is followed by `xHH` in `raw` itself becomes `\x5c`, so two different `raw` never give
    one text; `raw_path` is the inverse.

    >>> text_path(b"caf\xc3\xa9.py"), text_path(b"caf\xe9.py"), text_path(rb"caf\xe9.py")
    ('café.py', 'caf\\xe9.py', 'caf\\x5cxe9.py')
    """
    if b"\\" in raw:
        raw = _AMBIGUOUS.sub(rb"\\x5c", raw)
    return raw.decode("utf-8", "backslashreplace")


def raw_path(text: str) -> bytes:
    """The bytes that `text_path` was given."""
    return _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), text.encode("utf-8"))


def is_safe(path: str) -> bool:
    r"""Whether `path` is relative and stays in its folder and out of `.git`, on any system.

    False for: an empty path or component, a leading slash, NUL, `.`, `..`, `.git`, more than 4,096 bytes.
    Components are also cut at backslashes and `.git` is met in every spelling that Windows or macOS read as
    such (`.GIT`, `git~1`, `.git `, with invisible characters), since datasets are read there too.
    """
    if not path or "\0" in path or path[0] in "/\\" or "//" in path or path[-1] == "/":
        return False
    if path.isascii() and path[0] != "." and "/." not in path and "\\" not in path and "git" not in path.lower():
        return len(path) <= MAX_PATH  # the fast way out for nearly every path
    if len(path) > MAX_PATH // 4 and len(path.encode("utf-8", "surrogatepass")) > MAX_PATH:
        return False
    return not any(_is_forbidden(part) for part in _SEPARATORS.split(path))


def is_safe_raw(raw: bytes) -> bool:
    """`is_safe` of a path as it is stored; bytes that are no UTF-8 are letters like any other."""
    return is_safe(raw.decode("utf-8", "surrogateescape"))


def _is_forbidden(part: str) -> bool:
    if part in (".", ".."):
        return True
    if part.isascii() and "git" not in part.lower():
        return False  # the fast way out for nearly every name
    visible = "".join(c for c in unicodedata.normalize("NFC", part) if unicodedata.category(c) != "Cf")
    folded = visible.casefold().split(":")[0].rstrip(" .")
    return folded in (".git", "git~1") or visible in (".", "..")


def printable(text: str) -> str:
    r"""`text` for a terminal: characters that would steer it, hide or reorder text become visible escapes.

    Escaped: controls (with tab, line ends and ESC), formatting characters such as bidirectional overrides and
    zero-width ones, line and paragraph separators, lone surrogates, private use and unassigned ones.

    >>> printable("evil\x1b[2J\u202egpj.py")
    'evil\\x1b[2J\\u202egpj.py'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c == " " or c.isprintable() else _escape(c) for c in text)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class Root:
    """A folder below which files are opened; the last folder opened is remembered, so ask in listing order.

    `location` itself may be reached through links (the user named it); nothing below it is.
    """

    def __init__(self, location: str | os.PathLike[str]) -> None:
        """Raises OSError when `location` is no readable folder."""
        self._root = os.open(location, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._open: list[tuple[bytes, int]] = []  # names and descriptors of the folders down to the last one asked

    def __enter__(self) -> "Root":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Frees the descriptors."""
        self._leave(0)
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def duplicate(self) -> int:
        """A descriptor of the folder itself, for a walk; the caller closes it."""
        return os.dup(self._root)

    def open(self, raw: bytes) -> tuple[int, os.stat_result]:
        """Descriptor (the caller closes it) and status of the regular file at `raw`. Raises RefusedError."""
        parent, name = self._parent(raw)
        return open_in(parent, name)

    def read(self, raw: bytes, limit: int) -> bytes:
        """The content of the regular file at `raw`, at most `limit` + 1 bytes of it. Raises RefusedError."""
        descriptor, _ = self.open(raw)
        try:
            return read_descriptor(descriptor, limit)
        except OSError as problem:
            raise RefusedError(describe(problem)) from None
        finally:
            os.close(descriptor)

    def status(self, raw: bytes) -> os.stat_result:
        """The status of whatever is at `raw`, links not followed. Raises RefusedError."""
        parent, name = self._parent(raw)
        try:
            return os.stat(name, dir_fd=parent, follow_symlinks=False)
        except OSError as problem:
            raise RefusedError(describe(problem)) from None

    def _parent(self, raw: bytes) -> tuple[int, bytes]:
        *folders, name = raw.split(b"/")
        if not name or b"\0" in raw or any(part in (b"", b".", b"..") for part in (*folders, name)):
            raise RefusedError("unsafe path")
        kept = 0
        while kept < min(len(folders), len(self._open)) and self._open[kept][0] == folders[kept]:
            kept += 1
        self._leave(kept)
        parent = self._open[-1][1] if self._open else self._root
        for folder in folders[kept:]:
            try:
                parent = open_folder_in(parent, folder)
            except OSError as problem:
                raise RefusedError(describe(problem)) from None
            self._open.append((folder, parent))
        return parent, name

    def _leave(self, kept: int) -> None:
        while len(self._open) > kept:
            os.close(self._open.pop()[1])


def open_in(folder: int, name: bytes) -> tuple[int, os.stat_result]:
    """Descriptor and status of the regular file `name` in an open folder. Raises RefusedError."""
    try:
        descriptor = os.open(name, _FILE, dir_fd=folder)
    except OSError as problem:
        raise RefusedError(describe(problem)) from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise RefusedError("not a regular file")
    return descriptor, status


def open_folder_in(folder: int, name: bytes) -> int:
    """The folder `name` (one component, no link) in the open folder: its descriptor. Raises OSError."""
    return os.open(name, _DIRECTORY, dir_fd=folder)


def read_descriptor(descriptor: int, limit: int) -> bytes:
    """At most `limit` + 1 bytes from the start of an open file: the last one tells that it is too long."""
    pieces = []
    rest = limit + 1
    while rest and (piece := os.read(descriptor, min(rest, 1 << 20))):
        pieces.append(piece)
        rest -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def describe(problem: OSError) -> str:
    """A reason for the quarantine: `missing`, `a symbolic link on the way`, or `unreadable: …`."""
    if isinstance(problem, FileNotFoundError):
        return "missing"
    if isinstance(problem, NotADirectoryError) or problem.errno == errno.ELOOP:  # ELOOP: O_NOFOLLOW met a link
        return "a symbolic link on the way, or no folder"
    return f"unreadable: {problem.strerror}"
