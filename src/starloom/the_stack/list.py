"""`list`: one row per file of each repository's main revision, copies included, and what its path alone tells.

Reads no content of git repositories (git knows the hashes); folders, archives and distributions are read once to hash
them. A repository whose state token is that of the last listing is not listed again: its rows are copied; one that a
stopped run has listed is taken from where that left it. A repository that cannot be read costs itself: it is a problem,
and the next run tries it again. Then which repositories and folders are copies of others (see relations): of all, anew.
Cost: about 100,000 paths a second; folders at the speed of reading and SHA-1.
"""

import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from starloom import progress
from starloom.errors import UserError
from starloom.kernels.random import keyed_uint64
from starloom.languages.choice import LanguageSettings, judge
from starloom.sources.repository import RepositoryProblem, Source, names_before
from starloom.the_stack import door, relations, tables
from starloom.the_stack.listed import BATCH, Item, Listed, list_one, listed_before
from starloom.workspace.lock import FOLDER
from starloom.workspace.manifest import read_manifest
from starloom.workspace.stage import Done, Job, Stage

VERSION = 5  # 5: of joined licences each is named once
# An address at GitHub; `github.example.com` is a company's own.
_AT_GITHUB = re.compile(r"(?:[a-z+]+://)?(?:[^/@]*@)?(?:www\.|ssh\.)?github\.com(?:[:/].*)?", re.IGNORECASE | re.DOTALL)
_GITHUB = (
    *("github_id", "star_events_count", "fork_events_count", "former_names"),
    *(name for name in tables.REPOSITORIES.names if name.startswith("gha_")),
)


@dataclass(frozen=True)
class ListSettings:
    """`[list]`: how many repositories are taken, and which files are too large to be looked into."""

    sample_bytes: int = 0  # repositories in an order drawn by `seed`, until so many bytes; 0: all of them
    seed: int = 0
    max_bytes: int = 10 << 20  # larger files are listed and dropped, never read (10 MB: the paper, section 2.1)
    main_branch: str = "code"  # HEAD first, as the published code has it; "paper": main, then master
    opt_outs: str = ""  # plain file of what stays out, beside the log of `starloom opt-out`; empty: opt-outs.txt

    def __post_init__(self) -> None:
        if not 0 < self.max_bytes <= 1 << 30:
            raise UserError(f"[list] max_bytes = {self.max_bytes} is out of range", "use 1 to 1073741824 (1 GiB)")
        if self.sample_bytes < 0:
            raise UserError(f"[list] sample_bytes = {self.sample_bytes} is out of range", "use 0 for all, or more")
        if self.main_branch not in ("code", "paper"):
            raise UserError(f'[list] main_branch = "{self.main_branch}" is not known', 'use "code" or "paper"')


def _forecast(job: Job) -> str:
    states, previous = door.states(job), _previous(job)
    waiting = len(door.opened(job).unfetched)
    again = [name for name in states if name not in previous or previous[name]["state"] != states[name]]
    known = len(door.opened(job).sources)
    fetching = f"fetch {progress.counted(waiting, 'sources')}, " if waiting else ""
    return f"{fetching}list {min(len(again), known):,} of {progress.counted(known, 'repositories')}"


def _run(job: Job) -> Done:
    settings: ListSettings = job.settings.list
    if not job.settings.sources:
        raise UserError("no sources: starloom.toml names no repositories", 'add `[[sources]]` with `path = "…"`')
    door.fetch(job)
    opened = door.opened(job)
    states, previous = door.states(job), _previous(job)
    problems = [*opened.problems, *door.github_problems(job)]
    order = sorted(opened.sources, key=lambda source: source.repository().repo_name)
    if settings.sample_bytes:
        order.sort(key=lambda source: keyed_uint64(settings.seed, "list", source.repository().repo_name))
    fresh = {
        name
        for name, row in previous.items()
        if row["state"] == states.get(name) and not str(row["state"]).startswith("problem:")
    }
    waiting = job.root / FOLDER / "listed"
    waiting.mkdir(parents=True, exist_ok=True)
    listed, left_out, failed = _list_all(job, order, fresh, previous, waiting)
    for name, problem in failed:
        states[name] = f"problem:{problem.reason}"  # so that the next run finds another state, and tries again
    problems += [problem for _, problem in failed] + [_left_out(source) for source in left_out]
    rows = [one.repository for one in listed]
    _with_github(job, rows, order)
    first = 0
    for row in rows:
        row["first_row"] = first
        first += row["num_files"]
    with job.publish() as draft:
        draft.parquet("files.parquet", tables.LISTED_FILES, _merged(job, listed, previous))
        copies = _copies(job, draft.folder / "files.parquet", rows)
        draft.parquet("relations.parquet", tables.RELATIONS, [copies])
        draft.parquet("repositories.parquet", tables.REPOSITORIES, [pa.Table.from_pylist(rows, tables.REPOSITORIES)])
        draft.parquet("problems.parquet", tables.PROBLEMS, [_problem_table(problems)])
        draft.facts = {
            "repositories": len(rows),
            "files": first,
            "length_bytes": sum(row["length_bytes"] for row in rows),
            "problems": len(problems),
            "copies": dict(sorted(Counter(copies.column("kind").to_pylist()).items())),
        }
    shutil.rmtree(waiting, ignore_errors=True)
    return Done(sum(row["length_bytes"] for row in rows), _note(rows, first, problems))


