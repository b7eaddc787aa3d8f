"""A bit for each byte: the next one, and how many, as a search through a list of truths finds them."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from starloom.kernels.bits import count, first_with, first_without, words_of

TRUTHS = st.lists(st.tuples(st.booleans(), st.integers(1, 90)), max_size=8).map(
    lambda runs: [truth for truth, length in runs for _ in range(length)]
)


@given(TRUTHS, st.integers(0, 720), st.integers(0, 720))
@example([True] * 128, 0, 128)
@example([False] * 128, 64, 128)
def test_bits(truths: list[bool], one: int, two: int) -> None:
    at, stop = sorted((min(one, len(truths)), min(two, len(truths))))
    padded = truths + [False] * (64 * words_of(len(truths)) - len(truths))
    bits = np.packbits(np.array(padded, np.bool_), bitorder="little").view(np.uint64)
    assert len(bits) == words_of(len(truths))
    assert first_with(bits, at, stop) == next((k for k in range(at, stop) if truths[k]), stop)
    assert first_without(bits, at, stop) == next((k for k in range(at, stop) if not truths[k]), stop)
    assert count(bits, at, stop) == sum(truths[at:stop])
