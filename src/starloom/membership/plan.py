"""What becomes of each shard when the index is made again: which segments stay, and which contents are read.

A content is the same when its content_id is, and what was replaced in it; that holds as long as the dataset was written
by the same code under the same settings (`Source.written`). What left the dataset is marked as gone, and its text wiped
from a copy of the segment's; what came goes into one new segment, which takes in older ones that are not much larger,
so that a shard of n contents has at most log2(n) of them; one with more gone than living is made anew. Memory: 40 bytes
a file.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from starloom.kernels.text import Int64s, UInt8s, UInt64s
from starloom.membership.layout import GONE, HELD_OUT, ID_BYTES, TRAIN, keys, packed_ids

MOST_SEGMENTS: Final = 8
_LARGER: Final = 2  # an older segment is taken in up to so many times the size of the new one
STATES: Final = {"train": TRAIN, "held_out": HELD_OUT}


@dataclass(frozen=True)
class Source:
    """The data files of a dataset (Parquet with content_id, content and perhaps redactions), each with its split.
    `written`: stands for the code and the settings that wrote them."""

    files: Sequence[tuple[str, Path]]
    written: str


@dataclass(frozen=True)
class Contents:
    """Every content of a dataset once, in the order of the files. `file` and `row`: where it stands."""

    ids: UInt8s  # [n, 20]
    marks: UInt64s
    states: UInt8s
    shards: Int64s
    sizes: Int64s  # bytes of text; 1 where nobody says
    file: Int64s
    row: Int64s


@dataclass(frozen=True)
class Old:
    """A segment of the index that is there. `reuse`: what a plan needs of it."""

    number: int
    ids: UInt8s
    marks: UInt64s
    states: UInt8s
    sizes: Int64s  # of the fold


@dataclass(frozen=True)
class Kept:
    """An old segment that stays, and the new state of its contents."""

    number: int
    states: UInt8s


@dataclass
class ShardPlan:
    """`new`: the contents to be read, as positions in `Contents`, in the order of their ids; they become the segment
    `number`."""

    kept: list[Kept] = field(default_factory=list)
    new: Int64s = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    number: int = 0


Positions: TypeAlias = NDArray[np.int64]


def contents_of(source: Source, shards: int) -> Contents:
    """The contents of a dataset; of those that stand there twice the first: name the files of `train` first."""
    ids, marks = [np.zeros((0, ID_BYTES), np.uint8)], [np.zeros(0, np.uint64)]
    told = [np.zeros((4, 0), np.int64)]  # state, size, file, row
    for number, (split, path) in enumerate(source.files):
        columns = set(pq.read_schema(path).names) & {"content_id", "redactions", "length_bytes"}
        table = pq.read_table(path, columns=sorted(columns))
        rows = len(table)
        ids.append(packed_ids(table.column("content_id").to_pylist()))
        marks.append(_marks(table.column("redactions")) if "redactions" in columns else np.zeros(rows, np.uint64))
        known = "length_bytes" in columns
        sizes = table.column("length_bytes").fill_null(1).to_numpy() if known else np.ones(rows, np.int64)
        told.append(np.stack([np.full(rows, STATES[split]), sizes, np.full(rows, number), np.arange(rows)]))
    every = np.concatenate(ids)
    _, first = np.unique(keys(every), return_index=True)  # of equal ones the first
    first.sort()
    every = every[first]
    state, size, file, row = np.concatenate(told, axis=1)[:, first]
    prefix = every[:, 0].astype(np.int64) << 8 | every[:, 1]
    mark = np.concatenate(marks)[first]
    return Contents(every, mark, state.astype(np.uint8), prefix * shards >> 16, size, file, row)


def plan_shard(contents: Contents, here: Positions, old: Sequence[Old]) -> ShardPlan:
    """What becomes of the shard whose contents are those at `here`."""
    order = np.argsort(keys(contents.ids[here]), kind="stable")
    here = here[order]
    names = keys(contents.ids[here])
    left = np.ones(len(here), dtype=np.bool_)
    held: list[tuple[Old, Positions, Positions]] = []  # segment, its rows that live, which contents these are
    for segment in old:
        at = np.minimum(np.searchsorted(names, keys(segment.ids)), max(len(names) - 1, 0))
        same = np.zeros(len(segment.ids), dtype=np.bool_)
        if len(names):
            same = (names[at] == keys(segment.ids)) & (contents.marks[here[at]] == segment.marks) & left[at]
            same &= segment.states != GONE  # the text of those is no longer there
        rows = np.flatnonzero(same)
        left[at[rows]] = False
        held.append((segment, rows, at[rows]))
    size = int(contents.sizes[here[left]].sum())
    held.sort(key=lambda one: (int(one[0].sizes[one[1]].sum()), one[0].number))
    kept = list(held)
    for segment, rows, at in held:
        living, whole = int(segment.sizes[rows].sum()), int(segment.sizes.sum())
        small = bool(left.any()) and living <= _LARGER * size
        many = len(kept) >= MOST_SEGMENTS and bool(left.any())
        if small or many or living < whole - living or not len(rows):
            kept = [one for one in kept if one[0] is not segment]
            left[at] = True
            size += living
    found = ShardPlan(new=here[left], number=1 + max((one[0].number for one in kept), default=-1))
    for segment, rows, at in sorted(kept, key=lambda one: one[0].number):
        states = np.full(len(segment.ids), GONE, dtype=np.uint8)
        states[rows] = contents.states[here[at]]
        found.kept.append(Kept(segment.number, states))
    return found


def _marks(redactions: pa.ChunkedArray) -> UInt64s:
    """A number for what was replaced in each content; 0 for nothing."""
    lists = redactions.combine_chunks()
    marks = np.zeros(len(lists), dtype=np.uint64)
    some = np.flatnonzero(pc.list_value_length(lists).fill_null(0).to_numpy())
    for number, told in zip(some.tolist(), _told(lists.take(pa.array(some))).to_pylist()):
        marks[number] = int.from_bytes(hashlib.sha256(told).digest()[:8], "little") | 1
    return marks


def _told(lists: pa.Array) -> pa.Array:
    """Redactions as JSON, keys in order: [{"end": 8, "kind": "email", "start": 1}, …]. Column by column: objects
    of the rows, and JSON of those, take more than twice as long."""
    every = lists.flatten()
    kinds = pc.dictionary_encode(every.field("kind"))
    names = pa.array([json.dumps(kind) for kind in kinds.dictionary.to_pylist()], pa.string()).take(kinds.indices)
    end, start = (every.field(name).cast(pa.string()) for name in ("end", "start"))
    told = pc.binary_join_element_wise('{"end": ', end, ', "kind": ', names, ', "start": ', start, "}", "")
    each = pc.binary_join(pa.ListArray.from_arrays(lists.offsets, told), ", ")
    return pc.binary_join_element_wise("[", each, "]", "").cast(pa.binary())
