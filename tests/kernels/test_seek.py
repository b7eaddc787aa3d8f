"""Pieces sought in texts, against Python's own `in`."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels.seek import line_seeker, seeker

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


@settings(deadline=None, max_examples=150)
@given(
    bytes_of_few,
    st.sampled_from([b"a", b"ab", b"b a", b"{", b"\xe1a"]),
    st.lists(st.sampled_from([b"b", b"ba", b" ", b"a[", b"aaaaab"]), max_size=2),
)
def test_lines_that_have_all_pieces(data, piece, others):
    told = [data[start:end] for start, end in line_seeker(piece, others)(data)]
    assert told == [line for line in data.split(b"\n") if all(one in line.lower() for one in (piece, *others))]


def test_nothing_is_sought():
    for make in (lambda: seeker(b"", True), lambda: line_seeker(b"", [b"a"]), lambda: line_seeker(b"a\n", [])):
        with pytest.raises(ValueError, match=r"nothing is everywhere|no line"):
            make()
