"""The query language: what is understood, what is refused, where the caret points."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.search.query import MOST_CHARACTERS, MOST_TERMS, All, Exact, Filter, Not, Word, fold, parse

UNDERSTOOD = [
    ("quicksort", Word("quicksort", False)),
    ("_x1", Word("_x1", False)),
    ("HTTPServer", Word("HTTPServer", True)),  # smart case
    ('"def quick"', Exact("def quick", False)),
    ('"Def"', Exact("Def", True)),
    (r'"say \"hi\" \\ \n"', Exact('say "hi" \\ \\n', False)),  # only quotes and backslashes are escaped
    ('"two\nlines"', Exact("two\nlines", False)),
    ("->", Exact("->", False)),
    ("foo.bar(", Exact("foo.bar(", False)),
    ("f(x)", Exact("f(x)", False)),
    ("x+y", Exact("x+y", False)),
    ("naïve", Exact("naïve", False)),
    ("std::vector", Exact("std::vector", False)),
    ("path::join", Exact("path::join", False)),
    ("https://x.org/", Exact("https://x.org/", False)),
    ("x:=1", Exact("x:=1", False)),
    ("try:", Exact("try:", False)),
    ("--verbose", Exact("--verbose", False)),
    ("-", Exact("-", False)),
    ("-=", Exact("-=", False)),
    ("/", Exact("/", False)),
    ("//", Exact("//", False)),
    ("/*x*/", Exact("/*x*/", False)),
    ("//x/", Exact("//x/", False)),
    ("/usr/lib", Exact("/usr/lib", False)),
    ("or", Word("or", False)),
    ("-test", Not(Word("test", False))),
    ("-é", Not(Exact("é", False))),
    ('-"a b"', Not(Exact("a b", False))),
    ("-path:tests", Not(Filter("path", "tests", False))),
    ("lang:py", Filter("lang", "Python", False)),
    ("LANG:c++", Filter("lang", "C++", False)),
    ('lang:"jupyter notebook"', Filter("lang", "Jupyter Notebook", False)),
    ("repo:Django", Filter("repo", "Django", True)),
    ('path:"a b/"', Filter("path", "a b/", False)),
    ("license:Permissive", Filter("license", "permissive", False)),
    ("license:mit", Filter("license", "MIT", False)),
    ('license:"mit or apache-2.0"', Filter("license", "MIT OR Apache-2.0", False)),
    ("license:LicenseRef-own", Filter("license", "LicenseRef-own", False)),
]


@pytest.mark.parametrize(("query", "node"), UNDERSTOOD, ids=lambda value: value if isinstance(value, str) else "")
def test_a_term(query, node):
    assert parse(query) == All((node,))
    assert parse(f"  {query}\t\n") == All((node,))
    assert parse(f"first {query}").parts[0] == Word("first", False)


def test_terms_in_their_order():
    assert parse('lang:c  "a  b" -x y').parts == (
        Filter("lang", "C", False),
        Exact("a  b", False),
        Not(Word("x", False)),
        Word("y", False),
    )


REFUSED = [
    # query, problem, what is marked (by a column and a width), a word of the hint
    ('a "b c', "quote is not closed", (2, 1), '\\"'),
    ('"a"b', "space is missing", (3, 1), '\\"'),
    ('x ""', "nothing in the quotes", (2, 2), "write"),
    ("a foo:bar", "unknown field `foo:`", (2, 4), "lang:, repo:, path:, license:"),
    ("file:x", "unknown field `file:`", (0, 5), "quotes"),
    ("lang: x", "`lang:` needs a value", (0, 5), "lang:python"),
    ("path:", "`path:` needs a value", (0, 5), "path:"),
    ('repo:""', "nothing in the quotes", (5, 2), "write"),
    ('path:" "', "`path:` needs a value", (0, 8), "path:"),
    ("lang:pyhton x", "unknown language `pyhton`", (0, 11), "Python"),
    ("lang:qqqqqqq", "unknown language", (0, 12), "GitHub"),
    ("license:mitt", "unknown license `mitt`", (0, 12), "permissive, no_license, non_permissive"),
    ('license:"MIT AND"', "no license expression", (0, 17), "SPDX"),
    ("/a.*b/", "regular expressions are not there yet", (0, 6), "quotes"),
    ("/a b/ ", "regular expressions are not there yet", (0, 5), "quotes"),
    ("lang:c /x+/", "regular expressions are not there yet", (7, 4), "quotes"),
    ("-/x+/", "regular expressions are not there yet", (1, 4), "quotes"),
    ("(a or b)", "parentheses do not group yet", (0, 1), "quotes"),
    ("c -(a)", "parentheses do not group yet", (3, 1), "quotes"),
    ("a or b", "`or` does not combine terms yet", (2, 2), '"or"'),
    ("a OR b", "`OR` does not combine terms yet", (2, 2), '"or"'),
    ("中文 foo:x", "unknown field", (5, 4), "quotes"),  # wide characters take two columns
    ("a\u202e\x1b foo:x", "unknown field", (4, 4), "quotes"),
    ("ok \udc80", "no valid text", (3, 1), "UTF-8"),
]


@pytest.mark.parametrize(("query", "problem", "marked", "hint"), REFUSED, ids=lambda value: repr(value)[:20])
def test_a_refusal_points_at_the_place(query, problem, marked, hint):
    with pytest.raises(UserError) as refused:
        parse(query)
    told, shown, carets = refused.value.problem.split("\n")
    assert problem in told
    assert (len(carets) - len(carets.lstrip()) - 2, carets.count("^")) == marked
    assert shown.isprintable()
    assert hint in refused.value.hint


@pytest.mark.parametrize("query", ["", "  \n\t "])
def test_an_empty_query_says_what_there_is(query):
    with pytest.raises(UserError, match="empty") as refused:
        parse(query)
    assert "license:ID" in refused.value.hint


def test_a_long_query_shows_only_the_place():
    with pytest.raises(UserError) as refused:
        parse("a" * 5000 + " foo:bar " + "b" * 3000)
    assert len(refused.value.problem) < 300
    assert "…" in refused.value.problem


@pytest.mark.parametrize("query", ["x" * (MOST_CHARACTERS + 1), "a" * 1_000_000, " ".join("a" * (MOST_TERMS + 1))])
def test_too_much_is_refused(query):
    with pytest.raises(UserError, match="more than"):
        parse(query)


@given(st.text(max_size=40))
def test_any_text_is_understood_or_refused(query):
    try:
        node = parse(query)
    except UserError as refused:
        hint = refused.hint
    else:
        hint = None
        assert node.parts
    assert hint != ""


@given(st.text(min_size=1).filter(lambda text: text.isprintable()))
def test_quotes_take_any_text(text):
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert parse(quoted) == All((Exact(text, text != fold(text)),))


def test_folding_keeps_positions_and_leaves_ascii_to_ascii():
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        folded = fold(character)
        assert len(folded) == 1
        assert folded.isascii() == character.isascii()
        if len(character.lower()) == 1 and character != "\u212a":
            assert folded == character.lower()


@given(st.text(), st.text())
def test_folding_sees_no_neighbours(a, b):
    assert fold(a) + fold(b) == fold(a + b)
    assert fold(fold(a)) == fold(a)
