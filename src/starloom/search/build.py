"""The stage `search`: the index of the dataset, made new or brought up to date. What it makes: see `layout`.

First all workers gather (`gathering`): which rows the index before this one has already, and of the others the texts,
apart by shard. Then, for each shard, they index what is new (`segments`) and settle it with what was there: rows that
the dataset no longer has are deleted, segments merged where there are many: of a new index, all. What stays as it was
is linked, not copied; files that are published are never written again, so whoever reads the old index goes on doing
so. Texts and names of removed files leave the disk at once; which words and trigrams were in some removed file, with
its segment. A shard of which more has gone than is left, or that has many small files of texts, is made anew. What is
finished outlives a run that is killed: see `work`.

Cost: 7 MB/s of one core, 4 MB/s with symbols; on the disk, while it runs, what is new a second time, tantivy's part a
third time.
"""

import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from starloom import progress
from starloom.errors import UserError
from starloom.languages.syntax import definitions
from starloom.search import fields, gathering, segments, shards, steps
from starloom.search.gathering import Gathering, Piece
from starloom.search.layout import FOLDER, KIND, SPLITS, VERSION
from starloom.search.settings import SearchSettings
from starloom.search.shards import Shard
from starloom.search.steps import Before
from starloom.search.work import Work, work_folder
from starloom.the_stack import tables
from starloom.workspace import checked
from starloom.workspace.manifest import Manifest, fingerprint, open_folder
from starloom.workspace.stage import Done, Job, Stage

SHARD_BYTES: Final = 16_000_000_000  # of text, where the settings do not say how many shards
GROUP_BYTES: Final = 128_000_000  # of text that one worker gathers, at least
MOST_GROUPS: Final = 64

T = TypeVar("T")


def _run(job: Job) -> Done:
    fields.schema()  # that tantivy is not installed is said now
    pieces = gathering.pieces([(split, path) for split in SPLITS for path in tables.dataset(job.root, "files", split)])
    text = sum(piece.bytes for piece in pieces)
    before = _before(job)
    number = _shards(job.settings.search, text, before)
    if before and before.facts["shards"] != number:
        before = None
    groups = _groups(pieces, text)
    made_of = [job.fingerprint(), before.content if before else "", number, list(map(len, groups))]
    work = Work(work_folder(job.root), fingerprint(made_of))
    work.begin()
    made = _shards_made(job, work, groups, [_shard_before(job, before, one) for one in range(number)])
    with job.publish() as draft:
        counts = [shards.publish(shard, work, draft) for shard in made]
        draft.facts = {
            "files": sum(files for files, _ in counts),
            "shards": number,
            "symbols": _symbols(job),
            "text_bytes": sum(size for _, size in counts),
        }
    work.end()
    assert draft.manifest is not None
    checked.remember(job.root, job.folder, draft.manifest.files)
    return Done(text, _note(draft.manifest, text, made))


def _before(job: Job) -> Manifest | None:
    """The index that is there, where it can be gone on from: of this version and these settings, and undamaged."""
    try:
        manifest = open_folder(job.folder)
    except UserError:
        return None
    if manifest is None or (manifest.kind, manifest.version) != (KIND, VERSION):
        return None
    if manifest.settings != job.json_settings() or checked.problems(job.root, job.folder, manifest.files):
        return None
    return manifest


def _shard_before(job: Job, before: Manifest | None, shard: int) -> Before | None:
    return Before.of(job.folder, before, shard) if before else None


def _shards(settings: SearchSettings, text: int, before: Manifest | None) -> int:
    """How many shards there are to be. An index that is there keeps its number until the text is twice or half it."""
    if settings.shards:
        return settings.shards
    number = max(-(-text // SHARD_BYTES), 1)
    there = int(before.facts["shards"]) if before else number
    return there if there <= 2 * number and number <= 2 * there else number


def _groups(pieces: Sequence[Piece], text: int) -> list[list[Piece]]:
    """The pieces of the dataset, in order, as workers gather them."""
    least = max(GROUP_BYTES, text // MOST_GROUPS)
    groups: list[list[Piece]] = []
    size = least
    for piece in pieces:
        if size >= least:
            groups.append([])
            size = 0
        groups[-1].append(piece)
        size += piece.bytes
    return groups


def _symbols(job: Job) -> bool:
    return bool(job.json_settings()["symbols"])


def _shards_made(
    job: Job, work: Work, groups: Sequence[Sequence[Piece]], before: Sequence[Before | None]
) -> list[Shard]:
    """All pieces of work done: what is to be published of each shard."""
    names = [f"gather-{number:03d}" for number in range(len(groups))]
    known = _known(job, before)
    gathers = [
        Gathering(work, name, tuple(group), len(before), _symbols(job), known)
        for name, group in zip(names, groups, strict=True)
    ]
    try:
        _each(job, "index: gather", gathering.gather, gathers, lambda task: sum(piece.bytes for piece in task.pieces))
    finally:
        gathering.close()
    made = [shards.planned(work, names, number, one) for number, one in enumerate(before)]
    copies = [shard.copying for shard in made if shard.copying]
    _each(job, "index: copy", steps.copy, copies, lambda _: 1, "shards")
    made = [shard.copied(work) for shard in made]
    slices = [shard.slices(work) for shard in made]
    every = [one for some in slices for one in some]
    if len(every) > 1:
        segments.warm()
    _each(job, "index", steps.index, every, lambda task: task.text_bytes)
    settling = [shard.settling(work, some) for shard, some in zip(made, slices, strict=True) if not shard.same]
    _each(job, "index: merge", steps.settle, settling, lambda _: 1, "shards")
    return made


def _known(job: Job, before: Sequence[Before | None]) -> Path | None:
    """A folder with what is in the index before this one."""
    folder = None
    for number, one in enumerate(before):
        if one:
            folder = job.scratch("search")
            gathering.write_known(folder, number, one.rows(["live", "mark"]))
    return folder


def _each(
    job: Job,
    what: str,
    do: Callable[[T], None],
    tasks: Sequence[T],
    amount: Callable[[T], int],
    unit: str = "bytes",
) -> None:
    """Does all of the tasks, and says so."""
    if not tasks:
        return
    with progress.task(what, sum(map(amount, tasks)), unit) as bar:
        for task, _ in job.engine.map(do, tasks):
            bar.advance(amount(task))


def _note(manifest: Manifest, text: int, made: Sequence[Shard]) -> str:
    """`30 files, 0.53x of the text`; and what is new, where the index was there before."""
    told = [progress.counted(manifest.facts["files"], "files")]
    if any(shard.before for shard in made):
        new = sum(part.rows for shard in made for part in shard.parts)
        told.append(f"{new:,} of them new, {sum(len(shard.gone) for shard in made):,} gone")
    if text:
        told.append(f"{manifest.bytes / text:.2f}x of the text")
    return ", ".join(told)


def _settings(settings: Any) -> dict[str, Any]:
    """Those that change the index; also what lower case is, and who finds symbols."""
    search: SearchSettings = settings.search
    return {
        "shards": search.shards,
        "symbols": definitions.mark() if search.symbols and definitions.available() else "",
        "unicode": unicodedata.unidata_version,
    }


STAGE = Stage(
    name=KIND,
    folder=FOLDER,
    version=VERSION,
    reads=(tables.DATASET,),
    settings=_settings,
    run=_run,
    forecast=lambda _job: "index the dataset's text",
    proved=True,
)
