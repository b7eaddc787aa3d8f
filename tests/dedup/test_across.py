"""Candidates between two collections, against all pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.dedup.algebra.across import Across

HASHES = np.array([0, 0x9E3779B97F4A7C15, 0x6A09E667F3BCC909, (1 << 64) - 1], dtype=np.uint64)  # spread, as hashes are


def bands_of(rows):
    return HASHES[np.array(rows, dtype=np.int64)].reshape(len(rows), 2)


def pairs_of(portions):
    return [pair for left, right in portions for pair in zip(left.tolist(), right.tolist(), strict=True)]


SIDES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12)


@given(SIDES, SIDES, st.integers(1, 4), st.sampled_from([1, 3, 100]), st.sampled_from([1, 5, 1000]), st.data())
def test_all_pairs_of_shared_buckets(one, two, leaders, block, portion, data):
    left = sorted(data.draw(st.sets(st.sampled_from(range(len(one))))) if one else [])
    right = sorted(data.draw(st.sets(st.sampled_from(range(len(two))))) if two else [])
    across = Across(
        *(bands_of(one), np.array(left, dtype=np.int64), bands_of(two), np.array(right, dtype=np.int64)),
        *(leaders, block, portion),
    )
    found = pairs_of(across)
    wanted, whole, capped = set(), set(), 0
    for start in range(0, len(left), block):
        some = left[start : start + block]
        for band in range(2):
            for value in range(4):
                lefts = [row for row in some if one[row][band] == value]
                rights = [row for row in right if two[row][band] == value]
                cut = len(lefts) > leaders and len(rights) > leaders
                capped += cut
                wanted |= {(i, j) for i in lefts for j in (rights[:leaders] if cut else rights)}
                whole |= {(i, j) for i in lefts for j in rights}
    assert set(found) == wanted
    assert across.capped == capped
    assert capped or wanted == whole
    if portion == 1000:
        assert found == sorted(wanted)  # each once


def test_portions_stay_small():
    bands = np.zeros((100, 3), dtype=np.uint64)
    bands[:, 1] = np.arange(100, dtype=np.uint64) * HASHES[1]
    rows = np.arange(100)
    found = list(Across(bands, rows, bands, rows, leaders=1000, portion=500))
    assert set(pairs_of(found)) == {(i, j) for i in range(100) for j in range(100)}
    whole = list(Across(bands, rows, bands, rows, leaders=1000))
    assert len(whole) == 1
    assert len(whole[0].left) == 10_000
    small = list(Across(bands, rows, bands, rows, leaders=10, block=20, portion=500))
    assert max(len(one.left) for one in small) <= 500


@pytest.mark.parametrize("empty", ["left", "right", "both"])
def test_nothing_to_compare(empty):
    none, some = np.zeros(0, dtype=np.int64), np.arange(3)
    bands = np.zeros((3, 2), dtype=np.uint64)
    left, right = (none if empty in (side, "both") else some for side in ("left", "right"))
    across = Across(bands, left, bands, right)
    assert list(across) == []
    assert across.capped == 0
