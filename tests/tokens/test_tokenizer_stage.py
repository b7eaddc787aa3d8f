"""`starloom tokenizer`: from a dataset's train split, or from a folder; reproducible, stale when it should be."""

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from starloom.commands.tokenizer import command
from starloom.errors import UserError
from starloom.stages import load_settings
from starloom.tokens import tokenizer_stage as stage
from starloom.tokens.tokenizer import Tokenizer
from starloom.workspace.run import statuses
from the_stack import building
from tokens import datasets
from tokens.datasets import SCHEMA
from tokens.learning import SOURCES, ours

VOCABULARY = "\n[tokenizer]\nvocabulary = 500\n"


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A workspace of four repositories, about half of them held out."""
    folder = tmp_path_factory.mktemp("original")
    sources = []
    for number, path in enumerate(map(Path, SOURCES)):
        files = {f"src/{path.name}": path.read_bytes(), "LICENSE": building.MIT}
        files |= {f"src/made_{n}.py": building.code(f"{number} {n}") for n in range(6)}
        sources.append(building.git_repository(folder / f"repository-{number}", files))
    return building.Workspace(folder / "ws", *sources, extra=f"{building.ENGINE}\n[decide]\nheld_out = 0.5\n").build()


@pytest.fixture
def built(original, tmp_path):
    """A copy of it; `extra` is what its starloom.toml says besides."""

    def make(extra=VOCABULARY, name="ws"):
        made = object.__new__(building.Workspace)
        made.root = tmp_path / name
        shutil.copytree(original.root, made.root)
        made.configure(extra)
        return made

    return make


def run(made, *arguments):
    """(result, JSON) of the command in this process."""
    result = CliRunner().invoke(command, ["-w", str(made.root), "--json", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def state(made):
    settings = load_settings(made.root)
    return statuses(made.root, [stage.STAGE], settings, settings.engine)[0].state


def fails(made, *arguments):
    with pytest.raises(UserError) as raised:
        CliRunner().invoke(command, ["-w", str(made.root), *map(str, arguments)], catch_exceptions=False)
    return raised.value


def test_it_learns_from_the_dataset(built):
    made = built()
    facts = run(made)
    tokenizer = Tokenizer.open(made.root / "tokenizer")
    rows = made.dataset()
    assert {row["split"] for row in rows} == {"train", "held_out"}
    assert tokenizer.vocabulary == facts["vocabulary"] == 500
    assert facts["tokenizer"] == tokenizer.sha256
    assert facts["trained_files"] == sum(row["split"] == "train" for row in rows)
    markers = sum(one["end"] - one["start"] for row in rows if row["split"] == "train" for one in row["redactions"])
    text = sum(len(row["content"].encode()) for row in rows if row["split"] == "train")
    assert facts["trained_bytes"] == text - markers > 0
    assert facts["measured_on"] == "held_out"
    assert 1.5 < facts["bytes_per_token"] < 4
    assert state(made) == "fresh"
    assert {path.name for path in (made.root / "tokenizer").iterdir()} == {
        "manifest.json",
        "report.json",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }


def test_the_same_dataset_gives_the_same_bytes(built):
    first, second = built(name="one"), built(name="two")
    run(first)
    run(second)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "report.json", "manifest.json"):
        assert (first.root / "tokenizer" / name).read_bytes() == (second.root / "tokenizer" / name).read_bytes()


def test_too_large_a_vocabulary(built):
    made = built("")
    error = fails(made)
    assert "vocabulary = 49152, but" in error.problem
    came_out = int(error.problem.rsplit("only ", 1)[1].split()[0])
    assert f"starloom tokenizer --vocabulary {came_out}" in error.hint
    assert not (made.root / "tokenizer").exists()
    assert run(made, "--vocabulary", came_out)["vocabulary"] == came_out


def test_an_option_stands_over_the_settings_and_says_so(built):
    made = built()
    result = CliRunner().invoke(command, ["-w", str(made.root), "--vocabulary", "400"], catch_exceptions=False)
    assert result.stdout.startswith(f"{made.root / 'tokenizer'}: 400 tokens, ")
    assert "says otherwise, so `starloom status` will call the tokenizer stale" in result.stderr
    assert "write into section [tokenizer]: vocabulary = 400" in result.stderr
    assert state(made) == "stale"
    made.replace("vocabulary = 500", "vocabulary = 400")
    assert state(made) == "fresh"


def test_taking_a_tokenizer(built, tmp_path):
    made = built()
    folder = tmp_path / "model"
    folder.mkdir()
    for name, data in ours().files().items():
        (folder / name).write_bytes(data)
    (folder / "model.safetensors").write_bytes(b"not copied")
    facts = run(made, "--from", folder)
    assert (facts["vocabulary"], facts["tokenizer"], facts["trained_bytes"]) == (1000, ours().sha256, 0)
    assert Tokenizer.open(made.root / "tokenizer").files() == ours().files()
    assert str(tmp_path) not in json.dumps(json.loads((made.root / "tokenizer/manifest.json").read_text())["settings"])
    made.replace("vocabulary = 500", f"base = {json.dumps(str(folder))}")
    assert state(made) == "fresh"
    (folder / "tokenizer.json").write_bytes(ours().files()["tokenizer.json"] + b"\n")
    assert state(made) == "stale"


def test_a_base_is_relative_to_the_workspace(built):
    made = built('\n[tokenizer]\nbase = "mine"\n')
    (made.root / "mine").mkdir()
    (made.root / "mine" / "tokenizer.json").write_bytes(ours().files()["tokenizer.json"])
    assert run(made)["vocabulary"] == 1000
    assert set(Tokenizer.open(made.root / "tokenizer").files()) == {"tokenizer.json"}


def test_bases_that_are_none(built, tmp_path):
    made = built()
    assert "hf download bigcode/starcoder2-3b tokenizer.json" in fails(made, "--from", "bigcode/starcoder2-3b").hint
    assert "is no folder" in fails(made, "--from", tmp_path / "nowhere").problem
    assert "holds no tokenizer.json" in fails(made, "--from", tmp_path).problem
    (tmp_path / "tokenizer.json").write_bytes(b"{")
    assert "is no tokenizer" in fails(made, "--from", tmp_path).problem
    assert "give one of them" in fails(made, "--from", tmp_path, "--vocabulary", 500).hint
    assert not (made.root / "tokenizer").exists()


def test_without_a_dataset(workspace, tmp_path):
    made = workspace(building.folder(tmp_path / "code", {"a.py": b"x = 1\n"}), build=False)
    assert "dataset is missing" in fails(made).problem


def test_a_tokenizer_json_alone(built, tmp_path):
    made = built()
    (tmp_path / "other.json").write_bytes(ours().files()["tokenizer.json"])
    assert run(made, "--from", tmp_path / "other.json")["tokenizer"] == ours().sha256
    made.replace("vocabulary = 500", f"base = {json.dumps(str(tmp_path / 'other.json'))}")
    assert state(made) == "fresh"


def test_bytes_per_language_are_told(built):
    made = built()
    facts = run(made)
    sizes = Counter()
    for row in made.dataset():
        if row["split"] == "train":
            gone = sum(one["end"] - one["start"] for one in row["redactions"])
            sizes[row["language"] or ""] += len(row["content"].encode()) - gone
    assert facts["trained_languages"] == dict(sizes)
    assert sum(facts["trained_languages"].values()) == facts["trained_bytes"]


MIXED = """
[[mixture]]
name = "python"
languages = ["Python"]
weight = {python}

