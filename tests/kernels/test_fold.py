"""White space folded away: the rule against its plain twin, what a fold promises, and the way back to the text."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from starloom.kernels import fold, twins

unhurried = settings(deadline=None, max_examples=120)
blanks = st.text(st.sampled_from(" \t\r\n\f\v"), max_size=6)
words = st.text(st.sampled_from("ab(é中\u00a0\u2028\x00\x1c\x85"), min_size=1, max_size=5)
long_ones = st.builds(str.__mul__, st.sampled_from(" \na"), st.integers(50, 140))  # over the ends of numbers of 64 bits
texts = st.lists(st.one_of(blanks, words, words, long_ones), max_size=25).map("".join)


def buffers(contents, before=b"", after=b""):
    encoded = [one.encode() for one in contents]
    offsets = np.cumsum([len(before), *map(len, encoded)]).astype(np.int64)
    return offsets, np.frombuffer(before + b"".join(encoded) + after, dtype=np.uint8)


def folds(contents, **around):
    bounds, folded = fold.fold(*buffers(contents, **around))
    return [bytes(folded[a:b]) for a, b in itertools.pairwise(bounds)]


def line(gaps, folded, text, position):
    """What `Gaps` are for: the line of a byte of a fold."""
    low, high = gaps.offsets[text : text + 2]
    before = np.searchsorted(gaps.position[low:high], position, side="right")
    return 1 + folded[:position].count(b"\n") + (int(gaps.lines[low + before - 1]) if before else 0)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("", ""),
        (" \t\r\n\f\v\n", ""),
        ("a", "a"),
        ("  a  ", "a"),
        ("\n\n  a\n", "a"),
        ("a\n\n \t\n  b", "a\nb"),
        ("a \t\v\f b", "a b"),
        ("a\r\nb\r\n", "a\nb"),
        ("a\rb", "a b"),  # old Macs: a blank
        ("a \nb", "a\nb"),
        ("a\u00a0\u2003b\x1c\x85", "a\u00a0\u2003b\x1c\x85"),  # Unicode's spaces and separators stay
        ("a\x00b", "a\x00b"),
    ],
)
def test_the_rule(text, folded):
    assert folds([text]) == [folded.encode()]


@unhurried
@given(st.lists(texts, max_size=5), st.sampled_from([b"", b"a ", b"\n"]), st.sampled_from([b"", b" b"]))
def test_twin(contents, before, after):
    assert folds(contents, before=before, after=after) == [twins.fold(one.encode()) for one in contents]


@unhurried
@given(texts)
def test_folding_again_changes_nothing(text):
    (once,) = folds([text])
    assert folds([once.decode()]) == [once]


@unhurried
@given(texts, texts, st.sampled_from(["x", "é"]))
def test_the_fold_of_a_piece_is_a_piece_of_the_fold(before, piece, edge):
    piece = edge + piece + edge
    (whole,) = folds([before + piece + before])
    assert folds([piece])[0] in whole


@unhurried
@given(texts, st.sampled_from(["  ", "\t", "\t    "]))
def test_indentation_and_line_ends_do_not_matter(text, indent):
    text = text.replace("\r", "")
    other = "".join(f"{indent}{one} \r\n" for one in text.split("\n"))
    assert folds([text]) == folds([other])


@unhurried
@given(st.lists(texts, max_size=4), st.sampled_from([0x0A, 0xFF]))
@example([""] * 1_000, 0xFF)
def test_a_byte_behind_each(contents, byte):
    bounds, folded = fold.fold(*buffers(contents), byte)
    each = [bytes(folded[a:b]) for a, b in itertools.pairwise(bounds)]
    assert each == [one + bytes([byte]) for one in folds(contents)]


@unhurried
@given(texts)
def test_the_map_leads_back(text):
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    folded, sources = fold.fold_with_map(data)
    assert bytes(folded) == twins.fold(text.encode())
    assert (np.diff(sources) > 0).all()
    separators = np.flatnonzero((folded == 0x20) | (folded == 0x0A))
    assert (sources[separators] == sources[separators - 1] + 1).all()  # the first byte of their runs
    for byte, source in zip(folded.tolist(), sources.tolist()):
        assert data[source] == byte or (byte in b" \n" and data[source] in b" \t\r\n\f\v")


@unhurried
@given(st.lists(texts, max_size=5))
def test_lines(contents):
    bounds, folded, gaps = fold.fold_with_gaps(*buffers(contents))
    for number, (text, (a, b)) in enumerate(zip(contents, itertools.pairwise(bounds))):
        one = bytes(folded[a:b])
        assert [line(gaps, one, number, position) for position in range(len(one))] == twins.folded_lines(text.encode())


@unhurried
@given(
    st.lists(texts, min_size=1, max_size=5), st.lists(st.tuples(st.integers(0, 99), st.integers(0, 9999)), max_size=9)
)
def test_lines_of_some_bytes(contents, asked):
    bounds, folded, gaps = fold.fold_with_gaps(*buffers(contents))
    asked = [(number % len(contents), at) for number, at in asked]
    asked = [(number, at % size) for number, at in asked if (size := int(bounds[number + 1] - bounds[number]))]
    text, at = np.array(asked, np.int64).reshape(-1, 2).T
    where = bounds[text], gaps.offsets[text], np.diff(gaps.offsets)[text]
    found = fold.lines_of(folded, gaps.position, gaps.lines, *where, at)
    assert found.tolist() == [twins.folded_lines(contents[number].encode())[at] for number, at in asked]


def test_lines_of_bytes_outside():
    _, folded, gaps = fold.fold_with_gaps(*buffers(["a\n\nb"]))
    one = np.ones(1, np.int64)
    assert fold.lines_of(folded, gaps.position, gaps.lines, 0 * one, 0 * one, one, 2 * one).tolist() == [3]
    for where in [(0, 0, 1, 3), (0, 0, 1, -1), (0, 0, 2, 1), (0, -1, 1, 1), (1, 0, 1, 2)]:
        with pytest.raises(ValueError, match="outside"):
            fold.lines_of(folded, gaps.position, gaps.lines, *(number * one for number in where))


def test_the_standard_library(standard_library):
    assert folds(standard_library[:60]) == [twins.fold(one.encode()) for one in standard_library[:60]]


@pytest.mark.parametrize("text", ["", " " * 5_000_000, "\n" * 100_000, "a" * 1_000_000, "\0" * 1_000_000])
def test_long(text):
    assert folds([text]) == [text.strip(" \n").encode()]
    assert len(fold.fold_with_map(np.frombuffer(text.encode(), dtype=np.uint8))[0]) == len(text.strip(" \n"))
