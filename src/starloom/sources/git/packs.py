"""Contents straight out of pack files: no process, and a faster inflate than git's where `isal` is installed.

Read here is what nearly all contents of a clone are: whole objects, and deltas against an earlier place of the same
pack. Whatever else there is (loose objects, deltas that name their base, chains of more than MAX_CHAIN, objects of more
than MAX_OBJECT, damage of any kind) is left out, and git is asked for it. Every content is hashed before it is handed
over, so a crafted pack can give no wrong one; sizes are bounded before anything is inflated. Files are read by position
and never mapped: one that is cut short meanwhile would end the process. Memory: a 256th of an index at a time, one
content, and BASES bytes of delta bases. Formats: git's `gitformat-pack`, index version 2.
"""

import os
import struct
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from starloom.identity import content_id
from starloom.outside.paths import RefusedError, Root
from starloom.sources.repository import Content, Wanted

try:
    from isal.isal_zlib import decompressobj
except ImportError:  # no wheel for this processor
    from zlib import decompressobj  # type: ignore[assignment]

MAX_OBJECT = 64 << 20  # bytes of a content or base
MAX_CHAIN = 60  # deltas on top of each other; git makes at most 50 of its own accord
MAX_PACKS = 64  # of a repository; with more git finds its way better
BASES = 32 << 20  # bytes of bases that are kept
_AHEAD = 1 << 15  # bytes of a pack that are read at a time where the length is not known
_BLOB, _OFFSET_DELTA = 3, 6
_HEADER = 8 + 1024  # bytes of an index before its names
_NAME = np.dtype([("a", ">u8"), ("b", ">u8"), ("c", ">u4")])


def read(objects: str, wanted: Sequence[Wanted]) -> Iterator[Content]:
    """Those of the wanted ones that the packs of the folder `objects` give, hashed; no word of the others."""
    rest = {bytes.fromhex(one.content_id): one for one in wanted if one.size <= MAX_OBJECT}
    try:
        with os.scandir(os.fsencode(f"{objects}/pack")) as listing:
            names = sorted(item.name[:-4] for item in listing if item.name.endswith(b".idx"))
        root = Root(objects)
    except OSError:
        return
    with root:
        for name in names if len(names) <= MAX_PACKS else ():
            if not rest:
                return
            try:
                places = _places(root, name, rest)
                pack, _ = root.open(b"pack/" + name + b".pack")
            except (RefusedError, OSError, ValueError, struct.error):
                continue
            try:
                reader = _Pack(pack)
                for offset, one in places:
                    data = reader.content(offset, rest[one].size)
                    if data is not None and content_id(data) == rest[one].content_id:
                        yield Content(rest.pop(one).content_id, data)
            finally:
                os.close(pack)


def _places(root: Root, name: bytes, asked: dict[bytes, Wanted]) -> list[tuple[int, bytes]]:
    """(offset in the pack, hash) of the asked hashes that an index has, by offset. Raises where it is damaged."""
    index, status = root.open(b"pack/" + name + b".idx")
    try:
        head = os.pread(index, _HEADER, 0)
        if len(head) != _HEADER or head[:8] != b"\xfftOc\0\0\0\2":
            raise ValueError("no index of version 2")
        fanout = (0, *struct.unpack(">256I", head[8:]))
        count = fanout[-1]
        if any(low > high for low, high in pairwise(fanout)) or status.st_size < _HEADER + 28 * count:
            raise ValueError("a damaged index")
        by_first: dict[int, list[bytes]] = {}
        for one in asked:
            by_first.setdefault(one[0], []).append(one)
        found: list[tuple[int, bytes]] = []
        for first, some in by_first.items():
            low, high = fanout[first], fanout[first + 1]
            if low == high:
                continue
            names = np.frombuffer(os.pread(index, 20 * (high - low), _HEADER + 20 * low), _NAME)
            keys = np.frombuffer(b"".join(some), _NAME)
            at = np.minimum(np.searchsorted(names, keys), len(names) - 1)
            for one, place, there in zip(some, at.tolist(), (names[at] == keys).tolist(), strict=True):
                if there:
                    found.append((_offset(index, count, low + place), one))
        return sorted(found)
    finally:
        os.close(index)


def _offset(index: int, count: int, place: int) -> int:
    (offset,) = struct.unpack(">I", os.pread(index, 4, _HEADER + 24 * count + 4 * place))
    if offset >> 31:  # the place of an offset of eight bytes
        (offset,) = struct.unpack(">Q", os.pread(index, 8, _HEADER + 28 * count + 8 * (offset & 0x7FFFFFFF)))
    return int(offset)


