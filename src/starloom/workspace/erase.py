"""Erasing contents from the append-only caches: every row with their `content_id`, in all parts, for good.

A part that holds one is written anew without it, under its name, and the cache's index names the new one; so parts of
one name still go together, row by row. What is to go stands in a file until all of it is gone: a run that was stopped
is finished by the next purge, and by the next build before it does anything else (a reader that comes in between may
find a part that is not the one its index names). Cost: the ids of every part, and each part that is touched is read and
written once; memory: a row group. Not covered: what the disk itself keeps of a file that was removed.
"""

import contextlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from starloom import progress
from starloom.errors import UserError
from starloom.workspace import atomic, operations
from starloom.workspace.lock import FOLDER
from starloom.workspace.manifest import NAME, FileEntry, Manifest, hash_file, read_bytes, read_manifest, to_bytes
from starloom.workspace.parts import Parts

JOURNAL: Final = "erasing.json"
KEY: Final = "content_id"
_INDEX: Final = "-index"
_GROUP_BYTES: Final = 8 << 20  # of a row group of contents


@dataclass(frozen=True)
class Erased:
    """What an erasure did: `bytes` are those that the caches hold less."""

    parts: int
    rows: int
    bytes: int


def erase(root: Path, caches: Sequence[str], content_ids: Collection[str]) -> Erased:
    """Erases these contents from the caches in the folders `caches`, and in the folders of them. By the holder of the
    workspace's lock. Raises UserError."""
    if not content_ids:
        return Erased(0, 0, 0)
    journal = root / FOLDER / JOURNAL
    with operations.explained(journal):
        operations.make_parents(journal.parent)
        atomic.replace_file(journal, json.dumps({"caches": list(caches), "contents": sorted(content_ids)}).encode())
    return _erase(root, caches, content_ids)


def finish(root: Path) -> Erased:
    """Goes on where an erasure was stopped; nothing where none was. By the holder of the lock. Raises UserError."""
    journal = root / FOLDER / JOURNAL
    data = read_bytes(journal)
    if data is None:
        return Erased(0, 0, 0)
    try:
        body = json.loads(data)
        caches, contents = [str(one) for one in body["caches"]], [str(one) for one in body["contents"]]
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{journal} is damaged", "delete it, and run `starloom opt-out purge`") from None
    return _erase(root, caches, contents)


def _erase(root: Path, caches: Sequence[str], content_ids: Collection[str]) -> Erased:
    wanted = pa.array(sorted(content_ids), pa.string())
    folders = [folder for name in caches for folder in _caches(root / name)]
    rows = size = parts = 0
    work = [(Parts(folder, index.kind.removesuffix(_INDEX)), file) for folder, index in folders for file in index.files]
    with progress.task("erase", len(work), "parts") as bar:
        for cache, file in work:
            gone, less = _erase_part(cache, file, wanted)
            rows, size, parts = rows + gone, size + less, parts + bool(gone)
            bar.advance(1)
    for name in caches:
        _renew_index_of_indexes(root / name)
    with operations.explained(root / FOLDER), contextlib.suppress(FileNotFoundError):
        operations.remove(root / FOLDER / JOURNAL)
    return Erased(parts, rows, size)


def _caches(folder: Path) -> Iterator[tuple[Path, Manifest]]:
    """The caches in a folder: itself, or, of an index of indexes, those that it names."""
    index = read_manifest(folder)
    if index is None:
        return
    if index.kind.endswith(_INDEX):
        yield folder, index
        return
    for file in index.files:
        inner = folder / file.name.removesuffix(f"/{NAME}")
        found = read_manifest(inner) if file.name.endswith(f"/{NAME}") else None
        if found is not None and found.kind.endswith(_INDEX):
            yield inner, found


def _erase_part(cache: Parts, named: FileEntry, wanted: pa.Array) -> tuple[int, int]:
    """(rows that went, bytes that went) of the part whose manifest the index names so."""
    part = named.name.removesuffix(f"/{NAME}")
    place = cache.folder / part
    manifest = read_manifest(place)
    if manifest is None:
        raise UserError(f"{place} is missing", f"delete {cache.folder} and run `starloom build`: it is made again")
    if not any(_holds(place / file.name, wanted) for file in manifest.files):
        if hash_file(place / NAME) != named.sha256:  # a run was stopped between the two
            cache.commit(part)
        return 0, 0
    rows = 0
    with atomic.publish(
        place,
        kind=manifest.kind,
        version=manifest.version,
        fingerprint=manifest.fingerprint,
        inputs=manifest.inputs,
        settings=manifest.settings,
        replace=True,
    ) as draft:
        draft.facts = dict(manifest.facts)
        for file in manifest.files:
            rows += _copy(draft, place / file.name, file, wanted)
    assert draft.manifest is not None
    cache.commit(part)
    return rows, manifest.bytes - draft.manifest.bytes


def _holds(path: Path, wanted: pa.Array) -> bool:
    if path.suffix != ".parquet" or KEY not in pq.read_schema(path).names:
        return False
    found = pq.read_table(path, columns=[KEY]).column(0)
    return bool(pc.any(pc.is_in(found, value_set=wanted)).as_py())


def _copy(draft: atomic.Draft, path: Path, file: FileEntry, wanted: pa.Array) -> int:
    """The file without those rows into the draft: how many they were."""
    if path.suffix != ".parquet" or KEY not in pq.read_schema(path).names:
        draft.write(file.name, path.read_bytes())
        return 0
    with pq.ParquetFile(path) as source:
        schema = source.schema_arrow

        def kept() -> Iterator[pa.Table]:
            for group in range(source.metadata.num_row_groups):
                table = source.read_row_group(group)
                yield table.filter(pc.invert(pc.is_in(table.column(KEY), value_set=wanted)))

        left = draft.parquet(file.name, schema, kept(), row_group_bytes=_GROUP_BYTES)
        return int(source.metadata.num_rows) - left


def _renew_index_of_indexes(folder: Path) -> None:
    """Where `folder` names indexes, it names them as they are now."""
    index = read_manifest(folder)
    if index is None or index.kind.endswith(_INDEX):
        return
    files = []
    for file in index.files:
        path = folder / file.name
        inner = read_manifest(path.parent) if path.name == NAME else None
        rows = inner.rows if inner else file.rows
        files.append(FileEntry(file.name, path.stat().st_size, hash_file(path), rows))
    body: dict[str, Any] = {name: getattr(index, name) for name in ("kind", "version", "inputs", "settings", "facts")}
    renewed = to_bytes(Manifest(fingerprint=index.fingerprint, files=tuple(files), **body))
    if read_bytes(folder / NAME) != renewed:
        atomic.replace_file(folder / NAME, renewed)
