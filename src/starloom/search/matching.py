"""What a query means on one file, from its text and its row alone: the judge of every candidate of the index."""

import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from starloom.licenses import expressions
from starloom.search.query import All, Exact, Filter, Node, Not, Word, fold

IDENTIFIER: Final = frozenset(string.ascii_letters + string.digits + "_")


class Text:
    """A text, and its lower case: as long, so that positions hold in both."""

    def __init__(self, text: str) -> None:
        self.text = text

    def lowered(self, needle: str) -> str:
        """The text in which to look for a needle in lower case. Only ASCII folds to ASCII, and ASCII is 20 times as
        fast to fold where the text is not."""
        return self._ascii_folded if needle.isascii() else self._folded

    @cached_property
    def _ascii_folded(self) -> str:
        return self.text.lower() if self.text.isascii() else self.text.encode().lower().decode()

    @cached_property
    def _folded(self) -> str:
        return fold(self.text)


@dataclass(frozen=True)
class File:
    """One file of the index. `value` gives a column of index.FILES by name; the text is read when first asked for."""

    value: Callable[[str], Any]
    read_text: Callable[[], str]

    @cached_property
    def text(self) -> Text:
        return Text(self.read_text())


def holds(node: Node, file: File) -> bool:
    """Whether `file` is what `node` asks for."""
    if isinstance(node, All):
        return all(holds(part, file) for part in node.parts)
    if isinstance(node, Not):
        return not holds(node.part, file)
    if isinstance(node, Filter):
        return _passes(node, file)
    return next(places(node, file.text), None) is not None


def places(term: Word | Exact, text: Text) -> Iterator[tuple[int, int]]:
    """Where `term` stands: (start, end) in characters; of overlapping places the first."""
    needle = term.text if term.case_sensitive else fold(term.text)
    where = text.text if term.case_sensitive or not _has_letters(needle) else text.lowered(needle)
    start = where.find(needle)
    while start >= 0:
        end = start + len(needle)
        if isinstance(term, Exact) or _is_whole(where, start, end):
            yield start, end
        start = where.find(needle, end)


def text_terms(node: Node) -> Iterator[Word | Exact]:
    """The terms that a hit shows, those of an exclusion left out."""
    if isinstance(node, All):
        for part in node.parts:
            yield from text_terms(part)
    elif isinstance(node, Word | Exact):
        yield node


def license_terms(license_type: str | None, detected: list[str] | None) -> list[str]:
    """What `license:` finds a file by, in lower case: its type, each expression, and each licence in one."""
    found = [license_type or ""]
    for expression in detected or ():
        found += [expression, *expressions.symbols(expression)]
    return sorted({one.lower() for one in found if one})


def _is_whole(text: str, start: int, end: int) -> bool:
    return (start == 0 or text[start - 1] not in IDENTIFIER) and (end == len(text) or text[end] not in IDENTIFIER)


def _has_letters(needle: str) -> bool:
    """Whether the needle can stand in a text in more than one case."""
    return not needle.isascii() or needle != needle.upper()


def _passes(filter: Filter, file: File) -> bool:
    if filter.field == "lang":
        return bool(file.value("language") == filter.value)
    if filter.field == "license":
        return filter.value.lower() in license_terms(file.value("license_type"), file.value("detected_licenses"))
    name: str = file.value("repo_name" if filter.field == "repo" else "path") or ""
    return filter.value in name if filter.case_sensitive else fold(filter.value) in fold(name)
