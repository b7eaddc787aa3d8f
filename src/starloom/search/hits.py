"""What is shown of a hit: the line that answers best, a line around it, and where in it the terms stand."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Final

from starloom.privacy.hidden import hidden
from starloom.privacy.redact import excerpt
from starloom.privacy.span import Span
from starloom.progress import counted
from starloom.search.matching import File, Text, places, text_terms
from starloom.search.query import Exact, Node, Word

WIDTH: Final = 160  # characters shown of a line
_LEAD: Final = 40  # of them before the match, where the line is longer
_RETURN: Final = "\\x0d"  # as `printable` has it
_PLACES: Final = 100  # of a term, among which the best line is sought


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

    @property
    def place(self) -> str:
        return f"{self.repo_name}:{self.path}:{self.line}"

    @property
    def license(self) -> str:
        """For people: the licences found, else what is known."""
        return ", ".join(self.detected_licenses) or (self.license_type or "unknown").replace("_", " ")


@dataclass(frozen=True)
class Answer:
    """`total` counts files: exactly where `complete`, else so many at least (the time was up). `hits`: those asked for,
    best first."""

    total: int
    complete: bool
    seconds: float
    hits: list[Hit]

    def summary(self) -> str:
        """`12 files`, `at least 1,200 files`."""
        return ("" if self.complete else "at least ") + counted(self.total, "files")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def hit(query: Node, file: File, raw: bool = False) -> Hit:
    """The hit that `file`, for which `query` holds, is. `raw`: what is private is shown too."""
    terms = tuple(text_terms(query))
    start, end = _best(terms, file.text)
    text = file.text.text
    line = text.count("\n", 0, start) + 1
    first, snippet = _snippet(text, start, end, line, raw)
    return Hit(
        repo_name=file.value("repo_name") or "",
        path=file.value("path") or "",
        line=line,
        snippet=snippet,
        first_line=first,
        highlights=_highlights(terms, snippet),
        language=file.value("language"),
        license_type=file.value("license_type"),
        detected_licenses=tuple(file.value("detected_licenses") or ()),
        content_id=file.value("content_id") or "",
        split=file.value("split"),
    )


def _best(terms: Sequence[Word | Exact], text: Text) -> tuple[int, int]:
    """The first match on the line that has most of the terms; without terms, the first line that is not blank."""
    firsts: dict[int, tuple[int, int]] = {}  # by where their line starts
    counts: Counter[int] = Counter()
    if len(terms) == 1:
        return next(places(terms[0], text))
    for term in terms:
        of_term = set()
        for place in islice(places(term, text), _PLACES):
            line = text.text.rfind("\n", 0, place[0]) + 1
            of_term.add(line)
            firsts[line] = min(firsts.get(line, place), place)
        counts.update(of_term)
    if counts:
        return firsts[min(counts, key=lambda line: (-counts[line], line))]
    blank = len(text.text) - len(text.text.lstrip())
    return (blank, blank) if blank < len(text.text) else (0, 0)


def _snippet(text: str, start: int, end: int, line: int, raw: bool) -> tuple[int, str]:
    """(number of the first line shown, the lines): the line of the match, and those around it that are not blank."""
    begin = text.rfind("\n", 0, start) + 1
    stop = _line_end(text, start)
    rows = [(begin, stop)]
    first = line
    before = text.rfind("\n", 0, begin - 1) + 1 if begin else 0
    if text[before : begin - 1].strip() and begin:
        rows.insert(0, (before, begin - 1))
        first -= 1
    after = _line_end(text, stop + 1)
    if text[stop + 1 : after].strip():
        rows.append((stop + 1, after))
    return first, "\n".join(_shown(text, *row, start, end, raw) for row in rows)


def _line_end(text: str, start: int) -> int:
    found = text.find("\n", start)
    return len(text) if found < 0 else found


def _shown(text: str, begin: int, stop: int, start: int, end: int, raw: bool) -> str:
    """The line text[begin:stop] for a person, cut to WIDTH around the match; a lone carriage return does not end it."""
    stop -= text.endswith("\r", begin, stop)
    left = begin
    if stop - begin > WIDTH and begin <= start < stop and end > begin + WIDTH - _LEAD:
        left = max(min(start - _LEAD, stop - WIDTH), begin)
    right = min(left + WIDTH, stop)
    piece = text[left:right]
    spans = [] if raw else hidden(text, left, right)
    if "\r" in piece:
        spans = [Span(_escaped(piece, one.start), _escaped(piece, one.end), one.label) for one in spans]
        piece = piece.replace("\r", _RETURN)
    shown = excerpt(piece, spans, max_lines=1, max_chars=4 * WIDTH)
    return ("…" if left > begin else "") + shown + ("…" if right < stop else "")


def _escaped(piece: str, place: int) -> int:
    """Where a place of `piece` is once its carriage returns are escapes."""
    return place + (len(_RETURN) - 1) * piece.count("\r", 0, place)


def _highlights(terms: Sequence[Word | Exact], snippet: str) -> tuple[tuple[int, int], ...]:
    """Where the terms stand in the snippet as it is shown, overlapping ones joined."""
    shown = Text(snippet)
    found: list[tuple[int, int]] = []
    for start, end in sorted(place for term in terms for place in islice(places(term, shown), _PLACES)):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)
