"""HTTP with strangers: where it connects, what it follows, how long it waits, what it tells."""

import contextlib
import datetime
import email.utils
import gzip
import pickle
import random
import socket
import subprocess
import sys
import threading
import time
import zlib

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outside.web import Mapped, certificate, client, once, redirect, send, serving
from starloom.outside.http import Http, HttpError, HttpSettings, RangeError, TooLargeError, shown
from starloom.outside.http_errors import seconds_until
from starloom.outside.pace import Pace
from starloom.outside.transport import Patience, VettedTransport

PUBLIC = "93.184.216.34"
LIMIT = 1 << 20


@contextlib.contextmanager
def public(web, *answers, **settings):
    """A client that allows no private address; names resolve to `answers` in turn, and public ones are `web`."""
    rest = list(answers or [[PUBLIC]])
    asked = []

    def resolve(host, port):
        asked.append(host)
        return rest.pop(0) if len(rest) > 1 else rest[0]

    sockets = Mapped(web)
    with Http(HttpSettings(**settings), resolve=resolve, sockets=sockets, sleep=lambda _: None) as http:
        http.resolved, http.connected = asked, sockets.asked
        yield http


# Where it connects


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "[::1]", "[::ffff:7f00:1]"])
def test_this_machine_is_refused(web, host):
    with Http() as http, pytest.raises(HttpError, match=r"refused.*STARLOOM_ALLOW_PRIVATE") as caught:
        http.get(f"http://{host}:{web.port}/", limit=LIMIT)
    assert not caught.value.retryable
    assert web.seen == []


def test_the_environment_may_allow_private_addresses(web, monkeypatch):
    web.put("/a", b"a")
    monkeypatch.setenv("STARLOOM_ALLOW_PRIVATE", "1")
    with Http() as http:
        assert http.get(web.url + "/a", limit=LIMIT) == b"a"


def test_a_name_that_resolves_to_a_refused_address(web):
    for address in ("127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1"):
        with public(web, [address]) as http, pytest.raises(HttpError, match="refused") as caught:
            http.get("http://registry.example/", limit=LIMIT)
        assert not caught.value.retryable
        assert http.connected == []


def test_only_the_vetted_addresses_of_a_name_are_tried(web):
    web.put("/a", b"a")
    with public(web, ["127.0.0.1", PUBLIC, "10.0.0.1"]) as http:
        assert http.get("http://registry.example/a", limit=LIMIT) == b"a"
    assert http.connected == [PUBLIC]


def test_rebinding(web):
    """A name that is public when asked first, and loopback later: each connection goes to what was vetted for it."""
    web.routes["/a"] = lambda handler: send(handler, 200, b"a", Connection="close")
    with public(web, [PUBLIC], ["127.0.0.1"]) as http:
        assert http.get("http://rebinding.example/a", limit=LIMIT) == b"a"
        assert (http.resolved, http.connected) == (["rebinding.example"], [PUBLIC])  # asked once, connected to that
        with pytest.raises(HttpError, match="refused"):
            http.get("http://rebinding.example/a", limit=LIMIT)
    assert http.connected == [PUBLIC]


def test_a_redirect_is_vetted_anew(web):
    web.routes["/a"] = redirect("http://inside.example/")
    with public(web, [PUBLIC], ["10.0.0.1"]) as http, pytest.raises(HttpError, match="refused"):
        http.get("http://outside.example/a", limit=LIMIT)
    assert http.connected == [PUBLIC]


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1/",
        "http://localhost/",
        "http://2130706433/",
        "http://[::ffff:127.0.0.1]/",
        "//0.0.0.0/",
    ],
)
def test_redirects_to_addresses_that_are_refused(web, location):
    web.routes["/a"] = redirect(location)
    resolves_literals = [[PUBLIC], ["127.0.0.1"]]
    with public(web, *resolves_literals) as http, pytest.raises(HttpError, match="refused"):
        http.get("http://outside.example/a", limit=LIMIT)
    assert http.connected == [PUBLIC]


