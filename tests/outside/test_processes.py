"""Programs are run to their end, within their limits, and leave nothing behind."""

import os
import queue
import resource
import sys
import time
from pathlib import Path

import pytest

from starloom.errors import UserError
from starloom.outside.processes import STDERR_LIMIT, ProcessError, Stream, run

ENV = {"PATH": os.environ["PATH"], "ONLY": "this"}


def python(code):
    return [sys.executable, "-c", code]


def test_run():
    done = run(python("import sys; sys.stdout.write('out'); sys.stderr.write('err'); sys.exit(3)"), ENV, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (3, b"out", "err")


def test_run_gives_only_the_stated_environment(monkeypatch):
    monkeypatch.setenv("GIT_DIR", "/somewhere")
    done = run(
        python("import os; print(os.environ.get('GIT_DIR'), os.environ['ONLY'], os.getcwd())"),
        ENV,
        timeout=30,
    )
    assert done.stdout == b"None this /\n"


def test_missing_program():
    with pytest.raises(UserError, match="no-such-program") as caught:
        run(["no-such-program"], ENV, timeout=1)
    assert "install" in caught.value.hint


def test_a_relative_path_entry_is_no_program(tmp_path, monkeypatch):
    (tmp_path / "tool").write_text("#!/bin/sh\ntouch marker\n")
    (tmp_path / "tool").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError):
        run(["tool"], {"PATH": "."}, timeout=5)


def test_timeout_kills_the_whole_group(tmp_path):
    marker = tmp_path / "marker"
    # A grandchild that would write a file after the timeout.
    code = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1.5); open({str(marker)!r}, 'w')"])
time.sleep(60)
"""
    started = time.monotonic()
    with pytest.raises(ProcessError, match="no output"):
        run(python(code), ENV, timeout=0.7)
    assert time.monotonic() - started < 5
    time.sleep(1.5)
    assert not marker.exists()


def test_too_much_output():
    with pytest.raises(ProcessError, match="more than"):
        run(python("while True: print('x' * 1000)"), ENV, timeout=30, max_output=100_000)


def test_long_complaints_are_cut():
    done = run(python("import sys; sys.stderr.write('e' * 1_000_000)"), ENV, timeout=30)
    assert len(done.stderr) == STDERR_LIMIT


def test_a_dialogue():
    questions = queue.SimpleQueue()
    with Stream(["cat"], ENV, feed=iter(questions.get, None)) as stream:
        for question in (b"one\n", b"two\n"):
            questions.put(question)
            assert stream.read_until(b"\n") == question[:-1]
        stream.idle_timeout = 0.1
        with pytest.raises(ProcessError, match="no output"):
            stream.read_until(b"\n")
        questions.put(None)
        assert stream.finish() == 0


def test_feeding_and_reading_do_not_deadlock():
    # `cat` with far more on both pipes than they hold.
    feed = os.urandom(1 << 20) * 8
    assert run(["cat"], ENV, timeout=30, feed=feed).stdout == feed


def test_stream_pieces():
    with Stream(
        python("import sys; sys.stdout.buffer.write(b'a\\0bb\\0' + b'x' * 700000 + b'\\0tail')"), ENV
    ) as stream:
        assert stream.read_until(b"\0") == b"a"
        assert stream.read_exactly(2) == b"bb"
        stream.skip(1)
        assert stream.read_until(b"\0") == b"x" * 700000
        with pytest.raises(ProcessError, match="ends within"):
            stream.read_until(b"\0")
        assert stream.finish() == 0


def test_stream_of_many_pieces():
    code = "import sys\nfor n in range(3): sys.stdout.write(f'{n}' * 200_000 + f'\\n{n}\\n'); sys.stdout.flush()"
    with Stream(python(code), ENV) as stream:
        assert stream.read_until(b"\n") == b"0" * 200_000
        pieces = [piece for some in stream.pieces(b"\n") for piece in some]
        assert pieces == [b"0", b"1" * 200_000, b"1", b"2" * 200_000, b"2"]
        assert stream.finish() == 0


@pytest.mark.parametrize(
    ("code", "problem"), [("print('x' * 3_000_000)", "longer"), ("print('a\\nb', end='')", "ends")]
)
def test_pieces_have_limits(code, problem):
    with Stream(python(code), ENV) as stream, pytest.raises(ProcessError, match=problem):
        list(stream.pieces(b"\n", 1 << 20))


def test_skipping_and_reading_over_chunks():
    data = os.urandom(3_000_000)
    with Stream(["cat"], ENV, feed=data) as stream:
        stream.skip(1_000_001)
        assert stream.read_exactly(1_500_000) == data[1_000_001:2_500_001]
        with pytest.raises(ProcessError):
            stream.skip(600_000)


def test_what_a_talkative_program_complains_is_a_sign_of_life():
    code = "import sys, time\nfor _ in range(8): time.sleep(0.25); print('.', file=sys.stderr, flush=True)"
    with Stream(python(code), ENV, idle_timeout=1.0, talkative=True) as stream:
        assert stream.finish() == 0
    with Stream(python(code), ENV, idle_timeout=1.0) as stream, pytest.raises(ProcessError, match="no output"):
        stream.finish()
    with (
        Stream(python(code + "\ntime.sleep(60)"), ENV, idle_timeout=1.0, talkative=True) as stream,
        pytest.raises(ProcessError, match="no output"),
    ):
        stream.finish()


def test_limits(tmp_path):
    path = tmp_path / "large"
    limits = {resource.RLIMIT_FSIZE: 1 << 20}
    code = f"import time; time.sleep(0.2); open({str(path)!r}, 'wb').write(b'x' * (1 << 22))"
    with Stream(python(code), ENV, limits=limits) as stream:
        assert stream.finish() != 0
    assert path.stat().st_size <= 1 << 20


def test_stream_end():
    with Stream(["true"], ENV) as stream:
        assert stream.read_until(b"\0") is None
        with pytest.raises(ProcessError):
            stream.read_exactly(1)


def test_stream_piece_limit():
    with Stream(["yes"], ENV) as stream, pytest.raises(ProcessError, match="longer than"):
        stream.read_until(b"\0", 1 << 20)


def test_leaving_early_kills_and_frees():
    before = {one.name for one in Path("/proc/self/fd").iterdir()}
    with Stream(["yes"], ENV, feed=b"x" * (1 << 20)) as stream:
        stream.read_exactly(10)
        pid = stream._process.pid
    assert not Path(f"/proc/{pid}").exists()
    assert {one.name for one in Path("/proc/self/fd").iterdir()} == before


def test_a_program_that_ends_before_it_is_fed():
    assert run(["true"], ENV, timeout=30, feed=b"x" * (1 << 22)).returncode == 0
