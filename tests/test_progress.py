"""Progress: nothing on stdout, plain lines in logs, a bar on a terminal."""

import io
import re
import sys

import pytest

from starloom import progress
from starloom.progress import human, say, task


class Clock:
    now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_quick_tasks_say_nothing(capsys, clock):
    with task("read", 100) as running:
        running.advance(100)
        clock.now += 1.9
    assert capsys.readouterr() == ("", "")


def test_slow_tasks_say_a_line_now_and_then(capsys, clock):
    with task("read", 60_000_000) as running:
        for _ in range(30):  # a million bytes a second
            clock.now += 1
            running.advance(1_000_000)
    out, lines = capsys.readouterr()
    assert out == ""
    assert lines.splitlines() == [
        "  read: 2.0 MB of 60.0 MB, 1.0 MB/s, 58 s left",
        "  read: 12.0 MB of 60.0 MB, 1.0 MB/s, 48 s left",
        "  read: 22.0 MB of 60.0 MB, 1.0 MB/s, 38 s left",
        "  read: 30.0 MB of 60.0 MB, 1.0 MB/s, 30 s left",  # its end
    ]


def test_unknown_totals_and_items(capsys, clock):
    with task("measure", None, "files") as running:
        running.advance(500)
        clock.now += 4
        running.advance(9_500)
    assert capsys.readouterr().err.splitlines() == ["  measure …", "  measure: 10,000 files, 2,500 files/s"]
    with task("nothing", 0, "files"):
        clock.now += 4
    assert capsys.readouterr().err.splitlines() == ["  nothing: 0 files, 0 files/s"]


def fail_late(clock):
    clock.now += 60
    raise RuntimeError


def test_an_exception_passes_and_adds_no_line(capsys, clock):
    with pytest.raises(RuntimeError), task("read", 10) as running:
        fail_late(clock)
    assert running.done == 0
    assert capsys.readouterr().err == ""


def test_a_clock_that_stands_still(clock):
    with task("read", 10) as running:
        running.advance(10)
        assert running.rate().endswith("/s")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_bar_on_a_terminal(monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    for total, unit in ((4_000_000, "bytes"), (None, "files")):
        with task("read", total, unit) as running:
            running.advance(1_000_000)
            running.advance(1_000_000)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert "read" in shown
    assert "50 %" in shown
    assert re.search(r"[\d,.]+ [kMGT]?B/s", shown)
    assert capsys.readouterr().out == ""


def test_say(capsys):
    say("done")
    assert capsys.readouterr() == ("", "done\n")


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [
        (0, "bytes", "0 B"),
        (999, "bytes", "999 B"),
        (1_000, "bytes", "1.0 kB"),
        (12_345_678, "bytes", "12.3 MB"),
        (5_400_000_000, "bytes", "5.4 GB"),
        (67.5e12, "bytes", "67.5 TB"),
        (2.5e15, "bytes", "2500.0 TB"),
        (0, "files", "0 files"),
        (8123, "files", "8,123 files"),
        (8123.4, "files", "8,123 files"),
    ],
)
def test_human(amount, unit, text):
    assert human(amount, unit) == text
