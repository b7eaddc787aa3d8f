"""Packing: a stream of tokens as rows of one length, which training takes its samples from.

A packing is a function of where documents and files start, the method and the length: nothing of it is on disk.

- `best-fit` (after arXiv 2404.10830). A document that is longer than a row is cut at the start of files, and of those
  that are longer than a row, every row. A row takes its files in their order while they fit, then of the next AHEAD the
  largest that fits in what is left; what is left of it then, and the short documents, are put together by best-fit
  decreasing, each WINDOW of the stream by itself: so the tokens of a row, and of rows that follow one another, lie near
  each other. Every token of the stream is in one row, and no file or document that fits a row is cut. Nothing is to be
  learnt at a document's last token, nor in the padding.
- `concatenate`, as Megatron: row i has the tokens from i * sequence on, and everything is to be learnt. The stream's
  last tokens, at most `sequence`, are in no row.

Measured on 64 million tokens of code in large repositories, rows of 4,096: best-fit cuts a third of the files that
`concatenate` does, pads 0.7 %, and a token sees as much of its document. Cost: once 0.05 to 0.25 s a million files, the
longer the shorter the rows, and 16 bytes for each stretch, 8 a row; `concatenate` costs nothing.
"""

import functools
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Literal, Protocol, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.tokens.packed import Shards, union

Method: TypeAlias = Literal["best-fit", "concatenate"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)
AHEAD: Final = 64  # files. With none 4 to 8 % are padding, with 16 up to 1.6 %, with 256 as with 64 (measured)
WINDOW: Final = 1 << 24  # tokens; rows are packed from so many at a time. Costs 0.1 % of padding (measured)
LEAST_ROWS: Final = 1 << 12  # of a window, where rows are long
_ROWS: Final = 1 << 16  # that are counted at a time

Int32s: TypeAlias = NDArray[np.int32]
Int64s: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Counts:
    """What a packing does to its stream.

    rows: how many. tokens: in them, padding not counted. padding: tokens of it. lost: tokens of the stream that are in
    no row. cut_documents, cut_files: that are not whole in a row. context: the tokens of its own document that a token
    sees in its row, itself one of them; mean over the tokens. file_context: of its own file.
    """

    rows: int
    tokens: int
    padding: int
    lost: int
    cut_documents: int
    cut_files: int
    context: float
    file_context: float


@dataclass(frozen=True)
class Segments:
    """The stretches of some rows: row i of those asked for has the stretches first[i] to first[i + 1], side by side.

    A stretch is `lengths` tokens of the stream from `starts` on, of one document; a row's stretches are in the order of
    the stream. open: the token after it in the stream is the target of its last one, which has none where it is not
    open. documents: 0, 1, 2, … within a row, the same for stretches of the same document: these see one another.
    """

    first: Int64s  # [rows + 1]
    starts: Int64s  # [n]
    lengths: Int32s  # [n]
    open: NDArray[np.bool_]  # [n]
    documents: Int32s  # [n]


class Packing(Protocol):
    rows: int
    sequence: int  # tokens of a row

    @property
    def counts(self) -> Counts:
        """Computed when it is asked for: half a second a million stretches."""

    def segments(self, rows: Int64s) -> Segments:
        """Of these rows, in this order. Raises ValueError for one that there is not."""

    def rows_with(self, start: int, stop: int) -> Int64s:
        """The rows, ascending, that have a token of the stream's from `start` to before `stop` as an input."""


def packing_of(shards: Shards, method: Method, sequence: int) -> Packing:
    """Raises UserError when the stream does not fill a row, or its tables are damaged; ValueError for another method,
    or a sequence of nothing."""
    if sequence < 1 or method not in METHODS:
        raise ValueError(f"{method!r} with a sequence of {sequence} tokens")
    found = BestFit(shards, sequence) if method == "best-fit" else Concatenated(shards, sequence)
    if found.rows:
        return found
    raise UserError(
        f"{shards.folder} has {shards.tokens:,} tokens: too few for one sequence of {sequence:,}",
        f"set `sequence` under [train] in starloom.toml to {max(shards.tokens - 1, 1)} or less, or add sources",
    )


class BestFit:
    """Use `packing_of`."""

    def __init__(self, shards: Shards, sequence: int) -> None:
        from starloom.kernels.best_fit import best_fit, grouped
        from starloom.kernels.bundles import bundles

        self.sequence = sequence
        self._shards = shards
        self._bounds, bundle, sizes = bundles(shards.starts, shards.borders, sequence, AHEAD)
        window = max(WINDOW, LEAST_ROWS * sequence)
        ends = np.cumsum(sizes, dtype=np.int64)
        row, self.rows = np.empty(len(sizes), dtype=np.int32), 0  # of each bundle
        edges = np.searchsorted(ends, np.arange(0, shards.tokens + window, window), side="right")
        for begin, end in pairwise(edges.tolist()):
            found, rows = best_fit(sizes[begin:end], sequence)
            row[begin:end] = found + self.rows
            self.rows += rows
        self._first, self._stretches = grouped(row[bundle], self.rows)
        self._row = np.empty(len(bundle), dtype=np.int32)  # of each stretch
        self._row[self._stretches] = np.repeat(np.arange(self.rows, dtype=np.int32), np.diff(self._first))

    @functools.cached_property
    def counts(self) -> Counts:
        return _counts(self, self._shards, self._bounds)

    def segments(self, rows: Int64s) -> Segments:
        _check(rows, self.rows)
        first, places = _ranges(self._first[rows], self._first[rows + 1])
        stretches = self._stretches[places]
        return _segments(self._shards, first, self._bounds[stretches], self._bounds[stretches + 1])

    def rows_with(self, start: int, stop: int) -> Int64s:
        if stop <= start:
            return np.zeros(0, dtype=np.int64)
        first = int(np.searchsorted(self._bounds, start, side="right")) - 1
        last = int(np.searchsorted(self._bounds, stop, side="left"))
        return np.unique(self._row[max(first, 0) : last]).astype(np.int64)


