"""Borders of identifiers: what a piece has, each text with the piece has, however files lie together."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.kernels.borders import border_terms
from starloom.search.borders import of_piece
from starloom.search.nodes import fold

TEXTS = st.text(st.sampled_from("aB_1 .(\n\té排"), max_size=40)


def terms(*texts):
    data = [text.encode() for text in texts]
    found = border_terms(np.cumsum([0, *map(len, data)], dtype=np.int64), np.frombuffer(b"".join(data), np.uint8))
    return [found.data[start:end].tobytes().decode("ascii") for start, end in itertools.pairwise(found.offsets)]


@given(st.lists(TEXTS, max_size=5))
def test_a_text_has_those_of_itself(texts):
    """The plain twin: a pattern over one folded text."""
    for folded in (texts, [fold(text) for text in texts]):
        if all(text.isascii() for text in texts) or folded is not texts:
            assert [set(one.split()) for one in terms(*folded)] == [of_piece(fold(text).encode()) for text in texts]


@given(TEXTS, st.integers(0, 40), st.integers(0, 40))
def test_a_piece_has_none_that_its_text_has_not(text, start, size):
    folded = fold(text)
    assert of_piece(folded[start : start + size].encode()) <= of_piece(folded.encode())


@pytest.mark.parametrize(
    ("text", "number"),
    [("return self", 1), ("a self", 0), ("ab c", 0), ("ab  cd", 1), ("ab, \tcd", 1), ("ab    cd", 1), ("ab.cd.ef", 2),
     ("ab;\n\t  cd", 1), ("ab,- \tcd", 1), ("ab ,- cd", 0),
     ("AB cd", 1), ("", 0), ("ab", 0), ("ab é cd", 0), ("ab é", 0), ("ab.é.cd", 0), ("abécd", 1), ("ab cd ab cd", 2)],
)  # fmt: skip
def test_which_there_are(text, number):
    (found,) = terms(fold(text))
    assert len(found.split()) == number
    assert found == "".join(f"{one} " for one in found.split())


def test_no_files():
    assert terms() == []
