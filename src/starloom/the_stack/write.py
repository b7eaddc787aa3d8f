"""`write`: the dataset, by file and by repository, in The Stack v2's columns (content included in the files), with what
is private in the contents replaced as `[redact]` says, and where that was.

Contents lie by provisional home, the dataset by final keeper, so blobs may have to move: an external sort. Each part
of the cache is read once and its kept rows go to the scratch file of their output bucket, with what was found in them;
then each bucket is sorted, redacted and written. Memory: one bucket (about 64 MB of text) a worker, whatever share
moves; disk: once the kept text. Same ledger, contents and findings, same bytes.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from starloom import progress
from starloom.errors import UserError
from starloom.privacy.finding import KINDS
from starloom.privacy.replace import RedactSettings
from starloom.the_stack import redactions, tables
from starloom.workspace import parquet
from starloom.workspace.operations import Output
from starloom.workspace.stage import Done, Job, Stage

VERSION = 4
BUCKET_BYTES = 64 << 20  # of text sorted at a time; one data file each
GROUP_BYTES = 16 << 20  # of text in a row group
SPLITS = ("train", "held_out")
_SIGNALS = ("lines", redactions.SIGNAL)
_FOUND = pa.schema([("place", pa.int64()), ("findings", redactions.FINDINGS)])

# Every kept file in the dataset's order. `end` is the running sum of bytes, which cuts it into buckets.
_PLAN = """
SELECT l.split, l.content_id, c.blob_id, r.directory_id, l.path, l.detected_licenses, l.license_type, l.repo_name,
  r.snapshot_id, r.revision_id, r.branch_name, r.visit_date,
  r.revision_date, r.committer_date, r.github_id, r.star_events_count, r.fork_events_count,
  coalesce(r.gha_license_id, r.declared_license) AS gha_license_id, r.gha_event_created_at,
  r.gha_created_at, r.gha_language, c.src_encoding, l.language,
  l.is_vendor, l.is_generated, l.length_bytes, f.extension, s.alphanum_fraction, s.alpha_fraction, s.num_lines,
  s.avg_line_length, s.max_line_length, l.license_evidence, l.rights, l.quality_score, r.url,
  r.gha_updated_at, r.gha_pushed_at,
  sum(l.length_bytes) OVER (PARTITION BY l.split ORDER BY l.repo_name, l.path) - l.length_bytes AS before
FROM ledger l
JOIN repositories r ON l.repo_name = r.repo_name
JOIN files f ON l.repo_name = f.repo_name AND l.path = f.path
JOIN (SELECT DISTINCT content_id, blob_id, src_encoding FROM contents) c ON l.content_id = c.content_id
JOIN lines s ON l.content_id = s.content_id
WHERE l.split IS NOT NULL
ORDER BY l.split, l.repo_name, l.path
"""

_REPOSITORIES = """
SELECT p.repo_name, min(p.url) AS repo_url, min(p.snapshot_id) AS snapshot_id,
  min(p.revision_id) AS revision_id, min(p.directory_id) AS directory_id, min(p.branch_name) AS branch_name,
  min(p.visit_date) AS visit_date, min(p.revision_date) AS revision_date, min(p.committer_date) AS committer_date,
  min(p.github_id) AS github_id, min(p.star_events_count) AS star_events_count,
  min(p.fork_events_count) AS fork_events_count, min(p.gha_license_id) AS gha_license_id,
  min(p.gha_created_at) AS gha_created_at, min(p.gha_updated_at) AS gha_updated_at,
  min(p.gha_pushed_at) AS gha_pushed_at, min(p.gha_language) AS gha_language, min(p.rights) AS rights,
  count(*) AS num_files
