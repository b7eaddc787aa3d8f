"""Packed tokens that lie in a bucket or on a web server, used as if they lay here.

Manifest and tables are fetched whole, the tokens by pages of PAGE_BYTES, several at once, when they are about to be
read. Everything is checked: the manifest by its own hash, the tables by the manifest's, each page by the checksums,
when it comes from this disk too. Pages are kept in the user's cache (block_cache.py), the last ones in memory; the
tables, 40 bytes a file, are not counted in the cache's limit.

A row of 4,096 tokens is 8 kB of a page: `[train] block` keeps rows of a page together where the cache cannot hold all.
Cost: 1 ms of a core for a page on this disk (1.1 GB/s measured), most of it its check; else what the store takes.
"""

import contextlib
import functools
import hashlib
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.outside.http import HttpSettings
from starloom.outside.object_store import MissingError, ObjectStore, StoreError, open_store
from starloom.outside.paths import printable
from starloom.tokens.block_cache import BlockCache, cache_folder, cache_limit
from starloom.tokens.packed import TABLES, Blocks, Packed, Payload, Shards
from starloom.tokens.shards import BLOCK_BYTES, CHECKSUMS, KIND, shard_name
from starloom.workspace import atomic
from starloom.workspace.manifest import NAME, FileEntry, Manifest, from_bytes, problem_of

PAGE_BYTES: Final = 16 * BLOCK_BYTES
IN_MEMORY: Final = 128  # pages
AHEAD: Final = 96  # pages that are on their way, at most: they must not push each other out, nor hold up the end
THREADS: Final = 16  # that fetch pages
_MOST_MANIFEST: Final = 256 << 20
_MOST_TABLE: Final = 8 << 30  # bytes of a table: a hundred million files
_AGAIN: Final = "upload the folder again, whole, as `starloom pack` made it"


def opened(place: str, root: Path) -> Packed:
    """The packed tokens at a URL (`s3://BUCKET/PREFIX`, `https://HOST/PREFIX`), or in a folder, relative to `root`.

    Raises UserError: none are there, they are damaged, the store cannot be reached.
    """
    if "://" not in place:
        return Packed.open(root / Path(place).expanduser())
    store = open_store(place, settings=HttpSettings(parallel=THREADS))
    shown = printable(place.partition("?")[0])
    data = _fetched(shown, store, NAME, _MOST_MANIFEST)
    try:
        manifest = from_bytes(data, Path(NAME))
    except UserError as problem:
        raise UserError(f"{shown}/{problem.problem}", _AGAIN) from None
    if manifest.kind != KIND:
        raise UserError(f"{shown} does not hold packed tokens: `{manifest.kind}` made it", "check the address")
    return RemotePacked(shown, store, manifest, cache_folder(), cache_limit())


class RemotePacked(Packed):
    """Packed tokens of a store; `folder` is where their tables are kept on this machine."""

    far = True

    def __init__(self, url: str, store: ObjectStore, manifest: Manifest, cache: Path, limit: int) -> None:
        """Use `opened`."""
        self.url = url
        folder = cache / "tables" / manifest.content[:32]
        with _as_of(url, folder):
            super().__init__(folder, manifest)
        self.place = url
        self._store = store
        self._pages = Pages(BlockCache(cache / "pages", limit))

    def _check_tables(self, name: str) -> None:
        for table in TABLES:
            entry = self._files.get(f"{name}/{table}")
            if entry is None:
                raise UserError(f"{self.url}: its manifest has no {name}/{table}", _AGAIN)
            if problem_of(self.folder, entry) is not None:
                self._fetch(entry)

    def _fetch(self, entry: FileEntry) -> None:
        if entry.bytes > _MOST_TABLE:
            raise UserError(f"{self.url}/{entry.name}: {entry.bytes:,} bytes are no table of tokens", _AGAIN)
        data = _fetched(self.url, self._store, entry.name, entry.bytes)
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            raise UserError(f"{self.url}/{entry.name} is not what its manifest says", _AGAIN)
        path = self.folder / entry.name
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.replace_file(path, data)

    def stream(self, source: str, variant: int) -> Shards:
        with _as_of(self.url, self.folder):
            return super().stream(source, variant)

    def _payload(self, name: str) -> Payload:
        count = sum(one.startswith(f"{name}/tokens-") for one in self._files)
        names = [f"{name}/{shard_name(number)}" for number in range(count)]
        try:
            files = [self._files[one] for one in names]
            checksums = np.fromfile(self.folder / name / CHECKSUMS, dtype="<u4")
            return RemotePayload(self.url, self._store, files, self.dtype, self.vocabulary, checksums, self._pages)
        except KeyError as problem:
            raise UserError(f"{self.url}: its manifest has no {problem.args[0]}", _AGAIN) from None
        except ValueError as problem:
            raise UserError(f"{self.url}: {name}: {problem}", _AGAIN) from None


