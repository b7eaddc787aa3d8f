"""Whole runs with what is optional in them, stopped and gone on: horizons, z-loss, cosine, steps passed over."""

import dataclasses
import json
import math

import pytest
import torch
from safetensors.torch import load_file

from starloom.errors import UserError
from starloom.tokens.special_tokens import SPECIAL_IDS, find_markers
from starloom.training import loop, pretraining, runs
from starloom.training.guard import ENOUGH
from starloom.training.objective import Objective
from training import packing
from training.packing import tiny

MARKERS = find_markers(SPECIAL_IDS, 0, frozenset())
POISON = 293  # a token
ALL = {"horizon": 0.3, "z_loss": 1e-3, "schedule": "cosine", "micro_batch": 1, "least_rate": 0.1}


@pytest.fixture
def infills(packed):
    """`infills()`: a workspace whose documents are middles to be filled; `poison` stands in one of 40 of them."""

    def made(poison=False, name="infills"):
        root = packed(name=name)
        word = iter(packing.words(60_000, POISON))
        stream = []
        for number in range(200):
            parts = [[next(word) for _ in range(6)] for _ in range(3)]
            stream += [MARKERS.prefix, *parts[0], MARKERS.suffix, *parts[1], MARKERS.middle, *parts[2], 0]
            if poison and number % 40 == 7:
                stream[-5] = POISON
        packing.pack(root, stream, 294, document=22)
        return root

    return made


def train(root, settings):
    return pretraining.train(root, settings, "small", command="test")


def gone_and_again(root, settings, monkeypatch, step):
    """A run that is gone in the midst of `step`, and the same command once more."""
    own = loop.rate_factor

    def gone(at, *rest):
        if at == step:
            raise RuntimeError("gone")
        return own(at, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "rate_factor", gone)
        with pytest.raises(RuntimeError, match="gone"):
            train(root, settings)
    return train(root, settings)


def poisoned(monkeypatch, worse):
    """What a sample with the poison in it does to the loss."""
    own = Objective.forward

    def forward(self, ids, *rest):
        loss, parts = own(self, ids, *rest)
        return (worse(loss), worse(parts)) if (ids == POISON).any() else (loss, parts)

    monkeypatch.setattr(Objective, "forward", forward)


def model(root):
    return (root / "models" / "small" / "model" / "model.safetensors").read_bytes()


def log(root):
    """What does not depend on the clock."""
    clock = {"seconds", "tokens_per_second", "tflops", "mfu"}
    lines = (root / "models" / "small" / "loss.jsonl").read_text().splitlines()
    return [{name: str(value) for name, value in json.loads(line).items() if name not in clock} for line in lines]


def test_everything_at_once(infills, monkeypatch):
    settings = tiny(steps=30, muon_rate=0.02, adamw_rate=0.01, **ALL)
    root = infills()
    train(root, dataclasses.replace(settings, checkpoint_seconds=60.0))
    losses = runs.losses(root / "models" / "small")
    assert losses[0].horizon == pytest.approx(0.3 * 0.29 * 7 / 21, rel=0.1)  # "half" is 0.29 off in 7 of 21 targets
    assert losses[0].z_loss == pytest.approx(1e-3 * math.log(294) ** 2, rel=0.01)
    assert losses[-1].loss < losses[0].loss
    assert losses[-1].rate == pytest.approx(0.1, abs=0.01)
    assert not any(one.skipped for one in losses)
    step = root / "models" / "small" / "checkpoints" / "step-000030"
    assert load_file(step / "training.safetensors")["horizon.weight"].any()
    for folder in (step, root / "models" / "small" / "model"):
        assert not any("horizon" in name for name in load_file(folder / "model.safetensors"))
    other = infills(name="other")
    gone_and_again(other, settings, monkeypatch, 13)
    assert model(other) == model(root)
    assert log(other) == log(root)


@pytest.mark.parametrize("micro_batch", [1, 3])
def test_micro_batches_are_the_whole_batch(infills, micro_batch):
    settings = {
        "batch": 4,
        "checkpoint_seconds": 60.0,
        "precision": "float32",
        "horizon": 0.3,
        "z_loss": 1e-3,
        "steps": 6,
    }
    losses = []
    for size, name in ((0, "whole"), (micro_batch, "parts")):
        root = infills(name=name)
        train(root, tiny(micro_batch=size, **settings))
        losses.append(runs.losses(root / "models" / "small"))
    for one, other in zip(*losses, strict=True):
        for part in ("loss", "z_loss", "horizon", "grad_norm"):
            assert getattr(one, part) == pytest.approx(getattr(other, part), rel=1e-5), part


def test_a_step_that_is_no_number_is_passed_over(infills, monkeypatch, capsys):
    settings = tiny(steps=16, on_nan="skip", keep=20, **ALL)
    root = infills(poison=True)
    poisoned(monkeypatch, lambda value: value * float("nan"))
    train(root, settings)
    folder = root / "models" / "small"
    losses = runs.losses(folder)
    skipped = [one.step for one in losses if one.skipped]
    assert 0 < len(skipped) < 10
    assert all(math.isnan(one.loss) == one.skipped for one in losses)
    said = capsys.readouterr().err
    for step in skipped:
        assert f"step {step}: the loss is no number (nan); skipped, its samples are of " in said
    for step in skipped:
        if step == 1:
            continue
        for file in ("model.safetensors", "training.safetensors"):
            before, after = (
                load_file(folder / "checkpoints" / f"step-{number:06}" / file) for number in (step - 1, step)
            )
            assert all(torch.equal(before[name], after[name]) for name in before | after), (step, file)
    other = infills(poison=True, name="other")
    gone_and_again(other, settings, monkeypatch, skipped[0])
    assert model(other) == model(root)
    assert log(other) == log(root)


def test_a_spike_is_passed_over(packed, monkeypatch):
    own, steps = Objective.forward, iter(range(1, 100))

    def forward(self, *given):
        loss, parts = own(self, *given)
        return (loss + 100, parts + 100) if next(steps) in (3, ENOUGH + 3) else (loss, parts)

    monkeypatch.setattr(Objective, "forward", forward)
    root = packed()
    settings = tiny(steps=ENOUGH + 6, on_spike="skip", checkpoint_seconds=60.0)
    train(root, settings)
    losses = runs.losses(root / "models" / "small")
    # The first was taken: there was nothing yet that it could be compared with, and now it is in what others are.
    assert [one.step for one in losses if one.loss > 50] == [3, ENOUGH + 3]
    assert [one.step for one in losses if one.skipped] == [ENOUGH + 3]


def test_a_run_that_is_lost_stops(infills):
    root = infills()
    with pytest.raises(UserError, match="17 of the last 128 steps were passed over: this is no accident") as refused:
        train(root, tiny(steps=40, muon_rate=1e9, adamw_rate=1e9, warm_up=0, on_nan="skip", on_spike="skip"))
    assert "pass such steps over" not in refused.value.hint
    assert "lower `muon_rate` and `adamw_rate`" in refused.value.hint
