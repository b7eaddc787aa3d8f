"""`starloom finetune` as a process, alone and under torchrun: what it prints, what it refuses."""

import json
import subprocess
import sys

import pytest

from starloom.training import runs
from the_stack import building
from training.finetune import models

SETTINGS = """[finetune]
sequence = 64
batch = 2
steps = 4
rate = 0.01
threads = 1
device = "cpu"
precision = "float32"
"""


@pytest.fixture
def root(tmp_path):
    models.starcoder2(tmp_path / "base")
    lines = [{"prompt": f">{number}=", "completion": str(number * 7)} for number in range(40)]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "starloom.toml").write_text(SETTINGS)
    return tmp_path / "workspace"


GIVEN = ("--base", "../base", "--data", "../data.jsonl")


def starloom(root, *words):
    return building.starloom("finetune", *words, cwd=root)


def test_finetune(root):
    done = starloom(root, "mine", *GIVEN)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{root / 'models' / 'mine' / 'model'}\n"
    assert "4 steps, " in done.stderr
    again = starloom(root, "mine", *GIVEN, "--json")
    told = json.loads(again.stdout)
    assert told.pop("parameters") == 24_448
    assert told.pop("tokens_per_second") > 0
    assert told.pop("precision") in ("float32", "bfloat16")
    assert told | {"tokens": 0, "loss": 0, "seconds": 0} == {
        "run": "mine",
        "model": str(root / "models" / "mine" / "model"),
        "trained": False,
        "base": "base",
        "method": "full",
        "steps": 4,
        "tokens": 0,
        "loss": 0,
        "seconds": 0,
    }


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        ([*GIVEN, "--steps", "3", "--epochs", "2"], "give --steps or --epochs", 2),
        ([*GIVEN, "--merge"], 'merge is of adapters, and method = "full" has none', 1),
        (["../x", *GIVEN], "no name for a run", 1),
    ],
)
def test_wrong_use(root, words, said, code):
    done = starloom(root, *words)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (root / "models").exists()


@pytest.mark.slow
def test_two_processes_learn_as_one(root):
    """Adapters; what pretraining shares is in test_processes."""
    pytest.importorskip("peft")
    words = [*GIVEN, "--method", "lora"]
    assert starloom(root, "one", *words).returncode == 0
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python"]
    program = [sys.executable, "-c", "from starloom.commands import main; main()", "finetune", "two", *words]
    done = subprocess.run([*launch, *program], cwd=root, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{root / 'models' / 'two' / 'model'}\n"  # the first process tells
    one, two = (runs.losses(root / "models" / name) for name in ("one", "two"))
    assert [line.tokens for line in one] == [line.tokens for line in two]
    assert [line.loss for line in two] == pytest.approx([line.loss for line in one], rel=1e-6)
