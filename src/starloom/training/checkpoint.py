"""Checkpoints of a run: all that its next step depends on, as published folders that name no older one.

`step-NNNNNN/` is a Hugging Face model folder (the weights as they are after that step) with `training.safetensors`
(moments, average; no pickle) and the run's `loss.jsonl` up to there. It is whole or absent; before one is taken up,
every byte of it is checked, and a damaged one is named and passed over for the one before.
"""

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from starloom.errors import UserError
from starloom.progress import say
from starloom.starcoder2 import interchange, safetensors_files
from starloom.starcoder2.network import StarCoder2
from starloom.training import runs
from starloom.training.optimizer import Average, Optimizer
from starloom.workspace import atomic
from starloom.workspace.manifest import read_manifest, verify

KIND: Final = "checkpoint"
VERSION: Final = 2  # 1: did not say which samples were consumed
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

    def network(self) -> StarCoder2:
        """The weights. Raises UserError."""
        return interchange.read(self.folder)

    def restore(self, optimizer: Optimizer, average: Average | None) -> None:
        """Moments and average. Raises UserError when they are another network's."""
        with safetensors_files.opened(self.folder / TRAINING) as file:
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            optimizer.load(tensors, self.step)
            if average:
                average.load(tensors)

    def samples(self) -> dict[str, Any]:
        """Where its loader was."""
        manifest = read_manifest(self.folder)
        assert manifest is not None
        found: dict[str, Any] = manifest.facts["samples"]
        return found

    def losses(self) -> bytes:
        """loss.jsonl as it was."""
        return (self.folder / runs.LOSSES).read_bytes()


class Checkpoints:
    """Those of one run, in `folder` = models/RUN/checkpoints. Its user holds the workspace's lock."""

    def __init__(self, folder: Path, identity: Identity, tokenizer_files: dict[str, bytes], keep: int) -> None:
        self.folder, self.identity, self.keep = folder, identity, keep
        self._tokenizer_files = tokenizer_files
        self._damaged: set[Path] = set()

    def newest(self) -> Checkpoint | None:
        """The newest whole one; None when there is none at all. Damaged ones are named on the terminal.

        Raises UserError when all are damaged, and when the newest is of another run.
        """
        problems = []
        for step, folder in reversed(self._there()):
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
        """Whether there is one, damaged or not."""
        return bool(self._there())

    def publish(
        self,
        step: int,
        network: StarCoder2,
        optimizer: Optimizer,
        average: Average | None,
        losses: bytes,
        facts: dict[str, Any],
    ) -> Path:
        """Writes the checkpoint after `step` steps; then those beyond `keep`, and the damaged, go. Raises UserError."""
        target = self.folder / f"step-{step:06}"
        if target in self._damaged:
            atomic.remove_folder(target)
        state = optimizer.state() | (average.state() if average else {})
        with self.identity.publish(target, KIND, VERSION) as draft:
            interchange.write(draft, network, self._tokenizer_files)
            with draft.create(TRAINING) as output:
                safetensors_files.write(output, state)
            draft.write(runs.LOSSES, losses)
            draft.facts = facts
        for folder in self._damaged:
            atomic.remove_folder(folder) if folder != target else None
        self._damaged.clear()
        for _, folder in self._there()[: -self.keep]:
            atomic.remove_folder(folder)
        return target

    def _there(self) -> list[tuple[int, Path]]:
        """(step, folder) of each, damaged or not, oldest first."""
        if not self.folder.is_dir():
            return []
        named = ((_NAME.fullmatch(path.name), path) for path in self.folder.iterdir() if path.is_dir())
        return sorted((int(name[1]), path) for name, path in named if name)

    def _problem(self, folder: Path) -> str | None:
        """What is wrong with a checkpoint. Raises UserError for a sound one of another run."""
        if problems := verify(folder):
            return problems[0]
        manifest = read_manifest(folder)
        assert manifest is not None
        if manifest.kind != KIND or manifest.version != VERSION or manifest.fingerprint != self.identity.fingerprint:
            raise UserError(
                f"{folder} is not of this run: it was trained with other settings, tokens or tokenizer",
                f"move it away, or {_anew(self.folder)}",
            )
        return None


def _anew(folder: Path) -> str:
    return f"begin the run anew: `starloom train {folder.parent.name} --restart`"
