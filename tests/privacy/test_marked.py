"""marked_excerpt: what was found is seen, what is private is not, and line numbers are those of the text."""

import doctest

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from starloom.outside.paths import printable
from starloom.privacy import marked
from starloom.privacy.marked import marked_excerpt
from starloom.privacy.span import Span

MARKS = st.lists(st.builds(Span, st.integers(-5, 90), st.integers(-5, 90), st.just("")), max_size=6)
SPANS = st.lists(st.builds(Span, st.integers(-5, 90), st.integers(-5, 90), st.sampled_from(["EMAIL", "KEY"])))
LINES = "".join(f"line {number}\n" for number in range(1, 101))


def shown(rows):
    """The rows as text: number, `[marked]`, `{cut}`."""
    around = {"plain": "{}", "marked": "[{}]", "cut": "{{{}}}"}
    return [
        f"{row.number or ''}:" + "".join(around[piece.kind].format(piece.text) for piece in row.pieces) for row in rows
    ]


def at(text, words, label=""):
    return Span(text.index(words), text.index(words) + len(words), label)


@pytest.mark.parametrize(
    ("text", "marks", "spans", "lines"),
    [
        ("", [], [], []),
        ("", [Span(0, 5, "")], [], []),
        ("a\nb", [], [], ["1:a", "2:b"]),
        ("a\nb\n", [Span(2, 3, "")], [], ["1:a", "2:[b]"]),
        ("a\r\nb\r\nc", [Span(0, 3, "")], [], ["1:[a]", "2:b", "3:c"]),
        ("a\r\nb", [Span(0, 2, "")], [], ["1:[a]", "2:b"]),  # the mark ends amid the line end
        ("a\rb\n", [], [], ["1:a\\x0db"]),  # ends no line
        ("\tx\ty", [Span(1, 2, "")], [], ["1:    [x]   y"]),  # tabs by column
        ("a\n\n\nb", [Span(4, 5, "")], [], ["1:a", "2:", "3:", "4:[b]"]),
        ("mail ada@x.org now", [Span(0, 9, "")], [Span(5, 14, "EMAIL")], ["1:[mail ][<EMAIL>] now"]),
        ("mail ada@x.org now", [Span(0, 4, "")], [Span(5, 14, "EMAIL")], ["1:[mail] <EMAIL> now"]),
        ("a\nse\ncret\nb\nc", [Span(12, 13, "")], [Span(2, 9, "KEY")], ["2:<KEY>", "4:b", "5:[c]"]),
        ("abcdef", [Span(4, 5, ""), Span(0, 2, ""), Span(1, 3, "")], [], ["1:[abc]d[e]f"]),
        ("a\u202eb\x1b[2J", [Span(0, 3, "")], [], ["1:[a\\u202eb]\\x1b[2J"]),
        ("<b>&amp;", [Span(0, 3, "")], [], ["1:[<b>]&amp;"]),
        ("x", [Span(3, 9, ""), Span(0, 0, ""), Span(-4, 0, "")], [], ["1:x"]),  # marks of nothing
    ],
)
def test_marked_excerpt(text, marks, spans, lines):
    assert shown(marked_excerpt(text, marks, spans)) == lines


def test_three_lines_around_the_first_mark():
    found = shown(marked_excerpt(LINES, [at(LINES, "line 50"), at(LINES, "line 52"), at(LINES, "line 9")]))
    assert found == ["47:line 47", "48:line 48", "49:line 49", "50:[line 50]", "51:line 51", "52:[line 52]",
                     "53:line 53", ":{…}"]  # fmt: skip


def test_a_long_mark_shows_its_beginning_and_its_end():
    rows = marked_excerpt(LINES, [Span(LINES.index("line 20"), LINES.index("line 80"), "")])
    numbers = [row.number for row in rows]
    assert numbers[:3] == [17, 18, 19]
    gap = numbers.index(None)
    assert "characters" in rows[gap].pieces[0].text
    assert numbers[gap - 1] < 30
    assert numbers[gap + 1] > 70
    assert "79:[line 79]" in shown(rows)
    assert len(rows) <= 14


