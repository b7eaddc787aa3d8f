"""Where lines of a number begin, in several texts. A line ends at "\\n" alone.

Line ends are counted in 64 bytes at once: to go from one to the next took most of the time where lines are short.
"""

from typing import Any

import numpy as np

from starloom.kernels.cache import kernel, leaf
from starloom.kernels.text import Int64s, UInt8s, checked, frozen
from starloom.kernels.vectors import BITS, equal, lowest, ones

_NEWLINE, _ONE = np.uint8(0x0A), np.uint64(1)


def line_starts(offsets: Int64s, data: UInt8s, texts: Int64s, numbers: Int64s) -> Int64s:
    """Where line numbers[k], from 1 on, of text texts[k] begins in it; -1 where there is none: behind the last line's
    end begins another. Raises ValueError for a text that is not there."""
    offsets, data = checked(offsets, data)
    texts, numbers = frozen(texts, np.int64), frozen(numbers, np.int64)
    if len(texts) != len(numbers) or (texts < 0).any() or (texts >= len(offsets) - 1).any():
        raise ValueError("lines of a text that is not there")
    starts = np.empty(len(texts), np.int64)
    _line_starts(offsets, data, texts, numbers, starts)
    return starts


@kernel
def _line_starts(offsets: Any, data: Any, texts: Any, numbers: Any, starts: Any) -> None:
    for k in range(len(texts)):
        text = data[offsets[texts[k]] : offsets[texts[k] + 1]]
        starts[k] = behind(text, numbers[k] - 1)


@leaf
def behind(text: Any, ends: Any) -> Any:
    """Where so many line ends are passed; -1 where there are fewer."""
    p = 0
    while ends > 0 and p + BITS <= len(text):
        bits = equal(text, p, _NEWLINE)
        many = ones(bits)
        if many >= ends:
            for _ in range(ends - 1):
                bits &= bits - _ONE
            return p + lowest(bits) + 1
        ends -= many
        p += BITS
    while ends > 0:
        if p == len(text):
            return -1
        ends -= text[p] == _NEWLINE
        p += 1
    return p
