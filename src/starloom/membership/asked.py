"""The text of a question, and the way from bytes of its fold to characters and lines of it."""

from typing import Final

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
        ascii_only = len(data) == len(text)
        # of each byte of the text, its character; of each byte of the fold, characters that begin before it
        self._character = None if ascii_only else np.cumsum((data & 0xC0) != 0x80) - 1
        self._before = None if ascii_only else np.concatenate(([0], np.cumsum((self.query & 0xC0) != 0x80)))
        self._data = data
        self._line_ends: Int64s | None = None

    def chars(self, start: int, end: int) -> tuple[int, int]:
        """Characters of the text, for bytes of its fold that begin and end with whole ones."""
        first, last = int(self._sources[start]), int(self._sources[end - 1])
        if self._character is not None:
            first, last = int(self._character[first]), int(self._character[last])
        return first, last + 1

    def lines(self, first: int, last: int) -> tuple[int, int]:
        """The lines, counted from 1, of the first and the last of these characters of the text."""
        if self._line_ends is None:
            ends = np.flatnonzero(self._data == 0x0A)
            self._line_ends = ends if self._character is None else self._character[ends]
        one, two = np.searchsorted(self._line_ends, [first, last - 1])
        return int(one) + 1, int(two) + 1

    def characters(self, start: int, end: int) -> int:
        """How many characters these bytes of the fold are."""
        return end - start if self._before is None else int(self._before[end] - self._before[start])

    def share(self, covered: NDArray[np.bool_]) -> float:
        """The share of the fold's characters whose bytes are covered."""
        if self._before is None:
            return float(covered.mean()) if len(covered) else 0.0
        begins = (self.query & 0xC0) != 0x80
        return float(covered[begins].mean()) if len(covered) else 0.0


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
            f"the text has {len(data):,} bytes, more than {MOST_BYTES:,}",
            "check it in pieces, or file by file",
        )
    return np.frombuffer(data, dtype=np.uint8)
