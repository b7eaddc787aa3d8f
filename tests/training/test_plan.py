"""`starloom plan`: arithmetic by hand, what makes a run fit, and what it says."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from starloom.commands.plan import command
from starloom.errors import UserError
from starloom.stages import recipe_settings
from starloom.starcoder2 import flops
from starloom.training.footprint import GIB
from starloom.training.gpus import named
from starloom.training.plan import ASSUMED, Hardware, plan
from starloom.training.plan_words import words
from starloom.training.settings import TrainSettings
from starloom.training.stage import TrainStage
from the_stack import building

H200 = named("H200")
ONE = Hardware("H200", memory=H200.memory * GIB, peak=H200.peak, price=4.0, priced="a list")
BASE = TrainSettings(
    preset="3b",
    sequence=4096,
    context=4096,
    batch=64,
    micro_batch=2,
    steps=1000,
    optimizer="adamw",
    ema=0.0,
    document_mask=True,
)


def test_time_and_cost_are_the_arithmetic() -> None:
    found = plan(BASE, 49_152, replace(ONE, devices=8, mfu=0.5), "run")
    [stage] = found.stages
    config = BASE.model(49_152)
    assert stage.step_flops == flops.training_step(config, (64, 4096))
    seconds = 1000 * stage.step_flops / (8 * 989e12 * 0.5)
    assert found.seconds == pytest.approx(seconds)
    assert found.device_hours == pytest.approx(8 * seconds / 3600)
    assert found.cost == pytest.approx(8 * seconds / 3600 * 4.0)
    assert stage.tokens == 1000 * 64 * 4096
    assert stage.fits


def test_stages_are_planned_one_by_one_and_summed() -> None:
    stage = TrainStage("long", sequence=16_384, context=16_384, batch=16, steps=100)
    base, long = plan(replace(BASE, stages=(stage,)), 49_152, ONE, "run").stages
    both = plan(replace(BASE, stages=(stage,)), 49_152, ONE, "run")
    assert (base.run, long.run) == ("run", "run.long")
    assert long.step_flops > base.step_flops  # as many tokens, more keys
    assert both.seconds == pytest.approx(base.seconds + long.seconds)


def test_what_does_not_fit_is_answered_with_what_makes_it() -> None:
    samples = replace(BASE, micro_batch=16)
    [stage] = plan(samples, 49_152, ONE, "run").stages
    assert stage.fits is False
    assert stage.changes == {"micro_batch": 4}
    assert plan(replace(samples, **stage.changes), 49_152, ONE, "run").stages[0].fits
    assert not plan(replace(samples, micro_batch=8), 49_152, ONE, "run").stages[0].fits  # no smaller change would do


def test_layers_are_computed_again_only_where_fewer_samples_do_not_help() -> None:
    small = replace(ONE, memory=64 * GIB)
    [stage] = plan(BASE, 49_152, small, "run").stages
    assert stage.changes["activation_checkpointing"] == "layers"
    assert stage.mfu < ASSUMED  # and it costs time
    assert plan(replace(BASE, **stage.changes), 49_152, small, "run").stages[0].fits


def test_copies_become_shards_where_nothing_else_helps() -> None:
    apart = replace(BASE, sharding="none")
    [stage] = plan(apart, 49_152, replace(ONE, devices=8, memory=40 * GIB), "run").stages
    assert stage.changes["sharding"] == "full"


def test_where_no_setting_helps_it_tells_how_many_would() -> None:
    [stage] = plan(BASE, 49_152, replace(ONE, memory=44 * GIB), "run").stages
    assert (stage.fits, stage.changes) == (False, {})
    assert stage.least_devices == 2
    more = replace(BASE, micro_batch=1, activation_checkpointing="layers", sharding="full")
    assert plan(more, 49_152, replace(ONE, memory=44 * GIB, devices=2), "run").stages[0].fits
    [stage] = plan(BASE, 49_152, replace(ONE, memory=8 * GIB), "run").stages
    assert "no setting helps, nor do more devices" in words(plan(BASE, 49_152, replace(ONE, memory=8 * GIB), "run"))
    assert stage.least_devices is None


@pytest.mark.parametrize(
    ("settings", "devices", "said"),
    [
        (BASE, 3, "a batch of 64 samples cannot be shared by 3 GPUs"),
        (replace(BASE, sharding="hybrid", replicas=3), 8, "replicas = 3 does not divide 8 GPUs"),
    ],
)
def test_devices_that_cannot_share_are_refused(settings: TrainSettings, devices: int, said: str) -> None:
    with pytest.raises(UserError, match=said):
        plan(settings, 49_152, replace(ONE, devices=devices), "run")


def test_steps_by_the_clock_are_as_many_as_fit() -> None:
    clocked = replace(BASE, steps=0, seconds=3600.0)
    [stage] = plan(clocked, 49_152, replace(ONE, mfu=0.5), "run").stages
    assert stage.steps == int(3600 / (stage.step_flops / (989e12 * 0.5)))
    [unknown] = plan(clocked, 49_152, replace(ONE, peak=None), "run").stages
    assert (unknown.steps, unknown.seconds) == (None, 3600.0)


# What arXiv 2402.19173 says it took: tokens, and 6 * parameters * tokens.
@pytest.mark.parametrize(
    ("recipe", "tokens", "arithmetic"),
    [("starcoder2-3b", 3.3e12, 5.94e22), ("starcoder2-7b", 3.7e12, 1.55e23), ("starcoder2-15b", 4.3e12, 3.87e23)],
)
def test_the_published_models_have_their_tokens(recipe: str, tokens: float, arithmetic: float) -> None:
    found = plan(recipe_settings(recipe).train, 49_152, replace(ONE, devices=64), recipe)
    assert sum(one.tokens or 0 for one in found.stages) == pytest.approx(tokens, rel=1e-3)
    # Ours count attention, and no embedding twice: within a sixth of it.
    assert sum(one.flops or 0 for one in found.stages) == pytest.approx(arithmetic, rel=0.17)
    assert all(one.fits or one.changes for one in found.stages)


def test_as_json() -> None:
    found = json.loads(json.dumps(plan(BASE, 49_152, replace(ONE, devices=8), "run").to_json()))
    assert found["stages"][0]["parameters"] == 3_030_371_328
    assert found["cost"] == pytest.approx(found["gpu_hours"] * 4.0)
    memory = found["stages"][0]["memory"]
    assert memory["most"] > memory["weights"] + memory["moments"] + memory["activations"]


def test_the_command(tmp_path: Path) -> None:
    done = building.starloom("plan", "starcoder2-3b", "--gpus", "64", "--mfu", "0.5", "--price", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("starcoder2-3b: 3,030,371,328 parameters, in bfloat16 on 64 x H200 (139 GiB")
    assert "starcoder2-3b.long fits; it is fullest" in done.stdout
    assert "at $2 an hour (yours)" in done.stdout


def test_the_command_on_a_cpu() -> None:
    done = CliRunner().invoke(command, ["small-cpu", "--memory", "1"])
    assert done.exit_code == 0
    assert "in float32 on CPU (1 GiB)" in done.output
    assert "it does with, in [train]: micro_batch = " in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["nothing"], "recipe `nothing` is not known"), (["starcoder2-3b", "--gpu", "H300"], "no GPU 'H300' is known")],
)
def test_what_is_not_there(arguments: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        CliRunner().invoke(command, arguments, catch_exceptions=False)
