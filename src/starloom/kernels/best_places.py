"""Of each of several texts the place that is shown: on the line that has most.

What stands on a line counts once for each thing that is sought, however often it stands there; a line may weigh more
beforehand. Of equal lines it is the first, on it the first place. Cost: some 50 ns for each place.
"""

from typing import Any, NamedTuple

import numpy as np

from starloom.kernels.cache import kernel, leaf
from starloom.kernels.extracts import first_letter
from starloom.kernels.moves import line_begin
from starloom.kernels.text import Bools, Int64s, UInt8s, checked, frozen
from starloom.kernels.where import Standing


class Weights(NamedTuple):
    """Lines that weigh something, in order of their texts: `lines` begin there in text `texts`; `starts`, `ends`: the
    place on it that is shown where nothing that is sought stands on it."""

    texts: Int64s
    lines: Int64s
    weights: Int64s
    starts: Int64s
    ends: Int64s


def best_places(
    offsets: Int64s,
    data: UInt8s,
    texts: Int64s,
    firsts: Int64s,
    standing: Standing,
    weights: Weights,
    *,
    letters: bool,
) -> tuple[Int64s, Int64s, Bools]:
    """(starts, ends) of the best place of each text, and whether all that is sought stands in it. Stretch k of
    `standing` is of texts[k], in order, and begins at firsts[k] of `data`. Where nothing stands in a text and no line
    weighs anything, its first letter is best if `letters`, else its beginning. Raises ValueError for stretches of texts
    that are not there."""
    offsets, data = checked(offsets, data)
    texts, firsts = frozen(texts, np.int64), frozen(firsts, np.int64)
    if len(texts) != len(firsts) or len(texts) != standing.counts.shape[1]:
        raise ValueError("so many stretches are not described")
    if len(texts) and (texts[0] < 0 or texts[-1] > len(offsets) - 2 or (np.diff(texts) < 0).any()):
        raise ValueError("stretches of texts that are not there")
    best, all_there = np.empty((2, len(offsets) - 1), np.int64), np.empty(len(offsets) - 1, np.bool_)
    room = np.empty((5, int(standing.counts.sum()) + len(weights.texts)), np.int64)
    _best(offsets, data, texts, firsts, *standing, frozen(np.stack(weights), np.int64), room, letters, best, all_there)
    return best[0], best[1], all_there


@kernel
def _best(
    offsets: Any,
    data: Any,
    texts: Any,
    firsts: Any,
    counts: Any,
    starts: Any,
    ends: Any,
    weights: Any,
    room: Any,
    letters: bool,
    best: Any,
    all_there: Any,
) -> None:
    lines, points, seen, first, first_end = room[0], room[1], room[2], room[3], room[4]
    stretch = weight = 0
    for i in range(len(offsets) - 1):
        text = data[offsets[i] : offsets[i + 1]]
        many = 0
        upto = stretch
        while upto < len(texts) and texts[upto] == i:
            upto += 1
        all_there[i] = True
        for term in range(len(counts)):
            there = False
            for k in range(stretch, upto):
                there |= counts[term, k] > 0
                origin = firsts[k] - offsets[i]
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
        while weight < weights.shape[1] and weights[0, weight] == i:
            line = weights[1, weight]
            at = _place(lines, many, line)
            if at == many or lines[at] != line:
                many = _inserted(room, at, many)
                lines[at], points[at] = line, 0
                first[at], first_end[at] = weights[3, weight], weights[4, weight]
            points[at] += weights[2, weight]
            weight += 1
        if many:
            at = 0
            for k in range(many):
                at = k if points[k] > points[at] else at
            best[0, i], best[1, i] = first[at], first_end[at]
        else:
            letter = first_letter(text, 0, len(text)) if letters else 0
            best[0, i] = best[1, i] = letter if letter < len(text) else 0


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
