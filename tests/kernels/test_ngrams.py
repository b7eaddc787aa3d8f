"""The features of a file and its margin, against the plain twin."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from starloom.kernels import ngram_twins, ngrams

WEIGHTS = np.random.default_rng(5).normal(size=1 << 12).astype(np.float32)

# Bytes that make tokens, more often than chance would.
_PIECES = st.sampled_from(
    [
        b"def ",
        b"x1",
        b"_",
        b"\n",
        b"\n\n",
        b"    ",
        b"\t",
        b"\r\n",
        b"==",
        b"=====",
        b"0x1f",
        b"12345678901",
        b"caf\xc3\xa9",
    ]
)
ANY = st.lists(st.one_of(_PIECES, st.binary(max_size=6))).map(b"".join)


def margins(texts, weights=WEIGHTS, orders=2):
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in texts])]).astype(np.int64)
    return ngrams.margins(offsets, np.frombuffer(b"".join(texts), dtype=np.uint8), weights, orders).tolist()


@given(st.lists(ANY, max_size=4), st.sampled_from(ngrams.ORDERS))
@example([b"a" * 64, b"a" * 65, b"a" * 66, b"9" * 70], 2)
@example([b"", b"\0", b"\n", b"\n ", b" ", b"\xff\xfe"], 3)
@example([b"\n   x\n    x\n        x\n" + b" " * 90 + b"x"], 1)
@settings(max_examples=200, deadline=None)
def test_the_kernel_is_its_twin(texts, orders):
    assert margins(texts, orders=orders) == [ngram_twins.margin(one, WEIGHTS.tolist(), orders) for one in texts]


def test_real_files(standard_library):
    texts = [one.encode() for one in standard_library[::20]]
    found = margins(texts, orders=3)
    assert found == [ngram_twins.margin(one, WEIGHTS.tolist(), 3) for one in texts]
    assert len(set(found)) == len(texts)


def test_only_the_head_counts():
    head = b"word " * (ngrams.HEAD // 5 + 1)
    assert margins([head[: ngrams.HEAD]]) == margins([head[: ngrams.HEAD] + b" other things"])
    assert margins([head[:100] + b"other"]) != margins([head[:100]])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (b"a = 1", b"a  =  2", True),  # numbers by their length; spaces within a line say nothing
        (b"a = 1", b"a = 22", False),
        (b"a = 1", b"b = 1", False),
        (b"a == 1", b"a = 1", False),
        (b"====", b"=======", True),  # runs of a sign, up to four
        (b"x\n  y", b"x\n y", True),  # indentation by fours
        (b"x\n    y", b"x\n\ty", True),
        (b"x\n    y", b"x\ny", False),
        (b"x\n\ny", b"x\n \ny", True),  # a blank line is blank
        (b"a b", b"b a", False),  # order, by pairs
        (b"a b a b", b"a b a b a b", True),  # a feature counts once
        (b"Q" * 65, b"Z" * 80, True),  # too long for a word
    ],
)
def test_what_makes_a_feature(one, other, same):
    sets = [set(ngram_twins.features(text, 24, 2)) for text in (one, other)]
    assert (sets[0] == sets[1]) is same
    assert (margins([one]) == margins([other])) is same


@pytest.mark.parametrize("size", [1 << 9, 1000, 1 << 25])
def test_sizes_are_checked(size):
    with pytest.raises(ValueError, match="buckets"):
        ngrams.margins(np.zeros(1, np.int64), np.zeros(0, np.uint8), np.zeros(size, np.float32), 2)


def learned(texts, targets, order, group=-1, passes=1, decay=0.0):
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in texts])]).astype(np.int64)
    data = np.frombuffer(b"".join(texts), dtype=np.uint8)
    state = [
        np.zeros(1 << 12, np.float32),
        np.zeros(1 << 12, np.float32),
        np.zeros(2, np.float32),
        np.zeros(2, np.float32),
    ]
    groups = np.full(len(texts), group, np.int64)
    losses = [
        ngrams.learn(offsets, data, np.array(targets, float), groups, np.array(order, np.int64), *state, 1, 0.5, decay)
        for _ in range(passes)
    ]
    return losses, state


def test_one_step_is_the_gradient():
    """The first AdaGrad step moves each weight by the rate, against the sign of its slope."""
    losses, (weights, squares, group_weights, _) = learned([b"a b c"], [1.0], [0], group=0)
    assert losses == [pytest.approx(math.log(2))]
    features = ngram_twins.features(b"a b c", 12, 1)
    assert np.flatnonzero(weights).tolist() == sorted(features)
    assert weights[features] == pytest.approx(0.5, abs=1e-3)
    assert squares[features] == pytest.approx((0.5 / math.sqrt(3)) ** 2)
    assert group_weights == pytest.approx(0.5, abs=1e-3)


def test_learning_tells_two_words_apart():
    texts = [b"good thing", b"bad thing"] * 4
    losses, (weights, *_) = learned(texts, [1.0, 0.0] * 4, range(8), passes=20)
    assert losses == sorted(losses, reverse=True)
    good, bad = margins(texts[:2], weights, 1)
    assert good > 1 > -1 > bad
    decayed = learned(texts, [1.0, 0.0] * 4, range(8), passes=20, decay=0.1)[1][0]
    assert np.abs(decayed).sum() < np.abs(weights).sum()


@pytest.mark.parametrize(
    ("targets", "order", "group"),
    [([1.0], [0, 1], -1), ([1.0, 0.0], [2], -1), ([1.0, 0.0], [-1], -1), ([1.0, 0.0], [0], 2)],
)
def test_rows_are_checked(targets, order, group):
    with pytest.raises(ValueError, match=r"one a file|group"):
        learned([b"a", b"b"], targets, order, group)
