"""Only the files that a pair names are shingled; what is not there is refused."""

import numpy as np
import pyarrow as pa
import pytest

from starloom.dedup.verify import verify
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
