"""Large texts cut into blocks, against the plain twin: they come back whole, and no piece on a line is missed."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import cuts
from starloom.kernels.cache import kernel
from starloom.kernels.cuts_twin import plain_blocks, plainly_cut

CODEC = pa.Codec("lz4_raw")


def compress(block):
    return CODEC.compress(block, asbytes=True)


lines = st.one_of(
    st.binary(max_size=60),
    st.text("aAbBcC_ \t\r(é", max_size=200).map(str.encode),
    st.builds(lambda piece, times: piece * times, st.binary(min_size=1, max_size=20), st.integers(1, 400)),
)
texts = st.builds(lambda some, times: b"\n".join(some * times), st.lists(lines, max_size=8), st.integers(1, 60))


@settings(deadline=None, max_examples=150)
@given(texts)
def test_a_text_is_cut_as_the_twin_cuts_it_and_comes_back(text):
    packed = cuts.cut(text, compress)
    assert packed == plainly_cut(text, compress)
    assert cuts.whole(packed, len(text)) == text
    assert cuts.whole(packed, len(text) + 1) is None
    assert len(plain_blocks(text)) <= cuts.most_blocks(len(text))


@pytest.mark.parametrize(
    "length", [0, 1, 100, cuts.BLOCK - 2, cuts.BLOCK - 1, cuts.BLOCK, cuts.BLOCK + 1, 3 * cuts.BLOCK]
)
@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n"])
def test_lines_about_as_long_as_a_block(length, end):
    for many in range(1, 5):
        text = b"\n".join([b"x" * length, b"y"] * many) + end
        assert b"".join(plain_blocks(text)) == text
        assert cuts.cut(text, compress) == plainly_cut(text, compress)
        assert len(plain_blocks(text)) <= cuts.most_blocks(len(text))


@settings(deadline=None, max_examples=300)
@given(texts.filter(len), st.data())
def test_damaged_ones_are_told(text, data):
    packed = bytearray(cuts.cut(text, compress))
    for _ in range(data.draw(st.integers(1, 4))):
        packed[data.draw(st.integers(0, min(len(packed) - 1, data.draw(st.sampled_from([8, 40, 1 << 20])))))] = (
            data.draw(st.integers(0, 255))
        )
    packed = bytes(packed[: data.draw(st.sampled_from([len(packed), len(packed) - 1, len(packed) // 2]))])
    told = cuts.whole(packed, len(text))
    assert told is None or len(told) == len(text)


@kernel
def _taken(data, asked, chosen):
    many = cuts.blocks_of(data, 0, len(data), len(chosen))
    at = 4 + many * cuts.HEAD
    for block in range(many):
        head = 4 + block * cuts.HEAD
        chosen[block] = cuts.may_have(data, at, head, asked, 0, len(asked))
        at += cuts.number(data, head + 8) + cuts.number(data, head + 12)
    return many


def taken(packed, piece):
    chosen = np.zeros(cuts.most_blocks(1 << 20), np.uint8)
    many = _taken(np.frombuffer(packed, np.uint8), np.array(cuts.questions(piece), np.uint64), chosen)
    return chosen[:many].astype(bool).tolist()


@settings(deadline=None, max_examples=150)
@given(texts.filter(len), st.data())
def test_a_piece_that_is_there_is_never_missed(text, data):
    packed = cuts.cut(text, compress)
    start = data.draw(st.integers(0, len(text) - 1))
    piece = text[start : start + data.draw(st.integers(1, 30))]
    for one in {piece, piece.lower(), piece.upper()}:
        there = [one.lower() in block.lower() for block in plain_blocks(text)]
        if b"\n" not in one:
            assert any(there) or one.lower() not in text.lower()
        assert not any(here and not told for here, told in zip(there, taken(packed, one), strict=True))


def test_what_is_not_there_is_seldom_taken_for_it():
    chance = np.random.default_rng(3)
    words = [bytes(chance.integers(0x61, 0x7B, 6, np.uint8)) for _ in range(4_000)]
    text = b"\n".join(words)
    packed = cuts.cut(text, compress)
    told = [one for word in words[:50] for one in taken(packed, word[::-1])]
    assert sum(told) / len(told) < 0.2  # every pair is there, and half of all fours are taken for it


def test_what_may_stand_in_no_block_alone_is_not_asked():
    assert not len(cuts.questions(b"one\ntwo"))
    assert not len(cuts.questions(b"a"))
    assert len(cuts.questions(b"ab")) == 1
    assert len(cuts.questions(b"ABCD")) == 4
