"""The drawings: what they say in numbers stands where it should, whatever they are given."""

import doctest
import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.report import histogram as histogram_module
from starloom.report.histogram import HEIGHT, WIDTH, histogram
from starloom.report.sankey import Branch, sankey

EVIL = '<script>"\u202e&amp;'


def words(number):
    return f"{number:,} files"


def drawn(markup):
    return ElementTree.fromstring(str(markup))


def texts(tree):
    return ["".join(one.itertext()) for one in tree.iter("text")]


def branches(tree):
    return {one.find("title").text: float(one.find("rect").get("height")) for one in tree.iter("g")}


def test_sankey_branches_are_as_thick_as_what_leaves():
    some = [Branch("few", 10, "rule"), Branch("none", 0, "rule"), Branch("many", 50, "license", "rule-many")]
    tree = drawn(sankey("all", Branch("Listed", 100, "listed"), some, Branch("kept", 40, "kept"), words))
    assert branches(tree) == {"few: 10 files": 15.0, "many: 50 files": 75.0}
    (kept,) = [one for one in tree if one.tag == "rect"]
    assert (kept.get("class"), float(kept.get("width"))) == ("kept", 60.0)
    assert texts(tree) == ["Listed 100 files", "few", "10 files, 10.0 %", "many", "50 files, 50.0 %", "kept",
                           "40 files, 40.0 %"]  # fmt: skip
    assert [one.get("href") for one in tree.iter("a")] == ["#rule-many"]


def test_sankey_of_nothing():
    assert sankey("x", Branch("Listed", 0, "listed"), [], Branch("kept", 0, "kept"), words) == ""
    tree = drawn(
        sankey("x", Branch("Listed", 5, "listed"), [Branch("all", 5, "rule")], Branch("kept", 0, "kept"), words)
    )
    assert "0 files, 0 %" in texts(tree)


def test_sankey_hides_nothing_and_escapes_everything():
    tree = drawn(
        sankey(EVIL, Branch(EVIL, 9, EVIL), [Branch(EVIL + "x" * 99, 3, EVIL, EVIL)], Branch(EVIL, 6, EVIL), words)
    )
    assert '<script>"\\u202e&amp; 9 files' in texts(tree)
    assert {one.tag for one in tree.iter()} <= {"svg", "g", "path", "rect", "text", "tspan", "title", "a"}
    assert max(map(len, texts(tree))) <= 40


@given(st.lists(st.integers(0, 10**15), max_size=30), st.integers(0, 10**15))
def test_sankey_stays_within_its_frame(amounts, left):
    total = sum(amounts) + left
    markup = sankey("x", Branch("Listed", total, "listed"), [Branch("b", one, "rule") for one in amounts],
                    Branch("kept", left, "kept"), words)  # fmt: skip
    if not total:
        assert markup == ""
        return
    tree = drawn(markup)
    _, _, width, height = map(float, tree.get("viewBox").split())
    tops = [float(one.get("y")) for one in tree.iter("text")]
    assert tops == sorted(tops)
    assert all(two - one >= 12 for one, two in pairwise(tops))  # no text over another
    assert width == 420
    assert max(tops) <= height
    assert len(list(tree.iter("g"))) == sum(one > 0 for one in amounts)
    assert "nan" not in str(markup)
    assert not {"\u202e", "\u200b"} & set(str(markup))


def bars(tree, color):
    return [
        (float(one.get("x")), float(one.get("height")), one.find("title").text)
        for one in tree.iter("rect")
        if one.get("class") == color
    ]


def test_histogram_bars_and_limit():
    tree = drawn(histogram("t", [0, 10, 20, 30, 40], [4, 2, 0, 0], [0, 0, 1, 0], 20, True, "x > 20"))
    assert bars(tree, "kept") == [(8.0, 112.0, "0 to 10: 4 kept"), (109.0, 56.0, "10 to 20: 2 kept")]
    assert bars(tree, "gone") == [(210.0, 28.0, "20 to 30: 1 dropped")]
    (limit,) = [one for one in tree.iter("path") if one.get("class") == "limit"]
    assert limit.get("d").startswith("M210.0 ")
    (side,) = [one for one in tree.iter("rect") if one.get("class") == "side"]
    assert (float(side.get("x")), float(side.get("width"))) == (210.0, 202.0)  # what is above is dropped
    assert texts(tree)[0] == "x > 20"
    assert texts(tree)[1:-1] == ["0", "10", "20", "30", "40"]
    assert "log" not in texts(tree)[-1]


def test_histogram_of_what_is_dropped_below():
    tree = drawn(histogram("t", [0.0, 0.25, 0.5], [0, 3], [1, 0], 0.25, False, "x < 0.25"))
    (side,) = [one for one in tree.iter("rect") if one.get("class") == "side"]
    assert (float(side.get("x")), float(side.get("width"))) == (8.0, 202.0)


def test_histogram_is_logarithmic_where_that_helps_and_says_so():
    edges = [round(math.expm1(k * math.log1p(1e6) / 20)) for k in range(21)]
    edges = sorted(set(edges))
    counts = [1_000_000] + [5] * (len(edges) - 2)
    tree = drawn(histogram("t", edges, counts, [0] * len(counts), edges[5], True, "x"))
    assert "log scale along" in texts(tree)[-1]
    assert "heights logarithmic" in texts(tree)[-1]
    heights = [height for _, height, _ in bars(tree, "kept")]
    assert heights[0] == 112.0
    assert min(heights) > 10
    assert {"1,000", "10,000"} <= set(texts(tree))


def test_the_label_of_a_limit_at_the_right_end_stands_left_of_it():
    tree = drawn(histogram("t", [0, 50, 100], [1, 1], [0, 0], 100, True, "a_column_of_some_length > 100"))
    (label,) = [one for one in tree.iter("text") if one.get("class") == "limit"]
    assert label.get("text-anchor") == "end"


@pytest.mark.parametrize(
    ("edges", "kept", "dropped"), [([], [], []), ([1, 2], [0], [0]), ([2, 2], [1], [0]), ([1, 2, 3], [1], [1])]
)
def test_histogram_of_nothing(edges, kept, dropped):
    assert histogram("t", edges, kept, dropped, 1, True, "x") == ""


@given(
    st.lists(st.floats(-1e12, 1e12, allow_nan=False), min_size=2, max_size=50, unique=True).map(sorted),
    st.data(),
    st.booleans(),
)
def test_histogram_stays_within_its_frame(edges, data, above):
    n = len(edges) - 1
    counts = st.lists(st.integers(0, 10**12), min_size=n, max_size=n)
    kept, gone = data.draw(counts), data.draw(counts)
    limit = data.draw(st.floats(-1e15, 1e15, allow_nan=False))
    markup = histogram(EVIL, edges, kept, gone, limit, above, EVIL)
    if not any(kept + gone):
        assert markup == ""
        return
    tree = drawn(markup)
    for one in tree.iter("rect"):
        x, y, width, height = (float(one.get(name)) for name in ("x", "y", "width", "height"))
        assert -0.1 <= x <= WIDTH
        assert 0 <= y <= HEIGHT
        assert x + width <= WIDTH + 1
        assert 0 <= height <= HEIGHT
    assert len(bars(tree, "kept")) == sum(one > 0 for one in kept)
    assert len(bars(tree, "gone")) == sum(one > 0 for one in gone)
    assert not re.search(r"nan|inf|\u202e", str(markup))


def test_documented():
    assert doctest.testmod(histogram_module).failed == 0
