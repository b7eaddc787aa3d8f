"""Filters of grams against sets of them: what is there is never missed, what is not is seldom taken for it."""

import itertools
import random
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels.gram_filters import Beside, Filters, Wanted, gram_filters
from starloom.kernels.gram_filters_twin import gram_filter

blocks_of_any_kind = st.lists(st.one_of(st.binary(max_size=40), st.text("aAbB_ \n=", max_size=60).map(str.encode)))


def made(blocks, pairs=False):
    offsets = np.cumsum([0, *map(len, blocks)], dtype=np.int64)
    data = np.frombuffer(b"".join(blocks), dtype=np.uint8)
    return gram_filters(offsets, data, np.full(len(blocks), pairs, np.bool_))


def asked(blocks, *pieces, texts=None):
    """The blocks that may have all pieces: of one text, or of each its own."""
    firsts = np.array([0, len(blocks)]) if texts is None else np.arange(texts + 1)
    filters = Filters(*made(blocks, pairs=texts is None), firsts)
    return filters.among(Wanted([[[piece]] for piece in pieces]), np.arange(len(filters)))[1].tolist()


@settings(deadline=None, max_examples=80)
@given(blocks_of_any_kind, st.booleans())
def test_filters_are_those_of_the_twin(blocks, pairs):
    bounds, filters = made(blocks, pairs)
    told = [filters[start:end].tobytes() for start, end in itertools.pairwise(bounds.tolist())]
    assert told == [gram_filter(one, pairs) for one in blocks]


@settings(deadline=None, max_examples=80)
@given(blocks_of_any_kind.filter(len), st.data())
def test_a_piece_that_is_there_is_never_missed(blocks, data):
    number = data.draw(st.integers(0, len(blocks) - 1))
    start = data.draw(st.integers(0, len(blocks[number])))
    piece = blocks[number][start : data.draw(st.integers(start, len(blocks[number])))].lower()
    words = re.findall(rb"(?=([0-9a-z_]{2})[^0-9a-z_\n]+([0-9a-z_]{2}))", piece)
    pieces = [piece, *(Beside(left, right) for left, right in words)]
    assert number in asked(blocks, *pieces)
    assert number in asked(blocks, *pieces, texts=len(blocks))


def test_pieces_that_are_not_there_are_seldom_taken_for_it():
    chance = random.Random(9)
    text = bytes(chance.choices(b"abcdefghijklmnopqrstuvwxyz", k=20_000))
    bounds, filters = made([text])
    assert bounds[-1] <= 1.6 * len(text) / 8 + 1
    pieces = [bytes(chance.choices(b"abcdefghijklmnopqrstuvwxyz", k=12)) for _ in range(2_000)]
    told = Filters(bounds, filters, np.array([0, 1]))
    assert sum(len(told.among(Wanted([[[one]]]), np.zeros(1, np.int64))[1]) for one in pieces) < 20


def test_words_beside_each_other():
    assert asked([b"see local = other;", b"see local\nother"], Beside(b"al", b"ot")) == [0]
    assert asked([b"see local", b"see"], b"loca", b"e lo") == [0]


def test_pairs_tell_the_blocks_of_a_text_apart_and_nothing_of_one_alone():
    blocks = [b"gf", b"xy"]
    assert asked(blocks, b"gf") == [0]
    assert asked(blocks, b"gf", texts=2) == [0, 1]


def test_one_alternative_of_each_choice():
    filters = Filters(*made([b"one and two", b"one", b"three"]), np.arange(4))
    wanted = Wanted([[[b"one and"], [b"three"]], [[b"two", b"and "], [b"four"]], [[b""]]])
    assert wanted
    assert filters.among(wanted, np.array([2, 0, 1]))[1].tolist() == [0]
    assert not Wanted([[[b"x"], [b"some"]]])


def test_a_text_that_there_is_not():
    filters = Filters(*made([b"some text"]), np.array([0, 1]))
    with pytest.raises(IndexError, match="filters of 1 texts"):
        filters.among(Wanted([[[b"some t"]]]), np.array([1]))


def test_what_describes_no_blocks():
    with pytest.raises(ValueError, match="offsets"):
        Filters(np.array([0, 9]), np.zeros(8, np.uint8), np.array([0, 1]))
    with pytest.raises(ValueError, match="blocks"):
        Filters(np.array([0, 8]), np.zeros(8, np.uint8), np.array([0, 2]))
    with pytest.raises(ValueError, match="pairs"):
        gram_filters(np.array([0, 0]), np.zeros(0, np.uint8), np.zeros(0, np.bool_))
