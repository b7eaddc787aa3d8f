r"""The query language, as text → frozen dataclasses. Knows no index.

    words          quicksort _private      whole identifiers: ASCII letters, digits and _
    exact text     "def quick"  ->  a.b(   anything in quotes, and any term that is no plain word: wherever it stands
    filters        lang:python             language, by name or alias
                   repo:django path:tests  a piece of the repository's name, of the path
                   license:MIT             permissive, no_license, non_permissive, or an SPDX id or expression
    exclusion      -word -"text" -path:x

All terms must hold. A term without capital letters matches in any case; one with capitals matches as it is written
(smart case, as in Zoekt and ripgrep). In quotes `\"` is a quote and `\\` a backslash. Regular expressions, `or` and
parentheses have their place here and are not there yet: they are refused, never taken for something else.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, NoReturn, TypeAlias

from starloom.errors import UserError
from starloom.languages import table as languages
from starloom.licenses import categories, expressions
from starloom.outside.paths import printable
from starloom.settings import nearest

MOST_CHARACTERS: Final = 10_000  # of a query: a page of code in quotes fits
MOST_TERMS: Final = 100

LICENSE_TYPES: Final = ("permissive", "no_license", "non_permissive")
ACCEPTED: Final = (
    'a query has words, "exact text", lang:NAME, repo:PART, path:PART and license:ID; a - before one excludes it'
)

FilterField: TypeAlias = Literal["lang", "repo", "path", "license"]

_FIELDS: Final[dict[str, FilterField]] = {"lang": "lang", "repo": "repo", "path": "path", "license": "license"}
_FIELD = re.compile(r"([A-Za-z_]+):(?!:)")  # not `std::vector`
_NO_FIELD = re.compile(r"\s|=|//|\Z")  # after the colon of what is no field we know: `try:`, `x:=1`, a URL
_WORD = re.compile(r"[0-9A-Za-z_]+")
_EXPRESSION = re.compile(r"/(?![/*]).+/", re.DOTALL)  # no comment
_TERM = re.compile(r"\S+")
_KEPT = re.compile("([\u0130\u212a])")  # İ and the Kelvin sign: their lower forms are two characters, and an ASCII one


@dataclass(frozen=True)
class Word:
    """A whole identifier: no ASCII letter, digit or _ before or after it."""

    text: str
    case_sensitive: bool


@dataclass(frozen=True)
class Exact:
    """A piece of text, wherever it stands."""

    text: str
    case_sensitive: bool


@dataclass(frozen=True)
class Filter:
    """`lang`: the language's name. `license`: a type, or an id or expression in SPDX's spelling. `repo`, `path`: a
    piece of the name."""

    field: FilterField
    value: str
    case_sensitive: bool


@dataclass(frozen=True)
class Not:
    part: "Node"


@dataclass(frozen=True)
class All:
    parts: tuple["Node", ...]


Node: TypeAlias = Word | Exact | Filter | Not | All


def fold(text: str) -> str:
    r"""Lower case, character by character: as long as `text`, whatever stands beside a character.

    >>> fold("ΟΔΟΣ İstanbul")
    'οδοσ İstanbul'
    """
    if text.isascii():
        return text.lower()
    text = text.replace("Σ", "σ")  # lower() looks whether a word ends after it
    if "\u0130" not in text and "\u212a" not in text:
        return text.lower()
    return "".join(piece if _KEPT.match(piece) else piece.lower() for piece in _KEPT.split(text))


def parse(query: str) -> All:
    """The query's terms, all of which must hold. Raises UserError that points at the place."""
    return All(tuple(_Parser(query).terms()))


@dataclass(frozen=True)
class _Place:
    start: int
    end: int


