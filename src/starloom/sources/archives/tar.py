"""Members of a tar archive, from a stream, bounded whatever its headers say: ustar, pax, GNU and old Unix headers.

An own reader since `tarfile` holds extended headers of any size in memory, keeps every member, and takes a missing end
for the end. Nothing is unpacked: members are named, and the caller reads the data of those it wants. Sparse members and
those continued on another volume are problems. An archive without a block of NUL at its end is truncated, unless one
compressed stream that ended properly held it. Cost: about 8 µs a member, in Python, and the reading.
"""

import stat
from collections.abc import Iterator
from typing import NamedTuple

from starloom.sources.archives.rows import FILE, HARD_LINK, LINK, SPECIAL
from starloom.sources.archives.stream import ArchiveError, Stream
from starloom.sources.repository import EXECUTABLE, REGULAR, SYMLINK

MAX_HEADER = 1 << 20  # bytes of one extended header (pax records, GNU long name)
_BLOCK = 512
_ZEROS = bytes(_BLOCK)
_AGAIN = "get it again"

SPARSE = "a sparse member: only parts of it are stored"
_SPECIAL = {b"3": stat.S_IFCHR, b"4": stat.S_IFBLK, b"6": stat.S_IFIFO}
_WITHOUT_DATA = (b"1", b"2", b"3", b"4", b"5", b"6")


class TarMember(NamedTuple):
    """What a header says. While it is the last one given, `stream.read(size)` reads its data."""

    raw: bytes  # path, without `./` before it
    kind: int  # see `rows`
    mode: int  # as git writes it, of files
    size: int
    target: bytes  # of a hard link
    problem: str | None


def is_tar(head: bytes) -> bool:
    """Whether the first 512 bytes are a tar header; an archive without any member is not told from zeros."""
    return len(head) >= _BLOCK and head[:_BLOCK] != _ZEROS and _checks(head[:_BLOCK])


