"""Where several pieces stand in several stretches of text: `seek`, in one call for all of them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.cache import kernel
from starloom.kernels.seek import Seeker, places_of
from starloom.kernels.text import Int64s, UInt8s, frozen, stretches


class Standing(NamedTuple):
    """`counts[p, s]` places of piece p in stretch s; the n-th is from `starts[p, s, n]` to `ends[p, s, n]`, counted
    from the beginning of the stretch."""

    counts: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    @classmethod
    def room(cls, pieces: int, stretches: int, most: int) -> "Standing":
        """For so many places of each; none is there."""
        shape = (pieces, stretches, most)
        return cls(np.zeros(shape[:2], np.int64), np.empty(shape, np.int64), np.empty(shape, np.int64))


class Where:
    """Some pieces; None among them is sought by others."""

    def __init__(self, seekers: Sequence[Seeker | None]) -> None:
        numbers = [number for number, one in enumerate(seekers) if one]
        some = [one for one in seekers if one]
        self._arrays = (
            frozen(np.array(numbers, np.int64), np.int64),
            np.frombuffer(b"".join(one.piece.tobytes() for one in some), np.uint8),
            np.frombuffer(b"".join(one.masks.tobytes() for one in some), np.uint8),
            frozen(np.cumsum([0, *(len(one.piece) for one in some)]), np.int64),
            frozen(np.array([one.longest for one in some], np.int64), np.int64),
        )
        self._pieces = len(seekers)

    def standing(self, starts: Int64s, stops: Int64s, data: UInt8s, most: Sequence[int]) -> Standing:
        """The first most[s] places in data[starts[s]:stops[s]], of overlapping ones the first."""
        starts, stops, data = stretches(starts, stops, data)
        limits = frozen(np.array(most, np.int64), np.int64)
        if len(limits) != len(starts) or (limits < 0).any():
            raise ValueError("how many places are sought in each stretch?")
        found = Standing.room(self._pieces, len(starts), max(most, default=0))
        _standing(starts, stops, data, limits, *self._arrays, *found)
        return found


@kernel
def _standing(
    starts: Any,
    stops: Any,
    data: Any,
    limits: Any,
    numbers: Any,
    pieces: Any,
    masks: Any,
    bounds: Any,
    longest: Any,
    counts: Any,
    found_starts: Any,
    found_ends: Any,
) -> None:
    for k in range(len(numbers)):
        piece, mask = pieces[bounds[k] : bounds[k + 1]], masks[bounds[k] : bounds[k + 1]]
        number = numbers[k]
        for s in range(len(starts)):
            out = found_starts[number, s, : limits[s]]
            many = places_of(data[starts[s] : stops[s]], piece, mask, longest[k], out)
            counts[number, s] = many
            for n in range(many):
                found_ends[number, s, n] = out[n] + len(piece)
