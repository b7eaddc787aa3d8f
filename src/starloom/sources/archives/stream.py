"""The bytes of an archive as one bounded stream: plain, gzip, bzip2, xz, Zstandard, told by their first bytes.

Decompressed in pieces of at most 1 MiB, so memory is bounded whatever a file claims: xz and Zstandard dictionaries are
limited to 256 and 128 MiB. A bomb ends the stream: more than `MAX_BYTES` out, or `MAX_RATIO` bytes out for one in.
Checksums of the formats are verified; data that ends early is an error, never a shorter stream, and so are bytes after
it that are neither NUL nor another compressed stream (gzip and bzip2 only warn of them). Cost: the decompressors' own.
"""

import bz2
import lzma
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Protocol

import pyarrow as pa

from starloom.outside.paths import describe

MAX_BYTES = 64 << 30  # decompressed bytes of one archive
MAX_RATIO = 500  # bytes out for one in; source code reaches 10, logs 100, gzip's best is 1,032
RATIO_FROM = 100 << 20  # bytes out before the ratio counts
_XZ_MEMORY = 256 << 20  # `xz -9` needs 65 MiB to unpack

_INPUT = 1 << 16
_OUTPUT = 1 << 20
MAGICS = {"gzip": b"\x1f\x8b", "bzip2": b"BZh", "xz": b"\xfd7zXZ\x00", "zstd": b"\x28\xb5\x2f\xfd"}


