"""A workspace of the code that is installed where this runs: a tokenizer and packed tokens, without a build.

For machines that have PyTorch and no network. A package is a repository, laid out as `starloom pack` lays one out,
fill-in-the-middle included; the last packages, by a keyed hash of the name, are held out. Nothing of it is published.
"""

import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from starloom.identity import content_id
from starloom.kernels.random import keyed_uint64
from starloom.tokens import byte_pairs, hub_format, shards
from starloom.tokens.fill_in_the_middle import FimSettings
from starloom.tokens.templates.repository import File, document
from starloom.tokens.tokenizer import Tokenizer
from starloom.workspace import atomic
from starloom.workspace.manifest import hash_file

_LARGEST: Final = 256 << 10  # bytes of a file
_SAMPLE: Final = 40_000_000  # characters that the tokenizer is learnt from
_HELD_OUT: Final = 20  # one package in so many
_FOLDERS: Final = ("stdlib", "purelib", "platlib")

Package = tuple[str, list[File]]


def packages(most: int) -> Iterator[Package]:
    """Of Python's library and all that is installed, up to `most` characters; no file twice."""
    seen: set[str] = set()
    left = most
    folders = dict.fromkeys(Path(sysconfig.get_path(name)) for name in _FOLDERS)
    roots = [one for folder in folders for one in folder.iterdir() if one.is_dir() and one.name != "site-packages"]
    for root in sorted(roots, key=lambda one: keyed_uint64(0, "package", one.name)):
        files = []
        for path in sorted(root.rglob("*.py")):
            if left <= 0:
                break
            if not path.is_file() or path.stat().st_size > _LARGEST:
                continue
            data = path.read_bytes()
            identity = content_id(data)
            try:
                text = data.decode()
            except UnicodeDecodeError:
                continue
            if text and identity not in seen:
                seen.add(identity)
                files.append(File(str(path.relative_to(root.parent)), identity, text))
                left -= len(text)
        if files:
            yield root.name, files


def make(root: Path, most: int, vocabulary: int) -> NDArray[np.uint16]:
    """tokens/ and tokenizer/ in `root`; the tokens of what is held out, each file between two ends of text."""
    found = list(packages(most))
    if len(found) < 2:
        raise SystemExit(f"no Python packages to learn from are installed in {sys.prefix}")
    held = found[-max(1, len(found) // _HELD_OUT) :]
    taken = found[: -len(held)]
    root.mkdir(parents=True, exist_ok=True)
    texts, size = [], 0
    for _, files in taken:
        for file in files:
            if size < _SAMPLE:
                texts.append(file.content)
                size += len(file.content)
    learnt = byte_pairs.learn([texts], vocabulary).to_str().encode()
    with _published(root / hub_format.FOLDER, "tokenizer") as draft:
        for name, data in {hub_format.FILE: learnt, **hub_format.companions()}.items():
            draft.write(name, data)
    tokenizer = Tokenizer.open(root / hub_format.FOLDER)
    with _published(root / shards.FOLDER, shards.KIND) as draft:
        draft.facts = _packed(draft, tokenizer, taken) | {
            "vocabulary": tokenizer.vocabulary,
            "tokenizer": hash_file(root / hub_format.FOLDER / hub_format.FILE),
        }
    apart = []
    for _, files in held:
        for ids in tokenizer.encode_batch([one.content for one in files]):
            apart += [*ids, tokenizer.end_of_text]
    return np.array(apart, np.uint16)


def _packed(draft: atomic.Draft, tokenizer: Tokenizer, taken: list[Package]) -> dict[str, object]:
    """Writes the stream; its facts."""
    documents: list[tuple[int, str, int, int]] = []
    pieces: list[tuple[int, str, str, None, None, int, int]] = []
    chunks = []
    at = 0
    for number, (name, files) in enumerate(taken):
        laid_out = document(name, files, 0, 0, FimSettings(), tokenizer.markers, tokenizer.end_of_text)
        encoded = iter(tokenizer.encode_batch([one.text for one in laid_out if one.text is not None]))
        first = at
        spans: dict[int, tuple[int, int]] = {}  # of a file, from the first of its tokens to the last
        for piece in laid_out:
            ids = [piece.special] if piece.special is not None else next(encoded)
            chunks.append(np.array(ids, np.uint32))
            start, _ = spans.get(piece.file, (at, at))
            at += len(ids)
            spans[piece.file] = (start, at)
        documents.append((number, name, first, at - first))
        for file, (start, stop) in sorted(spans.items(), key=lambda one: one[1]):
            if file >= 0:
                pieces.append((number, files[file].content_id, files[file].path, None, None, start, stop - start))
    stream = shards.write_stream(
        draft,
        shards.stream_name(shards.ONLY, 0),
        [np.concatenate(chunks)],
        shards.dtype_of(tokenizer.vocabulary),
        _table(documents, shards.DOCUMENTS),
        [_table(pieces, shards.PIECES)],
    )
    return {"sources": [shards.ONLY], "variants": 1, "streams": {shards.stream_name(shards.ONLY, 0): stream}}


def _table(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    return pa.table([list(column) for column in zip(*rows, strict=True)], schema=schema)


def _published(folder: Path, kind: str) -> AbstractContextManager[atomic.Draft]:
    return atomic.publish(folder, kind=kind, version=1, fingerprint="bench", inputs={}, settings={}, replace=True)
