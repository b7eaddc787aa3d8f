"""Order as a function: a permutation an epoch, its inverse, and batches that depend on nothing but their number."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.tokens.order import Order, batch, samples
from starloom.tokens.shards import Shards
from tokens.packing import packed

seeds = st.integers(0, 2**63)


@given(st.integers(1, 3000), seeds, st.integers(0, 100))
def test_an_epoch_is_a_permutation(count, seed, epoch):
    found = Order(count, seed).samples_from(epoch * count, count)
    assert sorted(found.tolist()) == list(range(count))


@given(st.integers(1, 2**40), seeds, st.data())
def test_asked_backwards(count, seed, data):
    order = Order(count, seed)
    position = data.draw(st.integers(0, 5 * count - 1))
    sample = order.sample(position)
    assert 0 <= sample < count
    assert order.position(sample, position // count) == position


@given(st.integers(1, 30), seeds, st.integers(0, 70), st.integers(0, 40))
def test_many_at_once_are_one_by_one(count, seed, position, some):
    order = Order(count, seed)
    assert order.samples_from(position, some).tolist() == [order.sample(position + one) for one in range(some)]


def test_epochs_and_seeds_differ():
    epochs = Order(1000, 1).samples_from(0, 3000).reshape(3, 1000).tolist()
    other = Order(1000, 2).samples_from(0, 1000).tolist()
    for one, two in itertools.combinations([*epochs, other], 2):
        assert sum(a == b for a, b in zip(one, two, strict=True)) < 10  # one is to be expected
    assert Order(1000, 1).samples_from(0, 3000).reshape(3, 1000).tolist() == epochs


def chi_square(counts, classes):
    """Standard deviations from what equal chances lead to expect."""
    mean = sum(counts.values()) / classes
    found = sum((count - mean) ** 2 / mean for count in counts.values()) + (classes - len(counts)) * mean
    return (found - (classes - 1)) / math.sqrt(2 * (classes - 1))


@pytest.mark.parametrize("count", [3, 6])
def test_all_orders_of_a_few_samples_are_equally_likely(count):
    drawn = Counter(tuple(Order(count, seed).samples_from(0, count).tolist()) for seed in range(2400))
    assert chi_square(drawn, math.factorial(count)) < 4


def test_a_sample_is_anywhere_with_equal_chances():
    places = Counter(Order(1000, 9).position(17, epoch) % 1000 // 50 for epoch in range(2000))
    assert chi_square(places, 20) < 4


def test_neighbours_do_not_stay_together():
    found = Order(100_000, 5).samples_from(0, 100_000)
    assert abs(np.corrcoef(found[1:], found[:-1])[0, 1]) < 0.02
    assert (np.abs(np.diff(found)) == 1).sum() < 15  # two are to be expected


@pytest.mark.parametrize("call", [lambda: Order(0, 1), lambda: Order(5, 1).sample(-1)])
def test_no_such_position(call):
    with pytest.raises(ValueError, match=r"samples|positions"):
        call()


@pytest.mark.parametrize(("sample", "epoch"), [(5, 0), (-1, 0), (0, -1)])
def test_no_such_sample(sample, epoch):
    with pytest.raises(ValueError, match=f"sample {sample} of 5"):
        Order(5, 1).position(sample, epoch)


def test_frozen():
    """Published runs name their samples by these numbers: they never change."""
    assert Order(10, 0).samples_from(0, 20).tolist() == FROZEN_TEN
    assert Order(1_000_003, 7).samples_from(2_999_999, 5).tolist() == FROZEN_MILLION


FROZEN_TEN = [4, 2, 8, 0, 1, 5, 3, 6, 9, 7, 9, 8, 1, 5, 2, 4, 0, 7, 6, 3]
FROZEN_MILLION = [78503, 27177, 301498, 74516, 616892]


@pytest.fixture
def shards(tmp_path):
    """103 tokens, no two the same, in documents of 1 to 13."""
    stream = list(range(103))
    bounds = [0, 13, 14, 20, 33, 46, 59, 60, 61, 74, 87, 100, 103]
    documents = [stream[start:stop] for start, stop in itertools.pairwise(bounds)]
    return Shards.open(packed(tmp_path / "tokens", documents, 103))


def test_an_epoch_of_batches_reads_every_sample_once(shards):
    order = Order(samples(shards, 8), 3)
    assert order.samples == 12
    rows = [row for step in range(4) for row in batch(shards, order, step, 3, 8).ids.tolist()]
    assert sorted(rows) == [list(range(start, start + 9)) for start in range(0, 96, 8)]


def test_a_batch_says_which_documents(shards):
    order = Order(samples(shards, 8), 3)
    found = batch(shards, order, 5, 4, 8)
    assert (found.ids.shape, found.ids.dtype) == ((4, 9), np.int64)
    assert (found.documents.shape, found.documents.dtype) == ((4, 9), np.int32)
    expected = np.searchsorted(shards.starts, found.ids, side="right") - 1  # here a token is its own place
    assert (found.documents == expected).all()


@settings(max_examples=40)
@given(st.integers(1, 12), st.integers(0, 40), st.integers(1, 40))
def test_batches_of_any_size_give_one_stream(tmp_path_factory, size, step, sequence):
    path = tmp_path_factory.getbasetemp() / "stream"
    shards = Shards.open(path if path.exists() else packed(path, [list(range(60)), list(range(43))], 103))
    order = Order(samples(shards, sequence), 11)
    whole = batch(shards, order, step, size, sequence)
    for row in range(size):
        one = batch(shards, order, step * size + row, 1, sequence)
        assert (one.ids[0] == whole.ids[row]).all()
        assert (one.documents[0] == whole.documents[row]).all()


def test_too_few_tokens(shards):
    assert samples(shards, 102) == 1
    with pytest.raises(UserError, match="103 tokens: too few for one sequence of 103") as caught:
        samples(shards, 103)
    assert "[train]" in caught.value.hint
    assert "102" in caught.value.hint


def test_an_order_of_something_else(shards):
    with pytest.raises(ValueError, match="an order of 11 samples for 12"):
        batch(shards, Order(11, 3), 0, 2, 8)
    with pytest.raises(ValueError, match="a sequence of 0"):
        samples(shards, 0)
