"""What every file of a folder is, without a workspace: language, licence, generated, vendored, documentation, test.

The same listing, signals and licence verdicts as in a build, in memory: two answers about one file cannot differ.
Symbolic links are not followed; binaries and what is too large have a row that says so. Not entered: the folders in
`NOT_ENTERED`, where tools keep what is no part of a project.
"""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from starloom import progress
from starloom.engine.verbs import Engine
from starloom.errors import UserError
from starloom.licenses import scancode
from starloom.outside.paths import raw_path
from starloom.outside.text import Undecodable, decode
from starloom.outside.tool_folders import NOT_ENTERED
from starloom.sources.folder import FileSource, FolderSource
from starloom.sources.repository import Repository, RepositoryProblem, Source, Wanted
from starloom.the_stack import scan, tables
from starloom.the_stack.licensing import LicenseSettings, license_verdicts
from starloom.the_stack.listed import Item, list_one
from starloom.the_stack.placed import in_order
from starloom.the_stack.signal import Batch, Signal, all_signals

MAX_BYTES = 10 << 20  # of a file that is looked into, as in the recipe stack-v2
_CHUNK_BYTES, _CHUNK_FILES = 8 << 20, 2_000  # of a unit of work
_SIGNALS = ("language", "generated", "generated_content", "notice", "license_file", "statements")

_DECLARED = ("repo_name", "declared_license", "gha_license_id")

_TEXTS = pa.schema([("content_id", pa.string()), ("src_encoding", pa.string()), ("problem", pa.string())])


@dataclass(frozen=True)
class _Chunk:
    source: Source
    wanted: tuple[tuple[Wanted, str], ...]  # with the file name
    bytes: int
    settings: dict[str, Any]  # by signal


_ANSWER = """
SELECT f.path, f.length_bytes, f.content_id, t.src_encoding, n.language, n.language_by, n.language_reason,
  coalesce(f.generated_name, g.generated_marker, d.generated_content) IS NOT NULL AS is_generated,
  coalesce(f.generated_name, d.generated_content, g.generated_marker) AS generated_by,
  f.is_vendor, f.is_documentation, f.is_test,
  v.license_type, coalesce(v.detected_licenses, CAST([] AS VARCHAR[])) AS detected_licenses, v.license_evidence,
  v.license_source, v.license_rule, v.license_score,
  CASE WHEN f.problem IS NOT NULL THEN f.problem WHEN f.length_bytes > $max_bytes THEN 'larger than is looked into'
    ELSE t.problem END AS problem
FROM files f LEFT JOIN texts t ON f.content_id = t.content_id
LEFT JOIN language n ON f.content_id = n.content_id AND f.file_name = n.file_name
LEFT JOIN generated g ON f.content_id = g.content_id
LEFT JOIN generated_content d ON f.content_id = d.content_id AND f.file_name = d.file_name
LEFT JOIN verdicts v ON f.path = v.path
WHERE f.entry_type = 'file'
ORDER BY f.path
"""


def detect(path: Path, engine: Engine, settings: Any) -> list[dict[str, Any]]:
    """One row a file below `path` (or of that one file), by path; keys: the columns of the query above.

    `settings`: the sections of `Settings` that signals ask for, and `scan`. Raises UserError where nothing can be read.
    """
    source = _source(path)
    engine.spill.mkdir(parents=True, exist_ok=True)
    with progress.task("list", None, "files"):
        listed = list_one(Item(source, str(engine.spill / "files.parquet"), MAX_BYTES, settings.languages))
    if isinstance(listed, RepositoryProblem):
        raise UserError(f"{path}: {listed.reason}", listed.hint)
    files = in_order(pq.read_table(listed.files))
    signals = {one.name: one for one in all_signals() if one.name in _SIGNALS}
    found = _measured(engine, source, files, signals, settings)
    found["scans"] = _scans(engine, found, settings.scan)
    repositories = pa.table(
        {name: pa.array([listed.repository[name]], pa.string()) for name in _DECLARED},
    )
    contents = files.column("content_id").combine_chunks().dictionary_encode().indices
    placed = files.append_column("content", contents)
    verdicts = license_verdicts(engine, placed, repositories, found, LicenseSettings())
    given = {"files": files, "verdicts": pa.table({"path": files.column("path"), **verdicts})} | {
        name: found[name] for name in ("texts", *_SIGNALS[:3])
    }
    rows: list[dict[str, Any]] = engine.table(_ANSWER, given, {"max_bytes": MAX_BYTES}).to_pylist()
    # A source is named as REPOSITORY:PATH, and here is but one.
    prefix = f"{source.repository().repo_name}:"
    for row in rows:
        if row["license_source"]:
            row["license_source"] = row["license_source"].removeprefix(prefix)
    return rows


