"""Packed tokens on disk: one stream cut into shards, with what lies where, published as a folder.

`tokens-NNNNN.bin` is the payload alone, little-endian, as Megatron's `.bin`: uint16, or uint32 where the vocabulary
does not fit; every shard but the last has SHARD_BYTES. `documents.parquet` says where each document starts, and
`pieces.parquet` which content lies at which tokens; the manifest's facts say of which tokenizer and how made. Reading
maps the shards: nothing is loaded but 8 bytes a document.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.workspace.atomic import Draft
from starloom.workspace.manifest import Manifest, open_folder

KIND = "pack"
SHARD_BYTES = 256 << 20

DOCUMENTS = pa.schema(
    [
        pa.field("document", pa.int64(), nullable=False),  # its number: 0, 1, 2, …
        pa.field("repo_name", pa.string(), nullable=False),
        pa.field("first_token", pa.int64(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
    ]
)

PIECES = pa.schema(
    [
        pa.field("document", pa.int64(), nullable=False),
        pa.field("content_id", pa.string(), nullable=False),
        pa.field("first_token", pa.int64(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
    ]
)


def dtype_of(vocabulary: int) -> np.dtype[Any]:
    """What one token takes on disk."""
    return np.dtype("<u2") if vocabulary <= 1 << 16 else np.dtype("<u4")


def write_tokens(draft: Draft, chunks: Iterable[NDArray[Any]], dtype: np.dtype[Any]) -> int:
    """The stream that `chunks` are, as shards of `draft`. Returns its tokens."""
    most = SHARD_BYTES // dtype.itemsize
    total = number = 0
    rest = iter(chunks)
    chunk = next(rest, None)
    while chunk is not None:
        with draft.create(f"tokens-{number:05d}.bin") as output:
            room = most
            while chunk is not None and room:
                part, chunk = chunk[:room], chunk[room:]
                output.write(part.astype(dtype).tobytes())
                room -= len(part)
                total += len(part)
                if not len(chunk):
                    chunk = next(rest, None)
        number += 1
    return total


class Shards:
    """The packed tokens of a folder, read where they lie.

    tokens: of the stream. vocabulary: ids run below it. tokenizer: sha256 of the tokenizer.json that made it.
    fingerprint: stands for every byte. documents: how many; `starts` [documents + 1] has the first token of each, and
    the end.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        """Use `open`. Raises UserError when the manifest does not describe packed tokens."""
        self.folder = folder
        self.facts = manifest.facts
        self.fingerprint = manifest.content
        names = [file.name for file in manifest.files if file.name.startswith("tokens-")]
        try:
            self.tokens, self.vocabulary, self.documents = (
                int(self.facts[name]) for name in ("tokens", "vocabulary", "documents")
            )
            self.tokenizer = str(self.facts["tokenizer"])
            self.dtype = dtype_of(self.vocabulary)
            # As plain arrays: a slice of a memmap costs ten times that of an array.
            self._maps = [np.asarray(np.memmap(folder / name, dtype=self.dtype, mode="r")) for name in names]
        except (KeyError, TypeError, ValueError) as problem:
            raise _foreign(folder, f"its manifest does not say what packed tokens are ({problem})") from None
        except OSError as problem:
            raise UserError(
                f"cannot read {problem.filename or folder}: {problem.strerror}", "check its permissions and the disk"
            ) from None
        self._ends = np.cumsum([len(one) for one in self._maps], dtype=np.int64)
        if (int(self._ends[-1]) if len(self._ends) else 0) != self.tokens:
            raise _foreign(folder, f"its shards do not hold the {self.tokens:,} tokens of its manifest")
        self.starts = self._read_starts()

    @classmethod
    def open(cls, folder: Path) -> "Shards":
        """The tokens in `folder`; sizes are checked, bytes are not (`starloom verify` reads them all).

        Raises UserError: missing, torn, made by another stage.
        """
        try:
            manifest = open_folder(folder)
        except UserError as problem:  # the build does not make this folder
            raise UserError(
                problem.problem, (problem.hint or "").replace("`starloom build`", "`starloom pack`")
            ) from None
        if manifest is None:
            raise UserError(f"{folder} is missing: no tokens are packed", "run `starloom pack`")
        if manifest.kind != KIND:
            raise _foreign(folder, f"`{manifest.kind}` made it")
        return cls(folder, manifest)

    def read(self, start: int, stop: int) -> NDArray[np.int64]:
        """The tokens from `start` to before `stop`. Raises ValueError out of the stream, UserError for a damaged shard
        where a token is none of the vocabulary."""
        self._check(start, stop)
        found = np.empty(stop - start, dtype=np.int64)
        done = 0
        shard = int(np.searchsorted(self._ends, start, side="right"))
        while done < len(found):
            begins = int(self._ends[shard - 1]) if shard else 0
            part = self._maps[shard][start + done - begins : stop - begins]
            if self.vocabulary <= int(part.max()):
                raise UserError(
                    f"{self.folder / f'tokens-{shard:05d}.bin'} is damaged: token {int(part.max())} in a vocabulary of "
                    f"{self.vocabulary:,}",
                    f"delete {self.folder} and run `starloom pack`: it is made again",
                )
            found[done : done + len(part)] = part
            done += len(part)
            shard += 1
        return found

    def document_numbers(self, start: int, stop: int) -> NDArray[np.int32]:
        """The number of the document that each token from `start` to before `stop` is in. Raises ValueError."""
        self._check(start, stop)
        inner = slice(*np.searchsorted(self.starts, [start, stop], side="right"))
        bounds = np.concatenate([[start], self.starts[inner], [stop]])
        return np.repeat(np.arange(inner.start - 1, inner.stop, dtype=np.int32), np.diff(bounds))

    def documents_between(self, start: int, stop: int) -> range:
        """The numbers of the documents that have a token from `start` to before `stop`. Raises ValueError."""
        self._check(start, stop)
        first, last = np.searchsorted(self.starts, [start, stop - 1], side="right") - 1
        return range(int(first), int(last) + 1) if start < stop else range(0)

    def _read_starts(self) -> NDArray[np.int64]:
        path = self.folder / "documents.parquet"
        try:
            column = pq.read_table(path, columns=["first_token"]).column(0)
        except (OSError, pa.ArrowException, KeyError) as problem:
            raise _foreign(self.folder, f"{path.name} cannot be read ({str(problem).splitlines()[0]})") from None
        starts = np.append(column.to_numpy(), np.int64(self.tokens)).astype(np.int64)
        if len(starts) != self.documents + 1 or starts[0] != 0 or bool((np.diff(starts) <= 0).any()):
            raise _foreign(self.folder, f"{path.name} does not say where the {self.documents:,} documents start")
        return starts

    def _check(self, start: int, stop: int) -> None:
        if not 0 <= start <= stop <= self.tokens:
            raise ValueError(f"tokens {start} to {stop} of {self.tokens}")


def _foreign(folder: Path, why: str) -> UserError:
    return UserError(
        f"{folder} does not hold packed tokens: {why}",
        f"move it away, or delete it, and run `starloom pack`: {folder.name} is made again",
    )
