"""A snapshot from a Hub of our own on the loopback: what is asked for, verified, resumed, refused."""

import hashlib
import json
import os
import shutil
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from starloom.identity import content_id
from starloom.outside import hub

pytest.importorskip("huggingface_hub")

PATTERNS = ("*.parquet", "*.jsonl", "README.md")
TOKEN = "hf_never_to_be_seen"


class Hub:
    """The few answers of the Hub that a snapshot needs; commits by revision, files by commit."""

    def __init__(self):
        self.repo_id = "ada/code"
        self.kind = "dataset"
        self.commits = {"main": "a" * 40}
        self.files = {
            "a" * 40: {
                "README.md": b"# Code\n",
                "data/train-0.parquet": b"PAR1" * 1000,
                "data/train-1.parquet": b"PAR1" * 10,
                "x.jsonl": b"{}\n",
                "script.py": b"print('never')\n",
            }
        }
        self.lfs = ".parquet"  # files that are stored with a SHA-256
        self.sent = {}  # path → other bytes than the stated ones
        self.status = None  # of every answer
        self.asked = []
        self.tokens = set()
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                hub.answer(self)

            def do_HEAD(self):
                hub.answer(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, request):
        path = request.path.partition("?")[0]
        self.asked.append((request.command, path))
        self.tokens.add(request.headers.get("Authorization"))
        headers, body, status = {}, b"", 200
        api = f"/api/{self.kind}s/{self.repo_id}/"
        resolve = f"/{self.repo_id}/resolve/" if self.kind == "model" else f"/datasets/{self.repo_id}/resolve/"
        if self.status:
            status, headers = self.status
        elif path.startswith(f"{api}revision/"):
            revision = path.removeprefix(f"{api}revision/")
            commit = self.commits.get(revision, revision if revision in self.files else None)
            if commit is None:
                status, headers = 404, {"X-Error-Code": "RevisionNotFound"}
            else:
                body = json.dumps({"id": self.repo_id, "sha": commit, "siblings": [], "tags": []}).encode()
        elif path.startswith(f"{api}tree/"):
            commit = path.removeprefix(f"{api}tree/").split("/")[0]
            body = json.dumps([self.entry(name, data) for name, data in self.files[commit].items()]).encode()
        elif path.startswith(resolve):
            commit, _, name = path.removeprefix(resolve).partition("/")
            stated = self.files[commit][name]
            body = self.sent.get(name, stated)
            headers = {
                "X-Repo-Commit": commit,
                "ETag": f'"{hashlib.sha256(stated).hexdigest()}"',
                "Accept-Ranges": "bytes",
            }
            if start := request.headers.get("Range"):
                first = int(start.removeprefix("bytes=").partition("-")[0])
                headers["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
                body, status = body[first:], 206
        else:
            status, headers = 404, {"X-Error-Code": "RepoNotFound"}
        request.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body)), "Content-Type": "application/json"}).items():
            request.send_header(name, value)
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(body)

    def entry(self, name, data):
        entry = {"type": "file", "path": name, "size": len(data), "oid": content_id(data)}
        if name.endswith(self.lfs):
            entry["oid"] = "0" * 40  # of the pointer
            entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
        return entry

    def fetched(self):
        return [path.rpartition("/")[2] for command, path in self.asked if command == "GET" and "/resolve/" in path]


@pytest.fixture
def server(monkeypatch, tmp_path):
    made = Hub()
    monkeypatch.setenv("HF_ENDPOINT", made.address)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def snapshot(server, tmp_path):
    return lambda revision=None: hub.snapshot(server.repo_id, tmp_path / "here", revision, PATTERNS)


def files(folder):
    """{name: bytes}, without what is hidden."""
    found = {}
    for place, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if not name.startswith(".")]
        for name in names:
            if not name.startswith("."):
                path = Path(place, name)
                found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


def test_a_snapshot_is_what_the_commit_has(server, snapshot, tmp_path):
    record = snapshot()
    expected = {name: data for name, data in server.files["a" * 40].items() if name != "script.py"}
    assert files(tmp_path / "here") == expected
    size = sum(map(len, expected.values()))
    assert record == hub.Record("ada/code", "main", "a" * 40, 4, size) == hub.fetched(tmp_path / "here")


