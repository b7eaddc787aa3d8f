"""Archives as repositories: tar (plain, gzip, bzip2, xz, Zstandard), zip, Debian source packages; and single files.

Told by their content, not by their names. Nothing is unpacked to disk, and archives within archives are files. The one
top folder that all members share is taken off their paths. An archive that is damaged, truncated or a bomb gives no
listing at all; a bad member costs itself. Cost: a listing is one pass over the archive, hashing on the way. Reading
contents is random access in a zip; in a tar it is one pass, and can be more where they are asked for in parts: see
`passes.py`.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from starloom.identity import content_id
from starloom.outside.paths import RefusedError, Root, describe, text_path
from starloom.sources.archives import source_package
from starloom.sources.archives import zip as archive_zip
from starloom.sources.archives.metadata import Statements
from starloom.sources.archives.passes import tar_contents
from starloom.sources.archives.rows import FILE, Rows
from starloom.sources.archives.stream import ArchiveError, Stream, open_regular, open_stream
from starloom.sources.archives.tar import is_tar, members
from starloom.sources.archives.zip import Zip
from starloom.sources.content_ids import ContentIds
from starloom.sources.folder import FileSource, status_line
from starloom.sources.repository import (
    REGULAR,
    Content,
    Entry,
    LicenseMetadata,
    Opened,
    Place,
    Repository,
    RepositoryProblem,
    SourceError,
    SourceSettings,
    Wanted,
)

_CHANGED = "changed while reading: it is not the content that was listed"
_HEAD = 4096  # bytes that tell what a file is
_SUFFIX = re.compile(r"(?i)\.(?:tar|tar\.(?:gz|bz2|xz|zst)|tgz|tbz2?|txz|tzst|zip|whl|jar|egg|crate)$")
_WHEEL = re.compile(r"([^-]+)-([^-]+)(?:-[^-]+)?-[^-]+-[^-]+-[^-]+\.whl")
_VERSION = re.compile(r"[-_](?:v?\d+(?:[._+~-].*|(?:a|b|rc|alpha|beta|dev|post)\d*)?|[0-9a-f]{40})$")


class ArchiveSource:
    """The archive at `path`. `strip`: folders taken off every path; None: the one that all members share, if they do.
    `license_metadata`: what is known of the licence from elsewhere; None: what the archive states itself."""

    def __init__(
        self,
        repository: Repository,
        path: Path,
        *,
        strip: int | None = None,
        license_metadata: LicenseMetadata | None = None,
    ) -> None:
        self._repository = repository
        self._path = path
        self._strip = strip
        self._license_metadata = license_metadata

    def repository(self) -> Repository:
        """The row of this repository."""
        return self._repository

    def renamed(self, repo_name: str) -> "ArchiveSource":
        """This source under another name."""
        named = replace(self._repository, repo_name=repo_name)
        return ArchiveSource(named, self._path, strip=self._strip, license_metadata=self._license_metadata)

    def license_metadata(self) -> LicenseMetadata:
        """What is stated about the licence of the whole; free once `entries` was listed, else one more pass."""
        if self._license_metadata is None:
            with self._own_errors():
                self._list(0)
        return self._license_metadata or LicenseMetadata()

    def state(self) -> str:
        """The checksum where it is known, else a hash over size, times and inode of the files that are read."""
        digest = hashlib.sha256(repr(self._strip).encode())
        with self._own_errors():
            with open_regular(self._path) as file:
                status, kind = os.fstat(file.fileno()), _kind(file)
            if self._repository.checksum:
                return f"archive:{self._repository.checksum}:{self._strip}"
            digest.update(status_line(os.fsencode(self._path), status, None))
            if kind == "dsc":
                with Root(self._path.parent) as root:
                    for part in source_package.read_dsc(self._path).parts:
                        raw = part.name.encode()
                        try:
                            digest.update(status_line(raw, root.status(raw), None))
                        except RefusedError as problem:
                            digest.update(status_line(raw, None, str(problem)))
        return f"archive:{digest.hexdigest()}"

    def entries(self, max_bytes: int) -> Iterator[Entry]:
        """Every member but folders; those of at most `max_bytes` hashed. Nothing is given out before all is read."""
        with self._own_errors():
            rows = self._list(max_bytes)
        yield from rows.entries()

    def contents(self, wanted: Iterable[Wanted]) -> Iterator[Content]:
        """Each content re-read and re-hashed, in the order of the archive; it is known by its hash, not by its path."""
        left = {one.content_id: one for one in wanted}
        with self._own_errors(), open_regular(self._path) as file:
            kind = _kind(file)
            if kind == "zip":
                yield from self._zip_contents(file, left)
            elif kind == "dsc":
                for part in source_package.read_dsc(self._path).parts:
                    if left:
                        with source_package.opened(self._path, part) as inner:
                            yield from _diff_contents(inner, left) if part.is_diff else tar_contents(inner, left)
            elif left:
                yield from tar_contents(file, left)
        for name in left:
            yield Content(name, None, _CHANGED)

    def first_seen(self, ids: ContentIds) -> None:
        """None: an archive has no history."""

    def _list(self, max_bytes: int) -> Rows:
        rows, statements = Rows(), Statements()
        with open_regular(self._path) as file:
            kind = _kind(file)
            if kind == "dsc":
                for part in source_package.read_dsc(self._path).parts:
                    with source_package.opened(self._path, part) as inner:
                        _list_part(inner, part, rows, max_bytes)
            elif kind == "zip":
                _list_zip(Zip(file), rows, statements, max_bytes)
            elif kind == "tar":
                _list_tar(open_stream(file), rows, statements, max_bytes)
            else:
                raise ArchiveError("no archive any more")
        if kind != "dsc":
            top = rows.close_section(strip=self._strip)
            if self._license_metadata is None:
                self._license_metadata = statements.stated(top)
        return rows

    def _zip_contents(self, file: IO[bytes], left: dict[str, Wanted]) -> Iterator[Content]:
        """Members whose path can be that of a wanted one, until all are found."""
        archive = Zip(file)
        paths = {(one.raw_path, one.size) for one in left.values()}
        taken_off = 1 if self._strip is None else self._strip
        for member in archive.members():
            inner = member.raw.split(b"/", taken_off)[-1]
            if member.kind != FILE or member.problem or not {(member.raw, member.size), (inner, member.size)} & paths:
                continue
            data = archive.read(member.place)
            name = content_id(data) if isinstance(data, bytes) else ""
            if isinstance(data, bytes) and _taken(left, name):
                yield Content(name, data)
                if not left:
                    return

    @contextmanager
    def _own_errors(self) -> Iterator[None]:
        """What spoils the archive, as the problem of this repository."""
        location = self._repository.location
        try:
            yield
        except ArchiveError as problem:
            raise SourceError(RepositoryProblem(location, problem.reason, problem.hint)) from None
        except OSError as problem:
            raise SourceError(RepositoryProblem(location, describe(problem))) from None


def is_archive(path: Path) -> bool:
    """Whether the file at `path` begins as an archive that is read; a compressed file is one where a tar is in it."""
    try:
        with open_regular(path) as file:
            return _kind(file) is not None
    except (ArchiveError, OSError):
        return False


def open_archive(
    path: Path,
    settings: SourceSettings,
    place: Place,  # noqa: ARG001 - every opener is given one; nothing is kept of an archive
    *,
    repository: Repository | None = None,
    location: str | None = None,
    url: str | None = None,
    repo_name: str | None = None,
    checksum: str | None = None,
    strip: int | None = None,
) -> Opened:
    """The archive at `path`, of which at most the beginning is read. What is known of it from elsewhere is handed in: a
    whole `repository`, or what stands in the place of what the archive's name says."""
    location = location or (repository.location if repository else str(path))
    try:
        with open_regular(path) as file:
            kind = _kind(file)
        if kind is None:
            raise ArchiveError("no archive that can be read", "tar, zip and Debian source packages (.dsc) are read")
        described = repository or _described(path, kind, settings.rights)
        described = replace(
            described,
            location=location,
            url=url or described.url,
            repo_name=repo_name or described.repo_name,
            checksum=checksum or described.checksum,
        )
    except ArchiveError as problem:
        return Opened([], [RepositoryProblem(location, problem.reason, problem.hint)])
    except OSError as problem:
        return Opened([], [RepositoryProblem(location, describe(problem))])
    return Opened([ArchiveSource(described, path, strip=strip)], [])


