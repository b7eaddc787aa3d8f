"""At the door: what the settings name is opened, asked whether it may come in, and fetched where it lies elsewhere.

Opt-outs are asked before anything is fetched, with every name that a repository is known to have had. Fetched things
lie below `.starloom/fetched` in the workspace and stay at the revision they were fetched at until `build --update`.
What cannot be fetched is a problem of this run and is tried again by the next.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa

from starloom import progress
from starloom.outside.paths import printable
from starloom.outside.processes import kill_all
from starloom.sources import gh_archive
from starloom.sources.open import absolute, open_source
from starloom.sources.repository import (
    Opened,
    Place,
    RepositoryProblem,
    Source,
    SourceError,
    Unfetched,
    names_before,
    unique_names,
)
from starloom.the_stack import opt_outs
from starloom.workspace.lock import FOLDER
from starloom.workspace.stage import Job

UPDATE = "update"  # in `job.shared`: fetch again what can have changed
_PARALLEL = 4  # fetches at a time
_GOODBYE = 0.5  # seconds for interrupted fetches to tidy up


def place(job: Job) -> Place:
    """Where this workspace keeps what it fetched."""
    settings = job.settings.list
    here = Place(
        folder=job.root / FOLDER / "fetched",
        engine=job.engine,
        update=bool(job.shared.get(UPDATE)),
        main_branch=settings.main_branch,
        max_bytes=settings.max_bytes,
    )
    return replace(here, github=gh_archive.prepared(here)) if job.settings.gh_archive.path else here


def opened(job: Job) -> Opened:
    """Every source of the settings that may come in, under names that are unique in the workspace; opened once a
    process. Those that may not are among the problems, with the rule `opt-out`."""
    if "sources" not in job.shared:
        refused = opted_out(job)
        here = place(job)
        failed: dict[str, RepositoryProblem] = job.shared.get("failed", {})
        sources: list[Source] = []
        problems: list[RepositoryProblem] = []
        unfetched: list[Unfetched] = []
        for one in job.settings.sources:
            contents = absolute(one.contents, job.root) if one.contents else ""
            asked = replace(one, path=absolute(one.path, job.root), contents=contents)
            found = open_source(asked, here)
            problems += [replace(problem, rights=one.rights) for problem in found.problems]
            for source in found.sources:
                repository = source.repository()
                if entry := refused.covering(_names(job, repository.repo_name, *repository.former_names)):
                    problems.append(_opted_out(repository.location, repository.repo_name, entry, one.rights))
                else:
                    sources.append(source)
            for waiting in found.unfetched:
                if entry := refused.covering(_names(job, waiting.repo_name) if waiting.repo_name else ()):
                    problems.append(_opted_out(waiting.location, waiting.repo_name, entry, one.rights))
                elif waiting.location in failed:
                    problems.append(replace(failed[waiting.location], rights=one.rights))
                else:
                    unfetched.append(waiting)
        job.shared["sources"] = Opened(unique_names(sources), problems, unfetched)
    found = job.shared["sources"]
    assert isinstance(found, Opened)
    return found


def opted_out(job: Job) -> opt_outs.OptOuts:
    """The workspace's opt-outs, read once a process: what a stage asks and what its fingerprint says are the same."""
    if "opt_outs" not in job.shared:
        job.shared["opt_outs"] = opt_outs.of(job.root, job.settings.list.opt_outs)
    found = job.shared["opt_outs"]
    assert isinstance(found, opt_outs.OptOuts)
    return found


def states(job: Job) -> dict[str, str]:
    """State token by repository, with what the user declared of it; a source that cannot tell has its problem."""
    if "states" not in job.shared:
        found = opened(job)
        tokens: dict[str, str] = {}
        for source in found.sources:
            repository = source.repository()
            try:
                tokens[repository.repo_name] = f"{source.state()} {repository.rights} {repository.location}"
            except SourceError as failure:
                tokens[repository.repo_name] = f"problem:{failure.problem.reason}"
        tokens |= {f"problem:{one.location}": one.reason for one in found.problems}
        tokens |= {f"unfetched:{one.location}": "" for one in found.unfetched}
        if job.settings.gh_archive.path:
            tokens["gh_archive"] = gh_archive.state(_events(job))
        job.shared["states"] = tokens
    answer: dict[str, str] = job.shared["states"]
    return answer


