"""Groups of pieces in a text: whether one of each stands in it, and the lines on which they stand together.

As arrays: all pieces one behind the other with their masks (`seek`), where each ends, of each `Seeker.longest`, and
where the pieces of each group end. Groups come in this order: those that shall be absent, those that must be in the
text, those that must be on one line.
"""

from typing import Any, Final

from starloom.kernels.cache import leaf
from starloom.kernels.index_terms import is_word
from starloom.kernels.seek import find
from starloom.kernels.swar import line_end

_NEWLINE: Final = 0x0A


@leaf
def in_text(
    data: Any, pieces: Any, masks: Any, ends: Any, longest: Any, groups: Any, absent: Any, first_on_line: Any
) -> Any:
    """Whether the groups in the text are met, and those that shall be absent are not."""
    for k in range(first_on_line):
        group = absent + k if absent + k < first_on_line else absent + k - first_on_line  # what must be there first
        if _met(data, pieces, masks, ends, longest, groups, group) != (group >= absent):
            return False
    return True


@leaf
def _met(data: Any, pieces: Any, masks: Any, ends: Any, longest: Any, groups: Any, group: Any) -> Any:
    """Whether one of the pieces of a group stands in `data`."""
    met = False
    for k in range(groups[group], groups[group + 1]):
        met = met or _next(data, 0, pieces, masks, ends, longest, k) >= 0
    return met


@leaf
def _next(data: Any, at: Any, pieces: Any, masks: Any, ends: Any, longest: Any, k: Any) -> Any:
    """Where piece k stands next, from a place on; -1: nowhere."""
    piece, mask = pieces[ends[k] : ends[k + 1]], masks[ends[k] : ends[k + 1]]
    at = find(data, at, piece, mask)
    if longest[k]:
        while at >= 0 and not is_word(data, at, at + len(piece), longest[k]):
            at = find(data, at + 1, piece, mask)
    return at


@leaf
def on_lines(
    data: Any,
    pieces: Any,
    masks: Any,
    ends: Any,
    longest: Any,
    groups: Any,
    first: Any,
    following: Any,
    lines: Any,
    size: Any,
) -> Any:
    """Writes the lines on which the groups from `first` on are met, from lines[size] on; returns where they end. Each
    group is sought from the line on where another stands next, so what is seldom there spares a look at the rest."""
    last = len(groups) - 1
    for k in range(groups[first], groups[last]):
        following[k] = -2  # not sought yet
    line = 0  # what is before was looked at
    place = 0
    while True:
        behind = place  # the furthest of the groups' next places
        for group in range(first, last):
            here = _group_next(data, line, pieces, masks, ends, longest, groups, group, following)
            if here < 0:
                return size
            behind = max(behind, here)
        start, end = behind, line_end(data, behind)
        while start > line and data[start - 1] != _NEWLINE:
            start -= 1
        met = True
        for group in range(first, last):
            here = _group_next(data, start, pieces, masks, ends, longest, groups, group, following)
            if here < 0:
                return size
            if here >= end:
                met, place = False, here
                break
        line = start
        if met:
            for k in range(end - start):
                lines[size + k] = data[start + k]
            size += end - start + 1
            lines[size - 1] = _NEWLINE
            line = place = end + 1


@leaf
def _group_next(
    data: Any, at: Any, pieces: Any, masks: Any, ends: Any, longest: Any, groups: Any, group: Any, following: Any
) -> Any:
    """Where one of the pieces of a group stands next, from a place on; -1: nowhere. `following`: what is known."""
    place = -1
    for k in range(groups[group], groups[group + 1]):
        if following[k] == -2 or 0 <= following[k] < at:
            following[k] = _next(data, at, pieces, masks, ends, longest, k)
        if following[k] >= 0 and (place < 0 or following[k] < place):
            place = following[k]
    return place
