"""What is on a line of each text that a pattern is found in: never less than the pattern allows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.search import patterns
from starloom.search.first_lines import first_line
from starloom.search.nodes import Pattern

LINES = {
    r"\bfn\s*\(": r"\bfn[\t\f\r ]*(?:$|\()",
    r"foo\s*=\s*bar": r"foo[\t\f\r ]*(?:$|=[\t\f\r ]*(?:$|bar))",
    r"malloc\([^;]*sizeof": r"malloc\([^\n;]*(?:$|sizeof)",
    r"one\W+two": r"one[^\n\w]*(?:$|two)",
    r"one[ \n]+two": r"one[ ]*(?:$|two)",
    r"one[\s,]two": r"one[\t\f\r ,]*(?:$|two)",
    r"one\r?\ntwo": r"one\r?$",
    r"one\n*two": r"one(?:$|two)",
    r"a\s*needle.+thread": r"needle.+thread",  # what needs more than where it begins
    r"[^;]+needle.thread[^;]+": r"needle.thread",
    r"one.two(\s|,)three": r"one.two",  # a group that may reach over lines' ends: so far, and no further
    r"o+ne\s(?i)two": r"o+ne",
    r"one.[^]two]+\s+t": r"one.",
    r"one.x[\n-z]+two": r"one.x",  # a range
    r"one.two\s{02}x": r"one.two[\t\f\r ]*(?:$|{02}x)",  # text, to RE2
    r"needle\s+thread": r"needle[\t\f\r ]*(?:$|thread)",
    r"one.\w[\s\S]*?t": r"one.\w[\t\f\r \S]*(?:$|t)",
}


@pytest.mark.parametrize("source", LINES)
def test_the_line_of_a_pattern(source):
    assert first_line(Pattern(source, False)) == Pattern(LINES[source], False)


NOTHING = (
    r"needle\s",  # no more than the piece
    r"[\s\S]*needle",
    r"one.two|a\s*b",
    r"one.two\s(?:three",
    r"\Qone|two\E.\s*three",
    r"(one.two\s)+",
    r"one.two(?i)*\sx",  # what is before the flags is repeated
    r"\s*",
    "",
)


@pytest.mark.parametrize("source", NOTHING)
def test_where_a_line_says_nothing(source):
    assert first_line(Pattern(source, False)) is None


@pytest.mark.parametrize("source", [r"Foo.x\Wbar", r"oneK.\n[A-Z]"])
def test_a_line_in_which_letters_would_mean_others(source):
    """With a class, capitals are left to RE2, which takes \u017f for an s."""
    assert first_line(Pattern(source, False)) is None


def test_in_its_case_a_piece_says_more_than_in_any():
    assert first_line(Pattern(r"Needle\s", True)) == Pattern("Needle", True)


def test_a_line_that_is_too_large_to_be_compiled():
    assert first_line(Pattern(r"(?:needle.x\s*)" + r"y\s*" * 1200, False)) is None


ATOMS = [
    *"aab",
    r"\s",
    r"\n",
    r"\r",
    r"\W",
    r"\D",
    "[^a]",
    "[^ab]",
    "[^\\n]",
    "[^\\sb]",
    r"[\s\S]",
    r"[\nab]",
    r"[\s-]",
    ".",
    " ",
]
ATOMS += [
    "^",
    "$",
    r"\b",
    r"\B",
    "(?:ab|b)",
    r"(?:a|\s)",
    r"(a\n)",
    "[]a]",
    "[^]a]",
    "[[:space:]]",
    r"\x0a",
    r"\pZ",
    "(?s)",
    "(?i)",
    "|",
]
REPEATS = ["", "", "", "*", "+", "?", "*?", "+?", "{2}", "{0,2}", "{1,}"]
SOURCES = st.lists(st.tuples(st.sampled_from(ATOMS), st.sampled_from(REPEATS)), min_size=1, max_size=7).map(
    lambda some: "".join(
        atom + ("" if atom in ("^", "$", r"\b", r"\B", "(?s)", "(?i)", "|") else repeat) for atom, repeat in some
    )
)
TEXTS = st.text(st.sampled_from("aabB \n\n\t\r,-1é\u017f\u212ask\v"), max_size=14)


@given(SOURCES, TEXTS, st.booleans())
def test_no_text_has_the_pattern_and_not_the_line(source, text, case_sensitive):
    pattern = Pattern(source, case_sensitive)
    line = first_line(pattern)
    data = text.encode() if case_sensitive else text.encode().lower()
    if line and patterns.stands(patterns.compile(pattern), data):
        assert any(patterns.stands(patterns.compile(line), one + b"\n") for one in data.split(b"\n"))


@given(SOURCES, TEXTS)
def test_what_is_said_to_be_on_one_line_is(source, text):
    pattern = Pattern(source, True)
    if patterns.on_one_line(pattern):
        data = text.encode()
        assert all(b"\n" not in data[start:end] for start, end in patterns.found(patterns.compile(pattern), data))
