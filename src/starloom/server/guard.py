"""What every request passes first: who may ask, by its headers; and the headers of every answer.

The server listens on this machine, where any web page in the user's browser can reach it. So: the `Host` must be a name
of this server (a page that rebinds its own domain to 127.0.0.1 is refused), a request that may do something must not
come from another site (`Origin`), and no answer is readable for other sites (no CORS). This is no authentication.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from starloom.server.refusal import refusal

_HOST = re.compile(r"(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?")
LOCAL = ("127.0.0.1", "localhost", "[::1]")
_ANY = ("0.0.0.0", "::", "")  # noqa: S104 - compared with, not bound to

PAGE_POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Hosts:
    """The names under which a server may be asked. Bound to all addresses, it answers to every IP address (which no
    page can rebind) and to this machine's name."""

    def __init__(self, bound: str) -> None:
        self._any_address = bound in _ANY
        bracketed = f"[{bound}]" if ":" in bound else bound
        names: Iterable[str] = (socket.gethostname(), socket.getfqdn()) if self._any_address else (bracketed,)
        self._names = {*LOCAL, *(name.lower() for name in names)}

    def knows(self, header: str | None) -> bool:
        """Whether a `Host` header, with or without a port, names this server."""
        found = _HOST.fullmatch(header or "")
        if found is None:
            return False
        name = found[1].lower()
        return name in self._names or (self._any_address and _is_address(name.strip("[]")))

    def __str__(self) -> str:
        return ", ".join(sorted(self._names))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class Guard:
    """ASGI middleware around everything."""

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        is_head = scope["method"] == "HEAD"

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            elif is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._hosts.knows(hosts[0]):
            answer = refusal(400, f"this server answers to {self._hosts} only", code="unknown_host")
            await answer(scope, receive, guarded)
        elif scope["method"] not in ("GET", "HEAD") and not self._own(headers.get("origin")):
            await refusal(403, "requests from other sites are refused", code="other_site")(scope, receive, guarded)
        else:  # HEAD is GET without what it shows
            await self._app({**scope, "method": "GET"} if is_head else scope, receive, guarded)

    def _own(self, origin: str | None) -> bool:
        """Whether a request comes from one of our pages, or from a program (which sends no `Origin`)."""
        if origin is None:
            return True
        try:
            return self._hosts.knows(urlsplit(origin).netloc)
        except ValueError:
            return False


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
