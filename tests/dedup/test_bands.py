"""Candidates: all pairs of a bucket, and a bounded number of a hot one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from starloom.dedup.bands import candidate_pairs, candidate_probability


@pytest.mark.parametrize(
    ("similarity", "bands", "rows", "expected"),
    [  # kernels.md 1.2: what theory says at exactly 0.7
        (0.7, 50, 5, 0.9999),
        (0.7, 25, 5, 0.990),
        (0.7, 32, 8, 0.850),
        (0.7, 25, 10, 0.512),
        (0.0, 50, 5, 0.0),
        (1.0, 50, 5, 1.0),
    ],
)
def test_probability(similarity, bands, rows, expected):
    assert candidate_probability(similarity, bands, rows) == pytest.approx(expected, abs=6e-4)


@given(arrays(np.uint64, st.tuples(st.integers(0, 12), st.integers(1, 4)), elements=st.integers(0, 5)), st.data())
def test_all_pairs_of_uncapped_buckets(bands, data):
    members = np.array(data.draw(st.permutations(range(len(bands)))), dtype=np.int64)
    members = members[: data.draw(st.integers(0, len(bands)))]
    found = candidate_pairs(bands, members)
    place = {member: i for i, member in enumerate(members.tolist())}
    expected = sorted(
        (place[i], place[j])
        for i in place
        for j in place
        if place[i] < place[j] and any(bands[i, band] == bands[j, band] for band in range(bands.shape[1]))
    )
    assert [(place[i], place[j]) for i, j in zip(found.left.tolist(), found.right.tolist())] == expected
    assert found.capped == 0


def test_a_hot_bucket_is_compared_with_its_leaders_only():
    bands = np.zeros((200, 2), dtype=np.uint64)
    members = np.arange(200)[::-1].copy()  # 199 is the best
    found = candidate_pairs(bands, members)
    assert found.capped == 2
    assert len(found.left) == 64 * 63 // 2 + 64 * (200 - 64)
    assert set(found.left.tolist()) == set(range(136, 200))
    assert set(found.right.tolist()) == set(range(199))


def test_a_bucket_at_the_limit_is_whole():
    found = candidate_pairs(np.zeros((64, 1), dtype=np.uint64), np.arange(64))
    assert found.capped == 0
    assert len(found.left) == 64 * 63 // 2
