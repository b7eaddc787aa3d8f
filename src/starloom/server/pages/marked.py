"""Source text as lines of pieces, some of them marked, for templates: tabs as spaces, one row per line."""

from collections.abc import Sequence
from typing import Final, NamedTuple

TAB: Final = " " * 4
_BLANKS: Final = " \t"
_AROUND: Final = 3  # lines shown before and after marked ones
MOST_LINES: Final = 2_000  # shown of one text


class Span(NamedTuple):
    """Characters `start` to `end` (exclusive) of a text; `mark`: from 1, what they are marked as."""

    start: int
    end: int
    mark: int


class Piece(NamedTuple):
    text: str
    mark: int  # 0: not marked
    begins: bool  # the first piece of its mark


class Line(NamedTuple):
    """A line and its number, from 1; without one, a note about the lines left out in its place."""

    number: int | None
    pieces: list[Piece] | str


def marked_lines(text: str, spans: Sequence[Span], first: int = 1) -> list[Line]:
    """The lines of `text`, the first of them numbered `first`. Spans are in order; where two overlap, the later one
    begins at the earlier one's end.

    >>> marked_lines("ab\\ncd\\n", [Span(1, 4, 1)])
    [Line(number=1, pieces=[Piece(text='a', mark=0, begins=False), Piece(text='b', mark=1, begins=True)]), \
Line(number=2, pieces=[Piece(text='c', mark=1, begins=False), Piece(text='d', mark=0, begins=False)])]
    """
    found = []
    begun: set[int] = set()
    start = ahead = 0  # of the line; spans before number `ahead` end before it
    rows = text.split("\n")
    if len(rows) > 1 and not rows[-1]:
        rows.pop()  # a line end at the end begins no line
    for number, row in enumerate(rows, first):
        stop = start + len(row.removesuffix("\r"))
        while ahead < len(spans) and spans[ahead].end <= start:
            ahead += 1
        pieces: list[Piece] = []
        at, now = start, ahead
        while now < len(spans) and spans[now].start < stop:
            span = spans[now]
            begin, end = max(span.start, at), min(span.end, stop)
            if begin < end:
                begin += len(text[begin:end]) - len(text[begin:end].lstrip(_BLANKS))  # indentation is not marked
                _add(pieces, text[at:begin], 0, False)
                _add(pieces, text[begin:end], span.mark, span.mark not in begun)
                if begin < end:
                    begun.add(span.mark)
                at = end
            now += 1
        _add(pieces, text[at:stop], 0, False)
        found.append(Line(number, pieces))
        start += len(row) + 1
    return found


def _add(pieces: list[Piece], text: str, mark: int, begins: bool) -> None:
    if text:
        pieces.append(Piece(text.replace("\t", TAB), mark, begins))


def neighbourhoods(lines: Sequence[Line]) -> list[Line]:
    """The marked lines with some around them, and notes about what is left out; at most MOST_LINES, from the first.
    All of a short text; of one without marks the beginning."""
    wanted = [
        number
        for number, line in enumerate(lines)
        if not isinstance(line.pieces, str) and any(piece.mark for piece in line.pieces)
    ]
    near: set[int] = set()
    for number in wanted:
        near.update(range(max(number - _AROUND, 0), min(number + _AROUND + 1, len(lines))))
    if len(lines) <= 60 or not wanted:
        near = set(range(len(lines)))
    shown: list[Line] = []
    at = 0
    for number in sorted(near):
        if len(shown) >= MOST_LINES:
            break
        if number > at:
            shown.append(_left_out(number - at))
        shown.append(lines[number])
        at = number + 1
    if at < len(lines):
        shown.append(_left_out(len(lines) - at))
    return shown


def _left_out(number: int) -> Line:
    return Line(None, f"{number:,} more line{'' if number == 1 else 's'}")
