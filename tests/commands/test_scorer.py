"""`starloom scorer train` and `score`, as processes of their own."""

import json

import pytest

from quality import labelling


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(folder, finished process) of one training."""
    from the_stack import building

    base = tmp_path_factory.mktemp("scorer")
    labels = labelling.write(base / "labels.jsonl", labelling.labelled())
    done = building.starloom("scorer", "train", labels, "--out", base / "made", "--bits", "14", cwd=base)
    return base / "made", done


def test_train(trained):
    folder, done = trained
    assert done.returncode == 0, done.stderr
    assert "on 24 others" in done.stdout
    assert "auc                1.000" in done.stdout
    assert f'[quality]\nscorer = "{folder}"' in done.stdout
    assert {one.name for one in folder.iterdir()} > {"scorer.json"}


def test_train_for_programs(cli, tmp_path):
    rows = [row | {"label": "fine" if row["label"] else "noise"} for row in labelling.labelled()]
    labelling.write(tmp_path / "named.jsonl", rows)
    done = cli("scorer", "train", "named.jsonl", "--out", "made", "--good", "fine", "--seed", "4", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["folder"] == "made"
    assert found["training"]["seed"] == 4
    assert found["held_out"]["files"] + found["training"]["files"] == 120


def test_score(trained, cli, tmp_path):
    folder, _ = trained
    (tmp_path / "tidy.py").write_text(labelling.tidy(999))
    (tmp_path / "rows.c").write_text(labelling.rows(999))
    found = json.loads(cli("scorer", "score", folder, "tidy.py", "rows.c", "--json").stdout)
    assert found["scorer"] == "token n-grams"
    assert [(row["path"], row["language"]) for row in found["files"]] == [("tidy.py", "Python"), ("rows.c", "C")]
    assert found["files"][0]["score"] > 0.8 > 0.2 > found["files"][1]["score"]
    lines = cli("scorer", "score", folder, "tidy.py", "rows.c").stdout.splitlines()
    assert [float(line.split()[0]) for line in lines] == [round(row["score"], 3) for row in found["files"]]


def test_score_by_heuristics(cli, tmp_path):
    (tmp_path / "rows.c").write_text(labelling.rows(999))
    row = json.loads(cli("scorer", "score", "heuristics", "rows.c", "--json").stdout)["files"][0]
    assert row["parts"]["numbers"] < 1
    assert "numbers 0." in cli("scorer", "score", "heuristics", "rows.c").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "bad.jsonl", "--out", "x"], ["bad.jsonl:2: `label` is missing", '"label": 1']),
        (["train", "missing.jsonl", "--out", "x"], ["cannot read missing.jsonl"]),
        (["train", "few.jsonl", "--out", "x"], ["too few labels"]),
        (["train", "few.jsonl", "--out", "x", "--bits", "40"], ["bits = 40 is out of range", "10 to 24"]),
        (["score", "missing", "few.jsonl"], ["is no folder", "starloom scorer train"]),
        (["score", ".", "few.jsonl"], ["is no scorer"]),
        (["score", "heuristics", "few.jsonl", "missing.py", "binary"], ["2 of 3 files could not be scored"]),
    ],
    ids=lambda value: "-".join(value)[:40] if isinstance(value, list) else None,
)
def test_refusals(cli, refused, tmp_path, arguments, words):
    labelling.write(tmp_path / "bad.jsonl", [{"content": "a", "label": 1}, {"content": "b"}])
    labelling.write(tmp_path / "few.jsonl", labelling.labelled(6))
    (tmp_path / "binary").write_bytes(b"a\0b")
    refused(cli("scorer", *arguments), *words)
    assert not (tmp_path / "x").exists()
