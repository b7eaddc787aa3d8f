"""Pre-tokens: the rule by examples and against its plain twin, over all kinds of characters."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import byte_pairs_twin as twin
from starloom.kernels import pretokens

unhurried = settings(deadline=None, max_examples=300)
UNITS = [
    *" \t\n\r\x0b\x1c\x85\u00a0\u2003\u2028\u3000\u200b\ufeff",
    *"aZéßж你09²½٣Ⅷ'\"#._-<>🙂\u0301\x00",
    *("'s", "'t", "'ll", "'ve", "'re", "'S", "  ", "\r\n", "    "),
]
tricky = st.lists(st.sampled_from(UNITS), max_size=30).map("".join)


def cut(text):
    """The pre-tokens of a text, None where it has a newer character."""
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    kind, begins = np.full(len(data) + 5, 255, np.uint8), np.full(len(data) + 5, 255, np.uint8)
    stops = np.full(len(data) + 5, -1, np.int32)
    count = pretokens.pretokens(data, pretokens.kinds(), kind, begins, stops)
    if count < 0:
        return None
    assert (stops[0], stops[count]) == (0, len(data))
    return [bytes(data[stops[i] : stops[i + 1]]).decode() for i in range(count)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("x", ["x"]),
        ("def f(x):", ["def", " f", "(", "x", "):"]),
        ("a1b22", ["a", "1", "b", "2", "2"]),
        ("x = 10", ["x", " =", " ", "1", "0"]),  # the blank before a number stands at an end
        ("a   10", ["a", "   ", "1", "0"]),
        ("a   b", ["a", "  ", " b"]),
        ("a \t b", ["a", " \t", " b"]),
        ("a \tb", ["a", " ", "\t", "b"]),  # only a blank joins what follows
        ("a\n\n  b", ["a", "\n\n ", " b"]),
        ("a  ", ["a", "  "]),
        ("  ", ["  "]),
        ("it's", ["it", "'s"]),
        ("it'send", ["it", "'s", "end"]),
        ("it's's", ["it", "'s", "'s"]),
        ("we'll've", ["we", "'ll", "'ve"]),
        ("we'l", ["we", "'", "l"]),
        ("IT'S", ["IT", "'", "S"]),
        ("x 's'", ["x", " '", "s", "'"]),  # a blank takes the apostrophe
        ("('s')", ["('", "s", "')"]),  # so does a sign
        ("\t's", ["\t", "'s"]),
        ("1's", ["1", "'s"]),
        ("'", ["'"]),
        ("a'", ["a", "'"]),
        ("a'1", ["a", "'", "1"]),
        ("x² ½", ["x", "²", " ", "½"]),
        ("你好, 世界。", ["你好", ",", " 世界", "。"]),
        ("a\u00a0b", ["a", "\u00a0", "b"]),
        ("a\u00a0#", ["a", "\u00a0", "#"]),
        ("a\u00a0 b", ["a", "\u00a0", " b"]),
        ("a \u3000b", ["a", " ", "\u3000", "b"]),
        ("a\u3000\u3000", ["a", "\u3000\u3000"]),
        ("a\u30001", ["a", "\u3000", "1"]),
        ("e\u0301a", ["e", "\u0301", "a"]),  # a combining mark is a sign
        ("<fim_prefix>", ["<", "fim", "_", "prefix", ">"]),
    ],
)
def test_examples(text, expected):
    assert cut(text) == expected
    assert twin.pretokens(text) == expected


@given(tricky)
@unhurried
def test_where_kinds_meet(text):
    assert cut(text) == twin.pretokens(text)


@given(st.text(" \n1a.'s", max_size=24))
@unhurried
def test_spaces_and_apostrophes_between_everything(text):
    assert cut(text) == twin.pretokens(text)


@given(st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=60))
@unhurried
def test_any_text(text):
    found = cut(text)
    assert found is None or found == twin.pretokens(text)  # None: this Python is newer than the table


def test_real_files(standard_library):
    for text in standard_library[::6]:
        assert cut(text) == twin.pretokens(text)


def test_every_character_in_every_surrounding():
    """Of the planes that are in use, every seventh; below U+3100 all."""
    known = pretokens.kinds() != pretokens.NEWER
    points = [*range(0x3100), *range(0x3100, 0x20000, 7), *range(0xE0000, 0xE0200)]
    characters = [chr(point) for point in points if known[point] and not 0xD800 <= point < 0xE000]
    for start in range(0, len(characters), 500):
        text = "".join(f"a{one}1 {one}{one} 1.{one} .{one}\n" for one in characters[start : start + 500])
        assert cut(text) == twin.pretokens(text), f"after {ord(characters[start]):#x}"


def test_what_is_newer_is_refused():
    assert cut("a\u0378") is None  # unassigned for ever, so far
    assert cut("a\U0010ffff") is None
    assert cut("a\ue000") is not None  # private use


def test_kinds_are_pythons():
    if unicodedata.unidata_version != "14.0.0":
        pytest.skip(f"this Python has Unicode {unicodedata.unidata_version}")
    kinds = pretokens.kinds().tolist()
    for point in range(0x110000):
        category = unicodedata.category(chr(point))
        expected = {"L": pretokens.LETTER, "N": pretokens.NUMBER}.get(category[0], pretokens.SIGN)
        if category == "Cn":
            expected = pretokens.NEWER
        elif category in ("Zs", "Zl", "Zp") or point in (*range(9, 14), 0x85):
            expected = pretokens.SPACE
        assert kinds[point] & ~pretokens.BLANK == expected, hex(point)
