"""Prompt lookup: what followed the last few tokens when they stood in the text before is what may follow them now.

A guess costs no model, and code repeats itself: names, calls, lines that are edited. The model reads a guess in one
step with the token before it and keeps what it would have said itself, so the answer is the same (`decode`). The idea:
https://github.com/apoorvumang/prompt-lookup-decoding. Cost: some dictionary entries a token.
"""

from collections.abc import Sequence
from typing import Final

_LENGTHS: Final = (3, 2)  # of what must have stood there before: the longer is the better guess
_LEAST, _MOST = 4, 16  # tokens of a guess


class Lookup:
    """The tokens of a text so far, and what followed each few of them, where they stood last."""

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids: list[int] = []
        self._next: dict[tuple[int, ...], int] = {}  # some tokens -> the place after them
        self._size = _LEAST  # tokens of the next guess: more while guesses are right
        for token in ids:
            self.append(token)

    def append(self, token: int) -> None:
        """The text goes on with `token`."""
        end = len(self._ids)
        for length in _LENGTHS:  # known from now on, since now something follows
            if end >= length:
                self._next[tuple(self._ids[end - length :])] = end
        self._ids.append(token)

    def guess(self, most: int) -> list[int]:
        """Up to `most` tokens that may come next; none where the end of the text was never there before."""
        for length in _LENGTHS:
            place = self._next.get(tuple(self._ids[-length:]))
            if place is not None:
                return self._ids[place : place + max(0, min(most, self._size))]
        return []

    def judge(self, guessed: int, right: int) -> None:
        """Learns from a guess of so many tokens, of which the first `right` were so."""
        if guessed:
            self._size = min(2 * self._size, _MOST) if right == guessed else max(_LEAST, self._size // 2, right)
