"""What the filters of blocks say of a query: nothing wrong of a hit."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels.gram_filters import Filters
from starloom.search import blocks, patterns
from starloom.search.grams import may, on_a_line
from starloom.search.nodes import Exact, Pattern
from starloom.search.query import parse

TEXTS = ["def Quicksort(items):\n    return items\n", "ÄÖÜ straße KELVIN\u212a", "abc", "", "prepared\tone = 1"]


def filters_of(texts):
    cut = [blocks.cut(one.encode()) for one in texts]
    told = blocks.filters_of(cut)
    bounds, firsts = (np.cumsum([0, *map(len, some)], dtype=np.int64) for some in (told, cut))
    return Filters(bounds, np.frombuffer(b"".join(told), np.uint8), firsts), cut


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ('"def quicksort(" case:yes', [0]),  # the filter is folded: the text tells
        ('"äöü straße"', [1]),
        ('"quicksort(items):" -"abcdef"', [0]),
        ('"quicksort" or "prepared"', [0, 4]),
        (r"/prepared[ \t]*one/", [4]),
        (r"/prepared[ \t]*elsewhere/", []),
        (r"/Quicksort.*items/", [0]),
        (r"/items\):\s+return/", [0]),
        ('"return items" lang:python', [0]),
        ('"return" "nowhere"', []),
        ("/r.*m/", None),  # too short for a gram
        ('"a"', None),
        ('"quicksort" or "a"', None),
        ('-"quicksort"', None),
    ],
)
def test_which_rows_may_be_hits(query, rows):
    filters, _ = filters_of(TEXTS)
    asked = may(parse(query).node)
    told = None if asked is None else np.flatnonzero(asked(filters, np.arange(len(TEXTS)))).tolist()
    assert told == rows


def test_only_the_block_that_may_have_it():
    lines = [f"line {number} of so many that they are some blocks\n" for number in range(900)]
    lines[700] = "here\tstands the needle\n"
    filters, cut = filters_of(["".join(lines)])
    assert b"".join(cut[0]).decode() == "".join(lines)
    assert len(cut[0]) > 3
    for query in ('"the needle"', r"/here[ \t]+stands/", r"/[a-z]+ needle$/"):
        asked = on_a_line(parse(query).node)
        _, found = filters.among(asked.wanted, np.zeros(1, np.int64))
        assert [number for number, block in enumerate(cut[0]) if b"needle" in block] == found.tolist()
    over = parse(r"/blocks\shere/").node  # may reach over a line's end
    assert on_a_line(over) is None
    assert may(over)(filters, np.zeros(1, np.int64)).tolist() == [True]


PIECES = st.sampled_from(["local", "rst_n", "gf", "a", " ", "\t", "  ", "==", "é", "K", "\n", "Σ", "_", "nul"])
TERMS = [
    kind(text, case)
    for kind, texts in (
        (Exact, ["local", "gf", "LOCAL  a", "rst_n\n", "a == nul", "é", "\ngf"]),
        (
            Pattern,
            [r"local[ \t]*local", r"l *[a-z]+[^\w\n]*rst_n", r"gf[^\w\n]*nul.+a$", r"gf +(local|nul)", r"l\s+gf"],
        ),
    )
    for text in texts
    for case in (False, True)
]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(PIECES, max_size=40).map("".join), min_size=1, max_size=4), st.integers(3, 30))
def test_a_text_that_has_it_is_never_left_out(texts, size):
    before, blocks.BLOCK = blocks.BLOCK, size
    try:
        filters, cut = filters_of(texts)
    finally:
        blocks.BLOCK = before
    every = np.arange(len(texts))
    for term in TERMS:
        has = [stands_in(term, text) for text in texts]
        if asked := may(term):
            assert all(asked(filters, every)[np.array(has)])
        if line := on_a_line(term):
            bounds, found = filters.among(line.wanted, every)
            for number, (start, end) in enumerate(itertools.pairwise(bounds)):
                first = sum(map(len, cut[:number]))
                some = [cut[number][one - first].decode() for one in found[start:end]]
                assert any(stands_in(term, one) for one in some) == has[number]


def stands_in(term, text):
    """Written a second time, for what has no folding beyond ASCII in it."""
    if isinstance(term, Exact):
        return term.text in text if term.case_sensitive else term.text.lower() in text.replace("Σ", "σ").lower()
    text = text if term.case_sensitive else text.lower()
    return next(patterns.found(patterns.compile(term), text.encode()), None) is not None
