"""Installed Python distributions as repositories (`pypi/NAME`); the standard library as `python/cpython`.

Nothing of a distribution is imported or run: METADATA and RECORD are read as text. Files are those of RECORD
below the `site-packages` folder; what RECORD puts elsewhere (`../../../bin/x`) is listed as "outside" and not
read. `__pycache__`, `*.pyc`, RECORD, INSTALLER and the like are the installer's: skipped. Distributions
without RECORD and editable installs (whose files are a folder of yours: name that) are problems.
"""

import csv
import email.parser
import email.policy
import hashlib
import json
import os
import platform
import re
import site
import stat
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from starloom.errors import UserError
from starloom.outside.paths import RefusedError, Root, is_safe_raw, text_path
from starloom.sources.content_ids import ContentIds
from starloom.sources.folder import FolderSource, listed, open_root, read_wanted, status_line
from starloom.sources.repository import (
    MAX_ENTRIES,
    Content,
    Entry,
    LicenseMetadata,
    Opened,
    Repository,
    RepositoryProblem,
    Source,
    SourceError,
    Wanted,
    checked_entry,
    unique_names,
)

METADATA_LIMIT = 1 << 24  # bytes of METADATA (it holds the whole description)
RECORD_LIMIT = 1 << 28  # bytes of RECORD, about 100 for a file
_BUILT = frozenset([b"__pycache__"])
_INSTALLERS = (b"RECORD", b"INSTALLER", b"REQUESTED", b"direct_url.json")
_NOT_STANDARD = frozenset([b"site-packages", b"dist-packages"]) | _BUILT


@dataclass(frozen=True)
class Metadata:
    """What METADATA or PKG-INFO states of a distribution."""

    name: str | None  # as PyPI writes it: lower case, `-`; None where it is none
    version: str
    home_page: str | None
    license: LicenseMetadata


class DistributionSource:
    """One installed distribution: `folder` is the name of its `.dist-info`, below `repository.location`."""

    def __init__(self, repository: Repository, folder: bytes, license_metadata: LicenseMetadata) -> None:
        self._repository = repository
        self._folder = folder
        self._license_metadata = license_metadata

    def repository(self) -> Repository:
        """The row of this repository."""
        return self._repository

    def renamed(self, repo_name: str) -> "DistributionSource":
        """This source under another name."""
        named = replace(self._repository, repo_name=repo_name)
        return DistributionSource(named, self._folder, self._license_metadata)

    def license_metadata(self) -> LicenseMetadata:
        """What METADATA states about the licence."""
        return self._license_metadata

    def state(self) -> str:
        """A hash over RECORD's paths and the status of each file."""
        digest = hashlib.sha256()
        with open_root(self._repository.location) as root:
            for raw in self._recorded(root):
                try:
                    digest.update(status_line(raw, root.status(raw), None))
                except RefusedError as problem:
                    digest.update(status_line(raw, None, str(problem)))
        return f"distribution:{digest.hexdigest()}"

    def entries(self, max_bytes: int) -> Iterator[Entry]:
        """Every path of RECORD, by path; reads the files of at most `max_bytes`."""
        with open_root(self._repository.location) as root:
            for raw in self._recorded(root):
                if raw.startswith(b"/") or b".." in raw.split(b"/"):
                    yield Entry(text_path(raw), raw, "outside", 0, None, None)
                elif not is_safe_raw(raw):
                    yield checked_entry(raw, "file", 0, None, None)
                else:
                    try:
                        status = root.status(raw)
                    except RefusedError as problem:
                        yield checked_entry(raw, "file", 0, None, None, str(problem))
                    else:
                        yield listed(raw, status, partial(root.open, raw), max_bytes)

    def contents(self, wanted: Iterable[Wanted]) -> Iterator[Content]:
        """Each content re-read and re-hashed."""
        with open_root(self._repository.location) as root:
            for one in wanted:
                yield read_wanted(root, one)

    def first_seen(self, ids: ContentIds) -> None:
        """None: an installed distribution has no history."""

    def _recorded(self, root: Root) -> list[bytes]:
        """RECORD's paths, each once, sorted, without what the installer made."""
        try:
            data = root.read(self._folder + b"/RECORD", RECORD_LIMIT)
        except RefusedError as problem:
            raise SourceError(self._problem(f"its RECORD cannot be read: {problem}")) from None
        if len(data) > RECORD_LIMIT:
            raise SourceError(self._problem(f"its RECORD is longer than {RECORD_LIMIT} bytes"))
        lines = data.decode("utf-8", "surrogateescape").splitlines()
        try:
            paths = {row[0].encode("utf-8", "surrogateescape") for row in csv.reader(lines) if row and row[0]}
        except (csv.Error, UnicodeEncodeError) as problem:
            raise SourceError(self._problem(f"its RECORD is not a table of paths: {problem}")) from None
        if len(paths) > MAX_ENTRIES:
            raise SourceError(self._problem(f"more than {MAX_ENTRIES} paths"))
        return sorted(
            path
            for path in paths - {self._folder + b"/" + name for name in _INSTALLERS}
            if not path.endswith(b".pyc") and b"__pycache__" not in path.split(b"/")
        )

    def _problem(self, reason: str) -> RepositoryProblem:
        location = f"{self._repository.location}/{text_path(self._folder)}"
        return RepositoryProblem(location, reason, "install it again: `pip install --force-reinstall NAME`")


