"""Stages in order: fresh ones are skipped, content stops what would be stale, damage is named."""

import dataclasses
import errno
import fcntl
import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from starloom.engine.verbs import EngineSettings
from starloom.errors import UserError
from starloom.workspace.run import build, clear_spill, engine, forecasts, last_runs, statuses
from starloom.workspace.stage import Done, Stage

ENGINE = EngineSettings(workers=1)


@dataclass
class Log:
    ran: list[str] = field(default_factory=list)


def chain(log, world):
    """`first` copies a word from outside, `second` writes its length, `third` copies that."""

    def first(job):
        log.ran.append("first")
        with job.publish() as draft:
            draft.write("word.txt", world.word.encode())
        return Done(len(world.word), "a word")

    def second(job):
        log.ran.append("second")
        word = (job.root / "first" / "word.txt").read_text()
        if word == "bug":
            raise ZeroDivisionError
        with job.publish() as draft:
            draft.write("length.txt", str(len(word) * job.settings.factor).encode())
        return Done(0)

    def third(job):
        log.ran.append("third")
        with job.publish() as draft:
            draft.write("copy.txt", (job.root / "second" / "length.txt").read_bytes())
        return Done(0)

    return (
        Stage("first", "first", 1, (), lambda s: {}, first, outside=lambda job: {"word": world.word}),
        Stage("second", "second", 1, ("first",), lambda s: {"factor": s.factor}, second, forecast=lambda job: "count"),
        Stage("third", "third", 1, ("second",), lambda s: {}, third),
    )


@pytest.fixture
def run(tmp_path):
    log, world = Log(), SimpleNamespace(word="one")
    stages = chain(log, world)

    def again(word="one", factor=1):
        log.ran.clear()
        world.word = word
        build(tmp_path, stages, SimpleNamespace(factor=factor), ENGINE, "test")
        return list(log.ran)

    again.root, again.stages, again.world = tmp_path, stages, world
    return again


def test_only_what_changed_runs(run):
    assert run() == ["first", "second", "third"]
    assert run() == []
    assert run(factor=2) == ["second", "third"]  # a setting
    assert run(factor=1) == ["second", "third"]
    assert run(word="three") == ["first", "second", "third"]  # the world outside


def test_equal_content_makes_nothing_after_it_stale(run):
    run(word="one")
    assert run(word="two") == ["first", "second"]  # as long as "one", so the third reads the same bytes


def test_states_and_forecasts(run):
    settings = SimpleNamespace(factor=1)
    before = statuses(run.root, run.stages, settings, ENGINE)
    assert [one.state for one in before] == ["missing"] * 3
    assert forecasts(run.root, run.stages, settings, ENGINE)[1] == (
        "second",
        "missing",
        "run, after the stages before it",
    )
    run()
    assert [one.state for one in statuses(run.root, run.stages, settings, ENGINE)] == ["fresh"] * 3
    run.world.word = "three"
    rows = forecasts(run.root, run.stages, settings, ENGINE)
    assert [state for _, state, _ in rows] == ["stale"] * 3  # what follows a stale stage may be stale
    assert rows[1][2] == "count"


def test_a_torn_manifest_is_told_in_its_row(run):
    run()
    path = run.root / "second" / "manifest.json"
    path.write_bytes(path.read_bytes()[:-5])
    rows = statuses(run.root, run.stages, SimpleNamespace(factor=1), ENGINE)
    assert [one.state for one in rows] == ["fresh", "damaged", "stale"]
    assert f"{path} is damaged" in rows[1].problem
    assert str(path.parent) in rows[1].hint
    assert rows[0].problem is rows[2].problem is None
    assert run() == ["second"]


def test_a_forecast_fails_as_the_build_will(run):
    def outside(job):
        raise UserError("a line is wrong", "mend it")

    run()
    stages = (dataclasses.replace(run.stages[0], outside=outside), *run.stages[1:])
    settings = SimpleNamespace(factor=1)
    with pytest.raises(UserError, match="a line is wrong"):
        build(run.root, stages, settings, ENGINE, "test")
    with pytest.raises(UserError, match="a line is wrong"):
        forecasts(run.root, stages, settings, ENGINE)
    rows = statuses(run.root, stages, settings, ENGINE)
    assert [(one.state, one.problem) for one in rows] == [
        ("stale", "a line is wrong"),
        ("stale", None),
        ("stale", None),
    ]


def test_damage_is_named_and_a_bug_is_not_hidden(run):
    run()
    word = run.root / "first" / "word.txt"
    word.write_text("xne")  # as long: only the hash tells
    with pytest.raises(ZeroDivisionError):
        run(word="bug")
    run()
    word.write_text("bug")
    with pytest.raises(UserError, match=r"damaged file: .*word\.txt was altered") as refused:
        run(factor=3)
    assert "delete" in refused.value.hint


def test_the_run_log_tells_times_and_survives_a_torn_line(run, capsys):
    run()
    assert "up to date" not in capsys.readouterr().err
    log = run.root / ".starloom" / "runs.jsonl"
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    assert [entry["stage"] for entry in entries] == ["first", "second", "third"]
    with log.open("a") as file:
        file.write('{"stage": "first", "sec')
    assert set(last_runs(run.root)) == {"first", "second", "third"}
    run()
    assert "first   up to date" in capsys.readouterr().err


