"""The resident ScanCode: answers, its faults (through a stand-in that speaks the worker's protocol), its cache."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.licenses import scancode
from starloom.licenses.canonical import canonical, text_id
from starloom.licenses.scancode import Match, Program, Scan, Scanner
from starloom.licenses.scancode_cache import Answers, default_path

# The stand-in: what a text says is what happens to it. Each start and each question leaves a byte in a file.
STAND_IN = """
import json, os, sys, time
def note(name):
    with open(os.path.join(sys.argv[1], name), "a") as file:
        file.write(".")
def say(what):
    sys.stdout.write(json.dumps(what) + "\\n")
    sys.stdout.flush()
note("starts")
say({"ready": True})
while line := sys.stdin.buffer.readline():
    text_id, size = line.decode().split()
    text = sys.stdin.buffer.read(int(size)).decode()
    note("questions")
    if text == "crash" or (text == "crash once" and not os.path.exists(sys.argv[1] + "/crashed")):
        note("crashed")
        os.abort()
    if text == "hang":
        time.sleep(600)
    if text == "torn":
        os.write(1, b'{"id": "')
        os._exit(0)
    if text == "noise":
        print("this is no answer")
    if text == "another's":
        text_id = "0" * 32
    if text == "failed":
        say({"id": text_id, "problem": "ScanCode failed: ValueError"})
    else:
        say({"id": text_id, "expressions": [text.upper()], "matches": [[text.upper(), "a.RULE", 99.5, 1, 2]]})
