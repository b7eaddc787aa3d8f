"""`marked_excerpt`: the part of a text that a finding is about, for a person, with the finding marked.

Like `redact.excerpt` it finds nothing itself: what is private and what is to be marked is handed in, and both keep its
promise: nothing of a private span is shown. Cost: that of the part shown and of counting the lines before it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from starloom.outside.paths import printable
from starloom.privacy.redact import TAB, merged
from starloom.privacy.span import Span

Kind = Literal["plain", "marked", "cut"]

_AROUND = 3  # lines shown before and after what is marked
_CONTEXT = 0.2  # of the characters, at least, for each of them
_FIRST = 0.7  # of what is marked and too long: shown from its beginning; the rest from its end


@dataclass(frozen=True)
class Piece:
    """`cut` says what was left out; the others are text."""

    text: str
    kind: Kind


@dataclass(frozen=True)
class Row:
    """A line with its number, from 1; None where a row stands for lines left out."""

    number: int | None
    pieces: tuple[Piece, ...]


def marked_excerpt(
    text: str, marks: Sequence[Span], spans: Iterable[Span] = (), *, max_lines: int = 12, max_chars: int = 800
) -> list[Row]:
    r"""Lines of `text` around the first of `marks`, with it and whatever else of `marks` lies there marked; without
    marks the beginning. `spans` are shown as `<LABEL>`.

    A line ends at "\n". Of a first mark that is too long its beginning and its end are shown. At most `max_lines` lines
    and about `max_chars` characters; characters that hide, steer or reorder text are visible escapes, tabs are spaces.

    >>> for row in marked_excerpt("one\ntwo\nthree\n", [Span(4, 7, "")]): print(row.number, row.pieces)
    1 (Piece(text='one', kind='plain'),)
    2 (Piece(text='two', kind='marked'),)
    3 (Piece(text='three', kind='plain'),)
    """
    size = len(text) - text.endswith("\n")  # a line end at the end begins no line
    inside = [span for span in marks if max(span.start, 0) < min(span.end, size)]
    windows = _windows(text, size, inside[0] if inside else None, max_lines, max_chars)
    private = _Disjoint(merged(spans, len(text)))
    shown = _Disjoint(merged(inside, len(text)))
    rows: list[Row] = []
    last = 0
    for start, end in windows:
        found = _rows(text, start, end, private, shown)
        if rows:
            left_out = Piece(f"… {start - last:,} characters …", "cut")
            if "\n" in text[last:start]:
                rows.append(Row(None, (left_out,)))
            else:
                found[0] = Row(rows[-1].number, (*rows.pop().pieces, left_out, *found[0].pieces))
        elif start and text[start - 1] != "\n":
            found[0] = Row(found[0].number, (Piece("…", "cut"), *found[0].pieces))
        rows += found
        last = end
    if last < size:
        cut = Piece("…", "cut")
        if text.startswith(("\n", "\r\n"), last):
            rows.append(Row(None, (cut,)))
        else:
            rows[-1] = Row(rows[-1].number, (*rows[-1].pieces, cut))
    return rows


def _windows(text: str, size: int, focus: Span | None, max_lines: int, max_chars: int) -> list[tuple[int, int]]:
    """The stretches of text[:size] to show: one, or two with a gap in between."""
    if focus is None:
        return [(0, _forward(text, 0, size, max_lines, max_chars))] if text else []
    start, end = max(focus.start, 0), min(focus.end, size)
    around = min(_AROUND, (max_lines - 1) // 2)
    lines = max_lines - 2 * around  # for what is marked, the lines that it shares with others included
    chars = max(max_chars - 2 * int(_CONTEXT * max_chars), 1)
    head = _forward(text, start, end, lines, chars)
    if head == end:
        context = (max_chars - (end - start)) // 2
        return [(_backward(text, start, 0, around + 1, context), _forward(text, end, size, around + 1, context))]
    context = int(_CONTEXT * max_chars)
    head = _forward(text, start, end, max(int(_FIRST * lines), 1), int(_FIRST * chars))
    tail = _backward(text, end, head, max(lines - int(_FIRST * lines), 1), chars - int(_FIRST * chars))
    first = (_backward(text, start, 0, around + 1, context), head)
    after = _forward(text, end, size, around + 1, context)
    return [(first[0], after)] if tail <= head + 1 else [first, (tail, after)]


def _forward(text: str, at: int, stop: int, lines: int, chars: int) -> int:
    """Where `lines` lines from `at` on end (before the line end), at most `chars` characters on."""
    stop = min(stop, at + chars)
    place = at - 1
    for _ in range(lines):
        place = text.find("\n", place + 1, stop)
        if place < 0:
            return stop
    return place - 1 if place > at and text[place - 1] == "\r" else place


def _backward(text: str, at: int, stop: int, lines: int, chars: int) -> int:
    """Where `lines` lines up to `at` begin, at most `chars` characters before it."""
    stop = max(stop, at - chars)
    place = at
    for _ in range(lines):
        place = text.rfind("\n", stop, place)
        if place < 0:
            return stop
    return place + 1


class _Disjoint:
    """Spans in order, none overlapping: which of them meet a stretch."""

    def __init__(self, spans: list[Span]) -> None:
        self._spans = spans
        self._starts = [span.start for span in spans]
        self._ends = [span.end for span in spans]

    def meet(self, start: int, end: int) -> list[Span]:
        return self._spans[bisect_right(self._ends, start) : bisect_left(self._starts, end)]


def _rows(text: str, start: int, end: int, private: _Disjoint, shown: _Disjoint) -> list[Row]:
    """The lines of text[start:end]."""
    rows: list[Row] = []
    pieces: list[Piece] = []
    column = 0
    number = following = 1 + text.count("\n", 0, start)
    for a, b, marked, label in _stretches(start, end, private, shown):
        kind: Kind = "marked" if marked else "plain"
        if label is not None:
            pieces.append(Piece(printable(f"<{label}>"), kind))
            column += len(pieces[-1].text)
            following += text.count("\n", a, b)  # the lines after it keep their numbers
            continue
        parts = text[a:b].split("\n")
        at = a
        for place, part in enumerate(parts):
            if place:
                rows.append(Row(number, tuple(pieces)))
                number = following = following + 1
                pieces, column = [], 0
            at += len(part) + 1
            if part.endswith("\r") and text.startswith("\n", at - 1):
                part = part[:-1]
            if part:
                untabbed = (" " * column + part).expandtabs(TAB)[column:] if "\t" in part else part
                column += len(untabbed)
                pieces.append(Piece(printable(untabbed), kind))
    return [*rows, Row(number, tuple(pieces))]


def _stretches(
    start: int, end: int, private: _Disjoint, shown: _Disjoint
) -> Iterator[tuple[int, int, bool, str | None]]:
    """(start, end, marked, label of what is private) of start:end, in order, as few as there can be."""
    hidden, marks = private.meet(start, end), shown.meet(start, end)
    at = start
    for secret in [*hidden, None]:
        stop = end if secret is None else max(secret.start, start)
        for mark in marks:
            if mark.end <= at or mark.start >= stop:
                continue
            if mark.start > at:
                yield at, mark.start, False, None
            yield max(mark.start, at), min(mark.end, stop), True, None
            at = min(mark.end, stop)
        if at < stop:
            yield at, stop, False, None
        if secret is not None:
            at = min(secret.end, end)
            yield stop, at, any(mark.start < at and stop < mark.end for mark in marks), secret.label
