"""Lines of one text by number and by place, for what is shown of it to a person. A line ends at "\\n" alone.

Cost: 1.5 us, and some 20 GB/s for what is before the line.
"""

from typing import Any, NamedTuple

import numpy as np

from starloom.kernels.cache import kernel
from starloom.kernels.counting import newlines
from starloom.kernels.swar import line_end

_NEWLINE = np.uint8(0x0A)


class Line(NamedTuple):
    """data[begin:stop], its `number` from 1; data[before:begin - 1] is the line before, data[stop + 1:after] that
    behind; where there is none, `before` is `begin`, `after` is `stop`."""

    number: int
    before: int
    begin: int
    stop: int
    after: int


def line_at(data: bytes, place: int) -> Line:
    """The line on which a place is. Raises ValueError for one that is outside the text."""
    if not 0 <= place <= len(data):
        raise ValueError(f"a text of {len(data)} bytes has no place {place}")
    return Line(*_line_at(np.frombuffer(data, dtype=np.uint8), place))


def line_start(data: bytes, number: int) -> int | None:
    """Where the line of a number begins; None where there is none: behind the last line's end begins another."""
    start = _line_start(np.frombuffer(data, dtype=np.uint8), number)
    return None if start < 0 else start


@kernel
def _line_at(data: Any, place: int) -> Any:
    number = 1 + newlines(data[:place])
    begin = place
    while begin > 0 and data[begin - 1] != _NEWLINE:
        begin -= 1
    before = begin
    if begin > 0:
        before -= 1
        while before > 0 and data[before - 1] != _NEWLINE:
            before -= 1
    stop = line_end(data, place)
    after = line_end(data, stop + 1) if stop < len(data) else stop
    return number, before, begin, stop, after


@kernel
def _line_start(data: Any, number: int) -> int:
    start = 0
    for _ in range(number - 1):
        start = line_end(data, start) + 1
        if start > len(data):
            return -1
    return start
