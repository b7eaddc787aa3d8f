"""The central directory of a zip archive, held narrow: about 60 bytes a member and its name.

Zip64 is read; several volumes are not. The directory is found by the end record at the very end of the file (NUL may
follow), and what it says of itself must be so: its place, its size, the number of its members. `overlaps` finds the
members that claim the same bytes, before any is read.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from starloom.outside.paths import MAX_PATH
from starloom.sources.archives.rows import MAX_PATHS
from starloom.sources.archives.stream import ArchiveError
from starloom.sources.repository import MAX_ENTRIES

MAX32 = 0xFFFFFFFF  # stands where the value is in the zip64 field
_AGAIN = "get it again"
_WINDOW = 1 << 20
_UTF8_NAME = 0x800  # flag
_UNICODE_PATH = 0x7075  # extra field: the name in UTF-8, with the CRC of the one it replaces
_ZIP64 = 1  # extra field

_END = struct.Struct("<4s4H2LH")  # signature; this volume, the directory's; entries here, all; size, offset; comment
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4sBBHHHHHLLLHHHHHLL")
LOCAL_BYTES = 30  # of a member's own header, without name and extra fields

_FIELDS = struct.Struct("<QQQQLLHHHHB")
_ROWS = np.dtype({"names": ["offset", "packed", "name"], "formats": ["<u8", "<u8", "<u2"], "offsets": [8, 16, 44],
                  "itemsize": _FIELDS.size})  # fmt: skip


class Row(NamedTuple):
    """One member, as the directory has it."""

    name_at: int
    offset: int  # of its own header, in the file
    packed: int  # bytes
    size: int  # bytes, unpacked
    crc: int
    attributes: int  # on Unix the mode, in the upper half
    flags: int
    method: int
    name: int  # bytes of the name as it stands in both headers
    shown: int  # bytes of the name in UTF-8 that comes after it; 0: it is that name itself
    system: int  # 3: Unix


class Directory:
    """The directory of an open file. Raises ArchiveError where it is damaged."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._names = bytearray()
        self._rows = bytearray()
        end, count, size, offset = _end(descriptor, os.fstat(descriptor).st_size)
        self.start = end - size  # bytes before it belong to members
        shift = self.start - offset  # bytes before the archive: of a program that unpacks it
        if self.start < 0 or shift < 0:
            raise ArchiveError("damaged: its central directory does not fit in the file", _AGAIN)
        self._fill(size, shift)
        if len(self) & 0xFFFF != count & 0xFFFF:  # old programs counted to 65,535 and began anew
            raise ArchiveError(f"damaged: {len(self)} members in its directory, which says {count}", _AGAIN)

    def __len__(self) -> int:
        return len(self._rows) // _FIELDS.size

    def __getitem__(self, place: int) -> Row:
        return Row(*_FIELDS.unpack_from(self._rows, place * _FIELDS.size))

    def raw_name(self, row: Row) -> bytes:
        """The name as it stands in the member's headers."""
        return bytes(self._names[row.name_at : row.name_at + row.name])

    def name(self, row: Row) -> bytes:
        """The name in UTF-8 (or whatever was said to be UTF-8)."""
        start = row.name_at + (row.name if row.shown else 0)
        return bytes(self._names[start : start + (row.shown or row.name)])

    def overlaps(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.uint64]]:
        """Whether each member claims bytes of another one or of the directory; where the next one begins."""
        rows = np.frombuffer(bytes(self._rows), _ROWS)
        order = np.argsort(rows["offset"], kind="stable")
        starts = rows["offset"][order].astype(np.uint64)
        ends = starts + LOCAL_BYTES + rows["name"][order] + rows["packed"][order]
        following = np.append(starts[1:], np.uint64(self.start))
        reached = np.maximum.accumulate(ends)
        bad = ends > following
        bad[1:] |= reached[:-1] > starts[1:]
        bad |= ends < starts  # sizes of 2^64
        overlapping, following_of = np.zeros(len(rows), bool), np.zeros(len(rows), np.uint64)
        overlapping[order], following_of[order] = bad, following
        return overlapping, following_of

    def _fill(self, size: int, shift: int) -> None:
        for fixed, name, extra in self._entries(size):
            flags, method, crc, packed, unpacked = fixed[4], fixed[5], fixed[8], fixed[9], fixed[10]
            volume, attributes, offset = fixed[14], fixed[16], fixed[17]
            if MAX32 in (packed, unpacked, offset):
                unpacked, packed, offset = wide(extra, (unpacked, packed, offset))
            if volume not in (0, 0xFFFF):
                raise ArchiveError("one of several volumes", "join them first, e.g. with `zip -s 0`")
            shown = b""
            if not flags & _UTF8_NAME and not name.isascii():
                shown = (_unicode_path(extra, name) or name.decode("cp437").encode())[: MAX_PATH + 1]
            if len(self._rows) >= MAX_ENTRIES * _FIELDS.size:
                raise ArchiveError(f"more than {MAX_ENTRIES} paths")
            offset = min(offset + shift, 1 << 63)
            self._rows += _FIELDS.pack(
                len(self._names),
                offset,
                packed,
                unpacked,
                crc,
                attributes,
                flags,
                method,
                len(name),
                len(shown),
                fixed[2],
            )
            self._names += name + shown
            if len(self._names) > MAX_PATHS:
                raise ArchiveError(f"more than {MAX_PATHS} bytes of paths")

    def _entries(self, size: int) -> Iterator[tuple[tuple[int, ...], bytes, bytes]]:
        """(fixed fields, name, extra fields) of each."""
        data, at, read = b"", 0, 0
        while True:
            if len(data) - at < _CENTRAL.size + 3 * 0xFFFF and read < size:  # the longest that one can be
                more = os.pread(self._descriptor, min(_WINDOW, size - read), self.start + read)
                if not more:
                    raise ArchiveError("it became shorter while it was read", _AGAIN)
                data, at, read = data[at:] + more, 0, read + len(more)
            elif at == len(data):
                return
            else:
                fixed = _CENTRAL.unpack_from(data, at) if len(data) - at >= _CENTRAL.size else (b"",)
                if fixed[0] != b"PK\x01\x02":
                    raise ArchiveError(f"damaged: no entry at byte {self.start + read - len(data) + at}", _AGAIN)
                name = at + _CENTRAL.size
                extra = name + fixed[11]
                comment = extra + fixed[12]
                at = comment + fixed[13]
                if at > len(data):
                    raise ArchiveError("damaged: its central directory ends within an entry", _AGAIN)
                yield fixed, data[name:extra], data[extra:comment]


