"""HTTP with strangers: vetted addresses, bounded bodies, patience with limits, polite retries.

- Only http and https; connections only to vetted addresses (`addresses`, `transport`), on every redirect anew.
- At most five redirects, never from https to http; another origin gets none of the caller's credentials; no cookies.
- A body ends after `limit` bytes or as its Content-Length says, or it is an error: never a shorter result.
- A server that sends nothing for `idle_seconds`, or less than `slow_bytes_per_second` over `slow_seconds`, is given up.
- Errors that may pass (connection, 408, 425, 429, 5xx) are retried with exponential backoff and full jitter; a
  Retry-After is waited for, up to `longest_wait`.

Proxies and certificates of the environment are honoured, see `transport`. Messages show URLs without user and query.
Cost: 100 ms for the first `Http` of a process; none at import. Not covered: HTTP/2, the time of the resolver.
"""

import contextlib
import re
import time
import urllib.parse
import weakref
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar, cast

from starloom import __version__
from starloom.outside.addresses import allows_private, resolve
from starloom.outside.http_errors import HttpError, RangeError, TooLargeError, explained, shown, status_error
from starloom.outside.inflate import InflateError, inflate
from starloom.outside.pace import Pace, Retries
from starloom.outside.paths import printable

if TYPE_CHECKING:
    import httpcore2
    import httpx2

__all__ = ["Body", "Http", "HttpError", "HttpSettings", "RangeError", "Retries", "TooLargeError", "shown"]

Result = TypeVar("Result")

USER_AGENT: Final = f"starloom/{__version__}"

_MOST_REDIRECTS: Final = 5
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_HARMLESS: Final = ("accept", "accept-encoding", "range", "if-range", "user-agent")  # what another origin may see
_CONTENT_RANGE: Final = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class HttpSettings:
    """How to behave towards a server."""

    private: bool = False  # loopback and private addresses too; also by STARLOOM_ALLOW_PRIVATE=1
    per_second: float = 0  # requests; 0: as fast as they come
    attempts: int = 5
    connect_seconds: float = 20
    idle_seconds: float = 60
    parallel: int = 8  # connections at once
    slow_seconds: float = 60
    slow_bytes_per_second: float = 1000
    longest_wait: float = 120  # seconds, whatever Retry-After asks


