"""The curves of a run: well-formed for any value and name, small for any length, no name over another."""

import itertools
import math
import xml.etree.ElementTree as ElementTree

from hypothesis import given
from hypothesis import strategies as st

from starloom.training.curve import evaluations, svg
from starloom.training.evaluated import Evaluated
from starloom.training.runs import Loss

SPACE = "{http://www.w3.org/2000/svg}"


def curve(values):
    return [Loss(step, value, 1.0, step * 64, step * 0.1, 640.0, 1.0) for step, value in enumerate(values, 1)]


def lines(picture):
    """{class: points} of the curves in it."""
    return {
        one.get("class"): [tuple(map(float, point.split(","))) for point in one.get("points").split()]
        for one in ElementTree.fromstring(picture).iter(f"{SPACE}polyline")
    }


@given(st.lists(st.floats(0, 20) | st.just(math.nan) | st.just(math.inf), max_size=60), st.text())
def test_any_loss_and_title(values, title):
    title = "".join(one for one in title if one.isprintable())
    picture = svg(curve(values), title)
    root = ElementTree.fromstring(picture)
    assert root.findtext(f"{SPACE}text") == title
    for points in lines(picture).values():
        assert all(0 <= x <= 760 and 0 <= y <= 420 for x, y in points)


def test_a_falling_loss_falls_to_the_right():
    picture = svg(curve([9 * math.exp(-step / 100) + 2 for step in range(400)]), "small")
    for points in lines(picture).values():
        assert [x for x, _ in points] == sorted(x for x, _ in points)
        assert points[0][1] < points[-1][1]  # down is a larger y
    assert "prefers-color-scheme: dark" in picture
    assert "400 steps, 25,600 tokens, now 2." in picture


def test_the_average_is_smoother_and_unbiased():
    found = lines(svg(curve([5.0 + (-1) ** step for step in range(200)]), "small"))
    raw, smooth = (max(y for _, y in found[kind][20:]) - min(y for _, y in found[kind][20:]) for kind in found)
    assert smooth < raw / 4
    level = lines(svg(curve([5.0] * 100), "small"))
    assert len({y for _, y in level["smooth"]}) == 1  # from the first step on


def test_a_long_run_is_a_small_picture_that_hides_no_spike():
    values = [3.0] * 100_000
    values[54_321] = 9.0
    picture = svg(curve(values), "long")
    assert len(picture) < 40_000
    assert min(y for _, y in lines(picture)["raw"]) < 80


def test_it_asks_for_nothing():
    picture = svg(curve([3.0, 2.0]), "small")
    for word in ("http://", "https://", "href", "url(", "<script", "@import"):
        assert word not in picture.replace("http://www.w3.org/2000/svg", "")


def evaluated(step, value, languages):
    return Evaluated(step, value, languages, 3, 8, 1000, 0.5)


def names(picture):
    """(words, y) of the names beside the curves."""
    texts = ElementTree.fromstring(picture).iter(f"{SPACE}text")
    return [(one.text, float(one.get("y"))) for one in texts if one.get("x") == "624"]


@given(
    st.lists(
        st.tuples(
            st.floats(0, 20) | st.just(math.nan),
            st.dictionaries(st.sampled_from("ab<&"), st.floats(0, 20) | st.just(math.nan)),
        ),
        max_size=12,
    )
)
def test_any_evaluations(found):
    picture = evaluations([evaluated(5 * at, *one) for at, one in enumerate(found, 1)], "a & b")
    for points in lines(picture).values():
        assert all(0 <= x <= 760 and 0 <= y <= 420 for x, y in points)
    heights = sorted(y for _, y in names(picture))
    assert all(b - a >= 15.9 for a, b in itertools.pairwise(heights))
    assert all(60 <= y <= 380 for y in heights)


def test_evaluations_name_their_languages():
    languages = {"Python": 1.0, "C++": 1.001, "A very long name": 0.999, **{f"L{number}": 3.0 for number in range(9)}}
    picture = evaluations([evaluated(step, 9.0 / step, languages) for step in (3, 6, 9)], "small: evaluations")
    told = dict(names(picture))
    assert len(told) == 7  # the six largest languages, and all
    assert {"Python 1.000", "C++ 1.001", "A very long… 0.999", "all 1.000"} <= told.keys()
    assert told["C++ 1.001"] < told["Python 1.000"] < told["A very long… 0.999"]  # in the order of the curves
    assert "9 steps, now 1.000 bits per byte on held-out repositories, 3 of 8 gaps filled exactly" in picture
    assert lines(picture)["smooth"][0][1] < lines(picture)["smooth"][-1][1]


def test_no_evaluation_yet():
    assert "no evaluation yet" in evaluations([], "small: evaluations")
