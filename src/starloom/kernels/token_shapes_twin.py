"""`token_shapes` again in plain Python: what it means, and what the tests hold it to."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from starloom.kernels.code_tokens_twin import tokens
from starloom.kernels.token_shapes import KINDS, STRIDE, WIDTH

Shape: TypeAlias = tuple[str | int, ...]


class Stretch(NamedTuple):
    """Tokens a to a + size of one text are tokens b to b + size of the other, renamed."""

    a: int
    b: int
    size: int


def said(text: bytes) -> list[tuple[bool, str]]:
    """(whether it is a name, what it says) of each token: a name, keyword or mark itself, of literals their kind."""
    literal = ("number", "string")
    return [
        (one.what == "name", one.what if one.what in literal else text[one.start : one.end].decode("latin-1"))
        for one in tokens(text)
    ]


def shape(window: Sequence[tuple[bool, str]]) -> Shape:
    """What a window says when its names are forgotten: names in the order in which they come are 0, 1, …"""
    numbers: dict[str, int] = {}
    return tuple(numbers.setdefault(what, len(numbers)) if name else what for name, what in window)


def windows(text: bytes, stride: int = 1) -> list[tuple[int, Shape]]:
    """Every stride-th window that is not dull, by its first token."""
    there = said(text)
    cut = ((at, there[at : at + WIDTH]) for at in range(0, len(there) - WIDTH + 1, stride))
    return [(at, shape(one)) for at, one in cut if len({what for name, what in one if not name}) >= KINDS]


def tiles(text: bytes) -> list[Shape]:
    return [one for _, one in windows(text, STRIDE)]


def grown(asked: bytes, text: bytes, token: int, tile: int) -> Stretch | None:
    """The longest stretch around a window of both, first to the right: every window of it has one shape."""
    one, other = said(asked), said(text)
    starts = [at for at, _ in windows(text, STRIDE)]
    if tile >= len(starts):
        return None
    a, b, size = token, starts[tile], WIDTH
    if shape(one[a : a + size]) != shape(other[b : b + size]):
        return None

    def fits(low: int, high: int) -> bool:
        return shape(one[low:high]) == shape(other[low + b - a : high + b - a])

    stop, start = a + size, a
    while stop < len(one) and stop + b - a < len(other) and fits(max(start, stop + 1 - WIDTH), stop + 1):
        stop += 1
    while start > 0 and start + b - a > 0 and fits(start - 1, min(stop, start - 1 + WIDTH)):
        start -= 1
    return Stretch(start, start + b - a, stop - start)
