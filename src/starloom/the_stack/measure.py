"""`measure`: every signal of every listed content, once, into the caches `signals/NAME/`.

A worker reads one part of `files/` and measures whatever signals lack it, so a new signal reads contents once and a new
repository measures only its own. Of each row group those that need no language come first, among them `language`; the
others know at once what it has found. Signals of other versions or settings are retired first. Cost: see bench/measure;
memory: one row group of contents a worker.
"""

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from starloom import progress
from starloom.kernels import STEPS, is_warm, warm_step
from starloom.the_stack import tables
from starloom.the_stack.measure_part import Item, Mask, Work, cache, measure_part, text_bytes, wants_language
from starloom.the_stack.scan import SCANCODE, scan
from starloom.the_stack.scan import version as scancode_version
from starloom.the_stack.signal import Signal, all_signals
from starloom.the_stack.signal import signal as find_signal
from starloom.workspace import atomic
from starloom.workspace.manifest import NAME, FileEntry, Manifest, fingerprint, hash_file, read_manifest, to_bytes
from starloom.workspace.parts import Parts
from starloom.workspace.stage import COMPLETE, Done, Job, Stage

VERSION = 2

# By part of the content cache; `is_new`: the signal `language` has no row of it.
_NAMES = """
SELECT n.content_id, n.file_name, l.language, l.content_id IS NULL AS is_new, p.part FROM (
  SELECT DISTINCT content_id, file_name FROM files
  WHERE content_id IS NOT NULL AND problem IS NULL AND length_bytes <= $max_bytes) n
JOIN places p ON n.content_id = p.content_id
LEFT JOIN language l ON n.content_id = l.content_id AND n.file_name = l.file_name
ORDER BY p.part, n.content_id, n.file_name
"""

_MISSING = """
SELECT n.row FROM names n
ANTI JOIN done d ON n.content_id = d.content_id AND n.file_name = d.file_name
"""


def _plan(job: Job, forecast: bool = False) -> list[Item]:
    """What is missing, by part of the content cache. `forecast`: count retired signals as missing already."""
    parts = Parts(job.root / tables.FILES, "files").manifests()
    signals = sorted(all_signals(), key=lambda signal: signal.needs_language)
    marks = {one.name: one.fingerprint(job.settings) for one in signals}
    done = {one.name: cache(job.root, one).manifests() for one in signals}
    if forecast:
        done = {
            name: {} if any(one.fingerprint != marks[name] for one in some.values()) else some
            for name, some in done.items()
        }
    names = _names(job, bool(done["language"]))
    asked = {one.name: _asked(job, one, names, bool(done[one.name])) for one in signals if one.by_name}
    slices = _slices(names)
    settings = {one.name: one.of(job.settings) for one in signals}
    items = []
    for part, manifest in parts.items():
        here = slices.get(part, slice(0, 0))
        works = []
        for signal in signals:
            some = asked[signal.name][here] if signal.by_name else None
            if (part not in done[signal.name]) if some is None else some.any():
                works.append(Work(signal.name, marks[signal.name], some))
        if works:
            by_name = any(work.asked is not None for work in works)
            table = names.select(["content_id", "file_name", "language"])[here if by_name else slice(0, 0)]
            table = table.take(pa.array(range(len(table)), pa.int64()))  # a slice travels with all it was cut from
            size = next(file.bytes for file in manifest.files if file.name == "contents.parquet")
            items.append(Item(job.root, part, tuple(works), table, settings, size))
    return items


def _names(job: Job, has_language: bool) -> pa.Table:
    """Every listed content under each of its names that the cache holds, see _NAMES."""
    places = pa.concat_tables(
        [
            pq.read_table(job.root / tables.FILES / part / "contents.parquet", columns=["content_id"]).append_column(
                "part", pa.repeat(part, manifest.files[0].rows or 0)
            )
            for part, manifest in Parts(job.root / tables.FILES, "files").manifests().items()
        ]
        or [pa.table({"content_id": pa.array([], pa.string()), "part": pa.array([], pa.string())})]
    )
    language = tables.signal_rows(job.root, "language")
    return job.engine.table(
        _NAMES,
        {
            "files": tables.listed_files(job.root),
            "places": places,
            "language": language if has_language else find_signal("language").schema.empty_table(),
        },
        {"max_bytes": job.settings.list.max_bytes},
    )


