"""Lines by number, against Python's own `split`."""

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels.lines_at import line_starts

texts = st.lists(st.lists(st.sampled_from(b"ab\r\n\n\xff"), max_size=200).map(bytes), min_size=1, max_size=4)


@settings(deadline=None, max_examples=100)
@given(texts)
def test_lines_begin_where_they_begin(some):
    asked, expected = [], []
    for number, data in enumerate(some):
        starts = list(accumulate((len(line) + 1 for line in data.split(b"\n")), initial=0))[:-1]
        for line, start in enumerate([*starts, -1, -1], 1):
            asked.append((number, line))
            expected.append(start)
    offsets = np.array(list(accumulate(map(len, some), initial=0)))
    numbers, lines = np.array(asked).T
    assert line_starts(offsets, np.frombuffer(b"".join(some), np.uint8), numbers, lines).tolist() == expected


@pytest.mark.parametrize("number", [-1, 1])
def test_a_text_that_is_not_there(number):
    with pytest.raises(ValueError, match="not there"):
        line_starts(np.array([0, 3]), np.zeros(3, np.uint8), np.array([number]), np.array([1]))
