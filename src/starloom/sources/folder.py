"""A plain folder as one repository: every file below it that is no link, in git's order, which is that of the bytes of
paths; and a single file as one. Nothing is held but the names of the folders that the walk is in.

Symbolic links are listed, never followed; `.git` folders are not entered; workspaces of Starloom are listed and not
entered, as a dataset that reads its own output would grow with every build; FIFOs, sockets and devices are listed as
"special" and not opened. One descriptor stays open for each level of the walk, hence `MAX_DEPTH`.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from starloom.identity import content_id
from starloom.outside.paths import (
    RefusedError,
    Root,
    describe,
    is_safe_raw,
    open_folder_in,
    open_in,
    read_descriptor,
)
from starloom.sources.content_ids import ContentIds
from starloom.sources.repository import (
    EXECUTABLE,
    MAX_ENTRIES,
    REGULAR,
    SYMLINK,
    Content,
    Entry,
    LicenseMetadata,
    Repository,
    RepositoryProblem,
    SourceError,
    Wanted,
    checked_entry,
)

MAX_DEPTH = 200  # folders within each other
WORKSPACE = (b"starloom.toml", b".starloom")  # a file and a folder, by which a workspace is known
_OWN_OUTPUT = "a workspace of Starloom: its output is not read as code"
_TOO_DEEP = f"more than {MAX_DEPTH} folders deep"

_Name = tuple[bytes, os.stat_result | None, str | None]  # name, its status or None, why it has none


@dataclass(frozen=True, slots=True)
class Found:
    """One thing met by the walk: `status` is None where it could not be read, and `problem` says why."""

    raw_path: bytes
    status: os.stat_result | None
    parent: int  # descriptor of the folder it is in, open only until the walk goes on
    name: bytes
    problem: str | None = None


class FolderSource:
    """A folder; `exclude`: paths of repositories of their own in it; `skip`: names of folders not entered."""

    def __init__(
        self,
        repository: Repository,
        exclude: frozenset[bytes] = frozenset(),
        skip: frozenset[bytes] = frozenset(),
        license_metadata: LicenseMetadata | None = None,
    ) -> None:
        self._repository = repository
        self._exclude = exclude
        self._skip = skip | {b".git"}
        self._license_metadata = license_metadata or LicenseMetadata()

    def repository(self) -> Repository:
        """The row of this repository."""
        return self._repository

    def renamed(self, repo_name: str) -> "FolderSource":
        """This source under another name."""
        named = replace(self._repository, repo_name=repo_name)
        return FolderSource(named, self._exclude, self._skip, self._license_metadata)

    def license_metadata(self) -> LicenseMetadata:
        """What is stated about the licence beside the files; empty for a plain folder."""
        return self._license_metadata

    def state(self) -> str:
        """A hash over path, size, times, inode and mode of everything that `entries` would list."""
        digest = hashlib.sha256()
        for found in self._walk():
            digest.update(status_line(found.raw_path, found.status, found.problem))
        return f"folder:{digest.hexdigest()}"

    def entries(self, max_bytes: int) -> Iterator[Entry]:
        """Every file, link and special file; reads the files of at most `max_bytes`."""
        for found in self._walk():
            if found.status is None:
                yield checked_entry(found.raw_path, "folder", 0, None, None, found.problem)
            else:
                opener = partial(open_in, found.parent, found.name)
                yield listed(found.raw_path, found.status, opener, max_bytes)

    def contents(self, wanted: Iterable[Wanted]) -> Iterator[Content]:
        """Each content re-read and re-hashed."""
        with open_root(self._repository.location) as root:
            for one in wanted:
                yield read_wanted(root, one)

    def first_seen(self, ids: ContentIds) -> None:
        """None: a folder has no history."""

    def has_files(self) -> bool:
        """Whether there is anything to list; stops at the first."""
        return next(self._walk(), None) is not None

    def _walk(self) -> Iterator[Found]:
        """Depth first: all but folders, and the folders that could not be entered (without a status)."""
        location = self._repository.location
        stack: list[tuple[int, bytes, Iterator[_Name]]] = []  # descriptor, path with slash, names still to do
        try:
            with open_root(location) as root:
                top = root.duplicate()
            stack.append((top, b"", iter(())))  # first of all, so that `finally` closes it
            stack[-1] = (top, b"", iter(_names(top)))
            for _ in range(MAX_ENTRIES):
                while (item := next(stack[-1][2], None)) is None:
                    os.close(stack.pop()[0])
                    if not stack:
                        return
                folder, prefix, _rest = stack[-1]
                name, status, problem = item
                raw = prefix + name
                if status is None or not stat.S_ISDIR(status.st_mode):
                    yield Found(raw, status, folder, name, problem)
                elif name not in self._skip and raw not in self._exclude:
                    inner = _enter(folder, name) if len(stack) < MAX_DEPTH else _TOO_DEEP
                    if isinstance(inner, str):
                        yield Found(raw, None, folder, name, inner)
                    elif _is_workspace(inner[1]):
                        os.close(inner[0])
                        yield Found(raw, None, folder, name, _OWN_OUTPUT)
                    else:
                        stack.append((inner[0], raw + b"/", iter(inner[1])))
            raise SourceError(RepositoryProblem(location, f"more than {MAX_ENTRIES} paths"))
        except OSError as problem:
            raise SourceError(RepositoryProblem(location, describe(problem))) from None
        finally:
            for descriptor, _, _ in stack:
                os.close(descriptor)


class FileSource:
    """The single file at `repository.location`, under its own name."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        folder, _, name = repository.location.rpartition("/")
        self._folder = folder or "/"
        self._raw = os.fsencode(name)

    def repository(self) -> Repository:
        """The row of this repository."""
        return self._repository

    def renamed(self, repo_name: str) -> "FileSource":
        """This source under another name."""
        return FileSource(replace(self._repository, repo_name=repo_name))

    def license_metadata(self) -> LicenseMetadata:
        """Empty: nothing is stated beside the file."""
        return LicenseMetadata()

    def state(self) -> str:
        """A hash over path, size, times, inode and mode."""
        with open_root(self._folder) as root:
            return f"file:{hashlib.sha256(status_line(self._raw, self._status(root), None)).hexdigest()}"

    def entries(self, max_bytes: int) -> Iterator[Entry]:
        """The file."""
        with open_root(self._folder) as root:
            yield listed(self._raw, self._status(root), partial(root.open, self._raw), max_bytes)

    def contents(self, wanted: Iterable[Wanted]) -> Iterator[Content]:
        """The content re-read and re-hashed."""
        with open_root(self._folder) as root:
            for one in wanted:
                yield read_wanted(root, one)

    def first_seen(self, ids: ContentIds) -> None:
        """None: a file has no history."""

    def _status(self, root: Root) -> os.stat_result:
        try:
            return root.status(self._raw)
        except RefusedError as problem:
            raise SourceError(RepositoryProblem(self._repository.location, str(problem))) from None


