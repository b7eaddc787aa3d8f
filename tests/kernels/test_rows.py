"""Stretches into rows: how they are bundled, which row they come in, what a batch is then; against plain Python."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import best_fit, bundles, gather, packing_twin

unhurried = settings(deadline=None, max_examples=200)
sizes = st.one_of(st.integers(1, 12), st.sampled_from([15, 16, 17, 31, 32, 33, 100]))
ascending = st.lists(st.integers(0, 40), min_size=1, max_size=12).map(lambda steps: list(itertools.accumulate(steps)))


@unhurried
@given(
    ascending, st.lists(st.integers(0, 300), max_size=40).map(sorted), st.integers(1, 30), st.sampled_from([0, 1, 3, 9])
)
def test_bundles(starts, borders, size, ahead):
    found = bundled(starts, borders, size, ahead)
    assert found == packing_twin.bundles(starts, borders, size, ahead)


def bundled(starts, borders, size, ahead=0):
    bounds, bundle, sizes = bundles.bundles(np.array(starts), np.array(borders, dtype=np.int64), size, ahead)
    assert bounds[0] == starts[0]
    return list(zip(bounds[:-1].tolist(), bounds[1:].tolist(), bundle.tolist())), sizes.tolist()


@pytest.mark.parametrize(
    ("borders", "ahead", "expected"),
    [
        ([], 9, [[(0, 10)], [(10, 20)], [(20, 25)]]),  # nothing known: every ten
        ([4, 8, 15], 0, [[(0, 8)], [(8, 15)], [(15, 25)]]),  # files of 4, 4, 7, 10
        ([8, 14, 16, 18, 19], 0, [[(0, 8)], [(8, 18)], [(18, 25)]]),  # of 8, 6, 2, 2, 1, 6: in order
        ([8, 14, 16, 18, 19], 9, [[(0, 8), (14, 16)], [(8, 14), (16, 19)], [(19, 25)]]),  # and what fits
        ([8, 14, 16, 18, 19], 1, [[(0, 8)], [(8, 18)], [(18, 25)]]),  # the next one does not
        ([2, 19], 9, [[(2, 12)], [(0, 2), (12, 19)], [(19, 25)]]),  # of 2, 17, 6: ten alone, its rest with others
    ],
    ids=["no files", "in order", "as they come", "that fits", "near", "a long file"],
)
def test_bundles_of_one_document(borders, ahead, expected):
    found, sizes = bundled([0, 25], borders, 10, ahead)
    of_each = [[(start, stop) for start, stop, one in found if one == bundle] for bundle in range(len(sizes))]
    assert sorted(of_each) == sorted(expected)
    assert sizes == [sum(stop - start for start, stop in parts) for parts in of_each]


@pytest.mark.parametrize(
    ("starts", "borders", "size"),
    [([0, 5], [1], 0), ([], [], 4), ([5, 0], [], 4), ([0, 5], [3, 1], 4), ([0, 5], [], 2**31)],
    ids=["no size", "no start", "starts", "borders", "too large"],
)
def test_bundles_refuse(starts, borders, size):
    with pytest.raises(ValueError, match="out of order"):
        bundles.bundles(np.array(starts, dtype=np.int64), np.array(borders, dtype=np.int64), size, 1)


def test_too_many_pieces():
    with pytest.raises(ValueError, match="4,294,967,298 pieces"):
        bundles.bundles(np.array([0, 2**32]), np.zeros(0, dtype=np.int64), 1, 1)


@unhurried
@given(st.data(), sizes)
def test_best_fit(data, size):
    lengths = data.draw(st.lists(st.integers(1, size), max_size=60))
    row, rows = best_fit.best_fit(np.array(lengths, dtype=np.int32), size)
    expected = packing_twin.best_fit(lengths, size)
    assert (row.tolist(), rows) == (expected, max(expected, default=-1) + 1)
    first, items = best_fit.grouped(row, rows)
    assert [items[a:b].tolist() for a, b in itertools.pairwise(first)] == packing_twin.grouped(expected)
    assert (first[0], first[-1]) == (0, len(lengths))


def test_best_fit_of_many():
    """No row too full, and by the bound of first-fit decreasing at most 11/9 of what is needed."""
    dice = np.random.default_rng(0)
    lengths = np.minimum(dice.lognormal(6, 1.5, 200_000).astype(np.int32) + 1, 4_096)
    row, rows = best_fit.best_fit(lengths, 4_096)
    filled = np.bincount(row, weights=lengths)
    assert len(filled) == rows
    assert filled.max() <= 4_096
    assert rows <= lengths.sum() / 4_096 * 11 / 9 + 1
    assert np.array_equal(row, best_fit.best_fit(lengths, 4_096)[0])


@pytest.mark.parametrize(
    ("lengths", "size"), [([1, 5], 4), ([0], 4), ([-1], 4), ([1], 0), ([1], 2**31)], ids=lambda one: str(one)
)
def test_best_fit_refuses(lengths, size):
    with pytest.raises(ValueError, match="rows of"):
        best_fit.best_fit(np.array(lengths, dtype=np.int32), size)


@pytest.mark.parametrize(("row", "rows"), [([0, 2], 2), ([-1, 0], 1), ([0, 2], 3)], ids=["beyond", "below", "empty"])
def test_grouped_refuses(row, rows):
    with pytest.raises(ValueError, match=f"of {rows}"):
        best_fit.grouped(np.array(row, dtype=np.int32), rows)


stretches = st.tuples(st.integers(1, 6), st.booleans(), st.integers(0, 3))


@unhurried
@given(
    st.lists(st.lists(stretches, max_size=4), max_size=5), st.integers(0, 5), st.sampled_from([np.uint16, np.uint32])
)
def test_gather(rows, slack, kind):
    flat = [one for row in rows for one in row]
    size = max((sum(one[0] for one in row) for row in rows), default=1) + slack
    tokens = np.arange(100, 100 + sum(one[0] + one[1] for one in flat), dtype=kind)
    first = np.cumsum([0, *map(len, rows)])
    found = gather.gather(tokens, first, *as_arrays(flat), size, 7)
    expected = packing_twin.gather(tokens.tolist(), rows, size, 7)
    assert [one.tolist() for one in found] == list(expected)
    assert [one.shape for one in found] == [(len(rows), size)] * 3


def as_arrays(flat):
    kinds = (np.int32, np.bool_, np.int32)
    return [np.array([one[place] for one in flat], dtype=kind) for place, kind in enumerate(kinds)]


@pytest.mark.parametrize(
    ("tokens", "first", "lengths", "size", "why"),
    [
        (5, [0, 2], [2, 3], 4, "more than 4 tokens"),
        (4, [0, 2], [2, 3], 8, "other lengths"),
        (6, [0, 2], [2, 3], 8, "other lengths"),
        (3, [0, 2], [0, 3], 8, "other lengths"),
        (5, [0, 1], [2, 3], 8, "rows of 2"),
        (5, [1, 2], [2, 3], 8, "rows of 2"),
        (5, [0, 2, 1, 2], [2, 3], 8, "rows of 2"),
    ],
    ids=["full", "too few", "too many", "empty", "not all", "not from 0", "order"],
)
def test_gather_refuses(tokens, first, lengths, size, why):
    arrays = as_arrays([(length, False, 0) for length in lengths])
    with pytest.raises(ValueError, match=why):
        gather.gather(np.zeros(tokens, np.uint16), np.array(first), *arrays, size, 0)
