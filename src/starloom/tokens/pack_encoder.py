"""Pieces of documents to tokens, many at a time, into the payloads of a run: one for each variant."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from starloom.tokens.templates.repository import Piece
from starloom.tokens.tokenizer import Tokenizer
from starloom.workspace.operations import Output

BATCH_BYTES = 4 << 20  # characters encoded at a time
_KNOWN_TOKENS = 32 << 20  # kept of texts that another variant may have

_Int64s = NDArray[np.int64]


class Stream:
    """The payload of one variant. documents: the tokens of each."""

    def __init__(self, output: Output) -> None:
        self.documents: list[int] = []
        self._output = output
        self._files = [np.zeros(0, dtype=np.int64)]
        self._lengths = [np.zeros(0, dtype=np.int64)]

    def add(self, document: int, ids: Sequence[NDArray[Any]], files: _Int64s) -> None:
        """Pieces, at least one: the ids of each, and the file that each belongs to, -1: none."""
        self._output.write(np.concatenate(ids).data)
        lengths = np.fromiter(map(len, ids), dtype=np.int64, count=len(ids))
        self._files.append(files)
        self._lengths.append(lengths)
        self.documents += [0] * (document + 1 - len(self.documents))
        self.documents[document] += int(lengths.sum())

    def spans(self) -> tuple[_Int64s, _Int64s, _Int64s]:
        """What lies where: (file, first token, tokens) of each file's pieces, which are neighbours."""
        files, ends = np.concatenate(self._files), np.cumsum(np.concatenate(self._lengths))
        last = np.flatnonzero(np.append(files[1:] != files[:-1], True)) if len(files) else files
        first = np.concatenate([[0], ends[last[:-1]]]) if len(last) else last
        mine = files[last] >= 0
        return files[last][mine], first[mine], (ends[last] - first)[mine]


class Encoder:
    """Waits for BATCH_BYTES before it encodes. Where there are several variants, a text that another one has had is not
    encoded again, if it was not long ago."""

    def __init__(self, tokenizer: Tokenizer, dtype: np.dtype[Any], streams: Sequence[Stream]) -> None:
        self._tokenizer, self._dtype, self._streams = tokenizer, dtype, streams
        self._special = np.arange(tokenizer.vocabulary, dtype=dtype)
        self._known: dict[str, NDArray[Any]] = {}
        self._known_tokens = 0
        self._waiting: list[tuple[int, int, list[Piece], _Int64s]] = []
        self._characters = 0
        self._document = 0

    def add(self, variant: int, pieces: list[Piece], files: Sequence[int]) -> None:
        """Pieces of the present document; `files`: the numbers of the files that theirs stand for."""
        numbers = np.array([*files, -1], dtype=np.int64)  # its last is that of no file: -1
        own = numbers[np.fromiter((piece.file for piece in pieces), dtype=np.int64, count=len(pieces))]
        begin = size = 0
        for place, piece in enumerate(pieces, 1):
            size += len(piece.text) if piece.text is not None else 0
            if self._characters + size >= BATCH_BYTES or place == len(pieces):
                self._waiting.append((variant, self._document, pieces[begin:place], own[begin:place]))
                self._characters += size
                begin, size = place, 0
                if self._characters >= BATCH_BYTES:
                    self.flush()

    def end_document(self) -> None:
        """The next pieces are of the next document."""
        self._document += 1

    def flush(self) -> None:
        """Everything that was added is in the streams."""
        known = self._known
        texts = list(
            dict.fromkeys(
                piece.text
                for _, _, pieces, _ in self._waiting
                for piece in pieces
                if piece.text is not None and piece.text not in known
            )
        )
        if texts:
            found, bounds = self._tokenizer.encode_arrays(texts)
            ids = found.astype(self._dtype)
            for text, (start, stop) in zip(texts, pairwise(bounds.tolist()), strict=True):
                known[text] = ids[start:stop]
            self._known_tokens += len(ids)
        for variant, document, pieces, files in self._waiting:
            parts = [self._special[one.special :][:1] if one.text is None else known[one.text] for one in pieces]
            self._streams[variant].add(document, parts, files)
        self._waiting, self._characters = [], 0
        if len(self._streams) == 1 or self._known_tokens > _KNOWN_TOKENS:
            self._known, self._known_tokens = {}, 0
