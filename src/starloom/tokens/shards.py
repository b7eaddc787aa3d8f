"""Packed tokens on disk: streams cut into shards, with what lies where, published as one folder.

A stream is one variant of one source of the mixture, in `SOURCE-VARIANT/`: `tokens-NNNNN.bin` is the payload alone,
little-endian, as Megatron's `.bin`: uint16, or uint32 where the vocabulary does not fit; every shard but the last has
SHARD_BYTES. `documents.parquet` says where each document starts, `pieces.parquet` which file lies at which tokens, and
`checksums.bin` has the CRC-32 of every BLOCK_BYTES of each shard, so that a flipped byte is found where it is read. The
manifest's facts say of which tokenizer, how made, and what each stream holds. Reading: packed.py.
"""

import zlib
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from starloom.workspace.atomic import Draft

KIND: Final = "pack"
FOLDER: Final = "tokens"
SHARD_BYTES = 256 << 20
BLOCK_BYTES: Final = 64 << 10  # what is checked at once: 20 microseconds
CHECKSUMS: Final = "checksums.bin"
ONLY: Final = "code"  # the source where no mixture is set

DOCUMENTS = pa.schema(
    [
        pa.field("document", pa.int64(), nullable=False),  # its number in the stream: 0, 1, 2, …
        pa.field("repo_name", pa.string(), nullable=False),
        pa.field("first_token", pa.int64(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
    ]
)

PIECES = pa.schema(
    [
        pa.field("document", pa.int64(), nullable=False),
        pa.field("content_id", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("license_type", pa.string()),
        pa.field("detected_licenses", pa.list_(pa.string())),
        pa.field("first_token", pa.int64(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
    ]
)


def dtype_of(vocabulary: int) -> np.dtype[Any]:
    """What one token takes on disk."""
    return np.dtype("<u2") if vocabulary <= 1 << 16 else np.dtype("<u4")


def stream_name(source: str, variant: int) -> str:
    """The stream's folder."""
    return f"{source}-{variant}"


def shard_name(number: int) -> str:
    return f"tokens-{number:05d}.bin"


def write_stream(
    draft: Draft,
    name: str,
    chunks: Iterable[NDArray[Any]],
    dtype: np.dtype[Any],
    documents: pa.Table,
    pieces: Iterable[pa.RecordBatch | pa.Table],
) -> dict[str, int]:
    """One stream, `chunks` one after the other. Returns its facts: of them, the folder's `streams` has one a stream."""
    tokens = write_tokens(draft, f"{name}/", chunks, dtype)
    draft.parquet(f"{name}/documents.parquet", DOCUMENTS, [documents])
    draft.parquet(f"{name}/pieces.parquet", PIECES, pieces)
    return {"tokens": tokens, "documents": len(documents)}


def write_tokens(draft: Draft, prefix: str, chunks: Iterable[NDArray[Any]], dtype: np.dtype[Any]) -> int:
    """The stream that `chunks` are, as shards of `draft`, and their checksums. Returns its tokens."""
    most = SHARD_BYTES // dtype.itemsize
    total = number = 0
    checksums = []
    rest = iter(chunks)
    chunk = next(rest, None)
    while chunk is not None:
        blocks = _Blocks()
        with draft.create(f"{prefix}{shard_name(number)}") as output:
            room = most
            while chunk is not None and room:
                part, chunk = chunk[:room], chunk[room:]
                data = part.astype(dtype).tobytes()
                output.write(data)
                blocks.add(data)
                room -= len(part)
                total += len(part)
                if not len(chunk):
                    chunk = next(rest, None)
        checksums.append(blocks.done())
        number += 1
    draft.write(f"{prefix}{CHECKSUMS}", b"".join(checksums))
    return total


class _Blocks:
    """The CRC-32 of each block of a shard, as its bytes go by."""

    def __init__(self) -> None:
        self._found: list[int] = []
        self._crc = self._size = 0

    def add(self, data: bytes) -> None:
        view = memoryview(data)
        while len(view):
            part = view[: BLOCK_BYTES - self._size]
            self._crc = zlib.crc32(part, self._crc)
            self._size += len(part)
            view = view[len(part) :]
            if self._size == BLOCK_BYTES:
                self._next()

    def done(self) -> bytes:
        if self._size:
            self._next()
        return np.array(self._found, dtype="<u4").tobytes()

    def _next(self) -> None:
        self._found.append(self._crc)
        self._crc = self._size = 0
