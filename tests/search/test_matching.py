"""What terms mean on one text: where they stand, in characters, in any case; what filters mean on a row."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.search import patterns
from starloom.search.matching import File, Text, holds, places, text_terms
from starloom.search.nodes import Pattern, fold
from starloom.search.query import parse


def found(query, text):
    (term,) = text_terms(parse(query).node)
    return in_characters(term, text)


def in_characters(term, text):
    one = Text(text)
    return list(one.in_characters(places(term)(one, 1_000)))


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("server", "HTTPServer server_x Servers aserver", [(4, 10), (11, 17)]),
        ("httpserver", "HTTPServer MyHTTPServer", [(0, 10)]),  # two parts are no word
        ("Server", "HTTPServer server", [(4, 10)]),
        ("HTTP", "HTTPServer HTTPs HTTP_x", [(0, 4), (17, 21)]),
        ("x", "é x_y éx", [(2, 3), (7, 8)]),  # places are characters; é is no part of an identifier
        ("_", "_ a_b", [(0, 1)]),
        ('"server"', "HTTPServers", [(4, 10)]),
        ('"aa"', "aaaaa", [(0, 2), (2, 4)]),  # of overlapping ones the first
        ('"ΣΑΣ"', "σας ΣΑΣ", [(4, 7)]),
        ('"σασ"', "ΣΑΣ σασ", [(0, 3), (4, 7)]),
        ('"ⱥb"', "é Ⱥb", [(2, 4)]),  # lower case has three bytes, upper case two
        ("/[0-9]+/", "é12 3", [(1, 3), (4, 5)]),
        ("/s.rver/", "é SERVER\nserver", [(2, 8), (9, 15)]),
        ("/S.rver/", "Server server", [(0, 6)]),
        ("/É./", "éa Éb", [(3, 5)]),
        ("/é./", "éa Éb", [(0, 2), (3, 5)]),
        ("/^b$/", "a\nb\nc", [(2, 3)]),
        ("/a.c/", "a\nc abc", [(4, 7)]),  # . is no line's end
        ("/(?s)a.c/", "a\nc abc", [(0, 3), (4, 7)]),
        ("/x*/", "éxx x", [(1, 3), (4, 5)]),  # what is empty is no place
        ("/x*/", "é", [(0, 0)]),  # where there is nothing else
        ("/$/", "éa\nb", [(2, 2)]),
        ("/[^a]/", "a😀a", [(1, 2)]),
        (r"/\W+/", "a😀é b", [(1, 4)]),
        ("/k/", "\u212a K", [(2, 3)]),  # the Kelvin sign is no k
        ("/[A-Z]s/ case:no", "xs", [(0, 2)]),
        (r"/\QA.B\E/ case:no", "a.b axb", [(0, 3)]),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_places(query, text, expected):
    assert found(query, text) == expected
    assert holds(parse(query).node, File({}.get, text.encode))
    assert not holds(parse(f"-({query})").node, File({}.get, text.encode))


@given(st.text(max_size=30), st.text(min_size=1, max_size=3))
def test_pieces_are_where_they_are(text, piece):
    (term,) = text_terms(parse('"' + piece.replace("\\", "\\\\").replace('"', '\\"') + '" case:yes').node)
    assert in_characters(term, text) == [one.span() for one in re.finditer(re.escape(piece), text)]


@given(
    st.text(alphabet="aéβ😀\n ", max_size=30),
    st.sampled_from(["a+", "[^a]+", "é.", "😀|β", r"^.", ".$", r"\bé?", "(a|é)β"]),
)
def test_patterns_are_where_they_are(text, source):
    spans = [one.span() for one in re.finditer(source, text, re.MULTILINE | re.ASCII) if one[0]]
    assert [place for place in found(f"/{source}/", text) if place[0] < place[1]] == spans


@pytest.mark.parametrize("source", [r"\x41b", r"\101b", r"\x{41}b", r"caf\351", r"caf\x{e9}"])
def test_letters_that_are_told_by_their_numbers(source):
    for text in ("ab café", "AB CAFÉ"):
        assert found(f"/{source}/ case:no", text)
    assert patterns.speaks_of_case(source) == ("41" in source or "101" in source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("abc", True), (r"a.*b\w+\.", True), (r"^(a|b)+$", True), (r"[^\w\n]*x", True), (r"[^,\n]x", True),
        (r"[ \t]*(?:x|y)", True), (r"\(\[", True), (r"[^\s,]+x", True), (r"a[\r\t]\f", True), (r"[^\\n]", False),
        (r"[^,]x", False), (r"a\sb", False), (r"\Wx", False), (r"\D", False), (r"a\nb", False), ("a\nb", False),
        (r"[\t-z]x", False), (r"[\s]x", False), ("[[:space:]]x", False), (r"\x0a", False), (r"\pZ", False),
        ("(?s)a.b", False), ("(?s:a.b)", False), (r"\Aab", False), (r"ab\z", False), (r"\Qa\E", False),
        ("[\tx]", False),
    ],
)  # fmt: skip
def test_patterns_that_reach_over_no_line_end(source, expected):
    assert patterns.on_one_line(Pattern(source, True)) == expected


PARTS = [
    "ab",
    "AB",
    "é",
    ".",
    ".*",
    "[^a\\n]",
    "[^a]",
    r"\w+",
    r"[ \t]*",
    "(?:ab|ba)",
    "b?",
    "^",
    "$",
    r"\b",
    r"\B",
    r"\s",
]


@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=5), st.text("abAB \té\n", max_size=30), st.booleans())
def test_patterns_that_stand_on_a_line_are_found_as_in_the_whole_text(parts, text, case_sensitive):
    pattern = Pattern("".join(parts), case_sensitive)
    sought = text if case_sensitive else fold(text)
    expected = next(patterns.found(patterns.compile(pattern), sought.encode()), None) is not None
    assert holds(pattern, File({}.get, text.encode)) == expected


def test_terms_that_are_shown():
    terms = list(text_terms(parse('a (b or "c" -d) /e/ -(f) lang:c').node))
    assert [getattr(term, "text", None) or term.source for term in terms] == ["a", "b", "c", "e"]


ROW = {
    "repo_name": "pypi/Flask", "path": "src/flask/json/Tag.py", "language": "Python", "license_type": "permissive",
    "detected_licenses": ["BSD-3-Clause", "MIT OR Apache-2.0"], "symbols": ["JSONTag", "operator ()", "tag"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("repo:flask", True), ("repo:Flask", True), ("repo:FLASK", False), ("repo:/^pypi/", True),
        ("repo:/^flask/", False),
        ("path:json", True), ("path:/json.*py$/", True), ("path:/^json/", False),
        ("file:json", False), ("file:tag", True), ("file:Tag.py", True), ("file:/^tag[.]py$/", True),
        ("file:/json/", False),
        ("file:TAG case:no", True), ("file:tag case:yes", False),
        ("sym:jsontag", True), ("sym:JSONTag", True), ("sym:JsonTag", False), ("sym:json", False),
        ("sym:/^json/", True),
        ('sym:"operator ()"', True), ("sym:TAG case:no", True), ("sym:Tag", False),
        ("lang:python", True), ("lang:c", False),
        ("license:mit", True), ("license:permissive", True), ("license:isc", False),
        ('license:"MIT OR Apache-2.0"', True),
        ("lang:c or license:mit", True), ("lang:c license:mit", False), ("-lang:c", True),
        ("-(lang:c or license:mit)", False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_filters(query, expected):
    def never():
        raise AssertionError("a row needs no text")

    assert holds(parse(query).node, File(ROW.get, never)) == expected


def test_rows_are_asked_before_texts():
    def never():
        raise AssertionError("the row says no")

    assert not holds(parse("/x/ word lang:c").node, File(ROW.get, never))
    assert holds(parse("/x/ or word or lang:python").node, File(ROW.get, never))
    assert not holds(parse("(/x/ or word) (lang:c or lang:java)").node, File(ROW.get, never))


def test_what_is_unknown_is_not_found():
    for query in ("repo:a", "path:a", "file:a", "sym:a", "lang:c", "license:mit", "sym:/a/"):
        assert not holds(parse(query).node, File(lambda name: None, bytes))
