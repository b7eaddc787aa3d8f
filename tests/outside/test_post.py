"""HTTP with strangers: what is posted, what comes back, and what is told when nothing does."""

import gzip

import pytest

from outside.web import redirect, send
from starloom.outside.http import Http, HttpError, TooLargeError

LIMIT = 1 << 20


def echo(status=200, packed=False):
    """Says what was posted."""

    def answer(handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        if packed:
            send(handler, status, gzip.compress(body), Content_Encoding="gzip")
        else:
            send(handler, status, body)

    return answer


@pytest.mark.parametrize("status", [200, 404, 503])
def test_a_body_goes_out_and_comes_back_whatever_the_status(web, http, status):
    web.routes["/x"] = echo(status)
    body = bytes(range(256)) * 4_000
    assert http.post(web.url + "/x", body, limit=LIMIT) == (status, body)
    ((_, headers),) = web.seen
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"].startswith("starloom/")
    assert http.post(web.url + "/x", b"", limit=LIMIT) == (status, b"")


def test_compressed(web, http):
    web.routes["/x"] = echo(packed=True)
    assert http.post(web.url + "/x", b"a" * 5_000, limit=LIMIT) == (200, b"a" * 5_000)


def test_too_much(web, http):
    for packed in (False, True):
        web.routes["/x"] = echo(packed=packed)
        with pytest.raises(TooLargeError):
            http.post(web.url + "/x", b"a" * 200_000, limit=1_000)


def test_no_redirect_is_followed(web, http):
    web.routes["/x"] = redirect("/y")
    assert http.post(web.url + "/x", b"secret", limit=LIMIT)[0] == 302
    assert web.paths() == ["/x"]


def test_a_user_in_the_address_is_a_header_and_no_part_of_a_message(web, http):
    web.routes["/x"] = lambda handler: (handler.rfile.read(1), handler.wfile.write(b"nonsense\r\n\r\n"))
    url = web.url.replace("http://", "http://me:pass%21@") + "/x"
    with pytest.raises(HttpError) as told:
        http.post(url, b"1", limit=LIMIT)
    assert "pass" not in str(told.value)
    assert web.seen[0][1]["Authorization"] == "Basic bWU6cGFzcyE="
    assert "@" not in web.seen[0][1]["Host"]


def test_asked_again_when_the_connection_fails(web, http):
    def answer(handler):
        if len(web.seen) == 1:
            handler.close_connection = True  # without a word
        else:
            echo()(handler)

    web.routes["/x"] = answer
    assert http.post(web.url + "/x", b"again", limit=LIMIT) == (200, b"again")
    assert len(web.seen) == 2


def test_private_addresses_are_refused_here_too(web):
    with Http() as http, pytest.raises(HttpError, match="refused"):
        http.post(web.url, b"", limit=LIMIT)
