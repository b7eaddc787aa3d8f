"""The HTTP transport under `http`: connects to vetted addresses only, and gives up on servers that stall or drip.

It is a transport of httpx2, so that a library which takes one (the Hugging Face Hub's) goes through the same door.
Loading it costs about 100 ms: import it when a connection is wanted. TLS checks the name that was asked for, whatever
address was connected to; certificates are the system's, or those of SSL_CERT_FILE or SSL_CERT_DIR.

A proxy of the environment (`proxies`) is used as it is: it does the resolving, so behind it only hosts that are
spelled as an address, and `localhost`, can be refused here.
"""

import contextlib
import socket
import ssl
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpcore2
import httpx2

from starloom.outside.addresses import name_refusal, refusal, resolve
from starloom.outside.paths import printable
from starloom.outside.proxies import proxy_for

_MOST_ADDRESSES: Final = 4  # of one name that are tried
_LONGEST_HEAD: Final = 1 << 20  # bytes before a body: an endless row of interim answers is none


class RefusedAddressError(httpx2.TransportError):
    """Nothing was sent: the host is, or resolves to, an address that is not connected to.

    `could_be_mine`: it would be, were private addresses allowed.
    """

    def __init__(self, message: str, *, could_be_mine: bool) -> None:
        super().__init__(message)
        self.could_be_mine = could_be_mine


class ResolveError(httpx2.ConnectError):
    """The name was not resolved. `for_good`: the name server says that there is no such name."""

    def __init__(self, message: str, *, for_good: bool) -> None:
        super().__init__(message)
        self.for_good = for_good


class SlowError(httpx2.ReadTimeout):
    """Bytes come, but too few."""


@dataclass(frozen=True)
class Patience:
    """Seconds to connect, seconds without a byte, and the fewest bytes per second over `slow_seconds` of waiting."""

    connect_seconds: float
    idle_seconds: float
    slow_seconds: float
    slow_bytes_per_second: float


