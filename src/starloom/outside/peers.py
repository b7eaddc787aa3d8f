"""Other Starloom servers that this one asks: their parts of an index, over HTTP, as if they were here.

A peer is this user's own, so private addresses are allowed; what it answers is read as a stranger's. A name and a
password in its URL are sent as HTTP's basic authentication, for a proxy that guards it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.outside.frames import KIND, Frame, from_bytes, to_bytes
from starloom.outside.http import Http, HttpError, HttpSettings, shown
from starloom.outside.paths import printable

MOST_BYTES: Final = 512 << 20  # of an answer
_SETTINGS: Final = HttpSettings(private=True, attempts=2, connect_seconds=3, idle_seconds=90, parallel=64)


# The name of a call and its frame → the frame that answers. May raise UserError. How frames travel is the caller's.
Send: TypeAlias = Callable[[str, bytes], bytes]


class PeerError(UserError):
    """A peer that does not answer, or whose answer is none. `peer`: its URL as shown."""

    def __init__(self, peer: str, problem: str) -> None:
        super().__init__(
            f"the peer {peer}: {problem}", "see whether `starloom serve --shards …`, of the same version, runs there"
        )
        self.peer = peer


class Peer:
    """One peer; any number of threads may ask."""

    def __init__(self, url: str, settings: HttpSettings = _SETTINGS) -> None:
        """Raises UserError for what is no http or https URL."""
        if not url.startswith(("http://", "https://")):
            raise UserError(f"{shown(url)} is no address of a peer", "give one such as http://10.0.0.2:8000")
        self._url = url.rstrip("/")
        self._http = Http(settings)
        self.name = shown(self._url)

    def ask(self, path: str, body: bytes) -> bytes:
        """What the peer answers to `body` at `path`. Raises PeerError; UserError for what the peer refuses."""
        try:
            status, answer = self._http.post(f"{self._url}{path}", body, limit=MOST_BYTES, kind=KIND)
        except HttpError as problem:
            raise PeerError(self.name, str(problem).removeprefix(f"{shown(self._url + path)}: ")) from None
        if status == 200:
            return answer
        said = _said(answer) or f"it answered {status}"
        if status in (400, 413):  # of the question, not of the peer
            raise UserError(said, f"asked of the peer {self.name}")
        raise PeerError(self.name, said)

    def close(self) -> None:
        self._http.close()


class Caller:
    """What the halves have in common that ask a part of an index through `send`; `name`: whom an error names."""

    def __init__(self, send: Send, name: str) -> None:
        self._send = send
        self._name = name

    def call(
        self, call: str, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]] = {}, made: str | None = None
    ) -> Frame:
        """The answer. `made`: the mark of the index that is to give it. Raises what `send` raises, and PeerError."""
        answer = self._send(call, to_bytes(values, arrays))
        with self.reading():
            frame = from_bytes(answer)
        if made is not None and frame.values.get("made") != made:
            raise PeerError(self._name, "its index was made anew meanwhile")
        return frame

    @contextmanager
    def reading(self, call: str = "") -> Iterator[None]:
        """What is wrong with an answer, as PeerError."""
        try:
            yield
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            answer = f"its answer to `{call}`" if call else "its answer"
            raise PeerError(self._name, f"{answer} cannot be read") from None


def _said(answer: bytes) -> str:
    """The message of a refusal; empty where there is none."""
    try:
        said = json.loads(answer[: 1 << 16])["error"]["message"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return ""
    return printable(str(said)[:500])
