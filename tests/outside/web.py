"""A web server of this machine for tests, whose answers are functions; and a network where names mean that server."""

import contextlib
import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpcore2

from starloom.outside.http import Http, HttpSettings

Answer = Callable[[BaseHTTPRequestHandler], None]

QUICK = {"connect_seconds": 5, "idle_seconds": 10}  # of HttpSettings; sleeps between attempts are never slept


@dataclass
class Web:
    """`routes` maps a path (without query) to an answer; `seen` holds path and headers of every request."""

    url: str
    port: int
    routes: dict[str, Answer] = field(default_factory=dict)
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)  # set at the end: a handler that waits stops

    def put(self, path: str, body: bytes, **headers: str) -> str:
        """Serves `body`, honouring Range where it can; gives the URL."""
        self.routes[path] = file(body, **headers)
        return self.url + path

    def paths(self) -> list[str]:
        return [path for path, _ in self.seen]


def send(handler: BaseHTTPRequestHandler, status: int = 200, body: bytes = b"", **headers: object) -> None:
    """A whole answer; `Retry_After="1"` is the header Retry-After. Content-Length is right unless given."""
    handler.send_response(status)
    headers.setdefault("Content_Length", len(body))
    for name, value in headers.items():
        if value is not None:
            handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()
    handler.wfile.write(body)


def file(body: bytes, *, etag: str | None = '"1"', **headers: object) -> Answer:
    """Range and If-Range as RFC 9110 has them."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range")
        if asked is None or handler.headers.get("If-Range", etag) != etag:
            send(handler, 200, body, ETag=etag, **headers)
            return
        first, _, last = asked.removeprefix("bytes=").partition("-")
        start, stop = int(first), min(int(last) + 1, len(body)) if last else len(body)
        if start >= len(body):
            send(handler, 416, Content_Range=f"bytes */{len(body)}")
            return
        send(
            handler,
            206,
            body[start:stop],
            ETag=etag,
            Content_Range=f"bytes {start}-{stop - 1}/{len(body)}",
            **headers,
        )

    return answer


def redirect(location: str, status: int = 302) -> Answer:
    return lambda handler: send(handler, status, Location=location)


def once(*answers: Answer) -> Answer:
    """The first answer to the first request, and so on; the last one to all that follow."""
    rest = list(answers)
    return lambda handler: (rest.pop(0) if len(rest) > 1 else rest[0])(handler)


@contextlib.contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Web]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            web.seen.append((self.path, dict(self.headers)))
            answer = web.routes.get(path)
            with contextlib.suppress(ConnectionError):
                if answer is None:
                    send(self, 404)
                else:
                    answer(self)

        do_CONNECT = do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = False  # server_close waits for them, so none is left with a socket
        address_family = socket.AF_INET

        def handle_error(self, *_: object) -> None:
            pass

        def process_request(self, request: socket.socket, address: object) -> None:
            connections.append(request)
            super().process_request(request, address)

        def finish_request(self, request: socket.socket, address: object) -> None:
            if tls is None:
                super().finish_request(request, address)
                return
            with contextlib.suppress(OSError), tls.wrap_socket(request, server_side=True) as wrapped:
                super().finish_request(wrapped, address)

    connections: list[socket.socket] = []
    server = Server(("127.0.0.1", 0), Handler)
    web = Web(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}", server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield web
    finally:
        web.over.set()
        server.shutdown()
        for connection in connections:  # kept open by a client that waits for its next request
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        server.server_close()
        thread.join()


class Mapped(httpcore2.SyncBackend):
    """Connects to the test server, whatever public address is asked for; notes the addresses."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.asked: list[str] = []

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        self.asked.append(host)
        return super().connect_tcp("127.0.0.1", self.web.port, timeout, local_address, socket_options)


def client(**settings: object) -> Http:
    """For the test server itself. Its waits between attempts stand in `client.slept`, nobody sleeps them."""
    slept: list[float] = []
    http = Http(HttpSettings(**{"private": True, **QUICK, **settings}), sleep=slept.append)
    http.slept = slept
    return http


def certificate(folder: Path, *names: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate for `names` that nobody signed: its file, for SSL_CERT_FILE, and the context of its server."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path, private = folder / "certificate.pem", folder / "key.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, private)
    return path, context