def _note(rows: list[dict[str, Any]], files: int, problems: list[RepositoryProblem]) -> str:
    note = f"{progress.counted(len(rows), 'repositories')}, {progress.counted(files, 'files')}"
    words = {"repository": "not read (`starloom status` says why)", "sample": "left out by sample_bytes"}
    for rule in dict.fromkeys(problem.rule for problem in problems):
        count = sum(problem.rule == rule for problem in problems)
        note += f"; {count:,} {words.get(rule, f'dropped by {rule}')}"
    return note


def _left_out(source: Source) -> RepositoryProblem:
    repository = source.repository()
    return RepositoryProblem(
        repository.location,
        "left out: the sample is full",
        "raise sample_bytes under [list]",
        repo_name=repository.repo_name,
        rule="sample",
        rights=repository.rights,
    )


def _list_all(
    job: Job, order: list[Source], fresh: set[str], previous: Mapping[str, dict[str, Any]], folder: Path
) -> tuple[list[Listed], list[Source], list[tuple[str, RepositoryProblem]]]:
    """(what was listed, by repository name; the sources beyond the sample; the repositories that could not be read)."""
    settings: ListSettings = job.settings.list
    languages: LanguageSettings = job.settings.languages
    states = door.states(job)
    listed: list[Listed] = []
    failed: list[tuple[str, RepositoryProblem]] = []
    total = 0
    wave = job.engine.workers * 4 if settings.sample_bytes else max(len(order), 1)
    with progress.task("list", len(order), "repositories") as bar:
        for start in range(0, len(order), wave):
            some = order[start : start + wave]
            if settings.sample_bytes and total >= settings.sample_bytes:
                return _sorted(listed), order[start:], failed
            found = _known(job, some, fresh, previous, folder)
            bar.advance(len(found))
            items = [
                Item(source, str(_place(folder, source, states, job.settings)), settings.max_bytes, languages)
                for source in some
                if source.repository().repo_name not in found
            ]
            for item, answer in job.engine.map(list_one, items):
                found[item.source.repository().repo_name] = answer
                bar.advance(1)
            for number, source in enumerate(some):
                if settings.sample_bytes and total >= settings.sample_bytes:
                    return _sorted(listed), order[start + number :], failed
                repository = source.repository()
                answer = found[repository.repo_name]
                if isinstance(answer, RepositoryProblem):
                    named = replace(answer, repo_name=repository.repo_name, rights=repository.rights)
                    failed.append((repository.repo_name, named))
                else:
                    answer.repository["state"] = states[repository.repo_name]
                    listed.append(answer)
                    total += answer.repository["length_bytes"]
    return _sorted(listed), [], failed


def _known(
    job: Job, some: list[Source], fresh: set[str], previous: Mapping[str, dict[str, Any]], folder: Path
) -> dict[str, Listed | RepositoryProblem]:
    """What need not be listed: unchanged since the last listing, or listed by a run that was stopped."""
    found: dict[str, Listed | RepositoryProblem] = {}
    for source in some:
        name = source.repository().repo_name
        if name in fresh:
            found[name] = Listed(dict(previous[name]), "")
        elif before := listed_before(_place(folder, source, door.states(job), job.settings)):
            found[name] = before
    return found


def _place(folder: Path, source: Source, states: Mapping[str, str], settings: Any) -> Path:
    """Where a repository's rows wait to be merged: the name says all that they depend on."""
    name = source.repository().repo_name
    depends = json.dumps([VERSION, name, states[name], settings.list.max_bytes, judge(settings.languages).mark])
    return folder / f"{hashlib.sha256(depends.encode()).hexdigest()[:32]}.parquet"


