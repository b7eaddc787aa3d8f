"""What is shown of a hit: the line that answers best, those beside it, and where in them the terms stand."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any, Final, NamedTuple

from starloom.identity import qualified_swhid
from starloom.kernels.extracts import Row, extracts
from starloom.kernels.shown import Line, Manner, shown
from starloom.kernels.surroundings import Piece
from starloom.kernels.where import Stretch
from starloom.privacy.hidden import Seen, seen_around, seen_within, surroundings
from starloom.privacy.redact import TAB, excerpt
from starloom.privacy.span import Span
from starloom.progress import counted
from starloom.search.best import PLACES, Best, Texts
from starloom.search.indexed import Indexed, columns, texts_of
from starloom.search.nodes import Node

WIDTH: Final = 160  # characters shown of a line
_LEAD: Final = 40  # of them before the match, where the line is longer
_RETURN: Final = "\\x0d"  # as `printable` has it
_TOGETHER: Final = 2_048  # characters from the first line shown to the last, up to which they are gone through at once
_MANNER: Final = Manner(WIDTH, _LEAD, PLACES, _TOGETHER, TAB)
_TEXTS: Final = 64  # that are shown at once, whatever their size: all of them are in memory


@dataclass(frozen=True)
class Hit:
    """A file that the query holds for. `line` counts from 1; `snippet` is ready to be shown: what is private hidden,
    escapes and all."""

    repo_name: str
    path: str
    line: int  # of the best match; 1 where only filters were asked for
    snippet: str  # a few lines, the best among them
    first_line: int  # number of the snippet's first line
    highlights: tuple[tuple[int, int], ...]  # (start, end) in characters of the snippet
    language: str | None
    license_type: str | None
    detected_licenses: tuple[str, ...]
    content_id: str
    split: str  # train, held_out
    swhid: str  # of the content, with revision, path and line

    @property
    def place(self) -> str:
        return f"{self.repo_name}:{self.path}:{self.line}"

    @property
    def license(self) -> str:
        """For people: the licences found, else what is known."""
        return ", ".join(self.detected_licenses) or (self.license_type or "unknown").replace("_", " ")


@dataclass(frozen=True)
class Answer:
    """A page of hits. `hits`: best first, in an order that does not depend on how the index is cut.

    `total` counts files: exactly where `complete`, else so many at least. `partial`: the time was up before the page
    was full, or a part of the index is not there (see `problems`): there may be more, and better ones. `cursor` gives
    the next page; None: there is none. `facets`: by language, license_type, license and repository, the most frequent
    values of the hits counted; None where they were not asked for, or not on the first page.
    """

    total: int
    complete: bool
    partial: bool
    seconds: float
    hits: list[Hit]
    cursor: str | None = None
    facets: Mapping[str, Mapping[str, int]] | None = None
    problems: tuple[str, ...] = field(default=())

    @property
    def found_nothing(self) -> bool:
        """Whether there is nothing, which is known."""
        return not self.total and not self.partial

    def summary(self) -> str:
        """`12 files`, `at least 1,200 files`."""
        return ("" if self.complete else "at least ") + counted(self.total, "files")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class _Told(NamedTuple):
    """What of a hit its text tells."""

    line: int
    first_line: int
    snippet: str
    highlights: tuple[tuple[int, int], ...]


class Shower:
    """Makes hits of the files that a query holds for. `raw`: what is private is shown too."""

    def __init__(self, node: Node, raw: bool = False) -> None:
        self._best = Best(node)
        self._raw = raw

    @property
    def names(self) -> frozenset[str] | None:
        """See `Best`: whoever knows which files define none of these says so in `may_define`."""
        return self._best.names

    def hits(self, files: Sequence[Indexed], may_define: Sequence[bool]) -> tuple[list[Hit], list[bool]]:
        """And of each whether all terms were seen in its text: see `Best.places`. Several are made at once: what each
        takes is little beside a call of what finds it."""
        hits: list[Hit] = []
        seen: list[bool] = []
        for at in range(0, len(files), _TEXTS):
            some = files[at : at + _TEXTS]
            lines = self._best.lines(some, may_define[at : at + _TEXTS])
            tell = self._at_once if self._best.terms.in_bytes else self._one_by_one
            told, all_there = tell(Texts(texts_of(some)), lines)
            hits += map(_hit, columns(some, _COLUMNS), told)
            seen += all_there
        return hits, seen

    def _at_once(self, texts: Texts, lines: Sequence[Line]) -> tuple[list[_Told], list[bool]]:
        """By one kernel; what is not plain, line by line."""
        terms = self._best.terms
        page = shown(
            *(texts.offsets, texts.array, lines, terms.where, surroundings(), _MANNER), whole=not terms.on_lines
        )
        seen = [] if self._raw else seen_within(texts.data, page.windows)
        private = [bool(one.spans) for one in seen]
        told: list[_Told] = []
        others, looks = [], []  # numbers of texts; what was looked at around their lines
        for number, one in enumerate(page.texts):
            snippet, places = page.lines[one.start : one.end], page.places[one.place : one.place_end]
            told.append(_Told(one.line, one.first, snippet, places))
            if not one.plain or True in private[one.window : one.window_end]:
                around = seen[one.window : one.window_end]
                others.append(number)
                looks += around if len(around) != 1 else around * (one.row_end - one.row)
        if others:
            rows = [page.rows_of(page.texts[number]) for number in others]
            for number, by_line in zip(others, self._shown(rows, looks or _as_they_are(texts, rows)), strict=True):
                told[number] = by_line
        return told, page.all_there

    def _one_by_one(self, texts: Texts, lines: Sequence[Line]) -> tuple[list[_Told], list[bool]]:
        starts, ends, all_there = self._best.places(texts, lines)
        rows = extracts(texts.offsets, texts.array, starts, ends, WIDTH, _LEAD)
        of_texts = [list(some) for _, some in groupby(rows, attrgetter("text"))]
        return list(self._shown(of_texts, self._seen(texts, of_texts))), all_there.tolist()

    def _shown(self, shown: Sequence[Sequence[Row]], seen: Iterable[Seen]) -> Iterator[_Told]:
        """What is told by the lines that are shown of each text. `seen`: for each row what was looked at around it."""
        looks = iter(seen)
        snippets = ["\n".join(_shown(row, next(looks)) for row in rows) for rows in shown]
        for rows, snippet, highlights in zip(shown, snippets, self._highlights(snippets), strict=True):
            line = next(row.number for row in rows if row.best)
            yield _Told(line, rows[0].number, snippet, highlights)

    def _seen(self, texts: Texts, shown: Sequence[Sequence[Row]]) -> Iterator[Seen]:
        """For each row what was looked at around it."""
        if self._raw:
            yield from _as_they_are(texts, shown)
            return
        pieces, many = [], []
        for some in shown:
            begin, stop = some[0].left, some[-1].right
            within = texts.bounds[some[0].text], texts.bounds[some[0].text + 1]
            together = stop - begin <= _TOGETHER or (
                stop - begin <= 4 * _TOGETHER and len(texts.data[begin:stop].decode()) <= _TOGETHER
            )
            pieces += [Piece(*within, begin, stop)] if together else [Piece(*within, *row[3:5]) for row in some]
            many += [len(some)] if together else [1] * len(some)
        for seen, rows in zip(seen_around(texts.data, pieces), many, strict=True):
            yield from [seen] * rows

    def _highlights(self, snippets: Sequence[str]) -> Iterator[tuple[tuple[int, int], ...]]:
        """Where the terms stand in each snippet as it is shown, overlapping ones joined."""
        texts = Texts([one.encode() for one in snippets])
        stretches = [Stretch(start, stop, PLACES) for start, stop in pairwise(texts.bounds)]
        standing = [column.tolist() for column in self._best.terms.standing(texts, stretches)]
        for at, snippet in enumerate(snippets):
            found: list[tuple[int, int]] = []
            for start, end in sorted(_of_stretch(at, *standing)):
                if found and start <= found[-1][1]:
                    found[-1] = (found[-1][0], max(found[-1][1], end))
                elif start < end:
                    found.append((start, end))
            if len(snippet) != texts.bounds[at + 1] - texts.bounds[at]:
                data = texts.data[texts.bounds[at] : texts.bounds[at + 1]]
                found = [(len(data[:start].decode()), len(data[:end].decode())) for start, end in found]
            yield tuple(found)


def _of_stretch(number: int, counts: Any, starts: Any, ends: Any) -> Iterator[tuple[int, int]]:
    """The places of all terms in a stretch: lists of what `Standing` has."""
    for many, some, their_ends in zip(counts, starts, ends, strict=True):
        yield from zip(some[number][: many[number]], their_ends[number])


def _as_they_are(texts: Texts, shown: Sequence[Sequence[Row]]) -> Iterator[Seen]:
    """For each row itself, with nothing private in it."""
    for row in (row for some in shown for row in some):
        yield Seen(texts.data[row.left : row.right].decode(), row.left, row.right - row.left, [])


_COLUMNS: Final = (
    *("repo_name", "path", "language", "license_type", "detected_licenses", "content_id", "split", "revision_id"),
)


def _hit(row: Sequence[Any], told: _Told) -> Hit:
    """`row`: of _COLUMNS."""
    repo_name, path, language, license_type, licenses, content_id, split, revision_id = row
    path, content_id = path or "", content_id or ""
    return Hit(
        repo_name=repo_name or "",
        path=path,
        line=told.line,
        snippet=told.snippet,
        first_line=told.first_line,
        highlights=told.highlights,
        language=language,
        license_type=license_type,
        detected_licenses=tuple(licenses or ()),
        content_id=content_id,
        split=split,
        swhid=qualified_swhid(content_id, None, revision_id, path, (told.line, told.line)),
    )


def _shown(row: Row, seen: Seen) -> str:
    """What of a line is shown to a person; a lone carriage return does not end it."""
    left, right = row.left - seen.first, row.right - seen.first
    if len(seen.text) != seen.size:
        data = seen.text.encode()
        left, right = len(data[:left].decode()), len(data[:right].decode())
    shown = seen.text[left:right]
    spans = []
    if seen.spans:
        inside = ((max(one.start, left) - left, min(one.end, right) - left, one.label) for one in seen.spans)
        spans = [Span(start, end, label) for start, end, label in inside if start < end]
    if "\r" in shown:
        spans = [Span(_escaped(shown, one.start), _escaped(shown, one.end), one.label) for one in spans]
        shown = shown.replace("\r", _RETURN)
    shown = excerpt(shown, spans, max_lines=1, max_chars=4 * WIDTH)
    return ("…" if row.cut_left else "") + shown + ("…" if row.cut_right else "")


def _escaped(piece: str, place: int) -> int:
    """Where a place of `piece` is once its carriage returns are escapes."""
    return place + (len(_RETURN) - 1) * piece.count("\r", 0, place)
