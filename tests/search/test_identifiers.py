"""Identifiers and their parts; what is a word in a text."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.brute import is_border
from starloom.search.identifiers import LONGEST, identifiers, is_word, parts


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("HTTPServer", "HTTP Server"),
        ("read_json", "read json"),
        ("readJSON", "read JSON"),
        ("_parseHTTPResponse2", "parse HTTP Response2"),
        ("utf8Decoder", "utf8 Decoder"),  # digits stay with what is before them
        ("sha256", "sha256"),
        ("SHA256Sum", "SHA256 Sum"),
        ("SHA256sum", "SHA256sum"),
        ("vec3d", "vec3d"),
        ("vec3D", "vec3 D"),
        ("iOS", "i OS"),
        ("aB", "a B"),
        ("ABc", "A Bc"),
        ("XMLHttpRequest", "XML Http Request"),
        ("MAX_SIZE", "MAX SIZE"),
        ("__init__", "init"),
        ("2fast", "2fast"),
        ("_", ""),
        ("___", ""),
        ("x", "x"),
        ("Ab" * (LONGEST // 2 - 1), " ".join(["Ab"] * (LONGEST // 2 - 1))),
        ("Ab" * (LONGEST // 2), ""),  # data, no name
    ],
    ids=lambda value: value[:20],
)
def test_parts(identifier, expected):
    assert parts(identifier) == expected.split()


def test_identifiers_are_ascii():
    assert identifiers("naïve_x = 数_1(a.b, `c-d`)") == ["na", "ve_x", "_1", "a", "b", "c", "d"]


NAMES = st.text("aBc1_Z", min_size=1, max_size=10)


@given(NAMES)
def test_parts_lie_between_borders(name):
    cuts = [0, *(at for at in range(1, len(name)) if is_border(name, at)), len(name)]
    assert parts(name) == [piece for piece in (name[a:b].strip("_") for a, b in pairwise(cuts)) if piece]


@given(st.lists(NAMES, max_size=3).map(" ".join) | st.text("aB_ é", max_size=12))
def test_a_word_is_whole_or_a_part(text):
    data = text.encode()
    words = set()
    for whole in re.finditer(b"[0-9A-Za-z_]+", data):
        words.add(whole.span())
        at = whole.start()
        for part in parts(whole[0].decode()):
            at = data.index(part.encode(), at)
            words.add((at, at + len(part)))
            at += len(part)
    for start in range(len(data)):
        for end in range(start + 1, len(data) + 1):
            if re.fullmatch(b"[0-9A-Za-z_]+", data[start:end]):
                assert is_word(data, start, end) == ((start, end) in words)


@pytest.mark.parametrize("length", [LONGEST - 2, LONGEST - 1, LONGEST, LONGEST + 1])
def test_parts_of_long_identifiers_are_no_words(length):
    data = b"ab_" + b"c" * (length - 3)
    assert len(data) == length
    assert is_word(data, 0, 2) == is_word(data, 3, length) == (length < LONGEST)
    assert is_word(data, 0, length)
    assert is_word(b"." + data + b".", 1, length + 1)
    assert not is_word(data, 0, length - 1)
