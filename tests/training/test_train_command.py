"""`starloom train` as a process: what it prints, what it refuses, and how it stops."""

import json
import re

import pytest

from starloom.training import runs
from the_stack import building
from training.packing import TINY


@pytest.fixture
def small(packed):
    """A workspace whose [train] makes a tiny model in 12 steps."""
    root = packed()
    lines = [f"{name} = {json.dumps(value)}" for name, value in TINY.items()]
    (root / "starloom.toml").write_text("\n".join(["[train]", *lines, ""]))
    return root


def starloom(root, *words):
    return building.starloom("train", *words, cwd=root)


def test_train(small):
    done = starloom(small, "--steps", "20")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{small / 'models' / 'small' / 'model'}\n"
    said = re.search(r"8,640 parameters, (float32|bfloat16), 1 thread, cpu", done.stderr)  # as the processor has it
    assert said
    tokens = runs.losses(small / "models" / "small")[-1].tokens
    assert f"20 steps, {tokens:,} tokens in" in done.stderr
    again = starloom(small, "--steps", "20", "--json")
    assert json.loads(again.stdout) | {"loss": 0, "seconds": 0, "tokens_per_second": 0} == {
        "run": "small",
        "model": str(small / "models" / "small" / "model"),
        "trained": False,
        "steps": 20,
        "tokens": tokens,
        "parameters": 8640,
        "loss": 0,
        "seconds": 0,
        "tokens_per_second": 0,
        "precision": said[1],
    }


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["--steps", "0"], "0 is not in the range", 2),
        (["--steps", "5", "--seconds", "5"], "give --steps or --seconds", 2),
        (["../x"], "no name for a run", 1),
    ],
)
def test_wrong_use(small, words, said, code):
    done = starloom(small, *words)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_settings_that_no_run_can_have(small):
    path = small / "starloom.toml"
    path.write_text(path.read_text().replace("heads = 2", "heads = 3", 1))
    done = starloom(small)
    assert done.returncode == 1
    assert "[train] heads = 3 does not divide hidden = 16" in done.stderr