def test_no_time_and_no_place_in_what_is_published(run, tmp_path):
    run()
    for name in ("first", "second", "third"):
        text = (run.root / name / "manifest.json").read_text()
        assert str(tmp_path) not in text


def test_leftovers_of_a_killed_run_are_cleared(run):
    run()
    spilled = run.root / ".starloom" / "spill" / f"{socket.gethostname()}-999999999.0"
    spilled.mkdir(parents=True)
    (run.root / ".second.0123456789abcdef.aside").mkdir()
    run()
    assert not spilled.exists()
    assert not list(run.root.glob(".*.aside"))


def test_what_was_deleted_is_made_again(run):
    run()
    (run.root / "second" / "length.txt").unlink()
    assert [one.state for one in statuses(run.root, run.stages, SimpleNamespace(factor=1), ENGINE)] == [
        "fresh",
        "damaged",
        "stale",
    ]
    assert run() == ["second"]  # the same bytes again, so the third is what it was


def test_a_named_spill_folder_keeps_what_else_is_in_it(tmp_path):
    named, root = tmp_path / "scratch", tmp_path / "w"
    (named / "starloom-spill" / f"{socket.gethostname()}-999999999.0").mkdir(parents=True)  # of a killed run
    (named / "mine.txt").write_text("mine")
    root.mkdir()
    for settings in (EngineSettings(workers=1, spill=str(named)), EngineSettings(workers=1, spill="../scratch")):
        with engine(root, settings) as local:
            local.table("SELECT 1", {})
            assert local.spill.parent.resolve() == named / "starloom-spill"
        assert not local.spill.exists()
        assert (named / "mine.txt").read_text() == "mine"
    clear_spill(root, settings)
    assert list((named / "starloom-spill").iterdir()) == []


RUN = """
import os, socket, sys, time
from pathlib import Path
from starloom.engine.verbs import EngineSettings
from starloom.workspace.run import engine
os.getpid = lambda: 999999999  # of another machine, or of a container: nobody here sees such a process
if sys.argv[2]:
    socket.gethostname = lambda: sys.argv[2]
with engine(Path(sys.argv[1]), EngineSettings(workers=2)) as local:
    local.table("SELECT 1", {})
    list(local.map(str, ["workers", "are", "forked"]))
    print(local.spill, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("host", ["another.example", ""], ids=["of another name", "of the same name"])
def test_what_others_spill_stays_as_long_as_they_live(tmp_path, host):
    """Machines and containers share a workspace, or a folder to spill into."""
    other = subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path), host], stdout=subprocess.PIPE, text=True)
    try:
        folder = Path(other.stdout.readline().strip())
        with engine(tmp_path, ENGINE) as local:
            clear_spill(tmp_path, ENGINE)
            assert sorted(folder.parent.iterdir()) == sorted([folder, local.spill])
            (folder / "duckdb_temp_storage_DEFAULT-0.tmp").write_text("a text")
            other.kill()
            other.wait()
            clear_spill(tmp_path, ENGINE)
            assert list(folder.parent.iterdir()) == [local.spill]
        assert list(folder.parent.iterdir()) == []
    finally:
        other.kill()
        other.communicate()


def test_the_folder_of_a_killed_run_is_not_taken_for_another_of_its_name(tmp_path):
    """In a container every run may be process 1."""
    spilled = tmp_path / ".starloom" / "spill"
    for number in range(200):
        (spilled / f"{socket.gethostname()}-{os.getpid()}.{number}").mkdir(parents=True)
    with engine(tmp_path, ENGINE) as local:
        local.table("SELECT 1", {})
        assert len(list(spilled.iterdir())) == 201
        (spilled / "4711").mkdir()  # as Starloom named them once
        (spilled / "mine-1").mkdir()
        clear_spill(tmp_path, ENGINE)
        assert sorted(spilled.iterdir()) == sorted([spilled / "mine-1", local.spill])


def test_without_locks_folders_stay(tmp_path, monkeypatch):
    def refuse(_descriptor, _operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    killed = tmp_path / ".starloom" / "spill" / "4711"
    killed.mkdir(parents=True)
    monkeypatch.setattr(fcntl, "flock", refuse)
    with engine(tmp_path, ENGINE) as local:
        assert local.table("SELECT 1 AS n", {}).to_pylist() == [{"n": 1}]
        clear_spill(tmp_path, ENGINE)
        assert sorted(killed.parent.iterdir()) == sorted([killed, local.spill])
    assert list(killed.parent.iterdir()) == [killed]


def test_engines_of_one_process_spill_apart(tmp_path):
    with engine(tmp_path, ENGINE) as one, engine(tmp_path, ENGINE) as other:
        other.table("SELECT 1", {})
        one.__exit__()
        assert other.spill.is_dir()


def test_a_workspace_that_may_only_be_read_is_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with engine(tmp_path, ENGINE) as local:
        assert local.table("SELECT 1 AS n", {}).to_pylist() == [{"n": 1}]
    assert list(tmp_path.iterdir()) == []
    assert not local.spill.exists()
