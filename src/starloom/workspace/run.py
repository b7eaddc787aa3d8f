"""Running stages in order: what is stale, and only that; one writer; what each did and how fast.

Times and rates go to the terminal and to `.starloom/runs.jsonl`, never into what is published.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starloom import progress
from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.errors import UserError
from starloom.scratch import scratch_folder
from starloom.workspace import atomic, checked, erase, operations, spill
from starloom.workspace.lock import FOLDER, UNFINISHED, lock
from starloom.workspace.manifest import open_folder, read_manifest, remedy, verify
from starloom.workspace.stage import Job, Stage, State

RUNS = "runs.jsonl"
SPILL = "spill"


@dataclass(frozen=True)
class StageStatus:
    """A row of `starloom status`. `seconds`: how long its last run took, None when it never ran here. `problem`: what
    is damaged, or wrong outside, and keeps it from being made."""

    name: str
    state: State
    rows: int
    bytes: int
    seconds: float | None
    problem: str | None = None
    hint: str | None = None


@contextlib.contextmanager
def engine(root: Path, settings: EngineSettings) -> Iterator[LocalEngine]:
    """The embedded engine, spilling into the workspace or below the folder that the settings name; what it spilled is
    gone at the end. A workspace that may only be read is asked from among the system's temporary files."""
    with contextlib.ExitStack() as stack:
        if settings.spill or _writable(root):
            folder = stack.enter_context(spill.own(_spilled(root, settings)))
        else:
            folder = stack.enter_context(scratch_folder("starloom-spill-"))
        yield stack.enter_context(LocalEngine(settings, folder))


def _spilled(root: Path, settings: EngineSettings) -> Path:
    """Where runs spill, each into a folder of its own; nothing else is in it. Other machines may share it, be it by the
    workspace or by the settings."""
    if not settings.spill:
        return root / FOLDER / SPILL
    return root / Path(settings.spill).expanduser() / "starloom-spill"


def _writable(root: Path) -> bool:
    return os.access(root / FOLDER if (root / FOLDER).is_dir() else root, os.W_OK)


def build(
    root: Path,
    stages: Sequence[Stage],
    settings: Any,
    engine_settings: EngineSettings,
    command: str,
    shared: dict[str, Any] | None = None,
) -> list[StageStatus]:
    """Runs every stage of `stages`, in order, that is not fresh; `shared` is what they find in `Job.shared`. Raises
    UserError."""
    started = time.monotonic()
    ran = False
    with lock(root, command), engine(root, engine_settings) as local:
        atomic.recover(root)
        erase.finish(root)
        clear_spill(root, engine_settings)
        shared = {} if shared is None else shared
        width = max(len(stage.name) for stage in stages)
        for stage in stages:
            job = Job(root, stage, settings, local, shared)
            state = job.state()
            if amiss := _amiss(job, state):
                progress.say(f"{stage.name:<{width}}  {amiss}: it is made again")
            elif state == "fresh":
                operations.discard(root / UNFINISHED / stage.name)  # of a run killed after it had published
                progress.say(f"{stage.name:<{width}}  up to date")
                continue
            ran = True
            _run(job, width)
        statuses = [_status(Job(root, stage, settings, local, shared), "fresh") for stage in stages]
    took = time.monotonic() - started
    progress.say(f"{'built' if ran else 'nothing to do'}, {took:.1f} s")
    return statuses


def _amiss(job: Job, state: State) -> str | None:
    """What a person should hear of an output before it is replaced."""
    try:
        manifest = open_folder(job.folder)
    except UserError:  # most stages just run; a cache says what to do
        return None
    if manifest is None:
        return None
    if manifest.version > job.stage.version:
        return f"{job.folder} was written by a newer Starloom"
    if job.stage.proved and state == "fresh":
        return next(iter(checked.problems(job.root, job.folder, manifest.files).values()), None)
    return None


def clear_spill(root: Path, settings: EngineSettings) -> None:
    """Removes what killed runs spilled, on whatever machine; a living reader's folder stays."""
    spill.clear(_spilled(root, settings))


def _run(job: Job, width: int) -> None:
    name = job.stage.name
    started = time.monotonic()
    try:
        with operations.explained(job.folder):  # what a stage spills is written past the publication module
            done = job.stage.run(job)
    except UserError:
        raise
    except Exception as problem:
        _blame_damage(job, problem)
        raise
    seconds = time.monotonic() - started
    manifest = read_manifest(job.folder)
    rows = manifest.rows if manifest else 0
    rate = f"{done.bytes / 1e6 / max(seconds, 1e-6):,.1f} MB/s" if done.bytes else ""
    size = progress.human(done.bytes, "bytes") if done.bytes else ""
    progress.say(f"{name:<{width}}  {seconds:6.1f} s  {size:>9}  {rate:>11}  {done.note}".rstrip())
    _log(job.root, {"stage": name, "seconds": round(seconds, 3), "rows": rows, "bytes": done.bytes, "note": done.note})


