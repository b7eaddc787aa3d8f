"""Objects of one pack file, read by position. Format: git's `gitformat-pack`.

An object is stored whole, or as a delta against an earlier place of the file or against an object that it names.
Everything is bounded before it is inflated or made: what is crafted, damaged or too large raises (`ERRORS`). Nothing is
hashed here. Memory: BASES bytes of objects that others are deltas of, and the one that is read with all that it is made
of, at most MAX_WORK.
"""

import os
import struct
import zlib
from collections import OrderedDict
from collections.abc import Sequence

import deflate
import numpy as np
import numpy.typing as npt

from starloom.sources.git import delta
from starloom.sources.git.pack_index import NAME, PackIndex

MAX_WORK = 128 << 20  # bytes that are inflated and made for one object, with all that it is a delta of
MAX_CHAIN = 300  # deltas on top of each other; git makes at most 50 of its own accord, 250 in `gc --aggressive`
BASES = 16 << 20  # bytes of bases that are kept
ERRORS = (OSError, OverflowError, struct.error, zlib.error, deflate.DeflateError, *delta.ERRORS)

_AT_ONCE = 1 << 18  # bytes
_AHEAD = 1 << 16  # bytes that are read where the last object asked stood before this one
# Bytes in which the kind, the sizes and the base of any object stand; of a delta's own sizes too, before which come the
# code tables of its zlib stream, at most 300.
_HEAD = 512
_SHORT = 6  # bytes in which a kind and a size up to 4 GB stand
_FIRST = np.arange(_SHORT)
_OFFSET_DELTA, _NAMED_DELTA = 6, 7