def wide(extra: bytes, values: tuple[int, ...]) -> list[int]:
    """The values with those that are in the zip64 field put in place. Raises ArchiveError where they are not there."""
    field = _field(extra, _ZIP64) or b""
    found = []
    for value in values:
        if value == MAX32:
            if len(field) < 8:
                raise ArchiveError("damaged: a zip64 field is too short", _AGAIN)
            value, field = int.from_bytes(field[:8], "little"), field[8:]
        found.append(value)
    return found


def _field(extra: bytes, wanted: int) -> bytes | None:
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == wanted:
            return extra[at + 4 : at + 4 + size]
        at += 4 + size
    return None


def _unicode_path(extra: bytes, name: bytes) -> bytes | None:
    field = _field(extra, _UNICODE_PATH)
    if not field or len(field) < 6 or field[0] != 1 or int.from_bytes(field[1:5], "little") != zlib.crc32(name):
        return None
    return field[5:]


def _end(descriptor: int, size: int) -> tuple[int, int, int, int]:
    """Where the directory ends; the number of its entries, its size, its offset from the start of the archive."""
    tail = os.pread(descriptor, _END.size + 0xFFFF, max(0, size - _END.size - 0xFFFF))
    found = []
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        if at + _END.size <= len(tail):
            comment = _END.unpack_from(tail, at)[-1]
            if not tail[at + _END.size + comment :].strip(b"\0") and at + _END.size + comment <= len(tail):
                found.append(at)
        at = tail.rfind(b"PK\x05\x06", 0, at)
    if len(found) != 1:
        what = "two end records, so readers would not agree on it" if found else "no end record: truncated?"
        raise ArchiveError(f"damaged: it has {what}", _AGAIN)
    at = found[0]
    end = size - len(tail) + at
    _, volume, directory_volume, _, count, length, offset, _ = _END.unpack_from(tail, at)
    if volume or directory_volume:
        raise ArchiveError("one of several volumes", "join them first, e.g. with `zip -s 0`")
    locator = os.pread(descriptor, _LOCATOR.size, end - _LOCATOR.size) if end >= _LOCATOR.size else b""
    if not locator.startswith(b"PK\x06\x07"):
        return end, count, length, offset
    stated = _LOCATOR.unpack(locator)[2]
    for place in (stated, end - _LOCATOR.size - _END64.size):
        record = os.pread(descriptor, _END64.size, place) if 0 <= place < size else b""
        if len(record) == _END64.size and record.startswith(b"PK\x06\x06"):
            _, _, _, _, volume, directory_volume, _, count, length, offset = _END64.unpack(record)
            return place, count, length, offset
    raise ArchiveError("damaged: its zip64 end record is not where it should be", _AGAIN)
