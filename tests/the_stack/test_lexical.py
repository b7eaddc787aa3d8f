"""The signal `lexical`: its columns, and where they are null."""

import hashlib

import pyarrow as pa
import pytest

from starloom.languages import comments
from starloom.the_stack.signal import Batch, signal

SIGNAL = signal("lexical")
PYTHON = '"""Doc of a module here."""\nname = "text" # why\n'


def measured(*rows):
    """Columns by name, of (text, language)."""
    contents, languages = zip(*rows, strict=True)
    batch = Batch(pa.array(contents, pa.large_string()), ["file"] * len(rows), list(languages))
    arrays = SIGNAL.measure(batch, None)
    assert [array.type for array in arrays] == [field.type for field in SIGNAL.columns]
    return {name: array.to_pylist() for name, array in zip(SIGNAL.columns.names, arrays, strict=True)}


def test_the_columns():
    found = {name: values[0] for name, values in measured((PYTHON, "Python")).items()}
    solid = len("".join(PYTHON.split()))
    assert found["comment_fraction"] == pytest.approx(len('"""Docofamodulehere."""#why') / solid)
    assert found["has_docstring"] is True
    assert found["avg_identifier_length"] == 4
    assert found["string_fraction"] == pytest.approx(len('"text"') / len(PYTHON))
    assert found["longest_string"] == 6
    assert found["prose_fraction"] == pytest.approx(len('"""Docofamodulehere."""') / solid)


@pytest.mark.parametrize(
    ("language", "content", "nulls"),
    [
        ("Python", "x", set()),
        ("Python", "if 1: pass", {"avg_identifier_length"}),
        ("Python", "", {"avg_identifier_length"}),
        ("JSON", '{"a": 1}', {"comment_fraction", "has_docstring", "avg_identifier_length"}),
        ("INI", "; a\nb=c", {"string_fraction", "longest_string"}),
        ("HTML", "<b>", {"has_docstring", "avg_identifier_length", "string_fraction", "longest_string"}),
        ("Text", "a b c d", set(SIGNAL.columns.names) - {"prose_fraction"}),
        ("No such language", "a b c d", set(SIGNAL.columns.names) - {"prose_fraction"}),
    ],
)
def test_nulls(language, content, nulls):
    found = measured((content, language))
    assert {name for name, (value,) in found.items() if value is None} == nulls


def test_rows_do_not_mix():
    rows = [(PYTHON, "Python"), ("", "C"), ("a b c d", "Text"), ("// x\nint y;", "C"), ("\x00\ufeff\r", "Ruby")]
    together = measured(*rows)
    for i, row in enumerate(rows):
        assert {name: values[i] for name, values in together.items()} == {
            name: values[0] for name, values in measured(row).items()
        }


def test_a_new_table_of_comments_needs_a_new_version():
    """Workspaces measure again only when the version rises: raise it, then put the new hash here."""
    digest = hashlib.sha256(comments.TABLE.read_bytes()).hexdigest()[:16]
    assert (SIGNAL.version, digest) == (1, "6129e1881aae5cb3")
