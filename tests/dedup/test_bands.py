"""Candidates: all pairs of a bucket, and a bounded number of a hot one."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.dedup import bands as module
from starloom.dedup.bands import candidate_pairs, candidate_probability, linked_pairs
from starloom.dedup.components import connected_components

# Few values, so that they meet; some differ in their last or their first bits only.
HASHES = [0, 1, 2, 3, 1 << 62, (1 << 62) + 1, 1 << 63, (1 << 63) + 1, (1 << 64) - 1]


@st.composite
def tables(draw):
    """(bands, members, a group for each row)."""
    rows, columns = draw(st.integers(0, 14)), draw(st.integers(1, 4))
    values = draw(st.lists(st.sampled_from(HASHES), min_size=rows * columns, max_size=rows * columns))
    members = draw(st.permutations(range(rows)))[: draw(st.integers(0, rows))]
    groups = draw(st.lists(st.integers(-1, 2), min_size=rows, max_size=rows))
    bands = np.array(values, dtype=np.uint64).reshape(rows, columns)
    return bands, np.array(members, dtype=np.int64), np.array(groups, dtype=np.int64)


def plain(bands, members, leaders, groups=None):
    """What `candidate_pairs` gives, bucket by bucket."""
    place = {member: i for i, member in enumerate(members.tolist())}
    pairs, hot, capped = set(), set(), 0
    for band in range(bands.shape[1]):
        buckets = {}
        for member in members.tolist():
            group = None if groups is None else int(groups[member])
            buckets.setdefault((int(bands[member, band]), group), []).append(member)
        for bucket in buckets.values():
            pairs |= {(one, two) for i, one in enumerate(bucket[:leaders]) for two in bucket[i + 1 :]}
            if len(bucket) > leaders:
                capped += 1
                hot |= set(bucket)
    ordered = sorted(pairs, key=lambda pair: (place[pair[0]], place[pair[1]]))
    return [one for one, _ in ordered], [two for _, two in ordered], capped, sorted(hot)


def listed(found):
    return found.left.tolist(), found.right.tolist(), found.capped, found.hot.tolist()


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


@settings(deadline=None, max_examples=250)
@given(tables(), st.integers(1, 5), st.booleans(), st.sampled_from([1, 5, 1 << 22]))
def test_the_pairs_of_every_bucket(table, leaders, apart, buffer):
    bands, members, groups = table
    groups = groups if apart else None
    with mock.patch.object(module, "_BUFFER", buffer):
        found = candidate_pairs(bands, members, leaders, groups)
    assert listed(found) == plain(bands, members, leaders, groups)
    assert found.left.dtype == found.right.dtype == found.hot.dtype == np.int64


@settings(deadline=None, max_examples=100)
@given(tables(), st.integers(1, 5), st.randoms(use_true_random=False))
def test_where_a_row_stands_does_not_matter(table, leaders, random):
    """Moved rows, the same members in the same order: the same pairs of what stands in them. Mapped columns too."""
    bands, members, groups = table
    moved = np.array(random.sample(range(len(bands)), len(bands)), dtype=np.int64)
    other, other_groups = np.empty_like(bands, order="F"), np.empty_like(groups)
    other[moved], other_groups[moved] = bands, groups
    found = candidate_pairs(bands, members, leaders, groups)
    again = candidate_pairs(other, moved[members], leaders, other_groups)
    assert (moved[found.left].tolist(), moved[found.right].tolist()) == (again.left.tolist(), again.right.tolist())
    assert (found.capped, sorted(moved[found.hot].tolist())) == (again.capped, again.hot.tolist())


@settings(deadline=None, max_examples=100)
@given(tables(), st.booleans())
def test_linked_pairs_link_what_all_pairs_link(table, apart):
    bands, members, groups = table
    groups = groups if apart else None
    rank = np.arange(len(bands))
    whole = candidate_pairs(bands, members, len(bands) + 1, groups)
    left, right = linked_pairs(bands, members, groups)
    links = connected_components(len(bands), left, right, rank)
    assert links.tolist() == connected_components(len(bands), whole.left, whole.right, rank).tolist()
    assert len(left) <= max(len(members) - 1, 0) * bands.shape[1]


def test_many_hashes_that_differ_in_their_last_bits():
    """Places are packed into those bits while a band is sorted: 3,000 members need twelve."""
    dice = np.random.default_rng(5)
    bands = (dice.integers(0, 4, (3000, 1)) << 40 | dice.integers(0, 2000, (3000, 1))).astype(np.uint64)
    members = dice.permutation(3000)
    assert listed(candidate_pairs(bands, members)) == plain(bands, members, 64)


def test_a_hot_bucket_is_compared_with_its_leaders_only():
    bands = np.zeros((200, 2), dtype=np.uint64)
    members = np.arange(200)[::-1].copy()  # 199 is the best
    found = candidate_pairs(bands, members)
    assert found.capped == 2
    assert len(found.left) == 64 * 63 // 2 + 64 * (200 - 64)
    assert set(found.left.tolist()) == set(range(136, 200))
    assert set(found.right.tolist()) == set(range(199))
    assert found.hot.tolist() == list(range(200))


def test_a_bucket_at_the_limit_is_whole():
    found = candidate_pairs(np.zeros((64, 1), dtype=np.uint64), np.arange(64))
    assert found.capped == 0
    assert len(found.left) == 64 * 63 // 2
    assert found.hot.tolist() == []


def test_no_leader_is_refused():
    with pytest.raises(ValueError, match="one at least"):
        candidate_pairs(np.zeros((2, 1), dtype=np.uint64), np.arange(2), 0)
