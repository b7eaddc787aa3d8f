"""Bits per byte: the figures against sums made by hand, and what stands in evaluations/."""

import dataclasses
import json
import math

import numpy as np
import pytest
import torch

from starloom.errors import UserError
from starloom.leaderboard import bits_per_byte
from starloom.starcoder2.open import open_model
from starloom.tokens.packed import Packed
from starloom.tokens.tokenizer import Tokenizer
from starloom.training import runs
from the_stack import building

HALF = "\n[decide]\nheld_out = 0.5\nnear_duplicates = 0.0\n\n[tokenizer]\nvocabulary = 400\n"
TRAIN = (
    "\n[train]\nlayers = 1\nhidden = 16\nheads = 2\nkv_heads = 1\nfeed_forward = 32\nwindow = 32\ncontext = 64\n"
    "sequence = 32\nbatch = 2\nsteps = 4\nwarm_up = 1\nthreads = 1\n"
)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A workspace of eight repositories, half of them held out, with a tiny trained model."""
    base = tmp_path_factory.mktemp("evaluated")
    sources = [
        building.folder(base / f"r{number}", {f"{name}.py": building.code(f"{number}{name}", 20) for name in "abc"})
        for number in range(8)
    ]
    made = building.Workspace(base / "w", *sources, extra=building.ENGINE + HALF + TRAIN).build()
    for words in (["tokenizer"], ["pack"], ["train", "tiny"]):
        done = building.starloom(*words, cwd=made.root)
        assert done.returncode == 0, done.stderr
    return made.root


def test_the_figure_is_bits_of_the_tokens_over_bytes_of_the_text(root):
    found = bits_per_byte.evaluate(root, "tiny", 1_000_000, 0)
    made = building.Workspace.__new__(building.Workspace)
    made.root = root
    texts = sorted(row["content"] for row in made.dataset() if row["split"] == "held_out")
    assert found.files == len(texts) > 3
    assert found.bytes == sum(len(text.encode()) for text in texts)
    folder = root / "models" / "tiny" / "model"
    model, tokenizer = open_model(folder), Tokenizer.open(folder)
    total = 0.0
    for text in texts:
        ids = [tokenizer.markers.file_sep, *tokenizer.encode(text)]
        for start in range(0, len(ids) - 1, found.window):
            piece = ids[start : start + found.window + 1]
            logits = model.logits(torch.tensor([piece[:-1]]))[0]
            chosen = torch.log_softmax(logits.double(), -1)[range(len(piece) - 1), piece[1:]]
            total -= float(chosen.sum()) / math.log(2)
    assert found.model.value == pytest.approx(total / found.bytes, rel=1e-5)
    assert found.model.low <= found.model.value <= found.model.high
    assert found.model.tokens_seen == runs.losses(root / "models" / "tiny")[-1].tokens > 200
    assert found.n_gram.tokens_seen == Packed.open(root / "tokens").tokens
    assert 0 < found.n_gram.value < math.log2(400)

    scores = json.loads((root / "evaluations" / "tiny" / "scores.json").read_text())["scores"]
    assert [one["name"] for one in scores] == ["tiny", "7-gram"]
    assert scores == found.rows()
    words = found.words()
    assert f"{found.model.value:.3f}" in words
    assert f"after {found.model.tokens_seen} tokens" in words


def test_the_same_again_and_other_files_by_another_seed(root):
    first = bits_per_byte.evaluate(root, "tiny", 3_000, 0)
    assert bits_per_byte.evaluate(root, "tiny", 3_000, 0) == first
    seeds = {bits_per_byte.evaluate(root, "tiny", 3_000, seed).model.value for seed in range(4)}
    assert len(seeds) > 1


def test_the_n_gram_is_trained_on_stretches_of_many_tokens(root, monkeypatch):
    (shards,) = Packed.open(root / "tokens").streams()
    monkeypatch.setattr(bits_per_byte, "N_GRAM_TOKENS", 300)
    monkeypatch.setattr(bits_per_byte, "_STRETCH", 100)
    drawn = bits_per_byte._spread([shards])
    assert len(drawn) == 300
    assert np.array_equal(drawn[:100], shards.read(0, 100))
    assert np.array_equal(drawn[-100:], shards.read(shards.tokens - 100, shards.tokens))


def test_the_command(root):
    done = building.starloom("eval", "run", "--bytes", "5000", "--json", cwd=root)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["scores"]
    assert [one["metric"] for one in rows] == ["bits per byte"] * 2
    said = building.starloom("eval", "run", "tiny", cwd=root).stdout
    assert said.startswith("bits per byte (less is better) on ")
    assert said.rstrip().endswith("scores.json")


def test_empty_files_are_no_text(root, monkeypatch):
    """A resample of empty files alone would be nothing by nothing."""
    whole = bits_per_byte.held_out.sample(root, 1_000_000, 0)
    expected = bits_per_byte.evaluate(root, "tiny", 1_000_000, 0)
    empty = [dataclasses.replace(whole[0], path=f"{number}.py", content="") for number in range(20)]
    monkeypatch.setattr(bits_per_byte.held_out, "sample", lambda *_: [*whole, *empty])
    assert bits_per_byte.evaluate(root, "tiny", 1_000_000, 0) == expected
    monkeypatch.setattr(bits_per_byte.held_out, "sample", lambda *_: empty)
    with pytest.raises(UserError, match="are empty"):
        bits_per_byte.evaluate(root, "tiny", 1_000_000, 0)


def test_what_was_trained_on_is_refused(root, monkeypatch):
    """The split was drawn anew after the tokens were packed: a figure would be of what was learnt by heart."""
    (shards,) = Packed.open(root / "tokens").streams()
    read = shards.pieces(0, shards.tokens).column("content_id")[0].as_py()
    first, *others = bits_per_byte.held_out.sample(root, 1_000_000, 0)
    files = [dataclasses.replace(first, content_id=read), *others]
    monkeypatch.setattr(bits_per_byte.held_out, "sample", lambda *_: files)
    with pytest.raises(UserError, match=f"1 of the {len(files)} files drawn stand in"):
        bits_per_byte.evaluate(root, "tiny", 1_000_000, 0)


def test_nothing_held_out(workspace, tmp_path):
    made = workspace(
        building.folder(tmp_path / "a", {"x.py": building.code("x")}),
        extra=building.ENGINE + HALF.replace("0.5", "0.0", 1),
    )
    folder = made.root / "models" / "other"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    with pytest.raises(UserError, match="no held-out files"):
        bits_per_byte.evaluate(made.root, str(folder), 1000, 0)
