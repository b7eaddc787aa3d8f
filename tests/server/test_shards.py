"""Shards on several servers, put together: answers of one big index; partial, and said so, when one is down."""

import contextlib
import json
import re
from keyword import iskeyword

import pytest

from outside.web import send
from outside.web import serving as web_serving
from server.conftest import MERGE, SHARDS, WANTED, client, serving
from server.test_pages import INDENTED, OWN, page
from starloom.errors import UserError
from starloom.outside.frames import to_bytes
from starloom.outside.peers import Peer, PeerError
from starloom.server.app import make_app
from the_stack import building

JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="session")
def alone(cut):
    """A client of one server that has all shards."""
    with client(make_app(cut, None), **JSON) as found:
        yield found


@contextlib.contextmanager
def together(root, *numbers, here=None):
    """A client of a server that asks peers, each with the shards of `numbers`; and the peers' addresses."""
    with contextlib.ExitStack() as stack:
        peers = []
        for some in numbers:
            host, port = stack.enter_context(serving(make_app(root, None, numbers=frozenset(some))))
            peers.append(f"http://{host}:{port}")
        app = make_app(root, None, peers=peers, numbers=None if here is None else frozenset(here))
        yield stack.enter_context(client(app, **JSON)), peers


@pytest.fixture(scope="session")
def spread(cut):
    with together(cut, [0, 2], [1]) as (found, _):
        yield found


def say(body):
    def answer(handler):
        handler.rfile.read(int(handler.headers["Content-Length"]))
        send(handler, 200, body)

    return answer


@pytest.fixture
def web():
    with web_serving() as found:
        yield found


def without(answer, *names):
    """An answer but for what depends on time."""
    told = answer.json()
    assert answer.status_code == 200, told
    return {name: value for name, value in told.items() if name not in ("seconds", *names)}


QUERIES = [
    "walrus",
    "quarrelsome",
    "path:plain",
    '"return {"',
    "/def \\w+_walrus/",
    "lang:python walrus",
    "lang:javascript or path:plain_1",
    "-path:plain",
    "license:MIT file:copy",
    "zzzz_never",
    "path:/plain_[0-9]\\.py$/ count:all",
]


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_search_answers_as_one_index(alone, spread, query):
    cursor = ""
    for _ in range(20):
        asked = {"q": query, "cursor": cursor, "limit": "4", "facets": "yes"}
        one, two = (without(each.get("/search", params=asked)) for each in (alone, spread))
        assert one == two
        assert not one["partial"]
        if (cursor := one["cursor"]) is None:
            return
    raise AssertionError


TEXTS = {
    "a copy": INDENTED,
    "many files": OWN + WANTED + OWN + INDENTED,
    "a licence": building.MIT.decode() + WANTED,
    "own": OWN,
    "short": "x = 1",
    "nothing": "",
    "repeated": WANTED[:200] * 30 + "x" * 400,
    "renamed": re.sub(r"\b[A-Za-z_]+\b", lambda one: one[0] if iskeyword(one[0]) else f"my_{one[0]}", MERGE),
    "plain": "".join(building.code(number, 20).decode() for number in (3, 9, 11)),
}


@pytest.mark.parametrize("split", [None, "train", "held_out"])
@pytest.mark.parametrize("name", TEXTS)
def test_membership_answers_as_one_index(alone, spread, name, split):
    body = {"text": TEXTS[name], "split": split, "renamed": True}
    one, two = (without(each.post("/check", json=body)) for each in (alone, spread))
    assert one == two
    one, two = (without(each.post("/overlap", json={"document": TEXTS[name]})) for each in (alone, spread))
    assert one == two


def test_copies_with_other_names(alone):
    told = alone.post("/check", json={"text": TEXTS["renamed"], "renamed": True}).json()
    *_, last = told["matches"]  # behind the docstring, which stands there as it is
    assert last["kind"] == "renamed"
    assert last["files"][0]["path"] == "lib/merge.py"


def test_some_here_and_some_there(cut, alone):
    with together(cut, [1], here=[0, 2]) as (found, _):
        for query in QUERIES[:4]:
            asked = {"q": query, "facets": "yes"}
            assert without(found.get("/search", params=asked)) == without(alone.get("/search", params=asked))
        body = {"text": TEXTS["many files"]}
        assert without(found.post("/check", json=body)) == without(alone.post("/check", json=body))


def test_what_is_where(cut):
    with client(make_app(cut, None, numbers=frozenset({0, 2})), **JSON) as found:
        told = found.get("/shards").json()
        for part in ("search", "membership"):
            assert told[part]["numbers"] == [0, 2]
            assert told[part]["shards"] == SHARDS
        assert found.get("/health").json()["status"] == "ok"
        for path in ("/", "/search?q=x", "/check", "/v1/models"):
            assert found.get(path).status_code == 404


def test_pages_of_others_have_no_internals(spread):
    assert spread.get("/shards").status_code == 404
    assert spread.post("/shards/search/covered", content=to_bytes({})).status_code in (404, 405)


