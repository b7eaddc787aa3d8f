"""The runs of a workspace: `models/RUN/`, what each was made of, its losses, its finished model. Torch-free.

models/RUN/run.json      what the run is: settings, tokens, tokenizer, steps, threads (replaced in one step)
models/RUN/loss.jsonl    one line a step
models/RUN/loss.svg      the same as a picture
models/RUN/evaluations.jsonl, .svg  bits per byte and gaps filled on held-out text
models/RUN/tensorboard/, wandb/     where `sinks` asks for them
models/RUN/checkpoints/  step-NNNNNN/, the newest few
models/RUN/model/        the finished model, a Hugging Face folder
"""

import contextlib
import dataclasses
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, get_origin

from starloom.errors import UserError
from starloom.workspace import atomic
from starloom.workspace.manifest import NAME as MANIFEST
from starloom.workspace.operations import explained, make_parents

FOLDER: Final = "models"
RECORD, LOSSES, CURVE, CHECKPOINTS, MODEL = "run.json", "loss.jsonl", "loss.svg", "checkpoints", "model"
FORMAT: Final = 2  # 1: did not say how samples were cut, nor of which mixture

_UNSURE: Final = ("loss", "grad_norm", "z_loss", "horizon")  # of a step that was skipped: perhaps no numbers
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# What makes a folder a Hugging Face model, or an adapter of one.
_CONFIGS: Final = ("config.json", "adapter_config.json")


@dataclass(frozen=True)
class Record:
    """`run.json`: what a run is made of, and what was fixed when it began, so that going on is exact."""

    settings: dict[str, Any]  # TrainSettings.outcome()
    tokens: str  # fingerprint of all the tokens that its samples are of
    tokenizer: str  # sha256 of tokenizer.json
    vocabulary: int
    parameters: int
    steps: int  # of the whole run; 0: the first timed steps will tell
    threads: int
    precision: str
    device: str
    versions: dict[str, str]  # of what computes: other ones may round otherwise
    started: str  # ISO 8601, UTC
    finished: str = ""  # ISO 8601, UTC; empty while the run is not
    tokens_per_second: float = 0.0  # of the timed steps
    mixture: list[dict[str, Any]] = field(default_factory=list)  # as [[mixture]] had it; empty: none was set
    initial: dict[str, str] = field(default_factory=dict)  # file -> sha256 of the weights it started from; empty: fresh
    attention: str = ""  # which backend computed it when the run began
    format: int = FORMAT


@dataclass(frozen=True)
class Loss:
    """A line of `loss.jsonl`: `step` counts from 1."""

    step: int
    loss: float  # nats per token, of this step's batch, before its update
    rate: float  # share of the highest learning rates
    tokens: int  # seen so far, without padding
    seconds: float  # of training so far, over all sittings
    tokens_per_second: float  # of this step
    grad_norm: float  # before clipping
    z_loss: float = 0.0  # its share of what was minimised
    horizon: float = 0.0  # that of horizon-length prediction
    tflops: float = 0.0  # 10^12 operations a second of one device; masked products do not count
    mfu: float | None = None  # the same as a share of the device's peak; None: its peak is not known
    skipped: bool = False  # the guard found it no number, or a spike: it changed nothing

    def to_line(self) -> str:
        """JSON; what is no number, in a step that was skipped, as null."""
        values = dataclasses.asdict(self)
        bad = {name: None for name in _UNSURE if not math.isfinite(values[name])}
        return json.dumps(values | bad) + "\n"


@dataclass(frozen=True)
class Run:
    """A run of a workspace. `folder` is models/NAME."""

    name: str
    folder: Path
    record: Record

    @property
    def model(self) -> Path:
        """The finished model's folder, there or not."""
        return self.folder / MODEL

    @property
    def finished(self) -> bool:
        """Whether the finished model is there."""
        return (self.model / MANIFEST).is_file()


def run_folder(root: Path, name: str) -> Path:
    """models/NAME. Raises UserError for what is no name."""
    if not _NAME.fullmatch(name):
        raise UserError(
            f"{name!r} is no name for a run",
            "use up to 64 letters, digits, `-`, `_` and `.`, a letter or digit first",
        )
    return root / FOLDER / name


def find(root: Path, name: str) -> Run | None:
    """The run, None where there is none. Raises UserError when its record is damaged or by a newer Starloom."""
    folder = run_folder(root, name)
    path = folder / RECORD
    try:
        body = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as problem:
        raise UserError(f"cannot read {path}: {problem.strerror}", "check its permissions and its disk") from problem
    except (ValueError, RecursionError):
        raise UserError(f"{path} is damaged: no JSON", _again(name)) from None
    return Run(name, folder, _record(body, path, name))


def every(root: Path) -> list[Run]:
    """The runs of the workspace that can be read, oldest first."""
    found = []
    with contextlib.suppress(OSError):
        for path in sorted((root / FOLDER).iterdir()):
            with contextlib.suppress(UserError):
                if _NAME.fullmatch(path.name) and (run := find(root, path.name)):
                    found.append(run)
    return sorted(found, key=lambda run: run.record.started)


