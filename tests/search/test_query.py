"""The query language: what is understood, what is refused, where the caret points."""

import re
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.search import patterns
from starloom.search.query import (
    ACCEPTED,
    ALL_HITS,
    MOST_CHARACTERS,
    MOST_DEPTH,
    MOST_TERMS,
    All,
    Any,
    Exact,
    Filter,
    Not,
    Pattern,
    Word,
    fold,
    parse,
)
from starloom.search.values import FIELDS

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
    ("order", Word("order", False)),
    ("/a.*b/", Pattern("a.*b", False)),
    ("/A.*b/", Pattern("A.*b", True)),
    (r"/\S+\x20\pL(?P<Name>a)/", Pattern(r"\S+\x20\pL(?P<Name>a)", False)),  # no capital letter of the text
    (r"/\x41/", Pattern(r"\x41", True)),
    (r"/\QA\E/", Pattern(r"\QA\E", True)),
    ("/[[:upper:]]x/", Pattern("[[:upper:]]x", True)),
    (r"/\p{Lu}x/", Pattern(r"\p{Lu}x", True)),
    ("/def  f/", Pattern("def  f", False)),
    (r"/a\/b c/", Pattern(r"a\/b c", False)),
    ("/a/b/", Pattern("a/b", False)),
    ("/[/ ]x/", Pattern("[/ ]x", False)),
    ("/(a/ b)/", Pattern("(a/ b)", False)),
    ("/[]/ ]/", Pattern("[]/ ]", False)),
    ("/[^]/ ]/", Pattern("[^]/ ]", False)),
    ("/usr/lib/", Pattern("usr/lib", False)),
    ("-/x+/", Not(Pattern("x+", False))),
    ("-test", Not(Word("test", False))),
    ("-é", Not(Exact("é", False))),
    ('-"a b"', Not(Exact("a b", False))),
    ("-path:tests", Not(Filter("path", "tests", False))),
    ("lang:py", Filter("lang", "Python", False)),
    ("LANG:c++", Filter("lang", "C++", False)),
    ('lang:"jupyter notebook"', Filter("lang", "Jupyter Notebook", False)),
    ("repo:Django", Filter("repo", "Django", True)),
    ("repo:/^pypi/", Filter("repo", "^pypi", False, True)),
    ('repo:"/x/"', Filter("repo", "/x/", False)),
    ("path:/src/a b/", Filter("path", "src/a b", False, True)),
    ("path:/usr/lib", Filter("path", "/usr/lib", False)),
    ("path:f(x)", Filter("path", "f(x)", False)),
    (r"file:/\.PY$/", Filter("file", r"\.PY$", True, True)),
    ("file:setup", Filter("file", "setup", False)),
    ("sym:HTTPServer", Filter("sym", "HTTPServer", True)),
    ('sym:"operator ()"', Filter("sym", "operator ()", False)),
    ("sym:/^get_/", Filter("sym", "^get_", False, True)),
    ('path:"a b/"', Filter("path", "a b/", False)),
    ("license:Permissive", Filter("license", "permissive", False)),
    ("license:mit", Filter("license", "MIT", False)),
    ('license:"mit or apache-2.0"', Filter("license", "MIT OR Apache-2.0", False)),
    ("license:LicenseRef-own", Filter("license", "LicenseRef-own", False)),
]


@pytest.mark.parametrize(("query", "node"), UNDERSTOOD, ids=[query for query, _ in UNDERSTOOD])
def test_a_term(query, node):
    assert parse(query).node == node
    assert parse(f"  {query}\t\n").node == node
    assert parse(f"first {query}").node == All((Word("first", False), node))
    assert parse(f"({query} or first)").node == Any((node, Word("first", False)))


A, B, C, D = (Word(letter, False) for letter in "abcd")

COMBINED = [
    ("a b", All((A, B))),
    ("a or b", Any((A, B))),
    ("a OR b or c", Any((A, B, C))),
    ("a b or c d", Any((All((A, B)), All((C, D))))),  # `or` binds less
    ("a (b or c) d", All((A, Any((B, C)), D))),
    ("(a)", A),
    ("((a) or ((b c)))", Any((A, All((B, C))))),
    ("-(a or b)", Not(Any((A, B)))),
    ("-(-a)", Not(Not(A))),
    ("a -b or -c", Any((All((A, Not(B))), Not(C)))),
    ("(lang:c or lang:java) a", All((Any((Filter("lang", "C", False), Filter("lang", "Java", False))), A))),
    ('("x)" or b)', Any((Exact("x)", False), B))),
    ("(f(x) or g(y))", Any((Exact("f(x)", False), Exact("g(y)", False)))),
    ("(f( or b)", Any((Exact("f(", False), B))),
    ("(/(a)/ or b)", Any((Pattern("(a)", False), B))),
    ("(path:x)", Filter("path", "x", False)),
    ("or", Word("or", False)),  # nothing to combine
    ("OR", Word("OR", True)),
    ("a foo)", All((A, Exact("foo)", False)))),  # text, as long as there are no groups
]


