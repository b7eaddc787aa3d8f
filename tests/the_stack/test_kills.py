"""`kill -9`, then the same command: ledger and dataset are those of an undisturbed run, and nothing lies about.

tests/the_stack/test_faults.py ends every stage at its operations without cleaning up; here whole processes die.
"""

import contextlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from the_stack import building
from the_stack.building import MIT, code

BUILD = """
import os, sys
from pathlib import Path
from starloom.stages import all_stages, load_settings
from starloom.workspace import operations
from starloom.workspace.run import build

root, last = Path(sys.argv[1]), int(sys.argv[2])
seen = 0
def hook(operation, path):
    global seen
    seen += 1
    if seen == last:
        os._exit(86)
if last:
    operations.fault_hook = hook
settings = load_settings(root)
build(root, all_stages(), settings, settings.engine, "test")
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    base = tmp_path_factory.mktemp("sources")
    many = {f"{number % 7}/{number}.py": code(number, 30) for number in range(150)}
    near = {f"near{number}.py": code(number, 30).replace(b"return", b"yield", 1) for number in range(20)}
    return [
        building.git_repository(base / "a", {"LICENSE": MIT, "x.bin": b"\0", **many}),
        building.folder(base / "b", {**near, "latin.py": "# é\n".encode("latin-1") + code("latin")}),
    ]


@pytest.fixture(scope="module")
def undisturbed(sources, tmp_path_factory):
    return building.Workspace(tmp_path_factory.mktemp("undisturbed") / "w", *sources).build().outputs()


@pytest.fixture
def workspace(sources, tmp_path):
    return lambda workers: building.Workspace(tmp_path / "w", *sources, extra=f"\n[engine]\nworkers = {workers}\n")


def check(made, undisturbed):
    assert made.outputs() == undisturbed
    left = [
        str(path.relative_to(made.root))
        for path in made.root.rglob("*")
        if re.search(r"\.(aside|old)$", path.name) or ".starloom/spill/" in str(path)
    ]
    assert left == []
    assert made.build_again() == {}


@pytest.mark.slow
@pytest.mark.parametrize("last", [9, 40, 150, 250])
def test_the_process_ends_at_an_operation(workspace, undisturbed, last):
    """Of about 270; in the middle of list, read, measure, pair or decide, and write."""
    made = workspace(1)
    done = subprocess.run([sys.executable, "-c", BUILD, made.root, str(last)], capture_output=True, check=False)
    assert done.returncode == 86, done.stderr.decode()
    check(made.build(), undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_kill_9_at_a_random_moment(workspace, undisturbed, seed):
    """Two workers; they end by themselves when their parent is gone."""
    delay = random.Random(f"kill {seed}").uniform(0.0, 2.5)
    made = workspace(2)
    while not killed_after(made.root, delay):
        check(made, undisturbed)
        delay /= 2  # on a machine as fast as this one the build was over before
        shutil.rmtree(made.root)
        made = workspace(2)
    check(made.build(), undisturbed)


def killed_after(root, delay):
    """Whether a build was killed in its midst, `delay` seconds after its start; no process of it is left."""
    process = subprocess.Popen(
        [sys.executable, "-c", BUILD, root, "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    (root / ".starloom").mkdir(exist_ok=True)
    while not (root / ".starloom" / "lock").exists():  # imports are over
        time.sleep(0.01)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    killed = process.wait() == -signal.SIGKILL
    orphans_end(process.pid)
    return killed


def orphans_end(session, seconds=20):
    """Until no process of the session is left."""
    end = time.monotonic() + seconds
    while True:
        alive = []
        for entry in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = entry.read_text().rpartition(")")[2].split()
                if int(fields[3]) == session and fields[0] != "Z":
                    alive.append(entry.parent.name)
        if not alive:
            return
        assert time.monotonic() < end, f"workers outlive their parent: {alive}"
        time.sleep(0.02)
