"""Benchmarks in a build: the rule drops what has a problem of one, and another set of benchmarks measures only that."""

import json

import pytest

from starloom.errors import UserError
from starloom.stages import load_settings
from starloom.the_stack import tables
from starloom.the_stack.measure import STAGE
from starloom.the_stack.signal import all_signals
from starloom.workspace.manifest import read_manifest
from starloom.workspace.stage import Job
from tasks.benchmark_samples import MBPP, PROMPT, SOLUTION, benchmarks, lines
from the_stack.building import MIT, Workspace, code, folder

RULE = """
[[rules]]
name = "contaminated"
drop = "benchmark_match IS NOT NULL"
"""
NONE = "no benchmarks are looked for"


def parts(made):
    """(signal, part) of every part there is, with the time it was written."""
    return {
        (one.name, path.parent.name): path.stat().st_mtime_ns
        for one in all_signals()
        for path in tables.signal(made.root, one.name)
    }


@pytest.fixture
def made(tmp_path):
    planted = (PROMPT + SOLUTION).replace("    ", "\t").replace("\n", "\r\n").encode()
    files = {
        "LICENSE": MIT,
        "clean.py": code(1),
        "planted.py": code(2) + b"\n\n" + planted + b"\n" + code(3),
        "text.md": f"# Notes\n\nOne more exercise:\n\n> {MBPP[1]['text']}\n".encode(),
    }
    return Workspace(tmp_path / "workspace", folder(tmp_path / "sources" / "alpha", files))


def named(path):
    return f"[contamination]\nbenchmarks = [{json.dumps(str(path))}]\n"


def test_a_build(made, tmp_path, capsys):
    made.configure(RULE)
    made.build()
    first = parts(made)
    assert NONE in capsys.readouterr().err
    assert all(row["rule"] != "contaminated" for row in made.ledger().values())
    made.configure(named(benchmarks(tmp_path / "benchmarks")))
    made.build()
    assert NONE not in capsys.readouterr().err
    second = parts(made)
    assert {key for key in first.keys() | second.keys() if first.get(key) != second.get(key)} == {
        key for key in second if key[0] == "contamination"
    }
    ledger = {path: (row["rule"], row["value"]) for (_, path), row in made.ledger().items()}
    line = len(code(2).splitlines()) + 3
    assert ledger["planted.py"] == (
        "contaminated",
        f"humaneval HumanEval/0, prompt: lines {line} to {line + 7}",
    )
    assert ledger["text.md"] == ("contaminated", "mbpp 11, prompt: line 5")
    assert ledger["clean.py"][0] != "contaminated"


def test_a_changed_benchmark_is_looked_for_again(made, tmp_path):
    place = benchmarks(tmp_path / "benchmarks")
    made.configure(named(place) + RULE)
    made.build()
    before = parts(made)
    lines(place / "humaneval" / "HumanEval.jsonl.gz", [{"task_id": "HumanEval/9", "prompt": "x" * 99}])
    made.build()
    changed = {key[0] for key, time in parts(made).items() if before.get(key) != time}
    assert changed == {"contamination"}
    assert {path for (_, path), row in made.ledger().items() if row["rule"] == "contaminated"} == {"text.md"}


def test_nothing_is_fetched_by_asking_for_the_state(made, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    asked = []
    monkeypatch.setattr("starloom.outside.hub.snapshot", lambda *given, **_: asked.append(given[0]) or given)
    made.configure('[contamination]\nbenchmarks = ["hub:owner/name"]\n')
    settings = load_settings(made.root)
    assert Job(made.root, STAGE, settings, None).state() in ("missing", "stale")
    assert asked == []
    with pytest.raises(UserError, match="is not fetched yet"):  # this Hub answers nothing
        made.build()
    assert asked == ["owner/name"]


def test_benchmarks_from_the_hub(made, tmp_path, monkeypatch):
    from starloom.outside import hub

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def snapshot(repo_id, target, revision, patterns):
        lines(target / "test.jsonl", [MBPP[1]])
        record = {"repo_id": repo_id, "revision": revision or "main", "commit": "0" * 40, "files": 1, "bytes": 1}
        (target / hub.RECORD).write_text(json.dumps(record))

    monkeypatch.setattr(hub, "snapshot", snapshot)
    made.configure('[contamination]\nbenchmarks = ["hub:owner/mbpp@v1"]\n' + RULE)
    made.build()
    assert (tmp_path / "cache" / "starloom" / "benchmarks" / "owner--mbpp@v1" / "test.jsonl").is_file()
    assert {path for (_, path), row in made.ledger().items() if row["rule"] == "contaminated"} == {"text.md"}
    assert read_manifest(made.root / "signals").facts["complete"]
    monkeypatch.setattr(hub, "snapshot", None)  # it is there
    made.build()


def test_a_folder_that_is_gone_stops_the_build(made, tmp_path):
    made.configure(named(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="does not exist"):
        made.build()
