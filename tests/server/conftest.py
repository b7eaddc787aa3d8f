"""A small workspace with both indexes and a report, a model, and clients."""

import asyncio
import contextlib
import heapq
import inspect
import socket
import threading
import time

import pytest
import uvicorn
from starlette.testclient import TestClient

from completion import building as models
from starloom.completion.local import LocalCompleter
from starloom.completion.request import Piece, gathered
from starloom.report import page
from starloom.server.app import make_app
from starloom.server.run import bind
from starloom.stages import index_stages, load_settings
from starloom.workspace.run import build
from the_stack import building

HOSTILE = "<script>alert(1)</script>"
WANTED = """def quarrelsome_walrus(first, second):
    # the only file that says <b>quarrelsome</b> & "walrus" \u202e
    total = first.tusks + second.tusks * 3
    return {"walrus": total, "first": first.whiskers, "second": second.whiskers}
"""
SHARDS = 3  # of the workspace `cut`
MERGE = inspect.getsource(heapq.merge)  # of many shapes


@pytest.fixture(scope="session")
def full(tmp_path_factory):
    """The root of a built workspace: repositories `one`, and one whose name, path and content are HTML."""
    base = tmp_path_factory.mktemp("served")
    files = {
        "LICENSE": building.MIT,
        "src/walrus.py": WANTED.encode() + building.code("walrus", 30),
        **{f"src/plain_{number}.py": building.code(number, 20) for number in range(24)},
    }
    odd = {"LICENSE": building.MIT, "<img src=x>.py": b"# " + HOSTILE.encode() + b"\n" + building.code("odd", 30)}
    made = building.Workspace(
        base / "full",
        building.git_repository(base / "one", files),
        building.git_repository(base / "<i>two", odd, hours=5),
    ).build()
    settings = load_settings(made.root)
    build(made.root, [page.STAGE, *index_stages()], settings, settings.engine, "test")
    return made.root


@pytest.fixture(scope="session")
def cut(tmp_path_factory):
    """The root of a workspace whose indexes are cut into three shards."""
    base = tmp_path_factory.mktemp("cut")
    files = {
        "LICENSE": building.MIT,
        "src/walrus.py": WANTED.encode() + building.code("walrus", 30),
        **{f"src/plain_{number}.py": building.code(number, 20) for number in range(24)},
        "lib/merge.py": MERGE.encode(),
        **{f"lib/copy_{number}.js": b"// " + str(number).encode() + b"\n" + WANTED.encode() for number in range(6)},
    }
    extra = f"{building.ENGINE}\n[search]\nshards = {SHARDS}\n[membership]\nshards = {SHARDS}\n"
    made = building.Workspace(base / "cut", building.git_repository(base / "one", files), extra=extra).build()
    settings = load_settings(made.root)
    build(made.root, index_stages(), settings, settings.engine, "test")
    return made.root


@pytest.fixture(scope="session")
def bare(tmp_path_factory):
    """The root of a workspace in which nothing was built."""
    base = tmp_path_factory.mktemp("bare")
    building.folder(base / "s", {"a.py": building.code("a")})
    return building.Workspace(base / "bare", base / "s").root


@pytest.fixture(scope="session")
def completer(tmp_path_factory):
    return LocalCompleter.open(models.model_folder(tmp_path_factory.mktemp("model") / "tiny"))


def client(app, **headers):
    return TestClient(app, base_url="http://127.0.0.1:8000", headers=headers)


@pytest.fixture(scope="session")
def program(full, completer):
    """A client that asks for JSON."""
    with client(make_app(full, completer), Accept="application/json") as found:
        yield found


@pytest.fixture(scope="session")
def browser(full, completer):
    """A client that asks for pages."""
    with client(make_app(full, completer), Accept="text/html,application/xhtml+xml,*/*;q=0.8") as found:
        yield found


@pytest.fixture
def empty(bare):
    """A browser on a server that has nothing but a workspace."""
    with client(make_app(bare, None), Accept="text/html") as found:
        yield found


class Slow:
    """A Completer that says a word every `pause` seconds, and counts them."""

    name = "slow"

    def __init__(self, pause=0.02, words=500):
        self.pause, self.words = pause, words
        self.said = 0
        self.begun = []
        self.running = 0
        self.most_running = 0

    def stream(self, request):
        self.begun.append(request.prompt)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            for number in range(min(request.max_tokens, self.words)):
                time.sleep(self.pause)
                self.said += 1
                yield Piece(f"w{number} ", None, 1, number + 1)
            yield Piece("", "length", 1, self.words)
        finally:
            self.running -= 1

    def complete(self, request):
        return gathered(self.stream(request))


@contextlib.contextmanager
def serving(app):
    """`app` on a real server at a free port, in a thread: its address (host, port)."""
    bound = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, ws="none"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[bound])))
    thread.start()
    try:
        yield bound.getsockname()[:2]
    finally:
        server.should_exit = True
        thread.join(20)
        bound.close()
        assert not thread.is_alive()


def ask(address, body, path="/v1/completions"):
    """An open socket on which `body` was posted."""
    data = body.encode()
    connection = socket.create_connection(address, timeout=20)
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(data)}"
    connection.sendall(f"{head}\r\n\r\n".encode() + data)
    return connection


def until(true, seconds=10):
    """Waits until `true()`."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never became true"
        time.sleep(0.005)
