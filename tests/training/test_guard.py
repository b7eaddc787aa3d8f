"""The guard on planted spikes and on what is no number; a run that goes on judges as one that never stopped."""

import dataclasses
import math
import random

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from starloom.training.guard import ENOUGH, MOST_SKIPPED, WINDOW, Guard
from starloom.training.runs import Loss, parse_losses
from training.packing import tiny

NAN, INF = float("nan"), float("inf")


def calm(steps, seed=0):
    """(loss, norm) of steps of a run that learns: falling, with noise."""
    dice = random.Random(seed)
    return [
        (2 + 3 * math.exp(-step / 40) + dice.gauss(0, 0.05), 0.5 + abs(dice.gauss(0, 0.1))) for step in range(steps)
    ]


def judged(guard, values, first=0):
    return [guard.judge(step, *value) for step, value in enumerate(values, first)]


def test_a_run_that_learns_goes():
    assert set(judged(Guard(tiny(on_spike="skip", on_nan="skip")), calm(600))) == {"go"}


@pytest.mark.parametrize("on_spike", ["skip", "stop", "ignore"])
@pytest.mark.parametrize(("spike", "words"), [((4.0, 0.5), "the loss is 4"), ((2.0, 9.0), "the gradient's norm is 9")])
def test_a_planted_spike(on_spike, spike, words):
    guard = Guard(tiny(on_spike=on_spike))
    values = calm(300)
    values[200] = spike
    expected = ["go"] * 300
    if on_spike != "ignore":
        expected[200] = on_spike
        assert judged(guard, values) == expected
        assert words in guard.why
        assert "deviations above the mean of the last 128 steps" in guard.why
    else:
        assert judged(guard, values) == expected
        assert not guard.why


@pytest.mark.parametrize("on_nan", ["skip", "stop"])
@pytest.mark.parametrize("value", [(NAN, 1.0), (2.0, NAN), (INF, 1.0), (2.0, INF), (-INF, NAN)])
@pytest.mark.parametrize("step", [0, 150])
def test_no_number(on_nan, value, step):
    guard = Guard(tiny(on_nan=on_nan))
    assert set(judged(guard, calm(step))) <= {"go"}
    assert guard.judge(step, *value) == on_nan
    assert "is no number" in guard.why
    assert guard.judge(step + 1, 2.0, 0.5) == "go"  # it left nothing behind


def test_a_spike_does_not_hide_the_next():
    guard = Guard(tiny(on_spike="skip"))
    values = calm(300)
    for step in (200, 201, 205):
        values[step] = (7.0, 0.5)
    found = judged(guard, values)
    assert [step for step, one in enumerate(found) if one == "skip"] == [200, 201, 205]


def test_nothing_is_a_spike_before_there_is_enough():
    values = [*calm(ENOUGH - 1), (50.0, 50.0)]
    assert judged(Guard(tiny(on_spike="stop")), values)[-1] == "go"
    values = [*calm(ENOUGH), (50.0, 50.0)]
    assert judged(Guard(tiny(on_spike="stop")), values)[-1] == "stop"


def test_how_far_a_spike_is():
    """Alternating 1 and 3: mean 2, deviation 1; the norm stays below its own."""
    guards = {spike: Guard(tiny(on_spike="skip", spike=spike)) for spike in (4.0, 6.0)}
    values = [(1.0 + 2 * (step % 2), 1.0) for step in range(WINDOW)]
    for spike, guard in guards.items():
        judged(guard, values)
        assert guard.judge(WINDOW, 2 + spike - 0.01, 1.0) == "go", spike
    for spike in guards:
        guard = Guard(tiny(on_spike="skip", spike=spike))
        judged(guard, values)
        assert guard.judge(WINDOW, 2 + spike + 0.01, 1.0) == "skip", spike


def test_a_run_that_repeats_itself_has_no_spikes():
    values = [(1.0, 1.0)] * 200 + [(1.01, 1.01)]
    assert judged(Guard(tiny(on_spike="skip")), values)[-1] == "go"


@pytest.mark.parametrize("value", [(NAN, NAN), (9.0, 9.0)])
def test_a_run_that_is_lost_stops(value):
    guard = Guard(tiny(on_spike="skip", on_nan="skip"))
    found = judged(guard, calm(200) + [value] * (MOST_SKIPPED + 1))
    assert found[200:] == ["skip"] * MOST_SKIPPED + ["stop"]
    assert f"{MOST_SKIPPED + 1} of the last {WINDOW} steps were passed over" in guard.why


@pytest.mark.parametrize(("every", "stops"), [(50, False), (WINDOW // MOST_SKIPPED, False), (7, True)])
def test_rare_accidents_do_not_add_up(every, stops):
    values = [(NAN, NAN) if step % every == 0 else value for step, value in enumerate(calm(1_000))]
    found = judged(Guard(tiny(on_nan="skip")), values)
    assert ("stop" in found) == stops
    assert stops or found.count("skip") == len(range(0, 1_000, every))


def line(step, value, verdict):
    """As the loop writes it: three parts, whose sum was judged."""
    made = Loss(
        step + 1, value[0], 1.0, 0, 0.0, 0.0, value[1], z_loss=value[2], horizon=value[3], skipped=verdict == "skip"
    )
    assert dataclasses.asdict(made)["skipped"] == (verdict == "skip")
    return made.to_line()


@profile(max_examples=20)
@given(st.integers(0, 400), st.integers(0, 9), st.sampled_from([3.0, 6.0]))
def test_a_run_that_goes_on_judges_alike(killed, seed, spike):
    settings = tiny(on_spike="skip", on_nan="skip", spike=spike)
    dice = random.Random(seed)
    values = [(loss, norm, dice.random() * 1e-3, dice.random() * 0.1) for loss, norm in calm(400, seed)]
    for step in dice.sample(range(400), 12):
        values[step] = dice.choice([(NAN, 1.0, 0.0, 0.0), (8.0, 1.0, 0.1, 0.0), (2.0, 20.0, 0.0, 0.1)])
    whole = Guard(settings)
    verdicts, lines = [], []
    for step, value in enumerate(values):
        verdicts.append(whole.judge(step, sum((value[0], *value[2:])), value[1]))
        lines.append(line(step, value, verdicts[-1]))
    again = Guard(settings)
    again.remember(parse_losses("".join(lines[:killed]).splitlines()))
    rest = [
        again.judge(step, sum((value[0], *value[2:])), value[1]) for step, value in enumerate(values) if step >= killed
    ]
    assert rest == verdicts[killed:]