def test_a_redirect_to_the_metadata_service_is_refused_even_where_private_addresses_are_allowed(web, http):
    web.routes["/a"] = redirect("http://169.254.169.254/latest/meta-data/iam/")
    with pytest.raises(HttpError, match="metadata"):
        http.get(web.url + "/a", limit=LIMIT)


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://h/x", "gopher://h/", "javascript:1", "http://h:99999/"]
)
def test_redirects_to_something_else(web, http, location):
    web.routes["/a"] = redirect(location)
    with pytest.raises(HttpError, match=r"redirects to .* refused") as caught:
        http.get(web.url + "/a", limit=LIMIT)
    assert not caught.value.retryable


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://h/",
        "/etc/passwd",
        "",
        "http://",
        "http://h:0/",
        "http://a\nb/",
        "http://[::1/",
        "ext::sh -c id",
    ],
)
def test_urls_that_are_none(http, url):
    with pytest.raises(HttpError):
        http.get(url, limit=LIMIT)


# What it follows


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_five_redirects_are_followed(web, http, status):
    for number in range(5):
        web.routes[f"/{number}"] = redirect(f"/{number + 1}", status)
    web.put("/5", b"there")
    assert http.get(web.url + "/0", limit=LIMIT) == b"there"
    web.routes["/5"] = redirect("/6")
    with pytest.raises(HttpError, match="more than 5 redirects"):
        http.get(web.url + "/0", limit=LIMIT)


