"""Borders of identifiers: the kernel finds what its twin finds, in any bytes, each once, and none across two texts."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from starloom.kernels import borders, borders_twin

SOME = st.sampled_from([b"aB", b"_", b"1", b" ", b"\t\n", b".(", b"\xe9"])
BYTES = st.binary(max_size=40) | st.lists(SOME).map(b"".join)


def terms(texts, before=b""):
    offsets = np.cumsum([len(before), *map(len, texts)], dtype=np.int64)
    found = borders.border_terms(offsets, np.frombuffer(before + b"".join(texts), dtype=np.uint8))
    return [found.data[start:end].tobytes().decode("ascii") for start, end in itertools.pairwise(found.offsets)]


@given(st.lists(BYTES, max_size=5), BYTES)
def test_the_kernel_is_its_twin(texts, before):
    assert terms(texts, before) == borders_twin.border_terms(texts)


def test_as_many_as_there_can_be():
    words = [f"{number:02x}" for number in range(256)]
    (found,) = terms([".".join(words).encode()])
    assert 0 <= 255 - len(found.split()) < 3  # some hashes may be the same


def test_a_border_lies_within_one_text():
    assert terms([b"ab ", b"cd"]) == terms([b"ab", b" cd"]) == ["", ""]


def test_a_text_after_one_with_the_same_border_has_it_too():
    first, second = terms([b"ab.cd ab.cd", b"cd ab.cd"])
    assert set(first.split()) == set(second.split()) != set()
