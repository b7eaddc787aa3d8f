"""Pieces sought in texts, against Python's own `in`."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels.seek import seeker

bytes_of_few = st.lists(st.sampled_from(b"aAbB@`[{ \n\xe1\xc1"), max_size=200).map(bytes)


@settings(deadline=None, max_examples=150)
@given(st.one_of(st.binary(max_size=200), bytes_of_few), st.one_of(st.binary(min_size=1, max_size=4), bytes_of_few))
def test_a_piece_is_told_as_python_tells_it(data, piece):
    for sought in filter(None, (piece, data[len(data) // 3 :], data[-1:], data[:70])):
        assert seeker(sought, False)(data) == (sought in data)
        assert seeker(sought.lower(), True)(data) == (sought.lower() in data.lower())


@pytest.mark.parametrize("before", [0, 1, 62, 63, 64, 65, 127, 128, 500])
@pytest.mark.parametrize("behind", [0, 1, 63, 64, 200])
def test_wherever_it_stands(before, behind):
    data = b"." * before + b"Needle" + b"." * behind
    assert seeker(b"needle", True)(data)
    assert seeker(b"Needle", False)(data)
    assert not seeker(b"needle", False)(data)
    assert not seeker(b"needles", True)(data)


def test_nothing_is_sought():
    with pytest.raises(ValueError, match="nothing"):
        seeker(b"", True)