@pytest.fixture
def tls(tmp_path, monkeypatch):
    """An https server whose certificate is for registry.example, and trusted."""
    pytest.importorskip("cryptography")
    path, context = certificate(tmp_path, "registry.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with serving(context) as web:
        yield web


def test_https_checks_the_name_and_connects_to_the_vetted_address(tls, monkeypatch):
    tls.put("/a", b"a")
    with public(tls, attempts=2) as http:
        assert http.get("https://registry.example/a", limit=LIMIT) == b"a"
        assert http.connected == [PUBLIC]
        with pytest.raises(HttpError, match="certificate is refused: Hostname mismatch") as caught:
            http.get("https://other.example/a", limit=LIMIT)
        assert not caught.value.retryable
    monkeypatch.delenv("SSL_CERT_FILE")  # the system does not know the certificate
    with public(tls) as http, pytest.raises(HttpError, match="certificate is refused: self-signed"):
        http.get("https://registry.example/a", limit=LIMIT)


def test_https_is_never_left_for_http(tls):
    tls.routes["/a"] = redirect("http://registry.example/b")
    with public(tls) as http, pytest.raises(HttpError, match="https to http"):
        http.get("https://registry.example/a", limit=LIMIT)
    assert tls.paths() == ["/a"]


def test_the_transport_serves_other_clients_of_httpx(web):
    """The Hugging Face Hub's library takes a client of httpx2: with this transport it goes through the same door."""
    web.put("/a", b"a")
    web.routes["/inside"] = redirect("http://169.254.169.254/")
    with httpx2.Client(transport=VettedTransport(Patience(5, 5, 60, 1), private=True, parallel=2)) as other:
        assert other.get(web.url + "/a").content == b"a"
        with pytest.raises(httpx2.TransportError, match="metadata"):
            other.get(web.url + "/inside", follow_redirects=True)
        with pytest.raises(httpx2.UnsupportedProtocol):
            other.get(web.url.replace("http:", "ws:") + "/a")


def test_credentials_stay_with_their_origin(web, http):
    secrets = {"Authorization": "Bearer s3cret", "Cookie": "s3cret", "PRIVATE-TOKEN": "s3cret", "Accept": "a/b"}
    with serving() as other:
        other.put("/c", b"c")
        web.routes["/a"] = redirect("/b")
        web.routes["/b"] = redirect(other.url + "/c")
        assert http.get(web.url + "/a", limit=LIMIT, headers=secrets) == b"c"
        there = str(other.seen)
    assert "s3cret" not in there
    assert "a/b" in there
    for _, headers in web.seen:
        assert headers["Authorization"] == "Bearer s3cret"


def test_a_user_in_the_url_is_sent_to_its_origin_only(web, http):
    with serving() as other:
        other.put("/b", b"b")
        web.routes["/a"] = redirect(other.url.replace("//", "//user:pass@") + "/b")
        url = web.url.replace("//", "//me:p%40ss@") + "/a"
        assert http.get(url, limit=LIMIT) == b"b"
        assert "Authorization" not in other.seen[0][1]
    assert web.seen[0][1]["Authorization"] == "Basic bWU6cEBzcw=="


def test_no_cookie_is_kept(web, http):
    web.routes["/a"] = lambda handler: send(handler, 200, b"a", Set_Cookie="id=1; Path=/")
    http.get(web.url + "/a", limit=LIMIT)
    http.get(web.url + "/a", limit=LIMIT)
    assert all("Cookie" not in headers for _, headers in web.seen)


def test_what_is_sent(web, http):
    web.put("/a", b"a")
    http.get(web.url + "/a?q=1#fragment", limit=LIMIT)
    path, headers = web.seen[0]
    assert path == "/a?q=1"
    assert headers["User-Agent"].startswith("starloom/")
    assert headers["Host"] == f"127.0.0.1:{web.port}"
    with http.stream(web.url + "/a", limit=LIMIT) as body:
        assert b"".join(body) == b"a"
        assert body.headers["etag"] == '"1"'
        assert (body.start, body.total, body.status) == (0, 1, 200)
    with http.stream(web.url.replace("//", "//me:s3cret@") + "/a#b", limit=LIMIT) as body:
        assert body.url == web.url + "/a"
    assert web.seen[1][1]["Accept-Encoding"] == "identity"


# How much it takes


@pytest.mark.parametrize("chunked", [False, True])
def test_limits(web, http, chunked):
    def answer(handler):
        if chunked:
            handler.send_response(200)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            handler.wfile.write(b"64\r\n" + b"x" * 100 + b"\r\n0\r\n\r\n")
        else:
            send(handler, 200, b"x" * 100)

    web.routes["/a"] = answer
    assert http.get(web.url + "/a", limit=100) == b"x" * 100
    with pytest.raises(TooLargeError, match="limit of 99") as caught:
        http.get(web.url + "/a", limit=99)
    assert not caught.value.retryable


def test_an_endless_body_ends_at_the_limit(web, http):
    def answer(handler):
        handler.send_response(200)
        handler.end_headers()
        with contextlib.suppress(ConnectionError):
            while not web.over.is_set():
                handler.wfile.write(b"x" * 65536)
        handler.close_connection = True

    web.routes["/a"] = answer
    with pytest.raises(TooLargeError):
        http.get(web.url + "/a", limit=LIMIT)


@pytest.mark.parametrize("line", [b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, b"X: y\r\n" * 1000, b"x" * 10000])
def test_an_endless_head_ends(web, line):
    def answer(handler):
        handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n" if line[0] == 88 else b"")
        with contextlib.suppress(ConnectionError):
            while not web.over.is_set():
                handler.wfile.write(line)
        handler.close_connection = True

    web.routes["/a"] = answer
    with client(attempts=1) as http, pytest.raises(HttpError):
        http.get(web.url + "/a", limit=LIMIT)


def test_an_endless_gzip_ends_at_the_limit(web, http):
    packed = zlib.compressobj(wbits=31)
    head = packed.compress(b"") + packed.compress(b"\0" * (1 << 24)) + packed.flush(zlib.Z_FULL_FLUSH)

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.end_headers()
        with contextlib.suppress(ConnectionError):
            handler.wfile.write(head)
            while not web.over.is_set():  # zeros for ever: 16 MB out of each 16 KB
                handler.wfile.write(packed.compress(b"\0" * (1 << 24)) + packed.flush(zlib.Z_FULL_FLUSH))
        handler.close_connection = True

    web.routes["/a"] = answer
    with pytest.raises(TooLargeError, match="once decompressed"):
        http.get(web.url + "/a", limit=LIMIT)


def test_a_compressed_body_is_decompressed_by_get_and_not_by_stream(web, http):
    body = random.Random(1).randbytes(5000)
    packed = gzip.compress(body[:2500]) + gzip.compress(body[2500:])
    web.routes["/a"] = lambda handler: send(handler, 200, packed, Content_Encoding="gzip")
    assert http.get(web.url + "/a", limit=5000) == body
    with pytest.raises(TooLargeError):
        http.get(web.url + "/a", limit=4999)
    with http.stream(web.url + "/a", limit=LIMIT) as stream:
        assert b"".join(stream) == packed


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(b"plain", "gzip"), (gzip.compress(b"x" * 1000, mtime=0)[:-1], "gzip"), (b"x", "br")],
    ids=["plain", "cut", "br"],
)
def test_a_body_that_is_not_what_its_encoding_says(web, body, encoding):
    web.routes["/a"] = lambda handler: send(handler, 200, body, Content_Encoding=encoding)
    with client(attempts=1) as http, pytest.raises(HttpError):
        http.get(web.url + "/a", limit=LIMIT)


