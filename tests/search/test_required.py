"""What a pattern needs, told from the pattern alone: worth something, and never too much."""

import random
import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.search import patterns
from starloom.search.needs import MOST_SIZE, Every, Has, Some, size
from starloom.search.nodes import Pattern, fold
from starloom.search.required import needed


def stands(need, text, blanks=None):
    """Whether a folded text has what is needed: written a second time. `blanks`: what a run of them counts as."""
    if need is None:
        return True
    if isinstance(need, Has):
        before, behind = "(?<![0-9A-Za-z_])" * need.begins, "(?![0-9A-Za-z_])" * need.ends
        sought, where = (one if blanks is None else re.sub("[ \t\n\v\f\r]+", blanks, one) for one in (need.text, text))
        return re.search(before + re.escape(sought) + behind, where) is not None
    return (all if isinstance(need, Every) else any)(stands(part, text, blanks) for part in need.parts)


def plain(need):
    """Without the order of alternatives."""
    return need if need is None or isinstance(need, Has) else (type(need), frozenset(map(plain, need.parts)))


def has(*texts, ends=False):
    return Some(tuple(Has(text, ends=ends) for text in texts))


def every(*parts):
    return Every(tuple(Has(part) if isinstance(part, str) else part for part in parts))


def whole(text):
    return Has(text, begins=True, ends=True)


NEEDED = [
    ("quicksort", Has("quicksort")),
    ("QuickSort", Has("quicksort")),  # folded, as the index is
    (r"(get|set)_\w+\(self", every("(self", has("get_", "set_"))),
    (r"def \w+_sort\b", every("_sort", "def ")),
    ("ab+c", every("bc", "ab")),
    ("ab{3}c", Has("abbbc")),
    ("ab{2,}c", every("abb", "bc")),
    ("ab?c", has("ac", "abc")),
    ("(ab)?cd", Has("cd")),  # of "cd" and "abcd" the one is in the other
    ("(ab|cd)*ef", Has("ef")),
    ("ab[ x]*cd", every("ab", "cd")),
    ("(abc|de[fg])", has("def", "deg", "abc")),
    ("(foo|bar.*baz)qux", every("qux", Some((Every((Has("baz"), Has("bar"))), Has("foo"))))),
    ("foo.bar", every("foo", "bar")),
    ("[Ff]oo", Has("foo")),
    ("[^f]oo", Has("oo")),
    ("[a-z]oo", Has("oo")),
    ("[a-c]oo", has("aoo", "boo", "coo")),
    (r"[\]x-]oo", has("-oo", "]oo", "xoo")),
    ("[]a]oo", has("]oo", "aoo")),
    ("^import (os|sys)$", has("import os", "import sys")),
    (r"\bself\b", whole("self")),
    (r"\bself", Has("self")),  # where it begins does not make a whole identifier of it
    (r"\bself\.x\b", Has("self.x", begins=True, ends=True)),
    (r"\bself\b\.x", Has("self.x", begins=True)),
    (r"\(\b\)", Has("()")),
    (r"\bj\b", whole("j")),
    (r"\bis\b.*\bé", Every((whole("is"), Has("é")))),  # no character of an identifier
    (r"\bone\W*two", Every((Some((whole("one"), Has("onet"))), Has("two")))),
    (r"\W(is|as)\W", Some((whole("is"), whole("as")))),
    (r"one\Wtwo\Wx", every("one", whole("two"))),
    (r"\bone\s+two\b", Every((whole("one"), whole("two")))),
    (r"\bone\s*\(", whole("one")),
    (r"\bone\s*two", Every((Some((whole("one"), Has("onet"))), Has("two")))),
    (r"one\s*two", every("one", "two")),
    (r"\(\s*one\b", whole("one")),
    (r"gf\W*f", Some((Has("gf", ends=True), Has("gff")))),
    (r"gfx\W*f", Has("gfx")),
    (r"gf\s*[=(]", Has("gf", ends=True)),
    (r"gf[^\W]", Has("gf")),
    (r"[^a-z0-9_]is[^A-Z\d_]", Has("is")),  # in a pattern of one case
    (r"[^\w.]is[^0-9A-Za-z_]", whole("is")),
    (r"[\s(){},;:.=+]is\b", whole("is")),
    (r"(?:abc\s*)+de", every("abc", "de")),
    (r"\((?:\)a)*bcd\b", Has("bcd")),  # behind an a, perhaps
    (r"\((?:\bx)*fgh\b", Has("fgh")),
    (r"(?:\(a|\)b|,c)+def\b", every(has("(a", ")b", ",c"), has("(adef", ")bdef", ",cdef", ends=True))),
    ("a{02}bcd", Has("a{02}bcd")),  # text, to RE2
    ("a{٣}bcd", Has("a{٣}bcd")),
    ("ab(?U){1,}ab", None),  # flags are passed over: ab is repeated
    (r"(?:abc\s*)*de", Has("de")),
    (r"(abc\s*)de", every("abc", "de")),
    (r"\x41\x{62}\t\.", Has("ab\t.")),
    (r"a\sb", has("a\tb", "a\nb", "a\fb", "a\rb", "a b")),
    (r"\Qa.b*\E", Has("a.b*")),
    ("(?P<name>abc)(?:def)", Has("abcdef")),
    ("(?i)task", Has("ta")),  # by (?i) the Kelvin sign is a k, and ſ an s
    ("(?i:foo)bar", Has("foobar")),
    ("(?-i)self", Has("self")),
    ("ÄÖ", Has("äö")),
    ("a{,5}b", Has("a{,5}b")),  # no repetition, to RE2
    (".*", None),
    ("a", None),
    ("a|b|c", None),
    ("abc|", None),
    ("(abc)*", None),
    ("x{0}", None),
    (r"\pL+", None),
    ("abc|d", None),
    (r"\Qab\E+", None),  # not read
    (r"\101bc", None),
    ("(" * 60 + "abc" + ")" * 60, None),
]


