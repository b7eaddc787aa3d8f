"""What is shown of a hit: the line that answers best, those beside it, and where in them the terms stand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any, Final

from starloom.identity import qualified_swhid
from starloom.kernels.extracts import Row, extracts
from starloom.kernels.surroundings import Piece
from starloom.kernels.where import Stretch
from starloom.privacy.hidden import Seen, seen_around
from starloom.privacy.redact import excerpt
from starloom.privacy.span import Span
from starloom.progress import counted
from starloom.search.best import PLACES, Best, Texts
from starloom.search.matching import File
from starloom.search.nodes import Node

WIDTH: Final = 160  # characters shown of a line
_LEAD: Final = 40  # of them before the match, where the line is longer
_RETURN: Final = "\\x0d"  # as `printable` has it
_TOGETHER: Final = 2_048  # characters from the first line shown to the last, up to which they are gone through at once
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

    def summary(self) -> str:
        """`12 files`, `at least 1,200 files`."""
        return ("" if self.complete else "at least ") + counted(self.total, "files")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Shower:
    """Makes hits of the files that a query holds for. `raw`: what is private is shown too."""

    def __init__(self, node: Node, raw: bool = False) -> None:
        self._best = Best(node)
        self._raw = raw

    @property
    def names(self) -> frozenset[str] | None:
        """See `Best`: whoever knows which files define none of these says so in `may_define`."""
        return self._best.names

    def hits(self, files: Sequence[File], may_define: Sequence[bool]) -> tuple[list[Hit], list[bool]]:
        """And of each whether all terms were seen in its text: see `Best.places`. Several are made at once: what each
        takes is little beside a call of what finds it."""
        hits: list[Hit] = []
        seen: list[bool] = []
        for at in range(0, len(files), _TEXTS):
            some = files[at : at + _TEXTS]
            texts = Texts([file.text.data for file in some])
            starts, ends, all_there = self._best.places(texts, some, may_define[at : at + _TEXTS])
            rows = extracts(texts.offsets, texts.array, starts, ends, WIDTH, _LEAD)
            hits += self._shown(texts, some, [list(of_text) for _, of_text in groupby(rows, attrgetter("text"))])
            seen += all_there.tolist()
        return hits, seen

    def _shown(self, texts: Texts, files: Sequence[File], shown: Sequence[Sequence[Row]]) -> Iterator[Hit]:
        """Hits, by the lines that are shown of them."""
        seen = iter(self._seen(texts, shown))
        snippets = ["\n".join(_shown(row, next(seen)) for row in rows) for rows in shown]
        for file, rows, snippet, highlights in zip(files, shown, snippets, self._highlights(snippets), strict=True):
            yield _hit(file, rows, snippet, highlights)

    def _seen(self, texts: Texts, shown: Sequence[Sequence[Row]]) -> Iterator[Seen]:
        """For each row what was looked at around it."""
        if self._raw:
            for row in (row for some in shown for row in some):
                yield Seen(texts.data[row.left : row.right].decode(), row.left, row.right - row.left, [])
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


def _hit(file: File, rows: Sequence[Row], snippet: str, highlights: tuple[tuple[int, int], ...]) -> Hit:
    line = next(row.number for row in rows if row.best)
    path = file.value("path") or ""
    content_id = file.value("content_id") or ""
    return Hit(
        repo_name=file.value("repo_name") or "",
        path=path,
        line=line,
        snippet=snippet,
        first_line=rows[0].number,
        highlights=highlights,
        language=file.value("language"),
        license_type=file.value("license_type"),
        detected_licenses=tuple(file.value("detected_licenses") or ()),
        content_id=content_id,
        split=file.value("split"),
        swhid=qualified_swhid(content_id, None, file.value("revision_id"), path, (line, line)),
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
