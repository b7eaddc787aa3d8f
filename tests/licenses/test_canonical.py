"""The canonical form of a licence text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.licenses.canonical import canonical, text_id

TEXT = """Copyright (c) 2020 Somebody
All rights reserved.

Redistribution and use  in source
and binary forms is permitted.


No warranty.
"""


def test_what_goes_and_what_stays():
    form = canonical(TEXT)
    assert form.text == "redistribution and use in source\nand binary forms is permitted.\n\nno warranty."
    assert form.lines == (4, 5, 6, 8)


@pytest.mark.parametrize(
    "copy",
    [
        TEXT.upper(),
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("2020 Somebody", "2021-2024 Another & Co. <a@example.org>"),
        TEXT.replace("\n\n\n", "\n\n\n\n\n"),
        "\ufeff" + TEXT,
        "\n".join(f"// {line}" for line in TEXT.splitlines()),
        "/*\n" + "\n".join(f" * {line}" for line in TEXT.splitlines()) + "\n */",
        "\n".join(f"    {line}  " for line in TEXT.splitlines()),
    ],
    ids=["case", "ends", "holder", "paragraphs", "mark", "slashes", "block", "indented"],
)
def test_copies_are_the_same(copy):
    assert canonical(copy).text == canonical(TEXT).text


@pytest.mark.parametrize(
    "other",
    [
        TEXT.replace("No warranty", "Some warranty"),
        TEXT + "Not for commercial use.",
        TEXT.replace("2020 Somebody", "2020 Somebody. Non-commercial use only."),
        TEXT.replace("source\nand", "source and"),
    ],
    ids=["word", "more", "holder's word", "lines"],
)
def test_others_are_not(other):
    assert canonical(other).text != canonical(TEXT).text


def test_a_collection_of_notices_keeps_their_holders():
    text = "Copyright 2020 A\n\nDo what you like.\n\n  # Copyright  2021 B\n\nDo nothing.\n"
    assert canonical(text).text == text.lower().replace("  # copyright  2021", "copyright 2021").strip()
    assert canonical(text).lines == (1, 2, 3, 4, 5, 6, 7)


def test_blanks_to_be_filled_are_the_licence_s_own():
    text = "Copyright 2020 A\n\nTerms.\n\nCopyright [yyyy] [name of copyright owner]\n\nMore terms.\n"
    assert canonical(text).text == "terms.\n\ncopyright [yyyy] [name of copyright owner]\n\nmore terms."


def test_nothing():
    assert canonical("") == canonical(" \n\t\n# \n")
    assert canonical("").lines == ()


@given(st.one_of(st.text(), st.text(alphabet="aB .#*/\n\r\x0b\x1c\u2028©")))
def test_lines_are_those_of_the_text(text):
    form = canonical(text)
    lines = text.removeprefix("\ufeff").splitlines()
    mine = form.text.split("\n") if form.text else []
    assert len(mine) == len(form.lines)
    assert list(form.lines) == sorted(set(form.lines))
    for line, number in zip(mine, form.lines):
        assert line in " ".join(lines[number - 1].lower().split())
    assert "\n\n\n" not in form.text


def test_hostile_texts_are_no_trouble():
    for text in ("#" * 1_000_000, "a" * 1_000_000, "copyright " * 100_000, "\n" * 1_000_000, "(c) \n" * 200_000):
        canonical(text)


def test_text_id():
    assert text_id("") == "cae66941d9efbd404e4d88758ea67670"
    assert text_id("\ud800") != text_id("\ud801")
