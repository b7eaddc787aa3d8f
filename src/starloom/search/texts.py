"""Texts of a shard as they are packed: a block of LZ4, large ones several, see `kernels/cuts`."""

from functools import cache
from typing import Final

import pyarrow as pa

from starloom.kernels import cuts

_CODEC: Final = "lz4_raw"  # looks at texts are what a question costs: zstd takes six times as long, and 0.07x less room
_LEVEL: Final = 4  # of LZ4: 0.345x of the text, at 150 MB/s; higher ones save nothing


def pack(text: bytes) -> bytes:
    return cuts.cut(text, _compressed) if len(text) > cuts.LARGE else _compressed(text)


def unpack(packed: bytes | memoryview | pa.Buffer, size: int) -> bytes:
    """The text of `size` bytes. Raises OSError where that is not what is packed."""
    if size <= cuts.LARGE:
        return _codec().decompress(packed, size, asbytes=True)  # type: ignore[no-any-return]
    text = cuts.whole(packed, size)
    if text is None:
        raise OSError("what is packed is no text")
    return text


def _compressed(text: bytes) -> bytes:
    return _packer().compress(text, asbytes=True)  # type: ignore[no-any-return]


@cache
def _codec() -> pa.Codec:
    return pa.Codec(_CODEC)


@cache
def _packer() -> pa.Codec:
    return pa.Codec(_CODEC, _LEVEL)
