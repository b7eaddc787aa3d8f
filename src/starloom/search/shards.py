"""What becomes of each shard: what it keeps, what has gone, what is new; and what is published of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from starloom.kernels.text import Int64s
from starloom.search import rows as rows_of
from starloom.search.gathering import KEPT
from starloom.search.layout import FILES, ROWS, shard_name, text_name, text_number, write_rows
from starloom.search.steps import Before, Copy, Part, Settling, Slice
from starloom.search.work import Work
from starloom.workspace.atomic import Draft

JOINED: Final = 64 << 20  # bytes of a shard's new texts up to which they become one file
MOST_SMALL: Final = 8  # files of texts below JOINED that a shard may have
SLICE: Final = 256 << 20  # bytes of text that one worker indexes


@dataclass(frozen=True)
class Shard:
    """The plan of one. `gone`: rows of `before` that are no more."""

    number: int
    parts: tuple[Part, ...]
    before: Before | None = None
    gone: Int64s = field(default_factory=lambda: np.zeros(0, np.int64))
    copying: Copy | None = None  # it is made anew: what it keeps is still to become its first part

    @property
    def name(self) -> str:
        return shard_name(self.number)

    @property
    def same(self) -> bool:
        """Whether it stays as it is."""
        return self.before is not None and not self.parts and not len(self.gone)

    def copied(self, work: Work) -> "Shard":
        """The plan, once what is to be copied is there."""
        part = Part.of(work, self.copying.name, self.name) if self.copying else None
        return Shard(self.number, ((part,) if part else ()) + self.parts, self.before, self.gone)

    def slices(self, work: Work) -> list[Slice]:
        """How its new rows are indexed: some parts at a time."""
        first = len(self.before.rows(["live"])) if self.before else 0
        together: list[list[Part]] = []
        for part in self.parts:
            if not together or sum(one.text_bytes for one in together[-1]) >= SLICE:
                together.append([])
            together[-1].append(part)
        found = []
        for number, parts in enumerate(together):
            found.append(Slice(work, f"index-{self.name}-{number:03d}", self.name, first, tuple(parts)))
            first += sum(part.rows for part in parts)
        return found

    def settling(self, work: Work, slices: Sequence[Slice]) -> Settling:
        """How they become one."""
        return Settling(work, f"shard-{self.name}", tuple(one.name for one in slices), self.before, self.gone)


def planned(work: Work, gathered: Sequence[str], number: int, before: Before | None) -> Shard:
    """What becomes of a shard, all pieces having been gathered."""
    name = shard_name(number)
    parts = tuple(part for piece in gathered if (part := Part.of(work, piece, name)))
    if before is None:
        return Shard(number, parts)
    kept = _kept(work, gathered, number)
    live = before.rows(["live"]).column(0).to_numpy()
    gone = np.setdiff1d(np.flatnonzero(live), kept)
    new = sum(part.rows for part in parts)
    small = sum(before.files[one].bytes < JOINED for one in before.texts) + bool(parts)
    if len(live) - len(kept) > len(kept) + new or small > MOST_SMALL:
        return Shard(number, parts, copying=Copy(work, f"copy-{name}", name, before, gone) if len(kept) else None)
    return Shard(number, parts, before, gone)


def _kept(work: Work, gathered: Sequence[str], number: int) -> Int64s:
    tables = [pq.read_table(work.path(piece) / KEPT, filters=[("shard", "=", number)]) for piece in gathered]
    return np.concatenate([np.zeros(0, np.int64), *(table.column("row").to_numpy() for table in tables)])


def publish(shard: Shard, work: Work, draft: Draft) -> tuple[int, int]:
    """Puts a shard into the draft. Returns how many files it has, and how many bytes of text."""
    before, name = shard.before, shard.name
    if before and shard.same:
        for one, entry in before.files.items():
            draft.keep(before.folder / one, f"{name}/{one}", entry)
        return rows_of.counted(before.rows(["live", "text_bytes"]))
    piece = shard.settling(work, ()).name
    for entry in work.manifest(piece).files:
        draft.keep(work.path(piece) / entry.name, f"{name}/{entry.name}", entry)
    rows = FILES.empty_table()
    if before:
        changed = rows_of.touched(before.rows(["text_file"]), shard.gone)
        rows = rows_of.without(before.rows(), shard.gone)
        for one in before.texts:
            if text_number(one) in changed:
                rows = rows_of.packed(rows, text_number(one))
            else:
                draft.keep(before.folder / one, f"{name}/{one}", before.files[one])
    rows = pa.concat_tables([rows, *_with_texts(shard, work, draft)])
    with draft.create(f"{name}/{ROWS}") as output:
        write_rows(output, rows)
    return rows_of.counted(rows)


def _with_texts(shard: Shard, work: Work, draft: Draft) -> Iterator[pa.Table]:
    """The rows of the parts, in order, their texts put into the draft: small files become one."""
    number = max(map(text_number, shard.before.texts), default=-1) + 1 if shard.before else 0
    small = [part for part in shard.parts if part.file_bytes < JOINED]
    if sum(part.file_bytes for part in small) >= JOINED:
        small = []
    places = {}
    if small:
        with draft.create(f"{shard.name}/{text_name(number)}") as output:
            for part in small:
                places[part.piece] = (number, output.tell())
                output.write((work.path(part.piece) / f"{shard.name}.lz4").read_bytes())
        number += 1
    for part in shard.parts:
        folder = work.path(part.piece)
        if part.piece not in places:
            entry = next(one for one in work.manifest(part.piece).files if one.name == f"{shard.name}.lz4")
            draft.keep(folder / entry.name, f"{shard.name}/{text_name(number)}", entry)
            places[part.piece] = (number, 0)
            number += 1
        yield rows_of.placed(pq.read_table(folder / f"{shard.name}.parquet"), *places[part.piece])
