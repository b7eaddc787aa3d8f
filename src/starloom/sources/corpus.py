"""Named lists of packages, with versions and checksums: `corpus:standard`, `corpus:large`.

A corpus is a file `corpora/NAME.toml` of this program. Its packages lie in one folder for all workspaces of a user,
`$XDG_CACHE_HOME/starloom/corpora/NAME` (default `~/.cache`), or in one that is named: `corpus:NAME@FOLDER`. The folder
is a shelf (see `packages.shelf`), never a part of a workspace: 500 MB are fetched once, and removed by removing the
folder. As a source, each package is a repository of its own; what is not there yet is fetched into that folder.

Each archive must have the SHA-256 of the list. A registry may have it no more (Debian's mirrors keep the latest
versions only): then this package is a problem and the others go on, and on demand the newest version is taken in its
place, which the record says (`deviates`) and `repository().version` shows.
"""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue

from starloom.errors import UserError
from starloom.outside.http import Http
from starloom.outside.paths import printable
from starloom.settings import load, nearest, read_toml
from starloom.sources.packages.by_name import fetch_package, registry_http, source_of
from starloom.sources.packages.release import PackageName
from starloom.sources.packages.shelf import Record, Shelf
from starloom.sources.repository import Opened, Place, RepositoryProblem, Source, SourceError, SourceSettings, Unfetched

PREFIX = "corpus:"
_LISTS = Path(__file__).with_name("corpora")
_PARALLEL = 2  # downloads at once
_LEAVE_SECONDS = 2.0  # what Ctrl-C waits for downloads to notice it


@dataclass(frozen=True)
class Pinned:
    """One package of a corpus."""

    registry: str
    name: str
    version: str
    sha256: str  # of the archive; of a Debian package: of its .dsc
    bytes: int  # of all files to download
    unpacked: int  # bytes of the files in them
    languages: tuple[str, ...]
    license: str  # as its packagers state it for most of its files, in SPDX ids

    @property
    def package(self) -> PackageName:
        """Its name and version."""
        return PackageName(self.registry, self.name, self.version)


@dataclass(frozen=True)
class Corpus:
    """A named list of packages."""

    title: str
    packages: tuple[Pinned, ...]
    name: str = ""

    @property
    def languages(self) -> list[str]:
        """Every language once, sorted."""
        return sorted({language for one in self.packages for language in one.languages}, key=str.casefold)

    @property
    def bytes(self) -> int:
        """Bytes to download."""
        return sum(one.bytes for one in self.packages)

    @property
    def unpacked(self) -> int:
        """Bytes of the files in the archives."""
        return sum(one.unpacked for one in self.packages)


@dataclass
class Fetched:
    """What is there after a run of `fetch_corpus`."""

    records: list[Record] = field(default_factory=list)
    problems: list[RepositoryProblem] = field(default_factory=list)
    downloaded: int = 0  # packages that were not there before

    @property
    def bytes(self) -> int:
        """Bytes of all archives that are there."""
        return sum(one.bytes for one in self.records)


@dataclass
class UnfetchedOfCorpus:
    """One package of a corpus that is not there yet."""

    pinned: Pinned
    folder: Path
    location: str
    repo_name: str | None
    alone: bool = False

    def fetch(self, place: Place) -> None:  # noqa: ARG002 - a corpus has a folder of its own
        """See `Unfetched`."""
        with registry_http() as http:
            _fetch_one(http, Shelf(self.folder), self.pinned, newest=False, advance=None)


def names() -> list[str]:
    """The corpora there are, the small one first."""
    return sorted((path.stem for path in _LISTS.glob("*.toml")), key=lambda name: (name != "standard", name))


def corpus(name: str) -> Corpus:
    """The corpus of that name. Raises UserError."""
    if name not in names():
        raise UserError(f"there is no corpus `{printable(name)}`", nearest(name, names()))
    path = _LISTS / f"{name}.toml"
    return load(read_toml(path) | {"name": name}, Corpus, f"corpora/{name}.toml")


