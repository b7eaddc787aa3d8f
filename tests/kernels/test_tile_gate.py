"""The gate before a table of tiles, against plain Python."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import tile_gate, tile_gate_twin, tiles
from starloom.kernels.text import frozen
from starloom.kernels.tile_gate import Gate
from starloom.kernels.tiles import WIDTH

unhurried = settings(deadline=None, max_examples=60)
pieces = st.one_of(
    st.binary(max_size=200),
    st.tuples(st.binary(min_size=1, max_size=9), st.integers(0, 40)).map(lambda one: one[0] * one[1]),
    st.sampled_from([b"a = b + c\nreturn a\n", b"import numpy as np\n", b"for k in range(10):\n"]),
)
texts = st.lists(pieces, max_size=8).map(b"".join)
widths = st.sampled_from([WIDTH, 32, 16])


def array(data, kind=np.uint8):
    return frozen(np.frombuffer(data, dtype=np.uint8) if kind is np.uint8 else np.array(data, dtype=kind), kind)


def made(contents, width, bits):
    offsets = np.cumsum([0, *map(len, contents)])
    words = np.zeros(2**bits, dtype=np.uint64)
    tile_gate.let_pass(words, tile_gate.keys(offsets, array(b"".join(contents)), width))
    return Gate(bits, frozen(words, np.uint64))


def tiles_of(contents, width):
    return [one[at : at + width] for one in contents for at in range(0, len(one) - width + 1, width)]


@unhurried
@given(st.lists(texts, max_size=4), widths, st.integers(1, 9))
def test_gate(contents, width, bits):
    piece = tile_gate.piece_of(width)
    expected = tile_gate_twin.gate(tiles_of(contents, width), piece, bits)
    assert made(contents, width, bits).words.tolist() == expected


@unhurried
@given(st.lists(texts, max_size=4), texts, widths, st.integers(1, 9), st.data())
def test_passing(contents, text, width, bits, data):
    gate, piece = made(contents, width, bits), tile_gate.piece_of(width)
    if contents and data.draw(st.booleans()):
        text += contents[0] + text
    windows = len(text) - width + 1
    if windows < 1:
        return
    begin = data.draw(st.integers(0, windows - 1))
    end = data.draw(st.integers(begin + 1, windows))
    lows, highs = np.empty(windows + width, dtype=np.int64), np.empty(windows + width, dtype=np.uint64)
    count = tile_gate.passing(array(text), begin, end, width, piece, *gate, lows, highs, np.empty_like(highs))
    stretches = list(zip(lows[:count].tolist(), highs[:count].tolist()))
    assert all(low < high for low, high in stretches)
    assert all(one[1] < two[0] for one, two in itertools.pairwise(stretches))
    words = gate.words.tolist()
    window = (text[at : at + width] for at in range(begin, end))
    expected = [begin + k for k, one in enumerate(window) if tile_gate_twin.passes(one, piece, bits, words)]
    assert [at for low, high in stretches for at in range(low, high)] == expected


@unhurried
@given(st.lists(texts, min_size=1, max_size=4), texts, widths, st.integers(1, 9))
def test_no_tile_is_lost(contents, before, width, bits):
    """A look-up finds through the gate what it finds without."""
    offsets = np.cumsum([0, *map(len, contents)])
    _, hashes = tiles.tile_hashes(offsets, array(b"".join(contents)), width)
    hashes = np.sort(hashes)
    starts = [np.searchsorted(hashes, np.uint64(bucket << (64 - bits))) for bucket in range(2**bits)]
    bounds = np.array([*starts, len(hashes)], dtype=np.uint32)
    numbers = np.arange(len(hashes), dtype=np.uint32)
    words = tiles.filter_words(hashes, bits, 0, 2**bits)
    table = tiles.frozen_table(tiles.Table(bits, words, bounds, tiles.tags_of(hashes, bits), numbers))
    asked = array((before + contents[-1]) * 40)
    gate = made(contents, width, bits)
    found, every = tiles.look_up(asked, table, 9, width, gate), tiles.look_up(asked, table, 9, width)
    assert [column.tolist() for column in found] == [column.tolist() for column in every]


def test_code_that_is_not_there_seldom_passes():
    dice = np.random.default_rng(5)
    there, other = (bytes(dice.integers(97, 123, 100_000).astype(np.uint8)) for _ in range(2))
    bits = tile_gate.gate_bits(len(there) // WIDTH)
    lows, highs = np.empty(100_000, dtype=np.int64), np.empty(100_000, dtype=np.uint64)
    gate = made([there], WIDTH, bits)
    found = tile_gate.passing(array(other), 0, 99_000, WIDTH, 24, *gate, lows, highs, np.empty_like(highs))
    assert (highs[:found].astype(np.int64) - lows[:found]).sum() < 0.1 * 99_000


@pytest.mark.parametrize("count", [0, 1, 5, 6, 100, 10**6, 2**32 - 1])
def test_bits(count):
    bits = tile_gate.gate_bits(count)
    assert 1 <= bits <= 30
    assert count < 100 or 6 <= count / 2**bits < 12
