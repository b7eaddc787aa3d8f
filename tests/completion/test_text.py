"""Bytes into text that may be shown: against the whole text at once, however it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.completion.text import ShownText


def shown(pieces, stop=(), skip=0):
    """(what each piece gave and the end, whether it stopped)."""
    text = ShownText(stop, skip)
    given_out = [text.feed(piece) for piece in pieces]
    return [*given_out, text.end()], text.stopped


@pytest.mark.parametrize(
    ("pieces", "stop", "expected"),
    [
        ([b"ab", b"cd"], (), ["ab", "cd", ""]),
        ([b"\xf0\x9f", b"\x99\x82!"], (), ["", "🙂!", ""]),  # a character in two tokens
        ([b"a\xf0\x9f"], (), ["a", ""]),  # its rest never came
        ([b"a\xff", b"b"], (), ["a\N{REPLACEMENT CHARACTER}", "b", ""]),  # no UTF-8 at all
        ([b"ab\n", b"\nc"], ("\n\n",), ["ab", "", ""]),  # held back until it was one
        ([b"ab\n", b"c"], ("\n\n",), ["ab", "\nc", ""]),  # or was none
        ([b"ab\n"], ("\n\n",), ["ab", "\n"]),  # or never would be
        ([b"abXcd", b"ef"], ("X",), ["ab", "", ""]),  # nothing after it
        ([b"one two"], ("two", "one"), ["", ""]),  # the first in the text, not in the list
        ([b"aab"], ("ab",), ["a", ""]),
        ([b"a", b"a", b"a", b"b"], ("aab",), ["", "", "a", "", ""]),  # overlapping beginnings
        ([b"\xc3", b"\xbc."], ("ü.",), ["", "", ""]),
    ],
)
def test_pieces(pieces, stop, expected):
    found, _ = shown(pieces, stop)
    assert found == expected


def test_skipped_bytes_are_not_shown():
    found, _ = shown([b"  ", b"  x", b"y"], skip=4)
    assert found == ["", "x", "y", ""]
    found, stopped = shown([b" a", b"b"], stop=(" a",), skip=1)  # a stop string does not begin in them
    assert (found, stopped) == (["a", "b", ""], False)


@given(
    st.text(alphabet="ab\nü🙂", max_size=40),
    st.lists(st.integers(1, 6), max_size=40),
    st.lists(st.text(alphabet="ab\nü", min_size=1, max_size=4), max_size=3),
)
def test_however_it_is_cut(text, cuts, stops):
    data = text.encode()
    pieces = []
    for length in [*cuts, len(data)]:
        pieces.append(data[:length])
        data = data[length:]
    found, stopped = shown(pieces, tuple(stops))
    ends = [at + len(one) for one in stops if (at := text.find(one)) >= 0]
    assert stopped == bool(ends)
    if not ends:
        assert "".join(found) == text
        return
    # It ends as soon as a stop string is whole: at most what came with the piece that completed one.
    result = "".join(found)
    assert text.startswith(result)
    assert not any(one in result for one in stops)
    assert any(text[len(result) :].startswith(one) for one in stops)
    for count in range(len(found)):  # nothing was ever given that a stop string then took back
        assert result.startswith("".join(found[:count]))
