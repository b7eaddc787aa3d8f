"""One repository listed, in a worker: its rows into a Parquet file, by path, with what the path alone tells.

Two passes over the entries, which wait in a file: the first gathers the contents' names (their history is asked for
them alone) and finds the repository's `.starloom.toml`; the second writes. Memory: a batch, and 30 bytes a content.
The file is written aside and renamed, so that a run which was stopped goes on with what was listed.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from starloom.identity import directory_id
from starloom.languages.choice import LanguageSettings, judge
from starloom.languages.detect import extension
from starloom.languages.generated import is_generated_name
from starloom.languages.vendored import PathFacts
from starloom.licenses.candidates import is_license_candidate, is_license_text
from starloom.licenses.metadata import declared_expression
from starloom.licenses.statements import base as metadata_base
from starloom.licenses.statements import is_metadata
from starloom.sources import exclusions
from starloom.sources.content_ids import ContentIds
from starloom.sources.exclusions import Exclusions
from starloom.sources.repository import (
    REGULAR,
    Entry,
    Repository,
    RepositoryProblem,
    Source,
    SourceError,
    Wanted,
)
from starloom.the_stack import tables

BATCH = 20_000  # rows held at a time
_FACTS = b"starloom.repository"  # key of the Parquet file's metadata
_ENTRY = pa.schema(
    [
        ("raw_path", pa.binary()),
        ("path", pa.string()),
        ("entry_type", pa.string()),
        ("mode", pa.int32()),
        ("size", pa.int64()),
        ("content_id", pa.string()),
        ("problem", pa.string()),
        ("target", pa.string()),
    ]
)


@dataclass(frozen=True)
class Item:
    """What a worker is asked: `path` is the file to be made."""

    source: Source
    path: str
    max_bytes: int
    languages: LanguageSettings = field(default_factory=LanguageSettings)  # they say what a path tells, too


@dataclass(frozen=True)
class Listed:
    """A repository's row, and the Parquet file of its files."""

    repository: dict[str, Any]
    files: str


def list_one(item: Item) -> Listed | RepositoryProblem:
    """The rows of one repository."""
    repository = item.source.repository()
    spool, aside = f"{item.path}.{os.getpid()}.entries", f"{item.path}.{os.getpid()}.part"
    try:
        excluding = _spool(item, spool)
        ids = ContentIds(_ids(spool))
        dates = item.source.first_seen(ids)
        row = _row(item.source, repository, spool)
        rules = _exclusions(item.source, excluding)
        path_facts = judge(item.languages).facts
        with pq.ParquetWriter(aside, tables.LISTED_FILES) as writer:
            for batch in _batches(spool):
                writer.write_table(_files(repository, batch, ids, dates, rules, path_facts))
            writer.add_key_value_metadata({_FACTS: json.dumps(row, default=_as_text)})
    except SourceError as failure:
        _remove(aside)
        return failure.problem
    finally:
        _remove(spool)
    os.replace(aside, item.path)  # noqa: PTH105
    return Listed(row, item.path)


def listed_before(path: Path) -> Listed | None:
    """What a stopped run has listed into `path`; None where it has not."""
    try:
        found = pq.read_metadata(path).metadata[_FACTS]
    except (OSError, pa.ArrowException, KeyError, TypeError):
        return None
    row: dict[str, Any] = json.loads(found, object_hook=_from_text)
    return Listed(row, str(path))


def _spool(item: Item, path: str) -> Entry | None:
    """All entries into a file, in the source's order; that of the repository's own `.starloom.toml`, if it has one."""
    found: Entry | None = None
    entries = item.source.entries(item.max_bytes)
    with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, _ENTRY) as writer:
        while some := list(islice(entries, BATCH)):
            for one in some:
                if one.path == exclusions.NAME:
                    found = one
            columns = [
                [getattr(one, name) for one in some] if name not in ("raw_path", "path") else None
                for name in _ENTRY.names
            ]
            columns[0] = [one.raw_path for one in some]
            columns[1] = [one.path for one in some]
            arrays = [pa.array(values, field.type) for values, field in zip(columns, _ENTRY, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema=_ENTRY))
    return found


def _batches(spool: str) -> Iterator[pa.RecordBatch]:
    with pa.memory_map(spool) as source:
        reader = pa.ipc.open_file(source)
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


def _ids(spool: str) -> Iterator[str]:
    for batch in _batches(spool):
        yield from batch.column("content_id").drop_null().to_pylist()


def _exclusions(source: Source, entry: Entry | None) -> Exclusions:
    if entry is None:
        return Exclusions()
    if entry.entry_type != "file":
        return exclusions.unreadable(f"it is no file, but a {entry.entry_type}")
    if (entry.size or 0) > exclusions.MAX_BYTES:
        return exclusions.too_long()
    if entry.content_id is None:
        return exclusions.unreadable(entry.problem or "it is larger than `max_bytes` under [list]")
    for content in source.contents([Wanted(entry.raw_path, entry.content_id, entry.size or 0)]):
        if content.data is not None:
            return exclusions.parse(content.data)
        return exclusions.unreadable(content.problem or "no answer")
    return exclusions.unreadable("no answer")


