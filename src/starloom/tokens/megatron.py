"""Megatron's indexed datasets: PREFIX.bin, the payload alone, and PREFIX.idx, what lies where in it.

An index is `MMIDIDX`, two NULs, the version (uint64: 1), the code of the payload's type (uint8), the number of
sequences and that of documents + 1 (uint64), then for each sequence its length in tokens (int32) and its first byte in
the payload (int64), for each document its first sequence, and the end (int64), and in multimodal ones a mode a sequence
(int8); all little-endian. Megatron shuffles and joins sequences, so a document of ours is one of them, its end of text
the last token. Checked against the reader and the writer of megatron-core 0.16.1 (megatron/core/datasets/
indexed_dataset.py). Cost: writing 0.4 GB/s of payload, half of it checksums; 28 bytes of memory a document.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.progress import Task
from starloom.tokens.packed import Packed, Shards, foreign

_Int64s = NDArray[np.int64]

HEADER: Final = b"MMIDIDX\x00\x00"
_FIELDS: Final = struct.Struct("<9sQBQQ")
_OLDER: Final = b"TNTIDX\x00\x00"  # of its time as a part of fairseq
CODES: Final[Mapping[int, np.dtype[Any]]] = {
    1: np.dtype("u1"),
    2: np.dtype("i1"),
    3: np.dtype("<i2"),
    4: np.dtype("<i4"),
    5: np.dtype("<i8"),
    6: np.dtype("<f8"),
    7: np.dtype("<f4"),
    8: np.dtype("<u2"),
}
_AGAIN: Final = "make the pair again with a current Megatron: tools/preprocess_data.py"
LONGEST: Final = (1 << 31) - 1  # tokens of a sequence
CHUNK = 1 << 20  # tokens in memory


@dataclass(frozen=True)
class Index:
    """What a .idx file says. Everything in it is checked against itself and the size of the payload."""

    dtype: np.dtype[Any]
    lengths: _Int64s  # of each sequence, in tokens; 0 is possible
    pointers: _Int64s  # of each sequence, its first byte
    documents: _Int64s  # of each document its first sequence, and the end


def names(prefix: Path) -> tuple[Path, Path]:
    """PREFIX.bin and PREFIX.idx; either may be given for the prefix itself."""
    stem = prefix.name.removesuffix(".bin").removesuffix(".idx")
    return prefix.with_name(f"{stem}.bin"), prefix.with_name(f"{stem}.idx")


def imported_dtype(packed: Packed) -> np.dtype[Any] | None:
    """What a token took in the pair that a folder was imported from; None for one that was packed here."""
    about = packed.facts.get("imported")
    told = about.get("dtype") if isinstance(about, dict) else None
    return next((one for one in CODES.values() if one.kind != "f" and one.name == told), None)


def write(packed: Packed, stream: Shards, payload: BinaryIO, index: BinaryIO, bar: Task) -> Index:
    """A stream as such a pair: a sequence a document, uint16 or (there is no uint32) int32.

    What was imported is written as it was: the same type, the same sequences. Raises UserError for a damaged shard.
    """
    dtype = imported_dtype(packed)
    own = CODES[8] if stream.dtype.itemsize == 2 else CODES[4]
    sequences = _sequences(stream, whole=dtype is None)
    lengths = np.diff(sequences)
    dtype = dtype or own
    found = Index(dtype, lengths, sequences[:-1] * dtype.itemsize, np.searchsorted(sequences, stream.starts))
    code = next(code for code, one in CODES.items() if one == dtype)
    index.write(_FIELDS.pack(HEADER, 1, code, len(lengths), len(found.documents)))
    index.write(lengths.astype("<i4").tobytes())
    index.write(found.pointers.astype("<i8").tobytes())
    index.write(found.documents.astype("<i8").tobytes())
    out = np.empty(CHUNK, dtype=stream.dtype)
    for start in range(0, stream.tokens, CHUNK):
        part = out[: min(CHUNK, stream.tokens - start)]
        stream.payload.copy(start, part)
        if int(part.max()) > np.iinfo(dtype).max:
            raise foreign(packed.folder, f"its manifest calls it imported from {dtype.name}: it has larger tokens")
        payload.write(part.astype(dtype, copy=False).tobytes())
        bar.advance(part.nbytes)
    return found


def _sequences(stream: Shards, whole: bool) -> _Int64s:
    """Where each sequence starts, and the end: the documents, `whole` or as their pieces are, and none over LONGEST."""
    starts = stream.starts if whole else np.concatenate([[0], stream.borders, [stream.tokens]])
    lengths = np.diff(starts)
    for number in np.flatnonzero(lengths > LONGEST)[::-1].tolist():
        more = np.arange(starts[number] + LONGEST, starts[number + 1], LONGEST)
        starts = np.insert(starts, number + 1, more)
    return np.asarray(starts, dtype=np.int64)


def read_index(prefix: Path) -> Index:
    """The index of a pair, of any origin. Raises UserError for one that is missing, torn, or of another kind; where
    it points out of the payload, or twice to the same."""
    payload, path = names(prefix)
    size = _size(payload)
    bytes_ = _size(path)
    try:
        with path.open("rb") as file:
            head = file.read(_FIELDS.size)
            if head[: len(_OLDER)] == _OLDER:
                raise _refused(path, "an index of Megatron's older format (TNTIDX)", _AGAIN)
            if len(head) < _FIELDS.size or not head.startswith(HEADER):
                raise _refused(path, "no index of Megatron's: it does not begin with MMIDIDX")
            _, version, code, sequences, documents = _FIELDS.unpack(head)
            if version != 1:
                raise _refused(path, f"an index of version {version}: known is 1")
            if (dtype := CODES.get(code)) is None or dtype.kind == "f":
                what = "an unknown type" if dtype is None else dtype.name
                raise _refused(path, f"an index of no tokens: its payload's type {code} is {what}")
            told = _FIELDS.size + 12 * sequences + 8 * documents
            if bytes_ not in (told, told + sequences):
                raise _refused(
                    path,
                    f"torn: {sequences:,} sequences and {documents:,} borders of documents take {told:,} bytes, "
                    f"it has {bytes_:,}",
                )
            lengths = np.fromfile(file, "<i4", sequences).astype(np.int64)
            pointers = np.fromfile(file, "<i8", sequences).astype(np.int64)
            borders = np.fromfile(file, "<i8", documents).astype(np.int64)
            modes = np.fromfile(file, "i1", bytes_ - told)
    except OSError as problem:
        raise UserError(f"cannot read {path}: {problem.strerror}", "check its permissions and the disk") from None
    _check(path, payload, size, Index(dtype, lengths, pointers, borders), modes)
    return Index(dtype, lengths, pointers, borders)


def read(prefix: Path, index: Index, bar: Task) -> Iterator[NDArray[Any]]:
    """The tokens of all sequences, one after the other, in chunks as the file has them. Raises UserError when the
    payload cannot be read, or has become shorter."""
    path, _ = names(prefix)
    width = index.dtype.itemsize
    lengths, pointers = index.lengths, index.pointers
    some = np.flatnonzero(lengths)
    ends = pointers[some] + lengths[some] * width
    breaks = np.flatnonzero(ends[:-1] != pointers[some][1:]) + 1  # elsewhere one sequence follows the other
    firsts = pointers[some][np.concatenate([[0], breaks])] if len(some) else pointers[:0]
    lasts = ends[np.concatenate([breaks - 1, [len(some) - 1]])] if len(some) else pointers[:0]
    try:
        with path.open("rb") as file:
            for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
                for at in range(first, last, CHUNK * width):
                    wanted = min(CHUNK * width, last - at) // width
                    file.seek(at)
                    chunk = np.fromfile(file, index.dtype, wanted)
                    if len(chunk) < wanted:
                        raise _refused(path, "shorter than it was a moment ago", "import it when nobody writes it")
                    bar.advance(chunk.nbytes)
                    yield chunk
    except OSError as problem:
        raise UserError(f"cannot read {path}: {problem.strerror}", "check its permissions and the disk") from None


def _check(path: Path, payload: Path, size: int, index: Index, modes: NDArray[np.int8]) -> None:
    lengths, pointers, borders = index.lengths, index.pointers, index.documents
    width = index.dtype.itemsize
    if len(bad := np.flatnonzero(lengths < 0)):
        raise _refused(path, f"damaged: sequence {bad[0]} has {lengths[bad[0]]} tokens")
    outside = (pointers < 0) | (pointers % width != 0) | (pointers > size - lengths * width)
    if len(bad := np.flatnonzero(outside & (lengths > 0))):
        raise _refused(
            path,
            f"not of this payload: sequence {bad[0]} lies at byte {pointers[bad[0]]:,}, {lengths[bad[0]]:,} tokens "
            f"long, and {payload.name} has {size:,} bytes",
        )
    if int(lengths.sum()) * width > size:
        raise _refused(path, "damaged: its sequences overlap, they have more tokens than the payload")
    if not len(borders) or borders[0] != 0 or borders[-1] != len(lengths) or bool((np.diff(borders) < 0).any()):
        raise _refused(path, f"damaged: its documents are not all of its {len(lengths):,} sequences, in order")
    if modes.any():
        raise _refused(path, "multimodal: some of its sequences are no text", "import text alone")
    if not lengths.any():
        raise UserError(f"{path} holds no tokens", "nothing is there to import")


def _size(path: Path) -> int:
    """Raises UserError for what is no regular file; to open a pipe would wait for ever."""
    try:
        found = path.stat()
    except OSError as problem:
        raise UserError(
            f"cannot read {path}: {problem.strerror}",
            "give the common beginning of both names, PREFIX of PREFIX.bin and PREFIX.idx",
        ) from None
    if not path.is_file():
        raise UserError(f"{path} is no regular file", "give the common beginning of PREFIX.bin and PREFIX.idx")
    return found.st_size


def _refused(path: Path, what: str, hint: str | None = None) -> UserError:
    return UserError(f"{path} is {what}", hint or "copy both files again, whole, from where they were made")
