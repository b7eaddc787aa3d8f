"""What a query means on one file, from its text and its row alone: the judge of every candidate of the index.

Texts are sought in as bytes (UTF-8), and places are told in them: nothing need be decoded.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any as Value
from typing import Final, TypeAlias

from starloom.kernels.seek import Seeker, line_seeker
from starloom.licenses import expressions
from starloom.search import patterns, required
from starloom.search.identifiers import LONGEST
from starloom.search.needs import Every, Has, Said, Some
from starloom.search.nodes import All, Any, Exact, Filter, Node, Not, Pattern, Term, Word, fold

Stretch: TypeAlias = tuple[int, int]  # where something stands: start and end


class Text:
    """A text, and its lower case, both as UTF-8."""

    def __init__(self, text: str | bytes) -> None:
        self.data = text if isinstance(text, bytes) else text.encode()

    @cached_property
    def text(self) -> str:
        return self.data.decode()

    @cached_property
    def is_ascii(self) -> bool:
        return self.data.isascii()

    @cached_property
    def ascii_folded(self) -> bytes:
        """As long as `data`. Only ASCII folds to ASCII, so in here all of ASCII is found; folding it is 20 times as
        fast as the rest."""
        return self.data.lower()

    @cached_property
    def folded(self) -> bytes:
        """The bytes of `fold`: as many characters, perhaps not as many bytes."""
        return self.ascii_folded if self.is_ascii else fold(self.text).encode()

    def as_written(self, found: Iterable[Stretch]) -> Iterator[Stretch]:
        """Places of `folded`, apart and in order, as those of `data`, which has as many characters."""
        if self.is_ascii:
            yield from found
            return
        at = characters = written = 0
        for stretch in found:
            ends = []
            for goal in stretch:
                passed = len(self.folded[at:goal].decode())
                written += len(self.text[characters : characters + passed].encode())
                at, characters = goal, characters + passed
                ends.append(written)
            yield ends[0], ends[1]

    def in_characters(self, found: Iterable[Stretch]) -> Iterator[Stretch]:
        """Places of `data`, apart and in order, in characters."""
        at = characters = 0
        for start, end in found:
            first = characters + len(self.data[at:start].decode())
            at, characters = end, first + len(self.data[start:end].decode())
            yield first, characters


class File:
    """One file of the index. `value` gives a column of the rows by name; the text is read when first asked for."""

    def __init__(self, value: Callable[[str], Value], read: Callable[[], bytes]) -> None:
        self.value = value
        self._read = read
        self._text: Text | None = None

    @property
    def text(self) -> Text:
        if self._text is None:  # of every candidate, and a cached_property takes a lock
            self._text = Text(self._read())
        return self._text


Judge: TypeAlias = Callable[[File], bool]
Places: TypeAlias = Callable[[Text, int], Sequence[Stretch]]  # so many of a term, the first


def judge(node: Node) -> Judge:
    """Whether a file is what `node` asks for; made once a query, asked of many files."""
    if isinstance(node, All | Any):
        parts = [judge(part) for part in sorted(node.parts, key=_cost)]
        if len(parts) == 1:
            return parts[0]
        together = all if isinstance(node, All) else any
        return lambda file: together(part(file) for part in parts)
    if isinstance(node, Not):
        excluded = judge(node.part)
        return lambda file: not excluded(file)
    if isinstance(node, Filter):
        return _filter(node)
    if isinstance(node, Pattern):
        return _judge_of_pattern(node)
    if seeker := seeker_of(node):
        return lambda file: seeker.stands_in(file.text.data)
    piece = fold(node.text).encode()
    return lambda file: piece in file.text.folded


def judge_beside_terms(node: Node) -> Judge | None:
    """What of `judge` is left for a file where all `text_terms` stand; None where that says too little."""
    if isinstance(node, All):
        parts = [judge_beside_terms(part) for part in node.parts]
        some = [part for part in parts if part is not None]
        return (lambda file: all(part(file) for part in some)) if len(some) == len(parts) else None
    if isinstance(node, Filter):
        return _filter(node)
    return (lambda _: True) if isinstance(node, Term) else None


def holds(node: Node, file: File) -> bool:
    """Whether `file` is what `node` asks for."""
    return judge(node)(file)


def places(term: Term) -> Places:
    """Where `term` stands, of overlapping places the first; made once, asked of many texts."""
    if isinstance(term, Pattern):
        find = _finder(term)
        return lambda text, most: list(islice(_filled(find(text)), most))
    if seeker := seeker_of(term):
        return lambda text, most: seeker.places(text.data, most)
    piece = fold(term.text).encode()
    return lambda text, most: list(islice(text.as_written(_pieces(text.folded, piece)), most))


def _filled(found: Iterator[Stretch]) -> Iterator[Stretch]:
    """Those that are not empty; where a pattern finds nothing but nothing, the first of that."""
    empty = None
    for start, end in found:
        if start < end:
            yield start, end
            yield from ((start, end) for start, end in found if start < end)
            return
        empty = start if empty is None else empty
    if empty is not None:
        yield empty, empty


def text_terms(node: Node) -> Iterator[Term]:
    """The terms that a hit shows, those of an exclusion left out."""
    if isinstance(node, All | Any):
        for part in node.parts:
            yield from text_terms(part)
    elif isinstance(node, Word | Exact | Pattern):
        yield node


def license_terms(license_type: str | None, detected: list[str] | None) -> list[str]:
    """What `license:` finds a file by, in lower case: its type, each expression, and each licence in one."""
    found = [license_type or ""]
    for expression in detected or ():
        found += [expression, *expressions.symbols(expression)]
    return sorted({one.lower() for one in found if one})


# Terms of the text


def seeker_of(term: Word | Exact) -> Seeker | None:
    """What finds a term; None where its bytes alone do not tell: beyond ASCII, in any case. A word is in ASCII."""
    needle = term.text if term.case_sensitive else fold(term.text)
    as_written = term.case_sensitive or not _has_letters(needle)
    if not as_written and not needle.isascii():
        return None
    return Seeker(needle.encode(), not as_written, LONGEST if isinstance(term, Word) else 0)


def _pieces(where: bytes, sought: bytes) -> Iterator[Stretch]:
    start = where.find(sought)
    while start >= 0:
        yield start, start + len(sought)
        start = where.find(sought, start + len(sought))


def _finder(pattern: Pattern) -> Callable[[Text], Iterator[Stretch]]:
    compiled = patterns.compile(pattern)
    if pattern.case_sensitive:
        return lambda text: patterns.found(compiled, text.data)
    if not patterns.needs_folding(pattern):
        return lambda text: patterns.found(compiled, text.ascii_folded)
    return lambda text: text.as_written(patterns.found(compiled, text.folded))


def _judge_of_pattern(pattern: Pattern) -> Judge:
    find, needed = _finder(pattern), required.needed(pattern)
    if needed is None:
        return lambda file: next(find(file.text), None) is not None
    # Looking for the pieces first is ten times as fast as for the pattern, and most files lack one.
    if on_a_line := _line_judge(pattern, needed):
        return lambda file: on_a_line(file.text)
    has = _has(needed)
    return lambda file: has(file.text) and next(find(file.text), None) is not None


def _has(needed: Said) -> Callable[[Text], bool]:
    """Whether a text has what a pattern needs."""
    if isinstance(needed, Has):
        piece = needed.text.encode()
        if needed.text.isascii():
            seeker = Seeker(piece, any_case=True)
            return lambda text: seeker.stands_in(text.data)
        return lambda text: piece in text.folded
    parts = [_has(part) for part in needed.parts]
    if isinstance(needed, Every):
        return lambda text: all(part(text) for part in parts)
    return lambda text: any(part(text) for part in parts)


def _line_judge(pattern: Pattern, needed: Said) -> Callable[[Text], bool] | None:
    """Whether a pattern stands on one of the lines that have a piece it needs, where it reaches over no line's end: a
    large text has few of them. None: the whole text must be gone through."""
    groups = choices(needed)
    if not groups or not patterns.on_one_line(pattern) or patterns.needs_folding(pattern):
        return None
    compiled = patterns.compile(pattern)
    pieces = max(groups, key=lambda some: min(map(len, some)) / len(some))  # each is a way through the whole text
    others = [some[0] for some in groups if len(some) == 1 and some != pieces]
    lines_with = [line_seeker(piece, others) for piece in pieces]

    def stands(text: Text) -> bool:
        """RE2 is called for the lines of a piece together: they are few, a call costs more than they do."""
        for find in lines_with:
            lines = find(text.data)
            if lines and patterns.stands(compiled, lines if pattern.case_sensitive else lines.lower()):
                return True
        return False

    return stands


def choices(needed: Said) -> list[list[bytes]]:
    """Of what is needed, all that is one of some pieces of ASCII, each of two characters or more."""
    groups = []
    for part in needed.parts if isinstance(needed, Every) else [needed]:
        some = part.parts if isinstance(part, Some) else [part]
        pieces = [one.text for one in some if isinstance(one, Has) and one.text.isascii()]
        if len(pieces) == len(some) and min(map(len, pieces)) > 1:
            groups.append([one.encode() for one in pieces])
    return groups


def _has_letters(needle: str) -> bool:
    """Whether the needle can stand in a text in more than one case."""
    return not needle.isascii() or needle != needle.upper()


# Filters of the row


_COLUMN: Final = {"repo": "repo_name", "path": "path", "file": "path"}


def _filter(filter: Filter) -> Judge:
    value = filter.value
    if filter.field == "lang":
        return lambda file: bool(file.value("language") == value)
    if filter.field == "license":
        sought = value.lower()
        return lambda file: sought in license_terms(file.value("license_type"), file.value("detected_licenses"))
    named = _named(filter)
    if filter.field == "sym":
        return lambda file: any(map(named, file.value("symbols") or ()))
    column = _COLUMN[filter.field]
    if filter.field == "file":
        return lambda file: named((file.value(column) or "").rpartition("/")[2])
    return lambda file: named(file.value(column) or "")


def _named(filter: Filter) -> Callable[[str], bool]:
    """Whether a name is what a filter asks for."""
    if filter.pattern:
        find = _finder(Pattern(filter.value, filter.case_sensitive))
        return lambda name: next(find(Text(name)), None) is not None
    value = filter.value if filter.case_sensitive else fold(filter.value)
    if filter.field == "sym":
        return (lambda name: name == value) if filter.case_sensitive else (lambda name: fold(name) == value)
    return (lambda name: value in name) if filter.case_sensitive else (lambda name: value in fold(name))


def _cost(node: Node) -> int:
    """Rows before texts, pieces before patterns."""
    if isinstance(node, All | Any):
        return max(map(_cost, node.parts), default=0)
    if isinstance(node, Not):
        return _cost(node.part)
    return 0 if isinstance(node, Filter) else 2 if isinstance(node, Pattern) else 1
