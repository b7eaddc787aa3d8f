"""`pair`: near-duplicate pairs among the listed contents, each with its exact Jaccard, down to a floor.

Candidates share a MinHash band; each candidate pair is verified on the texts themselves, for clusters of unverified
candidates delete good files (a quarter to a third of what they remove has no twin; measured 2026). Contents of one
token stream (equal but for case, white space and punctuation) are one here: pairs are between streams, named by the
least content_id that has them. Memory: 24 bytes a content and 8 a candidate pair; bands and shingles lie in scratch
files that are mapped. Cost: dedup/bands, dedup/verify.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from starloom import progress
from starloom.dedup.bands import candidate_pairs
from starloom.errors import UserError
from starloom.the_stack import tables
from starloom.workspace.stage import Done, Job, Stage

VERSION = 1
_CHUNK = 1 << 20  # pairs verified at a time

# Live contents that have shingles, best first: the order in which members of a hot bucket are compared.
_MEMBERS = f"""
SELECT m.content_id, m.stream, m.position
FROM measured m JOIN (
  SELECT content_id, min(place) AS place FROM (
    SELECT content_id, row_number() OVER (ORDER BY {tables.BEST}) AS place
    FROM files JOIN repositories USING (repo_name)
    WHERE content_id IS NOT NULL AND problem IS NULL)
  GROUP BY content_id) live ON m.content_id = live.content_id
