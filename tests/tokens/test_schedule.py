"""Which source a sample is of: shares that hold in any stretch, a number among the source's own, and the way back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.tokens.schedule import PERIOD, Schedule

shares = st.lists(st.one_of(st.integers(1, 1000), st.floats(1e-6, 1e6)), min_size=1, max_size=6)


@settings(deadline=None)
@given(shares, st.integers(6, 300))
def test_each_sample_is_counted_in_its_source(given_shares, period):
    schedule = Schedule(given_shares, period)
    source, number = schedule.at(np.arange(2 * period + 5))
    seen = [0] * len(given_shares)
    for sample, (one, which) in enumerate(zip(source.tolist(), number.tolist(), strict=True)):
        assert [schedule.before(each, sample) for each in range(len(seen))] == seen
        assert which == seen[one]
        seen[one] += 1
    for one in range(len(seen)):
        assert schedule.samples(one, np.arange(seen[one])).tolist() == np.flatnonzero(source == one).tolist()


@given(shares, st.integers(0, 2**50))
def test_far_away(given_shares, sample):
    schedule = Schedule(given_shares)
    source, number = schedule.at(np.array([sample]))
    assert schedule.samples(int(source[0]), number).tolist() == [sample]
    assert schedule.before(int(source[0]), sample) == number[0]


@settings(deadline=None)
@given(st.lists(st.integers(1, 1000), min_size=1, max_size=6))
def test_any_stretch_is_near_the_shares(weights):
    """Of the first n samples each source has its share, less or more than one sample for each other source."""
    schedule = Schedule(weights)
    exact = np.array(weights) / sum(weights)
    assert np.abs(schedule.counts / schedule.period - exact).max() <= len(weights) / schedule.period
    source, _ = schedule.at(np.arange(4000))
    for one, share in enumerate(exact):
        seen = np.cumsum(source == one)
        assert np.abs(seen - np.arange(1, 4001) * share).max() <= len(weights)


def test_equal_shares_take_turns():
    source, _ = Schedule([1, 1, 1]).at(np.arange(30))
    assert all(sorted(source[at : at + 3].tolist()) == [0, 1, 2] for at in range(0, 30, 3))


def test_one_source_is_everything():
    source, number = Schedule([0.3]).at(np.arange(5))
    assert (source.tolist(), number.tolist()) == ([0] * 5, [0, 1, 2, 3, 4])


def test_a_share_below_one_in_a_period_has_one():
    schedule = Schedule([1e9, 1, 1])
    assert (schedule.counts.tolist(), schedule.period) == ([PERIOD - 2, 1, 1], PERIOD)


def test_rows_of_all_sources_are_through_together():
    """Where shares are rows, one period reads each row of each source once."""
    rows = [3, 11, 7]
    source, number = Schedule(rows, sum(rows)).at(np.arange(sum(rows)))
    found = sorted(zip(source.tolist(), number.tolist(), strict=True))
    assert found == [(one, k) for one, count in enumerate(rows) for k in range(count)]


@pytest.mark.parametrize(
    ("given_shares", "period"),
    [([], 9), ([1, 0], 9), ([1, -1], 9), ([float("nan")], 9), ([float("inf"), 1], 9), ([1, 1, 1], 2)],
    ids=["none", "zero", "below zero", "no number", "infinite", "period"],
)
def test_no_shares(given_shares, period):
    with pytest.raises(ValueError, match="shares of"):
        Schedule(given_shares, period)


def test_frozen():
    """Published runs name their samples by these numbers: they never change."""
    source, number = Schedule([5, 3, 2]).at(np.array([0, 1, 2, 3, 4, 5, 6, 65_535, 65_536, 10**9]))
    assert list(zip(source.tolist(), number.tolist(), strict=True)) == FROZEN


FROZEN = [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (0, 2), (0, 3), (0, 32767), (0, 32768), (0, 500000000)]