"""


class StandIn:
    def __init__(self, folder):
        self._folder = folder
        path = folder / "stand_in.py"
        path.write_text(STAND_IN)
        self.program = Program((sys.executable, str(path), str(folder)), "1.0")
        self.cache = folder / "cache" / "scancode.sqlite"

    def scanner(self, seconds=60.0, **changes):
        return Scanner(cache=self.cache, seconds=seconds, program=changes.get("program", self.program))

    def scan(self, *texts, **changes):
        with self.scanner(**changes) as scanner:
            return list(scanner.scan((text_id(text), text) for text in texts))

    def count(self, name):
        path = self._folder / name
        return path.stat().st_size if path.exists() else 0


@pytest.fixture
def stand_in(tmp_path):
    return StandIn(tmp_path)


def _answer(text):
    return Scan(text_id(text), (text.upper(),), (Match(text.upper(), "a.RULE", 99.5, 1, 2),))


def test_answers_come_in_the_order_asked_from_one_worker(stand_in):
    texts = [f"text {i}\nwith lines and ünïcode" for i in range(20)]
    random.Random(1).shuffle(texts)
    assert stand_in.scan(*texts) == [_answer(text) for text in texts]
    assert stand_in.count("starts") == 1


def test_each_text_is_asked_about_once(stand_in):
    assert stand_in.scan("a", "b", "a") == [_answer("a"), _answer("b"), _answer("a")]
    assert stand_in.scan("b", "c") == [_answer("b"), _answer("c")]
    assert stand_in.count("questions") == 3


def test_no_worker_for_what_is_known(stand_in):
    with stand_in.scanner() as scanner:
        assert list(scanner.scan([])) == []
    stand_in.scan("a")
    stand_in.scan("a")
    assert stand_in.count("starts") == 1


def test_the_worker_stays_between_scans(stand_in):
    with stand_in.scanner() as scanner:
        for text in ("a", "b", "c"):
            assert list(scanner.scan([(text_id(text), text)])) == [_answer(text)]
        assert scanner.asked == 3
    assert stand_in.count("starts") == 1


def test_another_version_asks_again(stand_in):
    stand_in.scan("a")
    stand_in.scan("a", program=Program(stand_in.program.argv, "2.0"))
    stand_in.scan("a")
    assert stand_in.count("questions") == 2


@pytest.mark.parametrize("text", ["crash", "torn", "noise", "another's"])
def test_a_fault_costs_a_worker_and_is_a_problem(stand_in, text):
    broken = Scan(text_id(text), (), (), "ScanCode crashed")
    assert stand_in.scan("a", text, "b") == [_answer("a"), broken, _answer("b")]
    assert stand_in.count("starts") == 3  # the text is tried twice, and the next one has a worker of its own


def test_a_hang_is_cut_short(stand_in, monkeypatch):
    monkeypatch.setattr(scancode, "GRACE", 0.2)
    told = "ScanCode took more than 0.5 s"
    assert stand_in.scan("a", "hang", "b", seconds=0.5) == [
        _answer("a"),
        Scan(text_id("hang"), (), (), told),
        _answer("b"),
    ]
    assert stand_in.count("starts") == 2


def test_a_crash_from_without_is_got_over(stand_in):
    assert stand_in.scan("crash once") == [_answer("crash once")]
    assert stand_in.count("starts") == 2


def test_problems_are_not_kept(stand_in):
    for _ in range(2):
        assert stand_in.scan("failed")[0].problem == "ScanCode failed: ValueError"
    assert stand_in.count("questions") == 2


def test_an_interrupt_does_not_shift_the_answers(stand_in):
    with stand_in.scanner() as scanner:
        list(scanner.scan([(text_id("a"), "a")]))
        signal.signal(signal.SIGALRM, _interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(KeyboardInterrupt):
            list(scanner.scan([(text_id("hang"), "hang")]))
        assert list(scanner.scan([(text_id("b"), "b")])) == [_answer("b")]


def _interrupt(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("program", "told", "hint"),
    [
        ("import sys; sys.exit('no index here')", "no index here", "force-reinstall"),
        ("raise ImportError('plugincode: did not find any hooks')", "did not find any hooks", "pluggy<1.7"),
        ("", "it said nothing", "force-reinstall"),
    ],
    ids=["exit", "pluggy", "silent"],
)
def test_a_worker_that_does_not_start_is_told(stand_in, program, told, hint):
    with pytest.raises(UserError, match=told) as caught:
        stand_in.scan("a", program=Program((sys.executable, "-c", program), "1.0"))
    assert hint in str(caught.value.hint)


def test_without_scancode(tmp_path, monkeypatch):
    monkeypatch.setattr(scancode, "version", lambda: None)
    with pytest.raises(UserError, match="not installed"):
        Scanner(cache=tmp_path / "x")


def test_nothing_is_left_in_the_temporary_folder(stand_in, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    stand_in.scan("a", "crash")
    assert list((tmp_path / "temporary").iterdir()) == []


# --- the cache ---------------------------------------------------------------------------------------------------


def test_default_path(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert default_path() == Path("/x/starloom/scancode.sqlite")


DAMAGES = {
    "empty": lambda data: b"",
    "no database": lambda data: b"not a database " * 200,
    "half": lambda data: data[: len(data) // 2],
    "torn page": lambda data: data[:4096] + b"\xff" * 4096 + data[8192:],
    "zeros": lambda data: b"\0" * len(data),
    "head": lambda data: b"\0" * 100 + data[100:],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_cache_is_an_empty_one(stand_in, damage):
    texts = [f"{i} " * 300 for i in range(20)]
    stand_in.scan(*texts)
    stand_in.cache.write_bytes(damage(stand_in.cache.read_bytes()))
    assert stand_in.scan(*texts) == [_answer(text) for text in texts]
    assert 20 < stand_in.count("questions") <= 40
    before = stand_in.count("questions")
    assert stand_in.scan(*texts) == [_answer(text) for text in texts]
    assert stand_in.count("questions") == before  # whole again


def test_another_table_of_that_name(stand_in):
    stand_in.cache.parent.mkdir()
    with closing(sqlite3.connect(stand_in.cache)) as file:
        file.execute("CREATE TABLE answers (id)")
    stand_in.scan("a")
    stand_in.scan("a")
    assert stand_in.count("questions") == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"null",
        b"[]",
        b'{"id": "x"}',
        b'{"id": 1, "expressions": 1}',
        b"\xff",
        b'{"expressions": [], "matches": []}',
    ],
)
def test_an_answer_that_is_none_is_asked_again(stand_in, answer):
    with closing(Answers(stand_in.cache, "1.0/1")) as answers:
        answers.put(text_id("a"), answer)
    assert stand_in.scan("a") == [_answer("a")]
    assert stand_in.count("questions") == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(place=st.integers(0, 1 << 16), byte=st.integers(1, 255))
def test_no_flipped_byte_makes_another_answer(tmp_path, place, byte):
    path = tmp_path / "flipped.sqlite"
    path.unlink(missing_ok=True)
    kept = {f"{i:032x}": b"answer %d " % i * 20 for i in range(30)}
    with closing(Answers(path, "1.0")) as answers:
        for one, answer in kept.items():
            answers.put(one, answer)
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= byte
    path.write_bytes(data)
    with closing(Answers(path, "1.0")) as answers:
        for one, answer in kept.items():
            assert answers.get(one) in (None, answer)
            answers.put(one, answer)
            assert answers.get(one) == answer


@pytest.mark.parametrize("obstacle", ["folder", "file above"])
def test_without_a_place_the_cache_is_in_memory(stand_in, obstacle):
    if obstacle == "folder":
        stand_in.cache.mkdir(parents=True)
    else:
        stand_in.cache.parent.write_text("")
    assert stand_in.scan("a", "a") == [_answer("a")] * 2
    assert stand_in.count("questions") == 1


def test_what_cannot_be_written_is_still_answered(stand_in):
    stand_in.scan("a")
    with stand_in.scanner() as scanner, closing(sqlite3.connect(stand_in.cache, isolation_level=None)) as other:
        scanner._answers._file.execute("PRAGMA busy_timeout = 10")
        other.execute("BEGIN EXCLUSIVE")
        assert list(scanner.scan([(text_id("b"), "b")])) == [_answer("b")]
        other.execute("ROLLBACK")
        assert list(scanner.scan([(text_id("a"), "a")])) == [_answer("a")]
    assert stand_in.count("questions") == 2


_FILL = """
import sys
from pathlib import Path
from starloom.licenses.scancode_cache import Answers