def write_record(folder: Path, record: Record) -> None:
    """Replaces run.json in one step. Raises UserError for what the file system refuses."""
    with explained(folder):
        make_parents(folder.absolute())
    atomic.replace_file(folder / RECORD, json.dumps(dataclasses.asdict(record), indent=1).encode() + b"\n")


def resolve(root: Path | None, model: str = "") -> Path:
    """The folder of the model that a person named: a run of the workspace, or the path of any Hugging Face folder.

    Nothing named: the run of the workspace that finished last. Raises UserError, which names the runs there are.
    """
    runs = every(root) if root else []
    if not model:
        done = [run for run in runs if run.finished]
        if done:
            return max(done, key=lambda run: run.record.finished).model
        if runs:
            raise UserError(
                f"no run has a finished model; begun: {_names(runs)}", f"run `starloom train {runs[-1].name}`"
            )
        raise UserError(
            f"{root or 'this folder'} has no trained model",
            "run `starloom train`, or give the folder of a Hugging Face model",
        )
    for run in runs:
        if run.name == model:
            if run.finished:
                return run.model
            raise UserError(f"run {model} has no finished model yet", f"run `starloom train {model}`: it goes on")
    path = Path(model).expanduser()
    for folder in (path, path / MODEL):  # a run's own folder is taken for its model
        if any((folder / name).is_file() for name in _CONFIGS):
            return folder
    if path.is_dir():
        raise UserError(f"{path} is no model: it has no {_CONFIGS[0]}", "give the folder of a Hugging Face model")
    there = f"runs here: {_names(runs)}" if runs else "no run here yet: `starloom train` makes one"
    raise UserError(f"no run and no folder is called {model}", f"{there}; or give the folder of a Hugging Face model")


def losses(folder: Path) -> list[Loss]:
    """What a run's loss.jsonl says, in order; a torn last line is passed over. Empty where there is none."""
    try:
        text = (folder / LOSSES).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return parse_losses(text.splitlines())


def parse_losses(lines: Iterable[str]) -> list[Loss]:
    """The lines that are whole."""
    found = []
    for line in lines:
        with contextlib.suppress(ValueError, TypeError):
            values = json.loads(line)
            unknown = {name: math.nan for name in _UNSURE if name in values and values[name] is None}
            found.append(Loss(**(values | unknown)))
    return found


def differences(
    record: Record, settings: dict[str, Any], mixture: Sequence[Mapping[str, Any]], tokens: str, tokenizer: str
) -> list[str]:
    """In words, how a run that was recorded differs from what it would be now; empty when it would be the same."""
    if record.format < FORMAT:
        return ["an older Starloom began it, which cut samples otherwise"]
    found = [
        f"{name} was {record.settings.get(name)!r} and is {settings.get(name)!r}"
        for name in sorted({*record.settings, *settings})
        if record.settings.get(name) != settings.get(name)
    ]
    if (was_mixed := _mixed(record.mixture)) != (is_mixed := _mixed(mixture)):
        found.append(f"the mixture was {was_mixed} and is {is_mixed}")
    for what, was, now in (("tokens/", record.tokens, tokens), ("the tokenizer", record.tokenizer, tokenizer)):
        if was != now:
            found.append(f"{what} was {was[:12]} and is {now[:12]}")
    return found


def _mixed(mixture: Sequence[Mapping[str, Any]]) -> str:
    """The part of it that reading depends on: what tokens hold of its conditions, their fingerprint says."""
    rows = ([one["name"], f"{one['weight']:g}" if one["weight"] else "", one["tokens"]] for one in mixture)
    return ", ".join(" ".join(filter(None, row)) for row in rows) or "one source"


def _record(body: Any, path: Path, name: str) -> Record:
    try:
        if int(body["format"]) > FORMAT:
            raise UserError(
                f"{path} was written by a newer Starloom", "update Starloom: pip install --upgrade starloom"
            )
        record = Record(**body)
        for one in dataclasses.fields(Record):
            kind: Any = one.type
            wanted = (float, int) if kind is float else get_origin(kind) or kind
            if not isinstance(getattr(record, one.name), wanted):
                raise TypeError(f"{one.name} is {getattr(record, one.name)!r}")
        if not all(isinstance(one, dict) and {"name", "weight", "tokens"} <= one.keys() for one in record.mixture):
            raise TypeError(f"mixture is {record.mixture!r}")
    except (KeyError, TypeError, ValueError) as problem:
        raise UserError(f"{path} is damaged ({problem})", _again(name)) from None
    return record


def _again(name: str) -> str:
    return f"begin the run anew: `starloom train {name} --restart`"


def _names(runs: list[Run]) -> str:
    return ", ".join(run.name for run in runs)
