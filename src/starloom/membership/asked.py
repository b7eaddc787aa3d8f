"""The text of a question, and the way from bytes of its fold to characters and lines of it."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.kernels.text import Int64s, UInt8s

MOST_BYTES: Final = 8 << 20  # of a text
_TOGETHER: Final = 1 << 20  # characters: half as many cost a twentieth more, twice as many the same
_BETWEEN: Final = np.uint8(0xFF)  # no byte of UTF-8


class Told(NamedTuple):
    """Of a stretch of a text: its first character, the one after its last, their lines, counted from 1, its characters
    with white space folded, and how it stands there."""

    first: int
    last: int
    first_line: int
    last_line: int
    characters: int
    text: str


class Asked:
    """`query`: the fold of a text, whose bytes are `data`."""

    def __init__(self, text: str, data: UInt8s, query: UInt8s) -> None:
        self.text = text
        self.query = query
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

    def told(self, start: int, end: int) -> Told:
        """A stretch of the fold."""
        return self.told_of(np.array([start]), np.array([end]))[0]

    def told_of(self, starts: Int64s, ends: Int64s) -> list[Told]:
        """Stretches of the fold that begin and end with whole characters."""
        first, last = self.characters_at(starts, ends)
        lines = np.searchsorted(self._line_ends, [first, last - 1]) + 1
        sizes = ends - starts if self._ascii else self._before[ends] - self._before[starts]
        columns = first, last, *lines, sizes
        return [
            Told(one, two, first_line, last_line, size, self.text[one:two])
            for one, two, first_line, last_line, size in zip(*(column.tolist() for column in columns))
        ]

    def characters(self, start: int, end: int) -> int:
        """How many characters these bytes of the fold are."""
        if self._ascii:
            return end - start
        if (start, end) == (0, len(self.query)):
            return int(np.count_nonzero(self._begins))
        return int(self._before[end] - self._before[start])

    def share(self, stretches: Iterable[tuple[int, int]]) -> float:
        """The share of the fold's characters that are in at least one of these stretches of its bytes."""
        covered, reached = 0, 0
        for start, end in sorted(stretches):
            if end > reached:
                covered += self.characters(max(start, reached), end)
                reached = end
        return covered / self.characters(0, len(self.query)) if covered else 0.0

    @cached_property
    def _sources(self) -> Int64s:
        """Of each byte of the fold, the byte of the text it came from: for those who have a match."""
        from starloom.kernels.fold import fold_with_map

        return fold_with_map(self._data)[1]

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


class Asking:
    """Questions asked as one text, `query`: the folds one after the other, each from its place in `begins`, and between
    two a byte that no text has, so that nothing found reaches from one into the next."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Raises UserError for a text above 8 MB, for one that is no Unicode (lone surrogates)."""
        from starloom.kernels.fold import fold

        encoded = [_encoded(text) for text in texts]
        data = np.frombuffer(encoded[0] if len(encoded) == 1 else b"".join(encoded), dtype=np.uint8)
        offsets = np.cumsum([0, *map(len, encoded)])
        bounds, folded = fold(offsets, data)
        self.begins: Int64s = bounds[:-1] + np.arange(len(texts))
        self.query: UInt8s = folded
        if len(texts) > 1:
            self.query = np.full(len(folded) + len(texts) - 1, _BETWEEN)
        self.questions: list[Asked] = []
        for text, (first, stop), (low, high), begin in zip(
            texts, pairwise(offsets.tolist()), pairwise(bounds.tolist()), self.begins.tolist()
        ):
            query = self.query[begin : begin + high - low]
            query[:] = folded[low:high]
            self.questions.append(Asked(text, data[first:stop], query))

    def characters_at(self, of: Int64s, starts: Int64s, ends: Int64s) -> tuple[Int64s, Int64s]:
        """Characters of the questions `of`, which ascend, for bytes `starts` to `ends` (exclusive) of the query."""
        pieces = [one.characters_at(*bytes_) for one, bytes_ in self._each(of, starts, ends)]
        first, last = (np.concatenate(column) for column in zip(*pieces))
        return first, last

    def told(self, of: Int64s, starts: Int64s, ends: Int64s) -> list[Told]:
        """`Asked.told_of` of them."""
        return [told for one, bytes_ in self._each(of, starts, ends) for told in one.told_of(*bytes_)]

    def _each(self, of: Int64s, starts: Int64s, ends: Int64s) -> Iterator[tuple[Asked, tuple[Int64s, Int64s]]]:
        """Each question that has some of them, and these as bytes of its fold."""
        if len(self.questions) == 1:
            yield self.questions[0], (starts, ends)
            return
        cuts = np.flatnonzero(np.diff(of)) + 1
        for low, high in pairwise([0, *cuts.tolist(), len(of)]):
            number = int(of[low])
            begin = self.begins[number]
            yield self.questions[number], (starts[low:high] - begin, ends[low:high] - begin)


def gathered(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts, as many at a time as are asked about together."""
    some: list[str] = []
    size = 0
    for text in texts:
        if some and size + len(text) > _TOGETHER:
            yield some
            some, size = [], 0
        some.append(text)
        size += len(text)
    if some:
        yield some


def _encoded(text: str) -> bytes:
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
    return data