class Pages:
    """Pages of a folder, in memory and on this disk; each is fetched once, however many threads want it."""

    def __init__(self, cache: BlockCache) -> None:
        self._cache = cache
        self._memory: OrderedDict[str, bytes] = OrderedDict()
        self._coming: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self._ahead: set[str] = set()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="tokens")

    def ahead(self, name: str, page: Callable[[], bytes]) -> None:
        """`page()` will be asked for: it begins to come. Nothing happens where AHEAD of them do already."""
        with self._lock:
            if len(self._ahead) >= AHEAD or name in self._ahead or name in self._memory or name in self._coming:
                return
            self._ahead.add(name)
        self._threads.submit(self._come, name, page)

    def _come(self, name: str, page: Callable[[], bytes]) -> None:
        try:
            page()
        except UserError:
            return  # whoever needs it asks again, and is told
        finally:
            with self._lock:
                self._ahead.discard(name)

    def page(self, name: str, fetch: Callable[[], bytes], check: Callable[[bytes], str | None]) -> bytes:
        """The page: from memory, else from the disk where `check` finds nothing wrong, else from `fetch`, which
        checks."""
        while True:
            with self._lock:
                if name in self._memory:
                    self._memory.move_to_end(name)
                    return self._memory[name]
                coming = self._coming.get(name)
                if coming is None:
                    mine = self._coming[name] = threading.Event()
                    break
            coming.wait()
        try:
            data = self._cache.get(name)
            if data is not None and check(data) is not None:
                self._cache.drop(name)
                data = None
            if data is None:
                data = fetch()
                self._cache.put(name, data)
            with self._lock:
                self._memory[name] = data
                if len(self._memory) > IN_MEMORY:
                    self._memory.popitem(last=False)
            return data
        finally:
            with self._lock:
                del self._coming[name]
            mine.set()


class RemotePayload:
    """The tokens of a stream, in a store."""

    def __init__(
        self,
        url: str,
        store: ObjectStore,
        files: Sequence[FileEntry],
        dtype: np.dtype[Any],
        vocabulary: int,
        checksums: NDArray[np.uint32],
        pages: Pages,
    ) -> None:
        """Raises ValueError when shards and checksums are not of one stream."""
        self._url, self._store, self._files, self._pages = url, store, files, pages
        self._dtype = dtype
        self._blocks = Blocks([one.bytes for one in files], checksums, dtype, vocabulary)
        self.tokens = self._blocks.tokens

    def copy(self, start: int, out: NDArray[Any]) -> None:
        """The len(out) tokens from `start` on into `out`. Raises UserError for a page that cannot be had."""
        done = 0
        while done < len(out):
            shard, page, inside = self._place(start + done)
            tokens = np.frombuffer(self._page(shard, page), dtype=self._dtype)[inside:][: len(out) - done]
            out[done : done + len(tokens)] = tokens
            done += len(tokens)

    def want(self, starts: NDArray[np.int64], sizes: NDArray[Any]) -> None:
        """These tokens will be copied: the pages that are not here begin to come, THREADS at once."""
        for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
            at = start
            while at < start + size:
                shard, page, inside = self._place(at)
                self._pages.ahead(self._name(shard, page), functools.partial(self._page, shard, page))
                at += PAGE_BYTES // self._dtype.itemsize - inside

    def _place(self, token: int) -> tuple[int, int, int]:
        """(shard, page, token in the page)."""
        shard = bisect_right(self._blocks.ends, token)
        inside = token - (self._blocks.ends[shard - 1] if shard else 0)
        return shard, *divmod(inside, PAGE_BYTES // self._dtype.itemsize)

    def _name(self, shard: int, page: int) -> str:
        return f"{self._files[shard].sha256}-{page}"

    def _page(self, shard: int, page: int) -> bytes:
        return self._pages.page(
            self._name(shard, page), lambda: self._fetch(shard, page), lambda data: self._wrong(shard, page, data)
        )

    def _fetch(self, shard: int, page: int) -> bytes:
        entry = self._files[shard]
        start, stop = page * PAGE_BYTES, min((page + 1) * PAGE_BYTES, entry.bytes)
        try:
            data = self._store.get_range(entry.name, start, stop)
        except StoreError as problem:
            raise _unreached(self._url, entry.name, problem) from None
        if wrong := self._wrong(shard, page, data):
            raise UserError(f"{self._url}/{entry.name} is damaged {wrong}", _AGAIN)
        return data

    def _wrong(self, shard: int, page: int, data: bytes) -> str | None:
        """What is wrong with a page: where in the shard, and what."""
        first = page * PAGE_BYTES // BLOCK_BYTES
        if len(data) != min(PAGE_BYTES, self._files[shard].bytes - page * PAGE_BYTES):
            return f"from byte {page * PAGE_BYTES:,} on: {len(data):,} bytes are too many or too few"
        for number in range(-(-len(data) // BLOCK_BYTES)):
            block = memoryview(data)[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES]
            if wrong := self._blocks.wrong(shard, first + number, block):
                return wrong
        return None


@contextlib.contextmanager
def _as_of(url: str, folder: Path) -> Iterator[None]:
    """What is wrong with `folder` is what is wrong at the URL: tables that are what the manifest says, and make no
    sense."""
    try:
        yield
    except UserError as problem:
        if str(folder) not in problem.problem:
            raise
        raise UserError(problem.problem.replace(str(folder), url), _AGAIN) from None


def _fetched(url: str, store: ObjectStore, name: str, limit: int) -> bytes:
    try:
        return store.get(name, limit)
    except StoreError as problem:
        raise _unreached(url, name, problem) from None


def _unreached(url: str, name: str, problem: StoreError) -> UserError:
    if isinstance(problem, MissingError):
        return UserError(f"{url} has no {name}, or does not show it", f"check the address; if it is right, {_AGAIN}")
    return UserError(f"{url}/{name} cannot be read: {problem}", "check the network and the address, and run it again")