@pytest.mark.parametrize(("query", "node"), COMBINED, ids=[query for query, _ in COMBINED])
def test_combinations(query, node):
    assert parse(query).node == node


def test_terms_in_their_order():
    assert parse('lang:c  "a  b" -x y').node.parts == (
        Filter("lang", "C", False),
        Exact("a  b", False),
        Not(Word("x", False)),
        Word("y", False),
    )


@pytest.mark.parametrize(
    ("setting", "sensitive"), [("", (False, True)), ("case:yes", (True, True)), ("case:no", (False, False)),
                               ("CASE:Auto", (False, True))],
    ids=["without", "yes", "no", "auto"],
)  # fmt: skip
def test_case_is_for_the_whole_query(setting, sensitive):
    small, large = sensitive
    for query in (f"{setting} a Foo", f"a {setting} Foo", f"a Foo {setting}"):
        assert parse(query).node == All((Word("a", small), Word("Foo", large)))
    assert parse(f"a or {setting} Foo").node == Any((Word("a", small), Word("Foo", large)))
    assert parse(f'"a" /B/ repo:C sym:D lang:c {setting}').node.parts == (
        Exact("a", small), Pattern("B", large), Filter("repo", "C", large), Filter("sym", "D", large),
        Filter("lang", "C", False),
    )  # fmt: skip


def test_count():
    assert parse("a").count is None
    assert parse("a count:500").count == 500
    assert parse("count:ALL a").count == ALL_HITS
    assert parse("(a count:3 or b)").count == 3


REFUSED = [
    # query, problem, what is marked (by a column and a width), a word of the hint
    ('a "b c', "quote is not closed", (2, 1), '\\"'),
    ('"a"b', "space is missing", (3, 1), '\\"'),
    ('x ""', "nothing in the quotes", (2, 2), "write"),
    ("a foo:bar", "unknown field `foo:`", (2, 4), "lang:, repo:, path:, file:, license:, sym:, case:, count:"),
    ("branch:x", "unknown field `branch:`", (0, 7), "quotes"),
    ("lang: x", "`lang:` needs a value", (0, 5), "lang:python"),
    ("path:", "`path:` needs a value", (0, 5), "path:"),
    ('repo:""', "nothing in the quotes", (5, 2), "write"),
    ('path:" "', "`path:` needs a value", (0, 8), "path:"),
    ("lang:pyhton x", "unknown language `pyhton`", (0, 11), "Python"),
    ("lang:qqqqqqq", "unknown language", (0, 12), "GitHub"),
    ("license:mitt", "unknown license `mitt`", (0, 12), "permissive, no_license, non_permissive"),
    ('license:"MIT AND"', "no license expression", (0, 17), "SPDX"),
    ("a or", "`or` has nothing after it", (2, 2), '"or"'),
    ("OR a", "`OR` has nothing before it", (0, 2), '"or"'),
    ("a or or b", "`or` has nothing before it", (5, 2), '"or"'),
    ("(a or) b", "`or` has nothing after it", (3, 2), '"or"'),
    ("(a", "parenthesis is not closed", (0, 1), '"("'),
    ("a -(b or (c d)", "parenthesis is not closed", (3, 1), '"("'),
    ("(", "parenthesis is not closed", (0, 1), '"("'),
    ("a )", "parenthesis closes nothing", (2, 1), '")"'),
    (")", "parenthesis closes nothing", (0, 1), '")"'),
    ("(a))", "parenthesis closes nothing", (3, 1), '")"'),
    ("a or b)", "parenthesis closes nothing", (6, 1), '"x)"'),
    ("a ()", "nothing in the parentheses", (2, 1), '"()"'),
    ("(a)b", "space is missing after the parenthesis", (3, 1), '"f(x)"'),
    ("case:x a", "`case:` takes no `x`", (0, 6), "case:yes, case:no or case:auto"),
    ("case: a", "`case:` needs a value", (0, 5), "case:yes"),
    ("a case:no case:yes", "`case:` is there twice", (10, 8), "whole query"),
    ("a -case:no", "`case:` cannot be excluded", (2, 8), "case:yes"),
    ("a count:0", "`count:` takes no `0`", (2, 7), "count:all"),
    ("a count:-1", "`count:` takes no `-1`", (2, 8), "count:all"),
    ("a count:٣", "`count:` takes no `٣`", (2, 7), "count:all"),
    ("a count:" + "9" * 5_000, "`count:` takes no `9999999999", (2, 80), "count:all"),
    ("x /a.*b", "regular expression is not closed", (2, 5), "end it with /"),
    ("x /(?=a)b/", "no look-around here", (3, 3), "exclude"),
    ("/b(?<!a)/", "no look-around here", (2, 4), "exclude"),
    (r"/(a)\1/", "no back-references here", (4, 2), "write out"),
    ("/a**/", "not understood: bad repetition operator", (2, 2), "RE2"),
    ("/(a/ b", "not understood: missing )", (1, 2), "RE2"),
    ("/[a/ b", "not understood: missing ]", (1, 2), "RE2"),
    ("/a)/", "not understood: unexpected )", (1, 2), "RE2"),
    ("x -/x{2000}/", "not understood: invalid repetition size", (5, 6), "RE2"),
    (r"/a\C/", "not understood: invalid escape sequence", (2, 2), "RE2"),
    (r"/é\q/", "not understood: invalid escape sequence", (2, 2), "RE2"),
    ("path:/a**/", "not understood", (7, 2), "RE2"),
    (r"/\pL{900}/", "too large", (1, 8), "repeat less"),
    (r"/\pL{99}/" + r" /\pL{300}/" * 4, "too large together", (10, 10), "fewer"),
    ("中文 foo:x", "unknown field", (5, 4), "quotes"),  # wide characters take two columns
    ("a\u202e\x1b foo:x", "unknown field", (4, 4), "quotes"),
    ("ok \udc80", "no valid text", (3, 1), "UTF-8"),
]


