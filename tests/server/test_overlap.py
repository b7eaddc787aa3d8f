"""POST /overlap, as BigCode's plugins ask it: spans in characters of the document, confirmed, with their files."""

import contextlib
import json
import socket
import threading
from urllib.parse import urlencode

import pytest

from server.conftest import WANTED, ask, client, serving
from server.test_pages import INDENTED, OWN
from starloom.server.app import make_app
from starloom.server.room import listed

PATH = "/overlap"


def spans_of(answer):
    return [tuple(span) for span in answer["spans"]]


def test_the_shape(program):
    document = OWN + "\n" + INDENTED + "\n" + OWN
    found = program.post(PATH, json={"document": document}).json()
    assert {"spans", "segments", "raw_segments", "matches"} <= set(found)
    ((start, end),) = spans_of(found)
    assert found["raw_segments"] == [document[start:end]]
    assert document[start:end].strip() == INDENTED.strip()
    assert found["segments"] == ["\n".join(line.strip() for line in WANTED.strip().splitlines())]
    (match,) = found["matches"]
    assert (match["start"], match["end"]) == (start, end)
    (file,) = match["files"]
    assert (file["repo_name"], file["path"], file["detected_licenses"]) == ("one", "src/walrus.py", ["MIT"])
    assert 0 < found["coverage"] < 1
    assert found["verdict"].startswith("match in the 2 repositories")


def test_the_longest_comes_first(program):
    half = WANTED[: len(WANTED) * 2 // 3]
    found = program.post(PATH, json={"document": half + OWN + WANTED}).json()
    lengths = [end - start for start, end in spans_of(found)]
    assert len(lengths) == 2
    assert lengths == sorted(lengths, reverse=True)
    for (start, end), match, raw in zip(spans_of(found), found["matches"], found["raw_segments"]):
        assert (match["start"], match["end"]) == (start, end)
        assert raw == (half + OWN + WANTED)[start:end]


def test_units(program):
    """Editors count in UTF-16, Python and BigCode's server in characters."""
    before = "# 𝒳𝒴𝒵 é\n"
    document = before + WANTED
    ((start, end),) = spans_of(program.post(PATH, json={"document": document}).json())
    assert document[start:end].strip() in document
    found = program.post(PATH, json={"document": document, "units": "utf16"}).json()
    ((one, two),) = spans_of(found)
    assert (one, two) == (start + 3, end + 3)
    (match,) = found["matches"]
    assert [(place["start"], place["end"]) for place in (match, *match["files"])] == 2 * [(one, two)]
    units = document.encode("utf-16-le")
    assert units[2 * one : 2 * two].decode("utf-16-le") == document[start:end] == found["raw_segments"][0]
    for kind in ("characters", None, "utf16"):
        told = program.post(PATH, json={"document": WANTED, "units": kind}).json()
        assert len(told["spans"]) == 1


def test_a_document_cut_in_the_midst_of_a_character(program):
    body = json.dumps({"document": "\ud835" + "\n" + WANTED + "\udc00", "units": "utf16"})
    found = program.post(PATH, content=body).json()
    ((start, end),) = spans_of(found)
    assert start == 2
    assert end <= 2 + len(WANTED)


def test_nothing_in_it(program):
    for document in ("", "x = 1", OWN):
        found = program.post(PATH, json={"document": document}).json()
        assert found["spans"] == found["segments"] == found["raw_segments"] == found["matches"] == []
        assert found["verdict"].startswith("no match in" if document == OWN else "not covered")


def test_how_many_files(program):
    found = program.post(PATH, json={"document": WANTED, "files": 1}).json()
    assert len(found["matches"][0]["files"]) == 1


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"", None),
        (b"{", None),
        (b"\xff", None),
        (b"[" * 100_000, None),
        (b"[]", "document"),
        (b"{}", "document"),
        (b'{"document": null}', "document"),
        (b'{"document": ["x"]}', "document"),
        (b'{"document": "x", "units": "bytes"}', "units"),
        (b'{"document": "x", "files": -1}', "files"),
        (b'{"document": "x", "files": true}', "files"),
        (b'{"document": "x", "files": 1e3}', "files"),
        (b'{"document": "x", "files": 1001}', "files"),
    ],
    ids=range(13),
)
def test_bodies_that_ask_nothing(program, body, param):
    response = program.post(PATH, content=body)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param
    assert response.json()["error"]["message"]


