"""`pair`: near-duplicate pairs among the listed contents, each with its exact Jaccard, down to a floor.

Candidates share a MinHash band; each candidate pair is verified on the texts themselves, for clusters of unverified
candidates delete good files (a quarter to a third of what they remove has no twin; measured 2026). Contents of one
token stream (equal but for case, white space and punctuation) are one here: pairs are between streams, named by the
least content_id that has them. Candidates are found anew from the signatures that `measure` keeps; what the last run
verified is not verified again (verified.py), and the result is the same, byte by byte. With `verify = false` a pair is
whatever shares a band, and nothing is read. Memory: about 200 bytes a content and 40 a candidate pair; bands and
shingles lie in scratch files that are mapped. Cost: dedup/bands, dedup/verify.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from starloom import progress
from starloom.dedup.bands import candidate_pairs, linked_pairs
from starloom.dedup.mapped import Columns
from starloom.dedup.parquet_texts import TextFile, verify_files
from starloom.errors import UserError
from starloom.the_stack import tables
from starloom.the_stack.signal import signal
from starloom.the_stack.verified import MEMBER_ROWS, MEMBERS, PAIRS, REJECTED, REJECTED_ROWS, last_verified, look_up
from starloom.workspace.stage import Done, Job, Stage

VERSION = 2
_ROWS = 100_000  # pairs made into texts at a time

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
    verify: bool = True  # false: every pair that shares a band is kept, without a similarity

    def __post_init__(self) -> None:
        if not 0.0 < self.floor <= 1.0:
            raise UserError(f"[pair] floor = {self.floor} is out of range", "use a Jaccard similarity above 0, up to 1")


class _Streams(NamedTuple):
    """The token streams of the live contents, numbered by their best content, best first."""

    ids: Any  # content_id of each content, best first: Arrow strings
    of: NDArray[np.int64]  # of each content, the number of its stream
    hashes: Any  # of each stream: Arrow binaries of 16 bytes
    best: NDArray[np.int64]  # of each stream, the place of its best content in `ids`
    rank: NDArray[np.int64]  # of each stream, its place among all by name
    names: Any  # by that rank: the least content_id of each stream, ascending; Arrow strings


class _Pairs(NamedTuple):
    """Pairs of stream numbers, to publish."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    jaccard: NDArray[np.float64] | None  # None: not verified, and nothing for the next run to build on
    hot: NDArray[np.bool_] | None  # of each stream
    rejected: NDArray[np.int64] | None  # `_keys` of the pairs below the floor of which both were hot


def _run(job: Job) -> Done:
    measured, bands = _measured(job)
    listed = {
        "measured": measured,
        "files": tables.listed_files(job.root),
        "repositories": tables.repositories(job.root),
    }
    members = job.engine.table(_MEMBERS, listed, {"shingle": job.settings.minhash.shingle})
    del measured, listed
    streams = _streams(members)
    rows = members.column("position").to_numpy()[streams.best]  # of `bands`, by stream number
    number = np.full(len(bands), -1, dtype=np.int64)
    number[rows] = np.arange(len(rows))
    if not job.settings.pair.verify:
        left, right = linked_pairs(bands, rows)
        pairs = _Pairs(number[left], number[right], None, None, None)
        count = _publish(job, streams, pairs, len(left), 0)
        return Done(0, f"{progress.counted(count, 'pairs')} that share a band, not verified")

    found = candidate_pairs(bands, rows)
    hot = np.zeros(len(rows), dtype=bool)
    hot[number[found.hot]] = True
    left, right, candidates = number[found.left], number[found.right], len(found.left)
    capped = found.capped
    del found, bands
    jaccard, before, touched = _verified(job, streams, left, right)
    near = jaccard >= job.settings.pair.floor
    far = ~near & hot[left] & hot[right]
    rejected = _keys(streams, left[far], right[far])
    pairs = _Pairs(left[near], right[near], jaccard[near], hot, rejected)
    del left, right, jaccard, near, far
    count = _publish(job, streams, pairs, candidates, capped)
    note = f"{progress.counted(candidates, 'candidate pairs')} verified, "
    note += f"{count:,} at Jaccard {job.settings.pair.floor:g} or more"
    if before:
        note += f"; {before:,} known from the last run"
    if capped:
        note += f"; {capped:,} hot buckets compared with their best 64 only"
    return Done(touched, note)


