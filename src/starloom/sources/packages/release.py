"""A package that is asked for, what a registry says about one release of it, and how a registry's documents are read.

Documents are strangers' words: bounded, and every value is taken out with its type checked; a wrong one is a
`SourceError` that names URL and field. File names in them are shown to people and looked up, never used as paths.
"""

import json
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from starloom.errors import UserError
from starloom.outside.http import Http, HttpError, shown
from starloom.outside.paths import printable
from starloom.sources.repository import LicenseMetadata, RepositoryProblem, SourceError

DOCUMENT_LIMIT = 64 << 20  # bytes of a JSON document; the longest listings of a package have about 10 MB
ARCHIVE_LIMIT = 8 << 30  # bytes of one archive

_SUFFIXES = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".zip", ".whl", ".dsc")
_HEX = frozenset("0123456789abcdef")
_SHOWN = 200  # characters of a stranger's text in a message


@dataclass(frozen=True)
class PackageName:
    """`registry:name`, with a version or not; `name` as the registry spells it, checked by the registry's module."""

    registry: str  # "pypi" | "npm" | "debian"
    name: str
    version: str | None = None

    def __str__(self) -> str:
        sign = {"pypi": "==", "npm": "@"}.get(self.registry, "=")
        return f"{self.registry}:{self.name}" + (f"{sign}{self.version}" if self.version else "")

    @property
    def repo_name(self) -> str:
        """How its repository is called."""
        return f"{self.registry}/{self.name}"

    def at(self, version: str) -> "PackageName":
        """This package in that version."""
        return replace(self, version=version)

    def problem(self, reason: str, hint: str | None = None) -> SourceError:
        """A SourceError of this package."""
        return SourceError(RepositoryProblem(str(self), reason, hint))

    @contextmanager
    def problems(self) -> Iterator[None]:
        """What is wrong with this machine's settings costs the package, not the run."""
        try:
            yield
        except UserError as problem:
            raise self.problem(problem.problem, problem.hint) from None


@dataclass(frozen=True)
class RemoteFile:
    """One file of a release, with at least one checksum that a fetched one must have."""

    url: str  # may hold the user's login: never shown, never stored
    name: str  # as the registry calls it
    sha256: str | None = None  # hex
    sha512: str | None = None  # hex
    size: int | None = None  # bytes
    data: bytes | None = None  # the content, where it came with the answer (and was verified)

    @property
    def suffix(self) -> str:
        """The kind of archive that the name tells, from a fixed list; "" for none."""
        return next((one for one in _SUFFIXES if self.name.lower().endswith(one)), "")


@dataclass(frozen=True)
class Description:
    """What is said about a package."""

    url: str | None = None  # of its source repository, for the web
    home_page: str | None = None
    license: LicenseMetadata = LicenseMetadata()  # noqa: RUF009 - frozen


@dataclass(frozen=True)
class Release:
    """One release, resolved: what to download and what is said about it."""

    package: PackageName  # with its version
    archive: RemoteFile
    parts: tuple[RemoteFile, ...] = ()  # of a Debian source package: the files that the .dsc names
    description: Description = Description()
    signature: str | None = None  # of a Debian index: "good", or why it was not checked


class Document:
    """A JSON value of an answer, with the path to it; `field("files")` and the like go down in it."""

    def __init__(self, package: PackageName, url: str, value: Any, path: str = "") -> None:
        self.package = package
        self.url = url
        self.value = value
        self.path = path

    def wrong(self, expected: str) -> SourceError:
        """That this value is not what it should be."""
        found = "nothing" if self.value is None else type(self.value).__name__
        return self.package.problem(f"{shown(self.url)}: `{self.path or 'the answer'}` is {found}, not {expected}")

    def field(self, key: str) -> "Document":
        """The value at `key` of an object; a value of None where the object has none."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        path = f"{self.path}.{key}" if self.path else key
        return Document(self.package, self.url, self.value.get(key), path)

    def items(self) -> list["Document"]:
        """The elements of a list."""
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        return [
            Document(self.package, self.url, one, f"{self.path}[{number}]") for number, one in enumerate(self.value)
        ]

    def text(self) -> str:
        """The value, text without surrogates and NUL."""
        if not isinstance(self.value, str) or "\0" in self.value or not self.value:
            raise self.wrong("text")
        try:
            self.value.encode("utf-8")
        except UnicodeEncodeError:
            raise self.wrong("proper text") from None
        return self.value

    def number_or_none(self) -> int | None:
        """A size; None where there is none."""
        if self.value is None:
            return None
        if isinstance(self.value, bool) or not isinstance(self.value, int) or not 0 <= self.value < 1 << 62:
            raise self.wrong("a size")
        return self.value

    def hash_or_none(self, digits: int) -> str | None:
        """A checksum of so many hex digits, in lower case; None where there is none."""
        if self.value is None:
            return None
        text = self.text().lower()
        if len(text) != digits or not _HEX.issuperset(text):
            raise self.wrong(f"a checksum of {digits} hex digits")
        return text


def fetch_document(http: Http, package: PackageName, url: str, accept: str, limit: int = DOCUMENT_LIMIT) -> Document:
    """The JSON document at `url`. Raises SourceError."""
    data = fetch_bytes(http, package, url, limit, {"Accept": accept})
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        hint = "see that the address is that of the registry itself, and that it speaks JSON"
        raise package.problem(f"{shown(url)}: the answer is not JSON", hint) from None
    return Document(package, url, value)


def fetch_bytes(
    http: Http, package: PackageName, url: str, limit: int, headers: Mapping[str, str] | None = None
) -> bytes:
    """What is at `url`. Raises SourceError; a 404 says that there is no such thing."""
    try:
        return http.get(url, limit=limit, headers=headers or {})
    except HttpError as failure:
        raise unreachable(package, failure) from None


def unreachable(package: PackageName, failure: HttpError) -> SourceError:
    """A request that failed, as a problem of the package."""
    if failure.status in (404, 410):
        return package.problem(f"not in the registry: {failure}", "see that name and version are spelled right")
    if failure.status in (401, 403):
        return package.problem(str(failure), "the registry asks for a login, or does not give this package to you")
    return package.problem(str(failure), "run the same command again: it goes on where it stopped")


def web_address(text: str | None) -> str | None:
    """`text` where it is an http(s) URL fit to be stored: without login, printable, of sane length; else None."""
    if text is None or len(text) > 1000:
        return None
    try:
        parts = urllib.parse.urlsplit(text.strip())
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    bare = parts.netloc.rpartition("@")[2]
    address = urllib.parse.urlunsplit((parts.scheme, bare, parts.path, parts.query, parts.fragment))
    return address if printable(address) == address and " " not in address else None


def joined(base: str, reference: str) -> str:
    """`reference`, relative or not, as seen from `base`; on the same host the login of `base` goes with it."""
    url = urllib.parse.urljoin(base, reference)
    ours, theirs = urllib.parse.urlsplit(base), urllib.parse.urlsplit(url)
    login, _, host = ours.netloc.rpartition("@")
    if login and theirs.netloc == host and theirs.scheme == ours.scheme:
        return urllib.parse.urlunsplit(theirs._replace(netloc=ours.netloc))
    return url


def quoted(texts: Sequence[str], most: int = 5) -> str:
    """Some of `texts`, for a message."""
    shown_ones = ", ".join(printable(one)[:_SHOWN] for one in texts[:most])
    return shown_ones + (", …" if len(texts) > most else "")