class Body:
    """An answer whose body comes as it is iterated over, once.

    `headers` in lower case; `url` after redirects, which may hold a secret: for people there is `shown`.
    """

    def __init__(
        self, url: str, response: "httpx2.Response", limit: int, asked: int, decode: bool, stop: int | None = None
    ) -> None:
        self.url = url
        self.status = response.status_code
        self.headers: Mapping[str, str] = dict(response.headers)
        self.start, self.total = _range(url, response, asked, stop)  # of the whole: where this begins, how long it is
        self._end = self.total  # where this ends
        if self.status == 206 and stop is not None and self.total is not None:
            self._end = min(stop, self.total)
        self._response = response
        self._limit = limit
        self._decode = decode

    def __iter__(self) -> Iterator[bytes]:
        encoding = self.headers.get("content-encoding", "").strip().lower()
        if not self._decode or encoding in ("", "identity"):
            yield from self._raw(0)
            return
        if encoding not in ("gzip", "x-gzip"):
            raise HttpError(f"{shown(self.url)}: sent in an encoding nobody asked for: {printable(encoding[:40])}")
        try:
            # Gzip makes what cannot be compressed a little larger, never more than this.
            yield from inflate(self._raw(self._limit // 1000 + 1024), self._limit)
        except InflateError as problem:
            if problem.too_large:
                raise TooLargeError(f"{shown(self.url)}: {problem}", self.status) from None
            raise HttpError(f"{shown(self.url)}: {problem}", self.status, retryable=True) from None

    def _raw(self, slack: int) -> Iterator[bytes]:
        if self.total is not None and self.total > self._limit + slack:
            raise TooLargeError(
                f"{shown(self.url)}: {self.total:,} bytes, more than the limit of {self._limit:,}", self.status
            )
        received = self.start
        with explained(self.url):
            for piece in cast("Iterator[bytes]", self._response.stream):
                received += len(piece)
                if received > self._limit + slack:
                    raise TooLargeError(f"{shown(self.url)}: more than the limit of {self._limit:,} bytes", self.status)
                yield piece
        if self._end is not None and received != self._end:
            raise HttpError(f"{shown(self.url)}: {received:,} of {self._end:,} bytes came", self.status, True)


class Http:
    """A client; thread-safe, a context manager. Keep one per server, so that its limits hold for all threads.

    `resolve`, `sockets`, `sleep` and `clock` are seams for tests.
    """

    def __init__(
        self,
        settings: HttpSettings = HttpSettings(),
        *,
        resolve: Callable[[str, int], list[str]] = resolve,
        sockets: "httpcore2.NetworkBackend | None" = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from starloom.outside.transport import Patience, VettedTransport

        self.settings = settings
        self._sleep = sleep
        self._pace = Pace(settings.per_second, sleep, clock)
        self._transport = VettedTransport(
            Patience(
                settings.connect_seconds, settings.idle_seconds, settings.slow_seconds, settings.slow_bytes_per_second
            ),
            private=settings.private or allows_private(),
            parallel=settings.parallel,
            resolve=resolve,
            sockets=sockets,
        )
        self.close = weakref.finalize(self, self._transport.close)  # closes the connections; safe to call twice

    def __enter__(self) -> "Http":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, url: str, *, limit: int, headers: Mapping[str, str] = {}) -> bytes:
        """The whole body, decompressed where the server compressed it, at most `limit` bytes. Raises HttpError."""

        def once() -> bytes:
            with self.stream(url, limit=limit, headers={"Accept-Encoding": "gzip", **headers}, decode=True) as body:
                return b"".join(body)

        return self.retry(once)

    def post(self, url: str, body: bytes, *, limit: int, kind: str = "application/json") -> tuple[int, bytes]:
        """(status, whole body of at most `limit` bytes) of what a server says to `body`, whatever the status.

        Tried again, as `get` is, when the connection fails: only for what may be asked twice. Redirects are not
        followed. Raises HttpError.
        """
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "Content-Type": kind}

        def once() -> tuple[int, bytes]:
            where, response = self._sent("POST", *_authorised(url, {"User-Agent": USER_AGENT, **headers}), body)
            try:
                return response.status_code, b"".join(Body(where, response, limit, 0, True))
            finally:
                response.close()

        return self.retry(once)

    @contextlib.contextmanager
    def stream(
        self,
        url: str,
        *,
        limit: int,
        headers: Mapping[str, str] = {},
        start: int = 0,
        stop: int | None = None,
        decode: bool = False,
    ) -> Iterator[Body]:
        """The body in pieces as they come, one attempt (`retry` makes more). Raises HttpError, then or while iterated.

        `start` asks for the bytes from there on, `stop` for those before it; a server that cannot sends all: see
        `Body.start` and its status, 200. `limit` is of the whole, with what stands before `start`. Without `decode` the
        bytes are those that the server holds.

        Do not ask for something else within: a thread that holds a connection may wait for ever for another one.
        """
        asked = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity", **headers}
        if start or stop is not None:
            asked["Range"] = f"bytes={start}-" if stop is None else f"bytes={start}-{stop - 1}"
        where, response = self._answer(url, asked)
        try:
            yield Body(where, response, limit, start, decode, stop)
        finally:
            response.close()

    def retry(self, attempt: Callable[[], Result]) -> Result:
        """What `attempt` gives, tried again after errors that may pass. Raises the last HttpError."""
        retries = self.retries()
        while True:
            try:
                return attempt()
            except HttpError as problem:
                retries.wait(problem)

    def retries(self) -> Retries:
        """For a loop that keeps what came before an error."""
        return Retries(self.settings.attempts, self.settings.longest_wait, self._sleep)

    def _answer(self, url: str, headers: Mapping[str, str]) -> tuple[str, "httpx2.Response"]:
        """The URL after redirects, and an answer of status 200 or 206 with its body unread."""
        import httpx2

        current, sent = _authorised(url, headers)
        for _ in range(_MOST_REDIRECTS + 1):
            where, response = self._sent("GET", current, sent)
            if response.status_code in (200, 206):
                return where, response
            if response.status_code not in _REDIRECTS or "location" not in response.headers:
                response.close()
                raise status_error(where, response)
            response.close()
            following = _plain(_redirect(current, response.headers["location"]))
            if _origin(following) != _origin(current):
                sent = httpx2.Headers({name: value for name, value in sent.items() if name in _HARMLESS})
            current = following
        raise HttpError(f"{shown(url)}: more than {_MOST_REDIRECTS} redirects")

    def _sent(
        self, method: str, url: "httpx2.URL", headers: Mapping[str, str], body: bytes | None = None
    ) -> tuple[str, "httpx2.Response"]:
        """The URL as it was asked for, and the answer with its body unread."""
        import httpx2

        where = str(url)
        self._pace.wait()
        with explained(where):
            return where, self._transport.handle_request(httpx2.Request(method, url, headers=headers, content=body))


def _authorised(url: str, headers: Mapping[str, str]) -> "tuple[httpx2.URL, httpx2.Headers]":
    """The URL without its user, and the headers with what that user may."""
    import httpx2

    parsed = _parsed(url)
    sent = httpx2.Headers(headers)
    if parsed.userinfo and "authorization" not in sent:
        sent["Authorization"] = "Basic " + b64encode(urllib.parse.unquote_to_bytes(parsed.userinfo)).decode()
    return _plain(parsed), sent


def _plain(url: "httpx2.URL") -> "httpx2.URL":
    """Without user and fragment, which no server is asked for."""
    return url.copy_with(username=None, password=None, fragment=None)


def _parsed(url: str) -> "httpx2.URL":
    import httpx2

    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, UnicodeError):
        raise HttpError(f"{shown(url)}: not a URL") from None
    if parsed.scheme not in ("http", "https"):
        raise HttpError(f"{shown(url)}: only http and https are spoken")
    if not parsed.host or not 0 < (parsed.port or 80) < 65536:
        raise HttpError(f"{shown(url)}: no host, or no such port")
    return parsed


