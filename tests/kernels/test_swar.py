"""Line ends, eight bytes at a time: as a search byte by byte finds them; and bytes copied as a slice is."""

import re

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from starloom.kernels.counting import continuation_bytes, letters_and_digits
from starloom.kernels.swar import copied, line_end

TEXTS = st.one_of(st.binary(max_size=40), st.text(st.sampled_from("\n0123a\x7f\x80é/:"), max_size=600).map(str.encode))


@given(TEXTS, st.integers(0, 45))
@example(b"\x8a\x0a\x0a", 0)
def test_where_the_next_one_is(text: bytes, at: int) -> None:
    array = np.frombuffer(text, np.uint8)
    at = min(at, len(text))
    found = text.find(b"\n", at)
    assert line_end(array, at) == (found if found >= 0 else len(text))


@given(TEXTS)
@example(b"a" * 300 + b"7" * 257)
def test_how_many_there_are(text: bytes) -> None:
    array = np.frombuffer(text, np.uint8)
    assert continuation_bytes(array) == sum(byte & 0xC0 == 0x80 for byte in text)
    assert letters_and_digits(array) == (len(re.findall(rb"[A-Za-z]", text)), len(re.findall(rb"[0-9]", text)))


@given(st.binary(max_size=150), st.integers(0, 150), st.integers(0, 150), st.integers(0, 40))
def test_copying(text: bytes, one: int, two: int, at: int) -> None:
    start, stop = sorted((min(one, len(text)), min(two, len(text))))
    out = np.zeros(at + len(text) + 31, np.uint8)
    copied(np.frombuffer(text, np.uint8), start, stop, out, at)
    assert bytes(out[at : at + stop - start]) == text[start:stop]
    assert not out[:at].any()
    assert not out[at + stop - start + 31 :].any()
