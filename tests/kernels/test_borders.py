"""Borders of identifiers: the kernel finds what its twin finds, in any bytes, and none across two texts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from starloom.kernels import borders, borders_twin

BYTES = st.binary(max_size=40) | st.lists(st.sampled_from([b"aB", b"_", b"1", b" ", b".(", b"\xe9"])).map(b"".join)


def keys(texts, before=b""):
    offsets = np.cumsum([len(before), *map(len, texts)], dtype=np.int64)
    return borders.border_keys(offsets, np.frombuffer(before + b"".join(texts), dtype=np.uint8)).tolist()


@given(st.lists(BYTES, max_size=5), BYTES)
def test_the_kernel_is_its_twin(texts, before):
    assert keys(texts, before) == borders_twin.border_keys(texts)


def test_as_many_as_there_can_be():
    assert len(keys([b"ab." * 1_000 + b"ab"])) == 1_000


def test_a_border_lies_within_one_text():
    assert keys([b"ab ", b"cd"]) == keys([b"ab", b" cd"]) == []
