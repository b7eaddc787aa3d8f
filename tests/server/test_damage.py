"""Indexes that are damaged, foreign or made anew while they are served: told, never guessed."""

import json
import shutil
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from server.conftest import WANTED, client, serving
from server.test_pages import INDENTED, OWN, page
from starloom.server.app import make_app
from starloom.stages import index_stages, load_settings
from starloom.workspace.run import build
from the_stack import building

JSON = {"Accept": "application/json"}
HTML = {"Accept": "text/html"}


@pytest.fixture
def copied(cut, tmp_path):
    """A workspace to be damaged."""
    shutil.copytree(cut, tmp_path / "w", ignore=shutil.ignore_patterns(".starloom"))
    return tmp_path / "w"


def largest(folder):
    return max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-1])


def flipped(path):
    data = path.read_bytes()
    path.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])


def gone(path):
    path.unlink()


DAMAGES = [cut_off, flipped, gone]


@pytest.mark.parametrize("damage", DAMAGES, ids=["cut", "flipped", "gone"])
def test_a_damaged_shard_of_membership_is_left_out_and_named(copied, damage):
    path = largest(copied / "membership" / "01")
    damage(path)
    with client(make_app(copied, None), **JSON) as program:
        told = program.post("/check", json={"text": OWN}).json()
        assert told["status"] == "partial"
        assert told["verdict"].startswith("partial")
        assert any(str(path) in one for one in told["problems"])
        told = program.post("/overlap", json={"document": OWN}).json()
        assert (told["status"], told["spans"]) == ("partial", [])
        shown = page(program.post("/check", data={"text": OWN}, headers=HTML)).text
        assert "This answer is partial" in shown
        assert "No match in the part of the index that is here" in shown


@pytest.mark.parametrize("damage", DAMAGES, ids=["cut", "flipped", "gone"])
def test_a_damaged_search_index_answers_nothing(copied, damage):
    path = largest(copied / "search")
    damage(path)
    with client(make_app(copied, None), **JSON) as program:
        response = program.get("/search?q=walrus")
        assert response.status_code == 503
        assert path.name in response.json()["error"]["message"]
        assert "starloom index" in response.json()["error"]["message"]


@pytest.mark.parametrize("part", ["search", "membership"])
def test_files_of_another_index(copied, full, part):
    """The manifest is another workspace's."""
    shutil.copy(full / part / "manifest.json", copied / part / "manifest.json")
    with client(make_app(copied, None), **JSON) as program:
        ask = program.get("/search?q=x") if part == "search" else program.post("/check", json={"text": INDENTED})
        assert ask.status_code == 503
        assert "starloom index" in ask.json()["error"]["message"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', "\0" * 100], ids=range(5))
def test_manifests_that_are_none(copied, content):
    for part in ("search", "membership"):
        (copied / part / "manifest.json").write_text(content)
    with client(make_app(copied, None), **JSON) as program:
        for response in (program.get("/search?q=x"), program.post("/check", json={"text": INDENTED})):
            assert response.status_code == 503
            assert response.json()["error"]["message"]


@pytest.mark.slow
def test_made_anew_while_it_is_served(tmp_path):
    """Clients ask all the while; every answer is of the index before or of the one after, and none is an error."""
    source = building.folder(tmp_path / "s", {"LICENSE": building.MIT, "a.py": WANTED.encode()})
    made = building.Workspace(tmp_path / "w", source, extra=f"{building.ENGINE}\n[membership]\nrenamed = false\n")

    def index():
        settings = load_settings(made.build().root)
        build(made.root, index_stages(), settings, settings.engine, "test")

    index()
    over = threading.Event()
    told, wrong = [], []

    def get(address, path, body=None):
        request = urllib.request.Request(
            f"http://{address[0]}:{address[1]}{path}", body, {**JSON, "Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def searcher(address):
        while not over.is_set():
            try:
                told.append(get(address, "/search?" + urllib.parse.urlencode({"q": "path:.py count:all"}))["total"])
            except (OSError, ValueError) as problem:
                wrong.append(problem)

    def checker(address):
        body = json.dumps({"document": OWN + INDENTED}).encode()
        while not over.is_set():
            try:
                assert len(get(address, "/overlap", body)["spans"]) == 1
            except (OSError, ValueError, AssertionError) as problem:
                wrong.append(problem)

    with serving(make_app(made.root, None)) as address:
        threads = [threading.Thread(target=one, args=(address,)) for one in [searcher, checker] * 3]
        for thread in threads:
            thread.start()
        try:
            for number in range(3):
                (source / f"b{number}.py").write_bytes(building.code(f"b{number}", 20))
                index()
            end = time.monotonic() + 30
            while told[-1:] != [4] and time.monotonic() < end:
                time.sleep(0.01)
        finally:
            over.set()
            for thread in threads:
                thread.join()
    assert not wrong
    assert set(told) <= {1, 2, 3, 4}
    assert told[-1] == 4
