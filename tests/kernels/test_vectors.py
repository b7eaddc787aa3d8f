"""Bits of 64 bytes: as a comparison one by one has them."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from starloom.kernels.cache import leaf
from starloom.kernels.vectors import between, equal, highest, last, lowest, ones

BYTES = st.integers(0, 255)


@leaf
def asked(text: Any, at: Any, byte: Any, first: Any, count: Any) -> Any:
    """All of them of one place: they are for kernels only."""
    found = equal(text, at, byte)
    return found, between(text, at, first, count), lowest(found), highest(found), ones(found)


@given(st.binary(min_size=64, max_size=200), st.integers(0, 136), BYTES, BYTES, BYTES)
def test_each_bit_is_of_a_byte(text: bytes, at: int, byte: int, first: int, count: int) -> None:
    at = min(at, len(text) - 64)
    byte = text[at + first % 64] if count % 2 else byte
    block = text[at : at + 64]
    same, near, lowest_bit, highest_bit, how_many = asked(np.frombuffer(text, np.uint8), at, byte, first, count)
    assert same == sum(1 << i for i, one in enumerate(block) if one == byte)
    assert near == sum(1 << i for i, one in enumerate(block) if (one - first) % 256 < count)
    assert lowest_bit == (block.index(byte) if byte in block else 64)
    assert highest_bit == block.rfind(byte)
    assert how_many == block.count(byte)


@given(st.binary(max_size=200))
def test_what_the_full_ones_leave(text: bytes) -> None:
    tail = np.full(64, 10, np.uint8)
    last(np.frombuffer(text, np.uint8), tail)
    assert tail.tobytes() == text[len(text) // 64 * 64 :].ljust(64, b"\0")
