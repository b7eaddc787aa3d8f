"""What of an HTML page a person would see."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.quality.visible_text import visible_characters, visible_fractions, visible_text
from starloom.the_stack.signal import Batch, signal


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("", ""),
        ("\ufeff<p>a", "\ufeff a"),
        ("<html>\n  <head><title>Two words</title></head>\n  <body>\n\n a <i>b</i>c\t</body>", "Two words a bc"),
        ("<td>a<td>b<br>c", "a b c"),
        ("a&nbsp;&nbsp;b &lt;p&gt; &eacute;&#233;&#xE9; &unknown; &amp", "a b <p> ééé &unknown; &"),
        ("&amp;lt;", "&lt;"),  # decoded once
        ("a\0b", "ab"),
        ("&#" + "9" * 10_000 + ";", "\ufffd"),
        ("&#0;&#x110000;", "\ufffd\ufffd"),
        ("<style>p { color: red }</style><script>var a = '<p>text</p>'</script>", ""),
        ("plain text, no markup at all", "plain text, no markup at all"),
    ],
    ids=["empty", "bom", "page", "cells", "references", "once", "nul", "huge", "invalid", "code", "plain"],
)
def test_visible_text(page, text):
    assert visible_text(page) == text


@given(st.text(st.characters(codec="utf-8")))
def test_no_text_is_an_error(text):
    assert visible_text(text) == visible_text(text)
    assert visible_text(f"<script>{text}").strip() == "" or "</script" in text.lower()


@given(st.text(st.characters(codec="utf-8", exclude_characters="<&\0")))
def test_without_markup_everything_is_visible(text):
    assert visible_text(text) == " ".join(text.split())


def test_lone_surrogates_pass():
    assert visible_text("a\ud800b") == "a?b"


def measured(*pages):
    batch = Batch(pa.array(pages, pa.string()), languages=["HTML"] * len(pages))
    return [one.to_pylist() for one in signal("html").measure(batch, None)]


def test_the_signal_counts_characters_not_bytes():
    page = "<p>äöü</p>"
    assert measured(page, "", "<br>") == [[3, 0, 0], [pytest.approx(3 / len(page)), 0.0, 0.0]]


def test_the_signal_has_the_columns_types():
    batch = Batch(pa.array(["<p>a"], pa.string()), languages=["HTML"])
    for array, field in zip(signal("html").measure(batch, None), signal("html").columns, strict=True):
        assert array.type == field.type


def test_the_signal_asks_for_html_alone():
    wants = signal("html").wants_language
    assert wants("HTML", None)
    assert not wants("HTML+ERB", None)
    assert not wants("XML", None)


def test_the_paper_s_limits_can_be_met_exactly():
    """100 visible characters that are a fifth of the file: what the rule keeps."""
    page = "<p>" + "x" * 100 + "<!--" + "y" * (500 - 3 - 100 - 7) + "-->"
    batch = Batch(pa.array([page], pa.string()))
    characters = visible_characters(batch.offsets, batch.data)
    assert len(page) == 500
    assert characters.tolist() == [100]
    assert visible_fractions(characters, [page]).tolist() == [pytest.approx(0.2)]
