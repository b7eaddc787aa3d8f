"""Pretraining: the packed tokens of a workspace in, a StarCoder2 out (`models/RUN/`), as `[train]` says.

The samples of step t are a function of (tokens, recipe, t). A run starts from fresh weights, or (`initial`, and every
stage after the first) from those of another StarCoder2, whose window, context and rotary base may differ.
"""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from starloom.errors import UserError
from starloom.progress import say
from starloom.starcoder2 import attention, flops, interchange, safetensors_files
from starloom.starcoder2.network import StarCoder2
from starloom.tokens.loader import Loader, State
from starloom.tokens.mixture import MixtureSource
from starloom.tokens.samples import Batch, Samples
from starloom.tokens.tokenizer import Tokenizer
from starloom.training import machine as machines
from starloom.training import memory, reading, runs
from starloom.training.evaluation import Evaluator
from starloom.training.loop import Sitting, Trained, is_whole, refuse_strangers, trained
from starloom.training.machine import Machine
from starloom.training.objective import Objective
from starloom.training.runs import Record, Run
from starloom.training.settings import TrainSettings
from starloom.training.trace import trace
from starloom.training.world import World, join
from starloom.workspace import atomic
from starloom.workspace.atomic import Draft
from starloom.workspace.lock import lock
from starloom.workspace.operations import explained

TOKENIZER: Final = "tokenizer"


def train(
    root: Path,
    settings: TrainSettings,
    name: str,
    mixture: Sequence[MixtureSource] = (),
    *,
    restart: bool = False,
    command: str,
) -> Trained:
    """Trains the run `name` to its end, from where it stopped; then its stages, each a run of its own. Gives the last.

    Under torchrun every process calls this. `command`: as the user typed it, for the lock. mixture: what is read, as
    `[[mixture]]` has it. restart: what the runs have so far is removed first.

    Raises UserError: no tokens, tokens of another tokenizer, a run that was begun with other settings or tokens, no
    whole checkpoint among those there are, a loss that is no number. Raises KeyboardInterrupt on Ctrl-C, after a
    checkpoint.
    """
    with join(machines.device(settings)) as world, lock(root, command) if world.first else nullcontext():
        staged = settings.staged(name)
        for number, (run, chosen) in enumerate(staged, 1):
            if len(staged) > 1:
                say(f"stage {number} of {len(staged)}: {run}")
            done = _train(root, chosen, run, mixture, restart, world)
    return done


def _train(
    root: Path, settings: TrainSettings, name: str, mixture: Sequence[MixtureSource], restart: bool, world: World
) -> Trained:
    folder = runs.run_folder(root, name)
    if world.first:
        atomic.recover(root)
        atomic.recover(folder)  # checkpoints lie deeper than `recover(root)` looks
    world.barrier()  # the others find what it has put back
    tokenizer = Tokenizer.open(root / TOKENIZER)
    samples = _samples(root, settings, mixture, tokenizer)  # refused before anything is removed or written
    initial = _initial(root, settings, tokenizer)
    began_with = safetensors_files.hashes(initial) if initial else {}
    if world.first:
        if restart:
            atomic.remove_folder(folder)
        if runs.find(root, name) is None:
            refuse_strangers(folder)
            used = machines.choose(settings)
            runs.write_record(folder, _record(settings, mixture, samples, tokenizer, began_with, used))
    world.barrier()
    run = runs.find(root, name)
    assert run is not None
    different = reading.differences(run.record, settings, mixture, samples)
    if run.record.initial != began_with:
        different.append(f"{initial or settings.initial}, whose weights it began with, has other weights now")
    if different:
        raise UserError(
            f"run {name} was begun otherwise: {'; '.join(different)}",
            f"train under another name, or remove this run and begin anew: `starloom train {name} --restart`",
        )
    if run.finished and is_whole(run.model):
        return trained(run, anew=False)
    used = machines.again(run.record)
    with used.in_use(), explained(folder), memory.explained(settings, world):
        return Sitting(run, Pretraining(root, run, settings, samples, tokenizer, initial), used, world).train()


