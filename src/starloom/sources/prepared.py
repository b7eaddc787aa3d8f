"""Repositories whose listing was prepared on the engine: two narrow Parquet files, sliced a repository at a time.

`repositories.parquet` has a row per repository with the place of its rows in `files.parquet`, which lists them in the
order of the repositories, then bytewise by path; `problems.parquet` has what could not become a repository. Contents
lie elsewhere: a `ContentReader` fetches them by what a row knows (plain SHA-1, or file and row of a data set).
A folder is written aside and renamed last. Memory: a row group of about 20,000 files, and what is wanted.
Not covered: history (`first_seen` is None).
"""

import functools
import hashlib
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from starloom.sources.aside import publish_folder, sync
from starloom.sources.content_ids import ContentIds
from starloom.sources.repository import (
    Content,
    Entry,
    LicenseMetadata,
    Opened,
    Repository,
    RepositoryProblem,
    SourceError,
    Wanted,
    checked_entry,
)

REPOSITORIES_FILE, FILES_FILE, PROBLEMS_FILE = "repositories.parquet", "files.parquet", "problems.parquet"
GROUP_ROWS = 20_000  # files in a row group: what one repository costs at least
BATCH = 50_000  # contents looked up in one pass over a repository's rows

_TIME = pa.timestamp("us", "UTC")
_TYPES = {
    "revision_date": _TIME,
    "committer_date": _TIME,
    "star_events_count": pa.int64(),
    "fork_events_count": pa.int64(),
    "former_names": pa.list_(pa.string()),
    "visit_date": _TIME,
    "github_id": pa.int64(),
    "gha_event_created_at": _TIME,
    "gha_created_at": _TIME,
    "gha_updated_at": _TIME,
    "gha_pushed_at": _TIME,
}
# Every field of `Repository` but `rights`, which is the user's to say and may change.
_FIELDS = tuple(one.name for one in fields(Repository) if one.name != "rights")
REPOSITORIES = pa.schema(
    [(name, _TYPES.get(name, pa.string())) for name in _FIELDS]
    + [("first_row", pa.int64()), ("num_files", pa.int64()), ("digest", pa.string())]
)
FILES = pa.schema(
    [
        ("raw_path", pa.binary()),
        ("entry_type", pa.string()),  # as in `Entry`
        ("mode", pa.int32()),
        ("size", pa.int64()),  # null: not known
        ("content_id", pa.string()),  # git blob hash
        ("blob_id", pa.string()),  # plain SHA-1: the key in an object store
        ("problem", pa.string()),
        ("target", pa.string()),  # commit of a submodule
        ("file", pa.int32()),  # where the row of a data set lies
        ("row", pa.int64()),
    ]
)
_REPEATED = ["entry_type", "mode", "problem", "target", "file"]  # in most rows the same; the others in hardly any
# What `write_prepared` is given: the place of the repository in the list of repositories, then a file's columns.
NUMBERED_FILES = pa.schema([("repository", pa.int32()), *FILES])
PROBLEMS = pa.schema([(name, pa.string()) for name in ("location", "reason", "hint", "repo_name", "rule")])


@dataclass(frozen=True, slots=True)
class PreparedFile:
    """A wanted content as its row knows it."""

    raw_path: bytes
    content_id: str  # git blob hash
    size: int | None  # bytes, as listed
    blob_id: str | None  # plain SHA-1
    file: int | None
    row: int | None


class ContentReader(Protocol):
    """Where the contents of prepared repositories lie. It pickles, and holds nothing open between calls."""

    def read(self, rows: Sequence[PreparedFile]) -> Iterator[Content]:
        """Each of `rows` (distinct `content_id`s) answered once, in any order, the bytes re-hashed. May raise
        SourceError."""


