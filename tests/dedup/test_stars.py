"""Star clusters: who is kept, whatever the order of the pairs."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.dedup import stars
from starloom.dedup.stars import star_clusters
from starloom.kernels import twins


@st.composite
def graphs(draw):
    n = draw(st.integers(1, 12))
    pairs = draw(
        st.lists(
            st.tuples(
                st.integers(0, n - 1),
                st.integers(0, n - 1),
                st.sampled_from([0.0, 0.5, 0.69, 0.7, 0.71, 0.9, 1.0]),
            ),
            max_size=40,
        )
    )
    rank = draw(st.lists(st.integers(0, 4), min_size=n, max_size=n))  # with ties
    return n, [pair for pair in pairs if pair[0] != pair[1]], rank


def clusters(n, pairs, rank, threshold=0.7):
    """In rounds, and edge by edge, which must agree."""
    left, right, jaccard = zip(*pairs) if pairs else ((), (), ())
    found = []
    for most in (stars.MOST, 1, 0):
        with mock.patch.object(stars, "MOST", most):
            keeper, similarity = star_clusters(n, left, right, jaccard, rank, threshold)
        found.append((keeper.tolist(), similarity.tolist()))
    assert found[0] == found[1] == found[2]
    return found[0]


@settings(deadline=None, max_examples=500)
@given(graphs())
def test_the_twin(graph):
    assert clusters(*graph) == twins.star_clusters(*graph[:2], graph[2], 0.7)


@settings(deadline=None, max_examples=300)
@given(graphs(), st.randoms(use_true_random=False))
def test_order_and_direction_of_the_pairs_do_not_matter(graph, random):
    n, pairs, rank = graph
    turned = [pair if random.random() < 0.5 else (pair[1], pair[0], pair[2]) for pair in pairs]
    random.shuffle(turned)
    assert clusters(n, turned, rank) == clusters(n, pairs, rank)


@settings(deadline=None)
@given(graphs())
def test_every_file_that_goes_is_near_the_one_that_stays(graph):
    n, pairs, rank = graph
    keeper, similarity = clusters(n, pairs, rank)
    best = {}
    for left, right, value in pairs:
        for pair in ((left, right), (right, left)):
            best[pair] = max(value, best.get(pair, 0.0))
    for i in range(n):
        assert keeper[keeper[i]] == keeper[i]
        if keeper[i] == i:
            assert similarity[i] == 1.0
            # Nothing of a better rank that stays is near it.
            assert all(best.get((i, k), 0) < 0.7 for k in range(n) if keeper[k] == k and k != i)
        else:
            assert similarity[i] == best[i, keeper[i]] >= 0.7
            assert (rank[keeper[i]], keeper[i]) < (rank[i], i)


def test_a_chain_is_not_one_cluster():
    chain = [(0, 1, 0.8), (1, 2, 0.8), (2, 3, 0.8)]
    assert clusters(4, chain, [0, 1, 2, 3]) == ([0, 0, 2, 2], [1.0, 0.8, 1.0, 0.8])
    assert clusters(4, chain, [1, 0, 2, 3]) == ([1, 1, 1, 3], [0.8, 1.0, 0.8, 1.0])


def test_no_pairs_and_no_files():
    assert clusters(3, [], [0, 0, 0]) == ([0, 1, 2], [1.0, 1.0, 1.0])
    assert clusters(0, [], []) == ([], [])


@pytest.mark.parametrize(
    ("n", "left", "right", "jaccard", "rank"),
    [
        (2, [0], [2], [1.0], [0, 0]),
        (2, [-1], [1], [1.0], [0, 0]),
        (2, [0], [1], [1.0], [0]),
        (2, [0], [1, 0], [1.0], [0, 0]),
    ],
)
def test_what_does_not_fit_is_refused(n, left, right, jaccard, rank):
    with pytest.raises(ValueError, match=r"not there|ranks for|differ in length"):
        star_clusters(n, left, right, jaccard, rank, 0.7)


def test_not_a_number_is_no_twin():
    assert clusters(2, [(0, 1, np.nan)], [0, 1]) == ([0, 1], [1.0, 1.0])


def test_a_long_chain_ends():
    """Every round settles two files of it."""
    n = 10_000
    keeper, _ = star_clusters(n, range(n - 1), range(1, n), np.ones(n - 1), range(n), 0.7)
    assert keeper.tolist() == [i - i % 2 for i in range(n)]
