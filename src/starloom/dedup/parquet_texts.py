"""Near-duplicates among texts that lie in Parquet files and need not fit in memory.

    files = [TextFile(Path("a.parquet")), TextFile(Path("b.parquet"), "text")]
    found = near_duplicates_in_files(engine, files, scratch=folder)

The engine's workers read the texts, once to measure them and, of those that are candidates, once to make their shingle
sets; both lie in files below `scratch`. Rows are numbered over all files in the order given; the result is that of
`near_duplicates` over all texts at once, whatever the files, their row groups and the number of workers.

Cost: that of dedup/signature, dedup/bands and dedup/verify, and reading. Memory of this process: that of dedup/bands,
300 bytes a row, 40 a candidate pair, and the bands, 8 bytes a row and band, which are mapped: the system takes them
back when it needs them. Of a worker: a batch of texts and its sets, then 256 MB of sets at most. Scratch: the bands,
then the shingle sets of the candidates, about 1.3 bytes a byte of their texts (more with "bigcode-v2").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from starloom import progress
from starloom.dedup.bands import spread
from starloom.dedup.mapped import Columns, appended, explained, forget, mapped
from starloom.dedup.near_duplicates import NearDuplicates, group_numbers, near_duplicates_of
from starloom.dedup.signature import Measured, MinHashSettings, Tokenisation, tuned
from starloom.dedup.text_files import Run, TextFile, portions, row_counts, runs
from starloom.engine.verbs import Engine
from starloom.errors import UserError
from starloom.scratch import scratch_folder

__all__ = ["TextFile", "measure_files", "near_duplicates_in_files", "verify_files"]

_PAIRS = 1 << 18  # in one item of work
_SET_BYTES = 256 << 20  # of shingle sets looked at before their pages are given back


@dataclass(frozen=True)
class _Measuring:
    """In a worker: bands of one run, into the table."""

    run: Run
    settings: MinHashSettings
    bands: Columns


@dataclass(frozen=True)
class _Shingling:
    """In a worker: the shingle sets of some rows of one run, into the file of all."""

    run: Run
    wanted: NDArray[np.int64]
    tokenisation: Tokenisation
    target: Path


class _Placed(NamedTuple):
    """The sets of some rows, one after the other in the file of all."""

    at: int  # the byte where they begin
    rows: NDArray[np.int64]
    counts: NDArray[np.int64]  # shingles of each


@dataclass(frozen=True)
class _Comparing:
    """In a worker: the pairs of one stretch."""

    folder: Path  # of _Sets
    start: int
    stop: int
    floor: float


def near_duplicates_in_files(
    engine: Engine,
    files: Sequence[TextFile],
    threshold: float = 0.7,
    rank: ArrayLike | None = None,
    settings: MinHashSettings | None = None,
    within: Any = None,
    *,
    scratch: Path,
) -> NearDuplicates:
    """`near_duplicates` of the texts in `files`; `rank` and `within`: one value a row, over all files.

    `scratch`: a folder for what does not outlive the call. Raises UserError as `near_duplicates`, for a file that is
    not there, is no Parquet or has no such column, and for a text that is no UTF-8.
    """
    settings = settings or tuned(threshold)
    rows = sum(row_counts(files))
    if rank is not None and len(np.asarray(rank)) != rows:  # said before the texts are read
        raise UserError(f"{len(np.asarray(rank))} ranks for {rows} texts", "give one rank a text")
    groups = None if within is None else group_numbers(within, rows)
    measured = measure_files(engine, files, settings, scratch)

    def compare(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        return verify_files(engine, files, left, right, threshold, settings.tokenisation, scratch)[0]

    return near_duplicates_of(measured, compare, threshold, rank, settings, groups)


def measure_files(engine: Engine, files: Sequence[TextFile], settings: MinHashSettings, scratch: Path) -> Measured:
    """`signature.measure` of every row of `files`; the bands are mapped from a file that has no name any more."""
    rows = sum(row_counts(files))
    tokens = np.zeros(rows, dtype=np.int32)
    stream = np.zeros((rows, 2), dtype=np.uint64)
    sketch = np.zeros((rows, settings.permutations), dtype=np.uint8)
    work = runs(files)
    scratch.mkdir(parents=True, exist_ok=True)
    with scratch_folder("bands-", scratch) as folder:
        bands = Columns(folder / "bands", rows, settings.bands).create()
        items = [_Measuring(run, settings, bands) for run in work]
        with progress.task("measure texts", sum(run.bytes for run in work), "bytes") as bar:
            for item, (some_tokens, some_stream, some_sketch) in engine.map(_measure, items):
                tokens[item.run.start : item.run.stop] = some_tokens
                stream[item.run.start : item.run.stop] = some_stream
                sketch[item.run.start : item.run.stop] = some_sketch
                bar.advance(item.run.bytes)
        return Measured(tokens, stream, bands.mapped(), sketch)


def _measure(item: _Measuring) -> tuple[NDArray[np.int32], NDArray[np.uint64], NDArray[np.uint8]]:
    from starloom.dedup.signature import measure
    from starloom.kernels.text import text_buffers

    rows = item.run.stop - item.run.start
    tokens, stream = np.zeros(rows, dtype=np.int32), np.zeros((rows, 2), dtype=np.uint64)
    sketch = np.zeros((rows, item.settings.permutations), dtype=np.uint8)
    for numbers, texts, of in portions(item.run):
        found = measure(*text_buffers(texts), item.settings)
        here = slice(int(numbers[0]) - item.run.start, int(numbers[-1]) - item.run.start + 1)
        tokens[here], stream[here], sketch[here] = found.tokens[of], found.stream[of], found.sketch[of]
        item.bands.write(int(numbers[0]), found.bands[of])
    return tokens, stream, sketch


def verify_files(
    engine: Engine,
    files: Sequence[TextFile],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    floor: float,
    tokenisation: Tokenisation,
    scratch: Path,
) -> tuple[NDArray[np.float64], int]:
    """(`verify.verify` of the pairs, row numbers over all files; bytes of text that were shingled).

    Only rows that some pair names are read, each once. Pairs that lie together by their left rows are compared fastest.
    """
    rows = sum(row_counts(files))
    if len(left) != len(right):
        raise ValueError("left and right differ in length")
    if len(left) == 0:
        return np.zeros(0, dtype=np.float64), 0
    if min(left.min(), right.min()) < 0 or max(left.max(), right.max()) >= rows:
        raise ValueError("a pair names a row that is not there")
    touched = np.zeros(rows, dtype=bool)
    touched[left] = touched[right] = True
    scratch.mkdir(parents=True, exist_ok=True)
    with scratch_folder("sets-", scratch) as folder:
        placed, size = _shingle_all(engine, runs(files), np.flatnonzero(touched), tokenisation, folder)
        set_of = np.full(rows, -1, dtype=np.int64)
        set_of[placed] = np.arange(len(placed))
        with explained(folder):
            for side, pairs in (("left", left), ("right", right)):
                with (folder / side).open("wb") as output:
                    for start in range(0, len(pairs), _PAIRS):
                        output.write(set_of[pairs[start : start + _PAIRS]].data)
        return _compare_all(engine, folder, len(left), floor), size


def _shingle_all(
    engine: Engine, work: list[Run], wanted: NDArray[np.int64], tokenisation: Tokenisation, folder: Path
) -> tuple[NDArray[np.int64], int]:
    """(the rows `wanted` as their sets come in `folder`, bytes of their texts). `values` (uint64) there has the sets,
    `starts` (int64, one more than sets) where each begins; portions come as workers are done with them."""
    target = folder / "values"
    target.touch()
    items = []
    for run in work:
        here = wanted[np.searchsorted(wanted, run.start) : np.searchsorted(wanted, run.stop)]
        if len(here):
            items.append(_Shingling(run, here, tokenisation, target))
    placed: list[_Placed] = []
    size = 0
    with progress.task("shingle candidates", len(wanted), "files") as bar:
        for item, (some, bytes_) in engine.map(_shingle, items):
            placed += some
            size += bytes_
            bar.advance(len(item.wanted))
    placed.sort(key=lambda one: one.at)
    starts = np.zeros(len(wanted) + 1, dtype=np.int64)
    np.cumsum(np.concatenate([one.counts for one in placed]), out=starts[1:])
    with explained(folder):
        (folder / "starts").write_bytes(starts.data)
    return np.concatenate([one.rows for one in placed]), size


def _shingle(item: _Shingling) -> tuple[list[_Placed], int]:
    """(where the sets of each portion are, bytes of their texts)."""
    from starloom.kernels.shingles import shingle_sets
    from starloom.kernels.text import text_buffers

    placed = []
    size = 0
    with explained(item.target), item.target.open("r+b", buffering=0) as output:
        for rows, texts, of in portions(item.run, item.wanted):
            offsets, data = text_buffers(texts)
            starts, values = shingle_sets(offsets, data, item.tokenisation)
            counts = np.diff(starts)[of]
            if not np.array_equal(of, np.arange(len(texts))):  # in another order, or several rows have a text
                values = values[spread(starts[of], counts)]
            placed.append(_Placed(appended(output, values), rows, counts))
            size += int(np.diff(offsets)[of].sum())
    return placed, size


def _compare_all(engine: Engine, folder: Path, pairs: int, floor: float) -> NDArray[np.float64]:
    result = np.empty(pairs, dtype=np.float64)
    items = [_Comparing(folder, start, min(start + _PAIRS, pairs), floor) for start in range(0, pairs, _PAIRS)]
    with progress.task("verify pairs", pairs, "pairs") as bar:
        for item, some in engine.map(_compare, items):
            result[item.start : item.stop] = some
            bar.advance(len(some))
    return result


def _compare(item: _Comparing) -> NDArray[np.float64]:
    from starloom.kernels.pairs import jaccard

    starts, _ = mapped(item.folder / "starts", "i8")
    values, pages = mapped(item.folder / "values", "u8")
    left, right = (mapped(item.folder / side, "i8")[0][item.start : item.stop] for side in ("left", "right"))
    result = np.empty(len(left), dtype=np.float64)
    sizes = (starts[left + 1] - starts[left] + starts[right + 1] - starts[right]) * 8
    ends = np.cumsum(sizes)
    start = 0
    while start < len(left):
        before = int(ends[start - 1]) if start else 0
        stop = max(int(np.searchsorted(ends, before + _SET_BYTES, side="right")), start + 1)
        result[start:stop] = jaccard(starts, values, left[start:stop], right[start:stop], item.floor)
        forget(pages)
        start = stop
    return result
