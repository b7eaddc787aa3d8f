"""`starloom demo`: the whole loop on small repositories, with a model of seconds."""

import re

import pytest

from the_stack import building

TRAIN = """
[train]
layers = 1
hidden = 16
heads = 2
kv_heads = 1
feed_forward = 32
window = 64
context = 128
sequence = 64
batch = 2
threads = 1
steps = 30
"""


@pytest.fixture
def sources(tmp_path):
    """Six repositories of Python, under MIT."""
    files = {f"{name}.py": 40 for name in "abcd"}
    return [
        building.folder(
            tmp_path / "src" / f"r{number}",
            {"LICENSE": building.MIT}
            | {name: building.code(f"{number}{name}", lines) for name, lines in files.items()},
        )
        for number in range(6)
    ]


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "0.5"])
def test_a_training_that_cannot_be_is_told_before_the_work(cli, refused, sources, tmp_path, seconds):
    done = cli("demo", "--dir", "d", "--from", sources[0], "--train-seconds", seconds)
    refused(done, "--train-seconds: 0, or 1 and more", code=2)
    assert not (tmp_path / "d").exists()


@pytest.mark.slow
def test_the_whole_loop(cli, sources, tmp_path):
    words = [word for source in sources for word in ("--from", source)]
    assert cli("init", "w", *words).returncode == 0
    with (tmp_path / "w" / "starloom.toml").open("a") as file:
        file.write(building.ENGINE + "\n[decide]\nheld_out = 0.3\nnear_duplicates = 0.0\n" + TRAIN)
    first = cli("demo", "--dir", "w", timeout=300)
    assert first.returncode == 0, first.stderr
    assert "Traceback" not in first.stderr
    said = first.stdout
    assert "$ starloom why " in said
    assert re.search(r"  demo    \d\.\d{3}  \(.*\)  after 3,[5-8]\d\d tokens\n  7-gram  \d\.\d{3}", said)
    assert re.search(r"\$ starloom search \w+ --limit 2\nr\d:\w\.py:\d+  MIT", said)
    assert re.search(r"copy\.py: match in the \d repositories indexed, 100\.0 %", said)
    assert re.search(r"lines \d to \d+: \d+ characters, in 1 file\n +r\d:\w\.py, lines \d+ to \d+  MIT", said)
    assert "$ starloom generate 'def " in said
    assert " serve  " in said
    assert "vocabulary = 512 " in (tmp_path / "w" / "starloom.toml").read_text()  # fits so little text

    again = cli("demo", "--dir", "w", timeout=300)
    assert again.returncode == 0, again.stderr
    shown = re.compile(r"[\d.]+ (?:ms|s)\b")
    assert shown.sub("", again.stdout) == shown.sub("", said)
    assert again.stderr.count("nothing to do") == 3
    state = cli("status", "-w", "w").stdout
    assert state.count(" fresh ") == 12
    assert "run demo" in state
    assert cli("verify", "w").returncode == 0


def test_without_a_model(cli, sources, tmp_path):
    """--train-seconds 0: dataset and indexes, and nothing that is not there is shown."""
    done = cli("demo", "--dir", "w", "--from", sources[0], "--rights", "owned", "--train-seconds", "0", timeout=200)
    assert done.returncode == 0, done.stderr
    assert "not publishable: it holds code declared as owned" in done.stdout
    assert "$ starloom check copy.py" in done.stdout
    assert "$ starloom generate" not in done.stdout
    assert "$ starloom eval" not in done.stdout


def test_nothing_to_train_on(cli, tmp_path):
    done = cli("demo", "--dir", "w", "--from", building.folder(tmp_path / "a", {"x.bin": b"\0\1"}), timeout=200)
    assert done.returncode == 0, done.stderr
    assert "nothing is left to train on" in done.stderr
    assert " serve  " not in done.stdout
