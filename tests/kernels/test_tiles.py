"""Tiles, their table and its look-up, against plain Python and dictionaries."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import tiles, twins
from starloom.kernels.tiles import WIDTH

unhurried = settings(deadline=None, max_examples=80)
texts = st.one_of(
    st.binary(max_size=260),
    st.integers(0, 260).map(lambda size: b"a" * size),
    st.tuples(st.binary(max_size=7), st.integers(0, 40)).map(lambda one: one[0] * one[1]),
)


def buffers(contents):
    offsets = np.cumsum([0, *map(len, contents)]).astype(np.int64)
    return offsets, np.frombuffer(b"".join(contents), dtype=np.uint8)


def table(hashes, bits=None):
    """The table of these hashes, tile k being the k-th."""
    bits = tiles.bucket_bits(len(hashes)) if bits is None else bits
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    starts = [np.searchsorted(ordered, np.uint64(bucket << (64 - bits))) for bucket in range(2**bits)]
    words = tiles.filter_words(ordered, bits, 0, 2**bits)
    return tiles.Table(
        bits,
        words,
        np.array([*starts, len(hashes)], dtype=np.uint32),
        tiles.tags_of(ordered, bits),
        order.astype(np.uint32),
    )


def looked_up(text, made, most=10**6):
    """{offset: tiles} of a look-up."""
    found = tiles.look_up(np.frombuffer(text, dtype=np.uint8), made, most)
    assert (np.diff(found.offsets) > 0).all()
    rows = zip(found.offsets.tolist(), found.first.tolist(), found.length.tolist())
    return {offset: made.tiles[first : first + length].tolist() for offset, first, length in rows}


@unhurried
@given(st.lists(texts, max_size=5))
def test_hashes(contents):
    bounds, hashes = tiles.tile_hashes(*buffers(contents))
    for text, (a, b) in zip(contents, itertools.pairwise(bounds)):
        whole = range(0, len(text) - WIDTH + 1, WIDTH)
        assert hashes[a:b].tolist() == [twins.window_hash(text[at : at + WIDTH]) for at in whole]
        windows = tiles.window_hashes(np.frombuffer(text, dtype=np.uint8)).tolist()
        assert windows == [twins.window_hash(text[at : at + WIDTH]) for at in range(len(text) - WIDTH + 1)]


@unhurried
@given(st.lists(texts, min_size=1, max_size=5), texts, st.integers(1, 12))
def test_look_up(contents, before, bits):
    made = table(tiles.tile_hashes(*buffers(contents))[1], bits)
    every = [text[at : at + WIDTH] for text in contents for at in range(0, len(text) - WIDTH + 1, WIDTH)]
    asked = before + contents[-1] + before
    expected = {}
    for at in range(len(asked) - WIDTH + 1):
        if places := [number for number, tile in enumerate(every) if tile == asked[at : at + WIDTH]]:
            expected[at] = places
    assert looked_up(asked, made) == expected
    assert {at: some[:4] for at, some in expected.items()} == looked_up(asked, made, 3)  # one more than asked for


@unhurried
@given(st.lists(st.integers(0, 2**64 - 1), max_size=200), st.integers(1, 10))
def test_the_filter_is_the_same_in_pieces_and_loses_none(hashes, bits):
    hashes = np.sort(np.array(hashes, dtype=np.uint64))
    whole = tiles.filter_words(hashes, bits, 0, 2**bits)
    half = 2 ** (bits - 1)
    split = np.searchsorted(hashes, np.uint64(half << (64 - bits)))
    pieces = [tiles.filter_words(hashes[:split], bits, 0, half), tiles.filter_words(hashes[split:], bits, half, half)]
    assert np.concatenate(pieces).tolist() == whole.tolist()
    for one in hashes.tolist():
        mask = sum({1 << (one >> shift & 63) for shift in (0, 6, 12, 18)})
        assert int(whole[one >> (64 - bits)]) & mask == mask


def test_a_run_ends_with_its_bucket():
    low, high = np.uint64(0x00000000_12345678), np.uint64(0x80000000_12345678)  # one tag, two buckets
    hashes = np.array([low, low, low, high, high], dtype=np.uint64)
    made = table(hashes, 1)
    assert len(set(made.tags.tolist())) == 1
    assert [tiles.run_end(made, first, 100) for first in range(5)] == [3, 3, 3, 5, 5]
    assert tiles.run_end(made, 0, 2) == 2


@pytest.mark.parametrize("count", [0, 1, 2, 3, 100, 10**6, 2**32 - 1])
def test_bits(count):
    bits = tiles.bucket_bits(count)
    assert 1 <= bits <= tiles.MOST_BITS
    assert count < 100 or 3 <= count / 2**bits < 6 or bits == tiles.MOST_BITS


@pytest.mark.parametrize("size", [0, 1, 49])
def test_too_short_for_a_tile(size):
    text = b"a" * size
    assert tiles.tile_hashes(*buffers([text]))[1].tolist() == []
    assert looked_up(text, table(np.zeros(0, dtype=np.uint64))) == {}


def test_damaged_buckets_read_nothing_outside():
    made = table(tiles.tile_hashes(*buffers([b"a" * 500]))[1])
    wild = made._replace(starts=np.full_like(made.starts, 2**32 - 1))
    assert looked_up(b"a" * 100, wild) == {}
    assert looked_up(b"a" * 100, made._replace(starts=np.array([0] * 2**made.bits + [2**32 - 1], dtype=np.uint32)))
    assert tiles.run_end(wild, 0, 10) <= 10
