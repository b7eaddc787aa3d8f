"""`map`: any number of workers, the same results; what goes wrong in a worker is told here."""

import functools
import math
import operator
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from faults import wait_for
from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.errors import UserError
from starloom.settings import read_toml

# Functions for workers must be importable by name there, which this module is not: they are the standard library's.


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    spill = tmp_path_factory.mktemp("spill")
    with (
        LocalEngine(EngineSettings(workers=1), spill) as one,
        LocalEngine(EngineSettings(workers=2), spill) as two,
    ):
        yield {1: one, 2: two}


@pytest.fixture(params=[1, 2])
def engine(engines, request):
    return engines[request.param]


def test_map(engine):
    items = list(range(50))
    assert sorted(engine.map(math.factorial, items)) == [(item, math.factorial(item)) for item in items]
    assert list(engine.map(math.factorial, [])) == []
    assert list(engine.map(math.factorial, [3])) == [(3, 6)]


def test_items_need_not_be_hashable(engine):
    assert sorted(engine.map(len, [[1], [1, 2], [1]])) == [([1], 1), ([1], 1), ([1, 2], 2)]


def test_one_worker_is_this_process(engines):
    assert {pid for _, pid in engines[1].map(functools.partial(eval, "__import__('os').getpid()"), [{}] * 3)} == {
        os.getpid()
    }


def test_two_workers_are_two_others(engines):
    function = functools.partial(eval, "(__import__('time').sleep(0.05), __import__('os').getpid())[1]")
    pids = {pid for _, pid in engines[2].map(function, [{}] * 12)}
    assert len(pids) == 2
    assert os.getpid() not in pids


def test_items_are_handed_out_in_order_and_not_all_at_once(engines):
    """Memory: results wait for nobody, so at most two per worker are on their way."""
    given = engines[2].map(operator.neg, range(100))
    first = [item for item, _ in (next(given) for _ in range(10))]
    assert max(first) < 14
    given.close()


def test_zero_workers_means_one_per_core(tmp_path):
    assert LocalEngine(EngineSettings(), tmp_path).workers == len(os.sched_getaffinity(0))


def test_an_exception_ends_the_map(engine):
    with pytest.raises(ZeroDivisionError):
        list(engine.map(functools.partial(operator.truediv, 1), [1, 2, 0, 3]))
    assert len(list(engine.map(operator.neg, range(5)))) == 5  # and the engine goes on


def test_a_user_error_crosses_whole(engine, tmp_path):
    with pytest.raises(UserError) as problem:
        list(engine.map(read_toml, [tmp_path / "absent.toml", tmp_path / "gone.toml"]))
    assert problem.value.problem.endswith(".toml does not exist")
    assert problem.value.hint.startswith("make a workspace")


@pytest.mark.parametrize(
    "death",
    [functools.partial(os._exit), functools.partial(eval, "__import__('os').kill(__import__('os').getpid(), 9)")],
)
def test_a_dead_worker_is_told(tmp_path, death):
    items = [3, 4, 5, 6] if death.func is os._exit else [{}] * 4
    with LocalEngine(EngineSettings(workers=2), tmp_path / "spill") as engine:
        with pytest.raises(UserError, match="a worker process died") as problem:
            list(engine.map(death, items))
        assert "workers = 1" in problem.value.hint
        assert "the same command" in problem.value.hint
        assert len(list(engine.map(operator.neg, range(5)))) == 5  # a new pool


def test_leaving_early_starts_nothing_new(tmp_path):
    """The reader stops: items not begun are given up, the workers end with the engine."""
    touch = functools.partial(subprocess.run, check=True)
    items = [["touch", str(tmp_path / f"{number}")] for number in range(100)]
    with LocalEngine(EngineSettings(workers=2), tmp_path / "spill") as engine:
        for _ in engine.map(touch, items):
            break
    assert len(list(tmp_path.iterdir())) < 12


def test_the_spill_folder_goes_with_the_engine(tmp_path):
    with LocalEngine(EngineSettings(workers=1), tmp_path / "spill") as engine:
        assert engine.table("SELECT 1 AS n", {}).to_pylist() == [{"n": 1}]
        assert engine.spill.exists()
    assert list(tmp_path.iterdir()) == []


CTRL_C = """
import sys, time
from pathlib import Path
from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
if __name__ == "__main__":
    try:
        with LocalEngine(EngineSettings(workers=2), Path(sys.argv[1])) as engine:
            for item, _ in engine.map(time.sleep, [0.0, 0.5] + [float(sys.argv[2])] * int(sys.argv[3])):
                if item:
                    print("running", flush=True)
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.mark.parametrize("work", [("0.3", "1000"), ("2", "1")], ids=["both workers busy", "one waits"])
def test_ctrl_c(tmp_path, work):
    """As from a terminal: to the whole process group. No worker stays, none complains."""
    script = tmp_path / "script.py"
    script.write_text(CTRL_C)
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "spill"), *work],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout.readline() == b"running\n"
    time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    started = time.monotonic()
    _, complaint = process.communicate(timeout=20)
    assert process.returncode == 130
    assert time.monotonic() - started < 5
    assert complaint == b""
    wait_for(lambda: not in_session(process.pid))


def in_session(session):
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # ended meanwhile
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(stat.parent.name)
    return found