def test_a_shard_that_nobody_serves(cut):
    with together(cut, [0], [2]) as (found, _):
        told = found.get("/search", params={"q": "path:plain", "limit": "50"}).json()
        assert told["partial"]
        assert any("nobody serves shards 1" in one for one in told["problems"])
        assert 0 < len(told["hits"]) < 24
        told = found.post("/check", json={"text": OWN}).json()
        assert told["status"] == "partial"
        assert any("nobody serves shards 1" in one for one in told["problems"])
        assert "partial" in page(found.get("/search?q=path:plain", headers={"Accept": "text/html"})).text
        assert "partial" in page(found.post("/check", data={"text": OWN}, headers={"Accept": "text/html"})).text


def test_a_peer_that_goes_down_meanwhile(cut, alone):
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(serving(make_app(cut, None, numbers=frozenset({0, 1}))))
        second = contextlib.ExitStack()
        last = second.enter_context(serving(make_app(cut, None, numbers=frozenset({2}))))
        peers = [f"http://{host}:{port}" for host, port in (first, last)]
        found = stack.enter_context(client(make_app(cut, None, peers=peers), **JSON))
        body = {"text": TEXTS["many files"]}
        assert without(found.post("/check", json=body)) == without(alone.post("/check", json=body))
        assert not found.get("/search?q=walrus").json()["partial"]
        second.close()
        told = found.post("/check", json={"text": OWN}).json()
        assert told["status"] == "partial"
        assert any(peers[1] in one for one in told["problems"])
        told = found.get("/search?q=walrus").json()
        assert told["partial"]
        assert any(peers[1] in one for one in told["problems"])


def test_peers_that_stand_in_for_each_other(cut, alone):
    with together(cut, [0, 1, 2], [0, 1, 2]) as (found, _):
        assert without(found.get("/search?q=walrus")) == without(alone.get("/search?q=walrus"))
    with together(cut, [0, 1], [1, 2]) as (found, peers):
        told = found.get("/search?q=walrus").json()
        assert told["partial"]
        assert any("shard 1 is served by another one too" in one and peers[1] in one for one in told["problems"])


def test_peers_of_two_indexes(cut, full, alone):
    """The index of which most is there is asked; the other is named."""
    with contextlib.ExitStack() as stack:
        host, port = stack.enter_context(serving(make_app(cut, None, numbers=frozenset({0, 1, 2}))))
        other = stack.enter_context(serving(make_app(full, None, numbers=frozenset({0}))))
        peers = [f"http://{other[0]}:{other[1]}", f"http://{host}:{port}"]
        found = stack.enter_context(client(make_app(cut, None, peers=peers), **JSON))
        told = found.get("/search?q=walrus").json()
        assert told["total"] == alone.get("/search?q=walrus").json()["total"]
        assert any(f"{peers[0]} serves another index" in one for one in told["problems"])


def test_no_peer_answers(cut):
    with client(make_app(cut, None, peers=["http://127.0.0.1:9"]), **JSON) as found:
        for response in (found.get("/search?q=x"), found.post("/check", json={"text": "x"})):
            assert response.status_code == 503
            assert "the peer http://127.0.0.1:9" in response.json()["error"]["message"]
        assert found.get("/").json()["parts"]["search"] is False


def test_a_peer_that_is_none(web, cut):
    with pytest.raises(UserError, match="no address of a peer"):
        make_app(cut, None, peers=["10.0.0.2:8000"])
    web.routes |= {"/shards/search/covered": say(b"hello"), "/shards/membership/covered": say(b"{}")}
    with client(make_app(cut, None, peers=[web.url]), **JSON) as found:
        for response in (found.get("/search?q=x"), found.post("/check", json={"text": "x"})):
            assert response.status_code == 503
            assert "cannot be read" in response.json()["error"]["message"]


def test_a_peer_that_refuses(web):
    def refuse(status, body):
        def answer(handler):
            handler.rfile.read(int(handler.headers["Content-Length"]))
            send(handler, status, body)

        return answer

    peer = Peer(web.url)
    web.routes["/x"] = refuse(503, json.dumps({"error": {"message": "no index\x1b"}}).encode())
    with pytest.raises(PeerError, match=r"no index\\x1b"):
        peer.ask("/x", b"")
    web.routes["/x"] = refuse(500, b"<html>")
    with pytest.raises(PeerError, match="it answered 500"):
        peer.ask("/x", b"")
    web.routes["/x"] = refuse(400, json.dumps({"error": {"message": "no such word"}}).encode())
    with pytest.raises(UserError, match="no such word") as told:
        peer.ask("/x", b"")
    assert not isinstance(told.value, PeerError)


@pytest.mark.parametrize("part", ["search", "membership"])
@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"starlm01", to_bytes({}), to_bytes({"query": 5, "after": None}), to_bytes({"wanted": [[1, 2]]})],
    ids=range(6),
)
def test_questions_that_are_none(cut, part, body):
    with client(make_app(cut, None, numbers=frozenset({0})), **JSON) as found:
        for call in ("ask", "tiles", "grown", "some", "confirmed", "described", "shapes", "renamed", "nonsense"):
            response = found.post(f"/shards/{part}/{call}", content=body)
            assert response.status_code == 400, (call, response.text)
            assert response.json()["error"]["message"]
        assert found.post("/shards/nothing/ask", content=body).status_code == 404


def test_no_such_shard(cut):
    with client(make_app(cut, None, numbers=frozenset({7})), **JSON) as found:
        told = found.get("/shards").json()
        assert "0 to 2" in json.dumps(told) or "no such shard" in json.dumps(told)
        assert found.post("/shards/search/covered", content=to_bytes({})).status_code == 503