class Pretraining:
    """The Work of `starloom train`."""

    def __init__(
        self,
        root: Path,
        run: Run,
        settings: TrainSettings,
        samples: Samples,
        tokenizer: Tokenizer,
        initial: Path | None,
    ) -> None:
        self.settings = settings
        self.config = settings.model(run.record.vocabulary)
        self._root, self._run, self._samples, self._tokenizer, self._initial = root, run, samples, tokenizer, initial

    def loader(self, state: Mapping[str, Any] | None, world: World) -> Loader:
        share = {"rank": world.rank, "world": world.size}
        if state is None:
            return Loader(self._samples, self.settings.batch, **share)
        return Loader.resume(self._samples, self.settings.batch, State(**state), **share)

    def objective(self, device: torch.device) -> Objective:
        if self._initial:
            network = interchange.read(self._initial, device=device, config=self.config)
        else:
            # Made where it will be: a machine of eight GPUs has no memory for eight copies.
            with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []), device:
                torch.manual_seed(self.settings.seed)
                network = StarCoder2(self.config)
        network.attention = self.settings.attention
        return Objective(network, self.settings, self._tokenizer.markers).to(device)

    def weights(self, objective: nn.Module) -> dict[str, Tensor]:
        assert isinstance(objective, Objective)
        return dict(objective.network.named_parameters())

    def extras(self, objective: nn.Module) -> dict[str, Tensor]:
        return {name: one for name, one in objective.named_parameters() if not name.startswith("network.")}

    def files(self) -> dict[str, bytes]:
        return interchange.files(self.config, torch.float32, self._tokenizer.files())

    def named(self, step: int) -> list[str]:
        traced = trace(self._run, self._samples, step)
        return sorted({stretch.repo_name for sample in traced for stretch in sample.stretches})

    def flops(self, batch: Batch) -> int:
        return flops.training_step(self.config, batch.documents if self.settings.document_mask else batch.ids.shape)

    def evaluator(self, world: World) -> Evaluator | None:
        if not self.settings.evaluate_every:
            return None
        read = [self._samples.stream(number, 0) for number in range(len(self._samples.sources))]
        return Evaluator(self._root, self.settings, self._tokenizer, world, read)

    def write(self, draft: Draft, weights: dict[str, Tensor]) -> None:
        interchange.write(draft, self.config, weights, self._tokenizer.files())


def _samples(root: Path, settings: TrainSettings, mixture: Sequence[MixtureSource], tokenizer: Tokenizer) -> Samples:
    """Of tokens of this tokenizer. Raises UserError."""
    markers = tokenizer.markers
    padding = markers.pad if markers and markers.pad is not None else tokenizer.end_of_text
    samples = reading.samples(root, settings, mixture, padding)
    for source in samples.sources:
        if source.packed.tokenizer != tokenizer.sha256:
            raise UserError(
                f"{source.packed.place} was packed with another tokenizer ({source.packed.tokenizer[:12]}) than is in "
                f"{root / TOKENIZER} ({tokenizer.sha256[:12]})",
                "pack again: `starloom pack`",
            )
    samples.where(np.zeros(1, dtype=np.int64))  # refuses too few tokens
    return samples


def _initial(root: Path, settings: TrainSettings, tokenizer: Tokenizer) -> Path | None:
    """The model that the run starts from; None: fresh weights. Raises UserError for another shape or tokenizer."""
    if not settings.initial:
        return None
    folder = runs.resolve(root, settings.initial)
    if (theirs := Tokenizer.open(folder)).sha256 != tokenizer.sha256:
        raise UserError(
            f"{folder} has another tokenizer ({theirs.sha256[:12]}) than {root / TOKENIZER} ({tokenizer.sha256[:12]})",
            "adopt the model's tokenizer (`starloom tokenizer --from DIR`) and pack again, or start from another model",
        )
    had = interchange.read_config(folder)
    wanted = settings.model(had.vocab_size)
    same = ("num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads", "num_key_value_heads")
    for field in (*same, "tie_word_embeddings"):
        if (was := getattr(had, field)) != (now := getattr(wanted, field)):
            raise UserError(
                f"{folder} has {field} = {was}, and [train] makes a model of {now}",
                "set the shape in [train] as the model has it, or start from another model",
            )
    return folder


def _record(
    settings: TrainSettings,
    mixture: Sequence[MixtureSource],
    samples: Samples,
    tokenizer: Tokenizer,
    began_with: dict[str, str],
    used: Machine,
) -> Record:
    vocabulary = samples.sources[0].packed.vocabulary
    shape = settings.model(vocabulary)
    at = torch.device(used.device), used.dtype, settings.sequence, shape.sliding_window, settings.document_mask
    return Record(
        settings=settings.outcome(),
        mixture=reading.recorded(mixture),
        tokens=samples.fingerprint,
        tokenizer=tokenizer.sha256,
        vocabulary=vocabulary,
        parameters=shape.parameters(),
        steps=settings.steps,
        threads=used.threads,
        precision=used.precision,
        device=used.device,
        versions=machines.versions(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        initial=began_with,
        attention=attention.choose(settings.attention, *at),
    )