def test_a_long_line_shows_its_beginning_and_its_end_in_one_row():
    text = "before\n" + "a" * 5_000 + "z" * 5_000 + "\nafter\n"
    rows = marked_excerpt(text, [Span(7, 10_007, "")], max_chars=100)
    assert [row.number for row in rows] == [1, 2, 3]
    kinds = [(piece.kind, piece.text[0]) for piece in rows[1].pieces]
    assert kinds == [("marked", "a"), ("cut", "…"), ("marked", "z")]
    assert sum(len(piece.text) for row in rows for piece in row.pieces if piece.kind != "cut") <= 100


def test_a_mark_within_a_long_line_shows_what_is_around_it():
    text = "x" * 10_000 + "HERE" + "y" * 10_000
    (row,) = marked_excerpt(text, [at(text, "HERE")], max_chars=24)
    assert [(piece.text, piece.kind) for piece in row.pieces] == [
        ("…", "cut"), ("x" * 10, "plain"), ("HERE", "marked"), ("y" * 10, "plain"), ("…", "cut"),
    ]  # fmt: skip


@given(st.text("ab\r\n\t ", max_size=80), MARKS, SPANS, st.integers(1, 8), st.integers(1, 60))
@example("a\r\nb", [Span(0, 2, "")], [], 1, 1)
@example("\r\n\r\n", [Span(1, 4, "")], [Span(0, 3, "KEY")], 1, 1)
def test_what_holds_of_every_marked_excerpt(text, marks, spans, max_lines, max_chars):
    rows = marked_excerpt(text, marks, spans, max_lines=max_lines, max_chars=max_chars)
    assert len(rows) <= max_lines + 2
    assert bool(rows) == bool(text)
    numbers = [row.number for row in rows if row.number]
    assert numbers == sorted(set(numbers))
    lines = text.replace("\r\n", "\n").split("\n")
    for row in rows:
        assert all(printable(piece.text) == piece.text for piece in row.pieces)
        plain = "".join(piece.text for piece in row.pieces if piece.kind != "cut")
        if row.number and not spans and "\t" not in text:
            whole = printable(lines[row.number - 1])
            if any(piece.kind == "cut" for piece in row.pieces):
                assert all(piece.text in whole for piece in row.pieces if piece.kind != "cut")
            else:
                assert plain == whole


@given(st.integers(1, 70), MARKS, SPANS, st.integers(1, 60))
def test_nothing_private_is_shown_and_only_the_marks_are_marked(length, marks, spans, max_chars):
    text = "".join(chr(0x4E00 + k) for k in range(length))  # every character once, none of them in a label
    private = {text[k] for span in spans for k in range(max(span.start, 0), min(span.end, length))}
    meant = {text[k] for mark in marks for k in range(max(mark.start, 0), min(mark.end, length))}
    rows = marked_excerpt(text, marks, spans, max_chars=max_chars)
    pieces = [piece for row in rows for piece in row.pieces]
    assert not private & set("".join(piece.text for piece in pieces))
    seen = {one for piece in pieces if piece.kind == "marked" for one in piece.text} & set(text)
    assert seen <= meant
    whole = marked_excerpt(text, marks, spans, max_chars=1_000)
    assert {one for row in whole for piece in row.pieces if piece.kind == "marked" for one in piece.text} & set(
        text
    ) == meant - private


def test_many_marks_and_a_long_text_cost_no_more_than_what_is_shown():
    text = "ab " * 10_000_000
    marks = [Span(3 * k, 3 * k + 2, "") for k in range(0, 200_000)]
    rows = marked_excerpt(text, marks)
    assert len(rows) == 1
    assert len(rows[0].pieces) < 600


def test_documented():
    assert doctest.testmod(marked).failed == 0