FROM plan p WHERE p.split = $split GROUP BY p.repo_name ORDER BY p.repo_name
"""


@dataclass(frozen=True)
class _Route:
    """In a worker: the kept rows of one part, to their buckets."""

    root: Path  # of the workspace
    part: str  # of `files/`
    finds: bool  # whether what was found in them goes along
    folder: Path
    number: int
    rows: dict[str, tuple[int, int]]  # content_id → (bucket, place)


@dataclass(frozen=True)
class _Bucket:
    """In a worker: one data file."""

    pieces: tuple[Path, ...]
    found: tuple[Path, ...]
    settings: RedactSettings
    plan: pa.Table
    target: Path


def _run(job: Job) -> Done:
    plan = job.engine.table(
        _PLAN,
        {
            "ledger": tables.ledger(job.root),
            "repositories": tables.repositories(job.root),
            "files": tables.listed_files(job.root),
            "contents": tables.contents(job.root) or tables.CONTENTS.empty_table(),
            "lines": tables.signal_rows(job.root, "lines"),
        },
    )
    sizes = plan.column("length_bytes").to_numpy()
    buckets, names = _buckets(plan)
    text = int(sizes.sum())
    with job.publish() as draft:
        scratch = job.scratch("write")
        moved = _route(job, plan, buckets, scratch)
        items = []
        bounds = np.flatnonzero(np.diff(buckets, prepend=-1)) if len(buckets) else np.zeros(0, np.int64)
        folder = draft.worker_folder()
        for number, start in enumerate(bounds.tolist()):
            stop = int(bounds[number + 1]) if number + 1 < len(bounds) else len(plan)
            pieces, found = (tuple(sorted(scratch.glob(f"{number}-*.{end}"))) for end in ("arrow", "found"))
            target = folder / f"{number}.parquet"
            items.append(_Bucket(pieces, found, job.settings.redact, plan.slice(start, stop - start), target))
        replaced: Counter[str] = Counter()
        with progress.task("write", len(items), "data files") as bar:
            for _, counts in job.engine.map(_write_bucket, items):
                replaced.update(counts)
                bar.advance(1)
        for number, item in enumerate(items):
            draft.adopt(item.target, f"files/{names[number]}", len(item.plan))
        for split in SPLITS:
            rows = list(_repositories(job, plan, split))
            if rows:
                name = f"repositories/{split}-00000.parquet"
                draft.parquet(name, tables.DATASET_REPOSITORIES, rows, row_group_rows=1000)
        draft.write("README.md", _readme(plan).encode())
        owned = sum(one == "owned" for one in plan.column("rights").to_pylist())
        draft.facts = {
            "files": len(plan),
            "text_bytes": text,
            "moved": moved,
            "redactions": {kind: replaced[kind] for kind in KINDS if replaced[kind]},
            "publishable": owned == 0,
        }
    share = f"{100 * moved / max(len(plan), 1):.1f} % moved to another repository"
    private_note = f"; replaced: {redactions.counted(replaced)}" if replaced else ""
    owned_note = "; not publishable: it holds owned code" if owned else ""
    return Done(text, f"{progress.counted(len(plan), 'files')}, {share}{private_note}{owned_note}")


def _buckets(plan: pa.Table) -> tuple[Any, list[str]]:
    """(bucket of each row, the data file's name of each bucket); a bucket holds one split only."""
    before = plan.column("before").cast(pa.int64()).to_numpy()
    splits = plan.column("split").to_pylist()
    buckets = np.zeros(len(plan), dtype=np.int64)
    names: list[str] = []
    current: tuple[str, int] | None = None
    count: dict[str, int] = {}
    for row, (split, start) in enumerate(zip(splits, before.tolist(), strict=True)):
        key = (split, start // BUCKET_BYTES)
        if key != current:
            names.append(f"{split}-{count.get(split, 0):05d}.parquet")
            count[split] = count.get(split, 0) + 1
            current = key
        buckets[row] = len(names) - 1
    return buckets, names


def _route(job: Job, plan: pa.Table, buckets: Any, scratch: Path) -> int:
    """Kept contents into the scratch files of their buckets. Returns how many have left their provisional home."""
    place = {one: number for number, one in enumerate(plan.column("content_id").to_pylist())}
    repo_names = plan.column("repo_name").to_pylist()
    items = []
    moved = found = 0
    for number, path in enumerate(tables.contents(job.root)):
        narrow = pq.read_table(path, columns=["content_id", "home"])
        homes = dict(zip(narrow.column("content_id").to_pylist(), narrow.column("home").to_pylist(), strict=True))
        here = {one: (int(buckets[place[one]]), place[one]) for one in homes if one in place}
        found += len(here)
        moved += sum(repo_names[row] != homes[one] for one, (_, row) in here.items())
        if here:
            finds = bool(job.settings.redact.source.replaces)
            items.append(_Route(job.root, path.parent.name, finds, scratch, number, here))
    if found != len(place):
        raise UserError(
            f"{len(place) - found:,} kept contents are not in {job.root / tables.FILES}",
            f"delete {job.root / tables.FILES} and run `starloom build`: it is read again",
        )
    with progress.task("gather", len(items), "parts") as bar:
        for _ in job.engine.map(_route_part, items):
            bar.advance(1)
    return moved


def _route_part(item: _Route) -> None:
    file = pq.ParquetFile(item.root / tables.FILES / item.part / "contents.parquet")
    writers: dict[int, pa.RecordBatchFileWriter] = {}
    schema = pa.schema([("place", pa.int64()), ("content", pa.string())])
    try:
        for group in range(file.metadata.num_row_groups):
            ids = file.read_row_group(group, columns=["content_id"]).column(0).to_pylist()
            routes = [item.rows.get(one) for one in ids]
            if not any(routes):
                continue
            content = file.read_row_group(group, columns=["content"]).column(0)
            by_bucket: dict[int, list[tuple[int, int]]] = {}
            for row, route in enumerate(routes):
                if route:
                    by_bucket.setdefault(route[0], []).append((route[1], row))
            for bucket, rows in by_bucket.items():
                if bucket not in writers:
                    path = item.folder / f"{bucket}-{item.number:06d}.arrow"
                    writers[bucket] = pa.ipc.new_file(path, schema)
                taken = content.take(pa.array([row for _, row in rows]))
                writers[bucket].write_table(
                    pa.table([pa.array([place for place, _ in rows], pa.int64()), taken], schema=schema)
                )
    finally:
        for writer in writers.values():
            writer.close()
    if item.finds:
        _route_findings(item)


def _route_findings(item: _Route) -> None:
    """The findings in its contents, to the same buckets; contents without any are most of them, and left out."""
    found = redactions.of_part(item.root, item.part, item.rows)
    routes = [item.rows[one] for one in found.column("content_id").to_pylist()]
    for bucket in {bucket for bucket, _ in routes}:
        rows = [row for row, route in enumerate(routes) if route[0] == bucket]
        places = pa.array([routes[row][1] for row in rows], pa.int64())
        some = pa.table([places, found.column("findings").take(pa.array(rows))], schema=_FOUND)
        with pa.ipc.new_file(item.folder / f"{bucket}-{item.number:06d}.found", some.schema) as writer:
            writer.write_table(some)


def _write_bucket(item: _Bucket) -> Mapping[str, int]:
    """How many were replaced of each kind."""
    pieces = [pa.ipc.open_file(pa.memory_map(str(path))).read_all() for path in item.pieces]
    gathered = pa.concat_tables(pieces).sort_by("place")
    places, content = gathered.columns
    found = [pa.ipc.open_file(pa.memory_map(str(path))).read_all() for path in item.found]
    table = pa.concat_tables(found) if found else _FOUND.empty_table()
    rows = pc.index_in(table.column("place"), _whole(places)).to_pylist()
    findings = dict(zip(rows, table.column("findings").to_pylist(), strict=True))
    languages = item.plan.column("language").to_pylist()
    content, replaced = redactions.redacted(content, findings, languages, item.settings)
    plan = item.plan.drop_columns(["split", "before"])
    plan = plan.append_column("content", content).append_column("redactions", replaced)
    table = plan.select(tables.DATASET_FILES.names).cast(tables.DATASET_FILES)
    output = Output(item.target)
    try:
        parquet.write(output, tables.DATASET_FILES, [table], row_group_bytes=GROUP_BYTES)
        output.finish()
    finally:
        output.abandon()
    for path in (*item.pieces, *item.found):
        path.unlink()
    return Counter(replaced.flatten().field("kind").to_pylist())


def _repositories(job: Job, plan: pa.Table, split: str) -> Iterator[pa.Table]:
    """One row a repository, its files nested, in batches of some thousand files."""
    heads = job.engine.table(_REPOSITORIES, {"plan": plan}, {"split": split})
    some = plan.filter(pc.equal(plan.column("split"), split))
    names = [tables.REPOSITORY_FILE.field(k).name for k in range(tables.REPOSITORY_FILE.num_fields)]
    first = 0
    for start in range(0, len(heads), 1000):
        head = heads.slice(start, 1000)
        counts = head.column("num_files").to_numpy()
        rows = some.slice(first, int(counts.sum()))
        first += len(rows)
        columns = [rows.column(name).cast(tables.REPOSITORY_FILE.field(name).type) for name in names]
        files = pa.StructArray.from_arrays([_whole(one) for one in columns], fields=list(tables.REPOSITORY_FILE))
        offsets = pa.array(np.concatenate(([0], np.cumsum(counts))), pa.int32())
        lists = pa.ListArray.from_arrays(offsets, files)
        table = head.append_column("files", lists).select(tables.DATASET_REPOSITORIES.names)
        yield table.cast(tables.DATASET_REPOSITORIES)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks != 1 else column.chunk(0)


def _readme(plan: pa.Table) -> str:
    """The front matter that `datasets.load_dataset` reads, and what there is to know."""
    splits = [split for split in SPLITS if split in set(plan.column("split").to_pylist())]
    lines = ["---", "configs:"]
    for form, default in (("files", True), ("repositories", False)):
        lines.append(f"- config_name: {form}")
        lines += ["  default: true"] if default else []
        lines += ["  data_files:"] if splits else ["  data_files: []"]
        for split in splits:
            lines += [f"  - split: {split}", f"    path: {form}/{split}-*.parquet"]
    return "\n".join(
        [
            *lines,
            "---",
            "",
            "# Dataset",
            "",
            f"{len(plan):,} files, made by Starloom. `files`: one row a file, with its content; `repositories`: one",
            "row a repository, its files nested, without contents. Columns are named as in The Stack v2;",
            "`gha_license_id` holds the licence that GitHub's events state, else the one that is declared.",
            "`redactions`: where in the content something private was replaced, and its kind; all other columns,",
            "`content_id` and `length_bytes` among them, are about the file as it was.",
            "Why a file is in, or not, stands in the ledger.",
            "",
        ]
    )


STAGE = Stage(
    name="write",
    folder=tables.DATASET,
    version=VERSION,
    reads=(tables.LISTING, tables.FILES, *(f"{tables.SIGNALS}/{name}" for name in _SIGNALS), tables.LEDGER),
    settings=lambda settings: redactions.telling(settings.redact),
    run=_run,
    forecast=lambda _job: "write the dataset",
)