@pytest.mark.parametrize(("source", "need"), NEEDED, ids=[source[:20] for source, _ in NEEDED])
def test_what_a_pattern_needs(source, need):
    patterns.compile(Pattern(source, True))
    assert plain(needed(Pattern(source, True))) == plain(need)


@pytest.mark.parametrize(
    ("source", "need"),
    [
        ("ab[ x]*cd", every(has("abcd", " cd", "xcd"), has("ab ", "abc", "abx"), "ab")),
        (r"ab\w*cd", every("ab", "cd")),
        ("ab[0-9]*cd", every("ab", "cd")),  # too many
        ("(ab|cd)*ef", Has("ef")),
        (r"import (\w+\.)*List", every("import ", "list")),  # the point is behind a word, not behind import
        (r"\bgf\W*f", Some((whole("gf"), Has("gff")))),
        (r"ab[ \t]*cd", has("abcd", "ab cd")),  # from here on, blanks that count as one
        (r"ab\s+cd", Has("ab cd")),
        (r"ab\s*\n\t+cd", Has("ab cd")),
        (r"ab\s{2,5}?(?:cd| ef)", has("ab cd", "ab  ef")),
        (r"ab\scd ?ef", has("ab cd ef", "ab cdef")),
        (r"ab *cd *ef", has("abcdef", "ab cdef", "abcd ef", "ab cd ef")),
        (r"[ab]cd ?ef *gh", has(*(f"{one}cd{x}ef{y}gh" for one in "ab" for x in ("", " ") for y in ("", " ")))),
        (
            r"[abcd]e *f *g *h *ij",
            every(has(*map("".join, product("abcd", "e", ["", " "], "f", ["", " "], "g", ["", " "], "h"))), "ij"),
        ),
        (r"ab[ \t]{0}cd", Has("abcd")),
        (r"ab[ .]*cd", every(has("abcd", " cd", ".cd"), has("abc", "ab ", "ab."), "ab")),
    ],
)
def test_what_a_pattern_needs_around_a_repetition(source, need):
    assert plain(needed(Pattern(source, True), closely=True)) == plain(need)


CLASSES = ["[ab]", r"[ \t]", " ", r"\s", "[^b]", "[a-c]k", "[A-z]s", "[as-]", r"[\d_]", r"[\s\x41]", "[[:alpha:]]b",
           "[]a]", "[é-ü]", r"[\pL]", r"[^\W]", r"[a\-s]"]  # fmt: skip
SINGLES = [r"\b", "^", "$", r"\B", r"\d", r"\w", r"\W", r"\s", ".", r"\pL", r"\p{Lu}", r"\x61", r"\x{42}", r"\Qa.\E",
           r"\n", r"\A", r"\z", r"\_", r"\QK\E*", "", "{", "{,2}", "{02}", "[\\W_]", r"[^\w]",
           "[^a-z0-9_]"]  # fmt: skip