def open_file(path: Path, settings: SourceSettings) -> Opened:
    """Any other file: a repository of one file, named after it."""
    name = text_path(os.fsencode(path.name))
    return Opened([FileSource(Repository(name, "folder", str(path), settings.rights))], [])


def repository_name(file_name: str) -> str:
    """What an archive of this name holds, without version and suffix.

    >>> repository_name("zlib_1.2.13.orig.tar.gz"), repository_name("six-1.17.0-py2.py3-none-any.whl")
    ('zlib', 'six')
    """
    if wheel := _WHEEL.fullmatch(file_name):
        return wheel[1]
    name = _SUFFIX.sub("", file_name)
    return _VERSION.sub("", name) or name or file_name


def _described(path: Path, kind: str, rights: str) -> Repository:
    if kind == "dsc":
        package = source_package.read_dsc(path)
        return Repository(
            package.name, "archive", str(path), rights, version=package.version or None, home_page=package.home_page
        )
    wheel = _WHEEL.fullmatch(path.name)
    name = repository_name(text_path(os.fsencode(path.name)))
    return Repository(name, "archive", str(path), rights, version=wheel[2] if wheel else None)


def _kind(file: IO[bytes]) -> str | None:
    """ "zip", "dsc" or "tar". Raises ArchiveError where a compressed file is damaged at its start."""
    file.seek(0)
    head = file.read(_HEAD)
    if head.startswith(archive_zip.MAGICS):
        return "zip"
    if source_package.is_dsc(head):
        return "dsc"
    return "tar" if is_tar(open_stream(file).read(512)) else None