def _row(source: Source, repository: Repository, spool: str) -> dict[str, Any]:
    """The repository's own row, without its state and place."""
    files = size = 0
    for batch in _batches(spool):
        files += len(batch)
        for kind, length, content in zip(
            batch.column("entry_type").to_pylist(),
            batch.column("size").to_pylist(),
            batch.column("content_id").to_pylist(),
            strict=True,
        ):
            size += (length or 0) if kind == "file" and content else 0
    row = {name: getattr(repository, name, None) for name in tables.REPOSITORIES.names if name not in tables.COUNTED}
    row["former_names"] = list(repository.former_names)
    stated = source.license_metadata()
    declared = declared_expression(stated.expression, stated.field, stated.classifiers)
    row["declared_license"] = declared or repository.declared_license
    if row["directory_id"] is None and repository.kind != "distribution":
        row["directory_id"] = _directory_id(spool)
    return row | {"num_files": files, "length_bytes": size}


def _directory_id(spool: str) -> str | None:
    """The git tree hash of a folder's or archive's files; None where it holds what has no content here."""

    def leaves() -> Iterator[tuple[bytes, int, str]]:
        for batch in _batches(spool):
            for row in batch.to_pylist():
                if row["content_id"] is None or row["problem"] is not None:
                    raise ValueError("not all of it is known")
                yield row["raw_path"], row["mode"] or REGULAR, row["content_id"]

    try:
        return directory_id(leaves())
    except ValueError:
        return None


def _files(
    repository: Repository,
    batch: pa.RecordBatch,
    ids: ContentIds,
    dates: npt.NDArray[np.int64] | None,
    rules: Exclusions,
    path_facts: Callable[[str], PathFacts],
) -> pa.Table:
    """The rows of LISTED_FILES for a batch of entries."""
    paths: list[str] = batch.column("path").to_pylist()
    is_file = [kind == "file" for kind in batch.column("entry_type").to_pylist()]
    names = [path.rpartition("/")[2] for path in paths]
    facts = [path_facts(path)._asdict() for path in paths]
    columns = {
        "repo_name": [repository.repo_name] * len(paths),
        "file_name": names,
        "extension": [extension(name) for name in names],
        "length_bytes": batch.column("size"),
        "first_seen": _first_seen(batch.column("content_id"), ids, dates),
        "generated_name": [
            is_generated_name(path) if file else None for path, file in zip(paths, is_file, strict=True)
        ],
        "license_base": [
            _license_base(repository, path) if file and is_license_candidate(path) else None
            for path, file in zip(paths, is_file, strict=True)
        ],
        "is_license": [file and is_license_text(path) for path, file in zip(paths, is_file, strict=True)],
        "metadata_base": [
            metadata_base(path) if file and is_metadata(path) else None
            for path, file in zip(paths, is_file, strict=True)
        ],
        "excluded": [rules.excluded(path) for path in paths],
        **{name: [one[name] for one in facts] for name in ("is_vendor", "is_documentation", "is_test")},
        **{name: batch.column(name) for name in ("path", "entry_type", "mode", "content_id", "problem", "target")},
    }
    arrays = [
        one if isinstance(one, pa.Array) else pa.array(one, field.type)
        for field in tables.LISTED_FILES
        for one in (columns[field.name],)
    ]
    return pa.Table.from_arrays(arrays, schema=tables.LISTED_FILES)


def _first_seen(contents: pa.Array, ids: ContentIds, dates: npt.NDArray[np.int64] | None) -> pa.Array:
    when = tables.LISTED_FILES.field("first_seen").type
    if dates is None:
        return pa.nulls(len(contents), when)
    there = contents.is_valid().to_numpy(zero_copy_only=False)
    seconds = np.full(len(contents), -1, np.int64)
    seconds[there] = dates[ids.places(contents.drop_null().to_pylist())]
    microseconds = pa.array(seconds * 1_000_000, pa.int64(), mask=seconds < 0)
    return microseconds.cast(when)


def _license_base(repository: Repository, path: str) -> str:
    """The folder that a licence file speaks for: its own. In a distribution's `.dist-info` it is the whole of it, or
    the folder below `licenses/` that it was in when the distribution was built (PEP 639)."""
    folder = path.rpartition("/")[0]
    top, _, inner = folder.partition("/")
    if repository.kind in ("distribution", "package") and top.endswith(".dist-info"):
        return inner.removeprefix("licenses").removeprefix("/")
    return folder


def _remove(path: str) -> None:
    Path(path).unlink(missing_ok=True)


def _as_text(value: object) -> object:
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    raise TypeError(f"{type(value)} in a repository's row")


def _from_text(value: dict[str, Any]) -> Any:
    if set(value) == {"datetime"}:
        return datetime.fromisoformat(value["datetime"]).astimezone(UTC)
    return value
