"""Bytes to text: what is decoded, under which name, and that the name tells the truth."""

import codecs
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.outside.text import SAMPLE, Decoded, Undecodable, decode, is_binary

CODE = "def f():\n    return 1\n" * 20


@pytest.mark.parametrize(
    ("data", "text", "name", "round_trips"),
    [
        (b"", "", "UTF-8", True),
        (b"x = 1\r\n", "x = 1\r\n", "UTF-8", True),  # line ends are left alone
        ("ü €".encode(), "ü €", "UTF-8", True),
        (codecs.BOM_UTF8 + b"x", "x", "UTF-8-SIG", True),
        (codecs.BOM_UTF8 * 2 + b"x", "\ufeffx", "UTF-8-SIG", True),  # only the first is a mark
        (codecs.BOM_UTF16_LE + "hé".encode("utf-16-le"), "hé", "UTF-16", True),
        (
            codecs.BOM_UTF16_BE + "hé".encode("utf-16-be"),
            "hé",
            "UTF-16BE",
            False,
        ),  # no codec writes that mark
        (codecs.BOM_UTF32_LE + "hé".encode("utf-32-le"), "hé", "UTF-32", True),
        (codecs.BOM_UTF32_BE + "hé".encode("utf-32-be"), "hé", "UTF-32BE", False),
        ((CODE + "# Größe\n").encode("latin-1"), CODE + "# Größe\n", "WINDOWS-1252", True),
        (b"# Author: Jos\xe9\n" + CODE.encode(), "# Author: José\n" + CODE, "WINDOWS-1252", True),
        (b"// Copyright \xa9 2010\nint x;\n", "// Copyright © 2010\nint x;\n", "WINDOWS-1252", True),
        (
            "# Это комментарий на русском языке\n".encode("koi8_r"),
            "# Это комментарий на русском языке\n",
            "KOI8-R",
            True,
        ),
        ("# これは日本語のコメントです\n".encode("euc_jp"), "# これは日本語のコメントです\n", "EUC-JP", True),
        ("# 这是中文注释，打开文件\n".encode("gbk"), "# 这是中文注释，打开文件\n", "GB18030", True),
    ],
)
def test_decode(data, text, name, round_trips):
    assert decode(data) == Decoded(text, name, round_trips)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x7fELF\0\1", "NUL byte at offset 4"),
        ("plain".encode("utf-16-le"), "NUL byte at offset 1"),  # without a mark it is binary
        (codecs.BOM_UTF16_LE + b"\x00\xd8", "not valid UTF-16"),  # lone surrogate
        (codecs.BOM_UTF16_LE + b"x", "not valid UTF-16"),  # half a unit
        ("# naïve façade œuvre\n".encode() + b"\xe9\n", "damaged UTF-8: first at offset 24"),
        ("é".encode()[:1] + "é".encode() * 3, "damaged UTF-8: first at offset 0"),  # cut in a character
        (b"\xff" * 100, "no other encoding is likely"),
        (b"\x89PNG\r\n" + bytes(range(128, 256)) * 4, "no other encoding is likely"),
    ],
)
def test_undecodable(data, reason):
    found = decode(data)
    assert isinstance(found, Undecodable)
    assert reason in found.reason


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"text", None),
        (b"a\0b\0", 1),
        (b"", None),
        (codecs.BOM_UTF16_LE + b"a\0", None),
        (codecs.BOM_UTF8 + b"\0", 3),
    ],
)
def test_is_binary(data, offset):
    assert is_binary(data) == offset


def test_the_sample_is_taken_where_it_matters():
    text = "x = 1\n" * SAMPLE + "# Это комментарий на русском языке, он далеко\n" + "y = 2\n" * SAMPLE
    assert decode(text.encode("cp1251")) == Decoded(text, "WINDOWS-1251", True)


def test_the_whole_must_decode():
    # Sound EUC-JP fills the sample; nonsense lies behind it.
    line = "# これは日本語のコメントです\n".encode("euc_jp")
    found = decode(line * (SAMPLE // len(line) + 1) + b"\xa4\n")
    assert isinstance(found, Undecodable)
    assert "EUC" in found.reason.upper()


@given(st.binary())
def test_any_bytes(data):
    found = decode(data)
    if isinstance(found, Decoded):
        found.text.encode("utf-8")  # no lone surrogates
        assert found.src_encoding == found.src_encoding.upper()
        codecs.lookup(found.src_encoding)
        assert found.round_trips == (found.text.encode(found.src_encoding) == data)
    if is_binary(data) is not None:
        assert isinstance(found, Undecodable)


def test_utf8_is_fast():
    data = CODE.encode() * 40_000  # 17.6 MB
    best = min(_seconds(data) for _ in range(5))
    assert len(data) / best > 0.3e9  # bytes/s; over 1e9 on a quiet core, see the report


def _seconds(data):
    started = time.perf_counter()
    decode(data)
    return time.perf_counter() - started


def test_one_long_line_costs_no_more_than_its_length():
    started = time.perf_counter()
    assert isinstance(decode(b"x" * (1 << 24) + b"\xe9" + b"y" * (1 << 24)), Decoded)
    assert time.perf_counter() - started < 5