def _blame_damage(job: Job, problem: Exception) -> None:
    """Raises UserError when what the stage read is not what was written; else the problem is a bug of ours."""
    for name in job.stage.reads:
        folder = job.root / name
        if damage := verify(folder):
            raise UserError(
                f"`{job.stage.name}` failed because of a damaged file: {damage[0]}",
                remedy(folder),
            ) from problem


def statuses(root: Path, stages: Sequence[Stage], settings: Any, engine_settings: EngineSettings) -> list[StageStatus]:
    """The state of every stage. What follows a stage that is not fresh is at best stale too."""
    with engine(root, engine_settings) as local:
        return [_status(job, state, problem) for job, state, problem, _ in _states(root, stages, settings, local)]


def forecasts(
    root: Path, stages: Sequence[Stage], settings: Any, engine_settings: EngineSettings
) -> list[tuple[str, State, str]]:
    """(stage, state, what a build would do), without doing it. Raises UserError for what the build would meet first."""
    with engine(root, engine_settings) as local:
        states = _states(root, stages, settings, local)
        return [(job.stage.name, state, _forecast(job, state, is_next)) for job, state, _, is_next in states]


def _states(
    root: Path, stages: Sequence[Stage], settings: Any, local: LocalEngine
) -> Iterator[tuple[Job, State, UserError | None, bool]]:
    """Each stage, its state, what is wrong with it, and whether all before it are fresh."""
    shared: dict[str, Any] = {}
    spoilt: set[str] = set()
    for stage in stages:
        job = Job(root, stage, settings, local, shared)
        state, problem = job.look()
        is_next = not spoilt
        if state == "fresh" and any(name.split("/")[0] in spoilt for name in stage.reads):
            state = "stale"
        if state != "fresh":
            spoilt.add(stage.folder)
        yield job, state, problem, is_next


def _forecast(job: Job, state: State, is_next: bool) -> str:
    if state == "fresh":
        return "nothing"
    try:
        job.inputs()
        _check_parts(job.folder)
        return job.stage.forecast(job) if job.stage.forecast else "run"
    except UserError:
        if is_next:
            raise
        return "run, after the stages before it"  # what it reads is not there yet


def _check_parts(folder: Path) -> None:
    """Raises UserError for a damaged part of a cache, which a build goes on from; an output is made again."""
    try:
        read_manifest(folder)
    except UserError:
        return
    total_bytes(folder)


def _status(job: Job, state: State, problem: UserError | None = None) -> StageStatus:
    try:
        manifest, size = read_manifest(job.folder), total_bytes(job.folder)
    except UserError as damage:
        hint = damage.hint
        if hint and hint.startswith("delete"):
            hint = remedy(job.folder)  # a part of a cache that is deleted alone is not made again
        manifest, size, state, problem = None, 0, "damaged", UserError(damage.problem, hint)
    last = last_runs(job.root).get(job.stage.name, {})
    seconds = last.get("seconds")
    return StageStatus(
        job.stage.name,
        state if manifest or problem else "missing",
        manifest.rows if manifest else 0,
        size,
        float(seconds) if isinstance(seconds, int | float) else None,
        problem.problem if problem else None,
        problem.hint if problem else None,
    )


def total_bytes(folder: Path) -> int:
    """Bytes that an output's manifest answers for, parts of a cache included."""
    manifest = read_manifest(folder)
    if manifest is None:
        return 0
    inner = [folder / file.name for file in manifest.files if file.name.endswith("/manifest.json")]
    return manifest.bytes + sum(total_bytes(path.parent) for path in inner)


def last_runs(root: Path) -> dict[str, dict[str, Any]]:
    """The last entry of each stage in the run log; a torn last line is passed over."""
    found: dict[str, dict[str, Any]] = {}
    with contextlib.suppress(OSError):
        for line in (root / FOLDER / RUNS).read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError, TypeError, KeyError):
                entry = json.loads(line)
                found[str(entry["stage"])] = entry
    return found


def _log(root: Path, entry: dict[str, Any]) -> None:
    stamped = {"at": datetime.now(UTC).isoformat(timespec="seconds")} | entry
    with contextlib.suppress(OSError), (root / FOLDER / RUNS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(stamped) + "\n")
