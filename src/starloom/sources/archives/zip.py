"""Members of a zip archive (wheels, jars and the like), by its central directory, each checked against its own header.

An own reader since `zipfile` holds about a kilobyte for every member and takes what the directory says for true.
Nothing is unpacked to disk. What a member's two headers do not agree on, what shares bytes with another member (as in
bombs that use the same bytes again and again), wrong sizes and CRCs are problems of that member; so are encrypted ones.
Stored, deflate, bzip2 and LZMA are read. Names: UTF-8 where the archive says so, else code page 437.
"""

import bz2
import lzma
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple

from starloom.sources.archives.rows import FILE, LINK, SPECIAL
from starloom.sources.archives.stream import ArchiveError, bounded
from starloom.sources.archives.zip_directory import LOCAL_BYTES, MAX32, Directory, Row, wide
from starloom.sources.repository import EXECUTABLE, REGULAR, SYMLINK

MAGICS = (b"PK\x03\x04", b"PK\x05\x06")  # of a first member; of an archive without members
_PIECE = 1 << 20
_LZMA_MEMORY = 256 << 20  # dictionary of a member
_ENCRYPTED = 0x2041  # flags: encrypted, strongly encrypted, headers masked
_SIZES_LATER = 8  # flag: the member's own header does not know sizes and CRC yet
_UNIX = 3

OVERLAPS = "it shares bytes with another member of the archive"
ENCRYPTED = "encrypted"
DISAGREES = "its own header says something else than the archive's directory"
WRONG_SIZE = "its size is not what the archive says"
WRONG_CRC = "its checksum is wrong"

_LOCAL = struct.Struct("<4sHHHHHLLLHH")


class ZipMember(NamedTuple):
    """What the directory says of one member."""

    raw: bytes  # path, in UTF-8
    kind: int  # see `rows`
    mode: int  # as git writes it, of files
    size: int
    problem: str | None  # why it is not to be read
    place: int  # in the directory


class Zip:
    """An open archive. Raises ArchiveError where its directory is damaged."""

    def __init__(self, file: IO[bytes]) -> None:
        self._descriptor = file.fileno()
        self._directory = Directory(self._descriptor)
        self._overlapping, self._next = self._directory.overlaps()
        self._taken = self._given = 0  # bytes read and unpacked, against bombs

    def members(self) -> Iterator[ZipMember]:
        """Every member but folders, in the order of the directory."""
        for place in range(len(self._directory)):
            row = self._directory[place]
            raw = self._directory.name(row)
            mode = row.attributes >> 16 if row.system == _UNIX else 0
            git_mode = EXECUTABLE if mode & stat.S_IXUSR else REGULAR
            if raw.endswith(b"/") or stat.S_ISDIR(mode):
                if row.size:
                    yield ZipMember(raw, FILE, git_mode, row.size, "a folder with a content", place)
                continue
            problem = OVERLAPS if self._overlapping[place] else ENCRYPTED if row.flags & _ENCRYPTED else None
            if stat.S_ISLNK(mode):
                yield ZipMember(raw, LINK, SYMLINK, row.size, problem, place)
            elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                yield ZipMember(raw, SPECIAL, mode, row.size, problem, place)
            else:
                yield ZipMember(raw, FILE, git_mode, row.size, problem, place)

    def read(self, place: int) -> bytes | str:
        """The content of the file at `place`, checked; else the problem. Raises ArchiveError for a bomb."""
        row = self._directory[place]
        start = self._start(row)
        if start is None:
            return DISAGREES
        if start + row.packed > int(self._next[place]):
            return OVERLAPS
        pieces: list[bytes] = []
        given = 0
        try:
            for piece in _unpacked(row, self._packed(start, row.packed)):
                pieces.append(piece)
                given += len(piece)
                self._given += len(piece)
                bounded(self._taken, self._given)
                if given > row.size:
                    return WRONG_SIZE
        except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as problem:
            return f"it cannot be unpacked: {' '.join(str(problem).split())[:200]}"
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if len(data) != row.size:
            return WRONG_SIZE
        return data if zlib.crc32(data) == row.crc else WRONG_CRC

    def _start(self, row: Row) -> int | None:
        """Where the member's data starts; None where its own header is none or says something else."""
        head = os.pread(self._descriptor, LOCAL_BYTES + row.name, row.offset)
        if len(head) < LOCAL_BYTES + row.name:
            return None
        fields: tuple[bytes, int, int, int, int, int, int, int, int, int, int] = _LOCAL.unpack_from(head)
        signature, _, flags, method, _, _, crc, packed, size, name_length, extra_length = fields
        if signature != MAGICS[0] or method != row.method or flags & _ENCRYPTED:
            return None
        if name_length != row.name or head[LOCAL_BYTES:] != self._directory.raw_name(row):
            return None
        if not flags & _SIZES_LATER:
            if MAX32 in (packed, size):
                extra = os.pread(self._descriptor, extra_length, row.offset + LOCAL_BYTES + name_length)
                try:
                    size, packed = wide(extra, (size, packed))
                except ArchiveError:
                    return None
            if (crc, packed, size) != (row.crc, row.packed, row.size):
                return None
        return row.offset + LOCAL_BYTES + name_length + extra_length

    def _packed(self, start: int, size: int) -> Iterator[bytes]:
        end = start + size
        while start < end:
            piece = os.pread(self._descriptor, min(_PIECE, end - start), start)
            if not piece:
                raise EOFError("it ends early")
            start += len(piece)
            self._taken += len(piece)
            yield piece


