"""excerpt: what is private is gone, what is long is cut, what is invisible is seen."""

import doctest
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from starloom.outside.paths import printable
from starloom.privacy import redact
from starloom.privacy.redact import excerpt, merged
from starloom.privacy.span import Span

SPANS = st.lists(st.builds(Span, st.integers(-5, 60), st.integers(-5, 60), st.sampled_from(["EMAIL", "KEY"])))


@pytest.mark.parametrize(
    ("text", "spans", "shown"),
    [
        ("", [], ""),
        ("one line\n", [], "one line"),  # no empty line after the last line end
        ("a\r\nb\rc\n\nd", [], "a\nb\nc\n\nd"),  # every line end is one
        ("\tif x:\n", [], "    if x:"),
        ("a\x1b[2Jb\u202ec\u2028d\x00", [], r"a\x1b[2Jb\u202ec\u2028d\x00"),
        ("<b>&amp;\"'", [], "<b>&amp;\"'"),  # HTML is the page's to escape
        ("key = 12345", [Span(6, 11, "KEY")], "key = <KEY>"),
        ("key = 12345", [Span(6, 99, "KEY")], "key = <KEY>"),  # clipped
        ("12345 rest", [Span(-3, 5, "KEY")], "<KEY> rest"),
        ("12345 rest", [Span(3, 3, "KEY"), Span(5, 2, "KEY"), Span(90, 99, "KEY")], "12345 rest"),  # nothing in them
        ("0123456789", [Span(2, 6, "EMAIL"), Span(4, 8, "KEY")], "01<EMAIL>89"),  # overlapping: one
        ("0123456789", [Span(4, 5, "KEY"), Span(2, 8, "EMAIL")], "01<EMAIL>89"),  # one within another
        ("0123456789", [Span(2, 4, "EMAIL"), Span(4, 6, "KEY")], "01<EMAIL><KEY>6789"),  # touching: two
        ("a\nsecret\nover\nlines\nz", [Span(2, 19, "KEY")], "a\n<KEY>\nz"),
    ],
)
def test_excerpt(text, spans, shown):
    assert excerpt(text, spans) == shown


def test_cuts():
    assert excerpt("1\n2\n3\n", max_lines=3) == "1\n2\n3"
    assert excerpt("1\n2\n3\n4", max_lines=3) == "1\n2\n3\n…"
    assert excerpt("x" * 10, max_chars=10) == "x" * 10
    assert excerpt("x" * 11, max_chars=10) == "x" * 10 + "…"
    assert excerpt("ab\ncd", max_chars=3) == "ab\n…"
    assert excerpt("x" * 5 + "secret", [Span(5, 11, "KEY")], max_chars=7) == "xxxxx<K…"


@given(st.text(max_size=80), SPANS, st.integers(1, 6), st.integers(1, 60))
@example("a\r\nb", [], 2, 2)
def test_what_holds_of_every_excerpt(text, spans, max_lines, max_chars):
    shown = excerpt(text, spans, max_lines=max_lines, max_chars=max_chars)
    lines = shown.split("\n")
    assert len(lines) <= max_lines + 1
    assert all(printable(line) == line for line in lines)
    assert excerpt(text, spans, max_lines=max_lines, max_chars=10_000) == excerpt(text, spans, max_lines=max_lines)
    clean = all(printable(one) == one for one in text)
    if clean:
        assert len(shown) <= max_chars + len("\n…")
    if clean and not spans and len(text) <= max_chars:
        assert shown == text


@given(st.integers(0, 50), SPANS, st.integers(1, 60))
def test_nothing_of_a_span_is_shown(length, spans, max_chars):
    text = "".join(chr(0x4E00 + k) for k in range(length))  # every character once, none of them in a label
    private = {text[k] for span in spans for k in range(max(span.start, 0), min(span.end, length))}
    assert not private & set(excerpt(text, spans, max_chars=max_chars))
    assert set(text) - private <= set(excerpt(text, spans, max_chars=10_000))


@given(st.integers(0, 60), SPANS)
def test_merged_spans_are_disjoint_and_cover_the_same(length, spans):
    found = merged(spans, length)
    assert all(one.end <= two.start for one, two in pairwise(found))
    covered = {k for one in found for k in range(one.start, one.end)}
    assert covered == {k for one in spans for k in range(max(one.start, 0), min(one.end, length))}


def test_a_long_text_costs_no_more_than_its_beginning():
    assert excerpt("x" * 50_000_000, [Span(40_000_000, 40_000_005, "KEY")]) == "x" * 800 + "…"


def test_documented():
    assert doctest.testmod(redact).failed == 0
