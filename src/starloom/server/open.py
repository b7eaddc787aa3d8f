"""What a server has open: the workspace's indexes, figures and report, and the model. Each part is opened when it is
first asked for, and again when it was made anew meanwhile; a part that is not there is told with the command for it.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import jinja2
from fastapi import Request

from starloom.completion.request import Completer
from starloom.errors import UserError
from starloom.membership import remote as membership_remote
from starloom.membership.check import Index
from starloom.membership.shard import Shards
from starloom.outside.peers import Peer
from starloom.report import figures
from starloom.report.page import FOLDER as REPORT
from starloom.report.page import PAGE as REPORT_PAGE
from starloom.search import remote as search_remote
from starloom.search.ask import Merged
from starloom.search.index import SearchIndex
from starloom.server.generation import Turns
from starloom.server.room import FILES, Room
from starloom.server.spread import Spread
from starloom.stages import load_settings
from starloom.the_stack import tables
from starloom.workspace import manifest
from starloom.workspace.run import engine

T = TypeVar("T")
U = TypeVar("U")


class Renewed(Generic[T]):
    """What `open_part` makes of a published folder, kept until the folder is published anew."""

    def __init__(self, folder: Path, open_part: Callable[[], T]) -> None:
        self._manifest = folder / manifest.NAME
        self._open = open_part
        self._lock = threading.Lock()
        self._kept: tuple[Any, T] | None = None

    def get(self) -> T:
        """The part as it is now. Raises UserError when it is missing or damaged."""
        with self._lock:
            version = self._version()
            if self._kept is None or version is None or self._kept[0] != version:
                self._kept = None
                self._kept = (version, self._open())
            return self._kept[1]

    @property
    def present(self) -> bool:
        return self._version() is not None

    def asked(self, question: Callable[[T], U]) -> U:
        """What the part answers."""
        return question(self.get())

    def _version(self) -> Any:
        try:
            found = self._manifest.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


class Workspace:
    """The parts of a workspace that pages show.

    `numbers`: of its indexes these shards only; None: all. `peers`: URLs of servers that have the others; with them,
    None means that no shard is taken from here.
    """

    def __init__(self, root: Path, numbers: frozenset[int] | None = None, peers: Sequence[str] = ()) -> None:
        self.root = root
        self.name = root.name
        self.report = Renewed(root / REPORT, self._report)
        self.headline = Renewed(root / tables.DATASET, self._headline)
        search = Renewed(root / "search", lambda: SearchIndex.open(root, numbers).prepare())
        membership = Renewed(root / "membership", lambda: Index.open(root, numbers))
        self.search: Renewed[SearchIndex] | Spread[Any, SearchIndex] = search
        self.membership: Renewed[Index] | Spread[Any, Index] = membership
        if peers:
            asked = [Peer(url) for url in peers]
            self.search = Spread(
                asked,
                (lambda: search.get().shards) if numbers is not None else None,
                lambda peer: search_remote.Remote(partial(_send, peer, "search"), peer.name),
                lambda parts, problems, each: SearchIndex(Merged(parts, problems, each)),
            )
            self.membership = Spread(
                asked,
                (lambda: membership.get().shard) if numbers is not None else None,
                lambda peer: membership_remote.Remote(partial(_send, peer, "membership"), peer.name),
                lambda parts, problems, each: Index(Shards(parts, problems, each)),
            )

    def _headline(self) -> figures.Headline:
        settings = load_settings(self.root)
        with engine(self.root, settings.engine) as local:
            return figures.headline(self.root, local)

    def _report(self) -> bytes:
        if manifest.open_folder(self.root / REPORT) is None:
            raise UserError("the report is not made", "run `starloom report`")
        return (self.root / REPORT / REPORT_PAGE).read_bytes()


def _send(peer: Peer, part: str, call: str, question: bytes) -> bytes:
    return peer.ask(f"/shards/{part}/{call}", question)


@dataclass(frozen=True)
class Served:
    """What the handlers of one app share. No completer: `no_model` says why, and what to do."""

    workspace: Workspace
    completer: Completer | None
    turns: Turns | None
    no_model: UserError
    templates: jinja2.Environment
    room: Room = field(default_factory=Room)
    has_pages: bool = True
    files: Room = field(default_factory=lambda: Room(FILES))

    @classmethod
    def by(cls, request: Request) -> "Served":
        return cast(Served, request.app.state.served)