def _slices(names: pa.Table) -> dict[str, slice]:
    """The rows of each part."""
    counts = names.column("part").value_counts()  # in order of appearance
    ends = np.cumsum(np.asarray(counts.field("counts"))).tolist()
    return dict(zip(counts.field("values").to_pylist(), map(slice, [0, *ends], ends), strict=True))


def _asked(job: Job, signal: Signal, names: pa.Table, started: bool) -> Mask:
    """Of `names`: what the signal wants and has not measured. What has no language yet may get one that it wants."""
    asked = np.ones(len(names), np.bool_)
    if started:
        given = names.select(["content_id", "file_name"]).append_column("row", pa.array(np.arange(len(names))))
        missing = job.engine.table(_MISSING, {"names": given, "done": tables.signal(job.root, signal.name)})
        asked[:] = False
        asked[np.asarray(missing.column("row"))] = True
    if signal.wants_name is not None:
        asked &= _each(names.column("file_name"), signal.wants_name)
    if signal.needs_language:
        wants = functools.partial(wants_language, signal, signal.of(job.settings))
        asked &= _each(names.column("language"), wants) | np.asarray(names.column("is_new"))
    return asked


def _each(column: Any, holds: Callable[[Any], bool]) -> Mask:
    """Whether it holds of each value; asked once a distinct one."""
    values = column.unique()
    found = np.array([holds(one) for one in values.to_pylist()], np.bool_)
    return np.asarray(found[np.asarray(pc.index_in(column, values))])


def _forecast(job: Job) -> str:
    items = _plan(job, forecast=True)
    signals = sorted({work.signal for item in items for work in item.works})
    size = sum(item.bytes for item in items)
    return f"measure {', '.join(signals) or 'nothing new'} in {progress.human(size, 'bytes')} (compressed)"


def _run(job: Job) -> Done:
    for one in all_signals():
        if one.prepare:
            one.prepare(one.of(job.settings))
    complaints = [told for one in all_signals() if one.complaint and (told := one.complaint(one.of(job.settings)))]
    if tables.decided(job.root):  # documents: it was said of the files that they are made of
        complaints = []
    for told in complaints:
        progress.say(f"  {told}")
    for signal in all_signals():
        parts = cache(job.root, signal)
        expected = signal.fingerprint(job.settings)
        parts.retire(part for part, one in parts.manifests().items() if one.fingerprint != expected)
    items = _plan(job)
    size = sum(text_bytes(item.contents) for item in items)
    if items and not is_warm():
        with progress.task("compile kernels (once a machine)", len(STEPS), "parts") as bar:
            for _ in job.engine.map(warm_step, STEPS):
                bar.advance(1)
    measured: set[str] = set()
    with progress.task("measure", size) as bar, contextlib.ExitStack() as stack:
        commit = {one.name: stack.enter_context(cache(job.root, one).committing()) for one in all_signals()}
        for _, (done, published) in job.engine.map(measure_part, items):
            for name, part in published:
                commit[name](part)
                measured.add(name)
            bar.advance(done)
    for signal in all_signals():  # every signal has an index, even without a row
        complete = fingerprint(signal.fingerprint(job.settings), job.inputs())
        cache(job.root, signal).set_facts({COMPLETE: complete})
    scanned, failed = scan(job)
    _write_index(job, failed)
    note = f"{len(measured)} signals: {', '.join(sorted(measured))}" if measured else "nothing new"
    return Done(size, "; ".join(filter(None, (note, scanned, *complaints))))


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
