"""What every source of code hands over: a repository, its entries, their contents.

Words: a *repository* is one unit with a name, a licence and an owner (a git repository, a folder, a
distribution, a package, an archive); an *entry* is a path in it; a *content* is a file's bytes, known by their git
blob hash. A source is cheap to make and holds nothing open between calls. What concerns one file is a `problem` of
that file; what spoils a whole repository is a `RepositoryProblem`, raised as `SourceError` where it shows only during
reading. What lies elsewhere is `Unfetched` until it has been fetched into a `Place`: opening never uses the network.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from starloom.engine.verbs import Engine
from starloom.outside.paths import MAX_PATH, is_safe_raw, text_path
from starloom.sources.content_ids import ContentIds

REGULAR = 0o100644
EXECUTABLE = 0o100755
SYMLINK = 0o120000
SUBMODULE = 0o160000

MAX_ENTRIES = 5_000_000  # paths per repository: a tree bomb names 10^10 in a few kilobytes


@dataclass(frozen=True)
class SourceSettings:
    """One `[[sources]]` of starloom.toml."""

    path: str  # what stands for the repositories: a path, a URL, `installed`, `pypi:NAME` …: see docs/sources.md
    rights: str = "public"  # "owned": yours, never dropped for its licence, and not to be published
    contents: str = ""  # of an export or an ids-only dataset: where contents lie (s3://, https://, a folder)
    agreement: str = ""  # the agreement under which an archive's contents are fetched in bulk
    select: str = ""  # of an export: only origins whose URL starts with this


@dataclass(frozen=True)
class Place:
    """What callers hand in: where fetched and prepared things are kept, and with what they are prepared."""

    folder: Path  # each source has its own folder in it; may be deleted whenever nothing runs
    engine: Engine
    update: bool = False  # fetch again what can have changed
    main_branch: str = "code"  # "code" or "paper": which one is the main branch where the two disagree
    max_bytes: int = 10 << 20  # larger contents are never read
    github: Path | None = None  # what GitHub's events say of its repositories: REPOSITORIES of `gh_archive`


@dataclass(frozen=True)
class Repository:
    """What is known before any file is listed."""

    repo_name: str  # unique name, "owner/name" form where it is known
    kind: str  # "git" | "folder" | "distribution" | "package" | "archive" | "archived" | "dataset"
    location: str  # what the user named: absolute path, URL without credentials, or name
    rights: str  # "public" | "owned", as declared by the user
    revision_id: str | None = None  # commit, 40 hex digits
    version: str | None = None  # of a distribution or package
    directory_id: str | None = None  # root tree of a git repository, 40 hex digits
    branch_name: str | None = None  # "refs/heads/main"
    revision_date: datetime | None = None  # author date, UTC
    committer_date: datetime | None = None  # UTC
    declared_license: str | None = None  # for the caller to fill
    star_events_count: int | None = None  # None for local ones
    fork_events_count: int | None = None
    url: str | None = None  # where it came from, without credentials
    home_page: str | None = None  # of a package
    checksum: str | None = None  # "sha256:…" of an archive or package
    former_names: tuple[str, ...] = ()  # names it had before; an opt-out of one of them holds
    snapshot_id: str | None = None  # of Software Heritage, 40 hex digits
    visit_date: datetime | None = None  # when the archive saw it, UTC
    github_id: int | None = None
    gha_license_id: str | None = None  # SPDX, as GitHub's events say it
    gha_event_created_at: datetime | None = None  # of the event that says so
    gha_created_at: datetime | None = None
    gha_updated_at: datetime | None = None
    gha_pushed_at: datetime | None = None
    gha_language: str | None = None


class Entry(NamedTuple):
    """A path of a repository."""

    path: str  # text form, as listed
    raw_path: bytes  # exact bytes
    entry_type: str  # "file" | "symlink" | "submodule" | "special" | "outside"; "folder" only with a problem
    mode: int  # as git writes it: 0o100644, 0o100755, 0o120000, 0o160000; else as the file system has it
    size: int | None  # bytes
    content_id: str | None  # git blob hash; None for what is no file, is unreadable, or in a folder is too large
    problem: str | None = None  # why it could not be listed properly; the caller quarantines it
    target: str | None = None  # the commit of a submodule


class Wanted(NamedTuple):
    """A content to be read: where it was listed, and what it must be."""

    raw_path: bytes
    content_id: str
    size: int  # bytes


class Content(NamedTuple):
    """The answer to one `Wanted`: the bytes, re-hashed and equal to `content_id`, or a problem."""

    content_id: str
    data: bytes | None
    problem: str | None = None


@dataclass(frozen=True)
class LicenseMetadata:
    """What a distribution or package states about its licence, word for word; empty where nothing is stated."""

    expression: str | None = None  # License-Expression (SPDX)
    field: str | None = None  # License (free text)
    classifiers: tuple[str, ...] = ()  # Classifier: License :: …


@dataclass(frozen=True)
class RepositoryProblem:
    """Why a whole repository is not read, and what can be done about it."""

    location: str
    reason: str
    hint: str | None = None
    repo_name: str | None = None  # where it has one
    rule: str = "repository"  # of the ledger: "repository" is quarantined, anything else dropped
    rights: str = "public"  # for the caller to fill


class SourceError(Exception):
    """A repository cannot be read (further); costs this repository only."""

    def __init__(self, problem: RepositoryProblem) -> None:
        super().__init__(f"{problem.location}: {problem.reason}")
        self.problem = problem

    def __reduce__(self) -> tuple[type["SourceError"], tuple[RepositoryProblem]]:
        return type(self), (self.problem,)  # crosses process borders whole


class Source(Protocol):
    """A repository that can be read. Every method may raise SourceError."""

    def repository(self) -> Repository:
        """The row of this repository; the same object until `renamed` gives another source."""

    def renamed(self, repo_name: str) -> "Source":
        """This source under another `repo_name`."""

    def state(self) -> str:
        """A token that changes whenever `entries` could: cheap, no content is read."""

    def entries(self, max_bytes: int) -> Iterator[Entry]:
        """Every path once, streamed in bytewise order of `raw_path`; one that does not come after the one before it has
        a problem. Where hashing means reading, contents above `max_bytes` are not hashed."""

    def contents(self, wanted: Iterable[Wanted]) -> Iterator[Content]:
        """Every wanted one answered once, in any order; what does not hash to its `content_id` is a problem."""

    def license_metadata(self) -> LicenseMetadata:
        """What is declared about the licence of the whole."""

    def first_seen(self, ids: ContentIds) -> npt.NDArray[np.int64] | None:
        """When the history first had each content, in seconds since 1970 (UTC), by place in `ids`; -1: it never had.
        None where there is no history."""


class Unfetched(Protocol):
    """What has to be fetched or prepared before its repositories can be listed. It pickles."""

    @property
    def location(self) -> str:
        """For people, without credentials."""

    @property
    def repo_name(self) -> str | None:
        """Of the one repository that it stands for, where that is known before."""

    @property
    def alone(self) -> bool:
        """Whether it prepares on the engine, by itself; else it waits for the network, and several run at once."""

    def fetch(self, place: Place) -> None:
        """Into `place.folder`, whole or not at all; goes on where a killed one stopped. Raises SourceError."""


@dataclass(frozen=True)
class Opened:
    """What a path or name stands for."""

    sources: list[Source]
    problems: list[RepositoryProblem]
    unfetched: list[Unfetched] = field(default_factory=list)


def checked_entry(
    raw: bytes,
    entry_type: str,
    mode: int,
    size: int | None,
    content_id: str | None,
    problem: str | None = None,
    target: str | None = None,
) -> Entry:
    """The entry at `raw`; an unsafe path is its problem (and then it has no content)."""
    path = text_path(raw)
    if not is_safe_raw(raw):
        problem = f"unsafe path: longer than {MAX_PATH} bytes" if len(raw) > MAX_PATH else "unsafe path"
        content_id = None
    return Entry(path, raw, entry_type, mode, size, content_id, problem, target)


def utc(seconds: int | None) -> datetime | None:
    """Seconds since 1970 as UTC; None for none, negative or past the year 9999, as forged commits state."""
    if seconds is None or not 0 <= seconds < 253_402_300_800:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def unique_names(sources: Sequence[Source]) -> list[Source]:
    """The same sources with distinct `repo_name`s: a name that comes again gets its folders' names.

    `owner/name` at `/data/b/name` becomes `owner/name~b`, then `owner/name~data-b`, then `owner/name~2` and
    so on.
    """
    taken = {source.repository().repo_name for source in sources}
    used: set[str] = set()
    named: list[Source] = []
    for source in sources:
        repository = source.repository()
        name = repository.repo_name
        if name in used:
            name = next(name for name in _suffixed(repository) if name not in taken)
            source = source.renamed(name)
        used.add(name)
        taken.add(name)
        named.append(source)
    return named


def names_before(repo_name: str) -> tuple[str, ...]:
    """`repo_name`, and what it may have been before `unique_names`: some owners' and packages' names have a `~` too.

    >>> names_before("owner/name~mirrors"), names_before("~alice/project")
    (('owner/name~mirrors', 'owner/name'), ('~alice/project',))
    """
    above, slash, last = repo_name.rpartition("/")
    cut = last.split("~")
    return (repo_name, *(f"{above}{slash}{'~'.join(cut[:end])}" for end in range(len(cut) - 1, 0, -1) if cut[0]))


def _suffixed(repository: Repository) -> Iterator[str]:
    folders = [part for part in repository.location.split("/")[:-1] if part]
    for count in range(1, len(folders) + 1):
        yield f"{repository.repo_name}~{'-'.join(folders[-count:])}"
    number = 2
    while True:
        yield f"{repository.repo_name}~{number}"
        number += 1
