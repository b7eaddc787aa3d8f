"""Which bytes of a page are text: the states of the HTML Standard's tokenizer, kernel and twin."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.kernels import markup, markup_twin


def shown(*pages):
    offsets = np.cumsum([0, *map(len, pages)], dtype=np.int64)
    bounds, data = markup.visible_bytes(offsets, np.frombuffer(b"".join(pages), dtype=np.uint8))
    return [data[begin:end].tobytes() for begin, end in pairwise(bounds)]


CASES = [
    (b"", b""),
    (b"a", b"a"),
    (b"a<b>b</b>c", b"abc"),
    (b"a<p>b</P>c", b"a b c"),
    (b"1 < 2 <3 <", b"1 < 2 <3 <"),  # no tag begins so
    (b"a</>b</ c>d</", b"abd</"),
    (b"a<p", b"a"),  # the file ends within a tag: no text
    (b"<a title='>'>x", b"x"),
    (b'<a title=">">x', b"x"),
    (b'<a title=>">x', b'">x'),  # an empty value
    (b"<a title=b'>c'>x", b"c'>x"),  # the quote is part of a bare value
    (b"<a 'b>c'>x", b"c'>x"),  # and of a name
    (b"<a b = '>' c>x", b"x"),
    (b"<a b c='>'>x", b"x"),
    (b"a<!--b>c-->d", b"ad"),
    (b"a<!-->b", b"ab"),
    (b"a<!--->b", b"ab"),
    (b"a<!--b--!>c", b"ac"),
    (b"a<!--b--", b"a"),
    (b"a<!b>c<?d>e<!DOCTYPE html>f", b"acef"),
    (b"<script>a</scripted></script >b", b"  b"),
    (b"<SCRIPT>a<b></Script/>b", b"  b"),
    (b"<script><!--<script></script>a</script>b", b"  b"),  # the inner script's end is not the end
    (b"<script><!--></script>b", b"  b"),
    (b"<script><!--<script>--></script>b", b"  b"),
    (b"<script>a", b" "),
    (b"<script/>a", b" "),  # closes itself only in SVG
    (b"<svg><script/>a", b"  a"),
    (b"<style>a<p>b</style>c", b"  c"),
    (b"<noscript>a<p>b</noscript>c", b"  c"),
    (b"<iframe>a</iframe><xmp>b</xmp>c", b"    c"),
    (b"<title>a<b>&amp;</title>c", b" a<b>&amp; c"),
    (b"<textarea>a<script></textarea>c", b" a<script> c"),
    (b"<svg><title/>a<title>b</title></svg>c", b"  a b  c"),
    (b"<template>a<template>b</template>c</template>d", b" d"),
    (b"<template>a<script></template></script>b", b" "),
    (b"<svg><![CDATA[a<b>]]>c", b" a<b>c"),
    (b"<svg><![CDATA[a", b" a"),
    (b"<![CDATA[a<b>]]>c", b"]]>c"),  # a comment in HTML, up to the first >
    (b"</template></svg>a", b"  a"),
    (b"<scriptscript>a<title\0>b", b" a b"),  # names of more than eight bytes, and with a NUL
]


@pytest.mark.parametrize(("page", "text"), CASES, ids=[f"{number}" for number in range(len(CASES))])
def test_what_is_text(page, text):
    assert shown(page) == [text]
    assert markup_twin.visible(page) == text


def test_a_batch_is_its_files_one_by_one():
    pages = [page for page, _ in CASES]
    assert shown(*pages) == [text for _, text in CASES]


MARKUP = """< > / ! - = ' " & ; ? </ /> <! <!-- --> --!> <p> <b> </b> <svg> </svg> <![CDATA[ ]]> <script <script>
</script </script> <title> </title> <style> </style> <template> </template> <noscript> </NoScript> <textarea <title/>
a é script x=1 x='"""
PIECES = st.sampled_from([*MARKUP.split(), " ", "\n", "\f", "\0", "\x0b"])


@given(st.lists(PIECES, max_size=40).map(lambda some: "".join(some).encode()))
def test_the_kernel_is_its_twin_on_pieces_of_markup(page):
    assert shown(page) == [markup_twin.visible(page)]


@given(st.lists(st.binary(max_size=60), max_size=4))
def test_the_kernel_is_its_twin_on_any_bytes(pages):
    assert shown(*pages) == [markup_twin.visible(page) for page in pages]


@pytest.mark.parametrize(
    "piece",
    ["<div>", "<p><b a=1>", "<", "<!--", "<a ", "<title></title", "<script><!--<script ", "<svg><![CDATA[", "&#", "</"],
    ids=["nested", "formatting", "less", "comment", "attributes", "title", "script", "cdata", "reference", "end"],
)
def test_hostile_pages_end(piece):
    """A tree of the first two has millions of levels, or more nodes than memory holds."""
    page = (piece * 500_000).encode()
    (text,) = shown(page)
    assert len(text) <= len(page)
