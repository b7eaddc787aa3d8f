"""Near-duplicates among texts in memory: the whole of this package in one call.

    found = near_duplicates(pa.array(["…", "…"]))
    kept = found.keeper == np.arange(len(found.keeper))

Cost: about 310 MB/s for signatures, some microseconds a candidate pair; memory: the texts, 760 bytes a file, 40 a
candidate pair, and the shingle sets of the files that have a candidate.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from starloom import progress
from starloom.dedup.bands import candidate_pairs
from starloom.dedup.signature import Measured, MinHashSettings, least_agreement, measure, together, tuned
from starloom.dedup.stars import star_clusters
from starloom.dedup.verify import Piece, verify_pieces
from starloom.errors import UserError

_PAIRS = 1 << 20  # whose sketches are compared at a time
_SMALL = 1 << 23  # bytes: smaller chunks are put together


class NearDuplicates(NamedTuple):
    """Per file: which one is kept for it, and how similar that is. Then the pairs that were verified."""

    keeper: NDArray[np.int64]  # the file itself where it stays
    similarity: NDArray[np.float64]  # exact Jaccard to the keeper, at least the threshold; 1.0 to itself
    left: NDArray[np.int64]  # pairs at or above the threshold; files of one token stream are one file here, its best
    right: NDArray[np.int64]
    jaccard: NDArray[np.float64]  # of each pair, exact
    candidates: int  # pairs that were compared
    capped_buckets: int  # buckets in which only the first 64 were compared with the rest


Compare = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]]


def near_duplicates(
    contents: Any,
    threshold: float = 0.7,
    rank: ArrayLike | None = None,
    settings: MinHashSettings | None = None,
    *,
    within: Any = None,
    column: str = "content",
) -> NearDuplicates:
    """Find and cluster the near-duplicates of `contents`: an Arrow array or chunked array of strings, or an Arrow table
    with them in `column`. A null counts as empty text, and a file of fewer than five tokens has no duplicate.

    `rank`: one number a file, the lowest is kept, ties by their order; by default their order. `within`: one value a
    file (Arrow, NumPy or a list); only files of one value are compared, null being a value. `settings`:
    tuned(threshold), bands that find a pair at the threshold with a probability of .999 or more. UserError for what
    does not fit.
    """
    _check_threshold(threshold)
    settings = settings or tuned(threshold)
    pieces = _pieces(_texts(contents, column))
    with progress.task("measure texts", sum(int(offsets[-1] - offsets[0]) for offsets, _ in pieces), "bytes") as bar:
        measured = together([measure(*piece, settings, bar.advance) for piece in pieces])

    def compare(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        return verify_pieces(pieces, left, right, threshold, settings.tokenisation)

    return near_duplicates_of(measured, compare, threshold, rank, settings, within)


def near_duplicates_of(
    measured: Measured,
    compare: Compare,
    threshold: float,
    rank: ArrayLike | None,
    settings: MinHashSettings,
    within: Any = None,
) -> NearDuplicates:
    """The same of files that have been measured with `settings`, wherever their texts lie: `compare(left, right)` gives
    the exact Jaccard of pairs of file numbers, anything below `threshold` where it is below."""
    _check_threshold(threshold)
    n = len(measured.tokens)
    ranks: NDArray[Any] = np.arange(n) if rank is None else np.asarray(rank)
    if ranks.shape != (n,):
        raise UserError(f"{ranks.size} ranks for {n} texts", "give one rank a text")
    groups = None if within is None else group_numbers(within, n)
    order = np.argsort(ranks, kind="stable")
    order = order[measured.tokens[order] >= settings.shingle]
    best, others, best_of_others = _same_stream(measured.stream, order, groups)
    found = candidate_pairs(measured.bands, best, groups=groups)
    left, right = _likely(measured, found.left, found.right, threshold)
    candidates = len(left)
    jaccard = compare(left, right)
    near = jaccard >= threshold
    left, right, jaccard = left[near], right[near], jaccard[near]

    keeper, similarity = star_clusters(n, left, right, jaccard, ranks, threshold)
    # A file with the token stream of a better one has its shingles too, so it goes where that one goes.
    keeper[others] = keeper[best_of_others]
    similarity[others] = similarity[best_of_others]
    return NearDuplicates(keeper, similarity, left, right, jaccard, candidates, found.capped)


def _likely(
    measured: Measured, left: NDArray[np.int64], right: NDArray[np.int64], threshold: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pairs whose sketches agree in as many places as files at the threshold do: half of the candidates or fewer,
    and what is left out need not be read again."""
    if len(left) == 0:
        return left, right
    from starloom.kernels.pairs import agreement

    least = least_agreement(threshold, measured.sketch.shape[1])
    likely = np.empty(len(left), dtype=bool)
    for start in range(0, len(left), _PAIRS):
        some = slice(start, start + _PAIRS)
        likely[some] = agreement(measured.sketch, left[some], right[some]) >= least
    return left[likely], right[likely]


