"""Where fetched packages lie: a record for each package asked for, and archives by their checksum.

    records/<sha256 of "pypi:requests">.json    what was fetched for that name, and what its registry said
    files/<sha256>.tar.gz                       an archive
    files/<sha256 of the .dsc>/NAME.dsc, …      a Debian source package: the .dsc and, beside it, the files it names
    locks/                                      one lock for each package name

The record is written last, aside and renamed, so what it names is whole. It pins the version that was newest when the
package was first fetched. Names in `files` come from checksums; only the parts of a .dsc keep theirs, which must be
plain ones (letters, digits and `+-._~%`). Cost: opening reads one small file and asks for the size of each archive;
bytes are hashed when they are fetched, and again by the source that reads them. Archives that nothing names any more
are not removed.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from starloom.outside.download import download
from starloom.outside.http import Http, HttpError, shown
from starloom.sources.aside import locked, publish, replace_file
from starloom.sources.packages.release import ARCHIVE_LIMIT, Description, PackageName, Release, RemoteFile, unreachable
from starloom.sources.repository import LicenseMetadata

_FORMAT: Final = 1
_RECORD_LIMIT: Final = 1 << 20
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._~%-]{0,199}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Record:
    """A fetched package."""

    package: PackageName  # with its version
    sha256: str  # of the archive (of a Debian source package: of its .dsc)
    files: tuple[tuple[str, int], ...]  # names below `files/` and bytes; the archive is the first
    came_from: str  # URL of the archive, without login
    description: Description = Description()  # noqa: RUF009 - frozen
    signature: str | None = None  # of a Debian index: "good", or why it was not checked
    deviates: bool = False  # another version or archive than the pinned one was taken

    @property
    def bytes(self) -> int:
        """Bytes of all its files."""
        return sum(size for _, size in self.files)


class Shelf:
    """The packages in a folder; it need not exist before something is fetched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def archive(self, record: Record) -> Path:
        """The archive of a fetched package."""
        return self.folder / "files" / record.files[0][0]

    def find(self, asked: PackageName) -> Record | None:
        """What was fetched for `asked`, where it is still there."""
        try:
            data = self.record(asked).read_bytes()[: _RECORD_LIMIT + 1]
            record = _record(json.loads(data), asked)
            if all((self.folder / "files" / name).stat().st_size == size for name, size in record.files):
                return record
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            pass  # nothing, or damaged: it is fetched again
        return None

    @contextlib.contextmanager
    def locked(self, asked: PackageName) -> Iterator[None]:
        """One at a time, over threads and processes, fetches a package of that name."""
        folder = self.folder / "locks"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileNotFoundError as problem:  # so says /proc, where nobody makes a folder
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), problem.filename) from None
        name = f"{asked.registry}-{hashlib.sha256(asked.name.encode()).hexdigest()[:32]}"
        with locked(folder / name):
            yield

    def fetch(
        self,
        http: Http,
        asked: PackageName,
        release: Release,
        *,
        sha256: str | None = None,
        deviates: bool = False,
        describe: Callable[[Path], Description] | None = None,
        advance: Callable[[int], None] | None = None,
    ) -> Record:
        """Downloads what `release` names and writes the record for `asked`; `sha256`: what the archive must have.

        `describe`: what the archive says of itself, where the registry does not. Within `locked(asked)`. What lies
        there already is not downloaded again. Raises SourceError.
        """
        files = self.folder / "files"
        files.mkdir(parents=True, exist_ok=True)
        if sha256 and release.archive.sha256 not in (None, sha256):
            reason = f"its archive has the SHA-256 {release.archive.sha256}, expected was {sha256}"
            raise asked.problem(reason)
        if release.parts:
            stored, digest = self._fetch_parts(http, asked, release, advance)
        else:
            name, digest = self._fetch_archive(http, asked, release, sha256, advance)
            stored = [name]
        said = describe(files / stored[0]) if describe else release.description
        record = Record(
            package=release.package,
            sha256=digest,
            files=tuple((name, (files / name).stat().st_size) for name in stored),
            came_from=shown(release.archive.url),
            description=said,
            signature=release.signature,
            deviates=deviates,
        )
        self._write(asked, record)
        return record

    def _fetch_archive(
        self,
        http: Http,
        asked: PackageName,
        release: Release,
        sha256: str | None,
        advance: Callable[[int], None] | None,
    ) -> tuple[str, str]:
        """Name in `files` and SHA-256."""
        archive = release.archive
        known = archive.sha256 or sha256
        if known:
            name = known + archive.suffix
            self._download(http, asked, archive, self.folder / "files" / name, known, advance)
            self._check_sha512(asked, archive, self.folder / "files" / name)
            return name, known
        if archive.sha512 is None:
            raise asked.problem(f"{shown(archive.url)}: the registry states no checksum that can be trusted")
        aside = self.folder / "files" / f"incoming-{archive.sha512[:64]}"
        digest = self._download(http, asked, archive, aside, None, advance)
        self._check_sha512(asked, archive, aside)
        name = digest + archive.suffix
        publish(aside, self.folder / "files" / name)
        return name, digest

    def _fetch_parts(
        self, http: Http, asked: PackageName, release: Release, advance: Callable[[int], None] | None
    ) -> tuple[list[str], str]:
        """Names in `files` and the SHA-256 of the first, the .dsc."""
        dsc = release.archive
        assert dsc.sha256 is not None
        stored = []
        for one in (dsc, *release.parts):
            if not _PLAIN.fullmatch(one.name):
                raise asked.problem(f"{shown(dsc.url)}: a file name that is not accepted: {one.name[:80]!r}")
            stored.append(f"{dsc.sha256}/{one.name}")
        if len(set(stored)) < len(stored):
            raise asked.problem(f"{shown(dsc.url)}: two files of one name")
        (self.folder / "files" / dsc.sha256).mkdir(exist_ok=True)
        for one, name in zip((dsc, *release.parts), stored):
            assert one.sha256 is not None
            self._download(http, asked, one, self.folder / "files" / name, one.sha256, advance)
        return stored, dsc.sha256

    def _download(
        self,
        http: Http,
        asked: PackageName,
        file: RemoteFile,
        target: Path,
        sha256: str | None,
        advance: Callable[[int], None] | None,
    ) -> str:
        if file.data is not None:
            replace_file(target, file.data)
            if advance:
                advance(len(file.data))
            return hashlib.sha256(file.data).hexdigest()
        try:
            return download(http, file.url, target, limit=ARCHIVE_LIMIT, sha256=sha256, size=file.size, advance=advance)
        except HttpError as failure:
            raise unreachable(asked, failure) from None

    def _check_sha512(self, asked: PackageName, file: RemoteFile, path: Path) -> None:
        if file.sha512 is None:
            return
        with path.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha512").hexdigest()
        if found != file.sha512:
            path.unlink()
            reason = f"{shown(file.url)}: its SHA-512 is {found[:32]}…, expected was {file.sha512[:32]}…"
            raise asked.problem(reason, "the download or the registry is damaged; try again later")

    def record(self, asked: PackageName) -> Path:
        """Where it is written what was fetched for `asked`."""
        return self.folder / "records" / f"{hashlib.sha256(str(asked).encode()).hexdigest()}.json"

    def _write(self, asked: PackageName, record: Record) -> None:
        path = self.record(asked)
        path.parent.mkdir(exist_ok=True)
        stored = {"format": _FORMAT, "asked": str(asked), **asdict(record)}
        replace_file(path, json.dumps(stored, ensure_ascii=False, indent=1).encode())


def _record(stored: Any, asked: PackageName) -> Record:
    """A record as it was written. Raises what a damaged one gives rise to."""
    if stored["format"] != _FORMAT or stored["asked"] != str(asked):
        raise ValueError("not this record")
    files = tuple((str(name), int(size)) for name, size in stored["files"])
    for name, _ in files:
        folder, _, base = name.rpartition("/")
        if not _PLAIN.fullmatch(base) or (folder and not _SHA256.fullmatch(folder)):
            raise ValueError("no name of a fetched file")
    if not files or not _SHA256.fullmatch(stored["sha256"]):
        raise ValueError("no archive")
    said = stored["description"]
    stated = said["license"]
    return Record(
        package=PackageName(**stored["package"]),
        sha256=stored["sha256"],
        files=files,
        came_from=stored["came_from"],
        description=Description(
            said["url"],
            said["home_page"],
            LicenseMetadata(stated["expression"], stated["field"], tuple(stated["classifiers"])),
        ),
        signature=stored["signature"],
        deviates=bool(stored["deviates"]),
    )