def open_root(location: str) -> Root:
    """The folder at `location`. Raises SourceError when it is gone or unreadable."""
    try:
        return Root(location)
    except OSError as problem:
        raise SourceError(
            RepositoryProblem(location, describe(problem), "see that it is a folder you can read")
        ) from None


def listed(
    raw: bytes, status: os.stat_result, opener: Callable[[], tuple[int, os.stat_result]], max_bytes: int
) -> Entry:
    """The entry of something whose `status` is known; `opener` opens it when its content is to be hashed."""
    if stat.S_ISLNK(status.st_mode):
        return checked_entry(raw, "symlink", SYMLINK, status.st_size, None)
    if not stat.S_ISREG(status.st_mode):
        return checked_entry(raw, "special", status.st_mode, None, None)
    mode = EXECUTABLE if status.st_mode & stat.S_IXUSR else REGULAR
    if status.st_size > max_bytes or not is_safe_raw(raw):
        return checked_entry(raw, "file", mode, status.st_size, None)
    try:
        descriptor, _ = opener()
        try:
            data = read_descriptor(descriptor, max_bytes)
        finally:
            os.close(descriptor)
    except OSError as problem:
        return checked_entry(raw, "file", mode, status.st_size, None, describe(problem))
    except RefusedError as problem:
        return checked_entry(raw, "file", mode, status.st_size, None, str(problem))
    if len(data) > max_bytes:  # it grew since, or its size lies, as those of /proc do
        return checked_entry(raw, "file", mode, None, None, "changed while reading")
    return checked_entry(raw, "file", mode, len(data), content_id(data))


def read_wanted(root: Root, wanted: Wanted) -> Content:
    """The content of a wanted file below `root`, or the problem."""
    try:
        data = root.read(wanted.raw_path, wanted.size)
    except RefusedError as problem:
        return Content(wanted.content_id, None, str(problem))
    if len(data) != wanted.size or content_id(data) != wanted.content_id:
        return Content(wanted.content_id, None, "changed while reading: it is not the content that was listed")
    return Content(wanted.content_id, data)


def status_line(raw: bytes, status: os.stat_result | None, problem: str | None) -> bytes:
    """What `state` hashes of one path. NUL cannot be in a path, so no two listings give the same bytes."""
    if status is None:
        return b"%b\0%b\0" % (raw, (problem or "").encode())
    return b"%b\0%d %d %d %d %d\0" % (
        raw,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_ino,
        status.st_mode,
    )


def _enter(folder: int, name: bytes) -> tuple[int, list[_Name]] | str:
    """Descriptor and names of the folder `name` in an open folder; else why it cannot be entered."""
    try:
        inner = open_folder_in(folder, name)
    except OSError as problem:
        return describe(problem)
    try:
        return inner, _names(inner)
    except OSError as problem:
        os.close(inner)
        return describe(problem)


def _names(folder: int) -> list[_Name]:
    """Names in the open folder in git's order: as if the names of folders ended in a slash."""
    names: list[_Name] = []
    with os.scandir(folder) as listing:
        for item in listing:
            name = os.fsencode(item.name)
            try:
                names.append((name, item.stat(follow_symlinks=False), None))
            except OSError as problem:
                names.append((name, None, describe(problem)))
    names.sort(key=_order)
    return names


def _is_workspace(names: list[_Name]) -> bool:
    known = {name: status.st_mode for name, status, _ in names if name in WORKSPACE and status is not None}
    file, folder = (known.get(name, 0) for name in WORKSPACE)
    return stat.S_ISREG(file) and stat.S_ISDIR(folder)


def _order(item: _Name) -> bytes:
    return item[0] + b"/" if item[1] is not None and stat.S_ISDIR(item[1].st_mode) else item[0]
