"""Sinks: what TensorBoard reads back is what loss.jsonl has, W&B is told the same, and what is missing is named."""

import dataclasses
import json
import math
import sys
import types

import pytest

from starloom.errors import UserError
from starloom.training import evaluated, metrics, pretraining, runs
from starloom.training.evaluated import Evaluated
from starloom.training.runs import Loss, Record, Run
from starloom.training.world import World
from training.packing import tiny

LINE = Loss(3, 2.5, 1.0, 640, 1.5, 320.0, 0.75, z_loss=0.01, tflops=0.2)
FOUND = Evaluated(3, 1.25, {"Python": 1.0, "C++": 2.0}, 1, 4, 900, 0.5)
TOLD = {
    "train/loss": 2.5,
    "train/grad_norm": 0.75,
    "train/rate": 1.0,
    "train/tokens": 640.0,
    "train/z_loss": 0.01,
    "speed/tokens_per_second": 320.0,
    "speed/tflops": 0.2,
    "eval/bits_per_byte": 1.25,
    "eval/bits_per_byte/Python": 1.0,
    "eval/bits_per_byte/C++": 2.0,
    "eval/filled": 0.25,
}


@pytest.fixture
def run(tmp_path):
    record = Record(
        tiny().outcome(), "0", "0", 294, 8640, 12, 1, "float32", "cpu", {}, started="2026-01-02T03:04:05+00:00"
    )
    return Run("small", tmp_path, record)


class FakeWandb(types.ModuleType):
    """Notes what it is told; `broken`: cannot be reached."""

    def __init__(self, broken=False):
        super().__init__("wandb")
        self.errors = types.SimpleNamespace(Error=type("Error", (Exception,), {}))
        self.Settings = types.SimpleNamespace
        self.broken, self.opened, self.told, self.finished = broken, None, {}, False

    def init(self, **options):
        if self.broken:
            raise self.errors.Error("no API key")
        self.opened = options
        return self

    def log(self, values, step):
        self.told |= {(step, name): value for name, value in values.items()}

    def finish(self):
        self.finished = True


def test_wandb_is_told(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", fake := FakeWandb())
    monkeypatch.setenv("WANDB_PROJECT", "mine")
    with metrics.opened(run, tiny(sinks=("wandb",)), World()) as told:
        told.step(LINE)
        told.evaluated(FOUND)
        assert not fake.finished
    assert fake.finished
    assert fake.told == {(3, name): value for name, value in TOLD.items()}
    assert (fake.opened["project"], fake.opened["name"]) == ("mine", "small")
    assert fake.opened["config"] == run.record.settings
    assert fake.opened["resume"] == "allow"
    assert fake.opened["settings"].console == "off"  # the terminal stays ours
    identity = fake.opened["id"]
    assert not set(identity) & set("/\\#?%:")  # W&B's rule for ids
    with metrics.opened(run, tiny(sinks=("wandb",)), World()):
        assert fake.opened["id"] == identity  # a run that goes on is the same there


def test_wandb_that_cannot_be_reached(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", FakeWandb(broken=True))
    with pytest.raises(UserError, match="no API key") as refused, metrics.opened(run, tiny(sinks=("wandb",)), World()):
        pass
    assert "WANDB_MODE=offline" in refused.value.hint


@pytest.mark.parametrize(("name", "module"), [("wandb", "wandb"), ("tensorboard", "torch.utils.tensorboard")])
def test_a_sink_that_is_not_installed(run, monkeypatch, name, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=f"'{name}', which is not installed") as refused:
        metrics.opened(run, tiny(sinks=(name,)), World()).__enter__()
    assert f"pip install 'starloom[{name}]'" in refused.value.hint


def test_the_first_process_alone_tells(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", fake := FakeWandb())
    with metrics.opened(run, tiny(sinks=("wandb",)), World(1, 2, 1)) as told:
        told.step(LINE)
        told.evaluated(FOUND)
    assert fake.opened is None
    assert not list(run.folder.iterdir())


def test_a_line_an_evaluation(run):
    """Of a run that goes on from an older checkpoint, those after it are made again; a torn line is none."""
    with metrics.opened(run, tiny(), World()) as told:
        for step in (5, 10, 15):
            told.evaluated(dataclasses.replace(FOUND, step=step))
    path = run.folder / evaluated.FILE
    assert [one.step for one in evaluated.read(run.folder)] == [5, 10, 15]
    path.write_text(path.read_text() + '{"step": 20, "bi')
    lines = "".join(dataclasses.replace(LINE, step=step).to_line() for step in range(1, 9))
    (run.folder / runs.LOSSES).write_text(lines)
    with metrics.opened(run, tiny(), World()) as told:
        told.evaluated(dataclasses.replace(FOUND, step=10, filled=2))
    assert evaluated.read(run.folder) == [
        dataclasses.replace(FOUND, step=5),
        dataclasses.replace(FOUND, step=10, filled=2),
    ]
    assert (run.folder / evaluated.PICTURE).read_text().startswith("<svg")


def test_a_model_that_has_diverged_is_json_all_the_same(run):
    with metrics.opened(run, tiny(), World()) as told:
        told.evaluated(dataclasses.replace(FOUND, bits_per_byte=float("nan"), languages={"Go": float("nan")}))
    path = run.folder / evaluated.FILE
    assert json.loads(path.read_text(), parse_constant=pytest.fail)["bits_per_byte"] is None
    (again,) = evaluated.read(run.folder)
    assert math.isnan(again.bits_per_byte)
    assert math.isnan(again.languages["Go"])


def test_words():
    assert metrics.note(LINE, 1000) == "step 3 of 1,000, loss 2.500"
    assert metrics.note(dataclasses.replace(LINE, mfu=0.5123), 1000) == "step 3 of 1,000, loss 2.500, 51.2% MFU"


@pytest.mark.filterwarnings("ignore")  # TensorBoard's own
def test_tensorboard_reads_what_the_log_has(packed):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    root = packed()
    settings = tiny(sinks=("tensorboard",), horizon=0.1, checkpoint_seconds=60.0)
    pretraining.train(root, settings, "small", command="test")
    folder = root / "models" / "small"
    read = accumulator.EventAccumulator(str(folder / metrics.TENSORBOARD)).Reload()
    for tag, field in (("train/loss", "loss"), ("train/grad_norm", "grad_norm"), ("train/tokens", "tokens")):
        found = {one.step: one.value for one in read.Scalars(tag)}
        assert found == {one.step: pytest.approx(getattr(one, field), rel=1e-6) for one in runs.losses(folder)}
    assert "train/z_loss" not in read.Tags()["scalars"]  # none was asked for


@pytest.mark.filterwarnings("ignore")  # TensorBoard's own
@pytest.mark.parametrize("kept", [0, 4])
def test_tensorboard_of_a_run_that_goes_on(run, kept):
    """Steps after the checkpoint that it goes on from, or after none at all, are there once: as they were last."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    for first, loss in ((0, 9.0), (kept, 1.0)):
        lines = "".join(dataclasses.replace(LINE, step=step).to_line() for step in range(1, first + 1))
        (run.folder / runs.LOSSES).write_text(lines)
        with metrics.opened(run, tiny(sinks=("tensorboard",)), World()) as told:
            for step in range(first + 1, 7):
                told.step(dataclasses.replace(LINE, step=step, loss=loss))
    read = accumulator.EventAccumulator(str(run.folder / metrics.TENSORBOARD)).Reload()
    found = [(one.step, one.value) for one in read.Scalars("train/loss")]
    assert found == [(step, 9.0 if step <= kept else 1.0) for step in range(1, 7)]
