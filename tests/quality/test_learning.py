"""Labels in, a scorer out: what is refused, that the same comes of the same, and that its figures are honest."""

import json
from dataclasses import replace

import numpy as np
import pytest

from quality import labelling
from starloom.errors import UserError
from starloom.quality.scorer.files import as_files
from starloom.quality.scorer.judging import area, figures
from starloom.quality.scorer.labels import HEAD, read_labels
from starloom.quality.scorer.learning import LearningSettings, learn

SMALL = LearningSettings(bits=14, passes=5)


@pytest.fixture
def read(tmp_path):
    return lambda lines, *good: read_labels(labelling.write(tmp_path / "labels.jsonl", lines), good)


def test_labels(read):
    found = read(
        [
            {"content": "a", "label": 1, "language": "C", "repo_name": "x/y"},
            {"text": "b", "label": 0.25, "language": None},
            {"content": "é" * (HEAD + 5), "label": False},
        ]
    )
    assert found.targets.tolist() == [1, 0.25, 0]
    assert found.files.languages == ["C", None, None]
    assert np.diff(found.files.offsets).tolist() == [1, 1, 2 * HEAD]
    assert len(set(found.groups)) == 3


def test_files_that_belong_together(read):
    rows = [{"content": f"{k}", "label": 0, "repo_name": "x/y"} for k in range(3)]
    copies = [{"content": "same", "label": 1}, {"content": "same", "label": 1}, {"content": "x/y", "label": 1}]
    groups = read(rows + copies).groups
    assert len(set(groups)) == 3  # a content is no repository, though it reads like its name
    assert groups[3] == groups[4]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "no JSON object"),
        ('{"label": 1}', "`content` is missing"),
        ('{"content": 3, "label": 1}', "`content` is missing, or no text"),
        ('{"content": "a"}', "`label` is missing"),
        ('{"content": "a", "label": 2}', "the label 2 is"),
        ('{"content": "a", "label": NaN}', "the label nan is"),
        ('{"content": "a", "label": ""}', "the label '' is"),
        ('{"content": "a", "label": [1]}', "the label [1] is"),
        ('{"content": "a", "label": "good"}', "a name among labels that are numbers"),
        ('{"content": "a", "label": 1, "language": 7}', "`language` is no text"),
        ('{"content": "a", "label": 1, "repo_name": []}', "`repo_name` is no text"),
        ("\ud800", "not JSON"),
    ],
    ids=lambda value: value[:30].encode("ascii", "replace").decode(),
)
def test_a_bad_line_is_named(tmp_path, line, words):
    path = tmp_path / "labels.jsonl"
    path.write_bytes(b'{"content": "a", "label": 1}\n\n' + line.encode("utf-8", "surrogatepass") + b"\n")
    with pytest.raises(UserError) as told:
        read_labels(path)
    assert f"{path}:3: " in told.value.problem
    assert words in told.value.problem
    assert told.value.hint


def test_no_labels(tmp_path, read):
    with pytest.raises(UserError, match="no labelled file"):
        read([])
    with pytest.raises(UserError, match="cannot read"):
        read_labels(tmp_path / "missing.jsonl")
    with pytest.raises(UserError, match="cannot read"):
        read_labels(tmp_path)


def test_names(read):
    rows = [{"content": str(k), "label": ["teaching", "fine", "noise"][k % 3]} for k in range(6)]
    with pytest.raises(UserError, match=r"teaching \(2\), fine \(2\), noise \(2\)"):
        read(rows)
    with pytest.raises(UserError, match="no file has the label `teachin`") as told:
        read(rows, "teachin")
    assert "did you mean `teaching`?" in told.value.hint
    assert read(rows, "teaching", "fine").targets.tolist() == [1, 1, 0] * 2
    with pytest.raises(UserError, match="its labels are numbers"):
        read([{"content": "a", "label": 1}], "fine")


def test_it_learns_and_tells_how_well(read):
    scorer = learn(read(labelling.labelled()), SMALL)
    training, held_out = scorer.facts["training"], scorer.facts["held_out"]
    assert training["files"] == 96
    assert held_out["files"] == 24
    assert held_out["auc"] == 1
    assert held_out["accuracy"] == 1
    assert 0.4 <= held_out["majority"] <= 0.6
    assert set(held_out["languages"]) == {"C", "Python"}
    json.dumps(scorer.facts, allow_nan=False)
    new = as_files([labelling.tidy(1001), labelling.rows(1001), ""], ["Python", "C", None], [None] * 3)
    good, bad, empty = scorer.score(new).tolist()
    assert good > 0.8
    assert bad < 0.2
    assert bad < empty < good