def _redirect(current: "httpx2.URL", location: str) -> "httpx2.URL":
    import httpx2

    try:
        following = _parsed(str(current.join(location)))
    except (HttpError, httpx2.InvalidURL, UnicodeError):
        raise HttpError(f"{shown(str(current))}: redirects to {shown(location)}, which is refused") from None
    if current.scheme == "https" and following.scheme == "http":
        raise HttpError(f"{shown(str(current))}: redirects from https to http, which is refused")
    return following


def _origin(url: "httpx2.URL") -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


def _range(url: str, response: "httpx2.Response", asked: int, stop: int | None) -> tuple[int, int | None]:
    """Where the first byte of the answer stands, and how many bytes the whole has, where the server says so."""
    length = response.headers.get("content-length", "")
    if response.status_code != 206:
        known = "transfer-encoding" not in response.headers and length.isascii() and length.isdigit()
        return 0, int(length[:18]) if known else None
    found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    ranged = asked or stop is not None
    if not ranged or found is None or int(found[1]) != asked:
        raise RangeError(f"{shown(url)}: another range came than was asked for", 206)
    if stop is not None and int(found[2]) + 1 != min(stop, int(found[3])):
        raise RangeError(f"{shown(url)}: another range came than was asked for", 206)
    return asked, int(found[3])
