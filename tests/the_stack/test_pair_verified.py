"""What a run of `pair` takes over from the last one is what it would find: any buckets, capped or not, any order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.dedup.bands import candidate_pairs
from starloom.the_stack.verified import Verified, look_up

FLOOR = 0.6


def similarities(dice, count):
    """A similarity for any two of `count` streams."""
    found = dice.random((count, count))
    return np.maximum(found, found.T)


def last_run(bands, members, similarity, number):
    """What the run over `members` leaves; `number`: of each stream among those of now, -1 if it is gone."""
    found = candidate_pairs(bands, members, 8)
    count = int(number.max()) + 1
    present, hot = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    present[number[members][number[members] >= 0]] = True
    hot[number[found.hot][number[found.hot] >= 0]] = True
    left, right = number[found.left], number[found.right]
    here = (left >= 0) & (right >= 0)
    left, right, jaccard = left[here], right[here], similarity[found.left, found.right][here]
    keys = np.minimum(left, right) * count + np.maximum(left, right)
    order = np.argsort(keys)
    keys, jaccard, both = keys[order], jaccard[order], (hot[left] & hot[right])[order]
    near = jaccard >= FLOOR
    return Verified(present, hot, keys[near], jaccard[near], keys[~near & both]), set(keys.tolist())


@settings(max_examples=300)
@given(seed=st.integers(0, 1 << 32), count=st.integers(1, 60), values=st.integers(1, 12), bands=st.integers(1, 5))
def test_known_is_what_was_compared_and_it_is_so(seed, count, values, bands):
    dice = np.random.default_rng(seed)
    table = dice.integers(0, values, (count, bands)).astype(np.uint64)
    similarity = similarities(dice, count)
    then, now = (dice.permutation(count)[: dice.integers(1, count + 1)] for _ in range(2))
    number = np.full(count, -1)
    number[now] = np.arange(len(now))
    before, compared = last_run(table, then, similarity, number)
    found = candidate_pairs(table, now, 8)
    left, right = number[found.left], number[found.right]
    known, jaccard = look_up(before, left, right)
    exact = similarity[found.left, found.right]
    assert jaccard[known].tolist() == np.where(exact >= FLOOR, exact, -1.0)[known].tolist()
    keys = np.minimum(left, right) * len(now) + np.maximum(left, right)
    assert known.tolist() == [key in compared for key in keys.tolist()]


@pytest.mark.parametrize("hot", [False, True], ids=["compared", "both in a capped bucket"])
def test_absent_is_below_the_floor_unless_both_were_hot(hot):
    none = np.zeros(0, dtype=np.int64)
    before = Verified(np.array([True, True, True]), np.array([True, hot, False]), np.array([2]), np.array([0.9]), none)
    known, jaccard = look_up(before, np.array([0, 2, 1]), np.array([1, 0, 2]))
    assert known.tolist() == [not hot, True, True]
    assert jaccard.tolist() == [-1.0, 0.9, -1.0]
    known, jaccard = look_up(before._replace(rejected=np.array([1])), np.array([1]), np.array([0]))
    assert known.tolist() == [True]
    assert jaccard.tolist() == [-1.0]


def test_nothing_was_there():
    before = Verified(np.zeros(2, bool), np.zeros(2, bool), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))
    known, _ = look_up(before, np.array([0]), np.array([1]))
    assert known.tolist() == [False]
