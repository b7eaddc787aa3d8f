"""Candidates grown to stretches, against plain Python."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import growing, slots, twins
from starloom.kernels.swar import same_after, same_before
from starloom.kernels.tiles import WIDTH

unhurried = settings(deadline=None, max_examples=60)
pieces = st.lists(
    st.one_of(st.sampled_from([b"a" * 60, b"ab" * 45, b"xyz " * 30]), st.binary(max_size=12)), min_size=1, max_size=4
).map(b"".join)


def bytes_of(text):
    return np.frombuffer(text, dtype=np.uint8)


def grown(query, texts, candidates, width=WIDTH):
    """Rows (file, start, end, position)."""
    offsets = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    parts = offsets[:-1], np.diff(offsets).astype(np.uint32), bytes_of(b"".join(texts))
    for one in parts:
        one.flags.writeable = False
    columns = [np.array(column, dtype=np.int64) for column in zip(*candidates)] or [np.zeros(0, dtype=np.int64)] * 3
    found = growing.grown(bytes_of(query), growing.Texts(*parts), *columns, width)
    return list(zip(*(column.tolist() for column in found)))


@unhurried
@given(pieces, st.lists(pieces, min_size=1, max_size=3), st.sampled_from([WIDTH, 32, 8]), st.randoms())
def test_grown(query, texts, width, dice):
    """Of all candidates, right and wrong ones, in any order: every stretch that holds a tile, once."""
    candidates = [
        (file, offset, position)
        for file, text in enumerate(texts)
        for position in range(0, len(text) - width + 1, width)
        for offset in range(len(query) - width + 1)
    ]
    expected = {
        (file, start, end, position)
        for file, text in enumerate(texts)
        for start, end, position in twins.stretches(query, text, width)
        if -(-position // width) * width + width <= position + end - start
    }
    dice.shuffle(candidates)
    found = grown(query, texts, candidates, width)
    assert len(found) == len(set(found))
    assert set(found) == expected


def test_more_candidates_than_a_block_takes():
    dice = random.Random(5)
    texts = [bytes(dice.choices(b"abcdefgh", k=WIDTH)) for _ in range(3 * growing._BLOCK)]
    query = b"".join(texts)
    candidates = [(k, k * WIDTH, 0) for k in range(len(texts))]
    assert grown(query, texts, candidates) == [(k, k * WIDTH, (k + 1) * WIDTH, 0) for k in range(len(texts))]


@pytest.mark.parametrize(
    "candidate", [(1, 0, 0), (-1, 0, 0), (0, 51, 0), (0, -1, 0), (0, 0, 51), (0, 0, -1), (0, 0, 10**9)]
)
def test_candidates_outside(candidate):
    with pytest.raises(ValueError, match="a candidate"):
        grown(b"a" * 100, [b"a" * 100], [candidate])


@pytest.mark.parametrize("width", [32, 50])
def test_another_width(width):
    query = bytes(range(100))
    for size, expected in ((width - 1, []), (width, [(0, 0, width, 0)])):
        text = query[:size] + b"!" * 60
        assert grown(query, [text], [(0, 0, 0)], width) == expected


@given(st.binary(max_size=40), st.binary(max_size=12), st.binary(max_size=12), st.integers(0, 60))
def test_bytes_that_are_the_same(same, one, other, most):
    after, before = (bytes_of(same + one), bytes_of(same + other)), (bytes_of(one + same), bytes_of(other + same))
    room = min(len(one), len(other)) + len(same)
    most = min(most, room)
    expected = next((k for k in range(most) if (same + one)[k] != (same + other)[k]), most)
    assert same_after(after[0], 0, after[1], 0, most) == expected
    backwards = (one + same)[::-1], (other + same)[::-1]
    expected = next((k for k in range(most) if backwards[0][k] != backwards[1][k]), most)
    assert same_before(before[0], len(before[0]), before[1], len(before[1]), most) == expected


@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1), unique=True, max_size=50))
def test_slots(keys):
    """Each key has a place of its own, and is found there."""
    table = slots.table(len(keys))
    for key in keys:
        at = slots.slot(table, key)
        assert table[at] == slots.FREE
        table[at] = key
    assert sorted(int(slots.slot(table, key)) for key in keys) == np.flatnonzero(table != slots.FREE).tolist()
