"""Filters of grams against sets of them: what is there is never missed, what is not is seldom taken for it."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels.cuts import LARGE
from starloom.kernels.gram_filters import GRAM, Filters, gram_filters, gram_hashes
from starloom.kernels.gram_filters_twin import gram_filter

texts_of_any_kind = st.lists(st.one_of(st.binary(max_size=40), st.text("aAbB \n\t", max_size=60).map(str.encode)))


def made(texts):
    offsets = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    return gram_filters(offsets, np.frombuffer(b"".join(texts), dtype=np.uint8))


@settings(deadline=None, max_examples=80)
@given(texts_of_any_kind)
def test_filters_are_those_of_the_twin(texts):
    bounds, filters = made(texts)
    told = [filters[start:end].tobytes() for start, end in itertools.pairwise(bounds.tolist())]
    assert told == list(map(gram_filter, texts))


@pytest.mark.parametrize("size", [LARGE, LARGE + 1])
def test_a_text_that_has_filters_for_its_blocks_too_has_a_smaller_one(size):
    text = random.Random(size).randbytes(size)
    bounds, filters = made([text])
    assert filters[: bounds[1]].tobytes() == gram_filter(text)
    assert (bounds[1] > size / 5) == (size == LARGE)


@settings(deadline=None, max_examples=80)
@given(texts_of_any_kind.filter(len), st.data())
def test_a_piece_that_is_there_is_never_missed(texts, data):
    number = data.draw(st.integers(0, len(texts) - 1))
    start = data.draw(st.integers(0, len(texts[number])))
    piece = texts[number][start : data.draw(st.integers(start, len(texts[number])))].lower()
    told = Filters(*made(texts)).having(gram_hashes(piece), np.arange(len(texts)))
    assert told[number]
    if len(piece) < GRAM:
        assert told.all()


def test_pieces_that_are_not_there_are_seldom_taken_for_it():
    chance = random.Random(9)
    text = bytes(chance.choices(b"abcdefghijklmnopqrstuvwxyz", k=20_000))
    bounds, filters = made([text])
    assert bounds[-1] <= 4 / 3 * len(text) / 8
    pieces = [bytes(chance.choices(b"abcdefghijklmnopqrstuvwxyz", k=12)) for _ in range(2_000)]
    asked = Filters(bounds, filters)
    taken = [asked.having(gram_hashes(one), np.zeros(1, np.int64))[0] for one in pieces]
    assert sum(taken) < 60


def test_a_filter_that_there_is_not():
    filters = Filters(*made([b"some text"]))
    with pytest.raises(IndexError, match="there are 1 filters"):
        filters.having(gram_hashes(b"some t"), np.array([1]))


def test_bounds_that_are_none():
    with pytest.raises(ValueError, match="offsets"):
        Filters(np.array([0, 9]), np.zeros(8, np.uint8))
