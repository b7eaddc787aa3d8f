"""Of several texts the lines around a place, each cut to what is shown of it.

A line ends at "\\n" alone; a "\\r" before that is not shown. A line beside that of the place is left out where nothing
is on it. Cost: line ends before the place are counted, characters in the lines.
"""

from typing import Any, NamedTuple

import numpy as np

from starloom.kernels.cache import kernel, leaf
from starloom.kernels.counting import continuation_bytes, newlines
from starloom.kernels.decoding import code_point
from starloom.kernels.moves import back, forward, line_begin
from starloom.kernels.swar import line_end
from starloom.kernels.text import Int64s, UInt8s, checked, frozen

_RETURN = np.uint8(0x0D)


class Row(NamedTuple):
    """data[left:right] is shown of a line of text `text`; `cut_left`, `cut_right`: something of it is not. `number`: of
    the line, from 1; `best`: it is that of the place."""

    text: int
    number: int
    best: bool
    left: int
    right: int
    cut_left: bool
    cut_right: bool


def extracts(offsets: Int64s, data: UInt8s, starts: Int64s, ends: Int64s, width: int, lead: int) -> list[Row]:
    """The rows of each text, in order: the line of text[start], and those before and behind it. `width`: characters
    shown of a line; where it is longer, and text[start:end] is not among the first, `lead` of them before that. Raises
    ValueError for a place that is outside its text."""
    offsets, data = checked(offsets, data)
    starts, ends = frozen(starts, np.int64), frozen(ends, np.int64)
    if len(starts) != len(offsets) - 1 or len(ends) != len(starts):
        raise ValueError("each text has a place")
    rows = np.empty((3 * len(starts), len(Row._fields)), np.int64)
    found = _extracts(offsets, data, starts, ends, width, lead, rows)
    if found < 0:
        raise ValueError("a place is outside its text")
    return [Row(*row) for row in rows[:found].tolist()]


@kernel
def _extracts(offsets: Any, data: Any, starts: Any, ends: Any, width: int, lead: int, rows: Any) -> int:
    found = 0
    for i in range(len(starts)):
        text = data[offsets[i] : offsets[i + 1]]
        start = starts[i]
        if not 0 <= start <= len(text):
            return -1
        begin, stop = line_begin(text, 0, start), line_end(text, start)
        number = 1 + newlines(text[:begin])
        first = found
        if begin > 0:
            before = line_begin(text, 0, begin - 1)
            if not blank(text, before, begin - 1):
                _cut(text, before, begin - 1, start, ends[i], width, lead, rows[found])
                rows[found, 1], rows[found, 2] = number - 1, 0
                found += 1
        _cut(text, begin, stop, start, ends[i], width, lead, rows[found])
        rows[found, 1], rows[found, 2] = number, 1
        found += 1
        if stop < len(text):
            after = line_end(text, stop + 1)
            if not blank(text, stop + 1, after):
                _cut(text, stop + 1, after, start, ends[i], width, lead, rows[found])
                rows[found, 1], rows[found, 2] = number + 1, 0
                found += 1
        for row in range(first, found):
            rows[row, 0] = i
            rows[row, 3] += offsets[i]
            rows[row, 4] += offsets[i]
    return found


@leaf
def _cut(text: Any, begin: Any, stop: Any, start: Any, end: Any, width: Any, lead: Any, row: Any) -> None:
    """The rest of the row of the line text[begin:stop], counted from the beginning of the text."""
    if stop > begin and text[stop - 1] == _RETURN:
        stop -= 1
    left = begin
    if begin <= start < stop and end > forward(text, begin, stop, width - lead):
        size = stop - begin
        if size > width and size - continuation_bytes(text[begin:stop]) > width:
            left = min(back(text, begin, start, lead), back(text, begin, stop, width))
    right = forward(text, left, stop, width)
    row[3], row[4] = left, right
    row[5], row[6] = left > begin, right < stop


@leaf
def blank(text: Any, start: Any, stop: Any) -> bool:
    """Whether nothing but white space, as Python's `str` has it, stands in text[start:stop]."""
    return bool(first_letter(text, start, stop) == stop)


@leaf
def first_letter(text: Any, start: Any, stop: Any) -> Any:
    """Where the first character stands that is no white space; `stop` where there is none."""
    p = start
    while p < stop:
        byte = text[p]
        if byte < 0x80:
            if not (9 <= byte <= 13 or 28 <= byte <= 32):
                break
            p += 1
        else:
            point, following = code_point(text, p, stop)
            if not _is_space(point):
                break
            p = following
    return p


@leaf
def _is_space(point: Any) -> bool:
    """Of characters beyond ASCII."""
    if point < 0x2000:
        return bool(point == 0x85 or point == 0xA0 or point == 0x1680)
    return bool(point <= 0x200A or point in (0x2028, 0x2029, 0x202F, 0x205F, 0x3000))
