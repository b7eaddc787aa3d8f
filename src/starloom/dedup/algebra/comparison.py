"""Corpus algebra: which texts of one collection have a copy in another, exactly or nearly.

A copy is the same text; or one with the same tokens (Jaccard 1); or one of a Jaccard similarity of at least the
threshold. Where the texts of both sides are there, every near copy is verified by the exact Jaccard; where one side has
signatures only, it is the estimate: equal places of the two signatures, standard error sqrt(J (1 - J) / permutations).
Texts of fewer than five tokens have exact copies only. Copies within one collection are not looked for.

What is not found: candidates share a band, which of 256 permutations misses 1 in 1,000 at the threshold and fewer
above; and in a bucket that is large on both sides each text is compared with the first 64 of the other side only
(`capped` counts those). Memory: some 400 bytes a text and 40 a candidate pair of half a million texts; scratch: 1 KB a
text for its signature and 8 bytes a band, of which pages stay mapped while there is room.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from starloom import progress
from starloom.dedup.algebra.across import Across
from starloom.dedup.algebra.signatures import Signed
from starloom.dedup.inputs import LeftOut
from starloom.dedup.mapped import Columns, forget
from starloom.dedup.parquet_texts import TextFile, verify_files
from starloom.dedup.signature import MinHashSettings
from starloom.engine.verbs import Engine
from starloom.scratch import scratch_folder

Operation = Literal["diff", "intersect", "subtract", "union"]
# (rows of the one side, rows of the other) → their similarity; below 0 where it is known to be under the threshold
Similarity: TypeAlias = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]]

_CHUNK = 1 << 13  # pairs of signatures compared at a time: 16 MB of them
_ROWS = 1 << 16  # signatures whose bands are hashed at a time


RESULT = pa.schema(
    [
        pa.field("side", pa.string(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        ("match", pa.string()),  # null of A's texts in a union: nobody looked
        ("twin", pa.string()),
        ("jaccard", pa.float64()),
    ]
)


class Side(NamedTuple):
    """A collection: its name, the name of each text, what was signed, and the texts where they are there."""

    name: str
    ids: pa.ChunkedArray
    signed: Signed
    files: tuple[TextFile, ...] | None  # None: signatures only
    left_out: tuple[LeftOut, ...] = ()  # what was there and gave no text


class Near(NamedTuple):
    """How near copies are found."""

    threshold: float
    bands: tuple[NDArray[np.uint64], NDArray[np.uint64]]  # of either side: uint64[n, bands]
    similarity: Similarity
    error: float  # standard error of a similarity at the threshold; 0: it is exact

    def turned(self) -> "Near":
        """The same seen from the other side."""
        return self._replace(bands=self.bands[::-1], similarity=lambda left, right: self.similarity(right, left))


class Copies(NamedTuple):
    """A row for every text of one side: its copy on the other side."""

    row: NDArray[np.int64]  # -1: none. Of several the most similar, and of those the first
    jaccard: NDArray[np.float64]  # 1.0 of an exact copy; nan where there is none
    exact: NDArray[np.bool_]
    candidates: int  # pairs that were compared
    capped: int  # buckets that were not compared whole
    doubtful: int  # texts whose best estimate is within two standard errors of the threshold

    @property
    def near(self) -> NDArray[np.bool_]:
        return (self.row >= 0) & ~self.exact

    @property
    def none(self) -> NDArray[np.bool_]:
        return self.row < 0


class Comparison(NamedTuple):
    """`in_b`: copies of A's texts in B; `in_a`: of B's in A; None where the operation does not ask for it."""

    operation: Operation
    a: Side
    b: Side
    threshold: float | None  # None: exact copies only
    error: float  # standard error of a similarity at the threshold; 0: exact
    in_b: Copies | None
    in_a: Copies | None

    @property
    def estimated(self) -> bool:
        """Whether similarities are those of signatures."""
        return self.threshold is not None and (self.a.files is None or self.b.files is None)


def compare(
    engine: Engine,
    operation: Operation,
    a: Side,
    b: Side,
    *,
    settings: MinHashSettings | None,
    threshold: float,
    scratch: Path,
) -> Comparison:
    """What `operation` needs to know of `a` and `b`, both signed by `settings`; without settings exact copies only.

    diff: both directions; intersect, subtract: what of A is in B; union: what of B is in A.
    """
    in_b = in_a = None
    with scratch_folder("compare-", scratch) as folder:
        near = None if settings is None else _near(engine, a, b, settings, threshold, folder)
        if operation != "union":
            in_b = copies(a.signed, b.signed, near)
        if operation in ("diff", "union"):
            in_a = copies(b.signed, a.signed, near and near.turned())
    return Comparison(operation, a, b, near.threshold if near else None, near.error if near else 0.0, in_b, in_a)


def copies(of: Signed, among: Signed, near: Near | None) -> Copies:
    """The best copy of each text `of` one side among those of the other; without `near` the exact ones only."""
    row = _first_equal(of.content, among.content)
    exact = row >= 0
    jaccard = np.where(exact, 1.0, np.nan)
    if near is None:
        return Copies(row, jaccard, exact, 0, 0, 0)

    # Texts of one token stream have the same shingles: one of them stands for all.
    best_of, stream_of = _streams(of)
    best_among, _ = _streams(among)
    same = _first_equal(of.stream[best_of], among.stream[best_among])
    shared, alone = np.flatnonzero(same >= 0), np.flatnonzero(same < 0)
    twin = np.full(len(same), -1, dtype=np.int64)
    twin[shared] = best_among[same[shared]]
    similarity = np.where(same >= 0, 1.0, -1.0)
    across = Across(near.bands[0], best_of[alone], near.bands[1], best_among)
    place = np.full(len(row), -1, dtype=np.int64)
    place[best_of] = np.arange(len(best_of))
    candidates = 0
    for left, right in across:
        values = near.similarity(left, right)
        _keep_best(twin, similarity, place[left], right, values)
        candidates += len(left)
    doubtful = np.abs(similarity - near.threshold) <= 2 * near.error
    doubtful &= (same < 0) & (near.error > 0)
    twin[similarity < near.threshold] = -1

    others = np.flatnonzero(~exact & of.comparable)
    found = twin[stream_of[others]]
    row[others] = found
    jaccard[others] = np.where(found >= 0, similarity[stream_of[others]], np.nan)
    return Copies(row, jaccard, exact, candidates, across.capped, int(doubtful[stream_of[others]].sum()))


def _keep_best(
    twin: NDArray[np.int64],
    similarity: NDArray[np.float64],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    values: NDArray[np.float64],
) -> None:
    """Of each left the most similar right, of those the first; against what an earlier portion found."""
    order = np.lexsort((right, -values, left))
    left, right, values = left[order], right[order], values[order]
    first = np.flatnonzero(np.r_[True, left[1:] != left[:-1]]) if len(left) else np.zeros(0, np.int64)
    left, right, values = left[first], right[first], values[first]
    better = (values > similarity[left]) | ((values == similarity[left]) & (right < twin[left]))
    left = left[better]
    twin[left], similarity[left] = right[better], values[better]


def _streams(signed: Signed) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(the first text of each token stream, in their order; the place therein of each text's stream, -1 of those that
    are not comparable)."""
    rows = np.flatnonzero(signed.comparable)
    code = _codes(signed.stream[rows])
    place = np.full(len(signed.comparable), -1, dtype=np.int64)
    place[rows] = code
    first = np.zeros(int(code.max(initial=-1)) + 1, dtype=np.int64)
    first[code[::-1]] = rows[::-1]
    return first, place