def a_pattern(dice, depth=0):
    """A pattern of all that is in the syntax, often one that is found in `a_text`."""
    kind = dice.random()
    if depth > 3 or kind < 0.35:
        return "".join(dice.choice("abskABSK1_ é.") for _ in range(dice.randint(1, 4))).replace(".", r"\.")
    if kind < 0.5:
        return "".join(a_pattern(dice, depth + 1) for _ in range(dice.randint(1, 3)))
    if kind < 0.62:
        return f"({'|'.join(a_pattern(dice, depth + 1) for _ in range(dice.randint(1, 3)))})"
    if kind < 0.74:
        inner = a_pattern(dice, depth + 1)
        return f"(?:{inner})" + dice.choice(["*", "+", "?", "*?", "+?", "{2}", "{1,}", "{0,2}", "{2,3}?", "{0}", "{9}"])
    if kind < 0.84:
        return dice.choice(CLASSES)
    if kind < 0.94:
        return dice.choice(SINGLES)
    flags = dice.choice(["i", "s", "m", "-i", "U", "is-m"])
    return dice.choice([f"(?{flags})", f"(?{flags}:{a_pattern(dice, depth + 1)})", f"(?P<n{dice.randint(0, 999)}>a)"])


def a_text(dice):
    return "".join(dice.choice("aabbsskABSK1_ \t\v\r\xa0\x1cé.É\n\u212a\u017f") for _ in range(dice.randint(0, 12)))


def test_in_any_case_capitals_are_excluded_too():
    assert needed(Pattern(r"[^a-z0-9_]is[^a-z\d_]", False)) == whole("is")
    assert needed(Pattern(r"[^A-Z0-9_]in[^A-Z\d_]", False)) == whole("in")
    assert needed(Pattern(r"gf(?-i)[^A-Z0-9_]", False)) == Has("gf")


@settings(max_examples=150)
@given(st.integers(0, 2**40))
def test_no_match_is_ever_missed(seed):
    dice = random.Random(seed)
    found = 0
    while found < 20:
        source = a_pattern(dice)
        for case_sensitive in (True, False):
            pattern = Pattern(source, case_sensitive)
            try:
                compiled = patterns.compile(pattern)
            except ValueError:
                continue
            need, close = needed(pattern), needed(pattern, closely=True)
            for _ in range(20):
                text = a_text(dice)
                sought = text if case_sensitive else fold(text)
                if next(patterns.found(compiled, sought.encode()), None):
                    found += 1
                    assert stands(need, fold(text)), (source, case_sensitive, text, need)
                    assert stands(close, fold(text), " "), (source, case_sensitive, text, close)


@given(st.text(alphabet="ab(|)[]*+?{}1,\\QEdwx^$-:.iP<>é", max_size=12))
def test_what_is_odd_needs_nothing_too_much(source):
    pattern = Pattern(source, True)
    try:
        compiled = patterns.compile(pattern)
    except ValueError:
        return
    need = needed(pattern)
    for text in ("", "a", "ab", "b1", "aab\\", "x-1d", "(", "a{1", "[]", "é:a"):
        if next(patterns.found(compiled, text.encode()), None):
            assert stands(need, text)


@pytest.mark.parametrize(
    "source",
    ["[ab]cd" * 1_000, "|".join(f"abc{n}" for n in range(1_500)), "(ab|cd)" * 1_000, "(a(b|c)*d)?" * 900,
     "x{8}" * 2_000, "(?:" * 30 + "ab|cd" + ")+" * 30, "[ab][cd][ef][gh][ij]" + "x" * 9_900,
     "|".join(map(chr, range(0x4E00, 0x4E00 + 4_900)))],
    ids=["classes", "alternatives", "groups", "optional", "copies", "nested", "literal", "single"],
)  # fmt: skip
def test_long_patterns_need_little(source):
    need = needed(Pattern(source, True))
    assert need is None or size(need) <= MOST_SIZE


def test_a_number_that_is_too_long_for_one():
    text = "xa{" + "1" * 5_000 + "}"
    assert stands(needed(Pattern(text, True)), text)


def test_a_long_literal_is_needed_whole():
    text = "".join(f"{number:04}" for number in range(500))
    need = needed(Pattern(text, True))
    assert stands(need, text)
    assert not stands(need, text[:-1]) or not stands(need, text[1:])
    assert all(part.text in text for part in need.parts)
