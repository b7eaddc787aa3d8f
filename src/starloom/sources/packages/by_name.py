"""Packages by name as sources: `pypi:requests`, `npm:@scope/name@1.0.0`, `debian:zlib`.

Opening is offline: a source for a package that lies fetched on the shelf, else an `Unfetched` one. A name without a
version is resolved at the first fetch and stays at that version until it is asked to update.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from starloom.errors import UserError
from starloom.outside.http import Http, HttpSettings
from starloom.outside.paths import printable
from starloom.sources.archives.source import ArchiveSource
from starloom.sources.packages import debian, npm, pypi, python_metadata
from starloom.sources.packages.release import PackageName
from starloom.sources.packages.shelf import Record, Shelf
from starloom.sources.repository import Opened, Place, Repository, Source, SourceSettings

REGISTRIES: dict[str, ModuleType] = {"pypi": pypi, "npm": npm, "debian": debian}
_FOLDER = "packages"  # in a Place
_TWO = threading.Semaphore(2)


@dataclass
class UnfetchedPackage:
    """A package that has to be fetched, or fetched again."""

    package: PackageName
    location: str
    repo_name: str | None
    alone: bool = False

    def fetch(self, place: Place) -> None:
        """See `Unfetched`."""
        shelf = Shelf(place.folder / _FOLDER)
        with registry_http() as http, shelf.locked(self.package):
            if place.update or shelf.find(self.package) is None:
                fetch_package(http, shelf, self.package, refresh=place.update)


def is_package(text: str) -> bool:
    """Whether `text` is of the form that `open_package` reads."""
    return text.partition(":")[0] in REGISTRIES and ":" in text


def parse_package(text: str) -> PackageName:
    """The package that `text` names. Raises UserError."""
    registry, _, rest = text.partition(":")
    if registry not in REGISTRIES:
        raise UserError(f"{printable(text)}: no registry of that name", f"one of: {', '.join(REGISTRIES)}")
    package: PackageName = REGISTRIES[registry].parse(rest)
    return package


def open_package(text: str, settings: SourceSettings, place: Place) -> Opened:
    """The source of the package that `text` names, or what has to be fetched for it. Raises UserError."""
    package = parse_package(text)
    shelf = Shelf(place.folder / _FOLDER)
    record = shelf.find(package)
    if record is None or (place.update and package.version is None):
        return Opened([], [], [UnfetchedPackage(package, str(package), package.repo_name)])
    return Opened([source_of(record, shelf, settings.rights, location=str(package))], [])


def fetched_files(text: str, place: Place) -> list[Path]:
    """The files of the package that `text` names, its record first; none where it was not fetched. Raises UserError."""
    package, shelf = parse_package(text), Shelf(place.folder / _FOLDER)
    record = shelf.find(package)
    return (
        [] if record is None else [shelf.record(package), *(shelf.folder / "files" / name for name, _ in record.files)]
    )


def source_of(record: Record, shelf: Shelf, rights: str, location: str) -> Source:
    """The source of a fetched package."""
    repository = Repository(
        repo_name=record.package.repo_name,
        kind="package",
        location=location,
        rights=rights,
        version=record.package.version,
        url=record.description.url,
        home_page=record.description.home_page,
        checksum=f"sha256:{record.sha256}",
    )
    return ArchiveSource(repository, shelf.archive(record), license_metadata=record.description.license)


@contextlib.contextmanager
def registry_http() -> Iterator[Http]:
    """A client as gentle as registries may ask for: two packages at once in this process, two connections each."""
    with _TWO, Http(HttpSettings(parallel=2)) as http:
        yield http


def fetch_package(
    http: Http,
    shelf: Shelf,
    asked: PackageName,
    *,
    refresh: bool = False,
    sha256: str | None = None,
    taken: PackageName | None = None,
    advance: Callable[[int], None] | None = None,
) -> Record:
    """Resolves and downloads `asked`; with `sha256` that very archive. `taken`: the package that stands in for it.

    Within `shelf.locked(asked)`. Raises SourceError.
    """
    package = taken or asked
    describe = None
    if package.registry == "pypi":
        release = pypi.resolve(http, package, sha256)
        describe = python_metadata.describe
    elif package.registry == "npm":
        release = npm.resolve(http, package)
    elif sha256:
        release = debian.pinned(http, package, sha256)
    else:
        release = debian.resolve(http, package, shelf.folder / "debian", refresh)
    return shelf.fetch(
        http, asked, release, sha256=sha256, deviates=taken is not None, describe=describe, advance=advance
    )