def test_a_short_body_is_an_error(web, http):
    def answer(handler):
        send(handler, 200, b"x" * 50, Content_Length=100)
        handler.close_connection = True

    web.routes["/a"] = answer
    with pytest.raises(HttpError) as caught:
        http.get(web.url + "/a", limit=LIMIT)
    assert caught.value.retryable
    assert len(web.seen) == 5


def test_a_range_that_ends_early_is_an_error(web, http):
    web.routes["/a"] = lambda handler: send(handler, 206, b"x" * 10, Content_Range="bytes 10-19/100")
    with http.stream(web.url + "/a", limit=LIMIT, start=10) as body, pytest.raises(HttpError, match="20 of 100"):
        list(body)


@pytest.mark.parametrize("given", ["bytes 0-9/100", "bytes 10-19/*", "bytes 11-20/21", "lines 10-19/20", None, "x"])
def test_another_range_than_was_asked_for(web, http, given):
    web.routes["/a"] = lambda handler: send(handler, 206, b"x" * 10, Content_Range=given)
    with pytest.raises(RangeError), http.stream(web.url + "/a", limit=LIMIT, start=10):
        pass
    with pytest.raises(RangeError):
        http.get(web.url + "/a", limit=LIMIT)  # none was asked for


# How long it waits


def test_a_server_that_says_nothing(web):
    web.routes["/a"] = lambda handler: web.over.wait()
    with client(attempts=1, idle_seconds=0.2) as http, pytest.raises(HttpError, match="nothing") as caught:
        http.get(web.url + "/a", limit=LIMIT)
    assert caught.value.retryable


def test_a_server_that_stalls_within_the_body(web):
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"x")
        web.over.wait()

    web.routes["/a"] = answer
    with client(attempts=1, idle_seconds=0.2) as http, pytest.raises(HttpError, match="nothing") as caught:
        http.get(web.url + "/a", limit=LIMIT)
    assert caught.value.retryable


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "])
def test_a_server_that_drips_its_body_or_its_headers(web, head):
    def answer(handler):
        handler.wfile.write(head)
        handler.wfile.flush()
        with contextlib.suppress(ConnectionError):
            while not web.over.wait(0.02):
                handler.wfile.write(b"x")
        handler.close_connection = True

    web.routes["/a"] = answer
    with (
        client(attempts=1, slow_seconds=0.3, slow_bytes_per_second=1000) as http,
        pytest.raises(HttpError, match=r"only .* bytes came in") as caught,
    ):
        http.get(web.url + "/a", limit=LIMIT * 2)
    assert caught.value.retryable


def test_a_server_that_thinks_before_each_answer_is_not_slow(web):
    """One connection, many answers: the wait for each first byte is `idle_seconds`' affair."""

    def answer(handler):
        time.sleep(0.05)
        send(handler, 200, b"a")

    web.routes["/a"] = answer
    with client(attempts=1, slow_seconds=0.2, slow_bytes_per_second=1e9) as http:
        assert [http.get(web.url + "/a", limit=LIMIT) for _ in range(8)] == [b"a"] * 8