def _sorted(listed: list[Listed]) -> list[Listed]:
    return sorted(listed, key=lambda one: str(one.repository["repo_name"]))


def _with_github(job: Job, rows: list[dict[str, Any]], sources: list[Source]) -> None:
    """Stars, forks and what else GitHub's events say of the repositories that may be GitHub's; of the others, and where
    no events are given, what their source says."""
    known = door.github(job, [row["repo_name"] for row in rows])
    own = {source.repository().repo_name: source.repository() for source in sources}
    for row in rows:
        repository = own[row["repo_name"]]
        elsewhere = repository.url is not None and not _AT_GITHUB.fullmatch(repository.url)
        events = next((known[one.lower()] for one in names_before(repository.repo_name) if one.lower() in known), None)
        if elsewhere or repository.kind not in ("git", "archived", "dataset"):
            events = None
        for name in _GITHUB:
            value = getattr(repository, name) if events is None else events[name]
            row[name] = list(value or ()) if name == "former_names" else value


def _copies(job: Job, files: Path, rows: list[dict[str, Any]]) -> pa.Table:
    """RELATIONS of what was listed; `rows`, the repositories, are told which of them are copies as a whole."""
    with progress.task("relate", len(rows), "repositories") as bar:
        found = relations.related(job.engine, [files], pa.Table.from_pylist(rows, tables.REPOSITORIES))
        bar.advance(len(rows))
    whole = {one["repo_name"]: one for one in found.filter(pc.equal(found.column("path"), "")).to_pylist()}
    for row in rows:
        copy = whole.get(row["repo_name"], {"kind": None, "share": None})
        row["repository_kind"], row["fork_share"] = copy["kind"], copy["share"]
    return found


def _previous(job: Job) -> dict[str, dict[str, Any]]:
    """Rows of the last listing by repository, if it was made with the same settings and code."""
    if "previous" not in job.shared:
        manifest = read_manifest(job.folder)
        usable = (
            manifest is not None
            and manifest.version == VERSION
            and manifest.settings.get("max_bytes") == job.settings.list.max_bytes
            and manifest.settings.get("linguist", "") == judge(job.settings.languages).mark
        )
        rows = pq.read_table(job.folder / "repositories.parquet").to_pylist() if usable else []
        job.shared["previous"] = {row["repo_name"]: row for row in rows}
    found: dict[str, dict[str, Any]] = job.shared["previous"]
    return found


def _merged(job: Job, listed: list[Listed], previous: Mapping[str, dict[str, Any]]) -> Iterator[pa.Table]:
    """The rows of every repository, in order: new ones from the workers' files, others from the last listing."""
    old = pq.ParquetFile(job.folder / "files.parquet") if any(not one.files for one in listed) else None
    for one in listed:
        if one.files:
            for batch in pq.ParquetFile(one.files).iter_batches(BATCH):
                yield pa.Table.from_batches([batch], tables.LISTED_FILES)
        elif old is not None:
            row = previous[one.repository["repo_name"]]
            yield from _slice(old, int(row["first_row"]), int(row["num_files"]))


def _slice(file: pq.ParquetFile, first: int, count: int) -> Iterator[pa.Table]:
    """`count` rows of a Parquet file from row `first` on, reading only the row groups they are in."""
    start = 0
    for group in range(file.metadata.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        low, high = max(first, start), min(first + count, start + rows)
        if low < high:
            yield file.read_row_group(group).slice(low - start, high - low).cast(tables.LISTED_FILES)
        start += rows


def _problem_table(problems: list[RepositoryProblem]) -> pa.Table:
    names = tables.PROBLEMS.names
    rows = [{name: getattr(one, name) for name in names} for one in problems]
    rows.sort(key=lambda row: tuple(str(row[name]) for name in names))
    return pa.Table.from_pylist(rows, tables.PROBLEMS)


def _settings(settings: Any) -> Any:
    kept: ListSettings = settings.list
    agreements = sorted(source.agreement for source in settings.sources if source.agreement)
    found: dict[str, Any] = {"gh_archive": settings.gh_archive, "agreements": agreements}
    if mark := judge(settings.languages).mark:
        found["linguist"] = mark
    for name in ("sample_bytes", "max_bytes", "main_branch"):
        found[name] = getattr(kept, name)
    return found | ({"seed": kept.seed} if kept.sample_bytes else {})


STAGE = Stage(
    name="list",
    folder=tables.LISTING,
    version=VERSION,
    reads=(),
    settings=_settings,
    run=_run,
    outside=door.states,
    forecast=_forecast,
)
