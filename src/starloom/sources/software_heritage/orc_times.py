"""Times of an ORC file as plain seconds, where one of them lies past what Arrow can hold.

A commit may state any date, and Arrow refuses a whole stripe for one that is out of range of nanoseconds. In ORC's
second version a timestamp's seconds are stored exactly as a 64-bit integer is, in a stream of their own. So the file is
shown to Arrow with a footer in which those columns are integers: nothing else of it changes, nothing is copied.

What comes out: whole seconds since 2015-01-01 (`EPOCH`) in the writer's time zone, which is UTC in the archive's
exports. Footers uncompressed, zlib and zstd (the archive's). Specification: https://orc.apache.org/specification/ORCv1/
"""

import io
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa

EPOCH = 1_420_070_400  # 2015-01-01, in seconds since 1970
MAX_FOOTER = 256 << 20  # bytes; those of the largest exports have a few hundred thousand

_TIMESTAMP, _TIMESTAMP_INSTANT, _LONG = 9, 18, 4  # kinds of a type
_NONE, _ZLIB, _ZSTD = 0, 1, 5  # kinds of compression


class OrcError(Exception):
    """The footer is not one that can be read here."""


def with_integer_times(file: pa.NativeFile, size: int, columns: set[str]) -> pa.PythonFile:
    """`file` (of `size` bytes) as an ORC file in which the timestamps among `columns` are integers. Raises OrcError."""
    length = _read(file, size - 1, 1)[0]
    postscript = _read(file, size - 1 - length, length)
    stated = {field.number: field.value for field in _fields(postscript)}
    footer_length, compression, block = (stated.get(number, 0) for number in (1, 2, 3))
    if not 0 < footer_length <= MAX_FOOTER:
        raise OrcError("its footer has no sensible length")
    start = size - 1 - length - footer_length
    footer = bytearray(_decompressed(_read(file, start, footer_length), compression))
    _make_integers(footer, columns)
    stored = bytes(footer) if compression == _NONE else _as_original(bytes(footer), block)
    postscript = _with_footer_length(postscript, len(stored))
    return pa.PythonFile(_Overlaid(file, start, stored + postscript + bytes([len(postscript)])), mode="r")


class _Overlaid(io.RawIOBase):
    """The first `start` bytes of a file, then `tail`."""

    def __init__(self, file: pa.NativeFile, start: int, tail: bytes) -> None:
        self._file, self._start, self._tail = file, start, tail
        self._position = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = 0) -> int:
        base = (0, self._position, self._start + len(self._tail))[whence]
        self._position = base + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        end = self._start + len(self._tail)
        size = max(end - self._position, 0) if size < 0 else size
        found = b""
        if self._position < self._start:
            found = _read(self._file, self._position, min(size, self._start - self._position))
        if len(found) < size:
            place = self._position + len(found) - self._start
            found += self._tail[place : place + size - len(found)]
        self._position += len(found)
        return found


def _read(file: pa.NativeFile, offset: int, length: int) -> bytes:
    if offset < 0:
        raise OrcError("it is too short")
    file.seek(offset)
    found: bytes = file.read(length)
    if len(found) != length:
        raise OrcError("it is too short")
    return found


class _Field(NamedTuple):
    """A field of a protobuf message: `data[key:end]`, its content `data[start:end]`."""

    number: int
    value: int  # of a number; else 0
    key: int
    start: int
    end: int


def _make_integers(footer: bytearray, columns: set[str]) -> None:
    types = [field for field in _fields(footer) if field.number == 4]
    if not types:
        raise OrcError("it has no types")
    children: list[int] = []
    names: list[str] = []
    for field in _fields(footer, types[0].start, types[0].end):
        if field.number == 2:  # packed, or one at a time
            children += _varints(footer, field.start, field.end)
        elif field.number == 3:
            names.append(footer[field.start : field.end].decode("utf-8", "replace"))
    for name, child in zip(names, children, strict=False):
        if name in columns and child < len(types):
            for field in _fields(footer, types[child].start, types[child].end):
                if field.number == 1 and field.value in (_TIMESTAMP, _TIMESTAMP_INSTANT):
                    footer[field.start] = _LONG  # one byte, as every kind is


def _with_footer_length(postscript: bytes, length: int) -> bytes:
    rest = [postscript[field.key : field.end] for field in _fields(postscript) if field.number != 1]
    return b"".join([b"\x08", _varint(length), *rest])


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _fields(data: bytes | bytearray, start: int = 0, end: int | None = None) -> Iterator[_Field]:
    position, end = start, len(data) if end is None else end
    while position < end:
        key, (tag, position) = position, _one_varint(data, position, end)
        number, wire = tag >> 3, tag & 7
        value, length = 0, 8 if wire == 1 else 4
        if wire == 0:
            value, after = _one_varint(data, position, end)
            length = after - position
        elif wire == 2:
            length, position = _one_varint(data, position, end)
        elif wire not in (1, 5):
            raise OrcError("its footer is damaged")
        if position + length > end:
            raise OrcError("its footer is damaged")
        yield _Field(number, value, key, position, position + length)
        position += length


def _varints(data: bytes | bytearray, position: int, end: int) -> Iterator[int]:
    while position < end:
        value, position = _one_varint(data, position, end)
        yield value


def _one_varint(data: bytes | bytearray, position: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= end:
            break
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
    raise OrcError("its footer is damaged")


def _decompressed(data: bytes, compression: int) -> bytes:
    if compression == _NONE:
        return data
    if compression not in (_ZLIB, _ZSTD):
        raise OrcError(f"its compression is of kind {compression}")
    found, position = bytearray(), 0
    while position + 3 <= len(data):
        header = int.from_bytes(data[position : position + 3], "little")
        chunk = data[position + 3 : position + 3 + (header >> 1)]
        position += 3 + (header >> 1)
        left = MAX_FOOTER - len(found)
        if header & 1:
            found += chunk
        elif compression == _ZLIB:
            try:
                found += zlib.decompressobj(-15).decompress(chunk, left)
            except zlib.error:
                raise OrcError("its footer is damaged") from None
        else:
            with pa.CompressedInputStream(pa.BufferReader(chunk), "zstd") as stream:
                found += stream.read(left)
        if len(found) >= MAX_FOOTER:
            raise OrcError(f"its footer has more than {MAX_FOOTER} bytes")
    return bytes(found)


def _as_original(data: bytes, block: int) -> bytes:
    """`data` as chunks that say of themselves that they are not compressed."""
    size = min(block or 1 << 16, (1 << 23) - 1)
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    return b"".join((len(piece) << 1 | 1).to_bytes(3, "little") + piece for piece in pieces)
