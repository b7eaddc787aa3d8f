"""The search index, opened and asked. What makes it: see `build`; what it holds: see `layout`."""

import time
from collections.abc import Container, Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from starloom import progress
from starloom.errors import UserError
from starloom.kernels import is_warm, warm_step
from starloom.privacy import find
from starloom.search import cursor as cursors
from starloom.search import layout
from starloom.search.ask import COUNT_SECONDS, MOST_HITS, SECONDS, Covered, Found, Question, Shards
from starloom.search.cursor import Cursor
from starloom.search.facets import most
from starloom.search.hits import Answer, Hit
from starloom.search.layout import ANEW, FOLDER, REMEDY
from starloom.search.local import Local
from starloom.search.matching import File
from starloom.search.nodes import All, Any, Filter, Node, Not
from starloom.search.query import parse
from starloom.search.shard import KeptTexts, Shard
from starloom.the_stack import tables
from starloom.workspace import checked
from starloom.workspace.manifest import Manifest, check_version, open_folder, read_manifest
from starloom.workspace.stage import standing

_KERNELS: Final = "questions"
_PAGE: Final = 1_000  # hits that a stream takes at once
_KEPT: Final = 256 << 20  # bytes of texts kept at hand
_PATIENCE: Final = 60.0  # seconds for them, where nobody said how long it may take: then it goes on from there


class SearchIndex:
    """An open index, wherever its shards are. Asked from any number of threads; writes nothing into the workspace."""

    def __init__(self, shards: Shards, stale: bool = False) -> None:
        self.shards = shards
        self.stale = stale  # the dataset was built anew since

    @classmethod
    def open(cls, root: Path, numbers: Container[int] | None = None) -> "SearchIndex":
        """The index of the workspace `root`, or of it the shards with these numbers. Every file is proved by its hash,
        once, and what questions take is loaded. Raises UserError when it is missing, damaged or of another version."""
        folder = root / FOLDER
        manifest = _manifest(root, folder)
        shards = int(manifest.facts["shards"])
        here = [number for number in range(shards) if numbers is None or number in numbers]
        if not here:
            raise UserError(f"{folder} has no such shard", f"its shards are 0 to {shards - 1}")
        names = {layout.shard_name(number): number for number in here}
        files = [one for one in manifest.files if one.name.partition("/")[0] in names]
        if found := checked.problems(root, folder, files):
            raise UserError(f"the search index is damaged: {next(iter(found.values()))}", REMEDY)
        opened, kept = [], KeptTexts(_KEPT)
        for name, some in groupby(files, lambda one: one.name.partition("/")[0]):
            opened.append(Shard(folder / name, (one.name.partition("/")[2] for one in some), names[name], kept))
        if len(opened) < len(here):
            raise UserError(f"{folder} holds parts of different indexes", ANEW)
        covered = Covered(
            manifest.content, shards, int(manifest.facts["files"]), bool(manifest.facts["symbols"]), frozenset(here)
        )
        _load()
        return cls(Local(folder, opened, covered), _stale(root, manifest))

    def prepare(self) -> "SearchIndex":
        """Itself, for a process that will answer many questions: what makes each of them cheaper is loaded now too,
        which takes half a second."""
        find.prepare()
        return self

    @property
    def files(self) -> int:
        """Of the whole index."""
        return self.shards.covered.files

    def all_files(self) -> Iterator[File]:
        """Every file, shard by shard, in no order that means anything. Raises ValueError where shards are elsewhere."""
        if not isinstance(self.shards, Local):
            raise ValueError("the shards are not in this process")  # noqa: TRY004 - of the index, not of a type
        return self.shards.files()

    def search(
        self,
        query: str,
        limit: int = 10,
        offset: int = 0,
        *,
        cursor: str | None = None,
        seconds: float = SECONDS,
        count_seconds: float = COUNT_SECONDS,
        facets: bool = False,
        raw: bool = False,
    ) -> Answer:
        """The `limit` best hits behind `cursor`, each proved on its text. See `query` for the language.

        Best: what defines a symbol of the query's words first, then files named so, words as they are written, parts of
        words; among equals a repository's own code before tests and what is vendored or generated, then its stars. The
        order does not depend on how the index is cut. After `seconds` the answer is what was proved so far. Hits beyond
        the page are counted for `count_seconds`, or as count: says. `offset`: so many hits are passed over first; a
        cursor costs less. `facets`: counted too, on the first page. `raw`: snippets show what is private too.
        Raises UserError for a query that cannot be understood, a cursor of another query, a damaged index.
        """
        started = time.monotonic()
        self._check(query)
        begin = cursors.read(cursor, query) if cursor else None
        limit, offset = min(max(limit, 0), MOST_HITS), min(max(offset, 0), MOST_HITS)
        wanted = min(limit + offset, MOST_HITS)
        asked = Question(
            query, begin.after if begin else None, wanted, seconds, count_seconds, facets and begin is None, raw
        )
        found = self.shards.ask(asked)
        seen = begin.seen if begin else 0
        total = seen + found.total
        ended = _ended(found, wanted, seen)
        return Answer(
            total=total,
            complete=found.complete,
            partial=found.reached is not None or not self.shards.covered.whole,
            seconds=time.monotonic() - started,
            hits=[hit for _, hit in found.hits[offset:]],
            cursor=ended.text(query) if ended and limit else None,
            facets=None if found.facets is None else most(found.facets),
            problems=self.shards.covered.problems,
        )

    def pages(self, query: str, *, seconds: float | None = None, raw: bool = False) -> Iterator[Answer]:
        """All hits, best first, as they are found. The last page has no cursor, unless the time was up. Raises as
        `search`."""
        deadline = None if seconds is None else time.monotonic() + seconds
        cursor = None
        while True:
            left = _PATIENCE if deadline is None else max(deadline - time.monotonic(), 0.0)
            page = self.search(query, _PAGE, cursor=cursor, seconds=left, count_seconds=0.0, raw=raw)
            cursor = page.cursor
            yield page
            if cursor is None or (deadline is not None and time.monotonic() > deadline):
                return

    def stream(self, query: str, *, seconds: float | None = None, raw: bool = False) -> Iterator[Hit]:
        """The hits of all pages."""
        for page in self.pages(query, seconds=seconds, raw=raw):
            yield from page.hits

    def _check(self, query: str) -> None:
        if not self.shards.covered.symbols and _asks_symbols(parse(query).node):
            raise UserError(
                "this index does not know what files define, so `sym:` finds nothing",
                "install the extra `syntax` (pip install 'starloom[syntax]'), leave `symbols = true` under [search], "
                "and run `starloom index search`",
            )


