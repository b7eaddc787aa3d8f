"""Reading packed tokens where they lie: nothing is loaded but 8 bytes a document.

`Packed` is a folder as shards.py lays it out, `Shards` one of its streams. A block of a shard is checked when it is
first read: its CRC-32, and that its tokens are of the vocabulary.
"""

import contextlib
import functools
import itertools
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.tokens.shards import BLOCK_BYTES, CHECKSUMS, KIND, PIECES, dtype_of, shard_name, stream_name
from starloom.workspace.manifest import Manifest, open_folder, problem_of

TABLES: Final = (CHECKSUMS, "documents.parquet", "pieces.parquet")  # of a stream: what says where things lie
_MAPPED: Final = 512  # shards of a stream at once: each holds a descriptor
_GROUPS: Final = 4  # of pieces.parquet that are kept: 100,000 files each

_Int64s = NDArray[np.int64]


class Payload(Protocol):
    """The tokens of a stream, wherever they lie."""

    tokens: int

    def copy(self, start: int, out: NDArray[Any]) -> None:
        """The len(out) tokens from `start` on into `out`. Raises UserError for a damaged block."""

    def want(self, starts: _Int64s, sizes: NDArray[Any]) -> None:
        """These tokens will be copied soon: what is far away may begin to come."""


class Blocks:
    """What the blocks of a stream's shards are to be. ends: tokens up to the end of each shard; tokens: of all."""

    def __init__(
        self, sizes: Sequence[int], checksums: NDArray[np.uint32], dtype: np.dtype[Any], vocabulary: int
    ) -> None:
        """`sizes`: bytes of each shard. Raises ValueError when they and the checksums are not of one stream."""
        if any(size % dtype.itemsize for size in sizes):
            raise ValueError("a shard ends within a token")
        self.ends = list(itertools.accumulate(size // dtype.itemsize for size in sizes))
        self.tokens = self.ends[-1] if self.ends else 0
        self._first = list(itertools.accumulate((-(-size // BLOCK_BYTES) for size in sizes), initial=0))
        if len(checksums) != self._first[-1]:
            raise ValueError(f"{CHECKSUMS} is not of its shards")
        self._checksums, self._dtype, self._vocabulary = checksums, dtype, vocabulary

    def number(self, shard: int, block: int) -> int:
        """Of a block of a shard among all of the stream."""
        return self._first[shard] + block

    def wrong(self, shard: int, block: int, data: bytes | memoryview) -> str | None:
        """What is wrong with a block, whose bytes these are: where in the shard, and what."""
        why = None
        if zlib.crc32(data) != self._checksums[self.number(shard, block)]:
            why = "its bytes are not those that were written"
        elif (largest := int(np.frombuffer(data, dtype=self._dtype).max())) >= self._vocabulary:
            why = f"token {largest} in a vocabulary of {self._vocabulary:,}"
        at = block * BLOCK_BYTES
        return why and f"between bytes {at:,} and {at + len(data):,}: {why}"


class LocalPayload:
    """Shard files, mapped."""

    def __init__(self, folder: Path, names: Sequence[str], dtype: np.dtype[Any], vocabulary: int) -> None:
        """Raises UserError when a file cannot be read, ValueError when they are not of one stream."""
        self.folder = folder
        self._names = names
        try:
            sizes = [(folder / name).stat().st_size for name in names]
            checksums = np.fromfile(folder / CHECKSUMS, dtype="<u4")
        except OSError as problem:
            raise _unreadable(folder, problem) from None
        self._dtype = dtype
        self._maps: dict[int, NDArray[Any]] = {}
        self._blocks = Blocks(sizes, checksums, dtype, vocabulary)
        self.tokens = self._blocks.tokens
        self._checked = np.zeros(len(checksums), dtype=np.bool_)

    def copy(self, start: int, out: NDArray[Any]) -> None:
        ends = self._blocks.ends
        shard = bisect_right(ends, start)
        done = 0
        while done < len(out):
            begins = ends[shard - 1] if shard else 0
            first = start + done - begins
            part = self._mapped(shard)[first : first + len(out) - done]
            self._check(shard, first, first + len(part))
            out[done : done + len(part)] = part
            done += len(part)
            shard += 1

    def want(self, starts: _Int64s, sizes: NDArray[Any]) -> None:
        """They are here."""

    def _mapped(self, shard: int) -> NDArray[Any]:
        found = self._maps.get(shard)
        if found is None:
            if len(self._maps) >= _MAPPED:
                self._maps.clear()
            try:
                # As a plain array: a slice of a memmap costs ten times that of an array.
                found = np.asarray(np.memmap(self.folder / self._names[shard], dtype=self._dtype, mode="r"))
            except OSError as problem:
                raise _unreadable(self.folder, problem) from None
            self._maps[shard] = found
        return found

    def _check(self, shard: int, first: int, stop: int) -> None:
        """That the blocks of these tokens of a shard are what was written."""
        width = BLOCK_BYTES // self._dtype.itemsize
        for block in range(first // width, -(-stop // width)):
            number = self._blocks.number(shard, block)
            if self._checked[number]:
                continue
            data = self._mapped(shard)[block * width : (block + 1) * width].tobytes()
            if wrong := self._blocks.wrong(shard, block, data):
                raise UserError(
                    f"{self.folder / self._names[shard]} is damaged {wrong}",
                    f"delete {self.folder.parent} and run `starloom pack`: it is made again",
                )
            self._checked[number] = True


class Shards:
    """One stream of packed tokens.

    name: of its folder. tokens: of the stream. vocabulary: ids run below it. documents: how many; `starts`
    [documents + 1] has the first token of each, and the end.
    """

    def __init__(self, folder: Path, payload: Payload, vocabulary: int, tokens: int, documents: int) -> None:
        """`folder` has the tables. Raises UserError when they are not those of the payload."""
        self.folder = folder
        self.name = folder.name
        self.payload = payload
        self.vocabulary = vocabulary
        self.dtype = dtype_of(vocabulary)
        self.tokens = tokens
        self.documents = documents
        if payload.tokens != tokens:
            raise foreign(folder.parent, f"the shards of {self.name} do not hold the {tokens:,} tokens of its manifest")
        self._groups: dict[int, pa.Table] = {}
        self.starts = self._read_starts()

    @functools.cached_property
    def borders(self) -> _Int64s:
        """The first token of every file and document, sorted, without 0."""
        starts = union(self.piece_starts, self.starts[1:-1])
        return starts[starts > 0]

    @functools.cached_property
    def piece_starts(self) -> _Int64s:
        """The first token of every piece (a file's), in order."""
        starts: _Int64s = self._table("pieces.parquet", ["first_token"]).column(0).to_numpy()
        return starts

    def read(self, start: int, stop: int) -> _Int64s:
        """The tokens from `start` to before `stop`. Raises ValueError out of the stream, UserError for damage."""
        self._check(start, stop)
        found = np.empty(stop - start, dtype=np.int64)
        self.payload.copy(start, found)
        return found

    def documents_between(self, start: int, stop: int) -> range:
        """The numbers of the documents that have a token from `start` to before `stop`. Raises ValueError."""
        self._check(start, stop)
        first, last = np.searchsorted(self.starts, [start, stop - 1], side="right") - 1
        return range(int(first), int(last) + 1) if start < stop else range(0)

    def pieces(self, start: int, stop: int) -> pa.Table:
        """The rows of PIECES that have a token from `start` to before `stop`. Reads the row groups that they are in.

        Raises ValueError, and UserError for damage.
        """
        self._check(start, stop)
        first = max(int(np.searchsorted(self.piece_starts, start, side="right")) - 1, 0)
        last = int(np.searchsorted(self.piece_starts, stop, side="left"))
        found = [PIECES.empty_table()]
        for number, (begin, end) in enumerate(itertools.pairwise(self._group_bounds)):
            if start < stop and begin < last and first < end:
                found.append(self._group(number).slice(max(first - begin, 0), min(last, end) - max(first, begin)))
        rows = pa.concat_tables(found)
        return rows.slice(1) if len(rows) and _end(rows, 0) <= start else rows  # between two pieces may be a name

    def repo_names(self, documents: Sequence[int]) -> list[str]:
        """The repository of each of these documents."""
        names: list[str] = self._names.take(pa.array(documents, pa.int64())).to_pylist()
        return names

    @functools.cached_property
    def _names(self) -> pa.ChunkedArray:
        return self._table("documents.parquet", ["repo_name"]).column(0)

    @functools.cached_property
    def _group_bounds(self) -> list[int]:
        """The first row of each row group of the pieces, and the end."""
        with self._reading("pieces.parquet") as path, pq.ParquetFile(path) as file:
            groups = range(file.metadata.num_row_groups)
            return list(itertools.accumulate((file.metadata.row_group(one).num_rows for one in groups), initial=0))

    def _group(self, number: int) -> pa.Table:
        if number not in self._groups:
            with self._reading("pieces.parquet") as path, pq.ParquetFile(path) as file:
                found = file.read_row_group(number, columns=PIECES.names)
            if len(self._groups) >= _GROUPS:
                self._groups.clear()
            self._groups[number] = found
        return self._groups[number]

    def _read_starts(self) -> _Int64s:
        column = self._table("documents.parquet", ["first_token"]).column(0)
        starts = np.append(column.to_numpy(), np.int64(self.tokens)).astype(np.int64)
        if len(starts) != self.documents + 1 or starts[0] != 0 or bool((np.diff(starts) <= 0).any()):
            raise foreign(
                self.folder.parent,
                f"{self.name}/documents.parquet does not say where the {self.documents:,} documents start",
            )
        return starts

    def _table(self, name: str, columns: list[str]) -> pa.Table:
        with self._reading(name) as path:
            return pq.read_table(path, columns=columns)

    @contextlib.contextmanager
    def _reading(self, name: str) -> Iterator[Path]:
        """The path of a table. Raises UserError for what goes wrong."""
        try:
            yield self.folder / name
        except (OSError, pa.ArrowException, KeyError) as problem:
            why = str(problem).splitlines()[0]
            raise foreign(self.folder.parent, f"{self.name}/{name} cannot be read ({why})") from None

    def _check(self, start: int, stop: int) -> None:
        if not 0 <= start <= stop <= self.tokens:
            raise ValueError(f"tokens {start} to {stop} of {self.tokens}")


class Packed:
    """A folder of packed tokens.

    vocabulary: ids run below it. tokenizer: sha256 of the tokenizer.json that made it. fingerprint: stands for every
    byte. sources, variants: there is a stream for each of both. far: whether they lie in a store. place: folder or URL,
    for people.
    """

    far = False

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        """Use `open`. Raises UserError when the manifest does not describe packed tokens."""
        self.folder = folder
        self.place = str(folder)
        self.facts = manifest.facts
        self.fingerprint = manifest.content
        self.bytes = manifest.bytes
        self._files = {file.name: file for file in manifest.files}
        self._streams: dict[str, Shards] = {}
        try:
            self.vocabulary, self.variants = int(self.facts["vocabulary"]), int(self.facts["variants"])
            self.tokenizer = str(self.facts["tokenizer"])
            self.sources = tuple(map(str, self.facts["sources"]))
            self.dtype = dtype_of(self.vocabulary)
            for source in self.sources:
                for variant in range(self.variants):
                    about = self.facts["streams"][stream_name(source, variant)]
                    int(about["tokens"]), int(about["documents"])
        except (KeyError, TypeError, ValueError) as problem:
            raise foreign(folder, f"its manifest does not say what packed tokens are ({problem})") from None

    @classmethod
    def open(cls, folder: Path) -> "Packed":
        """The tokens in `folder`; sizes are checked, bytes when they are read (`starloom verify` reads them all).

        Raises UserError: missing, torn, made by another stage or an older Starloom.
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
            raise foreign(folder, f"`{manifest.kind}` made it")
        return cls(folder, manifest)

    def stream(self, source: str, variant: int) -> Shards:
        """Raises ValueError for none of this folder, UserError for one that is damaged."""
        if source not in self.sources or not 0 <= variant < self.variants:
            raise ValueError(f"source {source!r}, variant {variant} of {self.folder}")
        name = stream_name(source, variant)
        if name not in self._streams:
            self._check_tables(name)
            about = self.facts["streams"][name]
            tokens, documents = int(about["tokens"]), int(about["documents"])
            self._streams[name] = Shards(self.folder / name, self._payload(name), self.vocabulary, tokens, documents)
        return self._streams[name]

    def streams(self, variant: int = 0) -> list[Shards]:
        """That variant of every source."""
        return [self.stream(source, variant) for source in self.sources]

    @property
    def tokens(self) -> int:
        """Of one variant of all sources: the first."""
        return sum(int(self.facts["streams"][stream_name(source, 0)]["tokens"]) for source in self.sources)

    def _check_tables(self, name: str) -> None:
        """That what says where things lie is of this manifest: by it, every block that is read is, too. 1 s for 2 GB,
        which is what 40 million files have."""
        for table in TABLES:
            entry = self._files.get(f"{name}/{table}")
            problem = problem_of(self.folder, entry) if entry else f"{self.folder}: its manifest has no {name}/{table}"
            if problem:
                raise UserError(problem, f"delete {self.folder} and run `starloom pack`: it is made again")

    def _payload(self, name: str) -> Payload:
        count = sum(one.startswith(f"{name}/tokens-") for one in self._files)
        try:
            return LocalPayload(
                self.folder / name, [shard_name(number) for number in range(count)], self.dtype, self.vocabulary
            )
        except ValueError as problem:
            raise foreign(self.folder, f"{name}: {problem}") from None


def _end(pieces: pa.Table, row: int) -> int:
    return int(pieces.column("first_token")[row].as_py() + pieces.column("tokens")[row].as_py())


def _unreadable(folder: Path, problem: OSError) -> UserError:
    return UserError(
        f"cannot read {problem.filename or folder}: {problem.strerror}", "check its permissions and the disk"
    )


def union(one: _Int64s, other: _Int64s) -> _Int64s:
    """What is in either of two ascending arrays, ascending, each once. NumPy's way hashes: 20 times as slow."""
    both: _Int64s = np.concatenate([one, other])
    both.sort(kind="stable")  # which finds the two runs
    kept: _Int64s = both[np.diff(both, prepend=both[:1] - 1) != 0]
    return kept


def foreign(folder: Path, why: str) -> UserError:
    """For a folder that is not what it should be."""
    return UserError(
        f"{folder} does not hold packed tokens: {why}",
        f"move it away, or delete it, and run `starloom pack`: {folder.name} is made again",
    )
