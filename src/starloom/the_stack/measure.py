"""`measure`: every signal of every listed content, once, into the caches `signals/NAME/`.

A worker reads one part of `files/` and measures whatever signals lack it, so a new signal reads contents once and a new
repository measures only its own. Two rounds: the second knows the language that the first has found. Signals of other
versions or settings are retired first. Cost: see bench/measure; memory: one row group of contents a worker.
"""

import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from starloom import progress
from starloom.kernels import is_warm, warm
from starloom.the_stack import tables
from starloom.the_stack.scan import SCANCODE, scan
from starloom.the_stack.scan import version as scancode_version
from starloom.the_stack.signal import Batch, Signal, all_signals
from starloom.the_stack.signal import signal as find_signal
from starloom.workspace import atomic
from starloom.workspace.manifest import NAME, FileEntry, Manifest, fingerprint, hash_file, read_manifest, to_bytes
from starloom.workspace.parts import Parts
from starloom.workspace.stage import COMPLETE, Done, Job, Stage

VERSION = 2

_NAMES = """
SELECT n.content_id, n.file_name, l.language, p.part FROM (
  SELECT DISTINCT content_id, file_name FROM files
  WHERE content_id IS NOT NULL AND problem IS NULL AND length_bytes <= $max_bytes) n
JOIN places p ON n.content_id = p.content_id
LEFT JOIN language l ON n.content_id = l.content_id AND n.file_name = l.file_name
ORDER BY p.part, n.content_id, n.file_name
"""

Named = tuple[str, str, str | None]  # content_id, file_name, language


@dataclass(frozen=True)
class _Work:
    """One signal of one part of the cache: every content, or the named ones."""

    signal: str
    fingerprint: str  # of the signal with its settings
    part: str  # of the signal's cache
    names: tuple[Named, ...] | None


@dataclass(frozen=True)
class _Item:
    contents: Path
    root: Path
    works: tuple[_Work, ...]
    settings: Mapping[str, Any]  # by signal
    bytes: int


def _rounds() -> tuple[tuple[Signal, ...], tuple[Signal, ...]]:
    """Signals that need no language, and those that do."""
    first = tuple(one for one in all_signals() if not one.needs_language)
    return first, tuple(one for one in all_signals() if one.needs_language)


def _plan(job: Job, signals: tuple[Signal, ...], forecast: bool = False) -> list[_Item]:
    """What is missing, by part of the content cache. `forecast`: count retired signals as missing already, and ask
    also of files whose language is not known yet."""
    parts = Parts(job.root / tables.FILES, "files").manifests()
    names: pa.Table | None = None
    works: dict[str, list[_Work]] = {part: [] for part in parts}
    for signal in signals:
        mark = signal.fingerprint(job.settings)
        done = _cache(job.root, signal).manifests()
        if forecast and any(one.fingerprint != mark for one in done.values()):
            done = {}
        if not signal.by_name:
            for part in parts:
                if part not in done:
                    works[part].append(_Work(signal.name, mark, part, None))
            continue
        names = _names(job, signals) if names is None else names
        for part, asked in _missing_names(job, signal, names, bool(done), forecast).items():
            digest = hashlib.sha256("\n".join(f"{one}\0{name}" for one, name, _ in asked).encode()).hexdigest()[:16]
            works[part].append(_Work(signal.name, mark, f"{part}-{digest}", asked))
    settings = {one.name: one.of(job.settings) for one in signals}
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


def _names(job: Job, signals: tuple[Signal, ...]) -> pa.Table:
    """(content_id, file_name, language, part) of every listed content that the cache holds; without the language where
    none of `signals` needs it."""
    places = pa.concat_tables(
        [
            pq.read_table(job.root / tables.FILES / part / "contents.parquet", columns=["content_id"]).append_column(
                "part", pa.repeat(part, manifest.files[0].rows or 0)
            )
            for part, manifest in Parts(job.root / tables.FILES, "files").manifests().items()
        ]
        or [pa.table({"content_id": pa.array([], pa.string()), "part": pa.array([], pa.string())})]
    )
    asked = any(one.needs_language for one in signals)
    language = tables.signal_rows(job.root, "language") if asked else find_signal("language").schema.empty_table()
    return job.engine.table(
        _NAMES,
        {"files": tables.listed_files(job.root), "places": places, "language": language},
        {"max_bytes": job.settings.list.max_bytes},
    )


