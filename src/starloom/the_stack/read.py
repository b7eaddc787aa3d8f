"""`read`: every distinct content within the limits, once, into the content cache `files/`.

A content is read from its provisional home, the best of its repositories by what is known before reading, and lies
contiguous by repository in parts of about 32 MB. UTF-8 stays as it is; other text is decoded and its encoding kept;
what is binary, damaged or unreadable is refused with the reason. A content that fails at its home is asked of its
other repositories in turn. Contents already in the cache are not read again. Memory: one part a worker.
"""

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from starloom import progress
from starloom.errors import UserError
from starloom.identity import blob_id
from starloom.outside import lfs
from starloom.outside.paths import raw_path
from starloom.outside.text import Undecodable, decode, is_binary
from starloom.sources.repository import Source, SourceError, Wanted
from starloom.the_stack import left_out, tables
from starloom.the_stack.door import opened, opted_out
from starloom.workspace.parts import Parts
from starloom.workspace.stage import COMPLETE, Done, Job, Stage

VERSION = 2  # 2: pointers to large files are told apart
PART_BYTES = 32 << 20
GROUP_BYTES = 8 << 20  # of a row group

# Every occurrence of every content that is not in the cache, the provisional home first.
_OCCURRENCES = f"""
SELECT content_id, repo_name, path, f.length_bytes,
  row_number() OVER (PARTITION BY content_id ORDER BY {tables.BEST}) AS place
FROM files f JOIN repositories r USING (repo_name)
WHERE f.content_id IS NOT NULL AND f.problem IS NULL AND f.excluded IS NULL AND f.length_bytes <= $max_bytes
  AND NOT EXISTS (SELECT 1 FROM known k WHERE k.content_id = f.content_id)
"""
_HOMES = (
    f"SELECT content_id, repo_name, path, length_bytes FROM ({_OCCURRENCES}) WHERE place = $place "
    "ORDER BY repo_name, path"
)


@dataclass(frozen=True)
class _Request:
    content_id: str
    path: str
    size: int  # bytes


@dataclass(frozen=True)
class _Item:
    """One part to be made: what to ask of which source, in order."""

    part: str
    folder: Path
    fingerprint: str
    asked: tuple[tuple[Source, tuple[_Request, ...]], ...]
    bytes: int
    again: bool  # all of it was asked before, in vain


class _NothingNewError(Exception):
    """A part that would say again what an earlier one says."""


def _unreadable(job: Job) -> int:
    """How many contents could be read from nowhere so far."""
    contents, refused = tables.contents(job.root), tables.refused(job.root)
    if not refused:
        return 0
    sql = """SELECT count(DISTINCT content_id) FROM refused r WHERE outcome = 'unreadable'
      AND NOT EXISTS (SELECT 1 FROM contents c WHERE c.content_id = r.content_id)
      AND EXISTS (SELECT 1 FROM files f WHERE f.content_id = r.content_id)"""
    given = {"contents": contents, "refused": refused, "files": tables.listed_files(job.root)}
    return int(job.engine.table(sql, given).column(0)[0].as_py())


def _refused_before(job: Job) -> set[str]:
    """`REPOSITORY CONTENT` of what a repository has been asked for in vain."""
    refused = tables.refused(job.root)
    if not refused:
        return set()
    sql = "SELECT DISTINCT repo_name || ' ' || content_id AS asked FROM refused WHERE outcome = 'unreadable'"
    return set(job.engine.table(sql, {"refused": refused}).column(0).to_pylist())


def _known(job: Job) -> pa.Table:
    """content_id of everything that the cache holds, has refused for good, or is not to hold: what is opted out."""
    contents, refused = tables.contents(job.root), tables.refused(job.root)
    opted = opted_out(job).contents_table().select(["content_id"])
    if not contents:
        return opted
    return job.engine.table(
        "SELECT content_id FROM contents UNION SELECT content_id FROM refused WHERE outcome <> 'unreadable' "
        "UNION SELECT content_id FROM opted",
        {"contents": contents, "refused": refused, "opted": opted},
    )


def _homes(job: Job, known: pa.Table, place: int = 1) -> pa.Table:
    return job.engine.table(
        _HOMES,
        {"files": tables.listed_files(job.root), "repositories": tables.repositories(job.root), "known": known},
        {"max_bytes": job.settings.list.max_bytes, "place": place},
    )


def _forecast(job: Job) -> str:
    homes = _homes(job, _known(job))
    size = sum(homes.column("length_bytes").to_pylist())
    return f"read {len(homes):,} contents, {progress.human(size, 'bytes')}"


def _run(job: Job) -> Done:
    parts = Parts(job.folder, "files")
    fingerprint = job.fingerprint()
    if old := [part for part, one in parts.manifests().items() if one.version != VERSION]:
        parts.retire(old)
    read = refused = total = 0
    for place in itertools.count(1):
        homes = _homes(job, _known(job), place)
        if not len(homes):
            break
        name, size = ("read" if place == 1 else "read again"), sum(homes["length_bytes"].to_pylist())
        with progress.task(name, size) as bar, parts.committing() as commit:
            for item, (good, bad) in job.engine.map(_read_part, list(_items(job, homes, fingerprint))):
                if good or not item.again:
                    commit(item.part)
                read, refused, total = read + good, refused + bad, total + item.bytes
                bar.advance(item.bytes)
    unread = _unreadable(job)
    # Not what is expected, so the next run asks again for what could not be read; equal while as many are missing.
    complete = f"{fingerprint} but {unread}" if unread else fingerprint
    parts.set_facts({COMPLETE: complete} | left_out.facts(job))
    note = progress.counted(read, "contents") + (f", {refused:,} refused" if refused else "")
    note += f"; {unread:,} could not be read, and the next build tries again" if unread else ""
    return Done(total, note)