class _Pack:
    """An open pack file."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._bases: OrderedDict[int, bytes] = OrderedDict()
        self._held = 0

    def content(self, offset: int, size: int) -> bytes | None:
        """The blob at `offset`, which must have `size` bytes; None for whatever is not read here."""
        try:
            data = self._object(offset, size)
        except Exception:  # whatever is wrong with it, git is asked for it and says so
            return None
        return data if data is not None and len(data) == size else None

    def _object(self, offset: int, size: int) -> bytes | None:
        deltas: list[bytes] = []
        places = [offset]
        ahead = size + (size >> 10) + 64  # more than zlib ever makes of it
        while True:
            kept = self._bases.get(offset)
            if kept is not None:
                self._bases.move_to_end(offset)
                data = kept
                break
            if len(deltas) > MAX_CHAIN:
                return None
            piece = os.pread(self._descriptor, min(ahead, MAX_OBJECT), offset)
            kind, length, start = _head(piece)
            if length > MAX_OBJECT or kind not in (_BLOB, _OFFSET_DELTA):
                return None
            if kind == _BLOB:
                data = self._inflate(piece, start, offset, length)
                break
            back, start = _back(piece, start)
            deltas.append(self._inflate(piece, start, offset, length))
            if not 0 < back < offset:
                return None
            offset -= back  # towards the start of the file, so there is no circle
            places.append(offset)
            ahead = _AHEAD
        for delta, base in zip(reversed(deltas), reversed(places), strict=False):
            self._keep(base, data)
            data = _applied(data, delta)
        return data

    def _inflate(self, piece: bytes, start: int, offset: int, length: int) -> bytes:
        """The `length` bytes of the stream that begins at `piece[start]`; `piece` was read at `offset`. Raises."""
        inflater = decompressobj()
        found = inflater.decompress(memoryview(piece)[start:], length + 1)
        read = len(piece)
        while not inflater.eof and len(found) <= length:
            more = inflater.unconsumed_tail
            if not more:
                more = os.pread(self._descriptor, _AHEAD, offset + read)
                read += len(more)
                if not more:
                    break
            found += inflater.decompress(more, length + 1 - len(found))
        if not inflater.eof or len(found) != length:
            raise ValueError("a damaged object")
        return bytes(found)

    def _keep(self, offset: int, data: bytes) -> None:
        if offset not in self._bases and len(data) <= BASES:
            self._bases[offset] = data
            self._held += len(data)
            while self._held > BASES:
                self._held -= len(self._bases.popitem(last=False)[1])


def _head(piece: bytes) -> tuple[int, int, int]:
    """(kind, bytes when inflated, where what follows begins) of an object."""
    byte = piece[0]
    kind, length, shift, at = byte >> 4 & 7, byte & 15, 4, 1
    while byte & 0x80:
        byte = piece[at]
        length |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if shift > 63:
            raise ValueError("an endless length")
    return kind, length, at


def _back(piece: bytes, at: int) -> tuple[int, int]:
    """(how far before this object its base begins, where what follows begins)."""
    byte = piece[at]
    back, at, first = byte & 0x7F, at + 1, at
    while byte & 0x80:
        byte = piece[at]
        back, at = back + 1 << 7 | byte & 0x7F, at + 1
        if at - first > 9:
            raise ValueError("an endless offset")
    return back, at


def _applied(base: bytes, delta: bytes) -> bytes:
    """What `delta` makes of `base`. Raises IndexError or ValueError where it is damaged."""
    source, at = _varint(delta, 0)
    target, at = _varint(delta, at)
    if source != len(base) or target > MAX_OBJECT:
        raise ValueError("a delta of something else")
    pieces: list[bytes] = []
    total, end = 0, len(delta)
    while at < end:
        order = delta[at]
        at += 1
        if order & 0x80:
            start = size = 0
            for bit in range(4):
                if order >> bit & 1:
                    start |= delta[at] << 8 * bit
                    at += 1
            for bit in range(3):
                if order >> 4 + bit & 1:
                    size |= delta[at] << 8 * bit
                    at += 1
            piece = base[start : start + (size or 0x10000)]
        else:
            piece = delta[at : at + order]
            at += order
        total += len(piece)
        if not piece or total > target:
            raise ValueError("a damaged delta")
        pieces.append(piece)
    return b"".join(pieces)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not byte & 0x80:
            return value, at
        if shift > 63:
            raise ValueError("an endless length")
