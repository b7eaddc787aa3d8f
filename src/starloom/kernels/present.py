"""Which of some words stand in each of many stretches of text: one pass over their bytes, however many words there are.

The automaton of Aho and Corasick (1975) as one table: per byte its class and one load. A few words are sought one by
one (seek.py), many places at once. Cost: 1.5 ns a byte on busy cores; 2 us to build for each character of the words.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from starloom.kernels import seek
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
        table, self._first, ends = _table([word.lower() for word in words], numbers)
        self._width, self._longest = len(letters) + 1, max(map(len, words))
        self._arrays = (
            *(frozen(np.array(classes), np.uint8), table),
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


def _table(words: Sequence[bytes], numbers: dict[int, int]) -> tuple[NDArray[np.uint32], int, list[list[int]]]:
    """(table, first state at which a word ends, which end at each from there on); a state is the offset of its row."""
    width = len(numbers) + 1
    children: list[dict[int, int]] = [{}]  # of the tree of words: by byte
    ends: list[list[int]] = [[]]
    for number, word in enumerate(words):
        node = 0
        for byte in word:
            if byte not in children[node]:
                children[node][byte] = len(children)
                children.append({})
                ends.append([])
            node = children[node][byte]
        ends[node].append(number)
    table = np.zeros((len(children), width), np.uint32)
    shorter = [0] * len(children)  # the longest end of a node's bytes that is a node too
    order = [0]
    for node in order:  # grows, by length: what a node falls back on comes before it
        table[node] = table[shorter[node]]
        for byte, child in children[node].items():
            if node:
                shorter[child] = int(table[shorter[node], numbers[byte]])
            ends[child] += ends[shorter[child]]
            order.append(child)
            table[node, numbers[byte]] = child
    ranked = sorted(range(len(children)), key=lambda node: bool(ends[node]))  # stable: the root stays the first
    places = np.empty(len(children), np.uint32)
    places[ranked] = np.arange(len(children), dtype=np.uint32) * np.uint32(width)
    ending = [ends[node] for node in ranked if ends[node]]
    return frozen(places[table[ranked]].ravel(), np.uint32), (len(children) - len(ending)) * width, ending


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
