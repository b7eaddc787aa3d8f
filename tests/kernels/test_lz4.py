"""Blocks of LZ4 unpacked, against the library; damaged ones against a plain reading of the format."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import lz4
from starloom.kernels.cache import kernel
from starloom.kernels.lz4_twin import plainly_unpacked

CODEC = pa.Codec("lz4_raw")

repeating = st.builds(
    lambda piece, times, rest: piece * times + rest, st.binary(max_size=40), st.integers(0, 40), st.binary(max_size=40)
)
texts = st.one_of(st.binary(max_size=400), repeating, st.lists(repeating, max_size=5).map(b"".join))


def packed(text):
    return CODEC.compress(text, asbytes=True)


@settings(deadline=None, max_examples=300)
@given(texts)
def test_a_text_comes_back(text):
    assert lz4.unpacked(packed(text), len(text)) == plainly_unpacked(packed(text), len(text)) == text


@pytest.mark.parametrize("back", [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33, 65_535])
@pytest.mark.parametrize("many", [4, 5, 8, 15, 18, 19, 20, 33, 64, 270, 600])
def test_a_match_of_any_length_from_anywhere(back, many):
    letters = np.random.default_rng(back).integers(0, 256, back, dtype=np.uint8).tobytes()
    block = bytes([0xF0 | min(many - 4, 15)]) + length(back) + letters + back.to_bytes(2, "little")
    block = block if back >= 15 else bytes([back << 4 | min(many - 4, 15)]) + letters + back.to_bytes(2, "little")
    block += (length(many - 4) if many - 4 >= 15 else b"") + b"\x10z"
    expected = (letters * (many // back + 2))[: back + many] + b"z"
    assert plainly_unpacked(block, len(expected)) == expected
    assert lz4.unpacked(block, len(expected)) == expected


def length(many):
    return b"\xff" * ((many - 15) // 255) + bytes([(many - 15) % 255]) if many >= 15 else b""


@settings(deadline=None, max_examples=600)
@given(st.data(), texts, st.integers(-3, 3))
def test_what_is_damaged_is_told_as_it_is_read_plainly(data, text, more):
    block = bytearray(packed(text))
    for _ in range(data.draw(st.integers(0, 4))):
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
    block = bytes(block[: data.draw(st.integers(0, len(block)))])
    size = max(len(text) + more, 0)
    assert lz4.unpacked(block, size) == plainly_unpacked(block, size)


@settings(deadline=None, max_examples=600)
@given(st.binary(max_size=60), st.integers(0, 300))
def test_any_bytes_are_told_as_they_are_read_plainly(block, size):
    assert lz4.unpacked(block, size) == plainly_unpacked(block, size)


@kernel
def _within(data, start, stop, out, size):
    return lz4.unpack(data, start, stop, out, size)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=30), st.binary(max_size=60), st.binary(max_size=30), st.integers(0, 200))
def test_nothing_is_written_beyond_its_room(before, block, behind, size):
    out = np.full(size + lz4.ROOM + 100, 7, np.uint8)
    data = np.frombuffer(before + block + behind, np.uint8)
    good = _within(data, len(before), len(before) + len(block), out[: size + lz4.ROOM], size)
    assert (out[size + lz4.ROOM :] == 7).all()
    expected = plainly_unpacked(block, size)
    assert good == (expected is not None)
    assert not good or out[:size].tobytes() == expected


@pytest.mark.parametrize(
    ("start", "stop", "size", "room"),
    [(-1, 2, 1, 99), (0, 9, 1, 99), (2, 1, 1, 99), (0, 2, -1, 99), (0, 2, 1, lz4.ROOM)],
)
def test_what_is_not_there_is_not_read(start, stop, size, room):
    assert not _within(np.frombuffer(b"\x10a", np.uint8), start, stop, np.zeros(room, np.uint8), size)
    assert _within(np.frombuffer(b"\x10a", np.uint8), 0, 2, np.zeros(1 + lz4.ROOM, np.uint8), 1)
