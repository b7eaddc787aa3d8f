r"""What a file must have to be a hit, asked of its filter of grams before its text is unpacked.

A text's filter (`kernels/gram_filters`) is a column of its row. The index finds the files that have a piece's rarest
trigrams: a large file has them all; its filter says of nine in ten such files that the piece itself is not there. A run
of blanks counts as one in it, so that `foo[ \t]*bar` is asked for as `foobar` or `foo bar`.
"""

import itertools
from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from starloom.kernels.gram_filters import Filters, gram_filters, gram_hashes
from starloom.kernels.text import Int64s
from starloom.search import required
from starloom.search.needs import Every, Has, Needed, Said, every, some
from starloom.search.nodes import All, Any, Exact, Node, Pattern, Word, fold

May: TypeAlias = Callable[[Filters, Int64s], NDArray[np.bool_]]  # of rows, which may be hits


def filters_of(texts: Iterable[bytes]) -> list[bytes]:
    """The filter of each text, for its row."""
    folded = [text if text.isascii() else fold(text.decode()).encode() for text in texts]
    offsets = np.cumsum([0, *map(len, folded)], dtype=np.int64)
    bounds, filters = gram_filters(offsets, np.frombuffer(b"".join(folded), dtype=np.uint8))
    return [filters[start:end].tobytes() for start, end in itertools.pairwise(bounds.tolist())]


def in_column(column: pa.Array) -> Filters:
    """Those of all rows, as they are mapped."""
    _, offsets, data = column.buffers()
    if not len(column) or data is None:
        return Filters(np.zeros(len(column) + 1, dtype=np.int64), np.zeros(0, dtype=np.uint8))
    bounds = np.frombuffer(offsets, dtype=np.int64)[column.offset : column.offset + len(column) + 1]
    return Filters(bounds, np.frombuffer(data, dtype=np.uint8))


def may(node: Node | None) -> May | None:
    """What the filters say of a query; None: nothing."""
    needed = _needed(node) if node is not None else None
    return None if needed is None else _asked(needed)


def _needed(node: Node) -> Needed:
    """What is in each text that `node` holds for."""
    if isinstance(node, Word | Exact):
        return Has(fold(node.text))
    if isinstance(node, Pattern):
        return required.needed(node, closely=True)
    if isinstance(node, All):
        return every([_needed(part) for part in node.parts])
    if isinstance(node, Any):
        return some([_needed(part) for part in node.parts])
    return None  # a filter, an exclusion


def _asked(needed: Said) -> May | None:
    if isinstance(needed, Has):
        hashes = gram_hashes(needed.text.encode())
        return (lambda filters, rows: filters.having(hashes, rows)) if len(hashes) else None
    parts = [_asked(part) for part in needed.parts]
    known = [part for part in parts if part is not None]
    if isinstance(needed, Every):
        return _in_turn(known, True) if known else None
    return _in_turn(known, False) if len(known) == len(parts) else None


def _in_turn(parts: list[May], of_all: bool) -> May:
    """Each is asked of what those before it left open: to look into a filter is to wait for the memory."""

    def told(filters: Filters, rows: Int64s) -> NDArray[np.bool_]:
        may = parts[0](filters, rows)
        for part in parts[1:]:
            left = np.flatnonzero(may == of_all)
            may[left] = part(filters, rows[left])
        return may

    return told
