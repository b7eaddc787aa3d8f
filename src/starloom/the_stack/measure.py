"""`measure`: every signal of every listed content, once, into the caches `signals/NAME/`.

A worker reads one part of `files/` and measures whatever signals lack it, so a new signal reads contents once and a new
repository measures only its own. Signals of other versions or settings are retired first. Cost: see bench/pipeline;
memory: one row group of contents a worker.
"""

import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from starloom import progress
from starloom.kernels import is_warm, warm
from starloom.the_stack import tables
from starloom.the_stack.scan import SCANCODE, scan
from starloom.the_stack.scan import version as scancode_version
from starloom.the_stack.signal import Batch, Signal, all_signals
from starloom.workspace import atomic
from starloom.workspace.manifest import NAME, FileEntry, Manifest, fingerprint, hash_file, read_manifest, to_bytes
from starloom.workspace.parts import Parts
from starloom.workspace.stage import COMPLETE, Done, Job, Stage

VERSION = 2

_NAMES = """
SELECT DISTINCT content_id, file_name FROM files
WHERE content_id IS NOT NULL AND problem IS NULL AND length_bytes <= $max_bytes
ORDER BY content_id, file_name
"""


@dataclass(frozen=True)
class _Work:
    """One signal of one part of the cache: every content, or the named ones."""

    signal: str
    fingerprint: str  # of the signal with its settings
    part: str  # of the signal's cache
    names: tuple[tuple[str, str], ...] | None  # (content_id, file_name)


@dataclass(frozen=True)
class _Item:
    contents: Path
    root: Path
    works: tuple[_Work, ...]
    settings: Mapping[str, Any]  # by signal
    bytes: int


def _plan(job: Job, stale_too: bool = False) -> list[_Item]:
    """What is missing, by part of the content cache. `stale_too`: count retired signals as missing already."""
    parts = Parts(job.root / tables.FILES, "files").manifests()
    names: pa.Table | None = None
    works: dict[str, list[_Work]] = {part: [] for part in parts}
    for signal in all_signals():
        mark = signal.fingerprint(job.settings)
        done = _cache(job.root, signal).manifests()
        if stale_too and any(one.fingerprint != mark for one in done.values()):
            done = {}
        if not signal.needs_name:
            for part in parts:
                if part not in done:
                    works[part].append(_Work(signal.name, mark, part, None))
            continue
        names = _names(job) if names is None else names
        for part, asked in _missing_names(job, signal, names, bool(done)).items():
            digest = hashlib.sha256("\n".join(f"{one}\0{name}" for one, name in asked).encode()).hexdigest()[:16]
            works[part].append(_Work(signal.name, mark, f"{part}-{digest}", asked))
    settings = {one.name: getattr(job.settings, one.section) if one.section else None for one in all_signals()}
    return [
        _Item(
            job.root / tables.FILES / part / "contents.parquet",
            job.root,
            tuple(some),
            settings,
            next(file.bytes for file in parts[part].files if file.name == "contents.parquet"),
        )
        for part, some in works.items()
        if some
    ]


def _names(job: Job) -> pa.Table:
    """(content_id, file_name, part) of every listed content that the cache holds."""
    places = pa.concat_tables(
        [
            pq.read_table(job.root / tables.FILES / part / "contents.parquet", columns=["content_id"]).append_column(
                "part", pa.repeat(part, manifest.files[0].rows or 0)
            )
            for part, manifest in Parts(job.root / tables.FILES, "files").manifests().items()
        ]
        or [pa.table({"content_id": pa.array([], pa.string()), "part": pa.array([], pa.string())})]
    )
    return job.engine.table(
        f"SELECT n.content_id, n.file_name, p.part FROM ({_NAMES}) n JOIN places p ON n.content_id = p.content_id "
        "ORDER BY p.part, n.content_id, n.file_name",
        {"files": tables.listed_files(job.root), "places": places},
        {"max_bytes": job.settings.list.max_bytes},
    )


def _missing_names(job: Job, signal: Signal, names: pa.Table, started: bool) -> dict[str, tuple[tuple[str, str], ...]]:
    """By part: the (content_id, file_name) that the signal wants and has not measured."""
    done = tables.signal(job.root, signal.name) if started else []
    if done:
        names = job.engine.table(
            "SELECT n.* FROM names n ANTI JOIN done d ON n.content_id = d.content_id AND n.file_name = d.file_name "
            "ORDER BY part, content_id, file_name",
            {"names": names, "done": done},
        )
    found: dict[str, list[tuple[str, str]]] = {}
    wants = signal.wants_name
    columns = [names.column(name).to_pylist() for name in ("content_id", "file_name", "part")]
    for content_id, file_name, part in zip(*columns, strict=True):
        if wants is None or wants(file_name):
            found.setdefault(part, []).append((content_id, file_name))
    return {part: tuple(asked) for part, asked in found.items()}


def _cache(root: Path, signal: Signal) -> Parts:
    return Parts(root / tables.SIGNALS / signal.name, f"signal-{signal.name}")


def _forecast(job: Job) -> str:
    items = _plan(job, stale_too=True)
    signals = sorted({work.signal for item in items for work in item.works})
    size = sum(item.bytes for item in items)
    return f"measure {', '.join(signals) or 'nothing new'} in {progress.human(size, 'bytes')} (compressed)"