class PreparedSource:
    """One repository of a prepared folder."""

    def __init__(self, repository: Repository, folder: str, rows: tuple[int, int], digest: str, reader: ContentReader):
        self._repository = repository
        self._folder = folder
        self._rows = rows  # the first and the number of its rows in FILES_FILE
        self._digest = digest
        self._reader = reader

    def repository(self) -> Repository:
        """The row of this repository."""
        return self._repository

    def renamed(self, repo_name: str) -> "PreparedSource":
        """This source under another name."""
        return self.described(replace(self._repository, repo_name=repo_name))

    def described(self, repository: Repository) -> "PreparedSource":
        """This source with another row: what is learnt of it elsewhere (stars, former names)."""
        return PreparedSource(repository, self._folder, self._rows, self._digest, self._reader)

    def state(self) -> str:
        """A hash over its rows, with what is known of the repository."""
        known = [getattr(self._repository, name) for name in _FIELDS if name != "repo_name"]
        return f"prepared:{self._digest}:{hashlib.sha256(repr(known).encode()).hexdigest()[:16]}"

    def entries(self, max_bytes: int) -> Iterator[Entry]:  # noqa: ARG002 - everything is hashed already
        """Every prepared path; reads no content."""
        columns = tuple(name for name in FILES.names if name not in ("blob_id", "file", "row"))
        before: bytes | None = None
        for table in self._tables(columns):
            for raw, entry_type, mode, size, content_id, problem, target in zip(
                *(table.column(name).to_pylist() for name in columns), strict=True
            ):
                if before is not None and raw <= before:
                    problem = "duplicate path" if raw == before else "out of order"
                    content_id = None
                else:
                    before = raw
                yield checked_entry(raw, entry_type, mode, size, content_id, problem, target)

    def contents(self, wanted: Iterable[Wanted]) -> Iterator[Content]:
        """Each content from the reader."""
        iterator = iter(wanted)
        while some := {one.content_id for one in islice(iterator, BATCH)}:
            found = self._find(some)
            for content_id in some - found.keys():
                yield Content(content_id, None, "not listed in this repository")
            for content in self._reader.read(list(found.values())):
                if found.pop(content.content_id, None) is not None:
                    yield content
            for content_id in found:
                yield Content(content_id, None, "the store gave no answer")

    def license_metadata(self) -> LicenseMetadata:
        """LicenseMetadata(): nothing is declared."""
        return LicenseMetadata()

    def first_seen(self, ids: ContentIds) -> npt.NDArray[np.int64] | None:  # noqa: ARG002
        """None: there is no history."""
        return None

    def _find(self, wanted: set[str]) -> dict[str, PreparedFile]:
        found: dict[str, PreparedFile] = {}
        asked = pa.array(sorted(wanted), pa.string())
        columns = tuple(one.name for one in fields(PreparedFile))
        for table in self._tables(columns):
            here = table.filter(pc.is_in(table.column("content_id"), value_set=asked))
            for row in here.to_pylist():
                found.setdefault(row["content_id"], PreparedFile(**row))
            if len(found) == len(wanted):
                break
        return found

    def _tables(self, columns: tuple[str, ...]) -> Iterator[pa.Table]:
        """Its rows, a row group (or what is its own of it) at a time."""
        first, count = self._rows
        path = Path(self._folder, FILES_FILE)
        try:
            changed = path.stat().st_mtime_ns
            left = count
            while left:
                group, skipped = divmod(first + count - left, GROUP_ROWS)
                table = _group(path, changed, group, columns).slice(skipped, left)
                if not 0 < table.num_rows <= left:
                    raise OSError(f"it has fewer rows than {first + count}")
                yield table
                left -= table.num_rows
        except (OSError, IndexError, pa.ArrowException) as problem:  # deleted or damaged since
            reason = f"its prepared listing cannot be read: {problem}"
            hint = f"delete {self._folder} and run the same command again"
            raise SourceError(RepositoryProblem(self._repository.location, reason, hint)) from None


@functools.lru_cache(maxsize=2)
def _group(path: Path, changed: int, group: int, columns: tuple[str, ...]) -> pa.Table:
    """Kept, for small repositories that follow one another share it."""
    with pq.ParquetFile(path, metadata=_footer(path, changed)) as file:
        return file.read_row_group(group, list(columns)).select(list(columns))


@functools.lru_cache(maxsize=4)
def _footer(path: Path, changed: int) -> pq.FileMetaData:  # noqa: ARG001 - part of the cache's key
    """Kept for all repositories of a file: it grows with the file."""
    return pq.read_metadata(path)


def is_prepared(folder: Path) -> bool:
    """Whether `folder` was written, which means wholly."""
    return (folder / REPOSITORIES_FILE).is_file()


def read_prepared(folder: Path, reader: ContentReader, rights: str) -> Opened:
    """The repositories and problems of a prepared folder. Raises SourceError where it is damaged."""
    try:
        rows = pq.read_table(folder / REPOSITORIES_FILE, schema=REPOSITORIES).to_pylist()
        problems = pq.read_table(folder / PROBLEMS_FILE, schema=PROBLEMS).to_pylist()
    except (OSError, pa.ArrowException) as problem:
        hint = f"delete {folder} and run the same command again"
        raise SourceError(
            RepositoryProblem(str(folder), f"what was prepared cannot be read: {problem}", hint)
        ) from None
    sources = [_source(row, str(folder), reader, rights) for row in rows]
    return Opened(list(sources), [RepositoryProblem(rights=rights, **row) for row in problems])