answers = Answers(Path(sys.argv[1]), "1.0")
for i in range(int(sys.argv[2]), int(sys.argv[2]) + 300):
    answers.put(f"{i:032x}", b"answer %d" % i)
answers.close()
"""


def test_several_processes_share_it(tmp_path):
    path = tmp_path / "shared.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", _FILL, path, str(start)]) for start in (0, 150, 300)]
    assert [one.wait(60) for one in writers] == [0, 0, 0]
    with closing(Answers(path, "1.0")) as answers:
        assert all(answers.get(f"{i:032x}") == b"answer %d" % i for i in range(600))


# --- ScanCode itself ---------------------------------------------------------------------------------------------

needs_scancode = pytest.mark.skipif(
    scancode.version() is None, reason="the extra `licenses` (ScanCode, 750 MB) is not installed"
)

GPL_NOTICE = """This program is free software; you can redistribute it and/or modify it under the terms of the GNU
General Public License as published by the Free Software Foundation; either version 2 of the License, or (at your
option) any later version.
"""
APACHE_NOTICE = """Licensed under the Apache License, Version 2.0 (the "License"); you may not use this file except in
compliance with the License. You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0
"""


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    with Scanner(cache=tmp_path_factory.mktemp("real") / "cache.sqlite") as scanner:
        yield scanner


@needs_scancode
@pytest.mark.slow
class TestScanCode:
    def test_it_finds_licences(self, real):
        texts = [
            canonical(text).text
            for text in (GPL_NOTICE, APACHE_NOTICE, "nothing of that kind", GPL_NOTICE + "\n\n\n" + APACHE_NOTICE)
        ]
        found = list(real.scan((text_id(text), text) for text in texts))
        assert [one.problem for one in found] == [None] * 4
        assert [one.expressions for one in found[:3]] == [("GPL-2.0-or-later",), ("Apache-2.0",), ()]
        assert {match.expression for match in found[3].matches} == {"GPL-2.0-or-later", "Apache-2.0"}
        (match,) = found[0].matches
        assert (match.start, match.end, match.score) == (1, 3, 100.0)
        assert match.rule.endswith((".RULE", ".LICENSE"))
        asked = real.asked
        assert list(real.scan((text_id(text), text) for text in texts)) == found
        assert real.asked == asked

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "\0" * 1000,
            "%PDF-1.4 gpl license",
            "\x7fELF license gpl",
            "x" * 200_000,
            "SplineFontDB: 3.0\nlicense: GPL",
            '{"version":3,"sources":["gpl"],"sourcesContent":["license"]}',
            "\ufeffgpl v2 license",
            "license \ud7ff \U0010ffff",
        ],
        ids=["empty", "nul", "pdf", "elf", "long", "font", "map", "bom", "planes"],
    )
    def test_any_text_has_an_answer(self, real, text):
        (one,) = real.scan([(text_id(text), text)])
        assert one.problem is None

    def test_the_order_of_questions_does_not_matter(self, real, tmp_path):
        texts = [
            GPL_NOTICE,
            APACHE_NOTICE,
            APACHE_NOTICE + GPL_NOTICE,
            "mit license",
            "licensed under the terms of apache 2.0",
        ]
        pairs = [(text_id(text), text) for text in texts]
        with Scanner(cache=tmp_path / "other.sqlite") as other:
            assert list(real.scan(pairs)) == list(other.scan(pairs[::-1]))[::-1]

    def test_a_killed_parent_takes_it_along(self, tmp_path):
        program = (
            "import sys, time; from pathlib import Path; from starloom.licenses.scancode import Scanner\n"
            "scanner = Scanner(cache=Path(sys.argv[1]))\n"
            "list(scanner.scan([('0' * 32, 'gpl')]))\n"
            "print(scanner._worker._stream._process.pid, flush=True); time.sleep(600)"
        )
        with subprocess.Popen([sys.executable, "-c", program, tmp_path / "c"], stdout=subprocess.PIPE) as parent:
            worker = int(parent.stdout.readline())
            parent.kill()
        end = time.monotonic() + 30
        while Path(f"/proc/{worker}").exists() and time.monotonic() < end:
            time.sleep(0.1)
        assert not Path(f"/proc/{worker}").exists()