def _items(job: Job, homes: pa.Table, fingerprint: str) -> Iterator[_Item]:
    """Parts of about PART_BYTES; a part's name is a hash of what is asked, so a repeated run makes the same one."""
    sources = {source.repository().repo_name: source for source in opened(job).sources}
    taken = set(Parts(job.folder, "files").manifests())
    before = _refused_before(job)
    asked: list[tuple[str, _Request]] = []
    size = 0
    columns = [homes.column(name).to_pylist() for name in ("content_id", "repo_name", "path", "length_bytes")]
    for content_id, repo_name, path, length in zip(*columns, strict=True):
        if repo_name not in sources:
            raise UserError(f"{repo_name} was listed and is gone", "run `starloom build` again: it lists anew")
        if asked and size + length > PART_BYTES:
            yield _item(job, sources, asked, size, fingerprint, taken, before)
            asked, size = [], 0
        asked.append((repo_name, _Request(content_id, path, length)))
        size += length
    if asked:
        yield _item(job, sources, asked, size, fingerprint, taken, before)


def _item(
    job: Job,
    sources: Mapping[str, Source],
    asked: list[tuple[str, _Request]],
    size: int,
    fingerprint: str,
    taken: set[str],
    before: set[str],
) -> _Item:
    names = "\n".join(f"{name}\0{request.path}\0{request.content_id}" for name, request in asked)
    groups = tuple(
        (sources[name], tuple(request for _, request in group))
        for name, group in itertools.groupby(asked, key=lambda one: one[0])
    )
    part = hashlib.sha256(names.encode()).hexdigest()[:16]
    while part in taken:  # asked before in vain, as a whole: what could not be read then may be readable now
        part += "a"
    again = all(f"{name} {request.content_id}" in before for name, request in asked)
    return _Item(part, job.folder, fingerprint, groups, size, again)


def _read_part(item: _Item) -> tuple[int, int]:
    """In a worker: one part. (contents read, contents refused)."""
    refused: list[dict[str, Any]] = []
    try:
        with Parts(item.folder, "files").publish(
            item.part, version=VERSION, fingerprint=item.fingerprint, inputs={}, settings={}
        ) as draft:
            good = draft.parquet(
                "contents.parquet", tables.CONTENTS, _tables(item, refused), row_group_bytes=GROUP_BYTES
            )
            refused.sort(key=lambda row: (row["repo_name"], row["path"]))
            draft.parquet("refused.parquet", tables.REFUSED, [pa.Table.from_pylist(refused, tables.REFUSED)])
            if item.again and not good:
                raise _NothingNewError
    except _NothingNewError:
        return 0, len(refused)
    return good, len(refused)


def _tables(item: _Item, refused: list[dict[str, Any]]) -> Iterator[pa.Table]:
    rows: list[dict[str, Any]] = []
    size = 0
    for source, requests in item.asked:
        for request, data, reason in _answers(source, requests):
            home = source.repository().repo_name
            row = _row(request.content_id, home, data) if data is not None else reason
            if isinstance(row, dict):
                rows.append(row)
                size += request.size
                if size > GROUP_BYTES:
                    yield pa.Table.from_pylist(rows, tables.CONTENTS)
                    rows, size = [], 0
            else:
                outcome, row = _refusal(data, row)
                refused.append(
                    {
                        "content_id": request.content_id,
                        "repo_name": home,
                        "path": request.path,
                        "outcome": outcome,
                        "reason": row,
                    }
                )
    if rows:
        yield pa.Table.from_pylist(rows, tables.CONTENTS)


def _refusal(data: bytes | None, reason: str) -> tuple[str, str]:
    """(outcome, reason) of what did not become text."""
    if data is None:
        return "unreadable", reason
    if stands_for := lfs.pointer(data):
        return "lfs-pointer", stands_for
    offset = is_binary(data)
    return ("damaged", reason) if offset is None else ("binary", f"NUL byte at offset {offset}")


def _answers(source: Source, requests: tuple[_Request, ...]) -> Iterator[tuple[_Request, bytes | None, str]]:
    """(request, bytes or None, why not) for each request, in the source's order; a source that breaks off leaves the
    rest unreadable."""
    waiting = {request.content_id: request for request in requests}
    reason = "the repository gave no answer"
    try:
        for content in source.contents(
            Wanted(raw_path(request.path), request.content_id, request.size) for request in requests
        ):
            request = waiting.pop(content.content_id, None)
            if request is not None:
                yield request, content.data, content.problem or ""
    except SourceError as failure:
        reason = failure.problem.reason
    for request in waiting.values():
        yield request, None, reason


def _row(content_id: str, home: str, data: bytes) -> dict[str, Any] | str:
    if lfs.pointer(data):
        return "a pointer to a large file"
    decoded = decode(data)
    if isinstance(decoded, Undecodable):
        return decoded.reason
    return {
        "content_id": content_id,
        "blob_id": blob_id(data),
        "length_bytes": len(data),
        "src_encoding": decoded.src_encoding,
        "home": home,
        "content": decoded.text,
        "original": None if decoded.round_trips else data,
    }


STAGE = Stage(
    name="read",
    folder=tables.FILES,
    version=VERSION,
    reads=(tables.LISTING,),
    settings=lambda settings: {"max_bytes": settings.list.max_bytes},
    run=_run,
    outside=left_out.brought_back,
    forecast=_forecast,
)
