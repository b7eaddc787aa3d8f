"""The reckoned memory of a step against every allocation that PyTorch makes in one, on a CPU."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from starloom.starcoder2.network import StarCoder2
from starloom.training import parallel
from starloom.training.footprint import GIB, Setup, footprint
from starloom.training.machine import Machine
from starloom.training.objective import Objective
from starloom.training.optimizer import Average, Optimizer
from starloom.training.settings import TrainSettings
from starloom.training.world import World

VOCABULARY = 512
# 512 positions of 64 are enough for a band to have two chunks, and for weights to be small beside activations.
PLAIN = TrainSettings(
    layers=3,
    hidden=64,
    heads=2,
    kv_heads=1,
    feed_forward=256,
    window=512,
    context=512,
    sequence=512,
    batch=2,
    optimizer="adamw",
    document_mask=False,
    ema=0.0,
)
CASES = {
    "plain": {},
    "windows and documents": {"window": 128, "document_mask": True},
    "accumulated": {"micro_batch": 1, "ema": 0.9},
    "computed again": {"activation_checkpointing": "layers"},
    "two embeddings": {"tied": False},
    "muon, few tokens": {"optimizer": "muon", "sequence": 32, "batch": 1},
}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("case", CASES)
def test_a_step_on_a_cpu_allocates_what_is_reckoned(case: str, precision: str) -> None:
    settings = replace(PLAIN, **CASES[case])
    config = settings.model(VOCABULARY)
    setup = Setup(settings, config, kind="cpu", half=precision == "bfloat16")
    found = footprint(setup)
    static = found.weights + found.moments + found.average
    measured = static + most_of_a_step(settings, Machine("cpu", precision, 1), setup.samples)
    # On a CPU, what a checkpoint copies is in the same memory; the step here makes none.
    assert (found.most - found.host) / measured == pytest.approx(1, abs=0.05)


def most_of_a_step(settings: TrainSettings, machine: Machine, samples: int) -> int:
    """Bytes that a step allocates at most at once, beside weights, moments and average, as the loop takes it."""
    torch.manual_seed(0)
    network = StarCoder2(settings.model(VOCABULARY))
    objective = Objective(network, settings, None)
    parallel.apply(objective, settings, machine, World(0, 1, 0))
    optimizer = Optimizer(objective, settings, machine.dtype)
    average = Average(dict(network.named_parameters()), settings) if settings.ema else None
    shape = (settings.batch, settings.sequence)
    ids = torch.randint(0, VOCABULARY, shape)
    targets = ids.clone()
    targets[:, -1] = -1  # padding, which a CPU leaves out
    documents = None
    if settings.document_mask:
        documents = (torch.arange(settings.sequence) >= settings.sequence // 3).int().expand(shape).contiguous()
    most, now = 0, 0

    def taken(part: Callable[[], object]) -> object:
        nonlocal most, now
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
            found = part()
        events = [one for one in profiled.profiler.kineto_results.events() if one.name() == "[memory]"]
        for event in sorted(events, key=lambda one: one.start_ns()):
            now += event.nbytes()
            most = max(most, now)
        return found

    for first in range(0, settings.batch, samples):
        rows = slice(first, first + samples)

        def forward(rows: slice = rows) -> torch.Tensor:
            with machine.autocast():
                count = torch.tensor(float(settings.batch * settings.sequence))
                loss, _ = objective(ids[rows], targets[rows], None if documents is None else documents[rows], count)
            return loss

        loss = taken(forward)
        taken(loss.backward)
        del loss
    taken(lambda: optimizer.step(1.0))
    if average:
        taken(lambda: average.step(0))
    return most


def test_a_fullest_moment_is_named() -> None:
    assert footprint(Setup(PLAIN, PLAIN.model(VOCABULARY))).when == "at the end of the pass forward"
    few = replace(PLAIN, sequence=8, batch=1)
    assert footprint(Setup(few, few.model(VOCABULARY), half=False)).when == "at the end of the pass backward"


def test_shards_divide_what_stays_and_not_what_is_computed() -> None:
    settings = TrainSettings(preset="3b", sequence=4096, batch=64, micro_batch=1, optimizer="adamw", ema=0.0)
    config = settings.model(49_152)
    one = footprint(Setup(settings, config))
    eight = footprint(Setup(settings, config, devices=8))
    assert one.weights == 4 * config.parameters()
    assert one.moments == 8 * config.parameters()
    for part in ("weights", "gradients", "moments"):
        assert getattr(eight, part) == pytest.approx(getattr(one, part) / 8, abs=8)
    assert (eight.activations, eight.head) == (one.activations, one.head)


@pytest.mark.parametrize(
    ("sharding", "replicas", "devices", "shards"),
    [("none", 0, 16, 1), ("full", 0, 16, 16), ("auto", 0, 16, 16), ("hybrid", 0, 16, 8), ("hybrid", 4, 16, 4)],
)
def test_shards_are_as_the_run_has_them(sharding: str, replicas: int, devices: int, shards: int) -> None:
    settings = replace(PLAIN, batch=16, sharding=sharding, replicas=replicas)
    assert Setup(settings, settings.model(VOCABULARY), devices).shards == shards


def test_a_part_of_the_device_is_left_free() -> None:
    settings = replace(PLAIN, layers=60)
    setup = Setup(settings, settings.model(VOCABULARY))
    most = footprint(setup).most
    assert not setup.has_room(most + 2 * GIB)
    assert setup.has_room(int(most / 0.95) + 3 * GIB)
