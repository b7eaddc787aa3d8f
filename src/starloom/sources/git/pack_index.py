"""Where a pack has objects: its `.idx` file, version 2, read by position as far as it is asked.

A file that is mapped and cut short meanwhile would end the process, so nothing is mapped. Format: git's
`gitformat-pack`, "Version 2 pack-*.idx files". Memory: two to three times HELD, or a 256th of the file.
"""

import os
import struct
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

NAME = 20  # bytes of an object's name
HELD = 32 << 20  # bytes of an index that are kept
_HEADER = 8 + 1024  # bytes before the names: magic, version, and how many names begin with up to each byte
_ROW = NAME + 4 + 4  # bytes of an object: first all names, then all checksums, then all places
_FAR = 1 << 31  # a place with this bit stands for one of eight bytes
_FEW = 2000 * NAME


class PackIndex:
    """An open index. Every method may raise OSError, ValueError or struct.error where the file is damaged."""

    def __init__(self, descriptor: int) -> None:
        head = os.pread(descriptor, _HEADER, 0)
        if len(head) != _HEADER or head[:8] != b"\xfftOc\0\0\0\2":
            raise ValueError("no index of version 2")
        self._descriptor = descriptor
        self._fanout = (0, *struct.unpack(">256I", head[8:]))
        if any(low > high for low, high in pairwise(self._fanout)):
            raise ValueError("a damaged index")
        self._count = self._fanout[-1]
        self._parts: dict[int, tuple[bytes, bytes]] = {}  # by first byte of a name: names and places
        self._held = 0
        self._whole: _Whole | None = None

    def place(self, name: bytes) -> int:
        """The offset of the object `name` in the pack; -1 where it is not there."""
        names, places = self._parts.get(name[0]) or self._part(name[0])
        at = _found(names, name)
        return -1 if at < 0 else self._near(int.from_bytes(places[4 * at : 4 * at + 4]))

    def places(self, names: Sequence[bytes]) -> list[int]:
        """`place` of each of many."""
        if not names or not self._count or self._count > HELD // _ROW:
            return [self.place(name) for name in names]
        if self._whole is None:
            self._whole = _Whole(*self._rows(0, self._count))
        found = self._whole.places(b"".join(names))
        places: list[int] = found.tolist()
        for number in np.flatnonzero(found >= _FAR).tolist():
            places[number] = self._near(places[number])
        return places

    def _near(self, place: int) -> int:
        if not place & _FAR:
            return place
        start = _HEADER + _ROW * self._count + 8 * (place ^ _FAR)
        (far,) = struct.unpack(">q", os.pread(self._descriptor, 8, start))
        return int(far)

    def _part(self, first: int) -> tuple[bytes, bytes]:
        part = self._rows(self._fanout[first], self._fanout[first + 1])
        if self._held > HELD:
            self._parts.clear()
            self._held = 0
        self._held += sum(map(len, part))
        self._parts[first] = part
        return part

    def _rows(self, low: int, high: int) -> tuple[bytes, bytes]:
        """Names and places of the objects from the one on and before the other."""
        names = os.pread(self._descriptor, NAME * (high - low), _HEADER + NAME * low)
        places = os.pread(self._descriptor, 4 * (high - low), _HEADER + (NAME + 4) * self._count + 4 * low)
        if len(names) != NAME * (high - low) or len(places) != 4 * (high - low):
            raise ValueError("an index that was cut short")
        return names, places


class _Whole:
    """All names of an index, for many questions at once. Of names whose first eight bytes agree, which only somebody's
    will can bring about, some are not found."""

    def __init__(self, names: bytes, places: bytes) -> None:
        self._names = np.frombuffer(names, dtype=np.uint8).reshape(-1, NAME)
        self._first = _first_bytes(self._names)
        self._places = np.frombuffer(places, dtype=">u4").astype(np.int64)

    def places(self, names: bytes) -> NDArray[np.int64]:
        asked = np.frombuffer(names, dtype=np.uint8).reshape(-1, NAME)
        at = np.minimum(np.searchsorted(self._first, _first_bytes(asked)), len(self._first) - 1)
        return np.where((self._names[at] == asked).all(axis=1), self._places[at], -1)


def _first_bytes(names: NDArray[np.uint8]) -> NDArray[np.uint64]:
    return names[:, :8].copy().view(">u8").ravel().astype(np.uint64)


def _found(names: bytes, name: bytes) -> int:
    """Which of the sorted `names`, one after the other, is `name`; -1: none. In few a search of bytes is quicker."""
    if len(names) <= _FEW:
        start = names.find(name)
        while start % NAME and start >= 0:  # across two of them
            start = names.find(name, start + 1)
        return start // NAME
    count = len(names) // NAME
    at = bisect_left(range(count), name, key=lambda one: names[NAME * one : NAME * one + NAME])
    return at if names[NAME * at : NAME * at + NAME] == name else -1
