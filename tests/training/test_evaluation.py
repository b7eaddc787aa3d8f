"""Evaluation in the loop: the figures of `starloom eval run`, gaps that are what they say, and a run that it leaves as
it was."""

import json
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch import nn

from starloom.errors import UserError
from starloom.leaderboard import bits_per_byte
from starloom.starcoder2.network import StarCoder2
from starloom.tokens import held_out
from starloom.tokens.held_out import HeldOutFile
from starloom.tokens.tokenizer import Tokenizer
from starloom.training import loop, pretraining
from starloom.training.evaluated import Evaluated
from starloom.training.evaluation import Evaluator, gaps
from starloom.training.objective import Objective
from starloom.training.world import World
from training.packing import tiny

TEXTS = {
    "a.py": "def first(one):\n    return one + 1\n\n\ndef second(two):\n    return two * 2\n",
    "b.py": "for number in range(10):\n    print(number)\n    total = number\n",
    "c.rs": "fn main() {\n    let größe = 3;\n    println!();\n}\n",
    "d.py": "\n\n",
    "e.py": "",
}
EVERY = {"evaluate_every": 5, "infill": 10, "evaluate_bytes": 5_000, "precision": "float32", "checkpoint_seconds": 60.0}


def files():
    languages = {"py": "Python", "rs": "Rust"}
    return [HeldOutFile("one", path, path, languages[path.split(".")[1]], content) for path, content in TEXTS.items()]


@pytest.fixture
def root(packed, monkeypatch):
    """A workspace with tokens, and text of which no dataset is needed."""
    monkeypatch.setattr(held_out, "sample", lambda root, most, seed: files())
    return packed()


def train(root, settings):
    return pretraining.train(root, settings, "small", command="test")


def evaluations(root):
    lines = (root / "models" / "small" / "evaluations.jsonl").read_text().splitlines()
    return [Evaluated(**json.loads(line)) for line in lines]


def test_as_eval_run_has_it(root):
    train(root, tiny(ema=0.0, **EVERY))
    found = evaluations(root)
    assert [one.step for one in found] == [5, 10, 12]
    assert len({one.bits_per_byte for one in found}) == 3
    score = bits_per_byte.evaluate(root, "small", 5_000, 0)
    assert found[-1].bits_per_byte == pytest.approx(score.model.value, rel=1e-4)
    assert {one.bytes for one in found} == {score.bytes} == {sum(len(text.encode()) for text in TEXTS.values())}


def test_languages_add_up(root):
    train(root, tiny(**EVERY))
    last = evaluations(root)[-1]
    sizes = {"Python": 0, "Rust": 0}
    for one in files():
        sizes[one.language] += len(one.content.encode())
    assert list(last.languages) == ["Python", "Rust"]  # the one with most text first
    mean = sum(last.languages[name] * size for name, size in sizes.items()) / sum(sizes.values())
    assert last.bits_per_byte == pytest.approx(mean, abs=2e-5)


def test_a_run_is_the_same_without(root, packed):
    other = packed(name="other")
    train(root, tiny(**EVERY))
    train(other, tiny(**(EVERY | {"evaluate_every": 0})))
    one, two = (folder / "models" / "small" for folder in (root, other))
    assert (one / "model" / "model.safetensors").read_bytes() == (two / "model" / "model.safetensors").read_bytes()
    assert not (two / "evaluations.jsonl").exists()


def test_gone_and_again(root, monkeypatch):
    """Evaluations after the last checkpoint are made again: one line a step, as if nothing had been."""
    settings = tiny(**EVERY)
    own = loop.rate_factor

    def gone(step, *rest):
        if step == 8:
            raise RuntimeError("gone")
        return own(step, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "rate_factor", gone)
        with pytest.raises(RuntimeError, match="gone"):
            train(root, settings)
    (before,) = evaluations(root)
    path = root / "models" / "small" / "evaluations.jsonl"
    path.write_text(path.read_text() + '{"step": 6, "bits')  # as after a power cut
    train(root, settings)
    found = evaluations(root)
    assert [one.step for one in found] == [5, 10, 12]
    assert found[0].bits_per_byte == before.bits_per_byte


