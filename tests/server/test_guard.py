"""Who may ask: hosts, origins; and the headers of every answer."""

import pytest

from server.conftest import client
from starloom.server.app import make_app
from starloom.server.guard import Hosts, is_loopback


@pytest.mark.parametrize(
    ("bound", "header", "known"),
    [
        ("127.0.0.1", "127.0.0.1:8000", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "localhost:1", True),
        ("127.0.0.1", "LOCALHOST", True),
        ("127.0.0.1", "[::1]:8000", True),
        ("127.0.0.1", "evil.example", False),
        ("127.0.0.1", "127.0.0.1.evil.example", False),
        ("127.0.0.1", "localhost.evil.example:8000", False),
        ("127.0.0.1", "evil.example:127.0.0.1", False),
        ("127.0.0.1", "user@127.0.0.1", False),
        ("127.0.0.1", "127.0.0.1:8000:8000", False),
        ("127.0.0.1", "127.0.0.1/x", False),
        ("127.0.0.1", "127.0.0.1:", False),
        ("127.0.0.1", "[::1", False),
        ("127.0.0.1", "192.168.1.4", False),
        ("127.0.0.1", "", False),
        ("127.0.0.1", None, False),
        ("192.168.1.4", "192.168.1.4:8000", True),
        ("192.168.1.4", "192.168.1.5:8000", False),
        ("box.lan", "BOX.lan:80", True),
        ("fe80::1", "[fe80::1]:8000", True),
        ("0.0.0.0", "10.1.2.3:8000", True),
        ("::", "[fe80::1]:8000", True),
        ("0.0.0.0", "evil.example", False),  # whatever address it leads to
    ],
)
def test_hosts(bound, header, known):
    assert Hosts(bound).knows(header) == known


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("", False)],
)
def test_loopback(host, loopback):
    assert is_loopback(host) == loopback


@pytest.mark.parametrize("path", ["/", "/search?q=x", "/v1/models", "/health", "/assets/style.css", "/nothing"])
def test_a_strange_host_gets_nothing(browser, path):
    response = browser.get(path, headers={"Host": "rebound.example:8000"})
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "unknown_host"


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://[bad", "file://", "http://localhost.evil.com"]
)
def test_other_sites_may_not_post(program, origin):
    for path in ("/v1/completions", "/check"):
        response = program.post(path, json={"prompt": "x", "text": "x"}, headers={"Origin": origin})
        assert response.status_code == 403, path
    assert program.get("/health", headers={"Origin": origin}).status_code == 200


def test_our_own_pages_may(program):
    headers = {"Origin": "http://127.0.0.1:8000"}
    assert program.post("/check", json={"text": "x"}, headers=headers).status_code == 200


def test_no_answer_is_for_other_sites(program):
    preflight = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    response = program.options("/v1/completions", headers=preflight)
    assert response.status_code == 403
    for answer in (response, program.get("/health", headers={"Origin": "http://evil.example"})):
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/", "/search", "/search?q=walrus", "/check", "/nothing", "/v1/models"])
def test_policy(browser, path):
    response = browser.get(path)
    policy = response.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"


def test_bound_elsewhere(full, completer):
    with client(make_app(full, completer, host="192.168.1.4")) as program:
        assert program.get("/health", headers={"Host": "192.168.1.4:8000"}).status_code == 200
        assert program.get("/health", headers={"Host": "127.0.0.1"}).status_code == 200
        assert program.get("/health", headers={"Host": "192.168.1.5"}).status_code == 400


@pytest.mark.parametrize("path", ["/", "/search?q=walrus", "/health", "/assets/style.css", "/nothing", "/overlap"])
def test_what_is_asked_by_head_is_told_without_its_body(browser, path):
    whole, head = browser.get(path), browser.head(path)
    assert head.content == b""
    assert head.status_code == whole.status_code
    assert {"date"} | set(head.headers) == {"date"} | set(whole.headers)
    assert browser.head(path, headers={"Host": "rebound.example"}).status_code == 400