[[mixture]]
name = "c"
languages = ["C"]
weight = 1
"""


@pytest.fixture
def mixed(tmp_path):
    """A workspace of two repositories, one of Python and one of C, of equal size."""
    lines = {"Python": "def f(x):\n    return 12\n", "C": "int f(int x) { return 1; }"}
    rows = [
        datasets.row(f"{n:04d}{text}" * 40, language, language) for language, text in lines.items() for n in range(50)
    ]
    datasets.publish_dataset(tmp_path, rows)

    def make(settings="", **weights):
        text = f"[tokenizer]\nvocabulary = 300\nsample_bytes = 20000\n{settings}{MIXED.format(**weights)}"
        (tmp_path / "starloom.toml").write_text(text)
        return SimpleNamespace(root=tmp_path)

    return make


def shares(facts):
    total = facts["trained_bytes"]
    return {language: round(size / total, 1) for language, size in facts["trained_languages"].items()}


def test_the_sample_has_the_shares_of_the_mixture(mixed):
    assert shares(run(mixed(python=4))) == {"Python": 0.8, "C": 0.2}
    assert state(mixed(python=4)) == "fresh"
    assert state(mixed(python=1)) == "stale"
    assert shares(run(mixed(python=1))) == {"Python": 0.5, "C": 0.5}


def test_or_of_the_dataset(mixed):
    made = mixed('shares = "dataset"\n', python=4)
    assert shares(run(made)) == {"Python": 0.5, "C": 0.5}
    assert state(mixed('shares = "dataset"\n', python=1)) == "fresh"  # weights have no say


def test_weights_have_no_say_in_what_is_taken(mixed, tmp_path):
    (tmp_path / "mine.json").write_bytes(ours().files()["tokenizer.json"])
    run(mixed('base = "mine.json"\n', python=4))
    assert state(mixed('base = "mine.json"\n', python=1)) == "fresh"


def test_a_mixture_of_nothing(mixed):
    made = mixed(python=1)
    settings = made.root / "starloom.toml"
    settings.write_text(settings.read_text().replace('["Python"]', '["Ada"]').replace('["C"]', '["Zig"]'))
    error = fails(made)
    assert "no repository of the train split belongs to a source of the mixture (python, c)" in error.problem
    assert 'shares = "dataset"' in error.hint


@pytest.mark.parametrize("split", ["train", "held_out"])
def test_a_part_that_cannot_be_read(tmp_path, split):
    """Found while its texts are read: names and sizes are whole."""
    rows = [datasets.row(f"{n:04d} " + "".join(f"word{n + k} " for k in range(99))) for n in range(50)]
    datasets.publish_dataset(tmp_path, rows[:40], rows[40:])
    (tmp_path / "starloom.toml").write_text("[tokenizer]\nvocabulary = 295\n")
    path = tmp_path / f"dataset/files/{split}-00000.parquet"
    column = SCHEMA.names.index("content")
    with pq.ParquetFile(path) as file:
        start = file.metadata.row_group(0).column(column).data_page_offset
    data = bytearray(path.read_bytes())
    data[start : start + 200] = bytes(200)
    path.write_bytes(data)
    error = fails(SimpleNamespace(root=tmp_path))
    assert f"{path} cannot be read" in error.problem
    assert "run `starloom build`" in error.hint
    assert not (tmp_path / "tokenizer").exists()


def test_settings_that_make_no_difference_to_a_taken_tokenizer(built):
    settings = load_settings(built().root)
    taken = replace(settings.tokenizer, base="somewhere")
    ours, larger = (replace(settings, tokenizer=replace(settings.tokenizer, vocabulary=n)) for n in (500, 999))
    assert stage.STAGE.settings(ours) != stage.STAGE.settings(larger)
    ours, larger = (replace(settings, tokenizer=replace(taken, vocabulary=n)) for n in (500, 999))
    assert stage.STAGE.settings(ours) == stage.STAGE.settings(larger)