def shards_of(root: Path) -> int:
    """How many shards the index of the workspace has. Raises UserError: none there, damaged, of another version."""
    return int(_manifest(root, root / FOLDER).facts["shards"])


def _load() -> None:
    """What every question takes and the first would wait for, within its own time: half a second in a process, and once
    a machine some 20 s."""
    if is_warm(_KERNELS):
        warm_step(_KERNELS)
    else:
        with progress.task("compile kernels (once a machine)", 1, "parts") as bar:
            warm_step(_KERNELS)
            bar.advance(1)
    find.find_in("")  # makes its gate


def _ended(found: Found, limit: int, seen: int) -> Cursor | None:
    """Where the next page begins; None where there is none."""
    if found.reached is not None:
        return Cursor(found.reached, seen + len(found.hits))
    if len(found.hits) < limit or (found.complete and found.total <= len(found.hits)) or not found.hits:
        return None
    return Cursor(found.hits[-1][0], seen + len(found.hits))


def _asks_symbols(node: Node) -> bool:
    if isinstance(node, All | Any):
        return any(map(_asks_symbols, node.parts))
    if isinstance(node, Not):
        return _asks_symbols(node.part)
    return isinstance(node, Filter) and node.field == "sym"


def _manifest(root: Path, folder: Path) -> Manifest:
    manifest = open_folder(folder)
    if manifest is None:
        raise UserError(f"no search index in {root}", "make it: `starloom index search`")
    if manifest.kind != layout.KIND:
        raise UserError(f"{folder} holds no search index", REMEDY)
    check_version(folder, manifest, layout.VERSION)
    return manifest


def _stale(root: Path, manifest: Manifest) -> bool:
    try:
        dataset = read_manifest(root / tables.DATASET)
    except UserError:  # the index does not need it
        return True
    return dataset is None or standing(dataset) != manifest.inputs.get(tables.DATASET)