def _list_part(file: IO[bytes], part: source_package.Part, rows: Rows, max_bytes: int) -> None:
    """One of the archives of a source package; it may stand in the place of what others had."""
    source_package.verify(file, part)
    try:
        if part.replaces:
            rows.replace(part.replaces, source_package.REPLACED)
        if part.is_diff:
            data = source_package.read_diff(file, max_bytes)
            size, name = (len(data), content_id(data)) if isinstance(data, bytes) else (data, None)
            rows.add(source_package.DIFF_NAME, FILE, REGULAR, size, name)
        else:
            _list_tar(open_stream(file), rows, Statements(), max_bytes)
        rows.close_section(part.folder, strip=0 if part.replaces == b"debian/" or part.is_diff else None)
    except ArchiveError as problem:
        raise ArchiveError(f"{part.name}: {problem.reason}", problem.hint) from None


def _list_tar(stream: Stream, rows: Rows, statements: Statements, max_bytes: int) -> None:
    for raw, kind, mode, size, target, problem in members(stream):
        name = None
        if kind == FILE and not problem and (size <= max_bytes or statements.wants(raw)):
            data = stream.read(size)  # where it is shorter, `members` raises next
            if statements.wants(raw):
                statements.add(raw, data)
            name = content_id(data) if size <= max_bytes else None
        rows.add(raw, kind, mode, size, name, problem, target)


def _list_zip(archive: Zip, rows: Rows, statements: Statements, max_bytes: int) -> None:
    for raw, kind, mode, size, problem, place in archive.members():
        name = None
        if kind == FILE and not problem and (size <= max_bytes or statements.wants(raw)):
            data = archive.read(place)
            if isinstance(data, str):
                problem = data
            else:
                if statements.wants(raw):
                    statements.add(raw, data)
                name = content_id(data) if size <= max_bytes else None
        rows.add(raw, kind, mode, size, name, problem)


def _taken(left: dict[str, Wanted], name: str) -> bool:
    """Whether it was still wanted; it no longer is."""
    wanted = name in left
    left.pop(name, None)
    return wanted


def _diff_contents(file: IO[bytes], left: dict[str, Wanted]) -> Iterator[Content]:
    data = source_package.read_diff(file, max(one.size for one in left.values()))
    if isinstance(data, bytes) and _taken(left, name := content_id(data)):
        yield Content(name, data)
