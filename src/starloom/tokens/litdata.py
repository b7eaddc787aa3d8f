"""litdata's chunks, for its StreamingDataset with TokensLoader(block_size): index.json and chunk-0-N.bin.

A chunk is its number of items (uint32), where each begins, and the end (uint32), and the items' tokens, little-endian.
Here each is one item of CHUNK_BYTES, cut anywhere: the loader cuts a chunk into blocks whatever its items are, leaves
out what is left at its end, and knows no documents. Checked against litdata 0.2.76, which an older one may not read:
uint16 is new there.
"""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from starloom.progress import Task
from starloom.tokens.packed import Packed, Shards
from starloom.workspace.atomic import Draft, publish

KIND: Final = "litdata"
VERSION: Final = 1
CHUNK_BYTES = 64 << 20
_COPY: Final = 1 << 20  # tokens in memory
_FORMATS: Final = {2: ("no_header_tensor:20", "<u2"), 4: ("no_header_tensor:15", "<i4")}  # torch's uint16 and int32
_SPEC: Final = json.dumps([1, {"type": None, "context": None, "children_spec": []}])  # of a tensor, as torch writes it


def export(packed: Packed, stream: Shards, folder: Path, bar: Task) -> int:
    """A stream as a folder of chunks, a manifest of ours beside them. Returns the number of chunks.

    Raises UserError for a damaged shard, or when `folder` is there and holds something else.
    """
    format_, dtype = _FORMATS[stream.dtype.itemsize]
    most = CHUNK_BYTES // stream.dtype.itemsize
    starts = range(0, stream.tokens, most)
    with publish(
        folder,
        kind=KIND,
        version=VERSION,
        fingerprint="",
        inputs={stream.name: packed.fingerprint},
        settings={},
        replace=False,
    ) as draft:
        chunks = []
        for number, start in enumerate(starts):
            tokens = min(most, stream.tokens - start)
            name = f"chunk-0-{number}.bin"
            size = _chunk(draft, name, stream, start, tokens, np.dtype(dtype), bar)
            chunks.append({"chunk_bytes": size, "chunk_size": 1, "dim": tokens, "filename": name})
        config = {
            "chunk_bytes": CHUNK_BYTES,
            "chunk_size": None,
            "compression": None,
            "data_format": [format_],
            "data_spec": _SPEC,
            "encryption": None,
            "item_loader": "TokensLoader",
        }
        # When it was made, for litdata, whose caches go by it: a number that other tokens do not have.
        updated = f"{int(packed.fingerprint[:12], 16)}.0"
        draft.write("index.json", json.dumps({"chunks": chunks, "config": config, "updated_at": updated}).encode())
        draft.facts = {"tokens": stream.tokens, "tokenizer": packed.tokenizer}
    return len(starts)


def _chunk(draft: Draft, name: str, stream: Shards, start: int, tokens: int, dtype: np.dtype[Any], bar: Task) -> int:
    head = struct.pack("<3I", 1, 12, 12 + tokens * dtype.itemsize)
    with draft.create(name) as output:
        output.write(head)
        for part in _parts(stream, start, start + tokens):
            output.write(part.astype(dtype, copy=False).tobytes())
            bar.advance(part.nbytes)
    return len(head) + tokens * dtype.itemsize


def _parts(stream: Shards, start: int, stop: int) -> Iterator[np.ndarray[Any, np.dtype[Any]]]:
    out = np.empty(min(_COPY, stop - start), dtype=stream.dtype)
    for at in range(start, stop, _COPY):
        part = out[: min(_COPY, stop - at)]
        stream.payload.copy(at, part)
        yield part
