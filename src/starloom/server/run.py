"""The server as a process: bound to its address before anything slow, run until Ctrl-C, ended without noise."""

import contextlib
import errno
import socket
from typing import Final

import uvicorn
from fastapi import FastAPI

from starloom.errors import UserError

_GRACE: Final = 1  # seconds that answers get to end after Ctrl-C


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens on `host`:`port` (0: any free port). Raises UserError: in use, not allowed, no host."""
    if not 0 <= port < 65_536:
        raise UserError(f"{port} is no port", "choose one from 1 to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as problem:
        raise UserError(f"{host} is no address of this machine ({problem})", "use 127.0.0.1, or 0.0.0.0") from None
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that was just left is free
        bound.bind(address)
        bound.listen(128)
    except OSError as problem:
        bound.close()
        raise _refused(problem, host, port) from None
    return bound


def url(bound: socket.socket) -> str:
    """Where a browser on this machine finds what listens on a socket."""
    host, port = bound.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared with
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(app: FastAPI, bound: socket.socket) -> None:
    """Serves until Ctrl-C, then returns; SIGTERM ends the process by that signal, when all is closed.

    No request is logged; a bug's traceback goes to stderr.
    """
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
        ws="none",
    )
    with bound, contextlib.suppress(KeyboardInterrupt):  # uvicorn raises the signal once more when it has ended
        _Server(config, app).run(sockets=[bound])


class _Server(uvicorn.Server):
    """Ends what the model is at before it waits for connections: no answer is cancelled, each is told."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        turns = self._app.state.served.turns
        if turns:
            turns.close()
        await super().shutdown(sockets)


def _refused(problem: OSError, host: str, port: int) -> UserError:
    if problem.errno == errno.EADDRINUSE:
        other = port + 1 if port < 65_535 else port - 1
        return UserError(f"port {port} is in use", f"try --port {other}")
    if problem.errno == errno.EACCES:
        return UserError(f"port {port} is not for everyone", "try --port 8000, or any above 1023")
    return UserError(f"cannot listen on {host}, port {port}: {problem.strerror}", "try --host 127.0.0.1")