def _first_equal(one: NDArray[np.uint8 | np.uint64], two: NDArray[np.uint8 | np.uint64]) -> NDArray[np.int64]:
    """For each row of the matrix `one` the first equal row of `two`, -1 where there is none."""
    codes = _codes(np.concatenate([one, two]))
    first = np.full(int(codes.max(initial=-1)) + 1, -1, dtype=np.int64)
    first[codes[len(one) :][::-1]] = np.arange(len(two))[::-1]
    return first[codes[: len(one)]]


def _codes(rows: NDArray[np.uint8 | np.uint64]) -> NDArray[np.int64]:
    """A number for each row of the matrix, equal where rows are; counted by first appearance."""
    width = rows.shape[1] * rows.itemsize
    packed = pa.Array.from_buffers(pa.binary(width), len(rows), [None, pa.py_buffer(np.ascontiguousarray(rows))])
    codes: NDArray[np.int64] = packed.dictionary_encode().indices.to_numpy().astype(np.int64)
    return codes


def _near(engine: Engine, a: Side, b: Side, settings: MinHashSettings, threshold: float, scratch: Path) -> Near:
    bands = (_bands(a.signed, settings, scratch / "a"), _bands(b.signed, settings, scratch / "b"))
    if a.files is None or b.files is None:
        error = math.sqrt(threshold * (1.0 - threshold) / settings.permutations)
        return Near(threshold, bands, _estimated(a.signed, b.signed), error)
    files, before = (*a.files, *b.files), len(a.signed.content)

    def verified(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        found, _ = verify_files(engine, files, left, right + before, threshold, settings.tokenisation, scratch)
        return found

    return Near(threshold, bands, verified, 0.0)


def _bands(signed: Signed, settings: MinHashSettings, path: Path) -> NDArray[np.uint64]:
    from starloom.kernels.minhash import band_hashes

    rows = len(signed.values)
    bands = Columns(path, rows, settings.bands).create()
    for start in range(0, rows, _ROWS):
        bands.write(start, band_hashes(signed.values[start : start + _ROWS], settings.bands, settings.rows))
        forget(signed.pages)
    return bands.mapped()


def _estimated(a: Signed, b: Signed) -> Similarity:
    def similarity(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        found = np.empty(len(left), dtype=np.float64)
        with progress.task("estimate pairs", len(left), "pairs") as bar:
            for start in range(0, len(left), _CHUNK):
                some = slice(start, start + _CHUNK)
                found[some] = (a.values[left[some]] == b.values[right[some]]).mean(axis=1)
                bar.advance(len(found[some]))
                forget(a.pages)
                forget(b.pages)
        return found

    return similarity


def result(found: Comparison) -> pa.Table:
    """What the operation gives, a row a text: side ("a", "b"), id, match ("exact", "near", "none"), twin, jaccard.

    diff: every text of both; intersect: A's with a copy; subtract: A's without one; union: A's, then B's without one.
    """
    return pa.concat_tables(rows_of(found, side, rows) for side, rows in selected(found))


def selected(found: Comparison) -> Sequence[tuple[Literal["a", "b"], NDArray[np.int64]]]:
    """(side, numbers of the texts on it that belong to the operation's result), in order."""
    all_of_a, all_of_b = np.arange(len(found.a.ids)), np.arange(len(found.b.ids))
    if found.operation == "union":
        assert found.in_a is not None
        return [("a", all_of_a), ("b", np.flatnonzero(found.in_a.none))]
    assert found.in_b is not None
    if found.operation == "diff":
        return [("a", all_of_a), ("b", all_of_b)]
    none = found.in_b.none
    return [("a", np.flatnonzero(none if found.operation == "subtract" else ~none))]


def rows_of(found: Comparison, side: Literal["a", "b"], rows: NDArray[np.int64]) -> pa.Table:
    """What is known of some texts of a side, as `result` has it."""
    mine, theirs, known = (found.a, found.b, found.in_b) if side == "a" else (found.b, found.a, found.in_a)
    match, twin, jaccard = (pa.nulls(len(rows), RESULT.field(name).type) for name in ("match", "twin", "jaccard"))
    if known is not None:
        there = known.row[rows]
        none = pa.array(there < 0)
        kinds = np.where(there < 0, 2, np.where(known.exact[rows], 0, 1))
        match = pa.array(["exact", "near", "none"]).take(pa.array(kinds))
        twin = theirs.ids.take(pc.if_else(none, None, pa.array(there)))
        jaccard = pc.if_else(none, None, pa.array(known.jaccard[rows]))
    named = mine.ids.take(pa.array(rows))
    return pa.table([pa.repeat(side, len(rows)), named, match, twin, jaccard], schema=RESULT)