def test_a_slow_reader_is_not_a_slow_server(web):
    """Bytes that wait for us do not count against the server."""
    web.put("/a", b"x" * 200_000)
    with (
        client(attempts=1, slow_seconds=0.01, slow_bytes_per_second=100_000) as http,
        http.stream(web.url + "/a", limit=LIMIT) as body,
    ):
        received = 0
        for piece in body:
            time.sleep(0.02)
            received += len(piece)
    assert received == 200_000


def test_a_closed_port_and_an_unknown_name():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with client(attempts=2) as http, pytest.raises(HttpError, match="refused") as caught:
        http.get(f"http://127.0.0.1:{port}/", limit=LIMIT)
    assert caught.value.retryable
    assert len(http.slept) == 1

    def resolve(host, port):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with Http(resolve=resolve) as http, pytest.raises(HttpError, match="does not resolve") as caught:
        http.get("http://nowhere.example/", limit=LIMIT)
    assert not caught.value.retryable


# How it tries again


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_statuses_that_may_pass(web, http, status):
    web.routes["/a"] = once(*[lambda handler: send(handler, status)] * 4, lambda handler: send(handler, 200, b"a"))
    assert http.get(web.url + "/a", limit=LIMIT) == b"a"
    assert len(http.slept) == 4
    assert all(0 <= wait <= 2**number for number, wait in enumerate(http.slept))


@pytest.mark.parametrize("status", [204, 304, 400, 401, 403, 404, 410, 451, 501])
def test_statuses_that_will_not(web, http, status):
    web.routes["/a"] = lambda handler: send(handler, status)
    with pytest.raises(HttpError) as caught:
        http.get(web.url + "/a", limit=LIMIT)
    assert (caught.value.status, caught.value.retryable, len(web.seen)) == (status, False, 1)


def test_attempts_end(web, http):
    web.routes["/a"] = lambda handler: send(handler, 500)
    with pytest.raises(HttpError) as caught:
        http.get(web.url + "/a", limit=LIMIT)
    assert (caught.value.status, len(web.seen), len(http.slept)) == (500, 5, 4)


def test_connections_that_break_are_tried_again(web, http):
    def broken(handler):
        handler.close_connection = True

    web.routes["/a"] = once(broken, broken, lambda handler: send(handler, 200, b"a"))
    assert http.get(web.url + "/a", limit=LIMIT) == b"a"


def test_retry_after_in_seconds(web, http):
    web.routes["/a"] = once(
        lambda handler: send(handler, 429, Retry_After="7"),
        lambda handler: send(handler, 503, Retry_After="99999999999999999999"),
        lambda handler: send(handler, 200, b"a"),
    )
    assert http.get(web.url + "/a", limit=LIMIT) == b"a"
    first, second = http.slept
    assert 7 <= first <= 8
    assert 120 <= second <= 122  # capped


def test_retry_after_as_a_date(web, http):
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=100)
    web.routes["/a"] = once(
        lambda handler: send(handler, 503, Retry_After=email.utils.format_datetime(soon, usegmt=True)),
        lambda handler: send(handler, 200, b"a"),
    )
    assert http.get(web.url + "/a", limit=LIMIT) == b"a"
    assert 60 < http.slept[0] <= 101


@given(
    st.text(max_size=40) | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} \d\d:\d\d:\d\d [A-Z+0-9]{1,5}")
)
def test_any_retry_after_is_read_or_ignored(text):
    seconds = seconds_until(text)
    assert seconds is None or seconds >= 0


def test_pace():
    now, slept = [100.0], []
    pace = Pace(4, lambda seconds: slept.append(seconds), lambda: now[0])
    for _ in range(8):
        pace.wait()
    assert slept == [0.25, 0.5, 0.75, 1.0]  # four at once, then one every quarter of a second
    now[0] += 100
    slept.clear()
    for _ in range(5):
        pace.wait()
    assert slept == [0.25]


