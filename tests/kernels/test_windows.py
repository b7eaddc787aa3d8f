"""The hash of a window at any width, against plain Python; tiles are windows of 50 bytes."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import tiles, twins, windows

unhurried = settings(deadline=None, max_examples=80)
texts = st.one_of(st.binary(max_size=150), st.integers(0, 150).map(lambda size: b"a" * size))


def buffers(contents):
    offsets = np.cumsum([0, *map(len, contents)]).astype(np.int64)
    return offsets, np.frombuffer(b"".join(contents), dtype=np.uint8)


@unhurried
@given(texts, st.integers(1, 60))
def test_every_offset(text, width):
    found = windows.window_hashes(np.frombuffer(text, dtype=np.uint8), width)
    assert found.tolist() == [twins.window_hash(text[at : at + width]) for at in range(len(text) - width + 1)]


@unhurried
@given(st.lists(texts, max_size=5), st.integers(1, 60))
def test_side_by_side(contents, width):
    bounds, hashes = windows.tile_hashes(*buffers(contents), width)
    for text, (a, b) in zip(contents, itertools.pairwise(bounds)):
        whole = range(0, len(text) - width + 1, width)
        assert hashes[a:b].tolist() == [twins.window_hash(text[at : at + width]) for at in whole]


def test_the_base_has_not_changed():
    """Membership's indices hold these."""
    text = bytes(range(100))
    assert tiles.tile_hashes(*buffers([text]))[1].tolist() == [6986051740971073540, 4021347078398605064]


@pytest.mark.parametrize("size", [0, 1, 14])
def test_too_short_for_a_window(size):
    text = b"a" * size
    assert windows.window_hashes(np.frombuffer(text, dtype=np.uint8), 15).tolist() == []
    assert windows.tile_hashes(*buffers([text]), 15)[1].tolist() == []