def _measured(job: Job) -> tuple[pa.Table, NDArray[np.uint64]]:
    """(content_id, tokens, stream, position of each measured content; its bands at that position, on disk)."""
    settings = job.settings.minhash
    files = tables.signal(job.root, "minhash")
    rows = sum(pq.ParquetFile(path).metadata.num_rows for path in files)
    table = Columns(job.scratch("pair") / "bands", rows, settings.bands).create()
    narrow = [signal("minhash").schema.empty_table().drop_columns(["bands"])]
    row = 0
    for path in files:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                table.write(row, _unpacked(batch.column("bands"), settings.bands))
                narrow.append(pa.Table.from_batches([batch.drop_columns(["bands"])]))
                row += len(batch)
    bands = table.mapped()
    table.path.unlink()  # the mapping holds it
    return pa.concat_tables(narrow).append_column("position", pa.array(np.arange(rows))), bands


def _unpacked(packed: Any, bands: int) -> NDArray[np.uint64]:
    """uint64[n, bands] of the signal's column: what Arrow has in one piece, not copied."""
    _, offsets, data = packed.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int32)[packed.offset : packed.offset + len(packed) + 1]
    if data is None or int(bounds[-1] - bounds[0]) != len(packed) * bands * 8:
        raise ValueError(f"{len(packed)} rows do not have {bands} bands each")
    return np.frombuffer(data, dtype="<u8", offset=int(bounds[0]), count=len(packed) * bands).reshape(-1, bands)


def _streams(members: pa.Table) -> _Streams:
    """`members`: content_id and stream, best first."""
    ids = _one_chunk(members.column("content_id"), pa.string())
    encoded = _one_chunk(members.column("stream"), pa.binary()).dictionary_encode()  # numbered as they come
    of = np.asarray(encoded.indices, dtype=np.int64)
    _, best = np.unique(of, return_index=True)
    by_name = np.asarray(pc.sort_indices(ids), dtype=np.int64)
    _, first = np.unique(of[by_name], return_index=True)
    least = by_name[first]  # of each stream, the content that names it
    place = np.empty(len(ids), dtype=np.int64)
    place[by_name] = np.arange(len(ids))
    order = np.argsort(place[least])
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    names = ids.take(pa.array(least[order]))
    return _Streams(ids, of, encoded.dictionary.cast(pa.binary(16)), best.astype(np.int64), rank, names)


def _one_chunk(column: pa.ChunkedArray, kind: Any) -> Any:
    return pa.concat_arrays([pa.array([], kind), *(one.cast(kind) for one in column.chunks)])


def _verified(
    job: Job, streams: _Streams, left: NDArray[np.int64], right: NDArray[np.int64]
) -> tuple[NDArray[np.float64], int, int]:
    """(exact Jaccard of every candidate, -1.0 where it is below the floor; those known from the last run; bytes of text
    shingled)."""
    minhash, floor = job.settings.minhash, job.settings.pair.floor
    before = last_verified(job, streams.hashes)
    if before is None:
        one, two = left, right
    else:
        known, jaccard = look_up(before, left, right)
        asked = np.flatnonzero(~known)
        one, two = left[asked], right[asked]
        del before, known
    files = [TextFile(path) for path in tables.contents(job.root)]
    row = _text_rows(files, streams, one, two)
    one, two = row[one], row[two]
    found, size = verify_files(job.engine, files, one, two, floor, minhash.tokenisation, job.scratch("pair"))
    if len(found) == len(left):
        return found, 0, size
    jaccard[asked] = found
    return jaccard, len(left) - len(found), size


