"""Where a run's metrics go besides its own files: TensorBoard and Weights & Biases, each where `sinks` names it.

The run's loss.jsonl and evaluations.jsonl are the record: a line for every step and every evaluation, none twice. Sinks
are views of it: a run that goes on tells them its steps from the last checkpoint on again, and what they had not yet
written when it was killed (TensorBoard: ten seconds) they lack. The first process alone tells them anything.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final, Protocol

from starloom.errors import UserError
from starloom.training import evaluated, runs
from starloom.training.curve import evaluations
from starloom.training.evaluated import Evaluated
from starloom.training.runs import Loss, Run
from starloom.training.settings import TrainSettings
from starloom.training.world import World
from starloom.workspace import atomic

TENSORBOARD: Final = "tensorboard"  # folder of models/RUN
_PROJECT: Final = "starloom"
_FLUSH: Final = 10  # seconds


class Sink(Protocol):
    """Takes named numbers of a step."""

    def tell(self, step: int, values: dict[str, float]) -> None: ...

    def close(self) -> None: ...


class Metrics:
    """What a run tells, to all of its sinks."""

    def __init__(self, run: Run, sinks: list[Sink], found: list[Evaluated], first: bool) -> None:
        """found: the evaluations there are, of steps that stand."""
        self._run, self._sinks, self._found, self._first = run, sinks, found, first

    def step(self, line: Loss) -> None:
        """Of a step that was done."""
        values = {
            "train/loss": line.loss,
            "train/grad_norm": line.grad_norm,
            "train/rate": line.rate,
            "train/tokens": float(line.tokens),
            "speed/tokens_per_second": line.tokens_per_second,
            "speed/tflops": line.tflops,
        }
        # Of what the run does not have, no empty chart.
        seldom = {"train/z_loss": line.z_loss, "train/horizon": line.horizon, "train/skipped": float(line.skipped)}
        values |= {name: value for name, value in seldom.items() if value}
        if line.mfu is not None:
            values["speed/mfu"] = line.mfu
        self._tell(line.step, values)

    def evaluated(self, found: Evaluated) -> None:
        """Of an evaluation: a line in evaluations.jsonl and its picture, too."""
        self._found.append(found)
        if self._first:
            with (self._run.folder / evaluated.FILE).open("ab") as file:
                file.write(found.to_line().encode())
            self._draw()
        values = {"eval/bits_per_byte": found.bits_per_byte}
        values |= {f"eval/bits_per_byte/{name}": value for name, value in found.languages.items()}
        if found.gaps:
            values["eval/filled"] = found.filled / found.gaps
        self._tell(found.step, values)

    def _draw(self) -> None:
        picture = evaluations(self._found, f"{self._run.name}: evaluations")
        atomic.replace_file(self._run.folder / evaluated.PICTURE, picture.encode())

    def _tell(self, step: int, values: dict[str, float]) -> None:
        for sink in self._sinks:
            sink.tell(step, values)


def note(line: Loss, last: int) -> str:
    """A step in words, beside the bar (which has tokens a second and the time left)."""
    mfu = f", {line.mfu:.1%} MFU" if line.mfu is not None else ""
    return f"step {line.step:,} of {last:,}, loss {line.loss:.3f}{mfu}"


@contextmanager
def opened(run: Run, settings: TrainSettings, world: World) -> Iterator[Metrics]:
    """The sinks of a run, open while the block runs; loss.jsonl ends at the step that it goes on after.

    Evaluations of later steps, and a torn line, are taken out of evaluations.jsonl: they are made again. Raises
    UserError for a sink that is not installed, or cannot be reached.
    """
    opens: dict[str, Callable[[Run, int], Sink]] = {"tensorboard": _TensorBoard, "wandb": lambda run, _: _Wandb(run)}
    with ExitStack() as stack:
        sinks: list[Sink] = []
        found: list[Evaluated] = []
        if world.first:
            log = runs.losses(run.folder)
            step = log[-1].step if log else 0
            for name in settings.sinks:
                sink = opens[name](run, step)
                stack.callback(sink.close)
                sinks.append(sink)
            found = _evaluations(run, step)
        yield Metrics(run, sinks, found, world.first)


def _evaluations(run: Run, step: int) -> list[Evaluated]:
    """Those up to `step`; the file has no other ones afterwards."""
    path = run.folder / evaluated.FILE
    found = [one for one in evaluated.read(run.folder) if one.step <= step]
    if path.exists():
        atomic.replace_file(path, "".join(one.to_line() for one in found).encode())
    return found


class _TensorBoard:
    """Event files in models/RUN/tensorboard; one for each sitting, which says that steps after `step` are void in those
    before it."""

    def __init__(self, run: Run, step: int) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise _missing("tensorboard") from None
        folder = str(run.folder / TENSORBOARD)
        self._writer: Any = SummaryWriter(folder, purge_step=step + 1, flush_secs=_FLUSH)

    def tell(self, step: int, values: dict[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        self._writer.close()


class _Wandb:
    """A run of the project `starloom`, or of WANDB_PROJECT, by the name and beginning of ours, so that it goes on where
    ours does; WANDB_MODE=offline keeps it in models/RUN/wandb. It gets settings and numbers, and what W&B itself notes
    of machine and packages; nothing that is printed, no code."""

    def __init__(self, run: Run) -> None:
        try:
            import wandb
        except ImportError:
            raise _missing("wandb") from None
        import os

        identity = f"{run.name}-{run.record.started}".translate({ord(one): "-" for one in ":+/."})
        try:
            self._run: Any = wandb.init(
                project=os.environ.get("WANDB_PROJECT", _PROJECT),
                name=run.name,
                id=identity,
                resume="allow",
                dir=str(run.folder),
                config=run.record.settings,
                settings=wandb.Settings(console="off", disable_git=True, disable_code=True),
            )
        except wandb.errors.Error as problem:
            raise UserError(
                f"Weights & Biases cannot be reached: {problem}",
                "log in (`wandb login`), keep it here (WANDB_MODE=offline), or take it out of sinks in [train]",
            ) from None

    def tell(self, step: int, values: dict[str, float]) -> None:
        self._run.log(values, step=step)

    def close(self) -> None:
        self._run.finish()


def _missing(name: str) -> UserError:
    return UserError(
        f"[train] sinks has {name!r}, which is not installed",
        f"pip install 'starloom[{name}]', or take it out of sinks: loss.jsonl is written always",
    )
