"""Connected components: the same as a plain union-find, whatever the order of files and pairs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.dedup.components import connected_components


def union_find(n, pairs, rank):
    parent = list(range(n))

    def root(i):
        while parent[i] != i:
            i = parent[i]
        return i

    for one, two in pairs:
        parent[root(one)] = root(two)
    best = {}
    for i in sorted(range(n), key=lambda i: (rank[i], i)):
        best.setdefault(root(i), i)
    return [best[root(i)] for i in range(n)]


@st.composite
def graphs(draw):
    n = draw(st.integers(1, 30))
    file = st.integers(0, n - 1)
    pairs = draw(st.lists(st.tuples(file, file), max_size=40))
    return n, pairs, draw(st.lists(st.integers(-3, 3), min_size=n, max_size=n))  # with ties


@settings(deadline=None, max_examples=250)
@given(graphs())
def test_the_union_find(graph):
    n, pairs, rank = graph
    left, right = zip(*pairs) if pairs else ((), ())
    assert connected_components(n, left, right, rank).tolist() == union_find(n, pairs, rank)


@settings(deadline=None, max_examples=100)
@given(graphs(), st.randoms(use_true_random=False))
def test_order_and_direction_of_the_pairs_do_not_matter(graph, random):
    n, pairs, rank = graph
    turned = [pair[::-1] if random.random() < 0.5 else pair for pair in pairs]
    random.shuffle(turned)
    found = [connected_components(n, *(zip(*some) if some else ((), ())), rank).tolist() for some in (pairs, turned)]
    assert found[0] == found[1]


@pytest.mark.parametrize("shape", ["in-order", "backwards", "shuffled", "folded"])
def test_a_chain_of_100_000_files_is_one_component(shape):
    n = 100_000
    chain = {
        "in-order": np.arange(n),
        "backwards": np.arange(n)[::-1],
        "shuffled": np.random.default_rng(7).permutation(n),
        "folded": np.r_[0:n:2, (n - 1) : 0 : -2],
    }[shape]
    assert (connected_components(n, chain[:-1], chain[1:], np.arange(n)) == 0).all()


def test_no_files():
    assert connected_components(0, [], [], []).tolist() == []


@pytest.mark.parametrize(
    ("left", "right", "rank"),
    [([0], [2], [0, 0]), ([-1], [0], [0, 0]), ([0], [1], [0]), ([0], [1, 0], [0, 0])],
    ids=["beyond the last", "before the first", "too few ranks", "half a pair"],
)
def test_what_does_not_fit_is_refused(left, right, rank):
    with pytest.raises(ValueError, match=r"not there|differ in number"):
        connected_components(2, left, right, rank)