def default_folder(name: str) -> Path:
    """Where the packages of a corpus lie unless a folder is named."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(cache) if cache.startswith("/") else Path("~/.cache").expanduser()
    return base / "starloom" / "corpora" / name


def open_corpus(text: str, settings: SourceSettings, place: Place) -> Opened:  # noqa: ARG001 - nothing lies in a place
    """The sources of `corpus:NAME` or `corpus:NAME@FOLDER`; packages that are not there yet as unfetched ones.

    Raises UserError.
    """
    name, at, folder = text.removeprefix(PREFIX).partition("@")
    listed = corpus(name)
    if at and not folder:
        raise UserError(f"{printable(text)} names no folder after its @", f"write `corpus:{name}@FOLDER`")
    path = Path(os.path.realpath(Path(folder).expanduser())) if at else default_folder(name)
    shelf = Shelf(path)
    sources: list[Source] = []
    unfetched: list[Unfetched] = []
    for pinned in listed.packages:
        location = str(pinned.package)
        record = found(shelf, pinned)
        if record:
            sources.append(source_of(record, shelf, settings.rights, location))
        else:
            unfetched.append(UnfetchedOfCorpus(pinned, path, location, pinned.package.repo_name))
    return Opened(sources, [], unfetched)


def found(shelf: Shelf, pinned: Pinned) -> Record | None:
    """What is there of a package: the pinned archive, or one that was taken in its place."""
    record = shelf.find(pinned.package)
    return record if record and (record.sha256 == pinned.sha256 or record.deviates) else None


def fetch_corpus(
    listed: Corpus, folder: Path, *, newest: bool = False, advance: Callable[[int], None] = lambda _: None
) -> Fetched:
    """Downloads what is not there yet, two at once. `newest`: where the pinned archive cannot be had, take the latest.

    `advance` is told bytes of the list, one thread at a time. Ctrl-C loses nothing: what a download has stays, and the
    next run goes on there. Raises UserError for what the file system refuses.
    """
    shelf = Shelf(folder)
    result = Fetched()
    missing: SimpleQueue[Pinned] = SimpleQueue()
    answers: SimpleQueue[tuple[Pinned, Record | BaseException]] = SimpleQueue()
    left = 0
    for pinned in listed.packages:
        if record := found(shelf, pinned):
            result.records.append(record)
            advance(pinned.bytes)
        else:
            missing.put(pinned)
            left += 1
    told = _Told(advance)
    with registry_http() as http:
        workers = [
            # Daemons: after Ctrl-C a stalled download may not keep the process.
            threading.Thread(target=_work, args=(http, shelf, missing, answers, newest, told), daemon=True)
            for _ in range(min(_PARALLEL, left))
        ]
        for worker in workers:
            worker.start()
        try:
            for pinned, answer in _answers(answers, left):
                if isinstance(answer, Record):
                    result.records.append(answer)
                    result.downloaded += 1
                elif isinstance(answer, SourceError):
                    result.problems.append(_explained(answer.problem, pinned, newest))
                else:
                    raise answer
        finally:
            told.stop()
            for worker in workers:
                worker.join(_LEAVE_SECONDS)
    order = {str(pinned.package): number for number, pinned in enumerate(listed.packages)}
    result.problems.sort(key=lambda one: order[one.location])
    return result


def _answers(
    answers: "SimpleQueue[tuple[Pinned, Record | BaseException]]", count: int
) -> Iterator[tuple[Pinned, Record | BaseException]]:
    for _ in range(count):
        yield answers.get()


class _StoppedError(Exception):
    """The run is over; raised inside a download so that it ends where it is."""


class _Told:
    """Hands bytes on from several threads, and ends them."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance
        self._lock = threading.Lock()
        self._stopped = False

    def __call__(self, count: int) -> None:
        with self._lock:
            if self._stopped:
                raise _StoppedError
            self._advance(count)

    def stop(self) -> None:
        """From now on every download ends at its next bytes."""
        with self._lock:
            self._stopped = True


def _work(
    http: Http,
    shelf: Shelf,
    missing: "SimpleQueue[Pinned]",
    answers: "SimpleQueue[tuple[Pinned, Record | BaseException]]",
    newest: bool,
    told: _Told,
) -> None:
    while True:
        try:
            pinned = missing.get_nowait()
        except Empty:
            return
        try:
            answers.put((pinned, _fetch_one(http, shelf, pinned, newest, told)))
        except _StoppedError:
            return
        except BaseException as problem:
            answers.put((pinned, problem))


def _fetch_one(http: Http, shelf: Shelf, pinned: Pinned, newest: bool, advance: Callable[[int], None] | None) -> Record:
    package = pinned.package
    with shelf.locked(package):
        if record := found(shelf, pinned):  # another process was faster
            return record
        try:
            return fetch_package(http, shelf, package, sha256=pinned.sha256, advance=advance)
        except SourceError:
            if not newest:
                raise
        latest = PackageName(package.registry, package.name)
        return fetch_package(http, shelf, package, taken=latest, advance=advance)


def _explained(problem: RepositoryProblem, pinned: Pinned, newest: bool) -> RepositoryProblem:
    hints = [problem.hint, None if newest else "--newest takes the latest version in its place, and records that"]
    return RepositoryProblem(str(pinned.package), problem.reason, "; or ".join(filter(None, hints)) or None)
