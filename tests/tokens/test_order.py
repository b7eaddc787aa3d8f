"""Order as a function: every row once an epoch, in blocks or one by one, and its inverse."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.tokens import order as order_of
from starloom.tokens.order import Order

seeds = st.integers(0, 2**63)
blocks = st.one_of(st.just(1), st.integers(2, 40))


def epoch_of(order, epoch):
    return order.at(epoch, np.arange(order.rows)).tolist()


@given(st.integers(1, 2000), seeds, st.integers(0, 100), blocks, st.sampled_from([1, 2, 64]))
def test_an_epoch_reads_every_row_once(rows, seed, epoch, block, pool):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order_of, "POOL", pool)
        order = Order(rows, seed, "code", block)
        found = epoch_of(order, epoch)
        assert sorted(found) == list(range(rows))
        assert order.places(epoch, np.array(found)).tolist() == list(range(rows))


@given(st.integers(1, 2**40), seeds, blocks, st.integers(0, 5), st.data())
def test_asked_backwards(rows, seed, block, epoch, data):
    order = Order(rows, seed, "code", block)
    places = np.array(data.draw(st.lists(st.integers(0, rows - 1), max_size=9)), dtype=np.int64)
    found = order.at(epoch, places)
    assert ((found >= 0) & (found < rows)).all()
    assert order.places(epoch, found).tolist() == places.tolist()
    assert [int(order.at(epoch, places[k : k + 1])[0]) for k in range(len(places))] == found.tolist()


def test_epochs_seeds_sources_and_blocks_differ():
    one = Order(1000, 1, "code")
    others = [Order(1000, 2, "code"), Order(1000, 1, "text"), Order(1000, 1, "code", 2)]
    orders = [epoch_of(one, 0), epoch_of(one, 1), *(epoch_of(other, 0) for other in others)]
    for first, second in itertools.combinations(orders, 2):
        assert sum(a == b for a, b in zip(first, second, strict=True)) < 10  # one is to be expected
    assert epoch_of(Order(1000, 1, "code"), 1) == orders[1]


@pytest.mark.parametrize("rows", [64 * 16 * 5, 64 * 16 * 5 - 3, 64 * 16 * 4 + 1], ids=["even", "short", "one more"])
def test_a_pool_reads_few_blocks(rows):
    """A reader that keeps POOL blocks reads each of them once an epoch, and rows of a pool come in any order."""
    block, pool = 16, order_of.POOL
    found = np.array(epoch_of(Order(rows, 3, "code", block), 0)) // block
    seen = []
    at = 0
    while at < rows:
        mine = list(dict.fromkeys(found[at : at + pool * block].tolist()))[:pool]
        size = int(np.isin(found, mine).sum())
        assert set(found[at : at + size].tolist()) == set(mine)
        seen += mine
        at += size
    assert sorted(seen) == list(range(-(-rows // block)))


def test_neighbours_in_a_pool_are_far_apart():
    found = np.array(epoch_of(Order(100_000, 5, "code", 64), 0))
    assert (np.abs(np.diff(found)) == 1).mean() < 0.002
    assert abs(np.corrcoef(found[1:], found[:-1])[0, 1]) < 0.2  # 25 pools, not yet any order at all


@pytest.mark.parametrize(("rows", "block"), [(0, 1), (5, 0), (-1, 1)])
def test_no_order(rows, block):
    with pytest.raises(ValueError, match=f"an order of {rows} rows in blocks of {block}"):
        Order(rows, 1, "code", block)


@pytest.mark.parametrize(("value", "epoch"), [(5, 0), (-1, 0), (0, -1)])
def test_no_such_row(value, epoch):
    for ask in (Order(5, 1).at, Order(5, 1).places, Order(5, 1, block=2).at, Order(5, 1, block=2).places):
        with pytest.raises(ValueError, match=f"of 5 in epoch {epoch}"):
            ask(epoch, np.array([value]))


def test_frozen():
    """Published runs name their samples by these numbers: they never change."""
    assert [epoch_of(Order(10, 0, "code"), epoch) for epoch in (0, 1)] == FROZEN_TEN
    assert epoch_of(Order(10, 0, "code", 3), 0) == FROZEN_BLOCKS
    assert Order(1_000_003, 7, "code").at(2, np.arange(5)).tolist() == FROZEN_MILLION


FROZEN_TEN = [[4, 7, 5, 3, 1, 2, 0, 6, 9, 8], [1, 2, 5, 4, 3, 9, 6, 8, 7, 0]]
FROZEN_BLOCKS = [9, 2, 4, 0, 3, 5, 8, 6, 1, 7]
FROZEN_MILLION = [855719, 701028, 303065, 151834, 320537]
