"""The first and last lines of texts, and which words stand in stretches, against plain Python."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import heads, heads_twin
from starloom.kernels.present import FEW, Words

lines = st.text(st.sampled_from("ab\n\n\ré한🙂"), max_size=40)
texts = st.lists(st.one_of(lines, st.text(max_size=20)), max_size=5)
words = st.lists(
    st.one_of(st.text(st.sampled_from("ab- é"), min_size=1), st.text(min_size=1, max_size=3)), max_size=2 * FEW
)


def _bytes(texts):
    contents = [text.encode("utf-8", "replace") for text in texts]
    return np.cumsum([0, *map(len, contents)]), np.frombuffer(b"".join(contents), np.uint8), contents


@settings(deadline=None, max_examples=40)
@given(texts, st.integers(1, 4), st.integers(1, 30))
def test_ends_of_texts(texts, few, characters):
    offsets, data, contents = _bytes(texts)
    stops = heads.first_lines(offsets[:-1], offsets[1:], data, few, characters) - offsets[:-1]
    starts = heads.last_lines(offsets[:-1], offsets[1:], data, few, characters) - offsets[:-1]
    fronts = heads.first_characters(offsets[:-1], offsets[1:], data, characters) - offsets[:-1]
    tails = heads.last_characters(offsets[:-1], offsets[1:], data, characters) - offsets[:-1]
    for content, stop, start, front, tail in zip(contents, stops, starts, fronts, tails, strict=True):
        text = content.decode()
        assert content[:stop].decode() == heads_twin.first_lines(text, few, characters)
        assert content[start:].decode() == heads_twin.last_lines(text, few, characters)
        assert content[:front].decode() == heads_twin.first_characters(text, characters)
        assert content[tail:].decode() == heads_twin.last_characters(text, characters)


@settings(deadline=None, max_examples=40)
@given(texts, words)
def test_words_that_stand_in_stretches(texts, words):
    offsets, data, contents = _bytes(texts)
    exact = [word.encode("utf-8", "replace") for word in words]
    folded = [word.lower() for word in exact[::2]]
    there = [
        [*(word in content for word in exact), *(word in content.lower() for word in folded)] for content in contents
    ]
    assert Words(exact, folded).standing(offsets[:-1], offsets[1:], data).tolist() == there


def test_words_that_hold_one_another():
    text = b"The Beginnings"
    sought = [b"begin", b"beginning", b"in", b"inn", b"innings", b"the b", b"x"]
    sought += [b"y%d" % number for number in range(FEW)]
    told = Words([], sought).standing(np.array([0, 4]), np.array([14, 7]), np.frombuffer(text, np.uint8))
    assert [np.flatnonzero(one).tolist() for one in told] == [[0, 1, 2, 3, 4, 5], []]


def test_what_is_refused():
    with pytest.raises(ValueError, match="lower case"):
        Words([], [b"A"])
    with pytest.raises(ValueError, match="lower case"):
        Words([b""], [])
    with pytest.raises(ValueError, match="stretches"):
        Words([b"a"], []).standing(np.array([0]), np.array([2]), np.zeros(1, np.uint8))
