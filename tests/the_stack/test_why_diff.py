"""The diff of a near-duplicate to its twin: against a patch that is applied again, for persons, within bounds."""

import doctest
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.the_stack import why_diff
from starloom.the_stack.why_diff import MOST_LINES, WIDTH, difference, jaccard

HEADER = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
lines = st.lists(st.sampled_from(["", "a", "b", "c", "  d", "-", "+x", "@@ -1 +1 @@"]), max_size=30)


def text(rows):
    return "".join(f"{row}\n" for row in rows)


def applied(old, diff):
    """`old` after the patch; every context and removed line is checked, and every number in a header."""
    new, at = [], 0
    rows = iter(diff)
    row = next(rows, None)
    while row is not None:
        start, size, new_start, new_size = (
            int(number) if number is not None else 1 for number in HEADER.fullmatch(row).groups()
        )
        start -= size > 0
        new += old[at:start]
        at = start
        assert len(new) == new_start - (new_size > 0)
        left, made = size, new_size
        while left or made:
            row = next(rows)
            if row[0] in " -":
                assert old[at] == row[1:]
                at, left = at + 1, left - 1
            if row[0] in " +":
                new.append(row[1:])
                made -= 1
        row = next(rows, None)
    return new + old[at:]


@given(lines, lines)
def test_it_is_a_patch(old, new):
    found = difference(text(old), text(new), 1_000)
    assert applied(old, found.lines) == new
    assert found.left_out == 0
    assert (found.alike + found.removed, found.alike + found.added) == (len(old), len(new))
    assert [sum(row.startswith(sign) for row in found.lines) for sign in "-+"] == [found.removed, found.added]


@given(lines, lines, st.integers(0, 40))
def test_it_is_cut_to_so_many_lines_and_says_how_many_are_missing(old, new, most):
    whole = difference(text(old), text(new), 1_000)
    cut = difference(text(old), text(new), most)
    assert cut.lines == whole.lines[:most]
    assert cut.left_out == len(whole.lines) - len(cut.lines)
    assert (cut.alike, cut.removed, cut.added) == (whole.alike, whole.removed, whole.added)


@given(st.text(max_size=60), st.text(max_size=60))
def test_nothing_steers_the_terminal(one, other):
    found = difference(one, other, 50)
    assert all(row.isprintable() for row in found.lines)


def test_hunks_that_meet_are_one():
    old = [str(n) for n in range(20)]
    near = [*old[:5], "x", *old[6:9], "y", *old[10:]]  # three lines between the changes
    far = [*old[:5], "x", *old[6:14], "y", *old[15:]]
    headers = [[row for row in difference(text(old), text(new), 99).lines if row[:2] == "@@"] for new in (near, far)]
    assert headers == [["@@ -4,9 +4,9 @@"], ["@@ -4,5 +4,5 @@", "@@ -13,5 +13,5 @@"]]


@pytest.mark.parametrize(
    ("one", "other", "is_blank", "rows"),
    [
        ("a\nb\n", "a\r\nb\r\n", True, ()),  # line ends only
        ("a\nb\n", "a\nb", True, ()),
        ("a\nb\n", "a\n\tb\n", True, ("@@ -1,2 +1,2 @@", " a", "-b", "+    b")),
        ("a\n", "a\n\n", True, ("@@ -1 +1,2 @@", " a", "+")),
        ("a\n", "a\n", False, ()),
        ("a\n", "b\n", False, ("@@ -1 +1 @@", "-a", "+b")),
        ("", "b\n", False, ("@@ -0,0 +1 @@", "+b")),
        ("\x1b[2J\n", "\u202e\n", False, ("@@ -1 +1 @@", "-\\x1b[2J", "+\\u202e")),
    ],
    ids=["crlf", "no-end", "indentation", "empty-line", "same", "other", "from-nothing", "hostile"],
)
def test_what_is_shown(one, other, is_blank, rows):
    found = difference(one, other)
    assert (found.is_blank, found.lines) == (is_blank, rows)


def test_a_long_line_is_shown_where_it_differs():
    start, end = "x = [" + "1, " * 5_000, "2, " * 5_000 + "]"
    found = difference(f"{start}'here'{end}\n", f"{start}'there'{end}\n")
    removed, added = found.lines[1:]
    assert removed.startswith("-… 1, 1, ")
    assert "'here'2, " in removed
    assert "'there'2, " in added
    assert all(len(row) <= WIDTH + 3 for row in (removed, added))
    assert all(row.endswith("…") for row in (removed, added))


def test_long_texts_are_compared_in_part_and_it_is_said():
    long = "same\n" * MOST_LINES
    found = difference(long + "one\n", long + "two\n")
    assert (found.is_part, found.lines, found.alike) == (True, (), MOST_LINES)
    assert not difference(long, long).is_part


def test_hostile_texts_are_answered():
    """Lines that repeat, one line of a megabyte: no time that grows with the square of either."""
    found = difference("a\nb\n" * 40_000, "b\na\na\n" * 30_000, 20)
    assert len(found.lines) == 20
    assert found.left_out > 0
    found = difference("ab" * 500_000, "ab" * 499_999 + "ba", 20)
    assert [len(row) <= WIDTH + 3 for row in found.lines] == [True] * 3
    assert [row[:2] for row in found.lines[1:]] == ["-…", "+…"]
    assert [row[-4:] for row in found.lines[1:]] == ["abab", "abba"]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a b c d e f", "A, b: c d e f!", 1.0),  # case and punctuation do not count
        ("a b c d e f", "a b c d e g", 1 / 3),
        ("a b c d e", "f g h i j", 0.0),
    ],
    ids=["same-words", "one-of-three", "apart"],
)
def test_jaccard_counted_now(one, other, expected):
    assert jaccard(one, other, "words") == pytest.approx(expected)


def test_documented():
    assert doctest.testmod(why_diff).failed == 0