def _text_rows(
    files: list[TextFile], streams: _Streams, left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Of each stream that a pair names, the row of its best content in the content cache; of the others -1."""
    row = np.full(len(streams.best), -1, dtype=np.int64)
    touched = np.zeros(len(row), dtype=bool)
    touched[left] = touched[right] = True
    if not touched.any():
        return row
    cached = pa.concat_arrays(
        [chunk for file in files for chunk in pq.read_table(file.path, columns=["content_id"]).column(0).chunks]
    )
    wanted = streams.ids.take(pa.array(streams.best[touched]))
    row[touched] = np.asarray(pc.index_in(wanted, cached).fill_null(-1), dtype=np.int64)
    return row


def _publish(job: Job, streams: _Streams, found: _Pairs, candidates: int, capped: int) -> int:
    """The number of pairs."""
    with job.publish() as draft:
        pairs = draft.parquet(PAIRS, tables.PAIR_ROWS, _pair_rows(streams, found))
        same = draft.parquet("streams.parquet", tables.STREAM_ROWS, [_stream_rows(streams)])
        if found.hot is not None and found.rejected is not None:
            draft.parquet(MEMBERS, MEMBER_ROWS, [_member_rows(streams, found.hot)])
            draft.parquet(REJECTED, REJECTED_ROWS, _rejected_rows(streams, found.rejected))
        draft.facts = {
            "contents": len(streams.ids),
            "candidates": candidates,
            "pairs": pairs,
            "same_stream": same,
            "capped_buckets": capped,
        }
    return pairs


def _keys(streams: _Streams, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """A number a pair, in the order of the names: its lower rank * streams + its higher rank."""
    one, two = streams.rank[left], streams.rank[right]
    return np.minimum(one, two) * len(streams.rank) + np.maximum(one, two)


def _pair_rows(streams: _Streams, found: _Pairs) -> Iterator[pa.Table]:
    """Each pair once, by name."""
    keys, first = np.unique(_keys(streams, found.left, found.right), return_index=True)
    for start in range(0, len(keys), _ROWS):
        some = keys[start : start + _ROWS]
        left, right = (streams.names.take(pa.array(half)) for half in np.divmod(some, len(streams.rank)))
        if found.jaccard is None:
            jaccard = pa.nulls(len(some), pa.float64())
        else:
            jaccard = pa.array(found.jaccard[first[start : start + _ROWS]])
        yield pa.table([left, right, jaccard], tables.PAIR_ROWS)


def _rejected_rows(streams: _Streams, keys: NDArray[np.int64]) -> Iterator[pa.Table]:
    keys = np.sort(keys)
    for start in range(0, len(keys), _ROWS):
        halves = np.divmod(keys[start : start + _ROWS], len(streams.rank))
        yield pa.table([pa.array(half.astype(np.int32)) for half in halves], REJECTED_ROWS)


def _stream_rows(streams: _Streams) -> pa.Table:
    """Contents of streams that more than one content has, by content_id."""
    shared = np.bincount(streams.of, minlength=len(streams.rank))[streams.of] > 1
    ids = streams.ids.filter(pa.array(shared))
    names = streams.names.take(pa.array(streams.rank[streams.of[shared]]))
    return pa.table([ids, names], tables.STREAM_ROWS).sort_by("content_id")


def _member_rows(streams: _Streams, hot: NDArray[np.bool_]) -> pa.Table:
    """By name, so that a stream's row is its rank."""
    order = np.argsort(streams.rank)
    return pa.table([streams.names, streams.hashes.take(pa.array(order)), pa.array(hot[order])], MEMBER_ROWS)


def _forecast(job: Job) -> str:
    count = sum(pq.ParquetFile(path).metadata.num_rows for path in tables.signal(job.root, "minhash"))
    return f"find pairs among {count:,} contents"


def _settings(settings: Any) -> Any:
    """All that moves a band or a similarity: what was verified under other settings is not taken over."""
    return {
        "floor": settings.pair.floor,
        "verify": settings.pair.verify,
        "minhash": settings.minhash,
        "signal": signal("minhash").version,
    }


STAGE = Stage(
    name="pair",
    folder=tables.PAIRS,
    version=VERSION,
    reads=(tables.LISTING, tables.FILES, f"{tables.SIGNALS}/minhash"),
    settings=_settings,
    run=_run,
    forecast=_forecast,
)
