"""The signal: a score for every file with a language, measured again when the scorer changes and only then."""

import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quality import labelling
from starloom.errors import UserError
from starloom.quality.scorer import linear
from starloom.quality.scorer.labels import read_labels
from starloom.quality.scorer.learning import LearningSettings, learn
from starloom.quality.settings import QualitySettings
from starloom.stages import Settings
from starloom.the_stack import tables
from starloom.the_stack.signal import Batch, signal
from the_stack.building import MIT, code, folder

NUMBERS = "".join(f"{k * 7919}, {k * 104729},\n" for k in range(100))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    base = tmp_path_factory.mktemp("trained")
    labels = read_labels(labelling.write(base / "labels.jsonl", labelling.labelled()))
    linear.write(base / "scorer", learn(labels, LearningSettings(bits=12)))
    return base / "scorer"


def measured(texts, languages, settings=QualitySettings()):  # noqa: B008 - frozen
    one = signal("quality")
    (found,) = one.measure(Batch(pa.array(texts, pa.large_string()), ["x"] * len(texts), languages), settings)
    assert found.type == one.columns.field("quality_score").type
    assert found.null_count == 0
    return found.to_pylist()


def test_heuristics_know_the_kind_of_language():
    paragraph = "A sentence of prose that somebody wrote on one line, as editors do that wrap it when shown. " * 20
    as_code = pytest.approx(0.1 * 0.3 * 0.8)  # long lines, layout, no comments
    assert measured([paragraph] * 3, ["Markdown", "C", "no language"]) == [1, as_code, as_code]
    assert measured([NUMBERS], ["C"])[0] < 0.3


def test_no_text_fails(trained):
    texts = ["", "\0" * 99, "\ufeff", "a" * 3_000_000, "x\n" * 100_000, "(" * 100_000, "é😀"]
    for settings in (QualitySettings(), QualitySettings(str(trained))):
        found = measured(texts, ["Python"] * len(texts), settings)
        assert all(0 <= one <= 1 for one in found)
    assert measured([], []) == []


def test_a_scorer_of_ones_own(trained):
    good, bad = measured([labelling.tidy(777), labelling.rows(777)], ["Python", "C"], QualitySettings(str(trained)))
    assert good > 0.8 > 0.2 > bad


def test_the_fingerprint_is_of_the_scorer(trained, tmp_path):
    one = signal("quality")
    settings = Settings()
    own = replace(settings, quality=QualitySettings(str(trained)))
    assert one.fingerprint(settings) != one.fingerprint(own)
    before = one.fingerprint(own)
    table = json.loads((trained / "scorer.json").read_text())
    (trained / "scorer.json").write_text(json.dumps(table | {"calibration": {"slope": 2, "shift": 1}}))
    assert one.fingerprint(own) != before
    (trained / "scorer.json").write_text(json.dumps(table, ensure_ascii=False, indent=1) + "\n")
    assert one.fingerprint(own) == before
    with pytest.raises(UserError, match="is no folder"):
        one.fingerprint(replace(settings, quality=QualitySettings(str(tmp_path / "missing"))))


def scores(made):
    return {
        row["file_name"]: round(row["quality_score"], 5)
        for part in tables.signal(made.root, "quality")
        for row in pq.read_table(part).to_pylist()
    }


def test_a_build(workspace, trained, tmp_path):
    files = {"LICENSE": MIT, "a.py": code("a", 30), "numbers.c": NUMBERS.encode(), "blank.py": b"\n"}
    made = workspace(folder(tmp_path / "source", files), build=False).build("measure")
    first = scores(made)
    assert first["a.py"] > 0.7 > 0.3 > first["numbers.c"]
    assert first["blank.py"] == 0
    made.configure(f"[quality]\nscorer = {json.dumps(str(trained))}\n")
    again = {entry["stage"]: entry for entry in made.build("measure").runs()[-3:]}
    assert again["measure"]["note"].startswith("1 signals: quality")
    second = scores(made)
    assert second.keys() == first.keys()
    assert second != first
