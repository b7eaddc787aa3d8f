"""From bytes of folds back to characters and lines, against the map of every byte."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import fold, fold_back

blanks = st.text(st.sampled_from(" \t\r\n\f\v"), max_size=6)
words = st.text(st.sampled_from("ab(é中😀\u00a0\x00"), min_size=1, max_size=5)
long_ones = st.builds(str.__mul__, st.sampled_from(" \na"), st.integers(50, 140))
texts = st.lists(st.one_of(blanks, words, words, long_ones), max_size=25).map("".join)


def came_from(text):
    """(character, line) of every byte of its fold."""
    data = text.encode()
    _, sources = fold.fold_with_map(np.frombuffer(data, dtype=np.uint8))
    begun = np.cumsum([byte & 0xC0 != 0x80 for byte in data])
    return [(int(begun[source]) - 1, data[:source].count(b"\n") + 1) for source in sources]


@settings(deadline=None, max_examples=150)
@given(st.lists(texts, max_size=4), st.randoms(use_true_random=False))
def test_came_from(contents, chance):
    encoded = [one.encode() for one in contents]
    offsets = np.cumsum([0, *map(len, encoded)]).astype(np.int64)
    expected = {(k, at): told for k, text in enumerate(contents) for at, told in enumerate(came_from(text))}
    asked = chance.choices([*expected], k=40) if expected else []
    text, at = (np.array(column, dtype=np.int64) for column in (list(zip(*asked)) or [[], []]))
    found = fold_back.came_from(offsets, np.frombuffer(b"".join(encoded), dtype=np.uint8), text, at)
    assert list(zip(*(one.tolist() for one in found))) == [expected[one] for one in asked]


@pytest.mark.parametrize(("text", "at"), [(0, 3), (0, -1), (1, 0), (-1, 0), (2, 1), (1, 2**63 - 1), (2**62, 0)])
def test_outside(text, at):
    offsets, data = np.array([0, 6, 6, 9], dtype=np.int64), np.frombuffer(b" a\n\nb  c", dtype=np.uint8)
    data = np.append(data, np.uint8(0x20))
    with pytest.raises(ValueError, match="outside"):
        fold_back.came_from(offsets, data, np.array([text]), np.array([at]))


@given(texts, st.integers(0, 40), st.integers(0, 40))
def test_characters(text, start, end):
    data = text.encode()
    start, end = min(start, len(data)), min(end, len(data))
    found = fold_back.characters_of(np.frombuffer(data, np.uint8), np.array([start]), np.array([max(start, end)]))
    assert found.tolist() == [sum(byte & 0xC0 != 0x80 for byte in data[start:end])]


@pytest.mark.parametrize(
    ("starts", "ends"), [([0], [4]), ([-1], [2]), ([2], [1]), ([0, 0, 0], [3]), ([2**63 - 1], [2**63 - 1])]
)
def test_characters_outside(starts, ends):
    with pytest.raises(ValueError, match="stretches"):
        fold_back.characters_of(np.zeros(3, np.uint8), np.array(starts), np.array(ends))