def _source(path: Path) -> Source:
    try:
        whole = path.resolve(strict=True)
    except (OSError, RuntimeError) as problem:
        reason = os.strerror(getattr(problem, "errno", None) or errno.ELOOP)
        raise UserError(f"{path} cannot be read: {reason}", "see that it exists") from None
    repository = Repository(repo_name=whole.name or "root", kind="folder", location=str(whole), rights="owned")
    if whole.is_dir():
        return FolderSource(repository, skip=frozenset(map(os.fsencode, NOT_ENTERED)))
    if whole.is_file():
        return FileSource(repository)
    raise UserError(f"{path} is neither a folder nor a file", "name one")


def _measured(
    engine: Engine, source: Source, files: pa.Table, signals: dict[str, Signal], settings: Any
) -> dict[str, Any]:
    """The tables of the signals, and `texts`."""
    of_signals = {name: getattr(settings, one.section) if one.section else None for name, one in signals.items()}
    chunks = list(_chunks(source, files, of_signals))
    made: dict[str, list[pa.Table]] = {name: [one.schema.empty_table()] for name, one in signals.items()}
    made["texts"] = [_TEXTS.empty_table()]
    with progress.task("look into", sum(one.bytes for one in chunks)) as bar:
        for chunk, tables in engine.map(_look_into, chunks):
            for name, table in tables.items():
                made[name].append(table)
            bar.advance(chunk.bytes)
    return {name: pa.concat_tables(some) for name, some in made.items()}


def _chunks(source: Source, files: pa.Table, settings: dict[str, Any]) -> Iterator[_Chunk]:
    """Each distinct (content, file name) once."""
    seen: set[tuple[str, str]] = set()
    some: list[tuple[Wanted, str]] = []
    size = 0
    columns = [
        files.column(name).to_pylist() for name in ("path", "file_name", "content_id", "length_bytes", "problem")
    ]
    for path, file_name, content_id, length, problem in zip(*columns, strict=True):
        if content_id is None or problem or length > MAX_BYTES or (content_id, file_name) in seen:
            continue
        seen.add((content_id, file_name))
        some.append((Wanted(raw_path(path), content_id, length), file_name))
        size += length
        if size >= _CHUNK_BYTES or len(some) >= _CHUNK_FILES:
            yield _Chunk(source, tuple(some), size, settings)
            some, size = [], 0
    if some:
        yield _Chunk(source, tuple(some), size, settings)


def _look_into(chunk: _Chunk) -> dict[str, pa.Table]:
    """In a worker: the rows of every signal for a chunk."""
    named: dict[str, list[str]] = {}
    wanted: dict[str, Wanted] = {}
    for one, file_name in chunk.wanted:
        named.setdefault(one.content_id, []).append(file_name)
        wanted.setdefault(one.content_id, one)
    texts: dict[str, str] = {}
    rows = []
    for content in chunk.source.contents(wanted.values()):
        found = decode(content.data) if content.data is not None else Undecodable(content.problem or "not read")
        row = {"content_id": content.content_id}
        if isinstance(found, Undecodable):
            row["problem"] = found.reason
        else:
            row["src_encoding"] = found.src_encoding
            texts[content.content_id] = found.text
        rows.append(row)
    tables = {"texts": pa.Table.from_pylist(rows, _TEXTS)}
    for signal in all_signals():
        if signal.name in _SIGNALS:
            tables[signal.name] = _rows(signal, texts, named, chunk.settings[signal.name])
    return tables


def _rows(signal: Signal, texts: dict[str, str], named: dict[str, list[str]], settings: Any) -> pa.Table:
    if signal.by_name:
        wants: Callable[[str], bool] = signal.wants_name or (lambda _name: True)
        keys = [(one, name) for one in texts for name in named[one] if wants(name)]
        columns = [[one for one, _ in keys], [name for _, name in keys]]
    else:
        columns = [list(texts)]
    contents = pa.array([texts[one] for one in columns[0]], pa.large_string())
    arrays = signal.measure(Batch(contents, columns[1] if signal.by_name else None), settings)
    return pa.Table.from_arrays([*(pa.array(one, pa.string()) for one in columns), *arrays], schema=signal.schema)


def _scans(engine: Engine, found: dict[str, Any], settings: scan.ScanSettings) -> pa.Table:
    nothing: pa.Table = tables.SCANS.empty_table()
    if scan.version(settings) is None:
        return nothing
    asked = scan.texts(engine, {name: found[name] for name in ("license_file", "notice")}, nothing)
    if not len(asked):
        return nothing
    with (
        progress.task("scan licence texts", len(asked), "texts") as bar,
        scancode.Scanner(seconds=settings.seconds) as scanner,
    ):
        return scan.answers(scanner, asked, bar.advance)