def test_threads_share_pace_and_connections(web):
    web.put("/a", b"a")
    open_at_once, lock, most = [0], threading.Lock(), [0]

    def answer(handler):
        with lock:
            open_at_once[0] += 1
            most[0] = max(most[0], open_at_once[0])
        web.over.wait(0.02)
        with lock:
            open_at_once[0] -= 1
        send(handler, 200, b"b")

    web.routes["/b"] = answer
    with client(parallel=2, per_second=1000) as http:
        got = []
        threads = [threading.Thread(target=lambda: got.append(http.get(web.url + "/b", limit=9))) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert got == [b"b"] * 12
    assert most[0] <= 2


# What it tells


def test_messages_hold_no_secrets(web, http, caplog):
    caplog.set_level("DEBUG")
    url = web.url.replace("//", "//user:hunter2@") + "/a?token=hunter2#hunter2"
    for answer in (
        lambda handler: send(handler, 404),
        lambda handler: send(handler, 200, b"x", Content_Length=2000000),
        redirect("http://user:hunter2@169.254.169.254/?hunter2"),
        redirect("file://user:hunter2@h/?hunter2"),
        redirect("/a?token=hunter2"),
        lambda handler: setattr(handler, "close_connection", True),
    ):
        web.routes["/a"] = answer
        with pytest.raises(HttpError) as caught:
            http.get(url, limit=LIMIT, headers={"X-Token": "hunter2"})
        assert "hunter2" not in str(caught.value)
        assert "hunter2" not in repr(pickle.loads(pickle.dumps(caught.value)))
    with pytest.raises(HttpError, match="header") as caught:
        http.get(web.url, limit=LIMIT, headers={"X-Token": "hunter2\r\nX: 1"})
    assert "hunter2" not in str(caught.value)


@given(st.text())
def test_shown_urls_are_printable_and_short(url):
    assert len(shown(url)) <= 300
    assert shown(url).isprintable()


def test_an_error_crosses_process_borders():
    error = pickle.loads(pickle.dumps(TooLargeError("m", 200)))
    assert (type(error), str(error), error.status, error.retryable) == (TooLargeError, "m", 200, False)


# Proxies


def test_a_proxy_of_the_environment_is_used(web, monkeypatch):
    monkeypatch.setenv("http_proxy", web.url.replace("//", "//me:hunter2@"))
    monkeypatch.setenv("no_proxy", "direct.example,10.0.0.0/8")
    web.put("/a", b"by proxy")
    web.routes["http://registry.example/a"] = lambda handler: send(handler, 200, b"by proxy")
    with Http() as http:  # the proxy itself may be on a private address
        assert http.get("http://registry.example/a", limit=LIMIT) == b"by proxy"
        path, headers = web.seen[-1]
        assert path == "http://registry.example/a"
        assert headers["Proxy-Authorization"].startswith("Basic ")
        for host in ("169.254.169.254", "127.0.0.1", "localhost", "2130706433"):
            with pytest.raises(HttpError, match="refused"):
                http.get(f"http://{host}/a", limit=LIMIT)
    with public(web) as http:
        assert http.get("http://direct.example/a", limit=LIMIT) == b"by proxy"
        assert http.connected == [PUBLIC]  # NO_PROXY


def test_networks_in_no_proxy(web, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://192.0.2.1:1")
    monkeypatch.setenv("no_proxy", "nonsense/99, 127.0.0.0/8")
    web.put("/a", b"direct")
    with client() as http:
        assert http.get(web.url + "/a", limit=LIMIT) == b"direct"


def test_a_proxy_that_refuses(web, monkeypatch):
    monkeypatch.setenv("https_proxy", web.url.replace("//", "//me:hunter2@"))
    web.routes["registry.example:443"] = lambda handler: send(handler, 407)
    with client() as http, pytest.raises(HttpError, match="proxy refused: 407") as caught:
        http.get("https://registry.example/a", limit=LIMIT)
    assert "hunter2" not in str(caught.value)
    monkeypatch.setenv("https_proxy", "socks5://me:hunter2@127.0.0.1:1")
    with client() as http, pytest.raises(HttpError, match="socks5 is not supported") as caught:
        http.get("https://registry.example/a", limit=LIMIT)
    assert "hunter2" not in str(caught.value)


def test_the_module_is_loaded_quickly():
    """`starloom --help` must not pay for a client that nobody uses."""
    code = "import sys, starloom.outside.http; print(sorted({'httpx2', 'httpcore2', 'ssl'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