def test_fifty_megabytes(program):
    document = WANTED + "x = 1\n" * 8_500_000
    response = program.post(PATH, json={"document": document})
    assert response.status_code == 413
    assert "more than 1,000,000 bytes" in response.json()["error"]["message"]


def test_a_large_document_that_repeats_itself(program):
    document = ((WANTED + OWN) * 20_000)[:900_000]
    found = program.post(PATH, json={"document": document})
    assert found.status_code == 200
    told = found.json()
    assert told["coverage"] > 0.4
    assert len(told["spans"]) == len(told["matches"])


def test_fewer_files_are_listed_of_a_long_document():
    assert listed(20, "x" * 500) == 20
    assert listed(1_000, "x" * 500) == 1_000
    assert listed(20, "x" * 400_000) == 5
    assert listed(20, "x" * 4_000_000) == 1
    assert listed(20, "") == 20


def test_without_an_index(bare):
    with client(make_app(bare, None)) as program:
        response = program.post(PATH, json={"document": "x"})
    assert response.status_code == 503
    assert "starloom index" in response.json()["error"]["message"]


def test_other_sites_may_not_ask(program):
    answer = program.post(PATH, json={"document": "x"}, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403
    assert program.get(PATH).status_code == 405


def test_thirty_two_searchers(full):
    """At once, each with another query."""
    found = {}

    def one(number, address):
        query = f"path:plain_{number % 24}.py" if number % 2 else "/def [a-z]+_0/ count:all"
        connection = socket.create_connection(address, timeout=60)
        with connection:
            path = "/search?" + urlencode({"q": query, "format": "json"})
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            data = b""
            while piece := connection.recv(1 << 16):
                data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        found[number] = head.split()[1], json.loads(body)["total"]

    with serving(make_app(full, None)) as address:
        threads = [threading.Thread(target=one, args=(number, address)) for number in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {number: (b"200", 1 if number % 2 else 26) for number in range(32)}


def test_thirty_two_clients(full):
    """At once, each with another document: every answer is its own and right."""
    answers = {}

    def one(number, address):
        document = f"# client {number}\n" * (number + 1) + INDENTED * (1 + number % 3)
        connection = ask(address, json.dumps({"document": document}), PATH)
        with connection:
            data = b""
            while b"\r\n\r\n" not in data or not data.endswith(b"}"):
                piece = connection.recv(1 << 16)
                if not piece:
                    break
                data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        answers[number] = head, document, json.loads(body)

    with serving(make_app(full, None)) as address:
        threads = [threading.Thread(target=one, args=(number, address)) for number in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(answers) == 32
    for number, (head, document, found) in answers.items():
        assert b" 200 " in head
        assert len(found["spans"]) == 1 + number % 3
        for (start, end), raw in zip(found["spans"], found["raw_segments"]):
            assert raw == document[start:end]
            assert "quarrelsome_walrus" in raw


def test_a_query_of_a_megabyte(full):
    """More than an address may have: refused by the server's own reader of HTTP, at once."""
    with serving(make_app(full, None)) as address, socket.create_connection(address, timeout=20) as connection:
        head = f"GET /search?q={'x' * 1_000_000} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
        with contextlib.suppress(ConnectionError):  # it may not read on
            connection.sendall(head)
        data = b""
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(1 << 16):
                data += piece
    assert data == b"" or data.split()[1].startswith(b"4")
