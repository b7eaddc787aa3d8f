"""`starloom export`: what it says, licences, sizes, what it refuses. The folders: tests/starcoder2/test_export.py."""

import json

import pytest
from click.testing import CliRunner

from completion import building
from starloom.commands import export as exporting
from starloom.commands import group
from starloom.errors import UserError
from starloom.starcoder2.gguf import CONVERTER


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return building.model_folder(tmp_path_factory.mktemp("models") / "ours")


@pytest.fixture
def run(model, tmp_path, monkeypatch):
    """`run(*options)`: exports the model as out/; where there is no workspace."""
    monkeypatch.chdir(tmp_path)
    return lambda *options: CliRunner().invoke(group, ["export", str(model), "out", *options])


def test_a_folder(run, tmp_path):
    done = run("--dtype", "bfloat16", "--shard-size", "20kB", "--license", "MIT")
    assert done.exit_code == 0, done.exception
    assert done.stdout == "out: 28,032 parameters in bfloat16, 0.1 MB in 3 files\n"
    assert (tmp_path / "out" / "model-00003-of-00003.safetensors").exists()
    assert 'license: "mit"' in (tmp_path / "out" / "README.md").read_text()
    (same,) = [run("--dtype", "bfloat16", "--shard-size", "20kB", "--license", "MIT", "--json")]
    told = json.loads(same.stdout)
    assert (told["folder"], told["shards"], told["dtype"], told["gguf"]) == ("out", 3, "bfloat16", None)


def test_gguf(run, tmp_path):
    (tmp_path / CONVERTER).write_text("import sys\ndef main():\n    open(sys.argv[3], 'wb').write(bytes(2_000_000))\n")
    done = run("--gguf", str(tmp_path / CONVERTER))
    assert done.exit_code == 0, done.exception
    assert done.stdout.splitlines()[1] == f"{tmp_path}/out.gguf: 2.0 MB"


def test_a_converter_that_is_not_there_is_told_before_the_copy(run, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    problem = run("--gguf").exception
    assert isinstance(problem, UserError)
    assert CONVERTER in problem.problem
    assert not (tmp_path / "out").exists()


def test_a_licence_is_not_changed(run, model, tmp_path):
    (model / "README.md").write_text("---\nlicense: bigcode-openrail-m\n---\n")
    try:
        problem = run("--license", "mit").exception
        assert isinstance(problem, UserError)
        assert "is given under bigcode-openrail-m, and --license says mit" in problem.problem
        assert run().exit_code == 0
        assert (tmp_path / "out" / "README.md").read_text() == (model / "README.md").read_text()
    finally:
        (model / "README.md").unlink()


@pytest.mark.parametrize(
    ("text", "size"),
    [("5GB", 5 * 10**9), ("1.5 MiB", 3 << 19), ("100", 100), ("20kb", 20_000), ("2G", 2 * 10**9), ("1ki", 1024)],
)
def test_sizes(text, size):
    assert exporting._bytes(text) == size


@pytest.mark.parametrize("text", ["", "GB", "0", "-1MB", "5TBB", "1e9", "0.1", "nan"])
def test_sizes_that_are_none(run, text):
    done = run("--shard-size", text)
    assert done.exit_code == 2
    assert "give a size such as 5GB" in done.output
