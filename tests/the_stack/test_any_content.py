"""Every signal gives one row for any content whatever: empty, NUL-ridden, one line of 100 MB, no letter at all."""

import pyarrow as pa
import pytest

from starloom.stages import Settings
from starloom.the_stack.signal import Batch, all_signals

CONTENTS = {
    "empty": "",
    "NULs": "\0" * 4096,
    "NULs between": "def f():\0\n\0    return\0 1\n" * 200,
    "byte order marks": "\ufeff" * 100 + "x = 1\n",
    "line ends": "\n" * 200_000,
    "carriage returns": "\r" * 10_000,
    "no line end": "x",
    "far planes": "\U0010ffff\U0001f600\u202e" * 1000,
    "open everything": "/* \"\"\" ''' <!-- <p <script> {{ (* #| `" * 300,
    "brackets": "([{" * 20_000,
    "backslashes": "\\" * 50_000,
    "digits": "0123456789" * 5_000,
    "base64 letters": "QUJD" * 20_000,
}
LANGUAGES = ("Python", "HTML", "C", "Text", "JSON", "Shell", "Wolfram Language")
SIGNALS = {one.name: one for one in all_signals()}


def measured(signal, texts):
    rows = [(text, language) for text in texts for language in (LANGUAGES if signal.needs_language else ("",))]
    contents = pa.array([text for text, _ in rows], pa.large_string())
    names = ["file.py"] * len(rows) if signal.by_name else None
    batch = Batch(contents, names, [language for _, language in rows] if signal.needs_language else None)
    arrays = signal.measure(batch, signal.of(Settings()))
    ids = pa.array([str(number) for number in range(len(rows))])
    keys = [ids, pa.array(names)] if names else [ids]
    return pa.Table.from_arrays([*keys, *map(pa.array, arrays)], schema=signal.schema), len(rows)


@pytest.mark.parametrize("name", sorted(SIGNALS))
def test_a_row_for_each(name):
    table, rows = measured(SIGNALS[name], CONTENTS.values())
    table.validate(full=True)
    assert len(table) == rows
    for column in SIGNALS[name].columns.names:
        if column.endswith("_fraction"):
            values = [value for value in table.column(column).to_pylist() if value is not None]
            assert all(0 <= value <= 1 for value in values), column


@pytest.mark.slow
@pytest.mark.parametrize(
    ("piece", "size"),
    [("x", 10), ("a,", 10), ("0x00,", 10), ("<b>", 10), ("/*é", 100)],
    ids=["letter", "list", "hex", "tags", "comment"],
)
@pytest.mark.parametrize("name", sorted(SIGNALS.keys() - {"syntax"}))  # `syntax` takes no file of this size
def test_one_line_of_megabytes(name, piece, size, monkeypatch):
    """Of the largest file that the recipes read, and of ten times that: what costs the square would never end."""
    monkeypatch.setattr(f"{__name__}.LANGUAGES", ("HTML",) if name == "html" else ("C",))
    table, rows = measured(SIGNALS[name], [piece * (size * 1_000_000 // len(piece))])
    assert len(table) == rows == 1