class VettedTransport(httpx2.BaseTransport):
    """Thread-safe. At most `parallel` connections at once; further requests wait for a free one."""

    def __init__(
        self,
        patience: Patience,
        *,
        private: bool,
        parallel: int,
        resolve: Callable[[str, int], list[str]] = resolve,
        sockets: httpcore2.NetworkBackend | None = None,
    ) -> None:
        self._private = private
        self._patience = patience
        self._parallel = parallel
        sockets = sockets or httpcore2.SyncBackend()
        self._direct = _Backend(patience, sockets, resolve, private)
        self._to_proxy = _Backend(patience, sockets, None, private)
        self._pools: dict[str, httpcore2.ConnectionPool] = {}
        self._lock = threading.Lock()
        self._tls: ssl.SSLContext | None = None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer, its body unread. Raises httpx2.TransportError."""
        url = request.url
        if url.scheme not in ("http", "https"):
            raise httpx2.UnsupportedProtocol("only http and https are spoken")
        reason = name_refusal(url.host, private=self._private)
        if reason is not None:
            mine = not self._private and name_refusal(url.host, private=True) is None
            raise RefusedAddressError(f"{url.host} is {reason}", could_be_mine=mine)
        pool = self._pool(proxy_for(url.scheme, url.host))
        asked = httpcore2.Request(
            request.method,
            httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions={
                **request.extensions,
                "timeout": {
                    "connect": self._patience.connect_seconds,
                    "read": self._patience.idle_seconds,
                    "write": self._patience.idle_seconds,
                },
            },
        )
        with _as_httpx():
            answer = pool.handle_request(asked)
        stream = answer.extensions.get("network_stream")
        if isinstance(stream, _Stream):
            stream.has_answered()
        return httpx2.Response(
            answer.status, headers=answer.headers, stream=_Body(answer.stream), extensions=answer.extensions
        )

    def close(self) -> None:
        """Closes every connection."""
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.close()

    def _pool(self, proxy: str) -> httpcore2.ConnectionPool:
        with self._lock:
            if proxy not in self._pools:
                if self._tls is None:
                    self._tls = httpx2.create_ssl_context()
                self._pools[proxy] = self._new_pool(proxy, self._tls)
            return self._pools[proxy]

    def _new_pool(self, proxy: str, tls: ssl.SSLContext) -> httpcore2.ConnectionPool:
        if not proxy:
            return httpcore2.ConnectionPool(
                ssl_context=tls, max_connections=self._parallel, keepalive_expiry=30, network_backend=self._direct
            )
        parts = urllib.parse.urlsplit(proxy)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise httpx2.ProxyError(
                f"a proxy of the kind {printable(parts.scheme)} is not supported, only http and https"
            )
        auth = None
        if parts.username is not None:
            auth = (urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or ""))
        return httpcore2.HTTPProxy(
            urllib.parse.urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "/", "", "")),
            proxy_auth=auth,
            ssl_context=tls,
            proxy_ssl_context=httpx2.create_ssl_context() if parts.scheme == "https" else None,
            max_connections=self._parallel,
            keepalive_expiry=30,
            network_backend=self._to_proxy,
        )


class _Backend(httpcore2.NetworkBackend):
    """Connects. With a resolver: to the addresses it gives, each vetted; without one: to whatever the host is."""

    def __init__(
        self,
        patience: Patience,
        sockets: httpcore2.NetworkBackend,
        resolve: Callable[[str, int], list[str]] | None,
        private: bool,
    ) -> None:
        self._patience = patience
        self._sockets = sockets
        self._resolve = resolve
        self._private = private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        seconds = self._patience.connect_seconds if timeout is None else timeout
        addresses = self._vetted(host, port)[:_MOST_ADDRESSES]
        for last in addresses:
            try:
                stream = self._sockets.connect_tcp(last, port, seconds / len(addresses), local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if last == addresses[-1]:
                    raise
                continue
            return _Stream(stream, self._patience)
        raise AssertionError  # there is at least one address

    def _vetted(self, host: str, port: int) -> list[str]:
        if self._resolve is None:
            return [host]
        try:
            found = self._resolve(host, port)
        except socket.gaierror as problem:
            for_good = problem.errno in (socket.EAI_NONAME, socket.EAI_NODATA)
            raise ResolveError(f"the host name does not resolve ({problem.strerror})", for_good=for_good) from None
        except (OSError, UnicodeError) as problem:
            raise ResolveError(f"the host name does not resolve ({problem})", for_good=True) from None
        reasons = [refusal(address, private=self._private) for address in found]
        kept = [address for address, reason in zip(found, reasons, strict=True) if reason is None]
        if kept:
            return kept
        if not found:
            raise ResolveError("the host name has no address", for_good=True)
        mine = not self._private and any(refusal(address, private=True) is None for address in found)
        raise RefusedAddressError(f"the host resolves to {found[0]}, {reasons[0]}", could_be_mine=mine)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class _Stream(httpcore2.NetworkStream):
    """A connection, plain or TLS, that counts what comes while somebody waits for it.

    The count starts with the first byte of an answer and covers its header lines too; the time that the reader takes
    for the bytes does not count.
    """

    def __init__(self, stream: httpcore2.NetworkStream, patience: Patience) -> None:
        self._stream = stream
        self._patience = patience
        self._head: int | None = 0  # bytes of an answer's head so far; None within its body
        self._waited = 0.0
        self._received = 0

    def has_answered(self) -> None:
        """The head of the answer is there: what follows is its body."""
        self._head = None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        began = time.monotonic()
        data = self._stream.read(max_bytes, timeout)
        if self._head != 0:
            self._waited += time.monotonic() - began
            self._received += len(data)
        if self._head is not None:
            self._head += len(data)
            if self._head > _LONGEST_HEAD:
                raise httpcore2.RemoteProtocolError("header lines without end")
        if self._waited >= self._patience.slow_seconds:
            if self._received < self._patience.slow_bytes_per_second * self._waited:
                raise SlowError(f"only {self._received:,} bytes came in {self._waited:.0f} seconds")
            self._waited, self._received = 0.0, 0
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._head, self._waited, self._received = 0, 0.0, 0
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._patience)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Body(httpx2.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._stream

    def close(self) -> None:
        self._stream.close()


@contextlib.contextmanager
def _as_httpx() -> Iterator[None]:
    """Errors of httpcore2 as those of httpx2, which have the same names."""
    try:
        yield
    except httpx2.TransportError:
        raise
    except (
        httpcore2.TimeoutException,
        httpcore2.NetworkError,
        httpcore2.ProtocolError,
        httpcore2.ProxyError,
        httpcore2.UnsupportedProtocol,
    ) as problem:
        raise getattr(httpx2, type(problem).__name__)(str(problem)) from problem
