"""A pair of Megatron's files as packed tokens of ours: one source, one variant.

A document stays a document, its sequences are its pieces, so that a trace can say where in the pair a token came from,
and an export gives the same pair again, byte for byte. What cannot be kept is said: documents and sequences of no
tokens, and what lies in the payload but in no sequence. Every token is checked against the tokenizer's vocabulary.
Cost: 0.2 GB/s of payload, most of it hashes; 60 bytes of memory a sequence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from starloom import progress
from starloom.errors import UserError
from starloom.tokens import megatron, shards
from starloom.tokens.megatron import Index
from starloom.tokens.tokenizer import Tokenizer
from starloom.workspace.atomic import publish
from starloom.workspace.manifest import hash_file, read_manifest

VERSION: Final = 1
SOURCE: Final = "imported"
_ROWS: Final = 1 << 17  # pieces written at a time


@dataclass(frozen=True)
class Imported:
    """What came in. unread_bytes: of the payload, in no sequence. ended: documents whose last token ends a text."""

    tokens: int
    documents: int
    sequences: int
    empty_documents: int
    empty_sequences: int
    unread_bytes: int
    ended: int


def import_pair(prefix: Path, tokenizer: Tokenizer, folder: Path) -> Imported:
    """PREFIX.bin and PREFIX.idx as the folder `folder`, which `Packed.open` opens. Done before: nothing changes.

    Raises UserError for a pair that is none, a token that the tokenizer does not have, a folder that holds something
    else, and what the file system refuses.
    """
    index = megatron.read_index(prefix)
    payload, path = megatron.names(prefix)
    starts = np.concatenate([[0], np.cumsum(index.lengths)])  # of each sequence in the new stream, and the end
    firsts = starts[index.documents]
    kept = np.flatnonzero(np.diff(firsts))
    name = payload.stem.encode("utf-8", "replace").decode()
    ends = _Ends(firsts[kept + 1] - 1, tokenizer.end_of_text)
    inputs = {"index": hash_file(path)}
    there = read_manifest(folder)
    if there and there.inputs != inputs:  # `publish` would say so too, after all the work
        raise UserError(f"{folder} is there already, and not of {path}", "choose another folder, or remove this one")
    with publish(
        folder,
        kind=shards.KIND,
        version=VERSION,
        fingerprint="",
        inputs=inputs,
        settings={},
        replace=False,
    ) as draft:
        with progress.task("import", int(starts[-1]) * index.dtype.itemsize) as bar:
            chunks = _checked(megatron.read(prefix, index, bar), starts, tokenizer.vocabulary, payload, ends)
            stream = shards.stream_name(SOURCE, 0)
            dtype = shards.dtype_of(tokenizer.vocabulary)
            documents = _documents(name, firsts[kept], np.diff(firsts)[kept])
            about = shards.write_stream(draft, stream, chunks, dtype, documents, _pieces(index, starts, kept))
        found = Imported(
            tokens=int(starts[-1]),
            documents=len(kept),
            sequences=int(np.count_nonzero(index.lengths)),
            empty_documents=len(index.documents) - 1 - len(kept),
            empty_sequences=int(np.count_nonzero(index.lengths == 0)),
            unread_bytes=payload.stat().st_size - int(starts[-1]) * index.dtype.itemsize,
            ended=ends.found,
        )
        draft.facts = {
            "tokens": found.tokens,
            "documents": found.documents,
            "sources": [SOURCE],
            "variants": 1,
            "streams": {stream: about},
            "vocabulary": tokenizer.vocabulary,
            "tokenizer": tokenizer.sha256,
            "dtype": dtype.name,
            "imported": {"from": name, "dtype": index.dtype.name, "sequences": found.sequences},
        }
    return found


class _Ends:
    """How many documents end with the token that ends a text."""

    def __init__(self, places: NDArray[np.int64], token: int) -> None:
        self._places, self._token = places, token
        self.found = 0

    def look(self, start: int, chunk: NDArray[Any]) -> None:
        inside = slice(*np.searchsorted(self._places, [start, start + len(chunk)]))
        self.found += int(np.count_nonzero(chunk[self._places[inside] - start] == self._token))


def _checked(
    chunks: Iterator[NDArray[Any]], starts: NDArray[np.int64], vocabulary: int, payload: Path, ends: _Ends
) -> Iterator[NDArray[Any]]:
    done = 0
    for chunk in chunks:
        if int(chunk.max()) >= vocabulary or int(chunk.min()) < 0:
            place = int(np.flatnonzero((chunk >= vocabulary) | (chunk < 0))[0])
            sequence = int(np.searchsorted(starts, done + place, side="right")) - 1
            raise UserError(
                f"{payload} has token {int(chunk[place]):,} (sequence {sequence:,}, token "
                f"{done + place - int(starts[sequence]):,} of it): the tokenizer has {vocabulary:,} tokens",
                "name with --tokenizer the folder of the tokenizer that made it",
            )
        ends.look(done, chunk)
        yield chunk
        done += len(chunk)


def _documents(name: str, firsts: NDArray[np.int64], lengths: NDArray[np.int64]) -> pa.Table:
    numbers = np.arange(len(firsts), dtype=np.int64)
    return pa.table([numbers, pa.repeat(name, len(firsts)), firsts, lengths], schema=shards.DOCUMENTS)


def _pieces(index: Index, starts: NDArray[np.int64], kept: NDArray[np.int64]) -> Iterator[pa.Table]:
    """A piece a sequence that has tokens; its path says which of the pair's it is."""
    sequences = np.flatnonzero(index.lengths)
    firsts = index.documents[kept]
    for at in range(0, len(sequences), _ROWS):
        some = sequences[at : at + _ROWS]
        columns = {
            "document": np.searchsorted(firsts, some, side="right") - 1,
            "content_id": pa.repeat("", len(some)),  # of a file: none is known
            "path": pc.binary_join_element_wise("sequence", pa.array(some).cast(pa.string()), " "),
            "license_type": pa.nulls(len(some), pa.string()),
            "detected_licenses": pa.nulls(len(some), pa.list_(pa.string())),
            "first_token": starts[some],
            "tokens": index.lengths[some],
        }
        yield pa.table([columns[field.name] for field in shards.PIECES], schema=shards.PIECES)