class Pack:
    """An open pack file with its open index; `close` closes both. Every method may raise one of `ERRORS`."""

    def __init__(self, index: int, pack: int) -> None:
        self.index = PackIndex(index)
        self._files = (index, pack)
        self._pack = pack
        self._piece = b""  # of the file, from `_start` on
        self._start = 0
        self._bases: OrderedDict[int, bytes] = OrderedDict()
        self._held = 0

    def close(self) -> None:
        """Frees the descriptors."""
        for one in self._files:
            os.close(one)

    def sizes(self, places: Sequence[int]) -> list[int]:
        """Bytes of the objects there; of a delta, as it announces."""
        where = np.array(places, dtype=np.int64)
        order = np.argsort(where)
        where = where[order]
        heads = np.empty((len(where), _SHORT), dtype=np.uint8)
        low = 0
        while low < len(where):  # what stands within _AHEAD bytes is read at once
            start = int(where[low])
            high = int(np.searchsorted(where, start + _AHEAD))
            piece = os.pread(self._pack, int(where[high - 1]) - start + _SHORT, start)
            heads[low:high] = np.frombuffer(piece, np.uint8)[(where[low:high] - start)[:, None] + _FIRST]
            low = high
        sizes = np.empty(len(where), dtype=np.int64)
        sizes[order] = _sizes(heads)
        found: list[int] = sizes.tolist()
        for number in np.flatnonzero(sizes < 0).tolist():
            found[number] = self._size(places[number])
        return found

    def read(self, place: int, about: int) -> bytes:
        """The object at `place`, which has `about` so many bytes."""
        need = min(about >> 1, _AT_ONCE) + _HEAD  # sources are stored in a third of their bytes
        deltas: list[tuple[int, bytes]] = []  # (place of the base, delta)
        work = 0
        while (data := self._bases.get(place)) is None:
            if deltas:
                piece, at = os.pread(self._pack, need, place), 0
            else:
                at = self._ahead(place, need)
                piece = self._piece
            start = place - at
            kind, size, at = _head(piece, at)
            work += size
            if len(deltas) > MAX_CHAIN or work > MAX_WORK:
                raise ValueError("too much for one object")
            if 0 < kind < 5:
                data = self._inflated(memoryview(piece)[at:], start + at, size)
                break
            place, at = self._base(kind, piece, at, place)
            deltas.append((place, self._inflated(memoryview(piece)[at:], start + at, size)))
        else:
            self._bases.move_to_end(place)
        for base, orders in reversed(deltas):
            self._keep(base, data)
            data = delta.applied(data, orders, MAX_WORK - work)
            work += len(data)
        return data

    def _size(self, place: int) -> int:
        piece = os.pread(self._pack, _HEAD, place)
        kind, size, at = _head(piece, 0)
        if 0 < kind < _OFFSET_DELTA:
            return size
        _, at = self._base(kind, piece, at, place)
        return delta.lengths(zlib.decompressobj().decompress(piece[at:], 20))[1]

    def _ahead(self, place: int, need: int) -> int:
        """Where `place` is in the piece that was read last, or now if that does not have `need` bytes from there on. In
        a pack objects stand about in the order of their paths, in which they are asked, so more than one is read."""
        at = place - self._start
        if at < 0 or at + need > len(self._piece):
            near = 0 <= at < len(self._piece) + _AHEAD
            self._piece = os.pread(self._pack, max(need, _AHEAD if near else 0), place)
            self._start, at = place, 0
        return at

    def _base(self, kind: int, piece: bytes, at: int, place: int) -> tuple[int, int]:
        """(place of a delta's base, where the delta begins in `piece`)."""
        if kind == _OFFSET_DELTA:
            back, at = _back(piece, at)
            base = place - back
        elif kind == _NAMED_DELTA:
            base = self.index.place(piece[at : at + NAME])
            at += NAME
        else:
            raise ValueError("an unknown kind of object")
        if base <= 0 or base == place:
            raise ValueError("a delta of nothing")
        return base, at

    def _inflated(self, piece: memoryview, place: int, size: int) -> bytes:
        """The `size` bytes of the zlib stream at `place`, of which `piece` is the beginning or more."""
        try:
            data = deflate.zlib_decompress(piece, size)
        except deflate.DeflateError:
            most = size + (size >> 10) + 64  # that zlib makes of so many bytes
            if most <= len(piece):
                raise
            data = deflate.zlib_decompress(os.pread(self._pack, most, place), size)
        if len(data) != size:
            raise ValueError("a damaged object")
        return bytes(data)

    def _keep(self, place: int, data: bytes) -> None:
        if place not in self._bases and len(data) <= BASES:
            self._bases[place] = data
            self._held += len(data)
            while self._held > BASES:
                self._held -= len(self._bases.popitem(last=False)[1])


def _sizes(heads: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """What `_head` says of whole objects, of which these are the first bytes; -1 of others."""
    kinds = heads[:, 0] >> 4 & 7
    more = np.logical_and.accumulate(heads >= 0x80, axis=1)
    sizes = (heads[:, 0] & 15).astype(np.int64)
    for byte in range(1, _SHORT):
        sizes += np.where(more[:, byte - 1], heads[:, byte] & 0x7F, 0).astype(np.int64) << 7 * byte - 3
    return np.where((kinds > 0) & (kinds < 5) & ~more[:, -1], sizes, -1)


def _head(piece: bytes, at: int) -> tuple[int, int, int]:
    """(kind, bytes when inflated, where what follows begins) of what is stored at `piece[at]`."""
    byte = piece[at]
    kind, size, shift = byte >> 4 & 7, byte & 15, 4
    while byte & 0x80:
        at += 1
        byte = piece[at]
        size |= (byte & 0x7F) << shift
        shift += 7
        if shift > 60:
            raise ValueError("an endless length")
    return kind, size, at + 1


def _back(piece: bytes, at: int) -> tuple[int, int]:
    """(how far before it the base of a delta begins, where what follows begins)."""
    byte = piece[at]
    back, first, at = byte & 0x7F, at, at + 1
    while byte & 0x80:
        byte = piece[at]
        back, at = back + 1 << 7 | byte & 0x7F, at + 1
        if at - first > 9:
            raise ValueError("an endless offset")
    return back, at