def test_chance_labels_are_told_as_such(read):
    """Labels that say nothing give figures that say so: held-out files are not among those learned from."""
    rows = [row | {"content": labelling.tidy(k), "repo_name": None} for k, row in enumerate(labelling.labelled(400))]
    rows = [row | {"label": (k * 2654435761 >> 7) & 1, "language": None} for k, row in enumerate(rows)]
    held_out = learn(read(rows), SMALL).facts["held_out"]
    assert 0.25 < held_out["auc"] < 0.75
    assert held_out["accuracy"] < 0.7


def test_repositories_are_held_out_whole(read):
    """A word of the repository tells the label; so long as repositories are whole, that helps nobody."""
    rows = [
        {"content": f"{labelling.tidy(k)}# owner{k // 10}", "label": (k // 10) % 2, "repo_name": f"r{k // 10}"}
        for k in range(400)
    ]
    whole = learn(read(rows), SMALL).facts["held_out"]
    torn = learn(read([row | {"repo_name": None} for row in rows]), SMALL).facts["held_out"]
    assert torn["auc"] > whole["auc"] + 0.1


def test_same_labels_same_scorer(read):
    labelled = read(labelling.labelled())
    one, two = learn(labelled, SMALL), learn(labelled, SMALL)
    other = learn(labelled, replace(SMALL, seed=1))
    assert np.array_equal(one.weights, two.weights)
    assert (one.facts, one.slope, one.bias) == (two.facts, two.slope, two.bias)
    assert not np.array_equal(one.weights, other.weights)


def test_languages(read):
    labelled = read([row | {"language": "C" if row["label"] else "Python"} for row in labelling.labelled()])
    known = learn(labelled, SMALL)
    assert known.languages["C"] > 0 > known.languages["Python"]
    blind = learn(labelled, replace(SMALL, languages=False))
    assert blind.languages == {}
    asked = [as_files([labelling.tidy(7)], [one], [None]) for one in ("C", "Python", "Ada", None)]
    scores = [known.score(one).item() for one in asked]
    assert scores[0] > scores[2] == scores[3] > scores[1]
    assert len({blind.score(one).item() for one in asked}) == 1


def test_calibration(read):
    """Labels of which a quarter is wrong: scores end near three quarters, not at the ends."""
    rows = [row | {"repo_name": None} for row in labelling.labelled(1200)]
    rows = [row | {"label": row["label"] ^ ((k // 2 * 2654435761 >> 9) % 4 == 0)} for k, row in enumerate(rows)]
    scorer = learn(read(rows), replace(SMALL, held_out=0.5))
    held_out = scorer.facts["held_out"]
    assert held_out["calibrated_on"] > 250
    assert scorer.slope < 1
    assert held_out["calibration_error"] < 0.08
    assert 0.65 < held_out["accuracy"] < 0.85


@pytest.mark.parametrize("label", [0, 1])
def test_one_side_is_not_enough(read, label):
    with pytest.raises(UserError, match="too few labels"):
        learn(read([row | {"label": label} for row in labelling.labelled()]), SMALL)


def test_few_files_are_refused(read):
    with pytest.raises(UserError, match="too few labels") as told:
        learn(read(labelling.labelled(8)), SMALL)
    assert "label more files" in told.value.hint


@pytest.mark.parametrize(
    "wrong", [{"bits": 9}, {"bits": 25}, {"orders": 4}, {"passes": 0}, {"held_out": 1.0}, {"held_out": float("nan")}]
)
def test_settings_are_checked(read, wrong):
    with pytest.raises(UserError, match="is out of range"):
        learn(read(labelling.labelled()), replace(SMALL, **wrong))


@pytest.mark.parametrize(
    ("scores", "good", "expected"),
    [
        ([0.1, 0.9], [False, True], 1.0),
        ([0.9, 0.1], [False, True], 0.0),
        ([0.5, 0.5], [False, True], 0.5),
        ([0.1, 0.4, 0.35, 0.8], [False, False, True, True], 0.75),  # scikit-learn's example
        ([0.2, 0.2, 0.2, 0.7], [False, True, True, False], 0.25),
        ([0.3], [True], None),
        ([], [], None),
    ],
)
def test_area(scores, good, expected):
    assert area(np.array(scores, float), np.array(good, bool)) == expected


def test_figures():
    found = figures(np.array([0.9, 0.8, 0.3, 0.6]), np.array([1.0, 1.0, 0.0, 0.0]), ["C", "C", None, "Go"])
    assert found["accuracy"] == 0.75
    assert found["accuracy_error"] == pytest.approx(0.2165, abs=1e-4)
    assert found["auc"] == 1
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.8, 0.7, 0.4]).mean(), abs=1e-4)
    assert found["calibration_error"] == pytest.approx((0.1 + 0.2 + 0.3 + 0.6) / 4)
    assert [one["from"] for one in found["calibration"]] == [0.3, 0.6, 0.8, 0.9]
    assert found["languages"]["C"] == {"files": 2, "good": 2, "accuracy": 1.0, "auc": None}
    assert figures(np.zeros(0), np.zeros(0))["files"] == 0
