"""Pieces sought in texts, against Python's own `in`."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels.seek import Seeker, line_seeker
from starloom.search.identifiers import LONGEST, is_word

bytes_of_few = st.lists(st.sampled_from(b"aAbB@`[{ \n\xe1\xc1"), max_size=200).map(bytes)


@settings(deadline=None, max_examples=150)
@given(st.one_of(st.binary(max_size=200), bytes_of_few), st.one_of(st.binary(min_size=1, max_size=4), bytes_of_few))
def test_a_piece_is_told_as_python_tells_it(data, piece):
    for sought in filter(None, (piece, data[len(data) // 3 :], data[-1:], data[:70])):
        assert Seeker(sought, False).stands_in(data) == (sought in data)
        assert Seeker(sought.lower(), True).stands_in(data) == (sought.lower() in data.lower())


@pytest.mark.parametrize("before", [0, 1, 62, 63, 64, 65, 127, 128, 500])
@pytest.mark.parametrize("behind", [0, 1, 63, 64, 200])
def test_wherever_it_stands(before, behind):
    data = b"." * before + b"Needle" + b"." * behind
    assert Seeker(b"needle", True).stands_in(data)
    assert Seeker(b"Needle", False).stands_in(data)
    assert not Seeker(b"needle", False).stands_in(data)
    assert not Seeker(b"needles", True).stands_in(data)


@settings(deadline=None, max_examples=150)
@given(
    bytes_of_few,
    st.sampled_from([b"a", b"ab", b"b a", b"{", b"\xe1a"]),
    st.lists(st.sampled_from([b"b", b"ba", b" ", b"a[", b"aaaaab"]), max_size=2),
)
def test_lines_that_have_all_pieces(data, piece, others):
    lines = [line for line in data.split(b"\n") if all(one in line.lower() for one in (piece, *others))]
    assert line_seeker(piece, others)(data) == b"".join(line + b"\n" for line in lines)


@settings(deadline=None, max_examples=150)
@given(bytes_of_few, bytes_of_few.filter(len), st.integers(1, 4), st.booleans())
def test_places_are_those_that_python_finds(data, piece, most, any_case):
    piece, where = (piece.lower(), data.lower()) if any_case else (piece, data)
    expected = [found.span() for found in re.finditer(re.escape(piece), where)][:most]
    assert Seeker(piece, any_case).places(data, most) == expected


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from(b"aaBB1_ \xc3"), max_size=40).map(bytes))
def test_words_are_those_that_the_search_tells(data):
    for piece in {data[start : start + size] for start in range(len(data)) for size in (1, 2, 3)}:
        if re.fullmatch(b"[0-9A-Za-z_]+", piece):
            starts = [found.start() for found in re.finditer(b"(?=%s)" % piece, data)]
            words = [(at, at + len(piece)) for at in starts if is_word(data, at, at + len(piece))]
            assert Seeker(piece, False, LONGEST).places(data, 100) == apart(words)


@pytest.mark.parametrize("length", [LONGEST - 1, LONGEST, LONGEST + 1])
def test_a_long_identifier_has_no_parts(length):
    data = b"ab_" + b"c" * (length - 3)
    assert Seeker(b"ab", False, LONGEST).stands_in(data) == (length < LONGEST) == is_word(data, 0, 2)
    assert Seeker(data, False, LONGEST).stands_in(b"(" + data)


def apart(stretches):
    kept = []
    for start, end in stretches:
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept


def test_nothing_is_sought():
    for make in (lambda: Seeker(b"", True), lambda: line_seeker(b"", [b"a"]), lambda: line_seeker(b"a\n", [])):
        with pytest.raises(ValueError, match=r"nothing is everywhere|no line"):
            make()
