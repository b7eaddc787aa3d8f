"""What is shown of a hit: the line that answers best, a line around it, and where in it the terms stand."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, Final

from starloom.identity import qualified_swhid
from starloom.kernels.lines_at import line_at, line_start
from starloom.privacy.hidden import AROUND, hidden_in
from starloom.privacy.redact import excerpt
from starloom.privacy.span import Span
from starloom.progress import counted
from starloom.search import nodes
from starloom.search.matching import File, Places, Text, judge, places, text_terms
from starloom.search.nodes import Exact, Filter, Node, Word, fold

WIDTH: Final = 160  # characters shown of a line
_LEAD: Final = 40  # of them before the match, where the line is longer
_RETURN: Final = "\\x0d"  # as `printable` has it
_PLACES: Final = 20  # of a term, among which the best line is sought
_DEFINITIONS: Final = 4  # of what is asked for, that are looked at
_TOGETHER: Final = 2_048  # characters from the first line shown to the last, up to which they are gone through at once


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


@dataclass(frozen=True)
class _Lines:
    """What is to be shown of a text: `rows` are lines of it, from the one numbered `first` on, and `pieces` what of
    each; `line`: the number of the best. All in characters of `text`, a part of the file's with enough around them."""

    text: str
    line: int
    first: int
    rows: Sequence[tuple[int, int]]
    pieces: Sequence[tuple[int, int]]

    def together(self) -> list[tuple[int, int]]:
        """The pieces as they are gone through for what is private."""
        begin, stop = self.pieces[0][0], self.pieces[-1][1]
        return [(begin, stop)] if stop - begin <= _TOGETHER else list(self.pieces)

    def snippet(self, hidden: Sequence[list[Span]]) -> str:
        """`hidden`: of each of `together`, what is private, counted from its start; none where it is to be shown."""
        spans = [
            Span(one.start + begin, one.end + begin, one.label)
            for (begin, _), some in zip(self.together(), hidden)
            for one in some
        ]
        return "\n".join(_shown(self.text, row, piece, spans) for row, piece in zip(self.rows, self.pieces))


class Shower:
    """Makes hits of the files that a query holds for. `raw`: what is private is shown too."""

    def __init__(self, node: Node, raw: bool = False) -> None:
        terms = list(text_terms(node))
        self._terms = [places(term) for term in terms]
        self._on_lines = all(isinstance(one, Word | Exact) and "\n" not in one.text for one in terms)
        tests = list(_symbol_tests(node))
        self._defines = [test for _, test in tests]
        names = {name for name, _ in tests if name is not None}
        self._folded = frozenset(names) if all(name is not None for name, _ in tests) else None
        self._raw = raw

    def hits(self, files: Sequence[File]) -> list[Hit]:
        """What is private in all of them is found at once: that is most of the work."""
        shown = [self._lines(file) for file in files]
        asked = [(lines.text, *piece) for lines in shown for piece in lines.together()]
        spans = iter([] if self._raw else hidden_in(asked))
        return [self._hit(file, lines, spans) for file, lines in zip(files, shown, strict=True)]

    def _hit(self, file: File, lines: "_Lines", spans: Iterator[list[Span]]) -> Hit:
        snippet = lines.snippet([] if self._raw else list(islice(spans, len(lines.together()))))
        path = file.value("path") or ""
        content_id = file.value("content_id") or ""
        return Hit(
            repo_name=file.value("repo_name") or "",
            path=path,
            line=lines.line,
            snippet=snippet,
            first_line=lines.first,
            highlights=self._highlights(snippet),
            language=file.value("language"),
            license_type=file.value("license_type"),
            detected_licenses=tuple(file.value("detected_licenses") or ()),
            content_id=content_id,
            split=file.value("split"),
            swhid=qualified_swhid(content_id, None, file.value("revision_id"), path, (lines.line, lines.line)),
        )

    def _best(self, file: File) -> tuple[int, int]:
        """The first match on the line that defines most of what is asked for, else has most of the terms; without
        terms, the first line that is not blank."""
        text, data = file.text, file.text.data
        defined = self._defined(file)
        if len(self._terms) == 1 and not defined:
            return next(iter(self._terms[0](text, 1)), (0, 0))
        firsts: dict[int, tuple[int, int]] = {}  # by where their line starts
        counts: Counter[int] = Counter()
        for term in self._terms:
            of_term = set()
            found = list(_near(defined, term, data))
            if not (defined and self._on_lines):  # a line that defines something is better than any other
                found += term(text, _PLACES)
            for place in found:
                line = data.rfind(b"\n", 0, place[0]) + 1
                of_term.add(line)
                firsts[line] = min(firsts.get(line, place), place)
            counts.update(of_term)
        for line, name, fit in defined:
            at = data.find(name.encode(), line, _line_end(data, line))
            firsts.setdefault(line, (at, at + len(name.encode())) if at >= 0 else (line, line))
            counts[line] += len(self._terms) + fit
        if counts:
            return firsts[min(counts, key=lambda line: (-counts[line], line))]
        blank = len(data) - len(text.text.lstrip().encode())
        return (blank, blank) if blank < len(data) else (0, 0)

    def _defined(self, file: File) -> list[tuple[int, str, int]]:
        """(where its line starts, name, how well it fits) of the symbols of the file that the query names."""
        if not self._defines:
            return []
        symbols = file.symbols(self._folded)
        fit_of = {name: max(test(name) for test in self._defines) for name, _ in symbols}
        fits = [(fit_of[name], name, line) for name, line in symbols if fit_of[name]]
        wanted = sorted(fits, key=lambda one: -one[0])[:_DEFINITIONS]
        starts = [line_start(file.text.data, line) for _, _, line in wanted]
        return [(at, name, fit) for (fit, name, _), at in zip(wanted, starts, strict=True) if at is not None]

    def _lines(self, file: File) -> "_Lines":
        """The line of the best match, and those around it that are not blank."""
        start, end = self._best(file)
        line = line_at(file.text.data, start)
        text, place = _around(file.text, line.before, line.after)
        begin, stop, number = place(line.begin), place(line.stop), line.number
        rows = [(begin, stop)]
        before = place(line.before)
        if line.begin and text[before : begin - 1].strip():
            rows.insert(0, (before, begin - 1))
            number -= 1
        after = place(line.after)
        if text[stop + 1 : after].strip():
            rows.append((stop + 1, after))
        match = place(start), place(end)
        return _Lines(text, line.number, number, rows, [_cut(text, *row, *match) for row in rows])

    def _highlights(self, snippet: str) -> tuple[tuple[int, int], ...]:
        """Where the terms stand in the snippet as it is shown, overlapping ones joined."""
        shown = Text(snippet)
        stretches = [one for term in self._terms for one in shown.in_characters(term(shown, _PLACES))]
        found: list[tuple[int, int]] = []
        for start, end in sorted(stretches):
            if found and start <= found[-1][1]:
                found[-1] = (found[-1][0], max(found[-1][1], end))
            elif start < end:
                found.append((start, end))
        return tuple(found)


