"""One writer per workspace, and a lock that dies with its holder."""

import errno
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from faults import in_child, open_descriptors, wait_for
from starloom.errors import UserError
from starloom.workspace.lock import FOLDER, NAME, lock

HOLD = """
import sys, time
from pathlib import Path
from starloom.workspace.lock import lock
with lock(Path(sys.argv[1]), "starloom build --small"):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def test_lock(tmp_path):
    path = tmp_path / FOLDER / NAME
    with lock(tmp_path, "starloom build"):
        said = json.loads(path.read_bytes())
        assert (said["command"], said["pid"]) == ("starloom build", os.getpid())
    assert path.read_bytes() == b""  # the file stays, empty
    with lock(tmp_path, "starloom build"):
        pass


def test_a_second_writer_is_told_who_holds_it(tmp_path, holder):
    with pytest.raises(UserError) as problem, lock(tmp_path, "starloom build"):
        pass
    assert re.fullmatch(
        rf"workspace {re.escape(str(tmp_path))} is in use by `starloom build --small` "
        rf"\(pid {holder.pid} on \S+, since (\d\d\d\d-\d\d-\d\d )?\d\d:\d\d\)",
        problem.value.problem,
    )
    assert problem.value.hint


def test_the_same_process_may_not_hold_it_twice(tmp_path):
    with lock(tmp_path, "one"), pytest.raises(UserError, match="in use by `one`"), lock(tmp_path, "two"):
        pass


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_holder_holds_nothing(tmp_path, holder, number):
    holder.send_signal(number)
    holder.wait()
    with lock(tmp_path, "starloom build"):
        assert json.loads((tmp_path / FOLDER / NAME).read_bytes())["pid"] == os.getpid()


def test_a_stopped_holder_still_holds_it(tmp_path, holder):
    holder.send_signal(signal.SIGSTOP)
    with pytest.raises(UserError, match="in use"), lock(tmp_path, "starloom build"):
        pass


@pytest.mark.parametrize("said", [b"", b"{", b"[]", b"null", b'{"command": 1}', b"\xff" * 100, b'{"since": 3}'])
def test_a_holder_who_said_nothing_sensible(tmp_path, said):
    (tmp_path / FOLDER).mkdir()
    path = tmp_path / FOLDER / NAME
    path.write_bytes(said)
    with path.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="in use by another process"), lock(tmp_path, "x"):
            pass
    with lock(tmp_path, "x"):  # a file that a dead run left does not matter
        pass


def test_an_exception_gives_it_back(tmp_path):
    before = open_descriptors()
    for _ in range(3):
        with pytest.raises(RuntimeError), lock(tmp_path, "x"):
            raise RuntimeError
    assert open_descriptors() == before


def test_a_removed_file_makes_no_second_lock(tmp_path, monkeypatch):
    """Someone removes the file between our open and our flock: we notice, and lock the file that others see."""
    path = tmp_path / FOLDER / NAME
    real, removed = fcntl.flock, []

    def flock(descriptor, how):
        if not removed:
            removed.append(path.unlink())
        real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    with lock(tmp_path, "one"):
        assert removed
        with pytest.raises(UserError, match="in use"), lock(tmp_path, "two"):
            pass


def test_a_link_in_its_place_is_refused(tmp_path):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / "precious").write_bytes(b"data")
    (tmp_path / FOLDER / NAME).symlink_to(tmp_path / "precious")
    with pytest.raises(UserError, match="symbolic link"), lock(tmp_path, "x"):
        pass
    assert (tmp_path / "precious").read_bytes() == b"data"


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_without_locks_is_named(tmp_path, monkeypatch, code):
    def flock(descriptor, how):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(UserError, match="has no locks") as problem, lock(tmp_path, "x"):
        pass
    assert "local disk" in problem.value.hint


def test_faults_while_taking_it(faults):
    """After any fault the workspace can be locked again."""

    def run(root):
        with lock(root / "stack", "starloom build"):
            pass

    faults.enumerate_faults(run, ignore=("stack/.starloom/lock",))


def test_many_at_once_have_one_winner(faults):
    for _ in range(5):
        root = faults.folder()

        def contend(root=root):
            try:
                with lock(root, "x"):
                    (root / f"won-{os.getpid()}").touch()
                    wait_for(lambda: len(list(root.glob("lost-*"))) == 5)
            except UserError:
                (root / f"lost-{os.getpid()}").touch()

        children = []
        for _ in range(6):
            child = os.fork()
            if not child:
                os._exit(in_child(contend))
            children.append(child)
        assert [os.waitpid(child, 0)[1] for child in children] == [0] * 6
        assert len(list(root.glob("won-*"))) == 1


def test_waiting_is_not_done(tmp_path, holder):
    started = time.monotonic()
    with pytest.raises(UserError), lock(tmp_path, "x"):
        pass
    assert time.monotonic() - started < 1
