"""How many characters of a text count, white space folded: those of a stretch, of several together, of added lines."""

from collections.abc import Iterable, Sequence

import numpy as np

from starloom.kernels.fold import fold_with_map


class Measured:
    """A text whose stretches are measured. `added`: the lines that count, counted from `first_line`; None: all."""

    def __init__(self, text: str, added: Sequence[int] | None = None, first_line: int = 1) -> None:
        data = np.frombuffer(text.encode(), dtype=np.uint8)
        folded, sources = fold_with_map(data)
        ascii_ = len(data) == len(text)
        if not ascii_:
            sources = sources[(folded & 0xC0) != 0x80]
        if added is not None:
            line = np.searchsorted(np.flatnonzero(data == 0x0A), sources) + first_line
            sources = sources[np.isin(line, np.asarray(added, dtype=np.int64))]
        if not ascii_:
            sources = (np.cumsum((data & 0xC0) != 0x80) - 1)[sources]
        self._at = sources  # of each character that counts, ascending, where it stands in the text
        self._between: dict[tuple[int, int], int] = {}  # many files have the same stretch

    @property
    def characters(self) -> int:
        return len(self._at)

    def between(self, start: int, end: int) -> int:
        """Of the characters `start` to `end` (exclusive), how many count."""
        if (start, end) not in self._between:
            low, high = np.searchsorted(self._at, (start, end)).tolist()
            self._between[start, end] = high - low
        return self._between[start, end]

    def together(self, stretches: Iterable[tuple[int, int]]) -> int:
        """How many count of those that are in at least one of the stretches."""
        total, reached = 0, 0
        for start, end in sorted(stretches):
            total += self.between(max(start, reached), max(end, reached))
            reached = max(end, reached)
        return total