class Concatenated:
    """Use `packing_of`."""

    def __init__(self, shards: Shards, sequence: int) -> None:
        self.sequence = sequence
        self._shards = shards
        self.rows = max(shards.tokens - 1, 0) // sequence  # the last token of all can only be learnt

    @functools.cached_property
    def counts(self) -> Counts:
        end = self.rows * self.sequence
        starts = self._shards.starts
        return _counts(self, self._shards, union(starts[starts < end], np.arange(0, end + 1, self.sequence)))

    def segments(self, rows: Int64s) -> Segments:
        _check(rows, self.rows)
        begins, ends = rows * self.sequence, (rows + 1) * self.sequence
        before = np.searchsorted(self._shards.starts, begins, side="right") - 1  # the document that it begins in
        first, places = _ranges(before, np.searchsorted(self._shards.starts, ends, side="left"))
        starts, stops = self._shards.starts[places], self._shards.starts[places + 1]
        starts[first[:-1]], stops[first[1:] - 1] = begins, ends
        found = _segments(self._shards, first, starts, stops)
        found.open[:] = True
        return found

    def rows_with(self, start: int, stop: int) -> Int64s:
        first, last = max(start, 0) // self.sequence, min(-(-stop // self.sequence), self.rows)
        return np.arange(first, last if start < stop else first, dtype=np.int64)


def _segments(shards: Shards, first: Int64s, starts: Int64s, stops: Int64s) -> Segments:
    document = np.searchsorted(shards.starts, starts, side="right") - 1
    changes = np.ones(len(starts), dtype=np.int32)
    changes[1:] = document[1:] != document[:-1]
    changes[first[:-1]] = 1  # no row is empty
    count = np.cumsum(changes, dtype=np.int32)
    numbers = count - np.repeat(count[first[:-1]], np.diff(first))
    lengths = (stops - starts).astype(np.int32)
    return Segments(first, starts, lengths, stops < shards.starts[document + 1], numbers)


def _ranges(begins: Int64s, ends: Int64s) -> tuple[Int64s, Int64s]:
    """(first int64[n + 1], values): the numbers from begins[i] to before ends[i], at first[i] to first[i + 1]."""
    counts = ends - begins
    first = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=first[1:])
    return first, np.arange(first[-1]) + np.repeat(begins - first[:-1], counts)


def _check(rows: Int64s, count: int) -> None:
    if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < count:
        raise ValueError(f"rows {rows.min()} to {rows.max()} of {count}")


def _among(values: Int64s, ascending: Int64s) -> NDArray[np.bool_]:
    """Which of the values are among others, all ascending."""
    if not len(ascending):
        return np.zeros(len(values), dtype=np.bool_)
    places = np.searchsorted(ascending, values)
    found: NDArray[np.bool_] = ascending[np.minimum(places, len(ascending) - 1)] == values
    return found


def _counts(packing: Packing, shards: Shards, bounds: Int64s) -> Counts:
    """bounds: of all stretches, from 0 on, ascending."""
    tokens = int(bounds[-1])
    inner = bounds[(bounds > 0) & (bounds < shards.tokens)]
    seen = 0.0
    for begin in range(0, packing.rows, _ROWS):
        some = packing.segments(np.arange(begin, min(begin + _ROWS, packing.rows)))
        begins = union(some.first[:-1], np.flatnonzero(np.diff(some.documents)) + 1)
        seen += _seen(np.add.reduceat(some.lengths, begins, dtype=np.float64))
    files = union(bounds, shards.borders[shards.borders < tokens])
    return Counts(
        rows=packing.rows,
        tokens=tokens,
        padding=packing.rows * packing.sequence - tokens,
        lost=shards.tokens - tokens,
        cut_documents=_cut(inner, shards.starts),
        cut_files=_cut(inner, shards.borders),
        context=seen / tokens,
        file_context=_seen(np.diff(files)) / tokens,
    )


def _cut(places: Int64s, borders: Int64s) -> int:
    """In how many of the stretches between two borders one of the places is."""
    inside = places[~_among(places, borders)]
    return int(np.count_nonzero(np.diff(np.searchsorted(borders, inside), prepend=-1)))


def _seen(lengths: NDArray[Any]) -> float:
    """Of stretches: how many tokens of its own, itself one of them, each token can look back on, in sum."""
    lengths = lengths.astype(np.float64)
    return float(lengths @ (lengths + 1) / 2)
