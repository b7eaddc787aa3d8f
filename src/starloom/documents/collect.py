"""`collect`: documents of other kinds than source files, through the same stages.

For each kind there is a folder `documents/KIND/`, shaped as a workspace: `collect` renders the documents and writes
`listing/` and `files/` there, a document being a file whose content is its text; then measure, pair, decide and write
run in it with that kind's settings (steps.py). So a document has its ledger row as a file has, and `-w documents/KIND`
asks about it. Its path is that of the file it was made of, and so is its licence, decided before; it is held out where
files of its repository are. What is opted out, left out by its owner or too large is not collected; what cannot be
rendered is quarantined with the reason; what is no document of a kind is not listed there.

Whenever the ledger has changed, everything is rendered anew; equal parts keep what was measured of them, and parts of
documents that are gone go, with it. Memory: a part a worker, and the rows of all notebooks.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from starloom import progress
from starloom.documents import notebooks, steps
from starloom.documents.steps import FOLDER
from starloom.identity import blob_id, content_id
from starloom.the_stack import decide, measure, pair, read, tables, write
from starloom.the_stack import list as listing
from starloom.the_stack.door import opted_out
from starloom.the_stack.measure_part import cache
from starloom.the_stack.signal import all_signals
from starloom.workspace import atomic
from starloom.workspace.manifest import NAME, FileEntry, Manifest, fingerprint, hash_file, read_manifest, to_bytes
from starloom.workspace.operations import make_parents
from starloom.workspace.parts import Parts
from starloom.workspace.stage import COMPLETE, Done, Job, Stage

VERSION: Final = 1
STAGES: Final = (measure.STAGE, pair.STAGE, decide.STAGE, write.STAGE)  # what a kind goes through, in order

KINDS: Final[Mapping[str, Callable[[notebooks.Notebook], str]]] = {
    "notebook-scripts": notebooks.script,
    "notebook-structured": notebooks.structured,
}

_RENDERED = pa.schema([("made_of", pa.string()), ("language", pa.string()), ("problem", pa.string()), *tables.CONTENTS])

_NOTEBOOKS = f"""
SELECT {", ".join(f"l.{name}" for name in tables.DECIDED.names if name in tables.LEDGER_ROWS.names)},
  l.content_id AS made_of,
  l.repo_name IN (SELECT repo_name FROM ledger WHERE split = 'held_out') AS held_out
FROM ledger l JOIN contents c ON l.content_id = c.content_id
WHERE lower(l.path) LIKE '%.{notebooks.EXTENSION}'
  AND coalesce(l.rule, '') NOT IN ('opt-out', 'excluded-by-owner', 'too-large', 'not-a-file')
ORDER BY l.repo_name, l.path
"""

_LISTED = f"""
SELECT {", ".join(f"f.{name}" for name in tables.LISTED_FILES.names)}, n.made_of
FROM notebooks n JOIN files f ON n.repo_name = f.repo_name AND n.path = f.path
ORDER BY n.repo_name, n.path
"""


@dataclass(frozen=True)
class _Item:
    """In a worker: the notebooks of one part of the content cache."""

    contents: Path
    wanted: frozenset[str]
    folder: Path


def _run(job: Job) -> Done:
    used = _notebooks(job)
    done = 0
    notes = []
    if len(used):
        rendered, done = _render(job, used)
        for kind in KINDS:
            notes.append(_through(job, kind, [folder / f"{kind}.arrow" for folder in rendered], used))
    kinds = [*KINDS] if len(used) else []
    _write_index(job, kinds)
    for kind in KINDS.keys() - set(kinds):
        atomic.remove_folder(job.folder / kind)
    return Done(done, "; ".join(notes) or "no notebooks")


def _notebooks(job: Job) -> pa.Table:
    """As DECIDED, of each notebook that may be used."""
    given = {
        "ledger": tables.ledger(job.root),
        "contents": tables.contents(job.root) or tables.CONTENTS.empty_table(),
    }
    return job.engine.table(_NOTEBOOKS, given)


def _render(job: Job, used: pa.Table) -> tuple[list[Path], int]:
    """The folders with what came of each part of the content cache, in order; and the bytes of the notebooks."""
    wanted = frozenset(used.column("made_of").to_pylist())
    items = []
    for number, path in enumerate(tables.contents(job.root)):
        ids = wanted.intersection(pq.read_table(path, columns=["content_id"]).column(0).to_pylist())
        if ids:
            items.append(_Item(path, ids, job.scratch(f"collect-{number:06d}")))
    size = 0
    with progress.task("render", len(items), "parts") as bar:
        for _, done in job.engine.map(_render_part, items):
            size += done
            bar.advance(1)
    return [item.folder for item in items], size


def _render_part(item: _Item) -> int:
    """Into `KIND.arrow` of the item's folder: rows of _RENDERED, with a problem or a content."""
    rows: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    size = 0
    for batch in pq.ParquetFile(item.contents).iter_batches(
        64, columns=["content_id", "home", "length_bytes", "content"]
    ):
        some = batch.filter(pc.is_in(batch.column("content_id"), pa.array(sorted(item.wanted))))
        for row in some.to_pylist():
            size += row["length_bytes"]
            for kind, found in _of_notebook(row).items():
                rows[kind].append(found)
    for kind, some_rows in rows.items():
        table = pa.Table.from_pylist(some_rows, _RENDERED.remove(_RENDERED.get_field_index("original")))
        with pa.ipc.new_file(item.folder / f"{kind}.arrow", table.schema) as writer:
            writer.write_table(table)
    return size


