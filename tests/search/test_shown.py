"""What a hit shows: told by one kernel as by the calls that it is put together of."""

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels.seek import Seeker
from starloom.kernels.shown import Line, Manner, shown
from starloom.kernels.where import Where
from starloom.privacy.hidden import surroundings
from starloom.search.best import Texts
from starloom.search.hits import Shower
from starloom.search.matching import Text, places, text_terms
from starloom.search.query import parse

ADDRESS = "ada.lovelace" + "@" + "analytical.engines.co.uk"
PIECES = ["a", "b", "ab c", "A", "_", " ", "\t", "\n", "\n\n", "\r\n", "\r", "é", "\x07", "x" * 90, "-" * 900, ADDRESS]
QUERIES = [
    *("a", "A", "a b", '"ab c"', '"a" "b" or "x"', '"-" ab', '"É"', '"é" a case:yes', "lang:python", '"b\n"', "x -a"),
]

texts = st.lists(st.lists(st.sampled_from(PIECES), max_size=40).map("".join), min_size=1, max_size=4)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(QUERIES), texts, st.booleans(), st.data())
def test_one_call_tells_what_several_do(query, some, raw, drawn):
    shower = Shower(parse(query).node, raw)
    lines = []
    for number, text in enumerate(some):
        for line in drawn.draw(st.lists(st.integers(1, text.count("\n") + 2), max_size=3)):
            name = drawn.draw(st.sampled_from([b"a", b"ab", "é".encode(), b"nowhere", b""]))
            lines.append(Line(number, line, drawn.draw(st.integers(1, 2)), name))
    joined = Texts([one.encode() for one in some])
    at_once, all_there = shower._at_once(joined, lines)
    one_by_one, seen = shower._one_by_one(joined, lines)
    assert at_once == one_by_one
    sought = [places(term) for term in text_terms(parse(query).node)]
    assert all_there == [all(find(Text(one), 1) for find in sought) for one in some]
    assert all(there or not was_seen for there, was_seen in zip(all_there, seen, strict=True))


def called(offsets, lines=(), pieces=None):
    where = Where(pieces or [Seeker(b"b", False)])
    data, manner = np.frombuffer(b"a\nb", np.uint8), Manner(160, 40, 20, 2048, 4)
    return shown(np.array(offsets), data, lines, where, surroundings(), manner, whole=False)


def test_lines_and_places():
    told = called([0, 3])
    (text,) = told.texts
    assert (text.line, text.first, told.lines, told.places, told.all_there) == (2, 1, "a\nb", ((2, 3),), [True])
    assert [row.number for row in told.rows_of(text)] == [1, 2]


def test_no_texts():
    assert called([0]).texts == []


@pytest.mark.parametrize("offsets", [[0, 4], [-1, 3], [2, 1]])
def test_offsets_that_are_none(offsets):
    with pytest.raises(ValueError, match="not in its text"):
        called(offsets)


@pytest.mark.parametrize("text", [-1, 1])
def test_lines_of_no_text(text):
    with pytest.raises(ValueError, match="not in its text"):
        called([0, 3], [Line(text, 1, 1, b"a")])


def test_pieces_that_others_seek():
    with pytest.raises(ValueError, match="others"):
        called([0, 3], pieces=[None])


def test_many_texts_together():
    data = [f"{'x' * k}\n\tneedle {k}\n" for k in range(70)]
    joined = Texts([one.encode() for one in data])
    told, _ = Shower(parse("needle").node)._at_once(joined, [])
    assert [one.snippet for one in told] == [f"{'x' * k}\n    needle {k}".removeprefix("\n") for k in range(70)]
    assert joined.bounds == list(accumulate(map(len, data), initial=0))
