"""Where the copies of a content come from, and whether their paths agree about its licence."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Files(NamedTuple):
    """What is asked of each file, by repository and path."""

    content: NDArray[np.int64]  # its number; -1: it has none
    counts: NDArray[np.bool_]  # an empty file is nobody's, and no copy of another
    is_vendor: NDArray[np.bool_]
    is_dated: NDArray[np.bool_]
    first_seen: NDArray[np.int64]  # where it is dated
    kind: NDArray[np.int64]  # of the licence that its path tells: a small number


class Origins(NamedTuple):
    is_copied: NDArray[np.bool_]  # of each file, whether its content has several copies
    best: NDArray[np.int64]  # the file that is its origin; -1: it is not copied, or its copies are in conflict


def origins(files: Files) -> Origins:
    """Copies that are not vendored, if there are any, may be the origin. Where all of those agree, or all are dated and
    the earliest agree, the earliest of them is; else the copies are in conflict."""
    size = int(files.content.max(initial=-1)) + 1
    counted = files.counts & (files.content >= 0)
    several = np.bincount(files.content[counted], minlength=size) > 1
    somewhere_own = np.zeros(size, np.bool_)
    somewhere_own[files.content[counted & ~files.is_vendor]] = True
    is_copied = (files.content >= 0) & np.append(several, False)[files.content]
    rows = np.flatnonzero(is_copied & ~(files.is_vendor & np.append(somewhere_own, False)[files.content]))
    content, dated, seen = files.content[rows], files.is_dated[rows], files.first_seen[rows]

    earliest = np.full(size, np.iinfo(np.int64).max)
    np.minimum.at(earliest, content[dated], seen[dated])
    undated = np.zeros(size, np.bool_)
    undated[content[~dated]] = True
    told = _agree(size, content, files.kind[rows])[content] | (~undated[content] & (seen == earliest[content]))
    rows, content, dated, seen = rows[told], content[told], dated[told], seen[told]

    order = np.lexsort((rows, np.where(dated, seen, 0), ~dated))[::-1]
    best = np.full(size + 1, -1, np.int64)
    best[content[order]] = rows[order]  # the last that is written is the earliest
    best[:-1][~_agree(size, content, files.kind[rows])] = -1
    return Origins(is_copied, np.where(is_copied, best[files.content], -1))


def _agree(size: int, content: NDArray[np.int64], kind: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Of contents by number: whether all their files here are of one kind."""
    kinds = np.zeros(size, np.int64)
    np.bitwise_or.at(kinds, content, 1 << kind)
    one: NDArray[np.bool_] = (kinds & (kinds - 1)) == 0
    return one
