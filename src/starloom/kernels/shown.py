"""What is shown of several texts, in one call: the best place of each, the lines around it, how far around them is
looked, and the lines themselves with the places of what was sought, where they are plain.

Put together of `lines_at`, `where`, `best_places`, `extracts` and `surroundings`, each of which has its own twin; of
ten texts their calls from Python took as long as they. Plain: ASCII that is printable, or a tab, of lines that are not
cut.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.best_places import _best
from starloom.kernels.cache import kernel, leaf
from starloom.kernels.counting import continuation_bytes
from starloom.kernels.extracts import Row, _extracts
from starloom.kernels.lines_at import behind
from starloom.kernels.seek import places_of
from starloom.kernels.surroundings import Surroundings, _around
from starloom.kernels.swar import line_end
from starloom.kernels.text import Int64s, UInt8s, frozen
from starloom.kernels.where import Where, _standing

_LINES: Final = 3  # shown of a text
_NEWLINE, _SPACE, _TAB, _DELETE = np.uint8(0x0A), np.uint8(0x20), np.uint8(0x09), np.uint8(0x7F)


class Line(NamedTuple):
    """A line of a text that weighs something, by its number, from 1; `name`: what is shown on it where nothing that is
    sought stands there. One that is not in its text is passed over."""

    text: int
    number: int
    weight: int
    name: bytes


class Manner(NamedTuple):
    """`width` characters are shown of a line, of a longer one `lead` before the place. `most` places of each piece are
    sought in a text. `together`: characters from the first line shown to the last, up to which they are one piece of
    `surroundings`. `tab`: its columns."""

    width: int
    lead: int
    most: int
    together: int
    tab: int


class Text(NamedTuple):
    """What is shown of a text. `line`, `first`: numbers of the best line and of the first; `rows`, `windows`: which of
    `Shown`; `plain`: out[start:end] is shown, `places` of it marked."""

    line: int
    first: int
    row: int
    row_end: int
    window: int
    window_end: int
    plain: int
    start: int
    end: int
    place: int
    place_end: int


class Shown(NamedTuple):
    """`texts`; `rows` as in `extracts`; `windows`: (first, last) of what is looked at around a line, or around all of a
    text; `lines`: those that are plain, each text's with "\\n" between them; `places` in there, apart, in order, from
    the text's `start`; `all_there`: of each text whether all pieces stand in it."""

    texts: list[Text]
    rows: NDArray[np.int64]
    windows: list[list[int]]
    lines: str
    places: tuple[tuple[int, int], ...]
    all_there: list[bool]

    def rows_of(self, text: Text) -> list[Row]:
        return [Row(*row) for row in self.rows[text.row : text.row_end].tolist()]


def shown(
    offsets: Int64s,
    data: UInt8s,
    lines: Sequence[Line],
    where: Where,
    around: Surroundings,
    manner: Manner,
    *,
    whole: bool,
) -> Shown:
    """Of each text. `lines` in order of texts; `whole`: a text is sought through even where one of them is in it.
    Raises ValueError for what is not in its text, and for pieces that others seek."""
    offsets, data = frozen(offsets, np.int64), frozen(data, np.uint8)
    texts, terms = len(offsets) - 1, where.rows
    if len(terms) < where.many:
        raise ValueError("a piece is sought by others")
    weighing = np.empty((len(lines), 5), np.int64)
    names = b"".join([line.name for line in lines])
    end = 0
    for k, line in enumerate(lines):
        begin, end = end, end + len(line.name)
        weighing[k] = line.text, line.number, line.weight, begin, end
    rows = np.empty((_LINES * texts, len(Row._fields)), np.int64)
    windows = np.empty((_LINES * texts, 2), np.int64)
    told = np.empty((texts, len(Text._fields)), np.int64)
    out = np.empty(texts * _LINES * (manner.width * manner.tab + 1), np.uint8)
    places = np.empty((max(texts * len(terms) * manner.most, 1), 2), np.int64)
    all_there = np.empty(texts, np.bool_)
    found = _shown(
        *(offsets, data, weighing, np.frombuffer(names, np.uint8), terms, where.pieces, where.masks),
        *(around.reach, around.marks, around.bounds, *manner, whole),
        *(rows, windows, told, out, places, all_there),
    )
    if not found:
        raise ValueError("a line or an offset is not in its text")
    some = list(map(Text._make, told.tolist()))
    if not some:
        return Shown([], rows, [], "", (), [])
    last = some[-1]
    return Shown(
        *(some, rows, windows[: last.window_end].tolist(), str(out[: last.end].data, "ascii")),
        *(tuple(zip(*places[: last.place_end].T.tolist(), strict=True)), all_there.tolist()),
    )