class Knowing(nn.Module):
    """Expects what comes; after it, the end. `wrong`: a token that it never expects."""

    def __init__(self, vocabulary, wrong=-1):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.vocabulary, self.wrong, self.seen = vocabulary, wrong, []

    def forward(self, ids):
        self.seen.append((self.training, ids.shape[1]))
        told = torch.cat([ids[:, 1:], torch.zeros_like(ids[:, :1])], dim=1)
        return nn.functional.one_hot(torch.where(told == self.wrong, 1, told), self.vocabulary).float() * 50


def test_gaps_that_are_filled(root):
    tokenizer = Tokenizer.open(root / "tokenizer")
    evaluator = Evaluator(root, tiny(**EVERY), tokenizer, World())
    knowing = Knowing(tokenizer.vocabulary)
    found = evaluator.evaluate(knowing, 3)
    assert (found.step, found.filled, found.gaps) == (3, 3, 3)  # one each of the files that have lines
    assert not any(training for training, _ in knowing.seen)
    assert knowing.training
    assert max(length for _, length in knowing.seen) <= 64  # the model's context
    assert "3 of 3 gaps filled exactly" in found.words()
    asked = gaps(tokenizer, files(), 10, 64)
    rare = asked[0].answer[0]
    expected = sum(rare not in one.answer for one in asked)
    assert evaluator.evaluate(Knowing(tokenizer.vocabulary, rare), 3).filled == expected < 3


def test_gaps_are_rests_of_lines(root):
    tokenizer = Tokenizer.open(root / "tokenizer")
    found = gaps(tokenizer, files(), 10, 200)
    assert len(found) == 3
    for one in found:
        answer, asked = tokenizer.decode(one.answer), tokenizer.decode(one.prompt)
        assert 8 <= len(answer) <= 80
        assert "\n" not in answer
        assert one.prompt[-1] == tokenizer.markers.middle
        cuts = [text.split(f"{answer}\n") for text in TEXTS.values() if f"{answer}\n" in text]
        assert any(before in asked and f"\n{after}" in asked for before, after in cuts)  # all the rest of its file
    assert gaps(tokenizer, files()[::-1], 10, 200) == found
    assert gaps(tokenizer, files(), 2, 200) == found[:2]
    assert gaps(tokenizer, files(), 0, 200) == []


def test_nothing_to_evaluate_on(root, monkeypatch):
    tokenizer = Tokenizer.open(root / "tokenizer")
    monkeypatch.setattr(held_out, "sample", lambda *_: files()[4:])
    with pytest.raises(UserError, match="are empty") as refused:
        Evaluator(root, tiny(**EVERY), tokenizer, World())
    assert "evaluate_every = 0" in refused.value.hint


def test_what_is_trained_on_is_not_evaluated_on(root, tmp_path):
    tokenizer = Tokenizer.open(root / "tokenizer")
    (read, *_) = held_out.sample(root, 200_000, 0)
    pq.write_table(pa.table({"content_id": ["0" * 40, read.content_id]}), tmp_path / "pieces.parquet")
    with pytest.raises(UserError, match="files drawn stand in"):
        Evaluator(root, tiny(**EVERY), tokenizer, World(), [SimpleNamespace(folder=tmp_path)])


def test_no_dataset(packed):
    with pytest.raises(UserError) as refused:
        train(packed(), tiny(**EVERY))
    assert "starloom build" in refused.value.hint


def test_the_objective_as_it_is(root):
    """Through its forward, which is what sharding wraps: horizons and all."""
    tokenizer = Tokenizer.open(root / "tokenizer")
    settings = tiny(**EVERY, horizon=0.1)
    torch.manual_seed(0)
    made = Objective(StarCoder2(settings.model(tokenizer.vocabulary)), settings, tokenizer.markers)
    found = Evaluator(root, settings, tokenizer, World()).evaluate(made, 1)
    assert found.bits_per_byte == pytest.approx(8.2, abs=0.2)  # log2 294 bits for each byte: it knows nothing yet
    assert all(one.grad is None for one in made.parameters())
