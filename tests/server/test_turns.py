"""On a real server: who goes away is no longer worked for, the others wait their turn, too many are told."""

import json
import time

import pytest

from server.conftest import Slow, ask, serving, until
from starloom.server import generation
from starloom.server.app import make_app

BODY = json.dumps({"prompt": "x", "max_tokens": 400})
STREAMED = json.dumps({"prompt": "x", "max_tokens": 400, "stream": True})


@pytest.fixture
def slow(full):
    """(a completer that needs 8 s for an answer, the address it is served at)."""
    completer = Slow()
    with serving(make_app(full, completer)) as address:
        yield completer, address


@pytest.mark.parametrize("body", [BODY, STREAMED], ids=["whole", "streamed"])
def test_who_goes_away_is_not_worked_for(slow, body):
    completer, address = slow
    connection = ask(address, body)
    until(lambda: completer.said >= 5)
    if body == STREAMED:
        assert b"text/event-stream" in connection.recv(4096)
    connection.close()
    until(lambda: completer.running == 0)
    assert completer.said < 100  # of 400: it ended within half a second or so
    said = completer.said
    time.sleep(0.1)
    assert completer.said == said


def test_others_wait_their_turn(slow):
    completer, address = slow
    body = json.dumps({"prompt": "first", "max_tokens": 5})
    connections = [ask(address, body.replace("first", name)) for name in ("first", "second", "third")]
    answers = [connection.recv(65_536) for connection in connections]
    assert all(b"200 OK" in answer for answer in answers)
    assert completer.most_running == 1
    assert sorted(completer.begun) == ["first", "second", "third"]
    for connection in connections:
        connection.close()


def test_who_goes_away_while_waiting_is_never_begun(slow):
    completer, address = slow
    first = ask(address, STREAMED.replace("x", "first"))
    until(lambda: completer.said >= 1)
    second = ask(address, BODY.replace("x", "second"))
    time.sleep(0.3)
    second.close()
    third = ask(address, json.dumps({"prompt": "third", "max_tokens": 1}))
    time.sleep(0.4)
    first.close()
    assert b"200 OK" in third.recv(65_536)
    assert completer.begun == ["first", "third"]
    third.close()


def test_too_many_are_told(slow, monkeypatch):
    completer, address = slow
    monkeypatch.setattr(generation, "MOST_WAITING", 2)
    waiting = [ask(address, BODY) for _ in range(3)]  # one is answered, two wait
    until(lambda: completer.said >= 1)
    time.sleep(0.2)
    refused = ask(address, BODY)
    answer = refused.recv(4096)
    assert b"429" in answer.partition(b"\r\n")[0]
    assert b"retry-after" in answer.lower()
    for connection in [*waiting, refused]:
        connection.close()
    until(lambda: completer.running == 0)


def test_a_stream_that_breaks_off_says_so(full):
    class Breaking(Slow):
        def stream(self, request):
            from starloom.errors import UserError

            yield from (piece for _, piece in zip(range(2), super().stream(request)))
            raise UserError("the weights are damaged", "take another checkpoint")

    with serving(make_app(full, Breaking(0.001))) as address:
        connection = ask(address, STREAMED)
        data = b""
        while chunk := connection.recv(65_536):
            data += chunk
            if data.endswith(b"0\r\n\r\n"):
                break
        connection.close()
    assert b"the weights are damaged" in data
    assert b"[DONE]" not in data


def test_ending_the_server_ends_the_work(full):
    completer = Slow()
    with serving(make_app(full, completer)) as address:
        connection = ask(address, STREAMED)
        until(lambda: completer.said >= 3)
        connection.close()
    until(lambda: completer.running == 0)


def test_pages_answer_while_the_model_works(slow):
    completer, address = slow
    first = ask(address, BODY)
    until(lambda: completer.said >= 1)
    import socket

    page = socket.create_connection(address, timeout=5)
    page.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert b"200 OK" in page.recv(4096)
    page.close()
    first.close()