def _source(row: dict[str, Any], folder: str, reader: ContentReader, rights: str) -> PreparedSource:
    known = {name: row[name] for name in _FIELDS} | {"former_names": tuple(row["former_names"] or ())}
    repository = Repository(rights=rights, **known)
    return PreparedSource(repository, folder, (row["first_row"], row["num_files"]), row["digest"], reader)


def write_prepared(
    folder: Path,
    repositories: Sequence[Repository],
    files: Iterable[pa.RecordBatch],
    problems: Iterable[RepositoryProblem] = (),
) -> None:
    """Writes `folder`, whole or not at all, in place of what is there.

    `files` (NUMBERED_FILES; a reader of an engine's query will do) are streamed; they come by repository, then by
    bytewise path. Raises ValueError where they do not come by repository.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f".{folder.name}.*.aside"):  # of a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    aside = folder.parent / f".{folder.name}.{secrets.token_hex(8)}.aside"
    aside.mkdir()
    try:
        counts, digests = _write_files(aside / FILES_FILE, len(repositories), files)
        rows, first = [], 0
        for repository, count, digest in zip(repositories, counts, digests, strict=True):
            known = {name: getattr(repository, name) for name in _FIELDS}
            rows.append(known | {"first_row": first, "num_files": count, "digest": digest})
            first += count
        stated = [{name: getattr(one, name) for name in PROBLEMS.names} for one in problems]
        pq.write_table(pa.Table.from_pylist(stated, PROBLEMS), aside / PROBLEMS_FILE, compression="zstd")
        pq.write_table(pa.Table.from_pylist(rows, REPOSITORIES), aside / REPOSITORIES_FILE, compression="zstd")
        for name in (FILES_FILE, PROBLEMS_FILE, REPOSITORIES_FILE, "."):
            sync(aside / name)
        publish_folder(aside, folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def _write_files(path: Path, number: int, files: Iterable[pa.RecordBatch]) -> tuple[list[int], list[str]]:
    """Number of files and digest of each repository."""
    counts, digests = [0] * number, [hashlib.sha256(b"").hexdigest()] * number
    current, digest = -1, hashlib.sha256()
    with pq.ParquetWriter(path, FILES, compression="zstd", use_dictionary=_REPEATED, write_statistics=False) as writer:
        for table in _groups(files):
            numbers = table.column("repository").to_numpy()
            starts = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
            lines = _Lines(table)
            for low, high in pairwise(starts):
                this = int(numbers[low])
                if this != current or this < 0:
                    if not current < this < number:
                        raise ValueError(f"files of repository {this} after those of {current} of {number}")
                    current, digest = this, hashlib.sha256()
                digest.update(lines.between(low, high))
                counts[this] += high - low
                digests[this] = digest.hexdigest()
            writer.write_table(table.select(FILES.names).cast(FILES), row_group_size=GROUP_ROWS)
    return counts, digests


def _groups(files: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Tables of GROUP_ROWS rows (the last has fewer), whatever the batches' sizes are."""
    waiting: list[pa.RecordBatch] = []
    size = 0
    for batch in chain(files, [None]):
        if batch is not None and batch.num_rows:
            waiting.append(batch)
            size += batch.num_rows
        while size >= GROUP_ROWS or (batch is None and size):
            table = pa.Table.from_batches(waiting).select(NUMBERED_FILES.names)
            yield table.slice(0, GROUP_ROWS)
            rest = table.slice(GROUP_ROWS)
            waiting, size = rest.to_batches(), rest.num_rows


class _Lines:
    """Of each row a line of bytes: all that `entries` shows of it."""

    def __init__(self, table: pa.Table) -> None:
        names = [name for name in FILES.names if name not in ("file", "row")]
        columns = [
            table.column(name).cast(
                pa.string() if pa.types.is_integer(FILES.field(name).type) else FILES.field(name).type
            )
            for name in names
        ]
        separator, end = pa.scalar(b"\0", pa.large_binary()), pa.scalar(b"\n", pa.large_binary())
        joined = pc.binary_join_element_wise(
            *(column.cast(pa.binary()).cast(pa.large_binary()) for column in columns),
            end,
            separator,
            null_handling="replace",
            null_replacement=b"",
        )
        lines = joined.combine_chunks()
        self._offsets = np.frombuffer(lines.buffers()[1], np.int64)[lines.offset :]
        self._data = memoryview(lines.buffers()[2])

    def between(self, low: int, high: int) -> memoryview:
        return self._data[int(self._offsets[low]) : int(self._offsets[high])]
