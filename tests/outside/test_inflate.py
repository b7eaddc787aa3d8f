"""Gzip of strangers: whole, or refused, and never more than the limit."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.outside.inflate import InflateError, inflate


@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=4), st.integers(1, 50), st.integers(0, 5))
def test_inflate_gives_what_went_in_however_it_is_cut(members, step, zeros):
    body = b"".join(members)
    packed = b"".join(map(gzip.compress, members)) + b"\0" * zeros
    pieces = [packed[start : start + step] for start in range(0, len(packed), step)]
    assert b"".join(inflate(pieces, len(body))) == body
    if body:
        with pytest.raises(InflateError) as caught:
            list(inflate(pieces, len(body) - 1))
        assert caught.value.too_large


@given(st.binary(min_size=1, max_size=500), st.data())
def test_inflate_refuses_what_does_not_end_well(body, data):
    packed = gzip.compress(body)
    cut = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(InflateError):
        list(inflate([packed[:cut]], 1000))
    garbage = data.draw(st.binary(min_size=1, max_size=9).filter(lambda tail: tail.strip(b"\0")))
    with pytest.raises(InflateError):
        list(inflate([packed, garbage], 1000))


@pytest.mark.parametrize("size", [1 << 20, (1 << 20) + 1, 1 << 21, (1 << 21) - 1])
def test_inflate_at_the_border_of_its_steps(size):
    assert sum(map(len, inflate([gzip.compress(bytes(size))], size))) == size
