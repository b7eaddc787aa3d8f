"""Gzip of strangers in bounded memory: never more than `limit` bytes out, and nothing accepted that does not end well.

Cost: zlib's own (120 to 200 MB/s of output on a busy core). Several members one after the other are one body, and
zeros may follow the last, both as gzip(1) has it. Not covered: other encodings.
"""

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

_GZIP: Final = 31  # zlib: a gzip header is required, window of 32 KB
_STEP: Final = 1 << 20  # bytes that one call may give
_SLICE: Final = 1 << 16  # bytes that one call is given: zlib copies what it does not use yet


class InflateError(Exception):
    """No gzip, damaged, truncated, followed by something else, or too large: `too_large` tells the last."""

    def __init__(self, reason: str, *, too_large: bool = False) -> None:
        super().__init__(reason)
        self.too_large = too_large


def inflate(pieces: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """What the gzip in `pieces` holds. Raises InflateError before more than `limit` bytes came out."""
    member = zlib.decompressobj(_GZIP)
    first, padded, total = True, False, 0
    for rest in _slices(pieces):
        while rest:
            if member.eof:
                if padded or rest[0] != 0x1F:
                    if rest.strip(b"\0"):
                        raise InflateError("something else follows the compressed data")
                    padded = True
                    break
                member, first = zlib.decompressobj(_GZIP), False
            try:
                # What it holds back comes with the next slice, at the latest with the checksum at the end.
                out = member.decompress(rest, min(_STEP, limit - total + 1))
            except zlib.error as problem:
                raise InflateError("not gzip" if first and not total else f"damaged gzip ({problem})") from None
            total += len(out)
            if total > limit:
                raise InflateError(f"more than {limit:,} bytes once decompressed", too_large=True)
            if out:
                yield out
            rest = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        raise InflateError("truncated gzip")


def _slices(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), _SLICE):
            yield piece[start : start + _SLICE]
