"""Text squeezed: the rule against its plain twin, what it promises of escapes and white space, the way back."""

import itertools
import json
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import passages_twin as twin
from starloom.kernels import squeeze

unhurried = settings(deadline=None, max_examples=150)
SPACES = "".join(chr(one) for one in range(sys.maxunicode + 1) if chr(one).isspace())
pieces = st.one_of(
    st.sampled_from(
        [
            "\\n",
            '",',
            '"',
            ",",
            "\n",
            "\\",
            "\\\\",
            "n",
            "t",
            "r",
            "f",
            "v",
            '"',
            "x",
            "É",
            "é",
            "中",
            "\x00",
            "\u200b",
            "\ufeff",
            "𐀀",
        ]
    ),
    st.sampled_from(SPACES),
    st.text(max_size=4),
)
texts = st.lists(pieces, max_size=20).map("".join).filter(lambda one: one.isascii() or one.encode("utf-8", "replace"))


def buffers(contents, before=b"", after=b""):
    encoded = [one.encode() for one in contents]
    offsets = np.cumsum([len(before), *map(len, encoded)]).astype(np.int64)
    return offsets, np.frombuffer(before + b"".join(encoded) + after, dtype=np.uint8)


def squeezed(contents, **around):
    bounds, found = squeeze.squeeze(*buffers(contents, **around))
    return [bytes(found[a:b]).decode() for a, b in itertools.pairwise(bounds)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ""),
        (" \t\r\n\f\v\x1c\x1f", ""),
        ("Return X + Y", "returnx+y"),
        ("a\n\n\n   b\r\n", "ab"),
        ("a\u00a0\u3000\u2003\u200b\ufeffb", "ab"),
        (r'"a\n  b"', '"ab"'),  # an escaped line end, as in JSON
        (r'"\"\\n\""', '""""'),  # escaped twice
        ('["a\\n",\n  "b\\n", "c"]', '["abc"]'),  # the lines of a notebook's cell
        ('["a\\n" , "b\\t", "c\\n",x"d\\n",', '["a","b","c",x"d",'),  # these join nothing
        ("C:\\new", "c:ew"),  # on both sides alike
        ("a\\", "a"),
        ("a\\\nb", "ab"),  # a line that goes on
        ("\\N", "n"),  # no escape
        ("ÀÉ", "ÀÉ"),  # beyond ASCII letters keep their case
        ("\u00a1\u2030\u1681\ufefe", "\u00a1\u2030\u1681\ufefe"),  # bytes like those of white space
    ],
)
def test_the_rule(text, found):
    assert squeezed([text]) == [found] == [twin.squeeze(text)]


@unhurried
@given(st.lists(texts, max_size=5), st.sampled_from([b"", b"\\", b"\xe2"]), st.sampled_from([b"", b"n", b"\x80\x80"]))
def test_twin(contents, before, after):
    assert squeezed(contents, before=before, after=after) == [twin.squeeze(one) for one in contents]


@unhurried
@given(texts)
def test_escaping_changes_nothing(text):
    text = "".join(one for one in text if one >= " " or one in "\n\t\r\f")  # JSON has other escapes for the others
    once = json.dumps(text, ensure_ascii=False)[1:-1]
    assert squeezed([text]) == squeezed([once]) == squeezed([json.dumps(once, ensure_ascii=False)[1:-1]])


@unhurried
@given(texts, st.sampled_from(["  ", "\t", "\t    ", "\u00a0"]))
def test_indentation_and_line_ends_do_not_matter(text, indent):
    text = text.replace("\\", "")
    other = "".join(f"{indent}{one} \r\n\n" for one in text.split("\n"))
    assert squeezed([text]) == squeezed([other])


@unhurried
@given(texts)
def test_the_map_leads_back(text):
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    found, sources = squeeze.squeeze_with_map(data)
    assert bytes(found).decode() == twin.squeeze(text)
    assert (np.diff(sources) > 0).all()
    assert bytes(data[sources]).lower() == bytes(found)


def test_the_standard_library(standard_library):
    assert squeezed(standard_library[:60]) == [twin.squeeze(one) for one in standard_library[:60]]


@pytest.mark.parametrize("text", ["\\" * 1_000_000, " " * 1_000_000, "\u3000" * 300_000, "\\n" * 500_000])
def test_long_and_empty(text):
    assert squeezed([text]) == [""]


@pytest.mark.parametrize("end", [b"\xc2", b"\xe2", b"\xe2\x80", b"\xef\xbb", b"\\"])
def test_a_cut_character_at_the_end_reads_nothing_outside(end):
    data = np.frombuffer(b"a" + end + b"\xa0\x80\x80n", dtype=np.uint8)
    _, found = squeeze.squeeze(np.array([0, 1 + len(end)], dtype=np.int64), data)
    assert bytes(found) == (b"a" if end == b"\\" else b"a" + end)


@unhurried
@given(st.lists(texts.map(lambda one: one.replace("\n", " ").replace("\r", " ")), min_size=1, max_size=5))
def test_a_notebook_is_its_code(rows):
    code = "\n".join(one for one in rows if one.isprintable())
    cells = json.dumps(code.splitlines(keepends=True), ensure_ascii=False, indent=1)
    assert squeezed([cells]) == [f"[{squeezed([json.dumps(code, ensure_ascii=False)])[0]}]"] or not code
    again = json.dumps(cells, ensure_ascii=False)
    assert squeezed([again]) == [f'"{squeezed([cells])[0]}"']


@pytest.mark.parametrize("text", ['\\n", x' * 300_000, '\\n",' + " " * 1_000_000, '\\n",' + "\\n" * 500_000 + "x"])
def test_what_joins_nothing_ends(text):
    assert squeezed([text])[0].count('"') == text.count('"')