class _Parser:
    def __init__(self, query: str) -> None:
        self._query = query
        self._at = 0

    def terms(self) -> Iterator[Node]:
        self._check_size()
        count = 0
        while self._skip_space():
            count += 1
            if count > MOST_TERMS:
                raise UserError(f"the query has more than {MOST_TERMS} terms", "ask for fewer; " + ACCEPTED)
            yield self._term(first=count == 1)
        if not count:
            raise UserError("the query is empty", ACCEPTED)

    def _check_size(self) -> None:
        if len(self._query) > MOST_CHARACTERS:
            raise UserError(
                f"the query has {len(self._query):,} characters, more than {MOST_CHARACTERS:,}",
                "to find where a longer piece of code stands, use `starloom check`",
            )
        try:
            self._query.encode()
        except UnicodeEncodeError as problem:
            self._refuse(_Place(problem.start, problem.start + 1), "this is no valid text", "write the query in UTF-8")
        if self._query.strip().startswith("/") and _EXPRESSION.fullmatch(self._query.strip()):
            self._no_expression(_Place(0, len(self._query.rstrip())))

    def _skip_space(self) -> bool:
        while self._at < len(self._query) and self._query[self._at].isspace():
            self._at += 1
        return self._at < len(self._query)

    def _term(self, first: bool) -> Node:
        if self._query[self._at] == "-" and self._excludes():
            self._at += 1
            return Not(self._positive(first=True))
        return self._positive(first)

    def _excludes(self) -> bool:
        """Whether the - here excludes; `->`, `--verbose` and a lone - are text."""
        following = self._query[self._at + 1 : self._at + 2]
        return following.isalnum() or following in ("_", '"', "(", "/")

    def _positive(self, first: bool) -> Node:
        start = self._at
        if self._query[start] == '"':
            return _exact(self._quoted())
        field = _FIELD.match(self._query, start)
        if field:
            if name := _FIELDS.get(field[1].lower()):
                self._at = field.end()
                return self._filter(name, start)
            if not _NO_FIELD.match(self._query, field.end()):
                self._refuse(
                    _Place(start, field.end()),
                    f"unknown field `{field[1]}:`",
                    f"fields are {', '.join(f'{one}:' for one in _FIELDS)}; put text with a colon in quotes",
                )
        return self._bare(first)

    def _bare(self, first: bool) -> Node:
        found = _TERM.match(self._query, self._at)
        assert found is not None
        term, place = found[0], _Place(self._at, found.end())
        self._at = found.end()
        if _EXPRESSION.fullmatch(term):
            self._no_expression(place)
        if term[0] == "(":
            self._refuse(
                _Place(place.start, place.start + 1),
                "parentheses do not group yet",
                'put text with a parenthesis at its start in quotes: "(x)"',
            )
        if term in ("or", "OR") and not first and self._skip_space():
            self._refuse(place, f"`{term}` does not combine terms yet", 'ask twice; for the word itself, write "or"')
        return Word(term, term != fold(term)) if _WORD.fullmatch(term) else _exact(term)

    def _quoted(self) -> str:
        """The text of the quotes that begin here, at least one character."""
        start = self._at
        pieces = []
        self._at += 1
        while self._at < len(self._query) and self._query[self._at] != '"':
            if self._query[self._at : self._at + 2] in ('\\"', "\\\\"):
                self._at += 1
            pieces.append(self._query[self._at])
            self._at += 1
        if self._at >= len(self._query):
            self._refuse(
                _Place(start, start + 1), "this quote is not closed", 'end the text with "; a quote in it is \\"'
            )
        self._at += 1
        if self._at < len(self._query) and not self._query[self._at].isspace():
            self._refuse(
                _Place(self._at, self._at + 1), "a space is missing after the quotes", 'a quote in the text is \\"'
            )
        if not pieces:
            self._refuse(
                _Place(start, self._at), "there is nothing in the quotes", "write the text to be found in them"
            )
        return "".join(pieces)

    def _filter(self, field: FilterField, start: int) -> Filter:
        if self._query[self._at : self._at + 1] == '"':
            value = self._quoted()
        else:
            found = _TERM.match(self._query, self._at)
            value = found[0] if found else ""
            self._at += len(value)
        place = _Place(start, self._at)
        if not value.strip():
            self._refuse(place, f"`{field}:` needs a value", f"for example {_EXAMPLES[field]}")
        if field == "lang":
            return Filter(field, self._language(value, place), False)
        if field == "license":
            return Filter(field, self._license(value, place), False)
        return Filter(field, value, value != fold(value))

    def _language(self, value: str, place: _Place) -> str:
        known = languages.by_name(value)
        if known is None:
            self._refuse(place, f"unknown language `{value}`", _hint(value, languages.load().languages))
        return known.name

    def _license(self, value: str, place: _Place) -> str:
        if value.lower() in LICENSE_TYPES:
            return value.lower()
        if expressions.parse(value) is None:
            self._refuse(place, f"`{value}` is no license expression", _LICENSES)
        for one in expressions.symbols(value):
            if categories.canonical(one) is None and not one.lower().startswith("licenseref-"):
                self._refuse(place, f"unknown license `{one}`", _LICENSES)
        return expressions.rename(value, lambda one: categories.canonical(one) or one)

    def _no_expression(self, place: _Place) -> NoReturn:
        self._refuse(
            place, "regular expressions are not there yet", 'for a text that begins and ends with /, use quotes: "/x/"'
        )

    def _refuse(self, place: _Place, problem: str, hint: str) -> NoReturn:
        raise UserError(f"{problem}\n{_pointer(self._query, place)}", hint)


_EXAMPLES: Final[dict[FilterField, str]] = {
    "lang": 'lang:python, lang:"Jupyter Notebook"',
    "repo": "repo:django",
    "path": "path:tests/",
    "license": "license:permissive, license:MIT",
}
_LICENSES: Final = f"give {', '.join(LICENSE_TYPES)}, or an SPDX id such as MIT, Apache-2.0, GPL-3.0-only"


def _exact(text: str) -> Exact:
    return Exact(text, text != fold(text))


def _hint(value: str, known: dict[str, languages.Language]) -> str:
    hint = nearest(value.title(), known)
    return hint if hint.startswith("did") else "give a name as GitHub has it, for example Python, C++, Shell"


def _pointer(query: str, place: _Place, around: int = 40) -> str:
    """The part of the query around a place, and carets below it."""
    start, stop = max(place.start - around, 0), min(place.end, place.start + around) + around
    shown = [character if printable(character) == character else "·" for character in query[start:stop]]
    head, tail = "…" if start else "", "…" if stop < len(query) else ""
    before = sum(map(_columns, shown[: place.start - start])) + len(head)
    marked = sum(map(_columns, shown[place.start - start : place.end - start]))
    return f"  {head}{''.join(shown)}{tail}\n  {' ' * before}{'^' * max(marked, 1)}"


def _columns(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
