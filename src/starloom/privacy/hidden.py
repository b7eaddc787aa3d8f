"""`hidden`: what of a piece of a text is private, for those who show the piece to a person."""

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from starloom.privacy.span import Span

if TYPE_CHECKING:
    from starloom.kernels.surroundings import Piece, Surroundings

AROUND = 1 << 14  # characters looked at on both sides where a private key may be: more than one is long
_NEAR = 640  # elsewhere, from the end of the word at its edge: more than any other detector looks
_LINES = 6  # above and below, where they are less than that: what is private stands on one line, or two or three
_WORD = 4_096  # characters of a word; no token is longer

# Detectors whose findings may be longer than _NEAR need one of these, as it is written here: blocks of keys, members of
# a JSON Web Key, PuTTY's lines, the d of an RSA key in XML.
LONG = ("PRIVATE KEY", '"kty"', "Private-Lines", "<D>")


class Seen(NamedTuple):
    """What was looked at around a piece: `text`, of `size` bytes from data[first] on; `spans` of it are private, in its
    characters."""

    text: str
    first: int
    size: int
    spans: list[Span]


def hidden(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Spans for `excerpt` and its kin of what is private in text[start:end], counted from `start`; found with what
    stands around the piece, so that half a secret is hidden too. Cost: that of the piece, whatever the text.

    >>> hidden("mail ada@nowhere.dev", 0, 10)
    [Span(start=5, end=10, label='EMAIL')]
    """
    from starloom.privacy.find import find_each

    stop = len(text) if end is None else min(end, len(text))
    first, last = _window(text, start, stop)
    (found,) = find_each([text[first:last]])
    clipped = ((max(one.start + first, start), min(one.end + first, stop), one.kind) for one in found)
    return [Span(a - start, b - start, kind) for a, b, kind in clipped if a < b]


def seen_around(data: bytes, pieces: "Sequence[Piece]") -> list[Seen]:
    """The same of several pieces at once, for a process that has many to show: see `find.prepare`."""
    import numpy as np

    return seen_within(data, surroundings().around(pieces, np.frombuffer(data, np.uint8)))


def seen_within(data: bytes, bounds: Sequence[Sequence[int]]) -> list[Seen]:
    """What is private in data[first:last] of each."""
    from starloom.privacy.find import find_each

    pieces = [data[first:last] for first, last in bounds]
    texts = [piece.decode() for piece in pieces]
    return [
        Seen(text, first, last - first, [Span(one.start, one.end, one.kind) for one in found] if found else [])
        for text, (first, last), found in zip(texts, bounds, find_each(texts, pieces), strict=True)
    ]


@functools.cache
def surroundings() -> "Surroundings":
    from starloom.kernels.surroundings import Reach, Surroundings

    return Surroundings(Reach(AROUND, _NEAR, _WORD, _LINES), LONG)


def _window(text: str, start: int, end: int) -> tuple[int, int]:
    """From where to where is looked: the kernel `surroundings`, for who shows one piece and has no time to load it."""
    first, last = max(start - AROUND, 0), min(end + AROUND, len(text))
    if any(text.find(one, first, last) >= 0 for one in LONG):
        return first, last
    left, right = start - _NEAR, end + _NEAR
    if left > 0:
        left = max(text.rfind(blank, max(left - _WORD, 0), left) for blank in " \n\t") - _NEAR // 4
    if right < len(text):
        found = [text.find(blank, right, right + _WORD) for blank in " \n\t"]
        right = min((place for place in found if place >= 0), default=right + _WORD) + _NEAR // 4
    above, below = start, end
    for _ in range(_LINES):
        above = text.rfind("\n", first, above)
        if above < 0:
            break
    for _ in range(_LINES):
        below = text.find("\n", below + 1, last)
        if below < 0:
            break
    return max(left, above, first), min(right, last if below < 0 else below)