def _missing_names(
    job: Job, signal: Signal, names: pa.Table, started: bool, forecast: bool
) -> dict[str, tuple[Named, ...]]:
    """By part: what the signal wants and has not measured."""
    done = tables.signal(job.root, signal.name) if started else []
    if done:
        names = job.engine.table(
            "SELECT n.* FROM names n ANTI JOIN done d ON n.content_id = d.content_id AND n.file_name = d.file_name "
            "ORDER BY part, content_id, file_name",
            {"names": names, "done": done},
        )
    found: dict[str, list[Named]] = {}
    wants_name = signal.wants_name or (lambda _name: True)
    wanted = {
        one: signal.wants_language is None or signal.wants_language(one, signal.of(job.settings))
        for one in names.column("language").unique().to_pylist()
        if one is not None
    } | {None: forecast or not signal.needs_language}
    columns = [names.column(name).to_pylist() for name in ("content_id", "file_name", "language", "part")]
    for content_id, file_name, language, part in zip(*columns, strict=True):
        if wanted[language] and wants_name(file_name):
            found.setdefault(part, []).append((content_id, file_name, language))
    return {part: tuple(asked) for part, asked in found.items()}


def _cache(root: Path, signal: Signal) -> Parts:
    return Parts(root / tables.SIGNALS / signal.name, f"signal-{signal.name}")


def _forecast(job: Job) -> str:
    items = [item for signals in _rounds() for item in _plan(job, signals, forecast=True)]
    signals = sorted({work.signal for item in items for work in item.works})
    size = sum({item.contents: item.bytes for item in items}.values())
    return f"measure {', '.join(signals) or 'nothing new'} in {progress.human(size, 'bytes')} (compressed)"


def _run(job: Job) -> Done:
    for signal in all_signals():
        cache = _cache(job.root, signal)
        expected = signal.fingerprint(job.settings)
        cache.retire(part for part, one in cache.manifests().items() if one.fingerprint != expected)
    measured: set[str] = set()
    total = 0
    for what, signals in zip(("measure", "measure what the language tells"), _rounds(), strict=True):
        items = _plan(job, signals)
        size = sum(_text_bytes(item.contents) for item in items)
        if items and not is_warm():
            with progress.task("compile kernels (once a machine)", None):
                warm()
        with progress.task(what, size) as bar, contextlib.ExitStack() as stack:
            commit = {one.name: stack.enter_context(_cache(job.root, one).committing()) for one in signals}
            for item, done in job.engine.map(_measure_part, items):
                for work in item.works:
                    commit[work.signal](work.part)
                bar.advance(done)
        measured |= {work.signal for item in items for work in item.works}
        total = max(total, size)
    for signal in all_signals():  # every signal has an index, even without a row
        complete = fingerprint(signal.fingerprint(job.settings), job.inputs())
        _cache(job.root, signal).set_facts({COMPLETE: complete})
    scanned, failed = scan(job)
    _write_index(job, failed)
    note = f"{len(measured)} signals: {', '.join(sorted(measured))}" if measured else "nothing new"
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
    column = file.metadata.schema.names.index("content")
    named = {work.signal: _by_content(work) for work in item.works if work.names is not None}
    for group in range(file.metadata.num_row_groups):
        ids = file.read_row_group(group, columns=["content_id"]).column(0).to_pylist()
        if len(named) == len(item.works) and not any(one in names for names in named.values() for one in ids):
            continue  # names of other contents only
        contents = file.read_row_group(group, columns=["content"]).column(0)
        size += file.metadata.row_group(group).column(column).total_uncompressed_size
        made: dict[Any, tuple[Batch, list[list[str]]]] = {None: (Batch(contents), [ids])}
        for work in item.works:
            signal = signals[work.signal]
            rows = _rows(ids, named[work.signal]) if work.names is not None else None
            if rows not in made:  # most signals by name ask for the same rows
                made[rows] = _batch(contents, rows or ())
            batch, keys = made[rows]
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


def _by_content(work: _Work) -> dict[str, list[Named]]:
    found: dict[str, list[Named]] = {}
    for named in work.names or ():
        found.setdefault(named[0], []).append(named)
    return found


def _rows(ids: list[str], names: Mapping[str, list[Named]]) -> tuple[tuple[int, Named], ...]:
    return tuple((row, named) for row, content_id in enumerate(ids) for named in names.get(content_id, ()))


def _batch(contents: Any, rows: tuple[tuple[int, Named], ...]) -> tuple[Batch, list[list[str]]]:
    """A batch of one row per content and file name, and its two key columns."""
    taken = contents.cast(pa.large_string()).take(pa.array([row for row, _ in rows], pa.int64()))
    keys = [[content_id for _, (content_id, _, _) in rows], [name for _, (_, name, _) in rows]]
    return Batch(taken, keys[1], [language or "" for _, (_, _, language) in rows]), keys


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