WHERE m.tokens >= $shingle
ORDER BY live.place
"""


@dataclass(frozen=True)
class PairSettings:
    """`[pair]`."""

    floor: float = 0.6  # pairs below are not kept; lower than any threshold in use

    def __post_init__(self) -> None:
        if not 0.0 < self.floor <= 1.0:
            raise UserError(f"[pair] floor = {self.floor} is out of range", "use a Jaccard similarity above 0, up to 1")


@dataclass(frozen=True)
class _Shingling:
    """In a worker: the shingle sets of some contents of one part, into a scratch file."""

    contents: Path
    wanted: frozenset[str]
    target: Path


def _run(job: Job) -> Done:
    measured, bands = _measured(job)
    members = job.engine.table(
        _MEMBERS,
        {
            "measured": measured,
            "files": tables.listed_files(job.root),
            "repositories": tables.repositories(job.root),
        },
        {"shingle": job.settings.minhash.shingle},
    )
    ids = members.column("content_id").to_pylist()
    stream_of, first = _streams(members, ids)
    positions = members.column("position").to_numpy()[first]
    found = candidate_pairs(bands, positions)
    place = np.empty(len(bands), dtype=np.int64)
    place[positions] = np.arange(len(positions))
    left, right = place[found.left], place[found.right]
    rows_of_best = first.tolist()
    jaccard, touched = _verify(job, [ids[row] for row in rows_of_best], left, right)
    near = jaccard >= job.settings.pair.floor
    rows = _rows([stream_of[row] for row in rows_of_best], left[near], right[near], jaccard[near])
    with job.publish() as draft:
        pairs = draft.parquet("pairs.parquet", tables.PAIR_ROWS, [rows])
        same = draft.parquet("streams.parquet", tables.STREAM_ROWS, [_stream_rows(ids, stream_of)])
        draft.facts = {
            "contents": len(ids),
            "candidates": len(left),
            "pairs": pairs,
            "same_stream": same,
            "capped_buckets": found.capped,
        }
    note = f"{len(left):,} candidate pairs verified, {pairs:,} at Jaccard {job.settings.pair.floor:g} or more"
    if found.capped:
        note += f"; {found.capped:,} hot buckets compared with their best 64 only"
    return Done(touched, note)


def _measured(job: Job) -> tuple[pa.Table, NDArray[np.uint64]]:
    """(content_id, tokens, stream, position of each measured content; its bands at that position, on disk)."""
    settings = job.settings.minhash
    files = [pq.ParquetFile(path) for path in tables.signal(job.root, "minhash")]
    count = sum(file.metadata.num_rows for file in files)
    path = job.scratch("pair") / "bands"
    if count == 0:
        empty = pa.table({name: pa.array([], kind) for name, kind in _MEASURED})
        return empty, np.zeros((0, settings.bands), dtype=np.uint64)
    with path.open("wb") as file:  # claimed now: a full disk is an error here, and a crash in a mapped page
        os.posix_fallocate(file.fileno(), 0, count * settings.bands * 8)
    # Column-major, so that one band lies together: the search for candidates goes band by band.
    bands = np.memmap(path, dtype=np.uint64, mode="r+", shape=(count, settings.bands), order="F")
    narrow = []
    start = 0
    for file in files:
        for batch in file.iter_batches():
            packed = batch.column("bands")
            values = np.frombuffer(b"".join(packed.to_pylist()), dtype="<u8").reshape(len(batch), settings.bands)
            bands[start : start + len(batch)] = values
            narrow.append(pa.Table.from_batches([batch.drop_columns(["bands"])]))
            start += len(batch)
    table = pa.concat_tables(narrow)
    return table.append_column("position", pa.array(np.arange(count))), bands


_MEASURED = (("content_id", pa.string()), ("tokens", pa.int32()), ("stream", pa.binary(16)), ("position", pa.int64()))


def _streams(members: pa.Table, ids: list[str]) -> tuple[list[str], NDArray[np.int64]]:
    """(the stream's name of each member; the row of the best member of each stream, best first)."""
    encoded = members.column("stream").combine_chunks()
    encoded = encoded.cast(pa.binary()) if not isinstance(encoded, pa.ChunkedArray) else encoded
    codes = pc.dictionary_encode(encoded)
    codes = codes.combine_chunks() if isinstance(codes, pa.ChunkedArray) else codes
    groups = np.asarray(codes.indices)
    names: dict[int, str] = {}
    for content_id, group in zip(ids, groups.tolist(), strict=True):
        names[group] = min(content_id, names.get(group, content_id))
    _, first = np.unique(groups, return_index=True)
    return [names[group] for group in groups.tolist()], np.sort(first).astype(np.int64)


def _verify(
    job: Job, names: list[str], left: NDArray[np.int64], right: NDArray[np.int64]
) -> tuple[NDArray[np.float64], int]:
    """(exact Jaccard of every candidate, -1.0 where it is below the floor; bytes of text shingled)."""
    if len(left) == 0:
        return np.zeros(0, dtype=np.float64), 0
    from starloom.kernels import pairs

    touched = np.unique(np.concatenate([left, right]))
    wanted = frozenset(names[row] for row in touched.tolist())
    sets, size = _shingle(job, wanted)
    starts, values = _joined(job, sets)
    place = {content_id: number for number, content_id in enumerate(one for some, _, _ in sets for one in some)}
    set_of = np.full(len(names), -1, dtype=np.int64)
    set_of[touched] = [place[names[row]] for row in touched.tolist()]
    result = np.empty(len(left), dtype=np.float64)
    with progress.task("verify pairs", len(left), "pairs") as bar:
        for start in range(0, len(left), _CHUNK):
            some = slice(start, start + _CHUNK)
            result[some] = pairs.jaccard(
                starts, values, set_of[left[some]], set_of[right[some]], job.settings.pair.floor
            )
            bar.advance(len(left[some]))
    return result, size


def _shingle(job: Job, wanted: frozenset[str]) -> tuple[list[tuple[list[str], NDArray[np.int64], Path]], int]:
    """Per part: its wanted contents, the bounds of their shingle sets, the file that holds the sets."""
    items = []
    scratch = job.scratch("pair")
    for number, path in enumerate(tables.contents(job.root)):
        here = frozenset(pq.read_table(path, columns=["content_id"]).column(0).to_pylist()) & wanted
        if here:
            items.append(_Shingling(path, here, scratch / f"shingles-{number}"))
    sets, size = {}, 0
    with progress.task("shingle candidates", len(items), "parts") as bar:
        for item, (ids, starts, bytes_) in job.engine.map(_shingle_part, items):
            sets[item.target] = (ids, starts, item.target)
            size += bytes_
            bar.advance(1)
    return [sets[item.target] for item in items], size


def _shingle_part(item: _Shingling) -> tuple[list[str], NDArray[np.int64], int]:
    from starloom.kernels.shingles import shingle_sets
    from starloom.kernels.text import text_buffers

    ids: list[str] = []
    bounds = [np.zeros(1, dtype=np.int64)]
    size = 0
    file = pq.ParquetFile(item.contents)
    with item.target.open("wb") as output:
        for group in range(file.metadata.num_row_groups):
            keys = file.read_row_group(group, columns=["content_id"]).column(0).to_pylist()
            mask = [one in item.wanted for one in keys]
            if not any(mask):
                continue
            texts = file.read_row_group(group, columns=["content"]).filter(pa.array(mask)).column(0)
            offsets, data = text_buffers(texts)
            starts, values = shingle_sets(offsets, data)
            output.write(values.tobytes())
            bounds.append(bounds[-1][-1] + starts[1:])
            ids += [one for one, taken in zip(keys, mask, strict=True) if taken]
            size += int(offsets[-1] - offsets[0])
    return ids, np.concatenate(bounds), size


def _joined(
    job: Job, sets: list[tuple[list[str], NDArray[np.int64], Path]]
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Bounds and values of all sets, the values mapped from one file."""
    path = job.scratch("pair") / "sets"
    bounds = [np.zeros(1, dtype=np.int64)]
    with path.open("wb") as output:
        for _, starts, source in sets:
            bounds.append(bounds[-1][-1] + starts[1:])
            with source.open("rb") as piece:
                while data := piece.read(1 << 24):
                    output.write(data)
            source.unlink()
    starts = np.concatenate(bounds)
    if starts[-1] == 0:
        return starts, np.zeros(0, dtype=np.uint64)
    return starts, np.memmap(path, dtype=np.uint64, mode="r", shape=(int(starts[-1]),))


def _rows(
    names: list[str], left: NDArray[np.int64], right: NDArray[np.int64], jaccard: NDArray[np.float64]
) -> pa.Table:
    one = pa.array([names[row] for row in left.tolist()], pa.string())
    two = pa.array([names[row] for row in right.tolist()], pa.string())
    swap = pc.greater(one, two)
    table = pa.table([pc.if_else(swap, two, one), pc.if_else(swap, one, two), pa.array(jaccard)], tables.PAIR_ROWS)
    return table.sort_by([("left", "ascending"), ("right", "ascending")])


def _stream_rows(ids: list[str], stream_of: list[str]) -> pa.Table:
    """Contents of streams that more than one content has."""
    counts: dict[str, int] = {}
    for name in stream_of:
        counts[name] = counts.get(name, 0) + 1
    rows = sorted((one, name) for one, name in zip(ids, stream_of, strict=True) if counts[name] > 1)
    columns = [pa.array([row[k] for row in rows], pa.string()) for k in (0, 1)]
    return pa.table(columns, schema=tables.STREAM_ROWS)


def _forecast(job: Job) -> str:
    count = sum(pq.ParquetFile(path).metadata.num_rows for path in tables.signal(job.root, "minhash"))
    return f"find pairs among {count:,} contents"


def _settings(settings: Any) -> Any:
    return {"floor": settings.pair.floor, "shingle": settings.minhash.shingle, "bands": settings.minhash.bands}


STAGE = Stage(
    name="pair",
    folder=tables.PAIRS,
    version=VERSION,
    reads=(tables.LISTING, tables.FILES, f"{tables.SIGNALS}/minhash"),
    settings=_settings,
    run=_run,
    forecast=_forecast,
)
