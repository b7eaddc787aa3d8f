"""The blocked Bloom filter against sets of bits, and its rate of false positives against the theory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import blooms, blooms_twin

hashes_of_any_kind = st.lists(st.integers(0, 2**64 - 1), max_size=40)


def empty(blocks):
    return np.zeros(blocks * blooms.WORDS, dtype=np.uint64)


def bits(words):
    return set(np.flatnonzero(np.unpackbits(words.astype("<u8").view(np.uint8), bitorder="little")).tolist())


@settings(deadline=None, max_examples=80)
@given(hashes_of_any_kind, hashes_of_any_kind, st.integers(1, 9))
def test_adding_and_asking(inside, others, blocks):
    words = empty(blocks)
    blooms.add(words, np.array(inside, dtype=np.uint64))
    expected = {bit for one in inside for bit in blooms_twin.bits(one, blocks)}
    assert bits(words) == expected
    asked = [*inside, *others]
    told = blooms.holds(words, np.array(asked, dtype=np.uint64)).tolist()
    assert told == [blooms_twin.bits(one, blocks) <= expected for one in asked]
    assert all(told[: len(inside)])


def test_the_last_block_is_reached_and_nothing_behind_it():
    words = empty(3)
    blooms.add(words, np.array([2**64 - 1], dtype=np.uint64))
    assert min(bits(words)) >= 2 * 512


@pytest.mark.parametrize(("bits_per_hash", "most"), [(10, 0.0110), (14, 0.0021), (20, 0.0004)])
def test_false_positives_are_as_rare_as_the_module_says(bits_per_hash, most):
    generator = np.random.default_rng(5)
    hashes = generator.integers(0, 2**64, 200_000, dtype=np.uint64)
    words = empty(len(hashes) * bits_per_hash // 512)
    blooms.add(words, hashes)
    assert blooms.holds(words, hashes).all()
    assert blooms.holds(words, generator.integers(0, 2**64, 1_000_000, dtype=np.uint64)).mean() < most


@pytest.mark.parametrize("words", [0, 7, 9])
def test_what_is_no_filter(words):
    for ask in (blooms.add, blooms.holds):
        with pytest.raises(ValueError, match=f"{words} words are no filter"):
            ask(np.zeros(words, dtype=np.uint64), np.zeros(1, dtype=np.uint64))
