"""What is told of many packed texts at once, against the judge of each."""

import numpy as np
import pyarrow as pa
import pytest

from starloom.kernels.cuts import LARGE
from starloom.kernels.packed import Packed
from starloom.search import looks
from starloom.search import texts as texts_of
from starloom.search.looks import Looking, look
from starloom.search.matching import File, holds
from starloom.search.query import parse

FILLING = "".join(f"    value_{number} = {number}\n" for number in range(2_000))
TEXTS = [
    "def Quicksort(items):\n    return items\n",
    "ÄÖÜ straße KELVIN \u212a\nprepared\tone = 1",
    "",
    f"first = 1\n{FILLING}def quicksort(items): return None\n{FILLING}",
    f"{FILLING}prepared one\n{FILLING}# quicksort\nlast",
    f"prepared\n{FILLING}one\nQUICKSORT two",
    f"{FILLING}Prepared \t one, KELVIN",
]
QUERIES = [
    "quicksort",
    '"quicksort("',
    '"QUICKSORT" case:yes',
    '"äöü"',
    '"prepared" -"quicksort"',
    '"prepared" or "items):"',
    '-"return"',
    r"/prepared[ \t]*one/",
    r"/Quicksort.*items/",
    r"/(def|class) quick\w+\(items/",
    r"/kelvin$/",
    r"/one\s+=/",
    r"/prepared[^,;]+one/",
    r"/prepared\s+one/",
    r"/Prepared\s+one/",
    r"/\bitems\W+return/",
    r"/value_1999\s=[^x]*quicksort/",
    r"/.one[^x]*quicksort\s+two/",
    r"/prepared[ \t]*one/ quicksort",
    r"/\bvalue_19{2,}\b/",
    '"value_1999 = 1999\nprepared"',
    '"quicksort" -"none" "items"',
]


def packed():
    blocks = [texts_of.pack(text.encode()) for text in TEXTS]
    starts = np.cumsum([0, *map(len, blocks)])[:-1]
    sizes = [len(text.encode()) for text in TEXTS]
    return Packed({0: pa.py_buffer(b"".join(blocks))}, [0] * len(TEXTS), starts, list(map(len, blocks)), sizes, LARGE)


def said(told, packed, many):
    return [one for some in told.told(packed, np.arange(many)) for one in some]


@pytest.mark.parametrize("lines", [1, 40, 1 << 17])
@pytest.mark.parametrize("query", QUERIES)
def test_what_is_told_is_what_the_judge_says(query, lines, monkeypatch):
    monkeypatch.setattr(looks, "_LINES", lines)
    node = parse(query).node
    told = look(node)
    expected = [holds(node, File(dict, text.encode)) for text in TEXTS]
    assert any(expected) or "1999" not in query
    if told is None:
        assert query == '"äöü"'
        return
    for one, right in zip(said(told, packed(), len(TEXTS)), expected, strict=True):
        assert one is right or one is None


def test_most_is_told():
    """Else the judge is asked of each."""
    for query in ("quicksort", r"/prepared[ \t]*one/", '"prepared" -"quicksort"'):
        assert None not in said(look(parse(query).node), packed(), len(TEXTS))


def test_a_torn_text_is_left_to_the_judge():
    where = packed()
    torn = Packed(where._kept, *where.columns[1:4], where.length + 1, LARGE)
    assert said(look(parse("quicksort").node), torn, 3) == [None] * 3


def test_who_counts_the_time_is_asked_at_the_last_row():
    where, rows = packed(), np.array([2, 0, 3, 1])
    looking = Looking(where, look(parse("quicksort").node))
    told = [(place, holds) for place, holds, _ in looking.at(rows, np.arange(4))]
    assert [one for one in told if one[1]] == [(1, True), (2, True)]
    assert told[-1] == (3, False)
    assert [(place, holds) for place, holds, _ in looking.at(rows, np.array([1]))] == [(1, True), (3, False)]
    assert [one[:2] for one in Looking(where, None).at(rows, np.array([0]))] == [(0, None), (3, False)]
    assert not list(looking.at(rows[:0], rows[:0]))


def test_the_time_is_asked_for_between_pieces_of_a_glance():
    """A pattern may take seconds for the lines of some megabytes, which were looked at together."""
    filling = "none = 1\n" * 3_000
    texts = [filling] * 300 + ["needle and no more of it\n" * 8_000] * 4
    blocks = [texts_of.pack(text.encode()) for text in texts]
    starts, sizes = np.cumsum([0, *map(len, blocks)])[:-1], [len(text) for text in texts]
    where = Packed({0: pa.py_buffer(b"".join(blocks))}, [0] * len(texts), starts, list(map(len, blocks)), sizes, LARGE)
    looking = Looking(where, look(parse("/needle.{400}/").node))
    rows = np.arange(len(texts))
    assert [place for place, _, _ in looking.at(rows, rows)][-4:] == [300, 301, 302, 303]
