"""Words over the blocks in which the kernel takes a text: whatever stands where one ends, the twin's answer."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import code_points, shingles, twins, words

pytestmark = pytest.mark.skipif(
    unicodedata.unidata_version != code_points.UNICODE_VERSION, reason="the twins ask this Python's Unicode"
)

PIECES = ["a", "Bc_9", " ", "\n", "é", "中", "İ", "Σ", "\u2028", "😀", "eightoff", "nineofall", "Kelvin \u212a"]
pieces = st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map("".join)
fillings = st.sampled_from([" ", "x", "xy ", "word ", "é", "é ", "中文", "İ", "a-b_"])


def found(content: bytes):
    offsets, data = np.array([0, len(content)]), np.frombuffer(content, dtype=np.uint8)
    tokens, stream = shingles.token_counts_and_stream_hash(offsets, data)
    return int(tokens[0]), tuple(stream[0].tolist()), shingles.shingle_sets(offsets, data)[1].tolist()


@settings(deadline=None, max_examples=60)
@given(pieces, fillings, st.integers(-24, 4), pieces, st.booleans())
def test_where_a_block_ends(before, filling, off, after, again):
    size = words.BLOCK + off
    text = before + filling * max((size - len(before.encode())) // len(filling.encode()), 0) + after
    text = text * 2 if again else text
    tokens = twins.tokens(text)
    assert found(text.encode()) == (len(tokens), twins.stream(text), sorted(set(twins.shingles(text))))


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.sampled_from([b"\xc3 ", b"\xf0", b"a", b" ", b"\xc3a ", b"\x80", b"\xe2"]), max_size=300).map(b"".join)
)
def test_bytes_of_no_text_make_no_more_words_than_there_is_room_for(content):
    tokens, _, sets = found(content * 40)
    assert len(sets) <= tokens <= len(content) * 20 + 1