@kernel
def _shown(
    offsets: Any,
    data: Any,
    weighing: Any,
    names: Any,
    terms: Any,
    pieces: Any,
    masks: Any,
    reach: Any,
    marks: Any,
    bounds: Any,
    width: Any,
    lead: Any,
    most: Any,
    together: Any,
    tab: Any,
    whole: Any,
    rows: Any,
    windows: Any,
    told: Any,
    out: Any,
    places: Any,
    all_there: Any,
) -> bool:
    texts = len(offsets) - 1
    for i in range(texts):
        if not 0 <= offsets[i] <= offsets[i + 1] <= len(data):
            return False
    weights = np.empty((len(weighing), 5), np.int64)
    sought, begins = np.empty((texts + len(weighing), 3), np.int64), np.empty((texts + len(weighing), 2), np.int64)
    line = weight = stretch = 0
    deepest = 0
    for i in range(texts):
        first = weight
        text = data[offsets[i] : offsets[i + 1]]
        while line < len(weighing) and weighing[line, 0] == i:
            at = behind(text, weighing[line, 1] - 1)
            if at >= 0:
                stop = line_end(text, at)
                name = names[weighing[line, 3] : weighing[line, 4]]
                place = _name_at(text, at, stop, name)
                weights[weight, 0], weights[weight, 1] = i, at
                weights[weight, 2] = len(terms) + weighing[line, 2]
                weights[weight, 3] = place if place >= 0 else at
                weights[weight, 4] = place + len(name) if place >= 0 else at
                weight += 1
                sought[stretch, 0], sought[stretch, 1], sought[stretch, 2] = offsets[i] + at, offsets[i] + stop, 1
                begins[stretch, 0], begins[stretch, 1] = i, offsets[i] + at
                stretch += 1
                deepest = max(deepest, 1)
            line += 1
        if weight == first or whole:
            many = 1 if len(terms) == 1 and weight == first else most
            sought[stretch, 0], sought[stretch, 1], sought[stretch, 2] = offsets[i], offsets[i + 1], many
            begins[stretch, 0], begins[stretch, 1] = i, offsets[i]
            stretch += 1
            deepest = max(deepest, many)
    if line < len(weighing):
        return False
    counts = np.zeros((len(terms), stretch), np.int64)
    starts, ends = (
        np.empty((len(terms), stretch, deepest), np.int64),
        np.empty((len(terms), stretch, deepest), np.int64),
    )
    _standing(sought[:stretch], data, terms, pieces, masks, counts, starts, ends)
    room, best = np.empty((5, counts.sum() + weight), np.int64), np.empty((2, texts), np.int64)
    letters = len(terms) != 1
    _best(offsets, data, begins[:stretch], counts, starts, ends, weights[:weight], room, letters, best, all_there)
    _seen(offsets, data, terms, pieces, masks, all_there)
    found = _extracts(offsets, data, best[0], best[1], width, lead, rows)
    looked = _pieces(offsets, data, rows[:found], together, told)
    _around(looked, data, reach, marks, bounds, windows[: len(looked)])
    size = 0
    lines = np.zeros((texts, 3), np.int64)
    for i in range(texts):
        told[i, 7] = size
        end = _written(data, rows[told[i, 2] : told[i, 3]], tab, out, size)
        told[i, 6] = end >= 0
        if end >= 0:
            lines[i, 0], lines[i, 1], lines[i, 2] = size, end, most
            size = end
        told[i, 8] = size
    counts = np.zeros((len(terms), texts), np.int64)
    starts, ends = np.empty((len(terms), texts, most), np.int64), np.empty((len(terms), texts, most), np.int64)
    _standing(lines, out[:size], terms, pieces, masks, counts, starts, ends)
    many = 0
    for i in range(texts):
        told[i, 9] = many
        many += _joined(counts, starts, ends, i, places[many:])
        told[i, 10] = many
    return True


