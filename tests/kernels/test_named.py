"""Strings that are one of some names, against Python's own `in`."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels.named import Names

strings = st.lists(st.one_of(st.text("abAB[{@`", max_size=4).map(str.encode), st.binary(max_size=4)), max_size=12)


@settings(deadline=None, max_examples=200)
@given(strings, strings, st.data())
def test_names_are_found_as_python_finds_them(some, names, drawn):
    starts = np.cumsum([0, *map(len, some)], dtype=np.int32)
    data = np.frombuffer(b"".join(some), dtype=np.uint8)
    wanted = {name.lower() for name in names}
    bounds = st.tuples(st.integers(0, len(some)), st.integers(0, len(some))).map(sorted).map(tuple)
    ranges = drawn.draw(st.lists(bounds, max_size=3))
    found = Names(wanted).among(ranges, starts, data)
    assert found == [
        [which, number]
        for which, (first, last) in enumerate(ranges)
        for number in range(first, last)
        if some[number].lower() in wanted
    ]


@pytest.mark.parametrize("starts", [[0, 9], [-1, 1], [2, 1]])
def test_starts_that_are_none(starts):
    with pytest.raises(ValueError, match="starts"):
        Names([b"a"]).among([(0, 1)], np.array(starts, np.int32), np.zeros(3, np.uint8))


@pytest.mark.parametrize("bounds", [(0, 2), (-1, 1), (1, 0)])
def test_ranges_of_no_strings(bounds):
    with pytest.raises(ValueError, match="starts"):
        Names([b"a"]).among([bounds], np.array([0, 1], np.int32), np.zeros(3, np.uint8))
