"""What is known of contents, in columns: how many places each has and which, and under which licences they are.

Few of the places are ever looked at one by one, so they are made when they are.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeAlias, TypeVar, overload

import numpy as np

from starloom.kernels.text import Int64s
from starloom.membership.matches import Place

License: TypeAlias = tuple[str | None, tuple[str, ...]]  # license_type, detected_licenses
# How many places, some of them, and how many are under which licence.
Content: TypeAlias = tuple[int, Sequence[Place], Mapping[License, int]]
T = TypeVar("T")


class Made(Sequence[T], Generic[T]):
    """What `make` makes of numbers, each when it is looked at."""

    def __init__(self, numbers: Sequence[int], make: Callable[[int], T]) -> None:
        self._numbers = numbers
        self._make = make

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> list[T]: ...
    def __getitem__(self, at: int | slice) -> T | list[T]:
        if isinstance(at, slice):
            return list(map(self._make, self._numbers[at]))
        return self._make(self._numbers[at])

    def those(self, places: Iterable[int]) -> Iterable[T]:
        """What is at these places."""
        return map(self._make, map(self._numbers.__getitem__, places))


class Licenses(NamedTuple):
    """Of contents, ascending in `of`, and each of them: what number of all its places are under names[name]."""

    names: Sequence[License]
    of: Int64s
    name: Int64s
    number: Int64s


class Described(NamedTuple):
    """Of each content wanted: `totals`, how many places it has, -1 where it is not here; places bounds[k] to bounds[k +
    1], as many of them as were wanted; `licenses` of them all. `lines`: of each pair wanted its two lines, counted from
    1; int64[2, pairs]."""

    totals: Int64s
    bounds: Int64s
    places: Made[Place]
    licenses: Licenses
    lines: Int64s

    def each(self) -> Iterable[Content]:
        """One content after the other."""
        bounds, licenses = self.bounds.tolist(), self.licenses
        counted: list[dict[License, int]] = [{} for _ in self.totals]
        for of, name, count in zip(licenses.of.tolist(), licenses.name.tolist(), licenses.number.tolist()):
            counted[of][licenses.names[name]] = count
        for k, (total, known) in enumerate(zip(self.totals.tolist(), counted)):
            yield total, self.places[bounds[k] : bounds[k + 1]], known


def in_columns(each: Iterable[Content], lines: Int64s) -> Described:
    """What `Described.each` gives."""
    totals: list[int] = []
    bounds = [0]
    places: list[Place] = []
    names: dict[License, int] = {}
    counts: list[tuple[int, int, int]] = []
    for number, (total, some, licenses) in enumerate(each):
        totals.append(total)
        places += some
        bounds.append(len(places))
        counts += [(number, names.setdefault(license, len(names)), count) for license, count in licenses.items()]
    columns = np.array(counts, dtype=np.int64).reshape(-1, 3).T
    found = np.array(totals, dtype=np.int64), np.array(bounds, dtype=np.int64)
    known = Made(range(len(places)), places.__getitem__)
    return Described(*found, known, Licenses([*names], *columns), lines)


def ranged(firsts: Int64s, counts: Int64s) -> Int64s:
    """firsts[k] and the numbers after it, counts[k] of them, one k after the other.

    >>> ranged(np.array([7, 1]), np.array([2, 3])).tolist()
    [7, 8, 1, 2, 3]
    """
    ends = np.cumsum(counts)
    found: Int64s = np.repeat(firsts - ends + counts, counts) + np.arange(ends[-1] if len(ends) else 0)
    return found
