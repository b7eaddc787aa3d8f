"""The section [train]: what is refused, and the schedule as a function."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.settings import load
from starloom.training.settings import (
    FIXED_AFTER,
    LEAST_BY_CLOCK,
    TrainSettings,
    average_factor,
    rate_factor,
    steps_for,
)


def test_the_demo_model():
    shape = TrainSettings().model(8192)
    assert shape.parameters() == 3_155_072  # the 3.2 M of dependencies.md, section 2
    assert (shape.vocab_size, shape.sliding_window, shape.num_key_value_heads) == (8192, 512, 1)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"heads": 5}, "heads = 5 does not divide hidden = 192"),
        ({"heads": 4, "kv_heads": 3}, "kv_heads = 3 does not divide heads = 4"),
        ({"hidden": 9, "heads": 3}, "heads of odd width 3"),
        ({"sequence": 4096}, "sequence = 4096 is longer than context = 2048"),
        ({"layers": 0}, "layers = 0 is out of range"),
        ({"batch": -1}, "batch = -1 is out of range"),
        ({"steps": -1}, "steps = -1 is out of range"),
        ({"seconds": 0.0}, "seconds = 0.0 is out of range"),
        ({"keep": 0}, "keep = 0 is out of range"),
        ({"block": 0}, "block = 0 is out of range"),
        ({"packing": "greedy"}, "'greedy' is not accepted"),
        ({"decay": 1.5}, "decay = 1.5 is out of range"),
        ({"ema": 1.0}, "ema = 1.0 is out of range"),
        ({"muon_rate": -1.0}, "muon_rate = -1.0 is out of range"),
        ({"seed": -1}, "seed = -1 is out of range"),
        ({"precision": "float16"}, "'float16' is not accepted"),
        ({"device": "tpu"}, "'tpu' is not accepted"),
        ({"laers": 3}, "unknown key `laers`"),
    ],
)
def test_refused(table, words):
    with pytest.raises(UserError) as refused:
        load(table, TrainSettings, "starloom.toml, section [train]")
    assert words in refused.value.problem
    assert refused.value.hint


SETTINGS = st.builds(
    TrainSettings,
    warm_up=st.integers(0, 60),
    decay=st.floats(0, 1),
    ema=st.floats(0, 0.999),
)


@given(SETTINGS, st.floats(0.001, 1000), st.floats(1, 1e5), st.floats(1, 1e5))
def test_what_is_done_before_the_count_is_known_does_not_depend_on_it(settings, step_seconds, one, other):
    steps = steps_for(one, step_seconds, settings), steps_for(other, step_seconds, settings)
    assert min(steps) >= LEAST_BY_CLOCK
    for step in range(FIXED_AFTER):
        known = {rate_factor(step, count, settings) for count in (0, *steps)}
        assert len(known) == 1


@given(SETTINGS, st.integers(1, 500))
def test_rates_rise_stay_and_fall(settings, steps):
    rates = [rate_factor(step, steps, settings) for step in range(steps)]
    assert all(0 < rate <= 1 for rate in rates)
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    if settings.decay >= 0.1 and steps >= 150:
        assert rates[-1] < 0.1


@given(SETTINGS)
def test_the_average_soon_forgets_the_first_weights(settings):
    stays = [average_factor(step, settings) for step in range(200)]
    assert stays[0] <= 0.1
    assert stays == sorted(stays)
    assert max(stays) <= settings.ema


def test_what_does_not_touch_the_weights_may_change():
    assert TrainSettings(keep=5, checkpoint_seconds=1.0).outcome() == TrainSettings().outcome()
    assert TrainSettings(seed=1).outcome() != TrainSettings().outcome()
