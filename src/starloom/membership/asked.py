"""The text of a question, and the way from bytes of its fold to characters and lines of it."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from starloom.errors import UserError
from starloom.kernels.text import Int64s, UInt8s

MOST_BYTES: Final = 8 << 20  # of a text
_TOGETHER: Final = 2 << 20  # characters: half as many cost a twelfth more, twice as many the same
_BEHIND: Final = 0xFF  # no byte of UTF-8


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

    def where(self, starts: Int64s, ends: Int64s) -> Int64s:
        """int64[4, n]: of bytes `starts` to `ends` (exclusive) of the fold, which begin and end with whole characters,
        the first character of the text, the one after the last, and their lines."""
        return _where(np.array([0, len(self._data)]), self._data, np.zeros(len(starts), np.int64), starts, ends)

    def told(self, starts: Int64s, ends: Int64s) -> list[Told]:
        """The same in words."""
        return _told([self.text] * len(starts), self.query, starts, ends, self.where(starts, ends))

    def characters(self, start: int, end: int) -> int:
        """How many characters these bytes of the fold are."""
        if len(self._data) == len(self.text):
            return end - start
        return int(np.count_nonzero((self.query[start:end] & 0xC0) != 0x80))

    def share(self, stretches: Iterable[tuple[int, int]]) -> float:
        """The share of the fold's characters that are in at least one of these stretches of its bytes."""
        covered, reached = 0, 0
        for start, end in sorted(stretches):
            if end > reached:
                covered += self.characters(max(start, reached), end)
                reached = end
        return covered / self.characters(0, len(self.query)) if covered else 0.0


class Asking:
    """Questions asked as one text, `query`: the folds one after the other, each from its place in `begins`, and between
    two a byte that no text has, so that nothing found reaches from one into the next."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Raises UserError for a text above 8 MB, for one that is no Unicode (lone surrogates)."""
        from starloom.kernels.fold import fold

        encoded = [_encoded(text) for text in texts]
        self._data = np.frombuffer(encoded[0] if len(encoded) == 1 else b"".join(encoded), dtype=np.uint8)
        self._offsets = np.cumsum([0, *map(len, encoded)])
        bounds, folded = fold(self._offsets, self._data, _BEHIND)
        self.begins: Int64s = bounds[:-1]
        self.query: UInt8s = folded[:-1]
        self.questions = [
            Asked(text, self._data[first:stop], folded[low : high - 1])
            for text, (first, stop), (low, high) in zip(
                texts, pairwise(self._offsets.tolist()), pairwise(bounds.tolist())
            )
        ]

    def where(self, of: Int64s, starts: Int64s, ends: Int64s) -> Int64s:
        """`Asked.where` for bytes `starts` to `ends` of the query, which are of the questions `of`."""
        begins = self.begins[of]
        return _where(self._offsets, self._data, of, starts - begins, ends - begins)

    def told(self, of: Int64s, starts: Int64s, ends: Int64s, where: Int64s) -> list[Told]:
        """Of the same, what `where` gave for them in words."""
        return _told([self.questions[number].text for number in of.tolist()], self.query, starts, ends, where)


def _where(offsets: Int64s, data: UInt8s, of: Int64s, starts: Int64s, ends: Int64s) -> Int64s:
    from starloom.kernels.fold_back import came_from

    at = np.concatenate([starts, ends - 1])
    found = np.concatenate(came_from(offsets, data, np.concatenate([of, of]), at)).reshape(4, -1)
    found[1] += 1
    return found


def _told(texts: Sequence[str], query: UInt8s, starts: Int64s, ends: Int64s, where: Int64s) -> list[Told]:
    from starloom.kernels.fold_back import characters_of

    sizes = characters_of(query, starts, ends).tolist()
    return [
        Told(first, last, first_line, last_line, size, text[first:last])
        for text, size, (first, last, first_line, last_line) in zip(texts, sizes, where.T.tolist())
    ]


def gathered(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts, as many at a time as are asked about together."""
    some: list[str] = []
    size = 0
    for text in texts:
        if some and size + len(text) + 1 > _TOGETHER:  # with a byte behind each: never more than MOST_BYTES
            yield some
            some, size = [], 0
        some.append(text)
        size += len(text) + 1
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
