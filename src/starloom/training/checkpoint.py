"""Checkpoints of a run: all that its next step depends on, as published folders that name no older one.

`step-NNNNNN/` of one process is a Hugging Face model folder (the weights as they are after that step) with
`training.safetensors` (moments, average; no pickle) and the run's `loss.jsonl` up to there. Of several processes, each
writes the rows that it holds into `process-R-of-N.safetensors` (`shards.py`), and any number of processes goes on from
them. Either is whole or absent; before one is taken up, every byte of it is checked, and a damaged one is named and
passed over for the one before.

It is written while the run goes on: `publish` copies the tensors to main memory, as much as the process holds of them,
and a thread does the rest; the next `publish` waits for it, and `close`. What it could not do is raised there.
"""

import hashlib
import re
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from starloom.errors import UserError
from starloom.progress import say
from starloom.starcoder2 import safetensors_files
from starloom.training import runs, shards
from starloom.training.shards import Part
from starloom.training.world import World
from starloom.workspace import atomic, operations
from starloom.workspace.manifest import NAME as MANIFEST
from starloom.workspace.manifest import FileEntry, Manifest, problem_of, read_manifest, verify

KIND: Final = "checkpoint"
VERSION: Final = 3  # 2: named the optimizer's tensors otherwise; 1: did not say which samples were consumed
TRAINING: Final = "training.safetensors"

_NAME: Final = re.compile(r"step-(\d{6,})")


@dataclass(frozen=True)
class Identity:
    """Which run a checkpoint is of: one of another run is never taken up."""

    fingerprint: str
    inputs: dict[str, str]
    settings: dict[str, Any]

    def publish(self, folder: Path, kind: str, version: int) -> AbstractContextManager[atomic.Draft]:
        """A draft of what this run makes; replaces the one that is there. Raises UserError."""
        return atomic.publish(
            folder,
            kind=kind,
            version=version,
            fingerprint=self.fingerprint,
            inputs=self.inputs,
            settings=self.settings,
            replace=True,
        )


