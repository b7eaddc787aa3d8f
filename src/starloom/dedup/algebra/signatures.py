"""Signatures of texts that lie in Parquet files: what is needed to compare them, without the texts.

A row a text: the hash of its bytes, the hash of its token stream, its MinHash signature. Made by as many processes as
the engine has; the signatures, 1 KB a text, lie in a scratch file that is mapped. Memory: 60 bytes a text.
Cost: about 150 MB/s a core; with a key 15 us a text more.
"""

import hashlib
import mmap
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from starloom import progress
from starloom.dedup.algebra.agreed_key import Key, hidden_values
from starloom.dedup.mapped import explained, mapped, write_at
from starloom.dedup.signature import MinHashSettings
from starloom.dedup.text_files import Run, TextFile, portions, row_counts, runs
from starloom.engine.verbs import Engine

HASH = 32  # bytes of a text's hash


class Signed(NamedTuple):
    """A row a text, in the order of the files."""

    content: NDArray[np.uint8]  # [n, 32]: BLAKE2b of the text in UTF-8
    stream: NDArray[np.uint64]  # [n, 2]: equal for texts of the same tokens
    comparable: NDArray[np.bool_]  # whether it has the five tokens without which a signature means nothing
    values: NDArray[np.uint32]  # [n, permutations], in a scratch file; no columns where only contents are compared
    tokens: NDArray[np.int32] | None  # not told by a file that was signed with a key
    length_bytes: NDArray[np.int64] | None  # of the texts; not told by any file of signatures
    pages: mmap.mmap | None  # of `values`, to `mapped.forget` what was read of them


@dataclass(frozen=True)
class _Signing:
    """In a worker: one run of texts; its signatures go into the scratch file `target`."""

    run: Run
    settings: MinHashSettings | None
    key: Key | None
    target: Path


def sign_files(
    engine: Engine, files: Sequence[TextFile], settings: MinHashSettings | None, scratch: Path, key: Key | None = None
) -> Signed:
    """The signatures of all texts in `files`; without `settings` the hashes of their contents only.

    With a `key` its seed takes the place of the settings' own. A null counts as empty text. `scratch` is a folder that
    outlives the result. Raises UserError for what cannot be read, or is no UTF-8.
    """
    rows = sum(row_counts(files))
    target = scratch_values(scratch, rows, settings.permutations if settings else 0)
    content = np.zeros((rows, HASH), dtype=np.uint8)
    stream = np.zeros((rows, 2), dtype=np.uint64)
    tokens = np.zeros(rows, dtype=np.int32)
    sizes = np.zeros(rows, dtype=np.int64)
    items = [_Signing(run, settings, key, target) for run in runs(files)]
    with progress.task("sign" if settings else "hash", sum(item.run.bytes for item in items)) as bar:
        for item, (hashes, streams, counts, lengths) in engine.map(_sign, items):
            some = slice(item.run.start, item.run.stop)
            content[some], stream[some], tokens[some], sizes[some] = hashes, streams, counts, lengths
            bar.advance(item.run.bytes)
    comparable = tokens >= settings.shingle if settings else np.zeros(rows, dtype=bool)
    values, pages = mapped_values(target, rows, settings.permutations if settings else 0)
    return Signed(content, stream, comparable, values, tokens, sizes, pages)


def scratch_values(scratch: Path, rows: int, places: int) -> Path:
    """A new file in `scratch` with room for the signatures of `rows` texts. Raises UserError where the disk is full."""
    descriptor, name = tempfile.mkstemp(prefix="values-", dir=scratch)
    path = Path(name)
    try:
        if rows * places:
            with explained(path):
                os.posix_fallocate(descriptor, 0, rows * places * 4)
    finally:
        os.close(descriptor)
    return path


def write_values(path: Path, row: int, values: NDArray[np.uint32]) -> None:
    """Signatures of rows from `row` on. Processes that write different rows do not meet."""
    with explained(path), path.open("r+b", buffering=0) as file:
        write_at(file, np.ascontiguousarray(values).data, row * values.shape[1] * 4)


def mapped_values(path: Path, rows: int, places: int) -> tuple[NDArray[np.uint32], mmap.mmap | None]:
    """(uint32[rows, places], read-only, from the scratch file, which loses its name; its pages)."""
    values, pages = mapped(path, "<u4")
    path.unlink()
    return values.reshape(rows, places), pages


def _sign(item: _Signing) -> tuple[NDArray[np.uint8], NDArray[np.uint64], NDArray[np.int32], NDArray[np.int64]]:
    """Hashes, streams, token counts and lengths of the texts of a run."""
    from starloom.kernels.text import text_buffers

    run, settings = item.run, item.settings
    rows = run.stop - run.start
    content = np.zeros((rows, HASH), dtype=np.uint8)
    stream = np.zeros((rows, 2), dtype=np.uint64)
    tokens = np.zeros(rows, dtype=np.int32)
    lengths = np.zeros(rows, dtype=np.int64)
    secret = item.key.content if item.key else b""
    for numbers, texts, of in portions(run):
        offsets, data = text_buffers(texts)
        some = slice(int(numbers[0]) - run.start, int(numbers[-1]) + 1 - run.start)
        hashes = [_content_hash(data[a:b].data, secret) for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist())]
        content[some] = np.frombuffer(b"".join(hashes), dtype=np.uint8).reshape(-1, HASH)[of]
        lengths[some] = np.diff(offsets)[of]
        if settings:
            values, counts, streams = _signatures(offsets, data, settings, item.key)
            tokens[some], stream[some] = counts[of], streams[of]
            write_values(item.target, int(numbers[0]), values[of])
    return content, stream, tokens, lengths


def _content_hash(text: memoryview, secret: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=HASH, key=secret, person=b"starloom content").digest()


def _signatures(
    offsets: NDArray[np.int64], data: NDArray[np.uint8], settings: MinHashSettings, key: Key | None
) -> tuple[NDArray[np.uint32], NDArray[np.int32], NDArray[np.uint64]]:
    from starloom.kernels import minhash

    seed = key.seed if key else settings.seed
    values, tokens, stream = minhash.signatures(offsets, data, seed, settings.permutations, settings.tokenisation)
    if key is None:
        return values, tokens, stream
    rows = [hashlib.blake2b(one.tobytes(), digest_size=16, key=key.stream).digest() for one in stream]
    return (
        hidden_values(values, key.values),
        tokens,
        np.frombuffer(b"".join(rows), dtype=np.uint64).reshape(len(rows), 2),
    )
