"""The training loop: tokens in, models/RUN/ out. One visible loop; each step depends on the state before it alone.

The samples of step t are a function of (tokens, recipe, t), the learning rate one of (t, steps, settings), and the step
count is recorded before anything depends on it. So a run that was killed at any moment and started again by the same
command ends, on a CPU, with the same bits as one that nothing disturbed. One device; memory for weights, gradients,
two moments and the average: 20 bytes a parameter, and the activations of one batch.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from starloom.errors import UserError
from starloom.progress import counted, say, task
from starloom.starcoder2 import interchange
from starloom.starcoder2.loss import fused_cross_entropy
from starloom.starcoder2.network import StarCoder2
from starloom.tokens.loader import Loader, State
from starloom.tokens.mixture import MixtureSource
from starloom.tokens.samples import Batch, Samples
from starloom.tokens.tokenizer import Tokenizer
from starloom.training import machine as machines
from starloom.training import reading, runs
from starloom.training.checkpoint import Checkpoints, Identity
from starloom.training.curve import svg
from starloom.training.interrupts import noted_interrupts
from starloom.training.loss_log import LossLog
from starloom.training.machine import Machine
from starloom.training.optimizer import Average, Optimizer
from starloom.training.runs import Loss, Record, Run
from starloom.training.settings import FIXED_AFTER, UNTIMED, TrainSettings, rate_factor, steps_for
from starloom.training.trace import trace
from starloom.workspace import atomic
from starloom.workspace.lock import lock
from starloom.workspace.manifest import fingerprint, open_folder
from starloom.workspace.operations import explained

KIND: Final = "model"
VERSION: Final = 1
TOKENIZER: Final = "tokenizer"


@dataclass(frozen=True)
class Trained:
    """A finished run. `anew`: it was trained now, at least in part; else it was there. `loss`: of the last steps."""

    run: Run
    anew: bool
    loss: float  # nats per token, mean of the last tenth of the steps
    seconds: float  # of training, over all sittings
    tokens: int  # that it has seen, without padding


def train(
    root: Path,
    settings: TrainSettings,
    name: str,
    mixture: Sequence[MixtureSource] = (),
    *,
    restart: bool = False,
    command: str,
) -> Trained:
    """Trains the run `name` to its end, from where it stopped. `command`: as the user typed it, for the lock.

    mixture: what is read, as `[[mixture]]` has it. restart: what the run has so far is removed first.

    Raises UserError: no tokens, tokens of another tokenizer, a run that was begun with other settings or tokens, no
    whole checkpoint among those there are, a loss that is no number. Raises KeyboardInterrupt on Ctrl-C, after a
    checkpoint.
    """
    folder = runs.run_folder(root, name)
    with lock(root, command):
        atomic.recover(root)
        atomic.recover(folder)  # checkpoints lie deeper than `recover(root)` looks
        tokenizer = Tokenizer.open(root / TOKENIZER)
        samples = _samples(root, settings, mixture, tokenizer)  # refused before anything is removed or written
        if restart:
            atomic.remove_folder(folder)
        run = runs.find(root, name)
        if run is None:
            _refuse_strangers(folder)
            run = Run(name, folder, _begin(settings, mixture, samples, tokenizer, machines.choose(settings)))
            runs.write_record(folder, run.record)
        elif different := reading.differences(run.record, settings, mixture, samples):
            raise UserError(
                f"run {name} was begun otherwise: {'; '.join(different)}",
                f"train under another name, or remove this run and begin anew: `starloom train {name} --restart`",
            )
        if run.finished and _whole(run.model):
            return _trained(run, anew=False)
        used = machines.again(run.record)
        with used.in_use(), explained(folder):
            return _Sitting(run, settings, samples, tokenizer, used).train()


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


def _refuse_strangers(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        raise UserError(
            f"{folder} holds files but no {runs.RECORD}: it is no run", "train under another name, or move those files"
        )


def _whole(model: Path) -> bool:
    """Whether the finished model is; one that lost a file is made again from the last checkpoint."""
    try:
        return open_folder(model) is not None
    except UserError as problem:
        say(f"note: the finished model is damaged and made again: {problem.problem}")
        return False


def _begin(
    settings: TrainSettings, mixture: Sequence[MixtureSource], samples: Samples, tokenizer: Tokenizer, used: Machine
) -> Record:
    vocabulary = samples.sources[0].packed.vocabulary
    return Record(
        settings=settings.outcome(),
        mixture=reading.recorded(mixture),
        tokens=samples.fingerprint,
        tokenizer=tokenizer.sha256,
        vocabulary=vocabulary,
        parameters=settings.model(vocabulary).parameters(),
        steps=settings.steps,
        threads=used.threads,
        precision=used.precision,
        device=used.device,
        versions=machines.versions(),
        started=_now(),
    )


class _Sitting:
    """One process's part of a run: from a checkpoint, or the first step, to the end or an interruption."""

    def __init__(
        self, run: Run, settings: TrainSettings, samples: Samples, tokenizer: Tokenizer, used: Machine
    ) -> None:
        self.run, self.settings, self.samples, self.machine = run, settings, samples, used
        self.files = tokenizer.files()
        record = run.record
        inputs = {"tokens": record.tokens, "tokenizer": record.tokenizer}
        made = record.settings | {"precision": record.precision, "device": record.device, "threads": record.threads}
        self.identity = Identity(fingerprint(KIND, VERSION, made, inputs), inputs, made)
        self.checkpoints = Checkpoints(run.folder / runs.CHECKPOINTS, self.identity, self.files, settings.keep)
        start = self.checkpoints.newest()
        self.network = (start.network() if start else self._fresh()).to(used.device)
        self.optimizer = Optimizer(self.network, settings, used.dtype)
        self.average = Average(self.network, settings) if settings.ema else None
        self.step = start.step if start else 0  # steps done
        state = State(**start.samples()) if start else None
        self.loader = Loader.resume(samples, settings.batch, state) if state else Loader(samples, settings.batch)
        self.log = LossLog(run.folder, start, self.step)
        if start:
            start.restore(self.optimizer, self.average)

    def train(self) -> Trained:
        """All steps that are left, then the finished model."""
        used = f"{self.machine.precision}, {counted(self.machine.threads, 'threads')}, {self.machine.device}"
        say(f"  {self.run.name}: {self.run.record.parameters:,} parameters, {used}")
        if self.step:
            say(f"  going on after step {self.step:,}")
        with noted_interrupts() as asked, self.log.opened() as write, self.loader:
            if not self._steps:
                # Nothing is saved before the count is known: the schedule would not be the same.
                self._until(FIXED_AFTER, "timing the first steps", asked, write)
                self._fix_steps()
            self._until(self._steps, "training", asked, write)
        return self._finish()

    def _until(self, last: int, words: str, asked: Callable[[], bool], write: Callable[[Loss], None]) -> None:
        """The loop: steps up to and with number `last`, a checkpoint now and then."""
        saved = time.monotonic()
        tokens = self.settings.batch * self.settings.sequence
        with task(words, (last - self.step) * tokens, "tokens") as shown:
            while self.step < last:
                line = self._one_step()
                write(line)
                shown.note = f"step {self.step:,} of {last:,}, loss {line.loss:.3f}"
                shown.advance(tokens)
                late = time.monotonic() - saved >= self.settings.checkpoint_seconds
                if self._steps and (late or asked() or self.step == last):
                    self._save()
                    saved = time.monotonic()
                if asked():
                    say(f"stopped after step {self.step:,}")
                    raise KeyboardInterrupt

    @property
    def _steps(self) -> int:
        """Of the whole run; 0: not known yet."""
        return self.run.record.steps

    def _fresh(self) -> StarCoder2:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.settings.seed)
            return StarCoder2(self.settings.model(self.run.record.vocabulary))

    def _one_step(self) -> Loss:
        """One batch, one update. Raises UserError before the update when the loss or its gradient is no number."""
        started = time.perf_counter()
        step = self.step
        batch = next(self.loader)
        loss = self._loss(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip or float("inf"))
        value, grad_norm = loss.item(), norm.item()
        if not torch.isfinite(loss + norm):
            raise self._no_number(value, grad_norm)
        factor = rate_factor(step, self._steps, self.settings)
        self.optimizer.step(factor)
        if self.average:
            self.average.step(step)
        self.step += 1
        took = time.perf_counter() - started
        tokens = int((batch.documents >= 0).sum())
        seen, seconds = self.log.tokens + tokens, self.log.seconds + took
        return Loss(self.step, value, factor, seen, round(seconds, 3), round(tokens / took, 1), grad_norm)

    def _loss(self, batch: Batch) -> Tensor:
        """Mean cross-entropy of the next token, in nats, where there is one to learn."""
        ids, targets = (torch.from_numpy(one).to(self.machine.device) for one in (batch.ids, batch.targets))  # [B, T]
        documents, of = None, batch.documents
        # Padding needs no mask: it comes last, and nothing is learnt there.
        if self.settings.document_mask and ((of >= 0) & (of != of[:, :1])).any():
            documents = torch.from_numpy(of).to(self.machine.device)
        with self.machine.autocast():
            hidden = self.network(ids, documents)  # [B, T, d]
            return fused_cross_entropy(hidden.flatten(0, 1), self.network.head, targets.flatten())

    def _fix_steps(self) -> None:
        """The count by the clock, from the timed steps; on the disk before a step could depend on it."""
        timed = self.log.losses[UNTIMED:FIXED_AFTER]
        step_seconds = (timed[-1].seconds - self.log.losses[UNTIMED - 1].seconds) / len(timed)
        rate = (timed[-1].tokens - self.log.losses[UNTIMED - 1].tokens) / len(timed) / step_seconds
        steps = steps_for(self.settings.seconds, step_seconds, self.settings)
        self._record(replace(self.run.record, steps=steps, tokens_per_second=round(rate, 1)))
        say(f"  {step_seconds:.3f} s a step: {steps:,} steps in about {steps * step_seconds:.0f} s")

    def _save(self) -> None:
        facts = {"step": self.step, "tokens": self.log.tokens, "samples": asdict(self.loader.state())}
        self.checkpoints.publish(self.step, self.network, self.optimizer, self.average, self.log.content(), facts)
        self._draw()

    def _draw(self) -> None:
        title = f"{self.run.name}: training loss"
        atomic.replace_file(self.run.folder / runs.CURVE, svg(self.log.losses, title).encode())

    def _finish(self) -> Trained:
        """Publishes models/RUN/model: the averaged weights, or the last ones."""
        if self.average:
            self.average.into_network()
        weights = f"averaged over the last steps (decay {self.settings.ema})" if self.average else "of the last step"
        with self.identity.publish(self.run.model, KIND, VERSION) as draft:
            interchange.write(draft, self.network, self.files)
            draft.facts = {
                "weights": weights,
                "steps": self.step,
                "tokens": self.log.tokens,
                "parameters": self.run.record.parameters,
                "vocabulary": self.run.record.vocabulary,
            }
        self._draw()
        self._record(replace(self.run.record, finished=_now()))
        return _trained(self.run, anew=True)

    def _record(self, record: Record) -> None:
        runs.write_record(self.run.folder, record)
        self.run = replace(self.run, record=record)

    def _no_number(self, loss: float, norm: float) -> UserError:
        """Which samples it was, by the repositories in them."""
        traced = trace(self.run, self.samples, self.step + 1)
        names = sorted({stretch.repo_name for sample in traced for stretch in sample.stretches})
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
        kept = f"{runs.CHECKPOINTS}/ has the last good state; " if self.checkpoints.any() else ""
        return UserError(
            f"run {self.run.name}, step {self.step + 1:,}: the loss is {loss:g} and its gradient's norm {norm:g}; the "
            f"samples are of {shown}",
            f"{kept}lower `muon_rate` and `adamw_rate` in [train], and begin anew: "
            f"`starloom train {self.run.name} --restart`",
        )


def _trained(run: Run, anew: bool) -> Trained:
    log = runs.losses(run.folder)
    tail = log[-max(1, len(log) // 10) :]
    mean = sum(one.loss for one in tail) / max(len(tail), 1)
    seconds, tokens = (log[-1].seconds, log[-1].tokens) if log else (0.0, 0)
    return Trained(run, anew, mean, seconds, tokens)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
