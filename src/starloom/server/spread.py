"""One index of which parts are served elsewhere: peers asked who has which shards, and put together as one.

`starloom serve --peer URL` for each of them, and `--shards` for those that are here. Parts of one index have the same
mark; where peers serve different ones (one was made anew, its neighbour not yet), the one of which most is there is
taken. Two peers that serve the same shards stand in for each other. A peer that does not answer, or no more, is left
out and named in every answer, which says that it is partial; it is looked for again after some seconds.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Generic, Protocol, TypeVar

from starloom.errors import UserError
from starloom.outside.peers import Peer, PeerError

_AGAIN: Final = 5.0  # seconds after which a peer that was left out is looked for again
_AT_ONCE: Final = 32  # questions to peers
_TRIES: Final = 3


class Covered(Protocol):
    """What search and membership say of what they cover, as far as it matters here."""

    @property
    def made(self) -> str: ...
    @property
    def shards(self) -> int: ...
    @property
    def numbers(self) -> frozenset[int]: ...
    @property
    def problems(self) -> tuple[str, ...]: ...


class Part(Protocol):
    @property
    def covered(self) -> Any: ...


P = TypeVar("P", bound=Part)
T = TypeVar("T")
U = TypeVar("U")


class Spread(Generic[P, T]):
    """What `together` makes of the parts: of a folder here, where `local` gives one, and of peers."""

    def __init__(
        self,
        peers: Sequence[Peer],
        local: Callable[[], P] | None,
        remote: Callable[[Peer], P],
        together: Callable[[list[P], list[str], Any], T],
    ) -> None:
        """`local` gives the same object until what is here is made anew. `together` gets the parts, what is wrong with
        others, and how all parts are asked at once."""
        self._peers = list(peers)
        self._local, self._remote, self._together = local, remote, together
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="peers")
        self._lock = threading.Lock()
        self._kept: T | None = None
        self._here: P | UserError | None = None  # what of `_kept` is of this server
        self._until = 0.0

    def get(self) -> T:
        """All that is there now. Raises UserError when nothing is."""
        with self._lock:
            here = self._opened_here()
            if self._kept is None or time.monotonic() > self._until or self._changed(here):
                self._kept, self._here = None, here
                parts, problems = self._parts()
                self._kept = self._together(parts, problems, self._threads.map)
                self._until = time.monotonic() + _AGAIN if problems else float("inf")
            return self._kept

    @property
    def present(self) -> bool:
        try:
            self.get()
        except UserError:
            return False
        return True

    def asked(self, question: Callable[[T], U]) -> U:
        """What all together answer. A peer that fails meanwhile is left out, and the rest is asked once more."""
        for _ in range(_TRIES):
            opened = self.get()
            try:
                return question(opened)
            except PeerError:
                with self._lock:
                    if self._kept is opened:
                        self._kept = None
        return question(self.get())

    def _parts(self) -> tuple[list[P], list[str]]:
        """Parts of one index, no shard twice; and what is wrong with others. Raises UserError for none at all."""
        found: list[tuple[str, P]] = []
        problems: list[str] = []
        if isinstance(self._here, UserError):
            problems.append(self._here.problem)
        elif self._here is not None:
            found.append(("this server", self._here))
        for peer, opened in zip(self._peers, self._threads.map(self._opened, self._peers)):
            if isinstance(opened, UserError):
                problems.append(opened.problem)
            else:
                found.append((peer.name, opened))
        if not found:
            raise UserError("; ".join(problems) or "there is no peer", "start them: `starloom serve --shards …`")
        made = _most_of(part.covered for _, part in found)
        parts: list[P] = []
        taken: set[int] = set()
        for name, part in found:
            covered = part.covered
            if covered.made != made:
                problems.append(f"{name} serves another index: `starloom index` makes it anew there")
            elif not covered.numbers - taken:
                problems += [] if covered.numbers else covered.problems  # else it stands by
            elif both := covered.numbers & taken:
                problems.append(f"{name} is left out: shard {min(both)} is served by another one too")
            else:
                parts.append(part)
                taken |= covered.numbers
        missing = set(range(parts[0].covered.shards)) - taken
        if missing:
            problems.append(f"nobody serves shards {', '.join(_ranges(missing))}")
        return parts, problems

    def _changed(self, here: P | UserError | None) -> bool:
        """Whether what is of this server was made anew, appeared or went."""
        return here is not self._here and not (isinstance(here, UserError) and isinstance(self._here, UserError))

    def _opened_here(self) -> P | UserError | None:
        try:
            return self._local() if self._local else None
        except UserError as problem:
            return problem

    def _opened(self, peer: Peer) -> P | UserError:
        try:
            return self._remote(peer)
        except UserError as problem:
            return problem


def _most_of(told: Iterable[Covered]) -> str:
    """The mark of the index of which most shards are there; of equal ones the first."""
    numbers: dict[str, set[int]] = {}
    for covered in told:
        numbers.setdefault(covered.made, set()).update(covered.numbers)
    return max(numbers, key=lambda made: len(numbers[made]))


def _ranges(numbers: set[int]) -> Iterator[str]:
    """`0-3`, `7`.

    >>> list(_ranges({0, 1, 2, 3, 7}))
    ['0-3', '7']
    """
    ordered = sorted(numbers)
    first = ordered[0]
    for number, following in zip(ordered, [*ordered[1:], None]):
        if following != number + 1:
            yield f"{first}-{number}" if number > first else str(number)
            first = following or 0