@pytest.mark.parametrize(("query", "problem", "marked", "hint"), REFUSED, ids=[repr(one[0])[:30] for one in REFUSED])
def test_a_refusal_points_at_the_place(query, problem, marked, hint):
    with pytest.raises(UserError) as refused:
        parse(query)
    told, shown, carets = refused.value.problem.split("\n")
    assert problem in told
    assert (len(carets) - len(carets.lstrip()) - 2, carets.count("^")) == marked
    assert shown.isprintable()
    assert hint in refused.value.hint


@pytest.mark.parametrize("query", ["", "  \n\t ", "case:no count:all"])
def test_an_empty_query_says_what_there_is(query):
    with pytest.raises(UserError, match="empty") as refused:
        parse(query)
    assert "license:ID" in refused.value.hint
    assert all(f"{field}:" in ACCEPTED for field in (*FIELDS, "case", "count"))


def test_a_long_query_shows_only_the_place():
    with pytest.raises(UserError) as refused:
        parse("a" * 5000 + " foo:bar " + "b" * 3000)
    assert len(refused.value.problem) < 300
    assert "…" in refused.value.problem


def test_the_guide_has_every_field():
    guide = (Path(__file__).parents[2] / "docs" / "search.md").read_text()
    assert all(f"{field}:" in guide for field in (*FIELDS, "case", "count"))


@pytest.mark.parametrize(
    "query",
    ["x" * (MOST_CHARACTERS + 1), "a" * 1_000_000, " ".join("a" * (MOST_TERMS + 1)), "(a) or " * MOST_TERMS + "b",
     "(" * (MOST_DEPTH + 1) + "a" + ")" * (MOST_DEPTH + 1), "(" * 10_000, "-(" * 5_000],
    ids=["long", "very long", "terms", "groups", "deep", "open", "excluded"],
)  # fmt: skip
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
        assert node.count is None or node.count == ALL_HITS or node.count > 0
    assert hint != ""


@given(
    st.text(alphabet=' ab()/"-\\:*[]|.', max_size=30),
    st.sampled_from(["", "or", "case:", "count:", "path:", "sym:", "lang:"]),
)
def test_marks_are_understood_or_refused(query, field):
    for text in (query, field + query, f"a {field}{query}", f"({query} or {field}{query})"):
        with suppress(UserError):
            parse(text)


NO_PATTERN = re.compile(r"\\*|\\/.?|(\\.|[^\\])*\\", re.DOTALL)  # a comment, or nothing ends it


@given(st.text(alphabet="aB()[]/\\ .*+?", min_size=1, max_size=15))
def test_every_pattern_can_be_written(source):
    """With a backslash before each slash that has none."""
    escaped = re.sub(r"(\\.)|/", lambda found: found[1] or r"\/", source, flags=re.DOTALL)
    with suppress(ValueError):
        patterns.compile(Pattern(escaped, True))
        if not NO_PATTERN.fullmatch(escaped) and escaped[0] != "*":
            assert parse(f"/{escaped}/").node == Pattern(escaped, "B" in re.sub(r"\\.", "", escaped))


@given(st.text(min_size=1).filter(lambda text: text.isprintable()))
def test_quotes_take_any_text(text):
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert parse(quoted).node == Exact(text, text != fold(text))


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
