"""Only the files that a pair names are shingled; what is not there is refused."""

from unittest import mock

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.dedup import verify as module
from starloom.dedup.verify import verify
from starloom.kernels import shingles, twins
from starloom.kernels.text import text_buffers

TEXTS = text_buffers(pa.array(["not named", "a b c d e f", "b c d e f g", "", "a b c d e f"])[1:])


@pytest.mark.parametrize(
    ("left", "right", "floor", "expected"),
    [
        ([0], [1], 0.0, [1 / 3]),  # {abcde, bcdef} and {bcdef, cdefg}
        ([0], [1], 1 / 3, [1 / 3]),  # exactly at the floor
        ([0], [1], 0.34, [-1.0]),
        ([0, 3, 1], [3, 0, 1], 1.0, [1.0, 1.0, 1.0]),
        ([2, 2], [2, 0], 0.0, [-1.0, 0.0]),  # no shingles: no twin even of itself
        ([], [], 0.7, []),
    ],
)
def test_verify(left, right, floor, expected):
    found = verify(*TEXTS, np.array(left, dtype=np.int64), np.array(right, dtype=np.int64), floor)
    assert found.tolist() == expected


@pytest.mark.parametrize("pair", [(0, 4), (-1, 0)])
def test_a_file_that_is_not_there(pair):
    with pytest.raises(ValueError, match="not there"):
        verify(*TEXTS, np.array([pair[0]]), np.array([pair[1]]), 0.7)


words = st.lists(st.sampled_from(["a", "b", "c", "ΟΔΟΣ", "οδος", " ", "."]), max_size=30).map(" ".join)


@settings(deadline=None, max_examples=100)
@given(st.lists(words, min_size=1, max_size=8), st.data())
def test_the_twin(texts, data):
    """Every tokenisation, in portions of whatever size."""
    name = data.draw(st.sampled_from(shingles.TOKENISATIONS))
    floor = data.draw(st.sampled_from([0.0, 0.3, 0.5, 1.0]))
    file = st.integers(0, len(texts) - 1)
    chosen = data.draw(st.lists(st.tuples(file, file), max_size=20))
    left, right = (np.array([pair[k] for pair in chosen], dtype=np.int64) for k in (0, 1))
    offsets, raw = text_buffers(pa.array(texts, pa.string()))
    with (
        mock.patch.object(module, "_BYTES", data.draw(st.integers(1, 100))),
        mock.patch.object(module, "_PAIRS", data.draw(st.integers(1, 5))),
    ):
        found = verify(offsets, raw, left, right, floor, name)
    sets = [set(twins.shingles(text, name)) for text in texts]
    assert found.tolist() == [twins.jaccard(sets[i], sets[j], floor) for i, j in chosen]