def _symbol_tests(node: Node) -> Iterator[tuple[str | None, Callable[[str], int]]]:
    """Of the parts of a query that may name a symbol (`sym:`, and words): what it is called, folded (None: that is a
    pattern), and whether a name is theirs: 2 where it is so written, 1 in another case, 0."""
    if isinstance(node, nodes.All | nodes.Any):
        for part in node.parts:
            yield from _symbol_tests(part)
    elif isinstance(node, Word):
        yield fold(node.text), _named(node.text, node.case_sensitive)
    elif isinstance(node, Filter) and node.field == "sym":
        if node.pattern:
            holds = judge(node)
            yield None, lambda name: 2 * holds(File(lambda _: (name,), bytes))
        else:
            yield fold(node.value), _named(node.value, node.case_sensitive)


def _named(text: str, case_sensitive: bool) -> Callable[[str], int]:
    folded = fold(text)
    return lambda name: 2 if name == text else int(not case_sensitive and fold(name) == folded)


def _near(defined: Sequence[tuple[int, str, int]], term: Places, data: bytes) -> Iterator[tuple[int, int]]:
    """The first place of a term on each line of a definition: it may be beyond the first places of the text."""
    for line, _, _ in defined:
        for start, end in term(Text(data[line : _line_end(data, line)]), 1):
            yield line + start, line + end


def _around(text: Text, start: int, stop: int) -> tuple[str, Callable[[int], int]]:
    """The characters from `start` to `stop`, and as many before and behind as are looked at for what is private in
    them; and which of them a place in the text is, the last for all that are behind."""
    margin = AROUND + 1 if text.is_ascii else 4 * (AROUND + 1)
    first, last = max(start - margin, 0), min(stop + margin, len(text.data))
    while first and text.data[first] & 0xC0 == 0x80:
        first -= 1
    while last < len(text.data) and text.data[last] & 0xC0 == 0x80:
        last += 1
    data = text.data[first:last]
    if text.is_ascii:
        return data.decode(), lambda place: min(place, last) - first
    return data.decode(), lambda place: len(data[: place - first].decode())


def _line_end(data: bytes, start: int) -> int:
    found = data.find(b"\n", start)
    return len(data) if found < 0 else found


def _cut(text: str, begin: int, stop: int, start: int, end: int) -> tuple[int, int]:
    """What of the line text[begin:stop] is shown: WIDTH characters around the match."""
    stop -= text.endswith("\r", begin, stop)
    left = begin
    if stop - begin > WIDTH and begin <= start < stop and end > begin + WIDTH - _LEAD:
        left = max(min(start - _LEAD, stop - WIDTH), begin)
    return left, min(left + WIDTH, stop)


def _shown(text: str, row: tuple[int, int], piece: tuple[int, int], private: Sequence[Span]) -> str:
    """A piece of a line for a person; a lone carriage return does not end it."""
    (begin, stop), (left, right) = row, piece
    stop -= text.endswith("\r", begin, stop)
    shown = text[left:right]
    inside = ((max(one.start, left) - left, min(one.end, right) - left, one.label) for one in private)
    spans = [Span(start, end, label) for start, end, label in inside if start < end]
    if "\r" in shown:
        spans = [Span(_escaped(shown, one.start), _escaped(shown, one.end), one.label) for one in spans]
        shown = shown.replace("\r", _RETURN)
    shown = excerpt(shown, spans, max_lines=1, max_chars=4 * WIDTH)
    return ("…" if left > begin else "") + shown + ("…" if right < stop else "")


def _escaped(piece: str, place: int) -> int:
    """Where a place of `piece` is once its carriage returns are escapes."""
    return place + (len(_RETURN) - 1) * piece.count("\r", 0, place)
