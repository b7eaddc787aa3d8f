"""Learning rates as functions of the step: golden values, and what must not depend on what."""

import itertools

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from starloom.training.schedule import average_factor, rate_factor, steps_for
from starloom.training.settings import FIXED_AFTER, LEAST_BY_CLOCK, TrainSettings

CHOICES = {
    "decay": st.floats(0, 1),
    "least_rate": st.sampled_from([0.0, 0.1, 0.5]),
    "ema": st.floats(0, 0.999),
}
BY_CLOCK = st.builds(TrainSettings, warm_up=st.integers(0, 60), **CHOICES) | st.builds(
    TrainSettings, warm_up=st.integers(FIXED_AFTER, 60), schedule=st.just("cosine"), **CHOICES
)
BY_COUNT = st.builds(
    TrainSettings,
    warm_up=st.integers(0, 60),
    schedule=st.sampled_from(["wsd", "cosine"]),
    steps=st.integers(1, 500),
    **CHOICES,
)


FEW = profile(max_examples=50)


# The one StarCoder2 run whose launch is published, 1B: 4e-4 to 4e-5, 500,000 steps, 2,000 of them warm-up.
@pytest.mark.parametrize(
    ("step", "rate"),
    [
        (0, 2e-7),  # the first step moves, too
        (999, 2e-4),
        (1_999, 4e-4),
        (2_000, 4e-4),
        (126_500, 3.47279e-4),  # a quarter of the wave: 4e-5 + 3.6e-4 * (1 + cos(pi / 4)) / 2
        (251_000, 2.2e-4),  # half of it
        (375_500, 9.27208e-5),
        (499_999, 4e-5),
    ],
)
def test_cosine_of_starcoder2(step, rate):
    settings = TrainSettings(schedule="cosine", steps=500_000, warm_up=2_000, least_rate=0.1)
    assert 4e-4 * rate_factor(step, 500_000, settings) == pytest.approx(rate, rel=2e-6)


def test_wsd_is_flat_and_then_a_straight_line():
    settings = TrainSettings(warm_up=10, decay=0.25, least_rate=0.2)
    rates = [rate_factor(step, 100, settings) for step in range(101)]
    assert rates[9:76] == [1.0] * 67
    falls = [before - after for before, after in itertools.pairwise(rates[75:])]
    assert falls == pytest.approx([0.8 / 25] * 25)
    assert rates[-1] == pytest.approx(0.2)  # after the last step


@FEW
@given(BY_CLOCK, st.floats(0.001, 1000), st.floats(1, 1e5), st.floats(1, 1e5))
def test_what_is_done_before_the_count_is_known_does_not_depend_on_it(settings, step_seconds, one, other):
    steps = steps_for(one, step_seconds, settings), steps_for(other, step_seconds, settings)
    assert min(steps) >= LEAST_BY_CLOCK
    for step in range(FIXED_AFTER):
        known = {rate_factor(step, count, settings) for count in (0, *steps)}
        assert len(known) == 1


@FEW
@given(BY_COUNT)
def test_rates_rise_stay_and_fall(settings):
    steps = settings.steps
    rates = [rate_factor(step, steps, settings) for step in range(steps)]
    assert all(0 < rate <= 1 for rate in rates)
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    if steps >= 150:
        assert rates[settings.warm_up] == 1.0
        if settings.decay >= 0.1 or settings.schedule == "cosine":
            assert settings.least_rate < rates[-1] < settings.least_rate + 0.1


@FEW
@given(BY_CLOCK)
def test_the_average_soon_forgets_the_first_weights(settings):
    stays = [average_factor(step, settings) for step in range(200)]
    assert stays[0] <= 0.1
    assert stays == sorted(stays)
    assert max(stays) <= settings.ema
