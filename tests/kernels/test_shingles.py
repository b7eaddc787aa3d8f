"""Streams and sets: what counts as the same."""

import pyarrow as pa
import pytest

from starloom.kernels import shingles, text


def streams(*contents):
    _, found = shingles.token_counts_and_stream_hash(*text.text_buffers(pa.array(contents)))
    return [tuple(one) for one in found.tolist()]


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("def f(x): return x", "DEF  f ( x )\n\treturn\r\nx;", True),  # case, white space, punctuation
        ("a b", "b a", False),
        ("a b", "ab", False),
        ("a a b", "a b", False),
        ("École", "éCOLE", True),
        ("İx", "i x", True),  # "i", a combining dot, "x": two tokens
        ("", " \n-", True),
    ],
)
def test_streams(one, two, same):
    first, second = streams(one, two)
    assert (first == second) is same
    assert (first[0] == second[0]) is same  # either half would do: they are independent
    assert (first[1] == second[1]) is same


@pytest.mark.parametrize(
    ("tokens", "sizes"), [("a b c d", 0), ("a b c d e", 1), ("a b c d e f", 2), ("a a a a a a a", 1)]
)
def test_files_of_fewer_than_five_tokens_have_no_shingle(tokens, sizes):
    bounds, sets = shingles.shingle_sets(*text.text_buffers(pa.array(["", tokens])))
    assert bounds.tolist() == [0, 0, sizes]
    assert len(sets) == sizes


def test_no_token_hash_meets_another(standard_library):
    words = sorted({word for content in standard_library for word in content.split() if word.isidentifier()})
    assert len(words) > 9_000
    assert len({stream[0] for stream in streams(*words)}) == len({word.lower() for word in words})
