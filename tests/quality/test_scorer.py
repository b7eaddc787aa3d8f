"""A scorer's folder: written and read back, replaced whole, and refused where it is damaged."""

import hashlib
import json

import numpy as np
import pytest

from quality import labelling
from starloom.errors import UserError
from starloom.quality.scorer import linear
from starloom.quality.scorer.files import as_files
from starloom.quality.scorer.open import HeuristicScorer, mark, open_scorer
from starloom.quality.settings import QualitySettings

FILES = as_files([labelling.tidy(3), labelling.rows(3), "", "\0\ud800"], ["C", "Python", "Ada", None], [None] * 4)


def made(seed=0):
    dice = np.random.default_rng(seed)
    return linear.LinearScorer(
        2, dice.normal(size=1 << 10).astype(np.float32), {"C": 0.5, "Python": -0.25}, 0.125, 1.5, -0.5, {"training": {}}
    )


@pytest.fixture
def folder(tmp_path):
    linear.write(tmp_path / "deep" / "scorer", made())
    return tmp_path / "deep" / "scorer"


def test_round_trip(folder):
    found = linear.read(folder)
    assert np.array_equal(found.score(FILES), made().score(FILES))
    assert (found.orders, found.languages, found.bias) == (2, {"C": 0.5, "Python": -0.25}, 0.125)
    assert found.facts == {"training": {}}
    assert sorted(one.name for one in folder.iterdir()) == ["scorer.json", linear.weights_name(folder)]


def test_the_score_is_the_calibrated_margin(folder):
    found = linear.read(folder)
    margins = found.margins(FILES)
    assert margins[2] == pytest.approx(0.125)  # no feature, no known language: the bias
    assert found.score(FILES) == pytest.approx(1 / (1 + np.exp(-(1.5 * margins - 0.5))), rel=1e-6)
    assert found.score(FILES).dtype == np.float32


def test_a_scorer_is_replaced(folder):
    before = mark(QualitySettings(str(folder)))
    assert open_scorer(QualitySettings(str(folder))).score(FILES) == pytest.approx(made().score(FILES))
    linear.write(folder, made(1))
    assert len(list(folder.iterdir())) == 2
    assert mark(QualitySettings(str(folder))) != before
    assert open_scorer(QualitySettings(str(folder))).score(FILES) == pytest.approx(made(1).score(FILES))


def test_marks(folder, tmp_path):
    assert mark(QualitySettings()) == ""
    linear.write(tmp_path / "other", made())
    assert mark(QualitySettings(str(folder))) == mark(
        QualitySettings(str(tmp_path / "other"))
    )  # where it lies is no matter


def test_a_scorer_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write the scorer"):
        linear.write(tmp_path / "file", made())


def test_heuristics_are_the_default():
    found = open_scorer(QualitySettings())
    assert isinstance(found, HeuristicScorer)
    assert found.score(FILES).shape == (4,)


def test_no_scorer(tmp_path):
    with pytest.raises(UserError, match="is no folder"):
        mark(QualitySettings(str(tmp_path / "missing")))
    with pytest.raises(UserError, match=r"it has neither scorer\.json nor config\.json"):
        open_scorer(QualitySettings(str(tmp_path)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "other"}, "is no scorer of Starloom's"),
        ({"version": 2}, "is of version 2"),
        ({"orders": 4}, "out of its range"),
        ({"orders": True}, "out of its range"),
        ({"buckets": 1000}, "out of its range"),
        ({"buckets": "1024"}, "out of its range"),
        ({"buckets": 2048}, "bytes, not"),
        ({"languages": ["C", "C"]}, "out of its range"),
        ({"languages": [["C"], "D"]}, "out of its range"),
        ({"languages": ["C"]}, "bytes, not"),
        ({"languages": None}, "out of its range"),
        ({"calibration": {}}, "out of its range"),
        ({"calibration": {"slope": "1", "shift": 0}}, "out of its range"),
        ({"calibration": None}, "`calibration` is missing"),
        ({"weights": {"file": "../../etc/passwd"}}, "names no weights"),
        ({"weights": {"file": "weights-0123456789abcdef.f32"}}, "cannot read"),
        ({"weights": []}, "`weights` is missing"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else None,
)
def test_damaged_tables(folder, change, words):
    path = folder / "scorer.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UserError, match=words) as told:
        linear.read(folder)
    assert "starloom scorer train" in told.value.hint
    with pytest.raises(UserError):
        open_scorer(QualitySettings(str(folder)))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"[" * 200_000, b"3"])
def test_damaged_json(folder, data):
    (folder / "scorer.json").write_bytes(data)
    with pytest.raises(UserError, match=r"is not JSON|no scorer"):
        linear.read(folder)


def test_damaged_weights(folder):
    path = folder / linear.weights_name(folder)
    data = bytearray(path.read_bytes())
    data[9] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match="its hash is not the one"):
        linear.read(folder)
    data[:4] = np.array([np.nan], "<f4").tobytes()
    path.write_bytes(data)
    table = json.loads((folder / "scorer.json").read_text())
    table["weights"]["sha256"] = hashlib.sha256(data).hexdigest()
    (folder / "scorer.json").write_text(json.dumps(table))
    with pytest.raises(UserError, match="a weight is no number"):
        linear.read(folder)