def _run(job: Job) -> Done:
    for signal in all_signals():
        cache = _cache(job.root, signal)
        expected = signal.fingerprint(job.settings)
        cache.retire(part for part, one in cache.manifests().items() if one.fingerprint != expected)
    items = _plan(job)
    total = sum(_text_bytes(item.contents) for item in items)
    if items and not is_warm():
        with progress.task("compile kernels (once a machine)", None):
            warm()
    with progress.task("measure", total) as bar, contextlib.ExitStack() as stack:
        commit = {one.name: stack.enter_context(_cache(job.root, one).committing()) for one in all_signals()}
        for item, size in job.engine.map(_measure_part, items):
            for work in item.works:
                commit[work.signal](work.part)
            bar.advance(size)
    for signal in all_signals():  # every signal has an index, even without a row
        complete = fingerprint(signal.fingerprint(job.settings), job.inputs())
        _cache(job.root, signal).set_facts({COMPLETE: complete})
    scanned, failed = scan(job)
    _write_index(job, failed)
    measured = sorted({work.signal for item in items for work in item.works})
    note = f"{len(measured)} signals: {', '.join(measured)}" if measured else "nothing new"
    return Done(total, f"{note}; {scanned}" if scanned else note)


def _write_index(job: Job, failed: int) -> None:
    """signals/manifest.json: the signals' indexes, and what they are complete for, if nothing failed."""
    folder = job.folder
    files = []
    for name in (*(signal.name for signal in all_signals()), SCANCODE):
        path = folder / name / NAME
        index = read_manifest(path.parent)
        rows = index.rows if index else 0
        files.append(FileEntry(f"{name}/{NAME}", path.stat().st_size, hash_file(path), rows))
    marks = {file.name: file.sha256 for file in files}
    manifest = Manifest(
        kind="signals",
        version=VERSION,
        fingerprint=fingerprint("signals", marks),
        inputs={},
        settings={},
        facts={COMPLETE: f"{job.fingerprint()} but {failed}" if failed else job.fingerprint()},
        files=tuple(sorted(files, key=lambda file: file.name)),
    )
    atomic.replace_file(folder / NAME, to_bytes(manifest))


def _text_bytes(contents: Path) -> int:
    metadata = pq.ParquetFile(contents).metadata
    index = metadata.schema.names.index("content")
    return sum(
        metadata.row_group(group).column(index).total_uncompressed_size for group in range(metadata.num_row_groups)
    )


def _measure_part(item: _Item) -> int:
    """In a worker: every missing signal of one part. Bytes of text gone through."""
    signals = {one.name: one for one in all_signals()}
    measured: dict[str, list[pa.Table]] = {work.signal: [] for work in item.works}
    size = 0
    file = pq.ParquetFile(item.contents)
    named = {work.signal: _by_content(work) for work in item.works if work.names is not None}
    for group in range(file.metadata.num_row_groups):
        ids = file.read_row_group(group, columns=["content_id"]).column(0).to_pylist()
        if len(named) == len(item.works) and not any(one in names for names in named.values() for one in ids):
            continue  # names of other contents only
        whole = _batch(file.read_row_group(group, columns=["content"]).column(0))
        size += len(whole.data)
        for work in item.works:
            signal = signals[work.signal]
            batch, keys = (whole, [ids]) if work.names is None else _named(whole, ids, named[work.signal])
            arrays = signal.measure(batch, item.settings[signal.name])
            measured[work.signal].append(pa.Table.from_arrays([*map(pa.array, keys), *arrays], schema=signal.schema))
    for work in item.works:
        signal = signals[work.signal]
        with _cache(item.root, signal).publish(
            work.part,
            version=signal.version,
            fingerprint=work.fingerprint,
            inputs={},
            settings={},
        ) as draft:
            draft.parquet(f"{signal.name}.parquet", signal.schema, measured[work.signal])
    return size


def _batch(column: Any) -> Batch:
    from starloom.kernels.text import text_buffers

    offsets, data = text_buffers(column)
    start, stop = int(offsets[0]), int(offsets[-1])
    return Batch(column.to_pylist(), offsets - start, data[start:stop], None)


def _by_content(work: _Work) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for content_id, name in work.names or ():
        found.setdefault(content_id, []).append(name)
    return found


def _named(whole: Batch, ids: list[str], names: Mapping[str, list[str]]) -> tuple[Batch, list[list[str]]]:
    """The batch with one row per content and file name, and its two key columns."""
    rows = [(row, name) for row, content_id in enumerate(ids) for name in names.get(content_id, ())]
    texts = [whole.texts[row] for row, _ in rows]
    keys = [[ids[row] for row, _ in rows], [name for _, name in rows]]
    nothing = np.zeros(1, dtype=np.int64)
    return Batch(texts, nothing, whole.data[:0], keys[1]), keys


def _settings(settings: Any) -> Any:
    return {one.name: one.fingerprint(settings) for one in all_signals()} | {SCANCODE: scancode_version(settings.scan)}


STAGE = Stage(
    name="measure",
    folder=tables.SIGNALS,
    version=VERSION,
    reads=(tables.LISTING, tables.FILES),
    settings=_settings,
    run=_run,
    forecast=_forecast,
)
