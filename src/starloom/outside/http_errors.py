"""What goes wrong between a server and us, in words for people: no user, no password, no query, nothing unprintable."""

import contextlib
import urllib.parse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from starloom.outside.addresses import ALLOW_PRIVATE
from starloom.outside.paths import printable

if TYPE_CHECKING:
    import httpx2

_PASSING: Final = (408, 425, 429, 500, 502, 503, 504)  # worth another try
_SHOWN: Final = 300  # characters of a stranger's text in a message


class HttpError(Exception):
    """A request that failed. `status` where a server answered; `retryable`: the same request may work later."""

    def __init__(
        self,
        message: str,
        status: int | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retryable = retryable
        self.retry_after = retry_after  # seconds, as the server asks

    def __reduce__(self) -> tuple[type["HttpError"], tuple[str, int | None, bool, float | None]]:
        return type(self), (str(self), self.status, self.retryable, self.retry_after)  # crosses process borders whole


class TooLargeError(HttpError):
    """The body is larger than the caller's limit."""


class RangeError(HttpError):
    """The server has no such range, or sent another one: ask for the whole."""


def shown(url: str) -> str:
    """`url` for people: without user, password, query and fragment, which hold secrets, and safe on a terminal."""
    try:
        parts = urllib.parse.urlsplit(url)
        text = printable(urllib.parse.urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")))
    except ValueError:
        return "a URL that cannot be read"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def status_error(url: str, response: "httpx2.Response") -> HttpError:
    """For an answer of a status that has no body for us."""
    status = response.status_code
    retry_after = seconds_until(response.headers.get("retry-after", "")) if status in (429, 503) else None
    kind = RangeError if status == 416 else HttpError
    return kind(f"{shown(url)}: the server answered {status}", status, status in _PASSING, retry_after)


def seconds_until(retry_after: str) -> float | None:
    """Seconds from now, of a Retry-After header: a number, or a date; None where it is neither."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    import datetime
    import email.utils

    try:
        date = email.utils.parsedate_to_datetime(text)
        if date.tzinfo is None:
            date = date.replace(tzinfo=datetime.UTC)
        return max(0.0, (date - datetime.datetime.now(datetime.UTC)).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


@contextlib.contextmanager
def explained(url: str) -> Iterator[None]:
    """Errors of the transport as HttpError."""
    import ssl

    import httpx2

    from starloom.outside.transport import RefusedAddressError, ResolveError

    try:
        yield
    except RefusedAddressError as problem:
        mine = f" (set {ALLOW_PRIVATE}=1 if it is yours)" if problem.could_be_mine else ""
        raise HttpError(f"{shown(url)}: refused, {printable(str(problem))}{mine}") from None
    except httpx2.TransportError as problem:
        cause: BaseException | None = problem
        while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
            cause = cause.__cause__ or cause.__context__  # httpcore2 drops the first
        if cause is not None:
            trust = "SSL_CERT_FILE names a file of those you trust"
            raise HttpError(f"{shown(url)}: its certificate is refused: {cause.verify_message} ({trust})") from None
        for_good = isinstance(problem, httpx2.LocalProtocolError | httpx2.UnsupportedProtocol | httpx2.ProxyError) or (
            isinstance(problem, ResolveError) and problem.for_good
        )
        raise HttpError(f"{shown(url)}: {_words(problem)}", retryable=not for_good) from None


def _words(problem: "httpx2.TransportError") -> str:
    import httpx2

    from starloom.outside.transport import SlowError

    if isinstance(problem, httpx2.LocalProtocolError):
        return "the request cannot be sent: a header holds what it may not"  # its own text would show the value
    if isinstance(problem, httpx2.ReadTimeout) and not isinstance(problem, SlowError):
        return "the server sent nothing for too long"
    if isinstance(problem, httpx2.WriteTimeout):
        return "the server took nothing for too long"
    if isinstance(problem, httpx2.ConnectTimeout):
        return "no connection in time"
    text = printable(str(problem))[:_SHOWN]
    if isinstance(problem, httpx2.ProxyError):
        return f"the proxy refused: {text}"
    return text or type(problem).__name__