@dataclass(frozen=True)
class Checkpoint:
    """A whole one, every byte of it checked. `step`: steps done."""

    folder: Path
    step: int

    def restore(self, weights: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> None:
        """Copies into these tensors, in place, what was published under their names; of sharded ones, this process's
        rows. Raises UserError when they are not those of the checkpoint, or have other shapes."""
        names = [file.name for file in self._manifest.files if file.name.endswith(shards.SUFFIX)]
        shards.read([self.folder / name for name in names], {**weights, **state})

    def samples(self) -> dict[str, Any]:
        """Where its loader was."""
        found: dict[str, Any] = self._manifest.facts["samples"]
        return found

    def losses(self) -> bytes:
        """loss.jsonl as it was."""
        return (self.folder / runs.LOSSES).read_bytes()

    @property
    def _manifest(self) -> Manifest:
        found = read_manifest(self.folder)
        assert found is not None
        return found


@dataclass(frozen=True)
class _Work:
    """A checkpoint to be written: nothing in it changes any more."""

    step: int
    weights: dict[str, Part]
    state: dict[str, Part]
    files: dict[str, bytes]
    losses: bytes
    facts: dict[str, Any]


class Checkpoints:
    """Those of one run, in `folder` = models/RUN/checkpoints. The first process holds the workspace's lock; every
    process calls the same."""

    def __init__(self, folder: Path, identity: Identity, keep: int, world: World) -> None:
        self.folder, self.identity, self.keep, self.world = folder, identity, keep, world
        self._damaged: set[Path] = set()
        self._thread = ThreadPoolExecutor(1, "checkpoint")
        self._writing: Future[None] | None = None

    def newest(self) -> Checkpoint | None:
        """The newest whole one; None when there is none at all. Damaged ones are named on the terminal.

        Raises UserError when all are damaged, when the newest is of another run, and when the processes do not see the
        same folder.
        """
        problems = []
        for step, folder in self._agreed():
            if problem := self._problem(folder):
                problems.append(problem)
                self._damaged.add(folder)
                say(f"note: {folder.name} is damaged and passed over: {problem}")
                continue
            return Checkpoint(folder, step)
        if problems:
            raise UserError(f"no checkpoint in {self.folder} is whole: {problems[0]}", _anew(self.folder))
        return None

    def any(self) -> bool:
        """Whether there is one, damaged or not; waits for the one that is being written."""
        wait([self._writing] if self._writing else [])  # what it met is raised by whoever joins it
        return bool(self._there())

    def publish(
        self,
        step: int,
        weights: Mapping[str, Tensor],
        state: Mapping[str, Tensor],
        files: Mapping[str, bytes],
        losses: bytes,
        facts: Mapping[str, Any],
    ) -> None:
        """Begins to write the checkpoint after `step` steps; those beyond `keep`, and the damaged, go once it is there.

        weights, state: by names that are all different. They may change as soon as this comes back. Raises UserError
        for what the checkpoint before met.
        """
        self._join()
        if twice := weights.keys() & state.keys():
            raise ValueError(f"{min(twice)} is both a weight and a state")
        work = _Work(step, shards.snapshot(weights), shards.snapshot(state), dict(files), losses, dict(facts))
        self._writing = self._thread.submit(self._write, work)

    def close(self) -> None:
        """Waits for the last checkpoint. Raises UserError for what it met."""
        try:
            self._join()
        finally:
            self._thread.shutdown()

    def _join(self) -> None:
        writing, self._writing = self._writing, None
        if writing:
            writing.result()

    def _write(self, work: _Work) -> None:
        """In the thread."""
        target = self.folder / f"step-{work.step:06}"
        if self.world.size == 1:
            self._place(target, work, {})
            return
        # Hidden and of that form: `atomic.recover` clears it where the run is killed.
        token = hashlib.sha256(f"{self.identity.fingerprint} {target.name}".encode()).hexdigest()[:16]
        aside = self.folder / f".{target.name}-parts.{token}.aside"
        try:
            parts = self._written_together(aside, work)
            if self.world.first:
                self._place(target, work, parts)
        finally:
            if self.world.first:
                operations.discard(aside)

    def _written_together(self, aside: Path, work: _Work) -> dict[Path, FileEntry]:
        """Every process's file, in the folder `aside`. Raises UserError, on all of them, where one could not write."""
        rank, size = self.world.rank, self.world.size
        failure: BaseException | None = None
        mine = FileEntry(shards.name_of(rank, size), 0, "0" * 64, None)
        with operations.explained(self.folder):
            try:
                operations.make_parents(aside)
                mine = shards.write(aside / mine.name, work.weights | work.state)
            except BaseException as problem:
                failure = problem
            told = bytes([failure is None]) + mine.bytes.to_bytes(8, "big") + bytes.fromhex(mine.sha256)
            every = self.world.exchanged(told)  # also where it failed: the others wait for it
            if failure:
                raise failure
        if silent := [number for number, one in enumerate(every) if not one[0]]:
            raise UserError(
                f"process {silent[0]} could not write its part of checkpoint {work.step:,}", "its own message says why"
            )
        names = [shards.name_of(number, size) for number in range(size)]
        return {
            aside / name: FileEntry(name, int.from_bytes(one[1:9], "big"), one[9:].hex(), None)
            for name, one in zip(names, every, strict=True)
        }

    def _place(self, target: Path, work: _Work, parts: Mapping[Path, FileEntry]) -> None:
        """Publishes it, of these parts or, without any, of whole tensors; then what is too old goes."""
        if target in self._damaged:
            atomic.remove_folder(target)
        with self.identity.publish(target, KIND, VERSION) as draft:
            for name, data in work.files.items():
                draft.write(name, data)
            for path, entry in parts.items():
                if not path.is_file():
                    raise UserError(f"{path}, which another process wrote, is not seen here", _SHARED)
                draft.keep(path, entry.name, entry)
            if not parts:
                for name, tensors in ((safetensors_files.SINGLE, work.weights), (TRAINING, work.state)):
                    with draft.create(name) as output:
                        safetensors_files.write(output, {name: part.tensor for name, part in tensors.items()})
            draft.write(runs.LOSSES, work.losses)
            draft.facts = dict(work.facts)
        for folder in self._damaged:
            atomic.remove_folder(folder) if folder != target else None
        self._damaged.clear()
        for _, folder in self._there()[: -self.keep]:
            atomic.remove_folder(folder)

    def _there(self) -> list[tuple[int, Path]]:
        """(step, folder) of each, damaged or not, oldest first."""
        if not self.folder.is_dir():
            return []
        named = ((_NAME.fullmatch(path.name), path) for path in self.folder.iterdir() if path.is_dir())
        return sorted((int(name[1]), path) for name, path in named if name)

    def _agreed(self) -> list[tuple[int, Path]]:
        """The same, newest first, which all processes see. Raises UserError where they do not."""
        there = self._there()[::-1]
        for number in (len(there), there[0][0] if there else 0):
            of_all = self.world.sums([number if rank == self.world.rank else 0 for rank in range(self.world.size)])
            if len(set(of_all)) > 1:
                raise UserError(f"not every process sees the same checkpoints in {self.folder}", _SHARED)
        return there

    def _problem(self, folder: Path) -> str | None:
        """What is wrong with a checkpoint, of whose files each process reads its share.

        Raises UserError for a sound one of another run.
        """
        problem = self._own_problem(folder)
        (bad,) = self.world.sums([problem is not None])
        if bad:
            return problem or next(iter(verify(folder)), "a part of it cannot be read on every machine")
        manifest = read_manifest(folder)
        assert manifest is not None
        if manifest.kind != KIND or manifest.version != VERSION or manifest.fingerprint != self.identity.fingerprint:
            raise UserError(
                f"{folder} is not of this run: it was trained with other settings, tokens or tokenizer",
                f"move it away, or {_anew(self.folder)}",
            )
        return None

    def _own_problem(self, folder: Path) -> str | None:
        try:
            manifest = read_manifest(folder)
        except UserError as problem:
            return problem.problem
        if manifest is None:
            return f"{folder / MANIFEST} is missing"
        mine = sorted(manifest.files, key=lambda file: (-file.bytes, file.name))[self.world.rank :: self.world.size]
        return next(filter(None, (problem_of(folder, file) for file in mine)), None)


_SHARED: Final = "on several machines, put the workspace on a file system that all of them share, at the same path"


def _anew(folder: Path) -> str:
    return f"begin the run anew: `starloom train {folder.parent.name} --restart`"
