"""`pack`: the training text as streams of tokens, repository by repository, in shards, with what lies where.

Only `split = train`. A document is a repository as templates/repository lays it out, every text encoded by itself, the
tokenizer's own markers between them, its end of text at the end. Where `write` replaced something private by a marker
of which the tokenizer has a token, there stands that token. Each source of the mixture has a stream for each variant;
in a source of documents of another kind than files, each is one by itself (templates/notebook).

The dataset is sorted by repository, so it is cut into runs of whole repositories that workers pack on their own
(pack_run.py), in folders that are put together in order (pack_streams.py): the same dataset, tokenizer and settings
give the same bytes, whatever the number of workers. Runs that are finished are kept until all of it is published: a
`pack` that was killed goes on with them.

Memory a worker: 0.7 GB. Disk: twice the tokens. Cost: 35 MB of text a second of a core.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from starloom import progress
from starloom.documents.steps import FOLDER as DOCUMENTS
from starloom.errors import UserError
from starloom.languages.syntax.middles import mark
from starloom.settings import as_json
from starloom.the_stack import tables
from starloom.tokens import shards
from starloom.tokens.hub_format import FOLDER as TOKENIZER
from starloom.tokens.mixture import REST
from starloom.tokens.pack_plan import Plan, plan
from starloom.tokens.pack_run import ORDERED_BYTES, Run, pack_run
from starloom.tokens.pack_settings import PackSettings
from starloom.tokens.pack_streams import Finished, write_streams
from starloom.tokens.templates import notebook
from starloom.tokens.tokenizer import Tokenizer
from starloom.workspace import checked, operations
from starloom.workspace.lock import UNFINISHED
from starloom.workspace.manifest import fingerprint, open_folder
from starloom.workspace.stage import Done, Job, Stage, opened, standing

VERSION = 3


def _run(job: Job) -> Done:
    tokenizer = Tokenizer.open(job.root / TOKENIZER)
    settings: PackSettings = job.settings.pack
    kinds = _kinds(job.settings)
    notebook.check(kinds, tokenizer.special)
    documents = {kind: _proved(_place(job, kind)) for kind in kinds}
    planned = plan(_proved(job.root), job.settings.mixture, documents)
    if not planned.runs:
        raise UserError(
            f"{job.root / tables.DATASET} has no files to train on",
            "add sources, or see in `starloom report` which rule takes them",
        )
    finished = _finished(job, planned, tokenizer.sha256, slow=False)
    if not all(one.trusted for one in finished):
        progress.say("all of it is packed anew, so that every text has the ids that tokenizers gives it")
        finished = _finished(job, planned, tokenizer.sha256, slow=True)
    with job.publish() as draft:
        dtype = shards.dtype_of(tokenizer.vocabulary)
        streams = write_streams(draft, finished, planned.sources, settings.variants, dtype)
        first = [streams[shards.stream_name(source, 0)] for source in planned.sources]
        facts = draft.facts = {
            **{name: sum(one[name] for one in first) for name in ("tokens", "documents", "text_bytes")},
            "sources": list(planned.sources),
            "no_repositories": list(planned.without),
            "streams": streams,
            "vocabulary": tokenizer.vocabulary,
            "tokenizer": tokenizer.sha256,
            "dtype": dtype.name,
            "fill_in_the_middle": tokenizer.markers is not None,
            **as_json(settings),
        }
        if settings.file_order == "dependencies":
            facts["unordered_repositories"] = sum(one.larger_than(ORDERED_BYTES) for one in finished)
    operations.discard(_work(job))
    return Done(facts["text_bytes"], "; ".join(_notes(planned, facts)))


def _kinds(settings: Any) -> tuple[str, ...]:
    """The kinds of documents that the mixture asks for."""
    return tuple(dict.fromkeys(one.documents for one in settings.mixture if one.documents))


def _place(job: Job, kind: str) -> Path:
    """Where the documents of a kind are, as in a workspace."""
    return job.root / DOCUMENTS / kind


def _proved(root: Path) -> list[Path]:
    """The data files of the train split. Raises UserError when their bytes are not those that were written: a damaged
    text would become tokens and nobody would know."""
    paths = tables.dataset(root, "files", "train")
    folder = root / tables.DATASET
    files = [one for one in opened(folder, "write").files if folder / one.name in paths]
    for problem in checked.problems(root, folder, files).values():
        raise UserError(problem, f"delete {folder} and run `starloom build`: it is made again")
    return paths


def _finished(job: Job, planned: Plan, sha256: str, slow: bool) -> list[Finished]:
    """All runs, in order; those that a killed `pack` has finished are not done again."""
    settings, work, whole = job.settings.pack, _work(job), job.fingerprint()
    runs = []
    for number, part in enumerate(planned.runs):
        folder, identity = work / f"{number:06d}", fingerprint(whole, number, part.text_bytes, slow)
        decided = tables.decided(_place(job, part.kind))[0] if part.kind else None
        runs.append(Run(part, settings, job.root / TOKENIZER, sha256, slow, folder, identity, decided))
    operations.make_parents(work)
    left = [run for run in runs if _read(run) is None]
    strange = {run.folder for run in left} | set(work.iterdir()) - {run.folder for run in runs}
    for folder in sorted(strange):
        if folder.exists():
            operations.remove(folder)
    with progress.task("pack", sum(run.planned.text_bytes for run in runs), "bytes") as bar:
        bar.advance(sum(run.planned.text_bytes for run in runs) - sum(run.planned.text_bytes for run in left))
        largest_first = sorted(left, key=lambda run: -run.planned.text_bytes)  # so that none is waited for at the end
        for run, _ in job.engine.map(pack_run, largest_first):
            bar.advance(run.planned.text_bytes)
    found = []
    for run in runs:
        one = _read(run)
        if one is None:
            raise UserError(f"{run.folder} is damaged", "run `starloom pack` again: it does what is left")
        found.append(one)
    return found


def _read(run: Run) -> Finished | None:
    """What came of a run; None where it is to be done."""
    try:
        manifest = open_folder(run.folder)
    except UserError:
        return None
    return Finished(run.folder, manifest) if manifest and manifest.fingerprint == run.mark else None


def _work(job: Job) -> Path:
    """Where the runs are. They hold texts of the dataset, as tokens: `opt-out purge` removes them."""
    return job.root / UNFINISHED / job.stage.name


def _notes(planned: Plan, facts: Mapping[str, Any]) -> list[str]:
    """What a person is told."""
    variants = facts["variants"]
    tokens = progress.counted(facts["tokens"], "tokens") + (f" in each of {variants} variants" if variants > 1 else "")
    found = [f"{tokens}, {facts['text_bytes'] / facts['tokens']:.2f} bytes per token"]
    if planned.sources != (shards.ONLY,):
        found.append(", ".join(_shares(planned.sources, facts)))
    if planned.without:
        found.append(f"of [[mixture]] no repository belongs to {', '.join(planned.without)}")
    if not facts["fill_in_the_middle"] and facts["repository_rate"]:
        found.append("nothing cut for fill-in-the-middle: the tokenizer has no tokens for it")
    if facts.get("unordered_repositories"):
        found.append(f"{facts['unordered_repositories']} too large to be ordered by their imports")
    if facts["syntax_rate"]:
        seen = [stream["seen"] for stream in facts["streams"].values()]
        drawn, fell_back = (
            sum(one[name] for one in seen for name in names) for names in (["syntax"], ["no_grammar", "not_parsed"])
        )
        found.append(f"{drawn:,} middles are pieces of syntax, {fell_back:,} fell back to characters")
    return found


def _shares(sources: Sequence[str], facts: Mapping[str, Any]) -> list[str]:
    tokens = {source: facts["streams"][shards.stream_name(source, 0)]["tokens"] for source in sources}
    return [
        f"{source} {tokens[source] / facts['tokens']:.1%}" + (" (not trained on)" if source == REST else "")
        for source in sources
    ]


def _settings(settings: Any) -> dict[str, Any]:
    """Of the mixture, what decides which source a repository belongs to: no weights."""
    conditions = [
        [one.name, one.languages, one.repositories, *([one.documents] if one.documents else [])]
        for one in settings.mixture
        if not one.tokens
    ]
    return {**as_json(settings.pack), **({"mixture": as_json(conditions)} if settings.mixture else {})}


def _outside(job: Job) -> Mapping[str, str]:
    found = {"syntax": mark()} if job.settings.pack.syntax_rate else {}
    for kind in _kinds(job.settings):
        found[kind] = standing(opened(_place(job, kind) / tables.DATASET, "collect"))
    return found


def _forecast(job: Job) -> str:
    files = [pq.ParquetFile(path).metadata.num_rows for path in tables.dataset(job.root, "files", "train")]
    return f"pack {progress.counted(sum(files), 'files')}"


STAGE = Stage(
    name=shards.KIND,
    folder=shards.FOLDER,
    version=VERSION,
    reads=(tables.DATASET, TOKENIZER),
    settings=_settings,
    run=_run,
    outside=_outside,
    forecast=_forecast,
)
