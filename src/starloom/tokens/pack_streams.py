"""What the workers of `pack` have made, put together: the streams of every source, in the order of the dataset."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from starloom.settings import as_json
from starloom.tokens import shards
from starloom.tokens.templates.seen import Seen
from starloom.workspace.atomic import Draft
from starloom.workspace.manifest import Manifest

_COPY = 4 << 20  # tokens copied at a time

_Int64s = NDArray[np.int64]


@dataclass(frozen=True)
class Finished:
    """A run's folder, and its manifest."""

    folder: Path
    manifest: Manifest

    @property
    def trusted(self) -> bool:
        """Whether the encoder that was used gave Hugging Face's ids wherever that was checked."""
        return bool(self.manifest.facts["trusted"])

    def seen(self, source: int, variant: int) -> Seen:
        found = self.manifest.facts["seen"]
        return Seen(**found[source][variant]) if source < len(found) else Seen()

    def larger_than(self, size: int) -> int:
        """How many of its documents have more bytes of text."""
        return int((self.documents.column("text_bytes").to_numpy() > size).sum())

    @cached_property
    def documents(self) -> pa.Table:
        """As pack_run.DOCUMENTS."""
        return pq.read_table(self.folder / "documents.parquet")

    @cached_property
    def sources(self) -> _Int64s:
        """Of each document."""
        found: _Int64s = self.documents.column("source").to_numpy()
        return found

    @cached_property
    def tokens(self) -> _Int64s:
        """[documents, variants]."""
        counts: _Int64s = self.documents.column("tokens").combine_chunks().flatten().to_numpy()
        return counts.reshape(len(self.documents), counts.size // len(self.documents))


def write_streams(
    draft: Draft, runs: Sequence[Finished], sources: Sequence[str], variants: int, dtype: np.dtype[Any]
) -> dict[str, dict[str, Any]]:
    """Every variant of every source into the draft. Returns what the facts say of each, by the stream's name."""
    found = {}
    for source, name in enumerate(sources):
        own = [run for run in runs if (run.sources == source).any()]
        sums = [pa.concat_tables([_of(run, source) for run in own]).column(one).to_numpy().sum() for one in _SUMS]
        for variant in range(variants):
            stream = shards.stream_name(name, variant)
            found[stream] = {
                **shards.write_stream(
                    draft,
                    stream,
                    _payload(own, source, variant, dtype),
                    dtype,
                    _documents(own, source, variant),
                    _pieces(own, source, variant),
                ),
                **dict(zip(_SUMS, map(int, sums), strict=True)),
                "seen": as_json(sum((run.seen(source, variant) for run in own), Seen())),
            }
    return found


_SUMS = ("files", "text_bytes")


def _of(run: Finished, source: int) -> pa.Table:
    """The documents of one source."""
    return run.documents.filter(pa.array(run.sources == source))


def _payload(runs: Sequence[Finished], source: int, variant: int, dtype: np.dtype[Any]) -> Iterator[NDArray[Any]]:
    for run in runs:
        ends = np.cumsum(run.tokens[:, variant])
        mine = np.flatnonzero(run.sources == source)
        gaps = np.flatnonzero(np.diff(mine) > 1) + 1
        with (run.folder / f"{variant}.bin").open("rb") as file:
            for neighbours in np.split(mine, gaps):
                at = int(ends[neighbours[0] - 1]) if neighbours[0] else 0
                file.seek(at * dtype.itemsize)
                left = int(ends[neighbours[-1]]) - at
                while left:
                    chunk = np.fromfile(file, dtype=dtype, count=min(left, _COPY))
                    if not len(chunk):
                        raise EOFError(f"{file.name} is torn")
                    yield chunk
                    left -= len(chunk)


def _documents(runs: Sequence[Finished], source: int, variant: int) -> pa.Table:
    tokens = np.concatenate([run.tokens[run.sources == source, variant] for run in runs])
    names = pa.concat_tables([_of(run, source) for run in runs]).column("repo_name")
    numbers = np.arange(len(tokens), dtype=np.int64)
    return pa.table([numbers, names, np.cumsum(tokens) - tokens, tokens], schema=shards.DOCUMENTS)


def _pieces(runs: Sequence[Finished], source: int, variant: int) -> Iterator[pa.Table]:
    """The workers' pieces, their numbers moved on by what comes before."""
    documents = tokens = 0
    for run in runs:
        mine = run.sources == source
        sizes = run.tokens[:, variant]
        own = np.where(mine, sizes, 0)
        moved = tokens + (np.cumsum(own) - own) - (np.cumsum(sizes) - sizes)  # of each document's first token
        numbers = documents + np.cumsum(mine) - 1
        table = pq.read_table(run.folder / f"{variant}.parquet")
        if not mine.all():
            table = table.filter(pa.array(mine[table.column("document").to_numpy()]))
        document, *about, first, length = table.columns
        inside = document.to_numpy()
        yield pa.table([numbers[inside], *about, first.to_numpy() + moved[inside], length], schema=shards.PIECES)
        documents += int(mine.sum())
        tokens += int(own.sum())
