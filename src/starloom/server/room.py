"""How much of what clients send is held at a time: a body is read when there is room for it, first come, first served.

A text under examination costs some fifty times its size, so it is not the number of clients that has to be bounded but
the bytes they send: many small questions go at once, large ones in turn. Whoever waits has sent its headers only.
Questions without a body, each of which costs about the same, have a room of so many of them.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import Request

from starloom.server.refusal import RefusedError, read_body

BYTES: Final = 16 << 20  # of bodies, at a time
FILES: Final = 2  # pages of files, at a time: each goes over the ledger with an engine of its own
MOST_WAITING: Final = 256
SECONDS: Final = 60  # a body may take to come
LISTED: Final = 2_000_000  # characters of a text times the files listed of each of its matches


def listed(files: int, text: str) -> int:
    """How many files of each match to list where `files` are asked for: fewer of a text longer than 100 KB, one of each
    at least. A text of nothing but licences has a match every hundred characters, and an answer has to end."""
    return max(min(files, LISTED // max(len(text), 1)), 1)


class Room:
    """A room of one app, in one event loop; its `size` is in bytes of bodies, or in turns."""

    def __init__(self, size: int = BYTES, most_waiting: int = MOST_WAITING, seconds: float = SECONDS) -> None:
        self._free = self._size = size
        self._most_waiting, self._seconds = most_waiting, seconds
        self._waiting = 0
        self._door = asyncio.Lock()  # in turn
        self._left = asyncio.Event()

    @asynccontextmanager
    async def body(self, request: Request, most: int) -> AsyncGenerator[bytes, None]:
        """The body of a request, at most `most` bytes; it has its room until the block ends.

        Raises RefusedError: more than that (413), too many waiting (429), too slow (408).
        """
        declared = request.headers.get("content-length", "")
        known = declared.isascii() and declared.isdigit() and len(declared) < 12
        size = min(int(declared) if known else most, most, self._size)
        async with self.turn(size):
            try:
                async with asyncio.timeout(self._seconds):
                    data = await read_body(request, most)
            except TimeoutError:
                raise RefusedError(408, f"the body did not come within {self._seconds:g} seconds") from None
            yield data

    @asynccontextmanager
    async def turn(self, size: int = 1) -> AsyncGenerator[None, None]:
        """So much of the room until the block ends. Raises RefusedError: too many waiting (429)."""
        await self._enter(size)
        try:
            yield
        finally:
            self._free += size
            self._left.set()

    async def _enter(self, size: int) -> None:
        if self._waiting >= self._most_waiting:
            raise RefusedError(429, f"{self._most_waiting} requests are waiting already", hint="try again", code="busy")
        self._waiting += 1
        try:
            async with self._door:
                while self._free < size:
                    self._left.clear()
                    await self._left.wait()
                self._free -= size
        finally:
            self._waiting -= 1
