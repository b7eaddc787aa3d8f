"""Searching a pattern's alternatives by their words: the same answers as `re`."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.languages.alternatives import Alternatives
from starloom.languages.ambiguous.rule import all_rules

PATTERNS = sorted(
    {one for rules in all_rules().values() for rule in rules for one in (rule.pattern, rule.also, rule.unless) if one}
)


def same(pattern, text):
    found = re.compile(pattern, re.MULTILINE).search(text) is not None
    assert Alternatives(pattern).search(text) == found
    return found


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"^class\b|^template\b", "class A", True),
        (r"^class\b|^template\b", "\nx\ntemplate <", True),
        (r"^class\b|^template\b", "a class and a template", False),
        (r"\bvirtual\b|~\w+\(", "  ~A()", True),
        (r"(?i)^select\b|^insert\b", "SELECT", True),
        (r"(?i)^select\b|^insert\b", "x\nInSeRt", True),
        (r"(?i:select)[ \t]+\*", "SELECT *", True),
        (r"(?i:select)[ \t]+\*", "select x", False),
        (r"\Aone|two\Z", "one more", True),
        (r"\Aone|two\Z", "and one", False),
        (r"\Aone|two\Z", "and two", True),
        (r"[|]a|[]|]b|[^]|]c", "]b", True),  # bars in classes
        (r"[|]a|[]|]b|[^]|]c", "|c", False),
        (r"\|x|y\(|z", "|x", True),
        (r"(a|b)c(d|e)|f", "bce", True),
        (r"(\w)\1x|(\w)\2y", "aay", True),  # numbers of groups go through the whole pattern
        (r"(\w)\1x|(\w)\2y", "aby", False),
        (r"a(?=b)|c(?!d)", "ab", True),
        (r"a(?=b)|c(?!d)", "cd", False),
        (r"x{0}y|z+", "y", True),
        (r"(?:abc){0,2}d", "d", True),
        (r"(?:abc){1,2}d", "d", False),
        (r"(?:end|stop)(?:if|while)", "stopwhile", True),
        (r"^$", "", True),
        (r"^$", "a\n\nb", True),
        (r"^[ \t]*x", "a\n \tx", True),
        (r"", "", True),
        (r"a|", "b", True),
        # where a match lies in one line, only lines with a word are looked at; where it may not, the whole text
        (r"^[ \t]*define[ \t]+\w+$", "no define\n  define x\n", True),
        (r"^[ \t]*define[ \t]+\w+$", "no define\ndefine x y", False),
        (r"(?i)word\b[^\n]*!", "İWORD\nword !", True),  # whose lower case is longer
        (r"word\s+x", "word\n x", True),
        (r"word[^x]x", "word\nx", True),
        (r"word(?!\n)", "word\n", False),
        (r"word\Z", "word\n", False),
        (r"word[^\S]x", "word\nx", True),
        (r"word[^\s]x|word.x", "word\nx", False),
    ],
    ids=range(37),
)
def test_patterns(pattern, text, found):
    assert same(pattern, text) is found


def test_words_are_found():
    """Else nothing would be faster, and no answer would show it."""
    text = "int x;\n" * 1_000
    searched = [part for part in Alternatives(r"^class\b|\bvirtual\b|^(?:signals|private):")._parts if part.words]
    assert [tuple(part.words) for part in searched] == [("class",), ("virtual",), ("private", "signals")]
    assert not Alternatives(r"^class\b|\bvirtual\b").search(text)


_WORDS = sorted({word for pattern in PATTERNS for word in re.findall(r"[A-Za-z]{3,}", pattern)})
_texts = st.lists(
    st.one_of(st.sampled_from(_WORDS), st.sampled_from([" ", "\n", "\t", "\r", *"(){}[]<>:;=,.*/#@$%&~\"'-_0"])),
    max_size=60,
).map("".join)


@given(st.sampled_from(PATTERNS), _texts)
def test_every_rule_answers_as_re(pattern, text):
    same(pattern, text)


@pytest.mark.parametrize("pattern", PATTERNS, ids=range(len(PATTERNS)))
def test_every_rule_is_read(pattern):
    same(pattern, " ".join(re.findall(r"[A-Za-z]{3,}", pattern)))
    same(pattern, "\n".join(re.findall(r"[A-Za-z]{3,}", pattern)))
