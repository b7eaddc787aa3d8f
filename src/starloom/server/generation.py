"""One model, many clients: each answer is made in the model's own thread, in turn, and only while someone wants it.

The thread asks before every token whether the client is still there; a client that leaves while it waits is never
begun. What is being made is seen within a token, who leaves within `_LOOK` seconds.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from starloom.completion.request import Completer, Piece, Request
from starloom.server.refusal import RefusedError

MOST_WAITING: Final = 32
_LOOK: Final = 0.1  # seconds between two looks whether the client is there


class GoneError(Exception):
    """The client went away; there is nobody to answer."""


class Turns:
    """The turns of one completer."""

    def __init__(self, completer: Completer) -> None:
        self._completer = completer
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="completer")
        self._asked: set[threading.Event] = set()  # of those waiting and the one being answered: stop
        self._closed = False

    async def pieces(self, request: Request, gone: Callable[[], Awaitable[bool]]) -> AsyncGenerator[Piece, None]:
        """The answer to one request, once its turn has come. Close it, or it goes on until `gone`.

        Raises UserError as the completer does, RefusedError when too many wait (429) or the server ends (503),
        GoneError.
        """
        if self._closed:
            raise _ending()
        if len(self._asked) > MOST_WAITING:
            raise RefusedError(429, f"{MOST_WAITING} requests are waiting already", hint="try again", code="busy")
        loop = asyncio.get_running_loop()
        made: asyncio.Queue[Piece | Exception | None] = asyncio.Queue()  # None: that was all
        stop = threading.Event()

        def hand_over(item: Piece | Exception | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and with it whoever waited
                loop.call_soon_threadsafe(made.put_nowait, item)

        def make() -> None:
            try:
                if not stop.is_set():
                    with contextlib.closing(self._completer.stream(request)) as stream:
                        for piece in stream:
                            hand_over(piece)
                            if stop.is_set():
                                break
            except Exception as problem:
                hand_over(problem)
            hand_over(None)

        self._asked.add(stop)
        turn = self._thread.submit(make)
        try:
            looked = loop.time()
            while True:
                item, there = None, False
                with contextlib.suppress(TimeoutError):
                    item, there = await asyncio.wait_for(made.get(), _LOOK), True
                if self._closed:
                    raise _ending()
                if loop.time() >= looked + _LOOK:
                    if await gone():
                        raise GoneError
                    looked = loop.time()
                if isinstance(item, Exception):
                    raise item
                if item is not None:
                    yield item
                elif there:
                    return
        finally:
            stop.set()
            turn.cancel()
            self._asked.discard(stop)

    def close(self) -> None:
        """Ends what is being made, and takes nothing more. Any number of times."""
        self._closed = True
        for stop in list(self._asked):
            stop.set()
        self._thread.shutdown(wait=False, cancel_futures=True)


def _ending() -> RefusedError:
    return RefusedError(503, "the server is being ended", code="ending")
