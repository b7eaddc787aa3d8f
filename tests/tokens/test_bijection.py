"""Permutations that are computed: each is one, is undone exactly, and all are equally likely."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.kernels.random import keyed_uint64s
from starloom.tokens.bijection import KEYS, Bijection

seeds = st.integers(0, 2**63)


def keys(seed):
    return keyed_uint64s(seed, "test", map(str, range(KEYS)))


def permutation(size, seed):
    return Bijection.of(size, keys(seed)).forwards(np.arange(size)).tolist()


def chi_square(counts, classes):
    """Standard deviations from what equal chances lead to expect."""
    mean = sum(counts.values()) / classes
    found = sum((count - mean) ** 2 / mean for count in counts.values()) + (classes - len(counts)) * mean
    return (found - (classes - 1)) / math.sqrt(2 * (classes - 1))


@given(st.integers(1, 3000), seeds)
def test_a_permutation(size, seed):
    assert sorted(permutation(size, seed)) == list(range(size))


@given(st.integers(1, 2**40), seeds, st.data())
def test_backwards(size, seed, data):
    values = np.array(data.draw(st.lists(st.integers(0, size - 1), max_size=20)), dtype=np.int64)
    there = Bijection.of(size, keys(seed)).forwards(values)
    assert (there < size).all()
    assert np.array_equal(Bijection.of(size, keys(seed)).backwards(there), values)


def test_keys_differ():
    for one, two in itertools.combinations([permutation(1000, seed) for seed in range(4)], 2):
        assert sum(a == b for a, b in zip(one, two, strict=True)) < 10  # one is to be expected


@pytest.mark.parametrize("size", [2, 3, 6])
def test_all_orders_of_a_few_are_equally_likely(size):
    drawn = Counter(tuple(permutation(size, seed)) for seed in range(2400))
    assert chi_square(drawn, math.factorial(size)) < 4


def test_a_value_is_anywhere_with_equal_chances():
    one = np.array([17], dtype=np.int64)
    places = Counter(int(Bijection.of(1000, keys(seed)).backwards(one)[0]) // 50 for seed in range(2000))
    assert chi_square(places, 20) < 4


def test_neighbours_do_not_stay_together():
    found = np.array(permutation(100_000, 5), dtype=np.int64)
    assert abs(np.corrcoef(found[1:], found[:-1])[0, 1]) < 0.02
    assert (np.abs(np.diff(found)) == 1).sum() < 15  # two are to be expected


def test_nothing_to_permute():
    with pytest.raises(ValueError, match="an order of 0 values"):
        Bijection.of(0, keys(1))