def test_a_model(server, tmp_path):
    server.kind = "model"
    server.files["a" * 40] = {"config.json": b"{}", "model.safetensors": b"s" * 99, "pytorch_model.bin": b"never"}
    server.lfs = ".safetensors"
    folder = tmp_path / "model"
    record = hub.snapshot(server.repo_id, folder, None, ("config.json", "model.safetensors"), kind="model")
    assert files(folder) == {"config.json": b"{}", "model.safetensors": b"s" * 99}
    assert record == hub.Record("ada/code", "main", "a" * 40, 2, 101) == hub.fetched(folder)


def test_nothing_is_fetched_twice(server, snapshot):
    snapshot()
    before = server.fetched()
    assert sorted(before) == ["README.md", "train-0.parquet", "train-1.parquet", "x.jsonl"]
    snapshot()
    assert server.fetched() == before


def test_a_revision_is_pinned_and_an_update_takes_the_new_one(server, snapshot, tmp_path):
    snapshot()
    server.files["b" * 40] = {"data/train-0.parquet": b"PAR1" * 1000, "data/new.parquet": b"PAR1"}
    server.commits["main"] = "b" * 40
    assert snapshot("a" * 40).commit == "a" * 40
    assert snapshot().commit == "b" * 40
    assert files(tmp_path / "here") == server.files["b" * 40]
    assert server.fetched().count("train-0.parquet") == 1


@pytest.mark.parametrize("sent", [b"PAR1" * 999 + b"PAR2", b"PAR1", b"PAR1" * 1001])
@pytest.mark.parametrize("name", ["data/train-0.parquet", "x.jsonl"])
def test_other_bytes_than_stated_are_refused(server, snapshot, tmp_path, name, sent):
    server.sent[name] = sent
    with pytest.raises(hub.HubError):
        snapshot()
    assert hub.fetched(tmp_path / "here") is None
    assert name not in files(tmp_path / "here")
    server.sent.clear()
    snapshot()
    assert files(tmp_path / "here")[name] == server.files["a" * 40][name]


def test_a_killed_one_goes_on(server, snapshot, tmp_path):
    snapshot()
    (tmp_path / "here" / hub.RECORD).unlink()
    (tmp_path / "here" / "data" / "train-0.parquet").unlink()
    (tmp_path / "here" / "x.jsonl").write_bytes(b"[]\n")  # damaged since
    shutil.rmtree(tmp_path / "here" / ".cache")
    server.asked.clear()
    snapshot()
    assert sorted(server.fetched()) == ["train-0.parquet", "x.jsonl"]
    assert files(tmp_path / "here")["x.jsonl"] == b"{}\n"


@pytest.mark.parametrize("name", ["../../escape.parquet", "/etc/x.parquet", "a/.git/x.parquet", ".cache/x.parquet"])
def test_unsafe_names_are_refused(server, snapshot, tmp_path, name):
    server.files["a" * 40] = {name: b"x"}
    with pytest.raises(hub.HubError, match="unsafe path"):
        snapshot()
    assert server.fetched() == []


@pytest.mark.parametrize(
    ("status", "code", "says", "hint"),
    [
        (401, "RepoNotFound", "not found", "HF_TOKEN"),
        (403, "GatedRepo", "gated", "HF_TOKEN"),
        (404, "RevisionNotFound", "no such revision", None),
        (400, "", "the Hub answers 400", "later"),
    ],
)
def test_refusals_of_the_hub(server, snapshot, tmp_path, monkeypatch, status, code, says, hint):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    server.status = status, {"X-Error-Code": code} if code else {}
    with pytest.raises(hub.HubError, match=says) as raised:
        snapshot()
    assert TOKEN not in str(raised.value)
    assert hint is None or hint in raised.value.hint
    assert not (tmp_path / "here").exists()


def test_the_token_is_sent_and_nowhere_kept(server, snapshot, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    snapshot()
    assert f"Bearer {TOKEN}" in server.tokens
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes()
    shown = capsys.readouterr()
    assert TOKEN not in shown.out + shown.err


def test_nobody_there(server, snapshot, monkeypatch, tmp_path):
    server.server.shutdown()
    server.server.server_close()
    with pytest.raises(hub.HubError) as raised:
        snapshot()
    assert "ada/code" in str(raised.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"repo_id": 1}'])
def test_a_damaged_record_is_none(tmp_path, text):
    (tmp_path / hub.RECORD).write_text(text)
    assert hub.fetched(tmp_path) is None
