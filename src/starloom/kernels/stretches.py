"""Equal stretches of two texts: their ends, and the choice of those to show.

Cost: choosing is near-linear in the bytes asked about and in the stretches, however these overlap.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from starloom.kernels import bits, slots
from starloom.kernels.cache import kernel, leaf
from starloom.kernels.counting import continues
from starloom.kernels.text import Bools, Int64s, UInt8s, frozen
from starloom.kernels.tiles import WIDTH
from starloom.kernels.vectors import ones

_NEWLINE, _SPACE = np.uint8(0x0A), np.uint8(0x20)
_MANY = 12  # bits of blocks of which is known how much of them is covered
_ALL = np.uint64(2**64 - 1)


class Stretches(NamedTuple):
    """Equal stretches of the text asked about and of a file: bytes start to end (exclusive) of the one are bytes
    position to position + end - start of the other, both folded."""

    file: Int64s
    start: Int64s
    end: Int64s
    position: Int64s


def apart(offsets: Int64s, width: int) -> Bools:
    """Which of these ascending offsets to take so that they are at least a width apart, the first among them."""
    taken = np.zeros(len(offsets), dtype=np.bool_)
    _apart(frozen(offsets, np.int64), width, taken)
    return taken


def trimmed(query: UInt8s, stretches: Stretches, width: int = WIDTH) -> Stretches:
    """Without what is no whole character, or white space, at their ends; what is then below `width` is left out.

    Raises ValueError for a stretch outside `query`.
    """
    query = frozen(query, np.uint8)
    if len(stretches.start) and (stretches.start.min() < 0 or stretches.end.max() > len(query)):
        raise ValueError("a stretch lies outside the text")
    starts, ends = stretches.start.copy(), stretches.end.copy()
    _trim(query, starts, ends)
    kept = ends - starts >= width
    position = stretches.position + starts - stretches.start
    return Stretches(stretches.file[kept], starts[kept], ends[kept], position[kept])


def chosen(starts: Int64s, ends: Int64s, size: int, least: int, groups: Int64s | None = None) -> NDArray[np.int64]:
    """Which stretches of a text of `size` bytes to show: few, that cover nearly all that is covered. Of several texts
    one after the other, of each its own: `groups` bound their stretches, and none reaches into another text.

    In several passes, longest first, each takes those that add at least so many bytes to what was taken: in the first
    pass as many as the longest has, then half as many, …, at last `least`. Of equally long ones the first comes first,
    then the lower number.
    """
    starts, ends = frozen(starts, np.int64), frozen(ends, np.int64)
    if len(starts) and (starts.min() < 0 or ends.max() > size):
        raise ValueError("a stretch lies outside the text")
    if groups is None:
        groups = np.array([0, len(starts)])
        order = np.lexsort((starts, starts - ends))
    else:
        order = np.lexsort((starts, starts - ends, np.repeat(np.arange(len(groups) - 1), np.diff(groups))))
    order, groups = frozen(order, np.int64), frozen(groups, np.int64)
    covered = np.zeros(bits.words_of(size), dtype=np.uint64)  # a bit for each byte that is
    many = np.zeros((size >> _MANY) + 1, dtype=np.int64)  # covered bytes of each block
    found: NDArray[np.int64] = _chosen(starts, ends, order, groups, covered, many, least)
    return found


def holders(stretches: Stretches, starts: Int64s, ends: Int64s, width: int) -> tuple[Int64s, Int64s, Int64s]:
    """(bounds int64[n + 1], rows, lacks): of each of n spans, the stretches (sorted by start) that have all of it but
    less than `width` bytes, one of each file: the one that lacks least. By what they lack, then by file.
    """
    found = Stretches(*(frozen(column, np.int64) for column in stretches))
    starts, ends = frozen(starts, np.int64), frozen(ends, np.int64)
    reach = frozen(np.maximum.accumulate(found.end), np.int64)
    bounds = np.zeros(len(starts) + 1, dtype=np.int64)
    files = slots.table(len(found.file))
    best = np.empty(len(files), dtype=np.int64)
    span, rows, lacks = _holders(*found[:3], reach, starts, ends, width, files, best, bounds)
    file = found.file[rows]
    if len(starts) * width < 2**31 and (not len(file) or 0 <= file.min() <= file.max() < 2**32):  # all in one number
        order = np.argsort((span * width + lacks) << 32 | file)
    else:
        order = np.lexsort((file, lacks, span))
    return bounds, rows[order], lacks[order]


@kernel
def _holders(
    file: Any,
    start: Any,
    end: Any,
    reach: Any,
    starts: Any,
    ends: Any,
    width: int,
    files: Any,
    best: Any,
    bounds: Any,
) -> Any:
    room = 64
    span, rows, lacks = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int64)
    found = 0
    for k in range(len(starts)):
        begun = found
        low, high = 0, len(start)  # stretches that begin before starts[k] + width
        while low < high:
            middle = (low + high) >> 1
            if start[middle] < starts[k] + width:
                low = middle + 1
            else:
                high = middle
        row = low - 1
        while row >= 0 and reach[row] > ends[k] - width:
            lack = max(start[row] - starts[k], 0) + max(ends[k] - end[row], 0)
            if lack < width:
                place = slots.slot(files, file[row])
                at = best[place] if files[place] != slots.FREE else -1
                if at >= begun:
                    if lack <= lacks[at]:
                        rows[at], lacks[at] = row, lack
                else:
                    if found == room:
                        room *= 2
                        bigger = np.empty(room, np.int64)
                        bigger[:found] = span
                        span = bigger
                        bigger = np.empty(room, np.int64)
                        bigger[:found] = rows
                        rows = bigger
                        bigger = np.empty(room, np.int64)
                        bigger[:found] = lacks
                        lacks = bigger
                    files[place], best[place] = file[row], found
                    span[found], rows[found], lacks[found] = k, row, lack
                    found += 1
            row -= 1
        bounds[k + 1] = found
    return span[:found], rows[:found], lacks[:found]


@kernel
def _apart(offsets: Any, width: int, taken: Any) -> None:
    free = np.int64(-1)  # from where on the next may be
    for k in range(len(offsets)):
        if offsets[k] >= free:
            taken[k] = True
            free = offsets[k] + width


@kernel
def _trim(query: Any, starts: Any, ends: Any) -> None:
    for k in range(len(starts)):
        a, b = starts[k], ends[k]
        while a < b < len(query) and continues(query[b]):
            b -= 1
        while a < b and continues(query[a]):
            a += 1
        while a < b and (query[a] == _SPACE or query[a] == _NEWLINE):
            a += 1
        while a < b and (query[b - 1] == _SPACE or query[b - 1] == _NEWLINE):
            b -= 1
        starts[k], ends[k] = a, b


@kernel
def _chosen(starts: Any, ends: Any, order: Any, groups: Any, covered: Any, many: Any, least: int) -> Any:
    taken = np.empty(len(order), dtype=np.int64)
    count = 0
    for group in range(len(groups) - 1):
        first, stop = groups[group], groups[group + 1]
        limit = ends[order[first]] - starts[order[first]] if first < stop else 0
        while limit >= least:
            for k in range(first, stop):
                start, end = starts[order[k]], ends[order[k]]
                if end - start < limit:
                    break
                if end - start - _covered(covered, many, start, end) < limit:
                    continue
                taken[count] = order[k]
                count += 1
                _cover(covered, many, start, end)
            if limit == least:
                break
            limit = max(limit // 2, least)
    return taken[:count]


@leaf
def _covered(covered: Any, many: Any, start: Any, end: Any) -> Any:
    """How many of the bytes are: by blocks, and at both ends by words."""
    found: Any = 0
    p = start
    while p < end:
        stop = ((p >> _MANY) + 1) << _MANY
        if stop - p == 1 << _MANY and stop <= end:
            found += many[p >> _MANY]
        else:
            found += bits.count(covered, p, min(stop, end))
        p = stop
    return found


@leaf
def _cover(covered: Any, many: Any, start: Any, end: Any) -> None:
    for word in range(start >> 6, (end + 63) >> 6):
        first, last = max(start - (word << 6), 0), min(end - (word << 6), 64) - 1
        mask = _ALL << np.uint64(first) & _ALL >> np.uint64(63 - last)
        many[word >> (_MANY - 6)] += ones(mask & ~covered[word])
        covered[word] |= mask
