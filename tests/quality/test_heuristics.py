"""The score without a model: what lowers it, which way each part goes, and that nothing breaks it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.quality import heuristics
from starloom.quality.scorer.files import as_files

CODE = '''"""Reading of tables: one row a line, fields between tabs."""

import csv


def read_rows(path, delimiter="\\t"):
    """Every row of the file at `path`, as a list of texts."""
    # The csv module knows quoting; we do not.
    with open(path, newline="") as file:
        return [row for row in csv.reader(file, delimiter=delimiter) if row]


def widths(rows):
    """The longest text in each column."""
    return [max(map(len, column)) for column in zip(*rows)]
'''


def told(text, kind="programming"):
    files = as_files([text], [None], [kind])
    found = heuristics.score(files.offsets, files.data, files.kinds)
    return float(found.score[0]), {name: float(values[0]) for name, values in found.parts.items()}


def test_ordinary_code_loses_nothing():
    score, parts = told(CODE)
    assert score == 1
    assert set(parts.values()) == {1.0}
    assert list(parts) == [one.name for one in heuristics.PARTS]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("x = 1\n", "substance"),
        ("{([<>])}" * 60 + "\n", "words"),
        ("".join(f"{k * 7919}, {k * 104729},\n" for k in range(200)), "numbers"),
        (CODE + "total = " + " + ".join(f"value_{k}" for k in range(900)) + "\n", "long lines"),
        (CODE + "key = '" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo" * 40 + "'\n", "encoded"),
        (CODE * 9, "repetition"),
        ("".join(f"a(b,c{k});d=e;f(g,h);i=j(k);l(m);n=o;\n" for k in range(40)), "names"),
        ("function reader(value){return value.answer}" * 60, "layout"),
        (
            "def value(reader):\n    return reader.answer\n" * 3 + CODE.replace("# The", "The").replace('"""', "'"),
            "comments",
        ),
        ("".join(f"# line {k} of a long licence text\n" for k in range(60)), "statements"),
    ],
    ids=[one.name for one in heuristics.PARTS],
)
def test_each_part_can_tell(text, part):
    score, parts = told(text)
    assert parts[part] < 1
    assert score < told(CODE)[0]
    assert score == pytest.approx(np.prod(list(parts.values())), rel=1e-5)


def test_the_kind_decides_what_counts():
    paragraph = (
        "A sentence of prose that somebody wrote on one line, as editors do that wrap it when it is shown. " * 20
    )
    assert told(paragraph, "prose")[0] == 1
    assert told(paragraph, "programming")[0] < 0.5
    assert told("key: value\n" + "".join(f"name_{k}: text\n" for k in range(40)), "data")[0] == 1
    assert told(CODE, None) == told(CODE, "programming")
    assert told(CODE, "nonsense") == told(CODE, "programming")


@pytest.mark.parametrize("text", ["", " \n\t\n", "\n" * 100_000])
def test_nothing_is_worth_nothing(text):
    assert told(text)[0] == 0


@pytest.mark.parametrize("part", heuristics.PARTS, ids=lambda part: part.name)
def test_every_part_goes_one_way(part):
    measures, values = zip(*part.curve)
    assert list(measures) == sorted(set(measures))
    assert list(values) in (sorted(values), sorted(values, reverse=True))
    assert 0 < min(values) < max(values) == 1
    assert set(part.kinds) <= set(heuristics.KINDS)


@pytest.mark.parametrize(
    ("part", "worse"),
    [
        ("repetition", lambda k: CODE * (k + 1)),
        ("long lines", lambda k: CODE + "value = " + "word " * 60 * k),
        ("numbers", lambda k: CODE + "1234567890 " * 20 * k),
        ("encoded", lambda k: CODE + "k" * 45 + "k" * 60 * k),
        ("comments", lambda k: CODE + "value = reader(answer)\n" * 40 * k),
    ],
)
def test_more_of_it_is_never_better(part, worse):
    found = [told(worse(k))[1][part] for k in range(12)]
    assert found == sorted(found, reverse=True)
    assert found[-1] < found[0]


@given(st.lists(st.text(), max_size=4), st.sampled_from([*heuristics.KINDS, None]))
@settings(max_examples=60, deadline=None)
def test_any_text_has_a_score(texts, kind):
    files = as_files(texts, [None] * len(texts), [kind] * len(texts))
    found = heuristics.score(files.offsets, files.data, files.kinds)
    assert len(found.score) == len(texts)
    assert found.score.dtype == np.float32
    assert ((found.score >= 0) & (found.score <= 1)).all()


def test_hostile_texts():
    for text in ("\0" * 1000, "a" * 5_000_000, "(" * 2_000_000, "\ufeff\ud800", "x\n" * 500_000):
        assert 0 <= told(text)[0] <= 1


def test_kinds_are_as_many_as_files():
    with pytest.raises(ValueError, match="2 kinds for 1 files"):
        heuristics.score(np.array([0, 0]), np.zeros(0, np.uint8), [None, None])
