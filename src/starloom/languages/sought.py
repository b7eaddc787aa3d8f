"""The words of patterns (alternatives.py), looked for in the heads of many files at once: kernels/present.py."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from starloom.kernels.present import FOLDED, Words
from starloom.kernels.text import Int64s, UInt8s
from starloom.languages.alternatives import ANY_CASE, Alternatives

_REMEMBERED = 4096  # sets of words


class Sought:
    """The words of some patterns."""

    def __init__(self, patterns: Iterable[Alternatives]) -> None:
        keys: frozenset[str] = frozenset().union(*(one.keys for one in patterns))
        # The bytes of a file tell nothing of others in any case, nor of line ends, which rules see as those of Unix.
        told = sorted(key for key in keys if key.isascii() and "\n" not in key)
        exact = [key for key in told if not key.startswith(ANY_CASE)]
        folded = [key for key in told if key.startswith(ANY_CASE)]
        self._told = exact + folded
        self._untold = keys.difference(told)
        words = [*FOLDED, *(key.encode() for key in exact)]
        self._words = Words(words, [key.removeprefix(ANY_CASE).encode() for key in folded])
        self._keys_of = lru_cache(_REMEMBERED)(self._keys)  # files of one kind have the same words

    def standing(self, starts: Int64s, stops: Int64s, data: UInt8s) -> list[frozenset[str] | None]:
        """For each data[start:stop] the keys of words that may stand there, as `Alternatives.search` takes them."""
        found = self._words.standing(starts, stops, data)
        odd: list[bool] = np.any(found[:, : len(FOLDED)], axis=1).tolist()
        packed = np.packbits(found[:, len(FOLDED) :], axis=1)
        return [None if is_odd else self._keys_of(bits.tobytes()) for bits, is_odd in zip(packed, odd, strict=True)]

    def _keys(self, bits: bytes) -> frozenset[str]:
        there = np.unpackbits(np.frombuffer(bits, np.uint8), count=len(self._told))
        return self._untold.union(self._told[number] for number in np.flatnonzero(there).tolist())
