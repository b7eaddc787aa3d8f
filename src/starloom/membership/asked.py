"""The text of a question, and the way from bytes of its fold to characters and lines of it."""

from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.kernels.text import Int64s, UInt8s

MOST_BYTES: Final = 8 << 20  # of a text


class Asked:
    """`query`: the fold."""

    def __init__(self, text: str) -> None:
        """Raises UserError for a text above 8 MB, for one that is no Unicode (lone surrogates)."""
        from starloom.kernels.fold import fold_with_map

        data = _encoded(text)
        self.text = text
        self.query: UInt8s
        self._sources: Int64s
        self.query, self._sources = fold_with_map(data)
        self._data = data
        self._ascii = len(data) == len(text)

    def chars(self, start: int, end: int) -> tuple[int, int]:
        """Characters of the text, for bytes of its fold that begin and end with whole ones."""
        first, last = int(self._sources[start]), int(self._sources[end - 1])
        if not self._ascii:
            first, last = int(self._character[first]), int(self._character[last])
        return first, last + 1

    def characters_at(self, starts: Int64s, ends: Int64s) -> tuple[NDArray[Any], NDArray[Any]]:
        """`chars` of many."""
        bytes_ = self._sources[starts], self._sources[ends - 1]
        first, last = bytes_ if self._ascii else (self._character[one] for one in bytes_)
        return first, last + 1

    def lines(self, first: int, last: int) -> tuple[int, int]:
        """The lines, counted from 1, of the first and the last of these characters of the text."""
        one, two = np.searchsorted(self._line_ends, [first, last - 1])
        return int(one) + 1, int(two) + 1

    def characters(self, start: int, end: int) -> int:
        """How many characters these bytes of the fold are."""
        if self._ascii:
            return end - start
        if (start, end) == (0, len(self.query)):
            return int(np.count_nonzero(self._begins))
        return int(self._before[end] - self._before[start])

    def share(self, covered: NDArray[np.bool_]) -> float:
        """The share of the fold's characters whose bytes are covered."""
        if not len(covered):
            return 0.0
        if self._ascii:
            return float(covered.mean())
        return float(np.count_nonzero(covered & self._begins) / np.count_nonzero(self._begins))

    @cached_property
    def _begins(self) -> NDArray[np.bool_]:
        """Which bytes of the fold begin a character."""
        found: NDArray[np.bool_] = (self.query & 0xC0) != 0x80
        return found

    @cached_property
    def _before(self) -> NDArray[np.int32]:
        """Of each byte of the fold, how many characters begin before it."""
        found = np.zeros(len(self.query) + 1, dtype=np.int32)
        np.cumsum(self._begins, out=found[1:])
        return found

    @cached_property
    def _character(self) -> NDArray[np.int32]:
        """Of each byte of the text, its character."""
        return np.cumsum((self._data & 0xC0) != 0x80, dtype=np.int32) - np.int32(1)

    @cached_property
    def _line_ends(self) -> NDArray[Any]:
        """Characters that end a line."""
        ends = np.flatnonzero(self._data == 0x0A)
        return ends if self._ascii else self._character[ends]


def _encoded(text: str) -> UInt8s:
    try:
        data = text.encode()
    except UnicodeEncodeError as problem:
        raise UserError(
            f"the text is no Unicode: a lone surrogate at character {problem.start:,}",
            "decode the file it came from strictly, in its own encoding",
        ) from None
    if len(data) > MOST_BYTES:
        raise UserError(
            f"the text has {len(data):,} bytes, more than {MOST_BYTES:,}", "check it in pieces, or file by file"
        )
    return np.frombuffer(data, dtype=np.uint8)
