"""Runs of a workspace: found, named, resolved to a model's folder, without torch."""

import dataclasses
import json
import subprocess
import sys

import pytest

from starloom.errors import UserError
from starloom.training import runs
from starloom.training.runs import Loss, Record
from starloom.training.settings import TrainSettings

RECORD = Record(
    settings=TrainSettings().outcome(),
    tokens="a" * 64,
    tokenizer="b" * 64,
    vocabulary=8192,
    parameters=1,
    steps=10,
    threads=2,
    precision="float32",
    device="cpu",
    versions={"torch": "2.13.0"},
    started="2026-01-01T00:00:00+00:00",
)


def put(root, name, finished="", **changes):
    folder = root / "models" / name
    runs.write_record(folder, dataclasses.replace(RECORD, finished=finished, **changes))
    if finished:
        (folder / "model").mkdir()
        (folder / "model" / "manifest.json").write_text("{}")
        (folder / "model" / "config.json").write_text("{}")
    return folder


def refusal(*arguments):
    with pytest.raises(UserError) as refused:
        runs.resolve(*arguments)
    assert refused.value.hint
    return f"{refused.value.problem}; {refused.value.hint}"


def test_a_record_comes_back(tmp_path):
    put(tmp_path, "small")
    found = runs.find(tmp_path, "small")
    assert found.record == RECORD
    assert not found.finished
    assert runs.find(tmp_path, "other") is None
    assert [run.name for run in runs.every(tmp_path)] == ["small"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        "null",
        "[" * 100_000,
        json.dumps(dataclasses.asdict(RECORD) | {"steps": "ten"}),
        json.dumps(dataclasses.asdict(RECORD) | {"more": 1}),
        json.dumps(dataclasses.asdict(RECORD) | {"format": 3}),
        json.dumps(dataclasses.asdict(RECORD) | {"mixture": [1]}),
        json.dumps(dataclasses.asdict(RECORD) | {"mixture": [{"name": "one"}]}),
    ],
    ids=lambda text: text[:12],
)
def test_a_damaged_record(tmp_path, text):
    (put(tmp_path, "small") / "run.json").write_text(text)
    with pytest.raises(UserError) as refused:
        runs.find(tmp_path, "small")
    assert "run.json" in refused.value.problem
    assert refused.value.hint
    assert runs.every(tmp_path) == []


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "-x", ".x", "a b", "é", "x" * 65, "a\n"])
def test_no_name_for_a_run(tmp_path, name):
    with pytest.raises(UserError, match="no name for a run"):
        runs.find(tmp_path, name)


def test_resolve(tmp_path):
    put(tmp_path, "first", finished="2026-01-02T00:00:00+00:00")
    last = put(tmp_path, "last", finished="2026-01-04T00:00:00+00:00")
    put(tmp_path, "middle", finished="2026-01-03T00:00:00+00:00", started="2026-01-02T12:00:00+00:00")
    begun = put(tmp_path, "begun")
    assert runs.resolve(tmp_path) == last / "model"
    assert runs.resolve(tmp_path, "first") == tmp_path / "models" / "first" / "model"
    assert runs.resolve(tmp_path, str(last)) == last / "model"  # a run's own folder
    checkpoint = begun / "checkpoints" / "step-000001"
    checkpoint.mkdir(parents=True)
    (checkpoint / "config.json").write_text("{}")
    assert runs.resolve(None, str(checkpoint)) == checkpoint
    assert "begun has no finished model yet; run `starloom train begun`" in refusal(tmp_path, "begun")
    assert "runs here: begun, first, last, middle" in refusal(tmp_path, "nothing")
    assert "no config.json" in refusal(tmp_path, str(tmp_path))


def test_resolve_where_there_is_little(tmp_path):
    assert "run `starloom train`" in refusal(tmp_path)
    assert "run `starloom train`" in refusal(None)
    assert "no run here yet" in refusal(tmp_path, "small")
    put(tmp_path, "begun")
    assert "begun: begun; run `starloom train begun`" in refusal(tmp_path)


def test_losses(tmp_path):
    one = Loss(1, 9.0, 0.5, 64, 0.1, 640.0, 1.0)
    (tmp_path / "loss.jsonl").write_text(one.to_line() + one.to_line()[:20])
    assert runs.losses(tmp_path) == [one]
    assert runs.losses(tmp_path / "none") == []


def test_differences_name_both_values():
    now = TrainSettings(layers=6).outcome()
    mixture = [{"name": "a", "weight": 0.5, "tokens": ""}, {"name": "b", "weight": 1.0, "tokens": "/x y"}]
    assert runs.differences(RECORD, RECORD.settings, [], RECORD.tokens, RECORD.tokenizer) == []
    assert runs.differences(RECORD, now, mixture, "c" * 64, RECORD.tokenizer) == [
        "layers was 4 and is 6",
        "the mixture was one source and is a 0.5, b 1 /x y",
        "tokens/ was aaaaaaaaaaaa and is cccccccccccc",
    ]


def test_a_record_of_an_older_starloom(tmp_path):
    """Its model can be used; going on with it cannot be exact."""
    folder = put(tmp_path, "small", finished="2026-01-02T00:00:00+00:00")
    old = {name: value for name, value in dataclasses.asdict(RECORD).items() if name != "mixture"}
    (folder / "run.json").write_text(json.dumps(old | {"format": 1}))
    found = runs.find(tmp_path, "small")
    assert runs.resolve(tmp_path, "small") == folder / "model"
    (said,) = runs.differences(found.record, RECORD.settings, [], RECORD.tokens, RECORD.tokenizer)
    assert "an older Starloom" in said


def test_what_asks_of_runs_is_free_of_torch():
    free = ("settings", "runs", "reading", "trace", "locate", "seen", "impact")
    code = f"import sys, {', '.join(f'starloom.training.{one}' for one in free)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
