"""The processes of a run, as their environment tells of them."""

import time

import pytest
import torch
from torch import distributed

from faults import wait_for
from starloom.errors import UserError
from starloom.training import heartbeat
from starloom.training.heartbeat import Heartbeat
from starloom.training.world import World, _told_once, join

NAMES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """No torchrun above the tests."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_one_process():
    with join("cpu") as found:
        assert found == World(0, 1, 0, 1)
        assert found.first
        assert found.device("cpu") == torch.device("cpu")
        assert found.sums([1, True, 2.5, torch.tensor(3)]) == [1.0, 1.0, 2.5, 3.0]
        assert found.exchanged(b"mine") == [b"mine"]
        found.barrier()
    assert not distributed.is_initialized()


def test_torchrun_with_one_process(monkeypatch):
    for name, value in zip(NAMES, ("0", "1", "0", "1", "nowhere.invalid", "1"), strict=True):
        monkeypatch.setenv(name, value)
    with join("cpu") as found:
        assert found == World()


@pytest.mark.parametrize("value", ["first", "-1", "1.5"])
def test_an_environment_that_is_no_number(monkeypatch, value):
    monkeypatch.setenv("RANK", value)
    with pytest.raises(UserError, match=f"RANK = '{value}'") as refused, join("cpu"):
        pass
    assert "torchrun" in refused.value.hint


def test_an_environment_that_fits_no_run(monkeypatch):
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match=r"RANK = 2, WORLD_SIZE = 2, .* fit no run"), join("cpu"):
        pass


def test_more_processes_than_devices(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    for name, value in zip(NAMES, ("0", "4", "0", "4", "localhost", "1"), strict=True):
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match="4 processes on a machine with 2 CUDA devices") as refused, join("cuda"):
        pass
    assert "--nproc-per-node 2" in refused.value.hint


@pytest.fixture
def store(monkeypatch):
    """torchrun's, as its processes find it."""
    made = distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", str(made.port))
    return made


def test_an_error_of_many_is_told_once(store):
    tellers = []
    for rank in range(4):
        with pytest.raises((UserError, SystemExit)) as left, _told_once(Heartbeat(rank, 4)):
            raise UserError("the disk is full", "free some")
        tellers.append(left.type)
    assert tellers == [UserError, SystemExit, SystemExit, SystemExit]
    with pytest.raises(UserError, match="another"), _told_once(Heartbeat(3, 4)):
        raise UserError("another problem", "…")


def test_a_later_life_tells_again(store, monkeypatch):
    assert Heartbeat(0, 2).is_news("x")
    assert not Heartbeat(1, 2).is_news("x")
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    assert Heartbeat(1, 2).is_news("x")


@pytest.mark.parametrize(
    "problem",
    [
        RuntimeError("[../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:1"),
        distributed.DistBackendError("NCCL error in: ProcessGroupNCCL.cpp, remote process exited"),
        distributed.DistNetworkError("The client socket has timed out"),
    ],
)
def test_a_process_that_is_gone(store, problem):
    with pytest.raises(UserError, match="another process of this run has died") as told, _told_once(Heartbeat(0, 2)):
        raise problem
    assert "goes on from the last checkpoint" in told.value.hint


def test_other_errors_pass(store):
    with pytest.raises(RuntimeError, match="shapes differ"), _told_once(Heartbeat(0, 2)):
        raise RuntimeError("shapes differ")


@pytest.fixture
def ended(monkeypatch):
    """Why a process would have ended itself; beats are quick."""
    monkeypatch.setattr(heartbeat, "EVERY", 0.02)
    monkeypatch.setattr(heartbeat, "SILENT", 0.3)
    found = []
    monkeypatch.setattr(heartbeat, "_end", found.append)
    return found


def test_who_outlives_another_ends(store, ended):
    dead = Heartbeat(1, 2)
    with Heartbeat(0, 2), dead:
        time.sleep(0.5)
        assert not ended
        dead._stop.set()  # it beats no more, and has not said that it leaves
        wait_for(lambda: ended, seconds=10)
    assert ended[0] == "process 1 has been silent for 0 s"


def test_who_fails_is_missed(store, ended):
    with Heartbeat(0, 2):
        with pytest.raises(ValueError, match="broken"), Heartbeat(1, 2):
            raise ValueError("broken")
        wait_for(lambda: ended, seconds=10)


def test_a_store_that_is_gone(ended, monkeypatch):
    made = distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", str(made.port))
    with Heartbeat(0, 1):
        del made
        wait_for(lambda: ended, seconds=10)
    assert "torchrun's store does not answer" in ended[0]


def test_who_leaves_in_good_order_is_not_missed(store, ended):
    with Heartbeat(0, 2):
        with Heartbeat(1, 2):
            time.sleep(0.1)
        time.sleep(0.6)
    assert not ended