class ArchiveError(Exception):
    """An archive that cannot be read, with the reason; costs this archive only."""

    def __init__(self, reason: str, hint: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def open_regular(path: Path) -> IO[bytes]:
    """The regular file at `path`, unbuffered; a FIFO is not waited for. Raises ArchiveError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as problem:
        raise ArchiveError(describe(problem), "see that it is a file you can read") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ArchiveError("not a regular file")
    return os.fdopen(descriptor, "rb", buffering=0)


def compression(head: bytes) -> str | None:
    """The compression of a file that begins so; None for none that is known."""
    return next((name for name, magic in MAGICS.items() if head.startswith(magic)), None)


class Stream:
    """Reads forward only. `position`: bytes given out or skipped so far."""

    def __init__(self, pieces: Iterator[bytes], ends: list[int]) -> None:
        self._pieces = pieces
        self._ends = ends
        self._buffer = b""
        self._start = 0  # of what is left in the buffer
        self.position = 0

    @property
    def verified(self) -> bool:
        """After the end: whether it is the end for certain, as where one compressed stream says so itself."""
        return len(self._ends) == 1

    def read(self, size: int) -> bytes:
        """The next `size` bytes; fewer only at the end."""
        end = self._start + size
        if end <= len(self._buffer):
            data = self._buffer[self._start : end]
            self._start = end
        else:
            parts = [self._buffer[self._start :]]
            missing = size - len(parts[0])
            self._buffer, self._start = b"", 0
            while missing and (piece := next(self._pieces, b"")):
                if len(piece) > missing:
                    self._buffer, self._start = piece, missing
                    piece = piece[:missing]
                parts.append(piece)
                missing -= len(piece)
            data = b"".join(parts)
        self.position += len(data)
        return data

    def skip(self, size: int) -> None:
        """Passes over `size` bytes. Raises ArchiveError where there are fewer."""
        while size:
            data = self.read(min(size, _OUTPUT))
            if not data:
                raise ArchiveError(f"truncated: it ends at byte {self.position}", "get it again")
            size -= len(data)


class _PlainStream(Stream):
    """A file as it is: what is not wanted is not read."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(_plain(file), [])
        self._file = file
        self._size = os.fstat(file.fileno()).st_size

    def skip(self, size: int) -> None:
        left = len(self._buffer) - self._start
        if size <= left:
            self._start += size
        else:
            if self.position + size > self._size:  # seeking past the end would succeed
                reason = f"truncated: it has {self._size} bytes of {self.position + size} or more"
                raise ArchiveError(reason, "get it again")
            self._file.seek(size - left, os.SEEK_CUR)
            self._buffer, self._start = b"", 0
        self.position += size


def open_stream(file: IO[bytes]) -> Stream:
    """The bytes of an open, unbuffered file from its start on, decompressed where they are compressed."""
    file.seek(0)
    kind = compression(file.read(8))
    file.seek(0)
    if kind is None:
        return _PlainStream(file)
    ends: list[int] = []
    return Stream(_bounded(file, _DECOMPRESSORS[kind](file, ends)), ends)


def bounded(taken: int, given: int) -> None:
    """Raises ArchiveError where `given` bytes out of `taken` compressed ones are a bomb."""
    if given > MAX_BYTES:
        raise ArchiveError(f"more than {MAX_BYTES} bytes when unpacked", "unpack it and give its folder")
    if given > RATIO_FROM and given > MAX_RATIO * taken:
        reason = f"{given} bytes come out of {taken}: more than {MAX_RATIO} for one, as in a decompression bomb"
        raise ArchiveError(reason, "if it is none, unpack it and give its folder")


def _bounded(file: IO[bytes], pieces: Iterator[bytes]) -> Iterator[bytes]:
    given = 0
    try:
        for piece in pieces:
            given += len(piece)
            bounded(file.tell(), given)
            yield piece
    except (zlib.error, lzma.LZMAError, EOFError, OSError, ValueError) as problem:
        raise ArchiveError(f"damaged: {_words(problem)} (after {given} bytes)", "get it again") from None


def _words(problem: Exception) -> str:
    """A library's message on one line; ours where it says nothing."""
    return " ".join(str(problem).split())[:200] or type(problem).__name__


def _plain(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_OUTPUT):
        yield piece


def _gzip(file: IO[bytes], ends: list[int]) -> Iterator[bytes]:
    data = file.read(_INPUT)
    while data:
        member = zlib.decompressobj(31)  # a gzip header, and its CRC at the end
        while not member.eof:
            if not data and not (data := file.read(_INPUT)):
                raise EOFError("it ends early")
            if piece := member.decompress(data, _OUTPUT):
                yield piece
            data = member.unconsumed_tail
        data = _next(file, member.unused_data, MAGICS["gzip"], ends)


class _Decompressor(Protocol):
    """What bz2 and lzma have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def _streams(file: IO[bytes], ends: list[int], magic: bytes, make: Callable[[], _Decompressor]) -> Iterator[bytes]:
    data = file.read(_INPUT)
    while data:
        decompressor = make()
        while not decompressor.eof:
            if decompressor.needs_input and not data and not (data := file.read(_INPUT)):
                raise EOFError("it ends early")
            if piece := decompressor.decompress(data, _OUTPUT):
                yield piece
            data = b""
        data = _next(file, decompressor.unused_data, magic, ends)


def _next(file: IO[bytes], data: bytes, magic: bytes, ends: list[int]) -> bytes:
    """What follows a compressed stream, without padding: nothing, or the next stream. Raises ValueError for others."""
    ends.append(file.tell())
    data = data.lstrip(b"\0")
    while len(data) < len(magic) and (more := file.read(_INPUT)):
        data = (data + more).lstrip(b"\0")
    if data and not data.startswith(magic):
        raise ValueError("bytes follow that do not belong to it")
    return data


def _bzip2(file: IO[bytes], ends: list[int]) -> Iterator[bytes]:
    return _streams(file, ends, MAGICS["bzip2"], bz2.BZ2Decompressor)


def _xz(file: IO[bytes], ends: list[int]) -> Iterator[bytes]:
    return _streams(file, ends, MAGICS["xz"], lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY))


def _zstd(file: IO[bytes], ends: list[int]) -> Iterator[bytes]:
    copy = os.fdopen(os.dup(file.fileno()), "rb", buffering=0)  # Arrow closes what it is given; the position is shared
    with copy, pa.CompressedInputStream(pa.PythonFile(copy, mode="r"), "zstd") as stream:
        while piece := stream.read(_OUTPUT):
            yield piece
    ends.append(file.tell())


_DECOMPRESSORS: dict[str, Callable[[IO[bytes], list[int]], Iterator[bytes]]] = {
    "gzip": _gzip,
    "bzip2": _bzip2,
    "xz": _xz,
    "zstd": _zstd,
}