@kernel
def _seen(offsets: Any, data: Any, terms: Any, pieces: Any, masks: Any, all_there: Any) -> None:
    """Where not all was seen on some lines: whether it stands in the whole text."""
    place = np.empty(1, np.int64)
    for i in range(len(all_there)):
        first = 0
        there = True
        for k in range(0 if all_there[i] else len(terms)):
            last = first + terms[k, 1]
            text = data[offsets[i] : offsets[i + 1]]
            there &= places_of(text, pieces[first:last], masks[first:last], terms[k, 2], place) > 0
            first = last
        all_there[i] = there


@leaf
def _name_at(text: Any, at: Any, stop: Any, name: Any) -> Any:
    """Where a name first stands in text[at:stop]; -1 where it does not."""
    for p in range(at, stop - len(name) + 1):
        k = 0
        while k < len(name) and text[p + k] == name[k]:
            k += 1
        if k == len(name):
            return p
    return -1


@kernel
def _pieces(offsets: Any, data: Any, rows: Any, together: int, told: Any) -> Any:
    """The pieces that are looked around, and what `told` has of rows and windows."""
    pieces = np.empty((len(rows), 4), np.int64)
    row = many = 0
    for i in range(len(told)):
        first = row
        told[i, 2], told[i, 4] = first, many
        told[i, 1] = rows[first, 1]
        while row < len(rows) and rows[row, 0] == i:
            if rows[row, 2]:
                told[i, 0] = rows[row, 1]
            row += 1
        begin, stop = rows[first, 3], rows[row - 1, 4]
        size = stop - begin
        one = size <= together or (size <= 4 * together and size - continuation_bytes(data[begin:stop]) <= together)
        for k in range(first, first + 1 if one else row):
            pieces[many, 0], pieces[many, 1] = offsets[i], offsets[i + 1]
            pieces[many, 2], pieces[many, 3] = (begin, stop) if one else (rows[k, 3], rows[k, 4])
            many += 1
        told[i, 3], told[i, 5] = row, many
    return pieces[:many]


@leaf
def _written(data: Any, rows: Any, tab: Any, out: Any, size: Any) -> Any:
    """Writes rows as they are shown, with line ends between them; returns where they end, -1 where one is not plain."""
    for k in range(len(rows)):
        if rows[k, 5] or rows[k, 6]:
            return -1
        if k:
            out[size] = _NEWLINE
            size += 1
        begin = size
        for p in range(rows[k, 3], rows[k, 4]):
            byte = data[p]
            if byte == _TAB:
                for _ in range(tab - (size - begin) % tab):
                    out[size] = _SPACE
                    size += 1
            elif _SPACE <= byte < _DELETE:
                out[size] = byte
                size += 1
            else:
                return -1
    return size


@leaf
def _joined(counts: Any, starts: Any, ends: Any, text: Any, places: Any) -> Any:
    """The places of all terms in a text, in order, those joined that touch; returns how many there are."""
    many = 0
    for term in range(len(counts)):
        for n in range(counts[term, text]):
            start, end = starts[term, text, n], ends[term, text, n]
            at = many
            while at > 0 and (places[at - 1, 0] > start or (places[at - 1, 0] == start and places[at - 1, 1] > end)):
                places[at, 0], places[at, 1] = places[at - 1, 0], places[at - 1, 1]
                at -= 1
            places[at, 0], places[at, 1] = start, end
            many += 1
    joined = 0
    for k in range(many):
        start, end = places[k, 0], places[k, 1]
        if joined and start <= places[joined - 1, 1]:
            places[joined - 1, 1] = max(places[joined - 1, 1], end)
        else:
            places[joined, 0], places[joined, 1] = start, end
            joined += 1
    return joined
