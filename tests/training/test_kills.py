"""kill -9 and Ctrl-C in a process of its own, on one and two threads: the same command ends with the same bits."""

import dataclasses
import json
import os
import random
import signal
import subprocess
import sys

import pytest

from faults import wait_for
from starloom.training import pretraining, runs
from training.packing import tiny

# As `starloom train` does it, with settings from the test.
SCRIPT = """
import json, sys
from pathlib import Path
from starloom.training.pretraining import train
from starloom.training.settings import TrainSettings
try:
    train(Path(sys.argv[1]), TrainSettings(**json.loads(sys.argv[2])), "small", command="test")
except KeyboardInterrupt:
    sys.exit(130)
"""


def start(root, settings):
    words = [sys.executable, "-c", SCRIPT, str(root), json.dumps(dataclasses.asdict(settings))]
    # Threads that wait must not spin: tests share their cores.
    return subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=os.environ | {"OMP_WAIT_POLICY": "PASSIVE"})


def lines(root):
    return len(runs.losses(root / "models" / "small"))


def stop_after(root, settings, step, number):
    """The exit status and words of a process that gets a signal once `step` is done."""
    with start(root, settings) as process:
        wait_for(lambda: lines(root) >= step or process.poll() is not None, seconds=60)
        os.kill(process.pid, number)
        said = process.communicate()[1]
    return process.returncode, said


def outcome(root, name="small"):
    """Bytes that depend on every step: the weights, the moments; and the losses."""
    folder = root / "models" / name
    newest = max((folder / "checkpoints").iterdir())
    files = [folder / "model" / "model.safetensors", newest / "training.safetensors", newest / "model.safetensors"]
    losses = [(one.step, one.loss, one.rate, one.tokens, one.grad_norm) for one in runs.losses(folder)]
    return [path.read_bytes() for path in files], losses


def test_killed_at_random_and_again(packed):
    settings = tiny(steps=40)  # a checkpoint at every step: half of the time goes into them
    undisturbed, root = packed(name="undisturbed"), packed(name="killed")
    pretraining.train(undisturbed, settings, "small", command="test")
    step = random.Random(0).randrange(3, 30)
    assert stop_after(root, settings, step, signal.SIGKILL)[0] == -signal.SIGKILL
    pretraining.train(root, settings, "small", command="test")
    assert outcome(root) == outcome(undisturbed)


@pytest.mark.slow
def test_killed_on_two_threads(packed):
    # Wide enough that PyTorch shares the work between them.
    settings = tiny(hidden=128, sequence=64, batch=4, feed_forward=512, steps=20, threads=2, checkpoint_seconds=0.2)
    undisturbed, root = packed(name="undisturbed"), packed(name="killed")
    assert stop_after(root, settings, 8, signal.SIGKILL)[0] == -signal.SIGKILL
    for one in (root, undisturbed):
        with start(one, settings) as process:
            assert process.wait() == 0
    assert outcome(root) == outcome(undisturbed)


def test_interrupted_and_again(packed):
    settings = tiny(steps=100, checkpoint_seconds=3600.0)  # but for Ctrl-C, there would be one at the end only
    root, undisturbed = packed(name="interrupted"), packed(name="undisturbed")
    status, said = stop_after(root, settings, 5, signal.SIGINT)
    assert status == 130
    done = lines(root)
    assert f"stopped after step {done}\n" in said
    assert "Traceback" not in said
    assert [path.name for path in (root / "models" / "small" / "checkpoints").iterdir()] == [f"step-{done:06}"]
    pretraining.train(root, settings, "small", command="test")
    pretraining.train(undisturbed, settings, "small", command="test")
    assert outcome(root) == outcome(undisturbed)
