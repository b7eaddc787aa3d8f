"""`list`: one row per file of each repository's main revision, copies included, and what its path alone tells.

Reads no content of git repositories (git knows the hashes); folders and distributions are read once to hash them. A
repository whose state token is that of the last listing is not listed again: its rows are copied. Cost: about 100,000
paths a second; folders at the speed of reading and SHA-1.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from starloom import progress
from starloom.errors import UserError
from starloom.kernels.random import keyed_uint64
from starloom.languages.detect import extension
from starloom.languages.generated import is_generated_name
from starloom.languages.vendored import path_facts
from starloom.licenses.candidates import is_license_candidate
from starloom.licenses.metadata import declared_expression
from starloom.sources.distributions import DistributionSource
from starloom.sources.folder import FolderSource
from starloom.sources.open import open_source
from starloom.sources.repository import (
    Entry,
    Opened,
    Repository,
    RepositoryProblem,
    Source,
    SourceError,
    unique_names,
)
from starloom.the_stack import tables
from starloom.workspace.manifest import read_manifest
from starloom.workspace.stage import Done, Job, Stage

VERSION = 1
_ROWS = 20_000  # rows gathered before they are written


@dataclass(frozen=True)
class SourceSettings:
    """One `[[sources]]` of starloom.toml."""

    path: str  # a folder, a git repository, a folder of repositories (relative to the workspace), or `installed`
    rights: str = "public"  # "owned": yours, never dropped for its licence, and not to be published


@dataclass(frozen=True)
class ListSettings:
    """`[list]`: how many repositories are taken, and which files are too large to be looked into."""

    sample_bytes: int = 0  # repositories in an order drawn by `seed`, until so many bytes; 0: all of them
    seed: int = 0
    max_bytes: int = 10 << 20  # larger files are listed and dropped, never read (10 MB: the paper, section 2.1)

    def __post_init__(self) -> None:
        if not 0 < self.max_bytes <= 1 << 30:
            raise UserError(f"[list] max_bytes = {self.max_bytes} is out of range", "use 1 to 1073741824 (1 GiB)")


@dataclass(frozen=True)
class _Listed:
    repository: dict[str, Any]
    files: str  # Parquet file of its rows


@dataclass(frozen=True)
class _Item:
    source: Source
    folder: str
    number: int
    max_bytes: int


def opened_sources(job: Job) -> Opened:
    """Every source of the settings, under names that are unique in the workspace; opened once a process."""
    if "sources" not in job.shared:
        sources: list[Source] = []
        problems: list[RepositoryProblem] = []
        for one in job.settings.sources:
            opened = open_source(_from_workspace(job.root, one.path), one.rights)
            sources += opened.sources
            problems += opened.problems
        job.shared["sources"] = Opened(unique_names(sources), problems)
    found: Opened = job.shared["sources"]
    return found


def _from_workspace(root: Path, text: str) -> str:
    """A relative path in starloom.toml is meant from the workspace, wherever the command is typed."""
    if text == "installed" or text.startswith(("installed:", "~", "/")) or "://" in text:
        return text
    return str(root / text)


def _states(job: Job) -> dict[str, str]:
    """State token by repository, with what the user declared of it; a source that cannot tell has its problem."""
    if "states" not in job.shared:
        opened = opened_sources(job)
        states = {}
        for source in opened.sources:
            repository = source.repository()
            try:
                states[repository.repo_name] = f"{source.state()} {repository.rights} {repository.location}"
            except SourceError as failure:
                states[repository.repo_name] = f"problem:{failure.problem.reason}"
        for problem in opened.problems:
            states[f"problem:{problem.location}"] = problem.reason
        job.shared["states"] = states
    found: dict[str, str] = job.shared["states"]
    return found


def _forecast(job: Job) -> str:
    states, previous = _states(job), _previous(job)
    again = [name for name in states if name not in previous or previous[name]["state"] != states[name]]
    return f"list {len(again):,} of {progress.counted(len(states), 'repositories')}"


def _run(job: Job) -> Done:
    settings: ListSettings = job.settings.list
    opened = opened_sources(job)
    if not job.settings.sources:
        raise UserError("no sources: starloom.toml names no repositories", 'add `[[sources]]` with `path = "…"`')
    states, previous = _states(job), _previous(job)
    problems = list(opened.problems)
    order = sorted(opened.sources, key=lambda source: source.repository().repo_name)
    if settings.sample_bytes:
        order.sort(key=lambda source: keyed_uint64(settings.seed, "list", source.repository().repo_name))
    fresh = {
        name
        for name, row in previous.items()
        if row["state"] == states.get(name) and not str(row["state"]).startswith("problem:")
    }
    with job.publish() as draft:
        folder = draft.worker_folder()
        listed, left_out = _list_all(job, order, fresh, previous, folder, problems)
        problems += [
            RepositoryProblem(
                source.repository().location, "left out: the sample is full", "raise sample_bytes under [list]"
            )
            for source in left_out
        ]
        rows = [one.repository for one in listed]
        first = 0
        for row in rows:
            row["first_row"] = first
            first += row["num_files"]
        draft.parquet("files.parquet", tables.LISTED_FILES, _merged(job, listed, previous))
        draft.parquet("repositories.parquet", tables.REPOSITORIES, [pa.Table.from_pylist(rows, tables.REPOSITORIES)])
        draft.parquet("problems.parquet", tables.PROBLEMS, [_problem_table(problems)])
        draft.facts = {
            "repositories": len(rows),
            "files": first,
            "length_bytes": sum(row["length_bytes"] for row in rows),
            "problems": len(problems),
        }
    note = f"{progress.counted(len(rows), 'repositories')}, {progress.counted(first, 'files')}"
    if unread := len(problems) - len(left_out):
        note += f"; {unread:,} not read (`starloom status` says why)"
    if left_out:
        note += f"; {len(left_out):,} left out by sample_bytes"
    return Done(sum(row["length_bytes"] for row in rows), note)


def _list_all(
    job: Job,
    order: list[Source],
    fresh: set[str],
    previous: Mapping[str, dict[str, Any]],
    folder: Path,
    problems: list[RepositoryProblem],
) -> tuple[list[_Listed], list[Source]]:
    """(what was listed, by repository name; the sources beyond the sample), the problems added to `problems`."""
    settings: ListSettings = job.settings.list
    states = _states(job)
    listed: list[_Listed] = []
    total = 0
    wave = job.engine.workers * 4 if settings.sample_bytes else max(len(order), 1)
    with progress.task("list", len(order), "repositories") as bar:
        for start in range(0, len(order), wave):
            if settings.sample_bytes and total >= settings.sample_bytes:
                return _sorted(listed), order[start:]
            some = order[start : start + wave]
            items = [
                _Item(source, str(folder), start + number, settings.max_bytes)
                for number, source in enumerate(some)
                if source.repository().repo_name not in fresh
            ]
            found: dict[str, _Listed | RepositoryProblem] = {
                name: _Listed(dict(previous[name]), "")
                for name in (source.repository().repo_name for source in some)
                if name in fresh
            }
            for item, answer in job.engine.map(_list_one, items):
                found[item.source.repository().repo_name] = answer
                bar.advance(1)
            for number, source in enumerate(some):
                if settings.sample_bytes and total >= settings.sample_bytes:
                    return _sorted(listed), order[start + number :]
                answer = found[source.repository().repo_name]
                if isinstance(answer, RepositoryProblem):
                    problems.append(answer)
                else:
                    answer.repository["state"] = states[source.repository().repo_name]
                    listed.append(answer)
                    total += answer.repository["length_bytes"]
    return _sorted(listed), []


def _sorted(listed: list[_Listed]) -> list[_Listed]:
    return sorted(listed, key=lambda one: str(one.repository["repo_name"]))


def _list_one(item: _Item) -> _Listed | RepositoryProblem:
    """In a worker: the rows of one repository into a Parquet file, sorted by path."""
    repository = item.source.repository()
    try:
        entries = list(item.source.entries(item.max_bytes))
        ids = {entry.content_id for entry in entries if entry.content_id}
        first_seen = item.source.first_seen(ids)
    except SourceError as failure:
        return failure.problem
    entries.sort(key=lambda entry: entry.path)
    path = Path(item.folder) / f"{item.number}.parquet"
    with pq.ParquetWriter(path, tables.LISTED_FILES) as writer:
        for start in range(0, len(entries), _ROWS):
            rows = [_row(repository, entry, first_seen) for entry in entries[start : start + _ROWS]]
            writer.write_table(pa.Table.from_pylist(rows, tables.LISTED_FILES))
    sizes = [entry.size or 0 for entry in entries if entry.entry_type == "file" and entry.content_id]
    row = {
        name: getattr(repository, name)
        for name in tables.REPOSITORIES.names
        if name not in ("state", "num_files", "length_bytes", "first_row")
    }
    row |= {"num_files": len(entries), "length_bytes": sum(sizes), "declared_license": _declared(item.source)}
    return _Listed(row, str(path))


def _row(repository: Repository, entry: Entry, first_seen: Mapping[str, Any]) -> dict[str, Any]:
    path = entry.path
    name = path.rpartition("/")[2]
    is_file = entry.entry_type == "file"
    return {
        "repo_name": repository.repo_name,
        "path": path,
        "file_name": name,
        "extension": extension(name),
        "entry_type": entry.entry_type,
        "mode": entry.mode,
        "length_bytes": entry.size,
        "content_id": entry.content_id,
        "first_seen": first_seen.get(entry.content_id or ""),
        **path_facts(path)._asdict(),
        "generated_name": is_generated_name(path) if is_file else None,
        "license_base": _license_base(repository, path) if is_file and is_license_candidate(path) else None,
        "problem": entry.problem,
    }


def _license_base(repository: Repository, path: str) -> str:
    """The folder that a licence file speaks for: its own. In a distribution's `.dist-info` it is the whole of it, or
    the folder below `licenses/` that it was in when the distribution was built (PEP 639)."""
    folder = path.rpartition("/")[0]
    top, _, inner = folder.partition("/")
    if repository.kind == "distribution" and top.endswith(".dist-info"):
        return inner.removeprefix("licenses").removeprefix("/")
    return folder


def _declared(source: Source) -> str | None:
    if isinstance(source, DistributionSource | FolderSource):
        stated = source.license_metadata()
        return declared_expression(stated.expression, stated.field, stated.classifiers)
    return None


def _previous(job: Job) -> dict[str, dict[str, Any]]:
    """Rows of the last listing by repository, if it was made with the same settings and code."""
    if "previous" not in job.shared:
        manifest = read_manifest(job.folder)
        usable = (
            manifest is not None
            and manifest.version == VERSION
            and manifest.settings.get("max_bytes") == job.settings.list.max_bytes
        )
        rows = pq.read_table(job.folder / "repositories.parquet").to_pylist() if usable else []
        job.shared["previous"] = {row["repo_name"]: row for row in rows}
    found: dict[str, dict[str, Any]] = job.shared["previous"]
    return found


def _merged(job: Job, listed: list[_Listed], previous: Mapping[str, dict[str, Any]]) -> Iterator[pa.Table]:
    """The rows of every repository, in order: new ones from the workers' files, others from the last listing."""
    old = pq.ParquetFile(job.folder / "files.parquet") if any(not one.files for one in listed) else None
    for one in listed:
        if one.files:
            for batch in pq.ParquetFile(one.files).iter_batches(_ROWS):
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
    rows = [{"location": one.location, "reason": one.reason, "hint": one.hint} for one in problems]
    rows.sort(key=lambda row: (str(row["location"]), str(row["reason"])))
    return pa.Table.from_pylist(rows, tables.PROBLEMS)


def _settings(settings: Any) -> Any:
    kept: ListSettings = settings.list
    return replace(kept, seed=0) if not kept.sample_bytes else kept


STAGE = Stage(
    name="list",
    folder=tables.LISTING,
    version=VERSION,
    reads=(),
    settings=_settings,
    run=_run,
    outside=_states,
    forecast=_forecast,
)
