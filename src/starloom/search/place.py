"""Where in a query something is, and refusing it with carets below the place."""

import unicodedata
from dataclasses import dataclass
from typing import NoReturn

from starloom.errors import UserError
from starloom.outside.paths import printable

_AROUND = 40  # characters shown before and after
_LONGEST = 40  # of a value that a message repeats


@dataclass(frozen=True)
class Place:
    start: int
    end: int


def refuse(query: str, place: Place, problem: str, hint: str) -> NoReturn:
    """Raises UserError: the problem, the part of the query around the place, and carets below it."""
    raise UserError(f"{problem}\n{_pointer(query, place)}", hint)


def shown(value: str) -> str:
    """A value as a message may repeat it."""
    return printable(value[:_LONGEST]) + ("…" if len(value) > _LONGEST else "")


def _pointer(query: str, place: Place) -> str:
    start, stop = max(place.start - _AROUND, 0), min(place.end, place.start + _AROUND) + _AROUND
    around = [character if printable(character) == character else "·" for character in query[start:stop]]
    head, tail = "…" if start else "", "…" if stop < len(query) else ""
    before = sum(map(_columns, around[: place.start - start])) + len(head)
    marked = sum(map(_columns, around[place.start - start : place.end - start]))
    return f"  {head}{''.join(around)}{tail}\n  {' ' * before}{'^' * max(marked, 1)}"


def _columns(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
