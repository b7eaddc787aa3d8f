"""The training loop: one visible loop for pretraining and fine-tuning, on one process or many.

Each step depends on the state before it alone: its samples are a function of its number, the learning rate one of
(step, steps, settings), and the step count is recorded before anything depends on it. So a run that was killed at any
moment and started again by the same command ends, on a CPU with as many processes, with the same bits as one that
nothing disturbed. A step's loss is the mean over all targets of all processes, however they share its samples.

Memory: for weights, gradients, moments and the average at most 20 bytes a parameter, over the processes where they are
sharded; and the activations of one micro-batch.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from starloom.errors import UserError
from starloom.progress import counted, say, task
from starloom.tokens.samples import Batch
from starloom.training import metrics, parallel, runs
from starloom.training.checkpoint import Checkpoints, Identity
from starloom.training.curve import svg
from starloom.training.evaluation import Evaluator
from starloom.training.gpus import peak
from starloom.training.guard import Guard
from starloom.training.interrupts import noted_interrupts
from starloom.training.loss_log import LossLog
from starloom.training.machine import Machine
from starloom.training.optimizer import Average, Optimizer
from starloom.training.runs import Loss, Record, Run
from starloom.training.schedule import rate_factor, steps_for
from starloom.training.settings import FIXED_AFTER, UNTIMED
from starloom.training.work import PARTS, Work
from starloom.training.world import World
from starloom.workspace import atomic
from starloom.workspace.manifest import fingerprint, open_folder

KIND: Final = "model"
VERSION: Final = 1


@dataclass(frozen=True)
class Trained:
    """A finished run. `anew`: it was trained now, at least in part; else it was there. `loss`: of the last steps."""

    run: Run
    anew: bool
    loss: float  # nats per token, mean of the last tenth of the steps
    seconds: float  # of training, over all sittings
    tokens: int  # that it has seen, without padding


class Sitting:
    """A part of a run that nothing interrupts: from a checkpoint, or the first step, to the end or an interruption."""

    def __init__(self, run: Run, work: Work, used: Machine, world: World) -> None:
        self.run, self.work, self.settings, self.machine, self.world = run, work, work.settings, used, world
        record = run.record
        inputs = {"tokens": record.tokens, "tokenizer": record.tokenizer, **record.initial}
        made = record.settings | {"precision": record.precision, "device": record.device, "threads": record.threads}
        self.identity = Identity(fingerprint(KIND, VERSION, made, inputs), inputs, made)
        self.checkpoints = Checkpoints(run.folder / runs.CHECKPOINTS, self.identity, self.settings.keep, world)
        start = self.checkpoints.newest()
        self.device = world.device(used.device)
        self.objective = work.objective(self.device)
        parallel.apply(self.objective, self.settings, used, world)
        self.weights = work.weights(self.objective)
        self.optimizer = Optimizer(self.objective, self.settings, used.dtype)
        self.average = Average(self.weights, self.settings) if self.settings.ema else None
        self.step = start.step if start else 0  # steps done
        self.loader = work.loader(start.samples() if start else None, world)
        self.log = LossLog(run.folder, start, self.step, world)
        self.guard = Guard(self.settings)
        self.guard.remember(self.log.losses)
        if start:
            state = work.extras(self.objective) | self.optimizer.state() | self._averaged()
            start.restore(self.weights, state)
        self.evaluator = work.evaluator(world)
        self.peak = peak(torch.cuda.get_device_name(self.device)) if self.device.type == "cuda" else None

    def train(self) -> Trained:
        """All steps that are left, then the finished model."""
        used = f"{self.machine.precision}, {counted(self.machine.threads, 'threads')}, {self.machine.device}"
        many = f" x {counted(self.world.size, 'processes')}" if self.world.size > 1 else ""
        say(f"  {self.run.name}: {self.run.record.parameters:,} parameters, {used}{many}")
        if self.step:
            say(f"  going on after step {self.step:,}")
        with (
            noted_interrupts() as came,
            self.log.opened() as write,
            metrics.opened(self.run, self.settings, self.world) as self.metrics,
            closing(self.loader),
            closing(self.checkpoints),
        ):
            if not self._steps:
                # Nothing is saved before the count is known: the schedule would not be the same.
                self._until(FIXED_AFTER, "timing the first steps", came, write)
                self._fix_steps()
            self._until(self._steps, "training", came, write)
        return self._finish()

    def _until(self, last: int, words: str, came: Callable[[], bool], write: Callable[[Loss], None]) -> None:
        """The loop: steps up to and with number `last`, a checkpoint now and then."""
        saved = time.monotonic()
        tokens = self.settings.batch * self.settings.sequence
        with task(words, (last - self.step) * tokens, "tokens") as shown:
            while self.step < last:
                line = self._one_step()
                write(line)
                self.metrics.step(line)
                shown.note = metrics.note(line, last)
                shown.advance(tokens)
                if self.evaluator and self._steps and self.evaluator.due(self.step, last):
                    self._evaluate(self.evaluator)
                # All processes save, and stop, after the same step.
                is_late = time.monotonic() - saved >= self.settings.checkpoint_seconds
                late, stop = self.world.sums([is_late, came()])
                if self._steps and (late or stop or self.step == last):
                    self._save()
                    saved = time.monotonic()
                if stop:
                    say(f"stopped after step {self.step:,}")
                    raise KeyboardInterrupt

    def _evaluate(self, evaluator: Evaluator) -> None:
        with self.machine.autocast():
            found = evaluator.evaluate(self.objective, self.step)
        self.metrics.evaluated(found)
        say(f"  {found.words()}")

    @property
    def _steps(self) -> int:
        """Of the whole run; 0: not known yet."""
        return self.run.record.steps

    def _one_step(self) -> Loss:
        """One batch, one update; none where the guard says so. Raises UserError, before the update, where it stops."""
        started = time.perf_counter()
        batch = next(self.loader)
        (count,) = self.world.sums([(batch.targets >= 0).sum()])
        parts = torch.zeros(len(PARTS), device=self.device)
        for rows, last in self._micro_batches(batch):
            with parallel.accumulating(self.objective, last), self.machine.autocast():
                loss, made = self.objective(*rows, torch.tensor(count, device=self.device))
            loss.backward()
            parts += made
        norm = float(parallel.clipped(self.objective.parameters(), self.settings.clip or float("inf")))
        # The norm is the first process's: all must judge alike, to the last bit.
        own = [*parts.tolist(), (batch.documents >= 0).sum(), norm if self.world.first else 0.0]
        *shares, tokens, norm = self.world.sums(own)
        cross_entropy, z_loss, horizon = shares
        factor = rate_factor(self.step, self._steps, self.settings)
        skipped = self._is_skipped(sum(shares), norm)
        if skipped:
            self.optimizer.forget()
        else:
            self.optimizer.step(factor)
            if self.average:
                self.average.step(self.step)
        self.step += 1
        took = time.perf_counter() - started
        speed = self.work.flops(batch) / took  # of this process
        return Loss(
            step=self.step,
            loss=cross_entropy,
            rate=factor,
            tokens=self.log.tokens + int(tokens),
            seconds=round(self.log.seconds + took, 3),
            tokens_per_second=round(tokens / took, 1),
            grad_norm=norm,
            z_loss=z_loss,
            horizon=horizon,
            tflops=round(speed / 1e12, 4),
            mfu=round(speed / self.peak, 4) if self.peak else None,
            skipped=skipped,
        )

    def _micro_batches(self, batch: Batch) -> Iterator[tuple[tuple[Tensor, Tensor, Tensor | None], bool]]:
        """(ids, targets, documents or None) of so many samples as the device takes at once, and whether it is the
        last."""
        size = self.settings.micro_batch or len(batch.ids)
        for first in range(0, len(batch.ids), size):
            rows = slice(first, first + size)
            ids, targets = (torch.from_numpy(one[rows]).to(self.device) for one in (batch.ids, batch.targets))
            documents, of = None, batch.documents[rows]
            # Padding needs no mask: it comes last, and nothing is learnt there.
            if self.settings.document_mask and ((of >= 0) & (of != of[:, :1])).any():
                documents = torch.from_numpy(of).to(self.device)
            yield (ids, targets, documents), first + size >= len(batch.ids)

    def _is_skipped(self, loss: float, norm: float) -> bool:
        """What the guard makes of a step that is computed and not yet taken. Raises UserError where it stops."""
        verdict = self.guard.judge(self.step, loss, norm)
        if verdict == "go":
            return False
        names = self.work.named(self.step + 1)
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
        what = f"step {self.step + 1:,}: {self.guard.why}"
        if verdict == "skip":
            say(f"note: {what}; skipped, its samples are of {shown}")
            return True
        kept = f"{runs.CHECKPOINTS}/ has the last good state; " if self.checkpoints.any() else ""
        rates = "`muon_rate` and `adamw_rate`" if self.settings.optimizer == "muon" else "`adamw_rate`"
        skips = {self.settings.on_nan, self.settings.on_spike} == {"skip"}
        over = "" if skips else 'pass such steps over (on_nan = "skip", on_spike = "skip" in [train]) and go on, or '
        raise UserError(
            f"run {self.run.name}, {what}; the samples are of {shown}",
            f"{kept}`starloom trace {self.run.name} --step {self.step + 1}` shows them; {over}lower {rates} and begin "
            f"anew: `starloom train {self.run.name} --restart`",
        )

    def _fix_steps(self) -> None:
        """The count by the clock, from the timed steps; on the disk before a step could depend on it."""
        timed = self.log.losses[UNTIMED:FIXED_AFTER]
        step_seconds = (timed[-1].seconds - self.log.losses[UNTIMED - 1].seconds) / len(timed)
        rate = (timed[-1].tokens - self.log.losses[UNTIMED - 1].tokens) / len(timed) / step_seconds
        # The first process's clock counts.
        (step_seconds,) = self.world.sums([step_seconds if self.world.first else 0.0])
        steps = steps_for(self.settings.seconds, step_seconds, self.settings)
        self._record(replace(self.run.record, steps=steps, tokens_per_second=round(rate, 1)))
        least = ", the least that a schedule needs" if steps * step_seconds > self.settings.seconds else ""
        say(f"  {step_seconds:.3f} s a step: {steps:,} steps in about {steps * step_seconds:.0f} s{least}")

    def _save(self) -> None:
        facts = {"step": self.step, "tokens": self.log.tokens, "samples": asdict(self.loader.state())}
        state = self.work.extras(self.objective) | self.optimizer.state() | self._averaged()
        self.checkpoints.publish(self.step, self.weights, state, self.work.files(), self.log.content(), facts)
        self._draw()

    def _averaged(self) -> dict[str, Tensor]:
        return self.average.state() if self.average else {}

    def _draw(self) -> None:
        if self.world.first:
            title = f"{self.run.name}: training loss"
            atomic.replace_file(self.run.folder / runs.CURVE, svg(self.log.losses, title).encode())

    def _finish(self) -> Trained:
        """Publishes models/RUN/model: the averaged weights, or the last ones."""
        if self.average:
            self.average.into_weights()
        weights = parallel.gathered(self.weights)
        of = f"averaged over the last steps (decay {self.settings.ema})" if self.average else "of the last step"
        if self.world.first:
            with self.identity.publish(self.run.model, KIND, VERSION) as draft:
                self.work.write(draft, weights)
                draft.facts |= {
                    "weights": of,
                    "steps": self.step,
                    "tokens": self.log.tokens,
                    "parameters": self.run.record.parameters,
                    "vocabulary": self.run.record.vocabulary,
                }
        self._draw()
        self._record(replace(self.run.record, finished=datetime.now(UTC).isoformat(timespec="seconds")))
        self.world.barrier()
        return trained(self.run, anew=True)

    def _record(self, record: Record) -> None:
        if self.world.first:
            runs.write_record(self.run.folder, record)
        self.run = replace(self.run, record=record)


def trained(run: Run, anew: bool) -> Trained:
    """What is told of a finished run, from its log."""
    log = runs.losses(run.folder)
    tail = [one.loss for one in log[-max(1, len(log) // 10) :] if not one.skipped]
    mean = sum(tail) / max(len(tail), 1)
    seconds, tokens = (log[-1].seconds, log[-1].tokens) if log else (0.0, 0)
    return Trained(run, anew, mean, seconds, tokens)


def refuse_strangers(folder: Path) -> None:
    """Nothing is trained into a folder that holds what is no run. Raises UserError."""
    if folder.is_dir() and any(folder.iterdir()):
        raise UserError(
            f"{folder} holds files but no {runs.RECORD}: it is no run", "train under another name, or move those files"
        )


def is_whole(model: Path) -> bool:
    """Whether the finished model is; one that lost a file is made again from the last checkpoint."""
    try:
        return open_folder(model) is not None
    except UserError as problem:
        say(f"note: the finished model is damaged and made again: {problem.problem}")
        return False
