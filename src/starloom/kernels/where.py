"""Where several pieces stand in several stretches of text: `seek`, in one call for all of them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.cache import kernel
from starloom.kernels.seek import Seeker, places_of
from starloom.kernels.text import UInt8s, frozen


class Standing(NamedTuple):
    """`counts[p, s]` places of piece p in stretch s; the n-th is from `starts[p, s, n]` to `ends[p, s, n]`, counted
    from the beginning of the stretch."""

    counts: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    @classmethod
    def room(cls, pieces: int, stretches: int, most: int) -> "Standing":
        """For so many places of each; none is there."""
        shape = (pieces, stretches, max(most, 0))
        return cls(np.zeros(shape[:2], np.int64), np.empty(shape, np.int64), np.empty(shape, np.int64))


class Stretch(NamedTuple):
    """data[start:stop], in which the first `most` places of each piece are sought."""

    start: int
    stop: int
    most: int


class Where:
    """Some pieces; None among them is sought by others."""

    def __init__(self, seekers: Sequence[Seeker | None]) -> None:
        rows = [(number, len(one.piece), one.longest) for number, one in enumerate(seekers) if one]
        self.pieces = _joined([one.piece for one in seekers if one])
        self.masks = _joined([one.masks for one in seekers if one])
        self.rows = frozen(np.array(rows, np.int64).reshape(-1, 3), np.int64)
        self.many = len(seekers)

    def standing(self, sought: Sequence[Stretch], data: UInt8s) -> Standing:
        """The first places of each piece in each stretch, of overlapping ones the first. Raises ValueError for a
        stretch that is not in `data`."""
        bounds = np.array(sought, np.int64).reshape(-1, 3)
        found = Standing.room(self.many, len(sought), max((one[2] for one in sought), default=0))
        if not _standing(bounds, frozen(data, np.uint8), self.rows, self.pieces, self.masks, *found):
            raise ValueError("a stretch is not in the data")
        return found


def _joined(arrays: Sequence[UInt8s]) -> UInt8s:
    return arrays[0] if len(arrays) == 1 else np.frombuffer(b"".join([one.tobytes() for one in arrays]), np.uint8)


@kernel
def _standing(
    sought: Any, data: Any, rows: Any, pieces: Any, masks: Any, counts: Any, found_starts: Any, found_ends: Any
) -> bool:
    """Whether all stretches are in `data`. A row: which piece it is, its length, of `Seeker.longest`."""
    for s in range(len(sought)):
        if not (0 <= sought[s, 0] <= sought[s, 1] <= len(data) and sought[s, 2] >= 0):
            return False
    first = 0
    for k in range(len(rows)):
        number, size, longest = rows[k, 0], rows[k, 1], rows[k, 2]
        piece, mask = pieces[first : first + size], masks[first : first + size]
        first += size
        for s in range(len(sought)):
            out = found_starts[number, s, : sought[s, 2]]
            many = places_of(data[sought[s, 0] : sought[s, 1]], piece, mask, longest, out)
            counts[number, s] = many
            for n in range(many):
                found_ends[number, s, n] = out[n] + size
    return True