def fetch(job: Job) -> None:
    """Fetches and prepares what is not there yet; `opened` then has the sources, and the problems of what failed."""
    if job.settings.gh_archive.path and "github" not in job.shared:
        job.shared["github"] = gh_archive.prepare(_events(job), place(job))
        job.shared.pop("former_names", None)
        _forget(job)
    waiting = opened(job).unfetched
    if not waiting:
        return
    here = place(job)
    failed: dict[str, RepositoryProblem] = {}
    with progress.task("fetch", len(waiting), "sources") as bar:
        for one, problem in _fetched(waiting, here):
            if isinstance(problem, SourceError):
                named = problem.problem.repo_name or one.repo_name
                failed[one.location] = replace(problem.problem, repo_name=named)
            elif problem is not None:
                raise problem
            bar.advance(1)
    job.shared["failed"] = failed
    job.shared[UPDATE] = False
    _forget(job)
    told = {one.location for one in opened(job).problems}
    for location, why in failed.items():
        if location not in told:  # what was fetched before is still there
            progress.say(printable(f"{location}: not updated, it stays as it was: {why.reason}"))


def _fetched(waiting: list[Unfetched], here: Place) -> Iterator[tuple[Unfetched, BaseException | None]]:
    """Each with what went wrong, as they finish: those that wait for the network in threads, then the others. The
    threads are daemons and their programs are killed on Ctrl-C: nobody waits for a slow server to say goodbye."""
    todo: queue.SimpleQueue[Unfetched] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[Unfetched, BaseException | None]] = queue.SimpleQueue()
    several = [one for one in waiting if not one.alone]
    for one in several:
        todo.put(one)

    def work() -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                one = todo.get_nowait()
                done.put((one, _problem_of(one, here)))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(_PARALLEL, len(several)))]
    for thread in threads:
        thread.start()
    try:
        for _ in several:
            yield done.get()
    except BaseException:
        with contextlib.suppress(queue.Empty):
            while True:
                todo.get_nowait()
        kill_all()
        end = time.monotonic() + _GOODBYE
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))  # those whose program was killed tidy up
        raise
    for one in waiting:
        if one.alone:
            yield one, _problem_of(one, here)


def _problem_of(one: Unfetched, here: Place) -> BaseException | None:
    try:
        one.fetch(here)
    except KeyboardInterrupt:
        raise
    except BaseException as problem:
        return problem
    return None


def _events(job: Job) -> gh_archive.GhArchiveSettings:
    """`[gh_archive]`, its path meant from the workspace."""
    settings = job.settings.gh_archive
    path = settings.path if settings.path.startswith("gharchive:") else absolute(settings.path, job.root)
    return gh_archive.GhArchiveSettings(path, settings.until, settings.address)


def _forget(job: Job) -> None:
    job.shared.pop("sources", None)
    job.shared.pop("states", None)


def _names(job: Job, name: str, *others: str) -> Iterable[str]:
    """What a repository is called, and every name that it is known to have had."""
    known = former_names(job)
    return (name, *others, *(former for one in names_before(name) for former in known.get(one.lower(), ())))


def former_names(job: Job) -> dict[str, tuple[str, ...]]:
    """By repository name in lower case, as far as GH Archive's events are given and prepared."""
    if "former_names" not in job.shared:
        path = place(job).github
        if path is None:
            return {}
        rows = gh_archive.read_repositories(path).select(["name_key", "former_names"]).to_pylist()
        named = [row for row in rows if row["name_key"] and row["former_names"]]
        job.shared["former_names"] = {row["name_key"]: tuple(row["former_names"]) for row in named}
    found: dict[str, tuple[str, ...]] = job.shared["former_names"]
    return found


def github(job: Job, names: list[str]) -> dict[str, dict[str, Any]]:
    """What GH Archive's events say of these repositories, by name in lower case; after `fetch`."""
    path = job.shared["github"][0] if "github" in job.shared else None
    if path is None:
        return {}
    table = gh_archive.read_repositories(path)
    wanted = {one.lower() for name in names for one in names_before(name)}
    keys = table.column("name_key").to_pylist()
    rows = table.filter(pa.array([key in wanted for key in keys], pa.bool_())).to_pylist()
    return {row["name_key"]: row for row in rows}


def github_problems(job: Job) -> list[RepositoryProblem]:
    """Hourly files that could not be read."""
    found: list[RepositoryProblem] = job.shared["github"][1] if "github" in job.shared else []
    return found


def _opted_out(location: str, repo_name: str | None, entry: str, rights: str) -> RepositoryProblem:
    reason = f"opted out: {entry}"
    return RepositoryProblem(location, reason, None, repo_name=repo_name, rule="opt-out", rights=rights)