def members(stream: Stream) -> Iterator[TarMember]:
    """Every member but folders. Raises ArchiveError where the archive is damaged, truncated or a bomb."""
    common: dict[bytes, bytes] = {}  # of global pax headers
    extended: dict[bytes, bytes] = {}  # for the next member
    while header := _header(stream):
        kind = header[156:157]
        size = _size(header[124:136])
        if kind in (b"x", b"X", b"g", b"L", b"K"):
            data = _extension(stream, size)
            if kind == b"L":
                extended[b"path"] = data.partition(b"\0")[0]
            elif kind == b"K":
                extended[b"linkpath"] = data.partition(b"\0")[0]
            else:
                (common if kind == b"g" else extended).update(_records(data))
            continue
        stated = {**common, **extended} if common else extended
        extended = {}
        if b"size" in stated:
            size = _decimal(stated[b"size"])
        raw = stated.get(b"GNU.sparse.name") or stated.get(b"path") or _name(header)
        if kind in _WITHOUT_DATA:
            size = 0
        is_folder = kind in (b"5", b"D") or (raw.endswith(b"/") and not size)
        shown = _skip_sparse_map(stream, header) if kind == b"S" else size
        end = stream.position + -(-size // _BLOCK) * _BLOCK
        if not is_folder and kind != b"V":
            yield _member(header, kind, raw, shown, stated)
        stream.skip(end - stream.position)


def _member(header: bytes, kind: bytes, raw: bytes, size: int, stated: dict[bytes, bytes]) -> TarMember:
    raw = _plain(raw)
    if kind in (b"0", b"\0", b"7"):
        mode = EXECUTABLE if _mode(header) & stat.S_IXUSR else REGULAR
        sparse = any(key.startswith((b"GNU.sparse.", b"SCHILY.realsize")) for key in stated)
        return TarMember(raw, FILE, mode, size, b"", SPARSE if sparse else None)
    if kind == b"2":
        return TarMember(raw, LINK, SYMLINK, 0, b"", None)
    if kind == b"1":
        target = stated.get(b"linkpath") or _text(header[157:257])
        return TarMember(raw, HARD_LINK, REGULAR, 0, _plain(target), None)
    if kind in _SPECIAL:
        return TarMember(raw, SPECIAL, _SPECIAL[kind] | _mode(header), 0, b"", None)
    if kind == b"S":
        return TarMember(raw, FILE, REGULAR, size, b"", SPARSE)
    if kind == b"M":
        return TarMember(raw, FILE, REGULAR, size, b"", "continued from another volume")
    return TarMember(raw, FILE, REGULAR, size, b"", f"a member of unknown type {kind.decode('latin-1')!r}")


def _header(stream: Stream) -> bytes | None:
    """The next header; None at the end, which is then known to be the end."""
    header = stream.read(_BLOCK)
    if not header:
        if stream.verified:
            return None
        raise ArchiveError(f"truncated: it ends without its end mark, at byte {stream.position}", _AGAIN)
    if len(header) < _BLOCK:
        raise ArchiveError(f"truncated: it ends at byte {stream.position}", _AGAIN)
    if header == _ZEROS:
        _pass_over_rest(stream)
        return None
    if not _checks(header):
        raise ArchiveError(f"damaged: no header at byte {stream.position - _BLOCK}", _AGAIN)
    return header


def _pass_over_rest(stream: Stream) -> None:
    """To the end, so that checksums of the compression are verified; members that stand there would be lost."""
    while block := stream.read(1 << 16):
        if block.count(0) != len(block) and any(
            is_tar(block[first : first + _BLOCK]) for first in range(0, len(block), _BLOCK)
        ):
            hint = "unpack it with `tar --ignore-zeros` and give its folder"
            raise ArchiveError(f"another archive follows its end mark, before byte {stream.position}", hint)


def _checks(header: bytes) -> bool:
    """Whether the header's checksum is right; some old programs summed signed bytes."""
    try:
        stated = _octal(header[148:156])
    except ValueError:
        return False
    field = sum(header[148:156])
    total = sum(header) - field + 8 * ord(" ")
    if total == stated:
        return True
    signed = sum(byte - 256 if byte > 127 else byte for byte in header[:148] + header[156:])
    return signed + 8 * ord(" ") == stated


def _octal(field: bytes) -> int:
    digits = field.partition(b"\0")[0].strip()
    if digits and not digits.isdigit():  # int() takes signs and underscores too
        raise ValueError
    return int(digits or b"0", 8)


def _size(field: bytes) -> int:
    """Octal, or base 256 for what is 8 GiB and more."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    try:
        return _octal(field)
    except ValueError:
        raise ArchiveError(f"damaged: {field!r} is no size", _AGAIN) from None


def _decimal(value: bytes) -> int:
    if not value.isdigit() or len(value) > 20:
        raise ArchiveError(f"damaged: {value[:40]!r} is no size", _AGAIN)
    return int(value)


def _mode(header: bytes) -> int:
    try:
        return _octal(header[100:108]) & 0o7777
    except ValueError:
        return 0


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _name(header: bytes) -> bytes:
    name = _text(header[:100])
    if header[257:263] == b"ustar\0" and header[345] and (prefix := _text(header[345:500])):
        return prefix + b"/" + name
    return name


def _plain(raw: bytes) -> bytes:
    """`./a//b` is `a/b`, as for every program that unpacks; everything else stays to be judged."""
    if b"//" in raw and not raw.startswith(b"/"):
        raw = b"/".join(part for part in raw.split(b"/") if part)
    while raw.startswith(b"./"):
        raw = raw[2:]
    return raw


def _extension(stream: Stream, size: int) -> bytes:
    if size > MAX_HEADER:
        raise ArchiveError(f"an extended header of {size} bytes at byte {stream.position}: more than {MAX_HEADER}")
    data = stream.read(size)
    if len(data) < size:
        raise ArchiveError(f"truncated: it ends at byte {stream.position}", _AGAIN)
    stream.skip(-size % _BLOCK)
    return data


def _records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """pax records: `LENGTH KEY=VALUE\\n`, the length that of the whole."""
    start = 0
    while start < len(data) and data[start]:
        space = data.find(b" ", start, start + 20)
        digits = data[start:space]
        end = start + int(digits) if space > 0 and digits.isdigit() else 0
        key, equals, value = data[space + 1 : end - 1].partition(b"=")
        if not start < end <= len(data) or not equals or data[end - 1 : end] != b"\n":
            raise ArchiveError("damaged: a pax header that does not follow its format", _AGAIN)
        yield key, value
        start = end


def _skip_sparse_map(stream: Stream, header: bytes) -> int:
    """Passes over the map of an old GNU sparse member; the size of the file it stands for."""
    more = header[482]
    while more:
        block = stream.read(_BLOCK)
        if len(block) < _BLOCK:
            raise ArchiveError(f"truncated: it ends at byte {stream.position}", _AGAIN)
        more = block[504]
    return _size(header[483:495])