def installed(paths: Sequence[str] | None = None, *, prefix: str | None = None, rights: str = "public") -> Opened:
    """The distributions in `paths` (site-packages folders), else those of `prefix`, else of this interpreter.

    With the standard library unless `paths` are given. Raises UserError when `prefix` holds no Python
    environment.
    """
    standard: list[tuple[str, str]] = []  # folder, version
    problems: list[RepositoryProblem] = []
    if paths is not None:
        folders = list(paths)
    elif prefix is not None:
        folders, standard = _environment(Path(os.path.realpath(Path(prefix).expanduser())))
        if not standard:
            reason = "the standard library of this environment was not found"
            problems.append(RepositoryProblem(prefix, reason, "name the environment it was made from"))
    else:
        folders = [*site.getsitepackages(), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
        standard = [(sysconfig.get_path("stdlib"), platform.python_version())]
    sources: list[Source] = []
    for folder in dict.fromkeys(os.path.realpath(folder) for folder in folders):
        found = _distributions_in(folder, rights)
        sources += found.sources
        problems += found.problems
    for folder, version in standard:
        sources.append(_standard_library(folder, version, rights))
    return Opened(unique_names(sources), problems)


def _environment(prefix: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """The site-packages folders of `prefix`, and folder and version of its standard library."""
    libraries = sorted(prefix.glob("lib/python3*"))
    places = [library / name for library in libraries for name in ("site-packages", "dist-packages")]
    folders = [str(place) for place in places if place.is_dir()]
    if not folders:
        hint = "give the folder of a virtual environment (the one with pyvenv.cfg), or `installed` alone"
        raise UserError(f"{prefix} holds no Python environment", hint)
    base = _base(prefix)
    for library in libraries:
        standard = base / "lib" / library.name
        if (standard / "os.py").is_file():
            return folders, [(str(standard), _version(base, library.name))]
    return folders, []


def _base(prefix: Path) -> Path:
    """The installation that a virtual environment was made from; `prefix` itself where it is none."""
    try:
        with Root(prefix) as root:
            text = root.read(b"pyvenv.cfg", METADATA_LIMIT).decode("utf-8", "replace")
    except (RefusedError, OSError):
        return prefix
    home = re.search(r"(?m)^home\s*=\s*(.+?)\s*$", text)
    return Path(os.path.realpath(home[1])).parent if home else prefix


def _version(base: Path, name: str) -> str:
    """The full version from the C headers where they are there, else as in `python3.11`."""
    try:
        with Root(base) as root:
            header = root.read(f"include/{name}/patchlevel.h".encode(), METADATA_LIMIT).decode("utf-8", "replace")
    except (RefusedError, OSError):
        header = ""
    found = re.search(r'#define\s+PY_VERSION\s+"([^"]+)"', header)
    return found[1] if found else name.removeprefix("python")


def _standard_library(folder: str, version: str, rights: str) -> FolderSource:
    repository = Repository(
        repo_name="python/cpython",
        kind="distribution",
        location=os.path.realpath(folder),
        rights=rights,
        version=version,
    )
    return FolderSource(repository, skip=_NOT_STANDARD, license_metadata=LicenseMetadata(expression="PSF-2.0"))


def _distributions_in(folder: str, rights: str) -> Opened:
    sources: list[Source] = []
    problems: list[RepositoryProblem] = []
    try:
        with os.scandir(os.fsencode(folder)) as listing:
            names = sorted(item.name for item in listing)
        root = Root(folder)
    except OSError:
        return Opened([], [])  # a site folder that does not exist is the usual case on Debian
    with root:
        for name in names:
            location = f"{folder}/{text_path(name)}"
            if name.endswith(b".egg-info") or name.endswith(b".egg-link"):
                reason = "installed without RECORD, so its files are not known"
                problems.append(RepositoryProblem(location, reason, "install it again with pip"))
            elif name.endswith(b".dist-info"):
                try:
                    sources.append(_distribution(root, folder, name, rights))
                except SourceError as failure:
                    problems.append(failure.problem)
    return Opened(sources, problems)


def _distribution(root: Root, folder: str, name: bytes, rights: str) -> DistributionSource:
    location = f"{folder}/{text_path(name)}"
    editable = _editable(root, name)
    if editable is not None:
        hint = f"give its folder instead: {editable}" if editable else "give its folder instead"
        raise SourceError(RepositoryProblem(location, "an editable install: its files are elsewhere", hint))
    try:
        stored = stat.S_ISREG(root.status(name + b"/RECORD").st_mode)
    except RefusedError:
        stored = False
    if not stored:
        reason = "installed without RECORD, so its files are not known"
        raise SourceError(RepositoryProblem(location, reason, "install it again with pip"))
    try:
        metadata = parse_metadata(root.read(name + b"/METADATA", METADATA_LIMIT))
    except RefusedError as problem:
        raise SourceError(RepositoryProblem(location, f"its METADATA cannot be read: {problem}")) from None
    if metadata.name is None:
        raise SourceError(RepositoryProblem(location, "its METADATA has no name", "install it again with pip"))
    repository = Repository(
        repo_name=f"pypi/{metadata.name}",
        kind="distribution",
        location=folder,
        rights=rights,
        version=metadata.version,
        home_page=metadata.home_page,
    )
    return DistributionSource(repository, name, metadata.license)


def parse_metadata(data: bytes) -> Metadata:
    """The header of METADATA or PKG-INFO; names by PyPI's rules: letters, digits, `.`, `_`, `-`."""
    message = email.parser.HeaderParser(policy=email.policy.compat32).parsestr(data.decode("utf-8", "replace"))

    def every(field: str) -> list[str]:
        return [str(one).strip() for one in message.get_all(field, [])]

    def first(field: str) -> str | None:
        return next(iter(every(field)), None)

    name = re.sub(r"[-_.]+", "-", first("Name") or "").lower()
    labelled = (url.partition(",")[::2] for url in every("Project-URL"))
    home_pages = (url.strip() for label, url in labelled if re.fullmatch(r"home[\W_]?page", label.strip().lower()))
    license_metadata = LicenseMetadata(
        expression=first("License-Expression") or None,
        field=first("License") or None,
        classifiers=tuple(one for one in every("Classifier") if one.startswith("License ::")),
    )
    return Metadata(
        name if re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", name) else None,
        first("Version") or "",
        first("Home-page") or next(filter(None, home_pages), None),
        license_metadata,
    )


def _editable(root: Root, name: bytes) -> str | None:
    """The folder of an editable install ("" where it is not said); None for others."""
    try:
        stated = json.loads(root.read(name + b"/direct_url.json", METADATA_LIMIT))
        if stated["dir_info"]["editable"] is not True:
            return None
        url = str(stated.get("url", "")).removeprefix("file://")
        return url.encode("utf-8", "backslashreplace").decode()  # JSON can spell lone surrogates
    except (RefusedError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
