"""Of each of several texts the place that is shown: on the line that has most.

What stands on a line counts once for each thing that is sought, however often it stands there; a line may weigh more
beforehand. Of equal lines it is the first, on it the first place.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from starloom.kernels.cache import kernel, leaf
from starloom.kernels.extracts import first_letter
from starloom.kernels.moves import line_begin
from starloom.kernels.text import Bools, Int64s, UInt8s, checked
from starloom.kernels.where import Standing


class Weight(NamedTuple):
    """A line of a text that weighs something: where it begins in there, and the place on it that is shown where nothing
    that is sought stands on it."""

    text: int
    line: int
    weight: int
    start: int
    end: int


def best_places(
    offsets: Int64s,
    data: UInt8s,
    stretches: Sequence[tuple[int, int]],
    standing: Standing,
    weights: Sequence[Weight],
    *,
    letters: bool,
) -> tuple[Int64s, Int64s, Bools]:
    """(starts, ends) of the best place of each text, and whether all that is sought stands in it. stretches[k]: of
    stretch k of `standing` which text it is of, in order, and where in `data` it begins; `weights` in order of texts.
    Where nothing stands in a text and no line weighs anything, its first letter is best if `letters`, else its
    beginning. Raises ValueError for what is not in its text."""
    offsets, data = checked(offsets, data)
    rows = np.array(stretches, np.int64).reshape(-1, 2)
    weighing = np.array(weights, np.int64).reshape(-1, 5)
    if len(rows) != standing.counts.shape[1]:
        raise ValueError("so many stretches are not described")
    best, all_there = np.empty((2, len(offsets) - 1), np.int64), np.empty(len(offsets) - 1, np.bool_)
    room = np.empty((5, int(standing.counts.sum()) + len(weights)), np.int64)
    if not _best(offsets, data, rows, *standing, weighing, room, letters, best, all_there):
        raise ValueError("a stretch is not in its text")
    return best[0], best[1], all_there


@kernel
def _best(
    offsets: Any,
    data: Any,
    stretches: Any,
    counts: Any,
    starts: Any,
    ends: Any,
    weights: Any,
    room: Any,
    letters: bool,
    best: Any,
    all_there: Any,
) -> bool:
    for k in range(len(stretches)):
        i = stretches[k, 0]
        if not (0 <= i < len(offsets) - 1 and offsets[i] <= stretches[k, 1]):
            return False
        for term in range(len(counts)):
            many = counts[term, k]
            if many > 0 and stretches[k, 1] + ends[term, k, many - 1] > offsets[i + 1]:
                return False
    lines, points, seen, first, first_end = room[0], room[1], room[2], room[3], room[4]
    stretch = weight = 0
    for i in range(len(offsets) - 1):
        text = data[offsets[i] : offsets[i + 1]]
        many = 0
        upto = stretch
        while upto < len(stretches) and stretches[upto, 0] == i:
            upto += 1
        all_there[i] = True
        for term in range(len(counts)):
            there = False
            for k in range(stretch, upto):
                there |= counts[term, k] > 0
                origin = stretches[k, 1] - offsets[i]
                line = passed = origin
                for n in range(counts[term, k]):
                    start, end = origin + starts[term, k, n], origin + ends[term, k, n]
                    found = line_begin(text, passed, start)
                    line = found if found > passed else line
                    passed = start
                    at = _place(lines, many, line)
                    if at == many or lines[at] != line:
                        many = _inserted(room, at, many)
                        lines[at], points[at], seen[at], first[at], first_end[at] = line, 0, -1, start, end
                    if seen[at] != term:
                        seen[at] = term
                        points[at] += 1
                    if start < first[at] or (start == first[at] and end < first_end[at]):
                        first[at], first_end[at] = start, end
            all_there[i] &= there
        stretch = upto
        while weight < len(weights) and weights[weight, 0] == i:
            line = weights[weight, 1]
            at = _place(lines, many, line)
            if at == many or lines[at] != line:
                many = _inserted(room, at, many)
                lines[at], points[at] = line, 0
                first[at], first_end[at] = weights[weight, 3], weights[weight, 4]
            points[at] += weights[weight, 2]
            weight += 1
        if many:
            at = 0
            for k in range(many):
                at = k if points[k] > points[at] else at
            best[0, i], best[1, i] = first[at], first_end[at]
        else:
            letter = first_letter(text, 0, len(text)) if letters else 0
            best[0, i] = best[1, i] = letter if letter < len(text) else 0
    return True


@leaf
def _place(lines: Any, many: Any, line: Any) -> Any:
    """Where a line is, or would be, among lines[:many], which are in order."""
    low, high = 0, many
    while low < high:
        middle = (low + high) >> 1
        if lines[middle] < line:
            low = middle + 1
        else:
            high = middle
    return low


@leaf
def _inserted(room: Any, at: Any, many: Any) -> Any:
    """Makes room for one at a place; returns how many there are then."""
    for row in range(len(room)):
        for k in range(many, at, -1):
            room[row, k] = room[row, k - 1]
    return many + 1
