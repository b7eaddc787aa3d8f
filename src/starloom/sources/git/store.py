"""A repository's objects without git: those of its packs (`pack.py`) and the loose ones, each hashed before it is used.

What is not read here is not judged either: missing, damaged, very large or unusual objects are None, and git is asked
(`ls_tree.py`, `objects.py`, `refs.py`). A crafted file can so give no other bytes than its name stands for. Formats:
git's `gitformat-pack`, `gitrepository-layout`. Cost: see `bench/sources.py`.
"""

import hashlib
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import repeat
from types import TracebackType

import deflate

from starloom.outside.paths import RefusedError, Root
from starloom.sources.git.pack import ERRORS, MAX_WORK, Pack

MAX_PACKS = 64  # of a repository; with more git finds its way better
_LOOSE_HEAD = 512  # bytes of a loose object after which its kind and size have come
_SMALL = 1000  # bytes of an object about which nothing is known


class Store:
    """The objects in the folder `objects`, open as a context manager; none where that is no readable folder."""

    def __init__(self, objects: str) -> None:
        self._root: Root | None = None
        self._packs: list[Pack] = []
        with suppress(OSError):
            self._root = Root(objects)
            with os.scandir(os.fsencode(f"{objects}/pack")) as listing:
                names = sorted(one.name[:-4] for one in listing if one.name.endswith(b".idx"))
            for name in names if len(names) <= MAX_PACKS else ():
                self._open(self._root, b"pack/" + name)

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pack in self._packs:
            pack.close()
        if self._root is not None:
            self._root.close()

    def sizes(self, names: Sequence[bytes]) -> list[int | None]:
        """Bytes of the objects of these names (20 bytes each), as their headers say; None where git must be asked."""
        sizes: list[int | None] = [None] * len(names)
        for pack, numbers, places in self._places(names):
            with suppress(*ERRORS):
                for number, size in zip(numbers, pack.sizes(places), strict=True):
                    sizes[number] = size
        return [self._loose_size(name) if size is None else size for name, size in zip(names, sizes, strict=True)]

    def contents(self, names: Sequence[bytes], sizes: Sequence[int]) -> Iterator[bytes | None]:
        """What `read` says of each of many files with so many bytes."""
        packs: list[Pack | None] = [None] * len(names)
        places = [0] * len(names)
        for pack, numbers, inside in self._places(names):
            for number, place in zip(numbers, inside, strict=True):
                packs[number], places[number] = pack, place
        return map(self._read, repeat(b"blob"), names, sizes, packs, places)

    def read(self, kind: bytes, name: bytes) -> bytes | None:
        """The bytes of one object; None where git must be asked, as nothing that was found is a `kind` (b"blob",
        b"tree", b"commit") with this name."""
        try:
            for pack in self._packs:
                if (place := pack.index.place(name)) >= 0:
                    return self._read(kind, name, _SMALL, pack, place)
        except ERRORS:
            return None
        return self._read(kind, name, _SMALL, None, 0)

    def _read(self, kind: bytes, name: bytes, about: int, pack: Pack | None, place: int) -> bytes | None:
        try:
            data = pack.read(place, about) if pack else self._loose_content(name)
        except (RefusedError, *ERRORS):
            return None
        digest = hashlib.sha1(b"%b %d\0" % (kind, len(data)), usedforsecurity=False)
        digest.update(data)
        return data if digest.digest() == name else None

    def _places(self, names: Sequence[bytes]) -> Iterator[tuple[Pack, Sequence[int], list[int]]]:
        """Which of the names, by number, each pack has, and where: the first that has it."""
        left: Sequence[int] = range(len(names))
        for pack in self._packs if names else ():
            with suppress(*ERRORS):
                places = pack.index.places([names[number] for number in left])
                missing = [number for number, place in zip(left, places, strict=True) if place < 0]
                if missing:
                    inside = [number for number, place in zip(left, places, strict=True) if place >= 0]
                    yield pack, inside, [place for place in places if place >= 0]
                else:
                    yield pack, left, places
                left = missing

    def _open(self, root: Root, name: bytes) -> None:
        opened: list[int] = []
        try:
            for suffix in (b".idx", b".pack"):
                opened.append(root.open(name + suffix)[0])
            self._packs.append(Pack(*opened))
        except (RefusedError, *ERRORS):
            for descriptor in opened:
                os.close(descriptor)

    def _loose(self, name: bytes, limit: int) -> bytes:
        if self._root is None:
            raise RefusedError("missing")
        digits = name.hex().encode("ascii")
        descriptor, status = self._root.open(digits[:2] + b"/" + digits[2:])
        try:
            return os.read(descriptor, min(status.st_size, limit))
        finally:
            os.close(descriptor)

    def _loose_size(self, name: bytes) -> int | None:
        try:
            return _loose_head(self._loose(name, _LOOSE_HEAD))[1]
        except (RefusedError, *ERRORS):
            return None

    def _loose_content(self, name: bytes) -> bytes:
        stored = self._loose(name, MAX_WORK)
        start, size = _loose_head(stored[:_LOOSE_HEAD])
        if size > MAX_WORK:
            raise ValueError("a large object")
        data = deflate.zlib_decompress(stored, start + size)
        if len(data) != start + size:
            raise ValueError("a damaged object")
        return bytes(memoryview(data)[start:])


def _loose_head(stored: bytes) -> tuple[int, int]:
    """(where the content begins, its bytes) of a loose object: `KIND SIZE\\0CONTENT`. Raises one of `ERRORS`."""
    head = zlib.decompressobj().decompress(stored, 40)
    end = head.index(b"\0")
    size = head[:end].split(b" ")[1]
    if not size.isdigit():
        raise ValueError("a damaged object")
    return end + 1, int(size)