def group_numbers(within: Any, n: int) -> NDArray[np.int64]:
    """int64[n]: a number for each value of `within`, null one of them; equal values have equal numbers."""
    try:
        values = within if isinstance(within, (pa.Array, pa.ChunkedArray)) else pa.array(within)
        if pa.types.is_dictionary(values.type):  # which may name a value twice
            values = values.cast(values.type.value_type)
        if isinstance(values, pa.ChunkedArray):
            values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)
        values = values.dictionary_encode(null_encoding="encode")
    except (pa.ArrowException, TypeError) as problem:
        raise UserError(f"within: {problem}", "give one value a text: a string, a number or null") from None
    if len(values) != n:
        raise UserError(f"{len(values)} values of within for {n} texts", "give one value a text")
    return np.asarray(values.indices.cast(pa.int64()).fill_null(-1))


def _texts(contents: Any, column: str) -> Any:
    """The array of strings in `contents`."""
    if isinstance(contents, (pa.Table, pa.RecordBatch)):
        if contents.schema.names.count(column) != 1:
            names = ", ".join(contents.schema.names) or "none"
            raise UserError(f"the table has no column {column!r}", f"name one of its columns: {names}")
        contents = contents.column(column)
    if not isinstance(contents, (pa.Array, pa.ChunkedArray)):
        raise UserError(f"contents is a {type(contents).__name__}", "give an Arrow array of strings or an Arrow table")
    kind = contents.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if not any(
        test(kind) for test in (pa.types.is_string, pa.types.is_large_string, _is_string_view, pa.types.is_null)
    ):
        raise UserError(f"contents is an Arrow array of {contents.type}", "give strings, cast to pa.large_string()")
    return contents


def _pieces(texts: Any) -> list[Piece]:
    """The texts where they lie: chunks that are large are not copied."""
    from starloom.kernels.text import text_buffers

    chunks = texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]
    pieces: list[Piece] = []
    some: list[pa.Array] = []
    size = 0
    for chunk in chunks:
        some.append(chunk)
        size += chunk.nbytes
        if size >= _SMALL:
            pieces.append(text_buffers(some[0] if len(some) == 1 else pa.chunked_array(some)))
            some, size = [], 0
    if some or not pieces:
        pieces.append(text_buffers(pa.chunked_array(some, texts.type)))
    return pieces


def _is_string_view(kind: pa.DataType) -> bool:
    return bool(kind == pa.string_view())


def _check_threshold(threshold: float) -> None:
    if not 0.0 < threshold <= 1.0:
        raise UserError(f"threshold = {threshold} is out of range", "use a Jaccard similarity above 0, up to 1")


def _same_stream(
    stream: NDArray[np.uint64], order: NDArray[np.int64], groups: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(the best file of each token stream and group, best first; the other files; the best one of each of those)."""
    keys = [stream[order, 1], stream[order, 0]] + ([] if groups is None else [groups[order]])
    together = np.lexsort(keys)  # stable: in a stream, the best stays first
    new = np.zeros(len(order), dtype=bool)
    new[:1] = True
    for key in keys:
        new[1:] |= key[together[1:]] != key[together[:-1]]
    best_place = np.empty(len(order), dtype=np.int64)
    best_place[together] = together[new][np.cumsum(new) - 1]
    is_best = best_place == np.arange(len(order))
    return order[is_best], order[~is_best], order[best_place[~is_best]]
