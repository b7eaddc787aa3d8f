"""`starloom serve` as a process: what it says, how it ends, and what it refuses."""

import contextlib
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from click.testing import CliRunner

from completion import building as models
from server.conftest import ask
from starloom.commands import group
from starloom.errors import UserError
from the_stack.building import starloom

COMMAND = (sys.executable, "-c", "from starloom.commands import main; main()", "serve")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return models.model_folder(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture
def serve():
    """`serve(*arguments)`: the running process and its address; ended at the end of the test."""
    running = []

    def start(*arguments):
        process = subprocess.Popen(
            [*COMMAND, "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        url = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url), process.communicate()[1]
        return process, url

    yield start
    for process in running:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.communicate()


def rest(connection):
    """All that still comes, until the server closes."""
    data = b""
    while chunk := connection.recv(65_536):
        data += chunk
    return data


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.load(answer)


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_served_and_ended(serve, full, model, number):
    process, url = serve("-w", full, "--model", model)
    assert get(f"{url}/health")["model"] == "tiny"
    assert get(f"{url}/search?q=walrus&format=json")["total"] == 1
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == (0 if number == signal.SIGINT else -signal.SIGTERM)
    assert "model tiny" in said
    assert "Traceback" not in said
    assert "walrus" not in said  # nothing of a request is logged


@pytest.mark.slow
def test_ended_in_the_middle_of_an_answer(serve, full, model):
    process, url = serve("-w", full, "--model", model)
    get(f"{url}/health")
    body = json.dumps({"prompt": ["secret"] * 16, "max_tokens": 90, "temperature": 3, "stream": True, "stop": ["\x00"]})
    host, _, port = url.removeprefix("http://").partition(":")
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(ask((host, int(port)), body)) for _ in range(3)]
        assert b"200 OK" in connections[0].recv(200)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert all(b"the server is being ended" in rest(one) for one in connections)
    assert process.returncode == 0
    assert "Traceback" not in said
    assert "Cancel" not in said
    assert "secret" not in said


@pytest.mark.slow
def test_without_a_model(serve, full):
    process, url = serve("-w", full)
    assert get(f"{url}/health")["model"] is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert "no model: " in said
    assert process.returncode == 0


def test_a_port_in_use(full, model):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = starloom("serve", "-w", full, "--model", model, "--port", str(port))
    assert done.returncode == 1
    assert done.stderr == f"error: port {port} is in use\n\nhint: try --port {port + 1 if port < 65535 else port - 1}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "70000"], "70000 is no port"),
        (["--port", "-1"], "-1 is no port"),
        (["--host", "no.such.host.invalid"], "is no address of this machine"),
        (["--host", "192.0.2.1"], "cannot listen on 192.0.2.1"),
        (["--port", "0", "--model", "no-such-run"], "no-such-run"),
        (["--port", "0", "--peer", "10.0.0.2:8000"], "no address of a peer"),
    ],
)
def test_refused(full, arguments, words):
    problem = CliRunner().invoke(group, ["serve", "-w", str(full), *arguments]).exception
    assert isinstance(problem, UserError)
    assert words in problem.problem
    assert problem.hint


@pytest.mark.parametrize("shards", ["", "x", "3-1", "-1", "1-", "0,,2", "1.5", "99999"])
def test_shards_that_are_none(full, shards):
    done = CliRunner().invoke(group, ["serve", "-w", str(full), "--port", "0", "--shards", shards])
    assert done.exit_code == 2
    assert "a range such as 0-3" in done.output


def test_shards_that_are_not_there_are_told_at_the_start(full, bare, cut, serve, tmp_path):
    for root, words, hint in ((full, "has no shard 5", "it has one: 0"), (bare, "no search index", "starloom index")):
        problem = CliRunner().invoke(group, ["serve", "-w", str(root), "--port", "0", "--shards", "0,5"]).exception
        assert isinstance(problem, UserError)
        assert words in problem.problem
        assert hint in problem.hint
    uneven = shutil.copytree(cut, tmp_path / "uneven")
    shutil.rmtree(uneven / "membership")
    shutil.copytree(full / "membership", uneven / "membership")
    process, _ = serve("-w", uneven, "--shards", "0-2")
    process.send_signal(signal.SIGINT)
    assert "membership has no shard 1: it has one: 0" in process.communicate(timeout=30)[1]


@pytest.mark.slow
def test_shards_and_who_puts_them_together(serve, cut):
    first, one = serve("-w", cut, "--shards", "0-1")
    second, two = serve("-w", cut, "--shards", "2")
    front, url = serve("-w", cut, "--peer", one, "--peer", two)
    assert get(f"{one}/shards")["membership"]["numbers"] == [0, 1]
    told = get(f"{url}/search?q=walrus&format=json")
    assert told["total"] >= 1
    assert not told["partial"]
    second.send_signal(signal.SIGINT)
    second.communicate(timeout=30)
    told = get(f"{url}/search?q=walrus&format=json")
    assert told["partial"]
    assert any(two in problem for problem in told["problems"])
    for process in (front, first):
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "Traceback" not in said
        assert "walrus" not in said
    assert "shards 0-1 of the indexes" in said


def test_outside_a_workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    problem = CliRunner().invoke(group, ["serve"]).exception
    assert isinstance(problem, UserError)
    assert "no workspace here" in problem.problem


@pytest.mark.slow
def test_other_machines_are_warned_of(full):
    process = subprocess.Popen(
        [*COMMAND, "-w", full, "--host", "0.0.0.0", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    url = process.stdout.readline().strip()
    assert url.startswith("http://127.0.0.1:")
    assert get(f"{url}/health")["status"] == "ok"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert "warning: 0.0.0.0 can be reached from other machines" in said
    assert process.returncode == 0