def _of_notebook(row: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By kind, what a notebook is there; nothing where it is no document of it."""
    try:
        notebook = notebooks.parse(row["content"])
    except notebooks.NotebookError as problem:
        return {kind: _filled({"made_of": row["content_id"], "problem": str(problem)}) for kind in KINDS}
    found = {}
    for kind, render in KINDS.items():
        if text := render(notebook):
            data = text.encode()
            found[kind] = {
                "made_of": row["content_id"],
                "language": notebook.language,
                "content_id": content_id(data),
                "blob_id": blob_id(data),
                "length_bytes": len(data),
                "src_encoding": "UTF-8",
                "home": row["home"],
                "content": text,
            }
    return found


def _filled(row: dict[str, Any]) -> dict[str, Any]:
    """Columns that are never null hold nothing."""
    return dict.fromkeys(("content_id", "blob_id", "src_encoding", "home", "content"), "") | {"length_bytes": 0} | row


def _through(job: Job, kind: str, rendered: list[Path], used: pa.Table) -> str:
    """One kind, from what was rendered to its dataset. What there is to say of it."""
    root = job.folder / kind
    make_parents(root)
    atomic.recover(root)
    documents = pa.concat_tables([pa.ipc.open_file(path).read_all().drop_columns(["content"]) for path in rendered])
    _store(root, rendered)
    _list(job, root, documents, used)
    settings = steps.of_kind(job.settings, kind)
    for stage in STAGES:
        inner = Job(root, stage, settings, job.engine, {"opt_outs": opted_out(job)})
        if inner.state() != "fresh":
            stage.run(inner)
    ledger = read_manifest(root / tables.LEDGER)
    verdicts = ledger.facts["verdicts"] if ledger else {}
    kept = sum(verdicts.get(one, 0) for one in ("kept", "changed"))
    return f"{kind}: {kept:,} of {sum(verdicts.values()):,} kept"


def _store(root: Path, rendered: list[Path]) -> None:
    """The content cache of a kind: each text once, in parts of about read.PART_BYTES; what was measured of parts that
    are gone goes with them."""
    parts = Parts(root / tables.FILES, "files")
    names = []
    for table in _parted(rendered):
        ids = "\n".join(table.column("content_id").to_pylist())
        name = hashlib.sha256(f"{read.VERSION}\n{ids}".encode()).hexdigest()[:16]
        names.append(name)
        if name not in parts.manifests():
            with parts.publish(name, version=read.VERSION, fingerprint=name, inputs={}, settings={}) as draft:
                draft.parquet("contents.parquet", tables.CONTENTS, [table], row_group_bytes=read.GROUP_BYTES)
                draft.parquet("refused.parquet", tables.REFUSED, [tables.REFUSED.empty_table()])
            parts.commit(name)
    gone = parts.manifests().keys() - set(names)
    if gone:
        for signal in all_signals():
            cache(root, signal).retire(gone)
        parts.retire(gone)
    parts.set_facts({COMPLETE: hashlib.sha256("\n".join(names).encode()).hexdigest()})


def _parted(rendered: list[Path]) -> Iterator[pa.Table]:
    seen: set[str] = set()
    waiting: list[pa.Table] = []
    size = 0
    for path in rendered:
        table = pa.ipc.open_file(path).read_all()
        table = table.filter(pc.is_null(table.column("problem")))
        fresh = []
        for one in table.column("content_id").to_pylist():
            fresh.append(one not in seen)
            seen.add(one)
        table = table.filter(pa.array(fresh, pa.bool_()))
        table = table.append_column("original", pa.nulls(len(table), pa.binary()))
        waiting.append(table.select(tables.CONTENTS.names).cast(tables.CONTENTS))
        size += sum(table.column("length_bytes").to_pylist())
        if size >= read.PART_BYTES:
            yield pa.concat_tables(waiting)
            waiting, size = [], 0
    if any(map(len, waiting)):
        yield pa.concat_tables(waiting)


def _list(job: Job, root: Path, documents: pa.Table, used: pa.Table) -> None:
    """The listing of a kind: every copy of every notebook that is a document of it."""
    by_content = {row["made_of"]: row for row in documents.to_pylist()}
    given = {"files": tables.listed_files(job.root), "notebooks": used.select(["repo_name", "path", "made_of"])}
    files = []
    for row in job.engine.table(_LISTED, given).to_pylist():
        if document := by_content.get(row.pop("made_of")):
            files.append(row | _as_listed(row["file_name"], document))
    counts: dict[str, int] = {}
    sizes: dict[str, int] = {}
    for row in files:
        counts[row["repo_name"]] = counts.get(row["repo_name"], 0) + 1
        sizes[row["repo_name"]] = sizes.get(row["repo_name"], 0) + (row["length_bytes"] or 0)
    repositories = [
        row | {"num_files": counts[row["repo_name"]], "length_bytes": sizes[row["repo_name"]]}
        for row in pq.read_table(tables.repositories(job.root)[0]).to_pylist()
        if row["repo_name"] in counts
    ]
    first = 0
    for row in repositories:
        row["first_row"] = first
        first += row["num_files"]
    mark = fingerprint("documents", VERSION, job.fingerprint())
    with atomic.publish(
        root / tables.LISTING,
        kind="list",
        version=listing.VERSION,
        fingerprint=mark,
        inputs={},
        settings={},
        replace=True,
    ) as draft:
        draft.parquet("files.parquet", tables.LISTED_FILES, [pa.Table.from_pylist(files, tables.LISTED_FILES)])
        draft.parquet(
            "repositories.parquet", tables.REPOSITORIES, [pa.Table.from_pylist(repositories, tables.REPOSITORIES)]
        )
        draft.parquet("relations.parquet", tables.RELATIONS, [tables.RELATIONS.empty_table()])
        draft.parquet("problems.parquet", tables.PROBLEMS, [tables.PROBLEMS.empty_table()])
        draft.parquet("decided.parquet", tables.DECIDED, [used.select(tables.DECIDED.names).cast(tables.DECIDED)])


def _as_listed(name: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """What a document has otherwise in the listing than the file it was made of. It speaks for no folder's licence."""
    nothing = {"license_base": None, "is_license": False, "metadata_base": None}
    if document["problem"]:
        return nothing | {"content_id": None, "length_bytes": None, "problem": document["problem"]}
    called = notebooks.file_name(name, document["language"])
    return nothing | {
        "file_name": called,
        "extension": called.rpartition(".")[2],
        "content_id": document["content_id"],
        "length_bytes": document["length_bytes"],
    }


def _write_index(job: Job, kinds: list[str]) -> None:
    """documents/manifest.json, of the kinds; documents/KIND/manifest.json, of a kind's dataset and ledger."""
    for kind in kinds:
        _index(job, job.folder / kind, (tables.DATASET, tables.LEDGER))
    _index(job, job.folder, kinds)


def _index(job: Job, folder: Path, inner: Sequence[str]) -> None:
    files = []
    for name in sorted(inner):
        path = folder / name / NAME
        found = read_manifest(path.parent)
        rows = found.rows if found and name != tables.LEDGER else None
        files.append(FileEntry(f"{name}/{NAME}", path.stat().st_size, hash_file(path), rows))
    index = Manifest(
        kind=FOLDER,
        version=VERSION,
        fingerprint=job.fingerprint(),
        inputs=job.inputs(),
        settings=job.json_settings(),
        facts={},
        files=tuple(files),
    )
    make_parents(folder)
    atomic.replace_file(folder / NAME, to_bytes(index))


def _settings(settings: Any) -> Any:
    """Of each kind what its stages would say matters."""
    found = {}
    for kind in KINDS:
        own = steps.of_kind(settings, kind)
        found[kind] = {stage.name: stage.settings(own) for stage in STAGES}
    return found


def _forecast(job: Job) -> str:
    return f"collect documents of {progress.counted(len(_notebooks(job)), 'notebooks')}"


STAGE = Stage(
    name="collect",
    folder=FOLDER,
    version=VERSION,
    reads=(tables.LISTING, tables.FILES, tables.LEDGER),
    settings=_settings,
    run=_run,
    outside=lambda job: opted_out(job).mark,
    forecast=_forecast,
)
