"""The stage `membership`: tiles of every content of the dataset, both splits, in tables that find them by hash.

Contents are cut into shards by their ids, and a shard is made of segments (`layout`). The first run reads every data
file once (`parts`) and puts one segment a shard together (`segments`). A later one reads what the dataset has that the
index has not (`plan`); the rest is linked from the index that is there, which readers keep open as it was. Memory: a
row group and 30 bytes a tile of one data file for each worker, 40 bytes a content; disk: what is new twice for a while.
Same dataset and nothing there before, same bytes; whatever was there, same answers.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from starloom import progress
from starloom.membership import places
from starloom.membership.before import Before
from starloom.membership.layout import FOLDER, GONE, ORIGINS, VERSION, first_ids, shard_folder
from starloom.membership.parts import Part, Piece, tile_part
from starloom.membership.plan import Contents, ShardPlan, Source, contents_of, plan_shard
from starloom.membership.segments import Made, Pieces, write_segment
from starloom.membership.settings import SHARD_BYTES, MembershipSettings
from starloom.the_stack import origins, tables
from starloom.workspace import checked
from starloom.workspace.atomic import Draft
from starloom.workspace.manifest import fingerprint, read_manifest
from starloom.workspace.stage import Done, Job, Stage

RANGE_TILES = 1 << 18  # merged at a time: what a core's cache holds
_MOST_RANGES = 12  # bits
SPLITS = ("train", "held_out")

Occurrences: TypeAlias = Callable[[str, str], Any]  # rows of OCCURRENCES with content_ids between two


def _run(job: Job) -> Done:
    settings = _settings(job.settings)
    source = _source(job.root)
    with job.publish() as draft:
        write(
            draft,
            source,
            lambda first, beyond: origins.occurrences(job.root, job.engine, first, beyond),
            job.scratch(FOLDER),
            job.engine.map,
            settings,
            job.root,
        )
        facts = draft.facts
    if draft.manifest:
        checked.remember(job.root, job.folder, draft.manifest.files)
    kept = f", {progress.counted(facts['kept'], 'files')} kept" if facts["kept"] else ""
    note = f"{progress.counted(facts['files'], 'files')}, {progress.counted(facts['tiles'], 'tiles')}{kept}"
    return Done(facts["read_bytes"], note)


def write(
    draft: Draft,
    source: Source,
    occurrences: Occurrences,
    scratch: Path,
    run: Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[tuple[Any, Any]]],
    settings: MembershipSettings,
    root: Path | None = None,
) -> None:
    """The index of a dataset into a draft, with what can stay of the one in the workspace `root`. `run`: the engine's
    `map`. Raises UserError when there are too many tiles for the shards."""
    text = sum(_text_bytes(path) for _, path in source.files)
    shards = settings.shards or max(1, -(-text // SHARD_BYTES))
    contents = contents_of(source, shards)
    before = Before(root, source.written, shards, settings) if root else None
    plans = [
        plan_shard(contents, np.flatnonzero(contents.shards == number), before.segments(number) if before else ())
        for number in range(shards)
    ]
    pieces = _pieces(source, contents, plans, scratch, run, settings)
    made = _segments(draft, contents, plans, pieces, run, settings)
    about: list[list[dict[str, Any]]] = []
    repositories: set[str] = set()
    for number, plan in enumerate(plans):
        found = occurrences(*first_ids(number, shards))
        repositories |= set(pc.unique(found.column("repo_name")).to_pylist())
        about.append(_shard(draft, number, shards, contents, plan, made.get(number), found, before))
    told = [one for some in about for one in some]
    draft.facts |= {
        "width": settings.profile,
        "renamed": settings.renamed,
        "written": source.written,
        "shards": about,
        "tiles": sum(one["tiles"] for one in told),
        "files": len(contents.ids),
        "kept": len(contents.ids) - sum(len(plan.new) for plan in plans),
        "repositories": len(repositories),
        "text_bytes": text,
        "read_bytes": sum(one.text_bytes for some in pieces.values() for _, one in some),
    }


def _pieces(
    source: Source,
    contents: Contents,
    plans: Sequence[ShardPlan],
    scratch: Path,
    run: Any,
    settings: MembershipSettings,
) -> dict[int, list[tuple[int, Piece]]]:
    """By shard, (data file, what came of it), in order."""
    goes = np.full(len(contents.ids), -1, dtype=np.int16)
    for number, plan in enumerate(plans):
        goes[plan.new] = number
    new = [int(contents.sizes[plan.new].sum()) // settings.profile for plan in plans]
    ranges = min((max(new, default=0) // RANGE_TILES).bit_length(), _MOST_RANGES)
    parts = []
    for number, (_, path) in enumerate(source.files):
        rows = np.full(pq.read_metadata(path).num_rows, -1, dtype=np.int16)
        here = contents.file == number
        rows[contents.row[here]] = goes[here]
        if (rows >= 0).any():
            parts.append(Part(path, scratch, number, rows, settings.profile, settings.renamed, ranges))
    found: dict[int, list[tuple[int, Piece]]] = {}
    with progress.task("tile", sum(part.source.stat().st_size for part in parts)) as bar:
        for part, pieces in run(tile_part, parts):
            for shard, piece in pieces.items():
                found.setdefault(shard, []).append((part.number, piece))
            bar.advance(part.source.stat().st_size)
    return {shard: sorted(pieces, key=lambda one: one[0]) for shard, pieces in found.items()}


def _segments(
    draft: Draft,
    contents: Contents,
    plans: Sequence[ShardPlan],
    pieces: dict[int, list[tuple[int, Piece]]],
    run: Any,
    settings: MembershipSettings,
) -> dict[int, Made]:
    """By shard, the new segment of it, in the draft."""
    folder = draft.worker_folder()
    items, shard_of = [], {}
    for number, plan in enumerate(plans):
        if not len(plan.new):
            continue
        files = np.array([file for file, _ in pieces[number]], dtype=np.int64)
        piece = np.searchsorted(files, contents.file[plan.new])
        order = np.lexsort((contents.row[plan.new], piece))  # as they were read
        begins = np.searchsorted(piece[order], np.arange(len(files)))
        nth = np.empty(len(order), dtype=np.int64)
        nth[order] = np.arange(len(order)) - begins[piece[order]]
        place = folder / shard_folder(number, len(plans))
        place.mkdir()
        found = [one for _, one in pieces[number]]
        ids, marks = contents.ids[plan.new], contents.marks[plan.new]
        shard_of[str(place)] = number
        items.append(Pieces(place, plan.number, settings.profile, found, ids, marks, piece, nth))
    made = {}
    with progress.task("merge", len(items), "shards") as bar:
        for item, one in run(write_segment, items):
            made[shard_of[str(item.folder)]] = one
            bar.advance(1)
    for item in items:
        number = shard_of[str(item.folder)]
        for name in made[number].names:
            base = f"{item.number}-{name}.bin"
            draft.adopt(item.folder / base, f"{shard_folder(number, len(plans))}/{base}", None)
        item.folder.rmdir()
    return made


def _shard(
    draft: Draft,
    number: int,
    shards: int,
    contents: Contents,
    plan: ShardPlan,
    made: Made | None,
    found: Any,
    before: Before | None,
) -> list[dict[str, Any]]:
    """What of a shard is linked or written anew at every run. Returns what the facts say of its segments."""
    folder = shard_folder(number, shards)
    ranges = places.Ranges(found)
    with draft.create(f"{folder}/{ORIGINS}") as output:
        places.write(output, found)
        output.rows = len(found)
    segments = []
    for kept in plan.kept:
        assert before is not None
        ids, about = before.keep(draft, number, kept.number, kept.states)
        segments.append((kept.number, ids, kept.states, about))
    if made:
        segments.append((plan.number, contents.ids[plan.new], contents.states[plan.new], made.about))
    for segment, ids, states, _ in segments:
        first, count = ranges.of(ids)
        gone = states == GONE
        first[gone], count[gone] = 0, 0
        for name, column in (("state", states), ("origin_first", first), ("origin_count", count)):
            draft.write(f"{folder}/{segment}-{name}.bin", column.astype(column.dtype.newbyteorder("<")).tobytes())
    return [about for *_, about in segments]


def _source(root: Path) -> Source:
    files = [(split, path) for split in SPLITS for path in tables.dataset(root, "files", split)]
    manifest = read_manifest(root / tables.DATASET)
    assert manifest is not None  # its files were just read
    return Source(files, fingerprint(manifest.version, manifest.settings))


def _text_bytes(path: Path) -> int:
    if "length_bytes" not in pq.read_schema(path).names:
        return 0
    return int(pc.sum(pq.read_table(path, columns=["length_bytes"]).column(0)).as_py() or 0)


def _settings(settings: Any) -> MembershipSettings:
    found: MembershipSettings = settings.membership
    return found


def _forecast(job: Job) -> str:
    rows = sum(pq.ParquetFile(path).metadata.num_rows for _, path in _source(job.root).files)
    return f"tile {progress.counted(rows, 'files')}"


STAGE = Stage(
    name="membership",
    folder=FOLDER,
    version=VERSION,
    reads=(tables.DATASET, tables.LEDGER, tables.LISTING),
    settings=_settings,
    run=_run,
    forecast=_forecast,
    proved=True,
)