def _unpacked(row: Row, packed: Iterator[bytes]) -> Iterator[bytes]:
    """Pieces of at most 1 MiB. Raises EOFError and ValueError where the data ends early or late."""
    if row.method == 0:
        yield from packed
    elif row.method == 8:
        yield from _inflated(packed)
    elif row.method == 12:
        yield from _decompressed(bz2.BZ2Decompressor(), packed, None)
    elif row.method == 14:
        yield from _lzma(packed, row.size)
    else:
        raise ValueError(f"compression method {row.method} is not supported")


def _inflated(packed: Iterator[bytes]) -> Iterator[bytes]:
    member = zlib.decompressobj(-15)
    for piece in packed:
        if member.eof:
            raise ValueError("bytes follow its end")
        while piece and not member.eof:
            yield member.decompress(piece, _PIECE)
            piece = member.unconsumed_tail
        if member.unused_data:
            raise ValueError("bytes follow its end")
    while not member.eof and (rest := member.decompress(b"", _PIECE)):
        yield rest
    if not member.eof:
        raise EOFError("it ends early")


def _decompressed(
    member: bz2.BZ2Decompressor | lzma.LZMADecompressor, packed: Iterator[bytes], size: int | None
) -> Iterator[bytes]:
    """`size`: at which it may end without saying so."""
    given = 0
    for piece in packed:
        while piece or not (member.needs_input or member.eof):
            if member.eof:
                raise ValueError("bytes follow its end")
            unpacked = member.decompress(piece, _PIECE)
            given += len(unpacked)
            yield unpacked
            piece = b""
        if member.eof and member.unused_data:
            raise ValueError("bytes follow its end")
    if not member.eof and given != size:
        raise EOFError("it ends early")


def _lzma(packed: Iterator[bytes], size: int) -> Iterator[bytes]:
    """The properties stand before the data; an end mark is not required."""
    head = next(packed, b"")
    properties, memory = head[4], int.from_bytes(head[5:9], "little") if len(head) >= 9 else 0
    if head[2:4] != b"\x05\x00" or properties >= 225 or memory > _LZMA_MEMORY:
        raise ValueError(f"LZMA properties {head[:9]!r} are not supported")
    chain = [
        {
            "id": lzma.FILTER_LZMA1,
            "dict_size": max(memory, 4096),
            "lc": properties % 9,
            "lp": properties // 9 % 5,
            "pb": properties // 45,
        }
    ]
    member = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=chain)
    yield from _decompressed(member, _after(head[9:], packed), size)


def _after(first: bytes, packed: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from packed
