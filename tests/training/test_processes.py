"""Runs of many processes: the loss of one, the same bits when killed, whole checkpoints, no process left behind."""

import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from faults import wait_for
from starloom.training import pretraining, runs
from training import packing
from training.packing import tiny

pytestmark = pytest.mark.slow  # each process has PyTorch to import

LAUNCHER = Path(__file__).parent / "ranks.py"
STEPS, BEGUN = 14, 4
# Shapes that no number of processes divides; the horizon's bias has one row: some processes hold none of it.
CHANGES = {"hidden": 20, "feed_forward": 42, "kv_heads": 1, "batch": 4, "horizon": 0.1, "z_loss": 1e-4, "seed": 3}
SETTINGS = tiny(**CHANGES, steps=STEPS, keep=STEPS, precision="float32")


class Processes:
    """`ranks.py`, running; `ids` of its processes."""

    def __init__(self, number, root, settings):
        words = [sys.executable, str(LAUNCHER), str(number), str(root), json.dumps(dataclasses.asdict(settings))]
        self.root = root
        self.launcher = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.ids = [int(self.launcher.stdout.readline()) for _ in range(number)]

    def kill(self, *numbers):
        for number in numbers:
            os.kill(self.ids[number], signal.SIGKILL)

    def after(self, step):
        """Comes back when that step's line is written."""
        wait_for(lambda: len(losses(self.root)) >= step or self.launcher.poll() is not None, seconds=120)
        return self

    def end(self):
        """(the exit statuses, what was said)."""
        out, said = self.launcher.communicate(timeout=120)
        return [int(line) for line in out.split()], said


def losses(root):
    return runs.losses(root / "models" / "small")


def folder_of(root, step):
    return root / "models" / "small" / "checkpoints" / f"step-{step:06}"


def bits(root):
    """What depends on every step: the model, all of the last checkpoint, the losses."""
    files = [root / "models/small/model/model.safetensors", *sorted(folder_of(root, STEPS).glob("*.safetensors"))]
    told = [(one.step, one.loss, one.rate, one.tokens, one.grad_norm) for one in losses(root)]
    return {path.name: path.read_bytes() for path in files}, told


def assert_same_losses(root, other):
    for one, expected in zip(losses(root), losses(other), strict=True):
        assert one.tokens == expected.tokens  # the same samples
        assert one.loss == pytest.approx(expected.loss, rel=1e-6)
        assert one.grad_norm == pytest.approx(expected.grad_norm, rel=1e-4)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A run of one process."""
    root = packing.workspace(tmp_path_factory.mktemp("alone") / "packed", 4000)
    pretraining.train(root, SETTINGS, "small", command="test")
    return root


@pytest.fixture(scope="module")
def begun(alone, tmp_path_factory):
    """`begun()`: the same run as it was after its first steps."""

    def copy():
        root = tmp_path_factory.mktemp("begun") / "packed"
        shutil.copytree(alone, root)
        shutil.rmtree(root / "models/small/model")
        for step in range(BEGUN + 1, STEPS + 1):
            shutil.rmtree(folder_of(root, step))
        (root / "models/small/loss.jsonl").unlink()  # the checkpoint has it
        return root

    return copy


@pytest.fixture(scope="module")
def sharded(begun):
    """The same run, of two processes from then on."""
    root = begun()
    assert Processes(2, root, SETTINGS).end()[0] == [0, 0]
    return root


def test_two_processes_go_on_from_one(alone, sharded):
    assert_same_losses(sharded, alone)
    names = sorted(path.name for path in folder_of(sharded, STEPS).glob("*.safetensors"))
    assert names == ["process-0-of-2.safetensors", "process-1-of-2.safetensors"]
    assert not list((sharded / "models/small/checkpoints").glob(".*"))  # nothing is left aside


def test_killed_and_damaged_and_again(sharded, begun):
    """Every process is killed at once, and the last checkpoint is torn: the same bits in the end."""
    root = begun()
    killed = Processes(2, root, SETTINGS).after(BEGUN + 5)
    killed.kill(0, 1)
    assert killed.end()[0] == [-signal.SIGKILL, -signal.SIGKILL]
    newest = max((root / "models/small/checkpoints").glob("step-*"))
    part = newest / "process-1-of-2.safetensors"
    part.write_bytes(part.read_bytes()[:-1])
    statuses, said = Processes(2, root, SETTINGS).end()
    assert statuses == [0, 0]
    assert said.count(f"note: {newest.name} is damaged and passed over: {part}") == 1
    assert bits(root) == bits(sharded)
    assert not list(newest.parent.glob(".*"))  # what the killed ones had left


def test_one_of_four_dies(alone, tmp_path):
    """In groups of two: the others stop at once; two that hold everything, a sample at a time, go on from it."""
    root = tmp_path / "packed"
    shutil.copytree(alone, root, ignore=shutil.ignore_patterns("models"))
    changes = {"sharding": "hybrid", "replicas": 2, "activation_checkpointing": "layers"}
    many = Processes(4, root, dataclasses.replace(SETTINGS, **changes)).after(6)
    many.kill(2)
    died = time.monotonic()
    statuses, said = many.end()
    assert time.monotonic() - died < 60
    assert statuses == [1, 1, -signal.SIGKILL, 1]
    # Once, but that the first process holds the store here, which torchrun would: it may be gone before the last asks.
    assert 1 <= said.count("error: another process of this run has died") <= 3
    assert "Traceback" not in said
    left = len(losses(root))
    assert left < STEPS
    changes = {"sharding": "none", "micro_batch": 1}
    assert Processes(2, root, dataclasses.replace(SETTINGS, **changes)).end()[0] == [0, 0]
    assert_same_losses(root, alone)


def test_one_process_goes_on_from_two(alone, sharded, tmp_path):
    root = tmp_path / "packed"
    shutil.copytree(sharded, root)
    shutil.rmtree(root / "models/small/model")
    shutil.rmtree(folder_of(root, STEPS))
    shutil.rmtree(folder_of(root, STEPS - 1))
    pretraining.train(root, SETTINGS, "small", command="test")
    assert_same_losses(root, alone)


def test_torchrun(tmp_path):
    """The command as its help has it; Ctrl-C leaves a checkpoint of the step in hand."""
    root = packing.workspace(tmp_path / "packed", 4000)
    settings = packing.TINY | {"steps": 5000, "checkpoint_seconds": 3600.0}
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    (root / "starloom.toml").write_text("\n".join(["[train]", *lines, ""]))
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python"]
    words = [*torchrun, sys.executable, "-c", "from starloom.commands import main; main()", "train"]
    with subprocess.Popen(words, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: len(losses(root)) >= 3 or process.poll() is not None, seconds=120)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    stopped = re.search(r"^stopped after step (\d+)$", said, re.MULTILINE)
    assert stopped, said
    assert said.count("stopped after step") == 1
    assert [path.name for path in (root / "models/small/checkpoints").iterdir()] == [f"step-{int(stopped[1]):06}"]
