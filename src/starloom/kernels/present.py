"""Which of some words stand in each of many stretches of text: one pass over their bytes, however many words there are.

The table of `automaton`: per byte its class and one load. A few words are sought one by one (seek.py), many places at
once. Cost: 1.5 ns a byte on busy cores.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from starloom.kernels import seek
from starloom.kernels.automaton import table
from starloom.kernels.cache import kernel
from starloom.kernels.text import Bools, Int64s, UInt8s, frozen, stretches

FEW: Final = 8  # words: to seek them one by one takes no longer

# Letters beyond ASCII that become ASCII's in lower case, KELVIN SIGN and CAPITAL I WITH DOT ABOVE: a text that has one
# may have words in lower case that its bytes do not have in any case.
FOLDED: Final = ("\u212a".encode(), "\u0130".encode())


class Words:
    """Words of at least a byte: those of `exact` as they are, those of `folded`, whose ASCII letters are in lower case,
    in any case."""

    def __init__(self, exact: Sequence[bytes], folded: Sequence[bytes]) -> None:
        if not all((*exact, *folded)) or any(word != word.lower() for word in folded):
            raise ValueError("a word has bytes; to be found in any case it is in lower case")
        self._exact, self._folded = tuple(exact), tuple(folded)
        words = [*exact, *folded]
        if len(words) <= FEW:
            return
        letters = sorted({byte for word in words for byte in word.lower()})
        numbers = {byte: number for number, byte in enumerate(letters, 1)}  # 0: what stands in no word
        classes = [numbers.get(ord(bytes([byte]).lower()), 0) for byte in range(256)]
        self._width, self._longest = len(letters) + 1, max(map(len, words))
        cells, self._first, ends = table([[(numbers[byte],) for byte in word.lower()] for word in words], self._width)
        self._arrays = (
            *(frozen(np.array(classes), np.uint8), np.frombuffer(cells.tobytes(), np.uint32)),
            frozen(np.cumsum([0, *map(len, ends)]), np.int64),
            frozen(np.array([word for some in ends for word in some]), np.int64),
            frozen(np.frombuffer(b"".join(exact), np.uint8), np.uint8),
            frozen(np.cumsum([0, *map(len, exact)]), np.int64),
        )

    def standing(self, starts: Int64s, stops: Int64s, data: UInt8s) -> Bools:
        """bool[stretches, words], the exact ones first: whether the word stands in data[start:stop]."""
        if len(self._exact) + len(self._folded) <= FEW:
            exact = seek.standing(self._exact, False, starts, stops, data)
            return np.hstack([exact, seek.standing(self._folded, True, starts, stops, data)])
        starts, stops, data = stretches(starts, stops, data)
        found = np.zeros((len(starts), len(self._exact) + len(self._folded)), np.bool_)
        _standing(
            starts, stops, data, self._longest, np.uint32(self._first), np.uint32(self._width), *self._arrays, found
        )
        return found


@kernel
def _standing(
    starts: Any,
    stops: Any,
    data: Any,
    longest: int,
    first: Any,
    width: Any,
    classes: Any,
    table: Any,
    bounds: Any,
    ends: Any,
    exact: Any,
    exact_bounds: Any,
    found: Any,
) -> None:
    """Two halves of each stretch side by side, so that neither waits for its table; the second begins so far within the
    first that no word is cut."""
    for i in range(len(starts)):
        size = (stops[i] - starts[i]) // 2
        p, q = starts[i], max(starts[i], starts[i] + size - longest)
        one = other = np.uint32(0)
        for _ in range(size):
            one, other = table[one + classes[data[p]]], table[other + classes[data[q]]]
            if max(one, other) >= first:
                if one >= first:
                    _note(data, p, (one - first) // width, bounds, ends, exact, exact_bounds, found[i])
                if other >= first:
                    _note(data, q, (other - first) // width, bounds, ends, exact, exact_bounds, found[i])
            p += 1
            q += 1
        while q < stops[i]:
            other = table[other + classes[data[q]]]
            if other >= first:
                _note(data, q, (other - first) // width, bounds, ends, exact, exact_bounds, found[i])
            q += 1


@kernel
def _note(data: Any, last: int, row: Any, bounds: Any, ends: Any, exact: Any, exact_bounds: Any, found: Any) -> None:
    """The words of a row of `ends`, which end at data[last]; exact ones if they stand there as they shall."""
    for k in range(bounds[row], bounds[row + 1]):
        word = ends[k]
        if not found[word]:
            stands = True
            if word < len(exact_bounds) - 1:
                size = exact_bounds[word + 1] - exact_bounds[word]
                for back in range(size):
                    stands &= data[last - back] == exact[exact_bounds[word + 1] - 1 - back]
            found[word] = stands
