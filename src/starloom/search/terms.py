r"""The terms of a query and what stands between them: text → tokens. See `query` for the language."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, NoReturn, TypeAlias

from starloom.search import patterns, values
from starloom.search.nodes import ALL_HITS, Exact, Filter, FilterField, Node, Pattern, Word, fold
from starloom.search.place import Place, refuse, shown

Case: TypeAlias = Literal["yes", "no", "auto"]

MOST_COUNT: Final = 1_000_000_000

_CASES: Final[tuple[Case, ...]] = ("yes", "no", "auto")
_SETTINGS: Final = ("case", "count")
_FIELD = re.compile(r"([A-Za-z_]+):(?!:)")  # not `std::vector`
_NO_FIELD = re.compile(r"\s|=|//|\)|\Z")  # after the colon of what is no field we know: `try:`, `x:=1`, a URL
_WORD = re.compile(r"[0-9A-Za-z_]+")
_PLAIN = re.compile(r"[0-9A-Za-z_]+(?=\s|\Z)")  # most words
_TERM = re.compile(r"\S+")
_SPACE = re.compile(r"\s*")
_LIKE_A_PATTERN = re.compile(r"[\\*+?^$|{\[]")


@dataclass(frozen=True)
class Token:
    """`make` gives a term's node. `loose`: the term has a ) at its end that it did not open."""

    kind: Literal["term", "or", "(", ")"]
    place: Place
    text: str = ""
    excluded: bool = False
    make: Callable[[Case], Node] | None = None
    loose: bool = False


class Reader:
    """`case` and `count` are known once all tokens are read."""

    def __init__(self, query: str) -> None:
        self.case: Case = "auto"
        self.count: int | None = None
        self._query = query
        self._at = 0
        self._depth = 0  # of groups that are open
        self._set: set[str] = set()
        self._instructions = 0  # of the patterns

    def tokens(self) -> Iterator[Token]:
        """Raises UserError for a term that cannot be understood."""
        while not self._ended():
            start = self._at
            excluded = self._query[start] == "-" and self._excludes()
            self._at += excluded
            token = self._structure(start, excluded) or self._term(start, excluded)
            if token:
                yield token

    def _ended(self) -> bool:
        """Passes over white space."""
        found = _SPACE.match(self._query, self._at)
        self._at = found.end() if found else self._at
        return self._at >= len(self._query)

    def _excludes(self) -> bool:
        """Whether the - here excludes; `->`, `--verbose` and a lone - are text."""
        following = self._query[self._at + 1 : self._at + 2]
        return following.isalnum() or following in ("_", '"', "(", "/")

    def _structure(self, start: int, excluded: bool) -> Token | None:
        """A parenthesis or an `or`."""
        character = self._query[self._at]
        if character == "(":
            self._at += 1
            self._depth += 1
            return Token("(", Place(self._at - 1, self._at), excluded=excluded)
        if character == ")":
            self._at += 1
            self._depth -= self._depth > 0
            self._apart(")")
            return Token(")", Place(self._at - 1, self._at))
        word = _TERM.match(self._query, self._at)
        text = word[0][: 2 if self._depth and word[0][2:].strip(")") == "" else None] if word else ""
        if text in ("or", "OR") and not excluded and self._query.strip() != text:
            self._at += 2
            return Token("or", Place(start, self._at), text)
        return None

    def _term(self, start: int, excluded: bool) -> Token | None:
        """None where it was a setting."""
        field = _FIELD.match(self._query, self._at)
        make: Callable[[Case], Node]
        loose = False
        if self._query[self._at] == '"':
            make = partial(_exact, self._quoted())
        elif field and field[1].lower() in _SETTINGS:
            self._at = field.end()
            self._setting(field[1].lower(), start, excluded)
            return None
        elif field and field[1].lower() in values.FIELDS:
            self._at = field.end()
            make = self._filter(values.FIELDS[field[1].lower()], field.start())
        elif field and not _NO_FIELD.match(self._query, field.end()):
            known = ", ".join(f"{one}:" for one in (*values.FIELDS, *_SETTINGS))
            place = Place(field.start(), field.end())
            self._refuse(
                place, f"unknown field `{shown(field[1])}:`", f"fields are {known}; put text with a colon in quotes"
            )
        elif (source := self._pattern()) is not None:
            make = partial(_pattern, source)
        else:
            text, loose = self._bare()
            make = partial(_word if _WORD.fullmatch(text) else _exact, text)
        return Token("term", Place(start, self._at), excluded=excluded, make=make, loose=loose)

    def _bare(self) -> tuple[str, bool]:
        """(text up to white space or the end of the group, whether a ) at its end closes nothing)."""
        if word := _PLAIN.match(self._query, self._at):
            self._at = word.end()
            return word[0], False
        start, opened = self._at, 0
        while self._at < len(self._query) and not self._query[self._at].isspace():
            character = self._query[self._at]
            if character == ")" and not opened and self._depth:
                break
            opened += (character == "(") - (character == ")" and opened > 0)
            self._at += 1
        text = self._query[start : self._at]
        return text, text.endswith(")") and text.count(")") > text.count("(")

    def _quoted(self) -> str:
        """The text of the quotes that begin here, at least one character."""
        start = self._at
        end = self._query.find('"', start + 1)
        if end > start + 1 and "\\" not in (plain := self._query[start + 1 : end]):  # most of them
            self._at = end + 1
            self._apart('"')
            return plain
        pieces = []
        self._at += 1
        while self._at < len(self._query) and self._query[self._at] != '"':
            if self._query[self._at : self._at + 2] in ('\\"', "\\\\"):
                self._at += 1
            pieces.append(self._query[self._at])
            self._at += 1
        if self._at >= len(self._query):
            self._refuse(
                Place(start, start + 1), "this quote is not closed", 'end the text with "; a quote in it is \\"'
            )
        self._at += 1
        if not pieces:
            self._refuse(Place(start, self._at), "there is nothing in the quotes", "write the text to be found in them")
        self._apart('"')
        return "".join(pieces)

    def _apart(self, closing: str) -> None:
        """Refuses what follows a quote or a parenthesis at once."""
        if self._at >= len(self._query) or self._query[self._at].isspace() or self._query[self._at] == ")":
            return
        what = "quotes" if closing == '"' else "parenthesis"
        hint = 'a quote in the text is \\"' if closing == '"' else 'put text with parentheses in quotes: "f(x)"'
        self._refuse(Place(self._at, self._at + 1), f"a space is missing after the {what}", hint)

    def _pattern(self) -> str | None:
        """The regular expression that begins here, checked; None where the / is text: a path, a comment."""
        start = self._at
        if self._query[start : start + 1] != "/" or self._query[start + 1 : start + 2] in ("/", "*", ""):
            return None
        end = pattern_end(self._query, start + 1, self._depth > 0)
        if end is None:
            found = _TERM.match(self._query, start)
            term = found[0] if found else ""
            if not _LIKE_A_PATTERN.search(term):
                return None
            self._refuse(
                Place(start, start + len(term)),
                "this regular expression is not closed",
                f'end it with /, a / in it is \\/; put text in quotes: "{term[:20]}"',
            )
        self._at = end + 1
        source = self._query[start + 1 : end]
        self._instructions += patterns.check(self._query, Pattern(source, True), Place(start + 1, end))
        if self._instructions > patterns.MOST_INSTRUCTIONS:
            place = Place(start, end + 1)
            self._refuse(
                place, "the regular expressions are too large together", "ask for fewer, or repeat less in them"
            )
        return source

    def _filter(self, field: FilterField, start: int) -> Callable[[Case], Node]:
        quoted = self._query[self._at : self._at + 1] == '"'
        takes_patterns = field in values.WITH_PATTERNS
        source = self._pattern() if takes_patterns else None
        if source is not None:
            return partial(_filter, field, source, True)
        value = self._quoted() if quoted else self._bare()[0]
        place = Place(start, self._at)
        if not value.strip():
            self._refuse(place, f"`{field}:` needs a value", f"for example {values.EXAMPLES[field]}")
        if field == "lang":
            return partial(_fixed, Filter(field, values.language(self._query, value, place), False))
        if field == "license":
            return partial(_fixed, Filter(field, values.license(self._query, value, place), False))
        return partial(_filter, field, value, False)

    def _setting(self, name: str, start: int, excluded: bool) -> None:
        value = self._bare()[0].lower()
        place = Place(start, self._at)
        if excluded:
            self._refuse(place, f"`{name}:` cannot be excluded", f"leave out the -; {_SETTING_HINTS[name]}")
        if name in self._set:
            self._refuse(place, f"`{name}:` is there twice", "it holds for the whole query: keep one of them")
        self._set.add(name)
        if name == "case" and value in _CASES:
            self.case = _CASES[_CASES.index(value)]
        elif name == "count" and value == "all":
            self.count = ALL_HITS
        elif name == "count" and (number := _number(value)):
            self.count = number
        else:
            problem = f"`{name}:` takes no `{shown(value)}`" if value else f"`{name}:` needs a value"
            self._refuse(place, problem, _SETTING_HINTS[name])

    def _refuse(self, place: Place, problem: str, hint: str) -> NoReturn:
        refuse(self._query, place, problem, hint)


_SETTING_HINTS: Final = {
    "case": "give case:yes, case:no or case:auto",
    "count": f"give count:all or a number from 1 to {MOST_COUNT:,}",
}


def _number(value: str) -> int | None:
    """From 1 to MOST_COUNT."""
    number = int(value) if value.isascii() and value.isdigit() and len(value) < 12 else 0
    return number if 1 <= number <= MOST_COUNT else None


def pattern_end(query: str, start: int, grouped: bool) -> int | None:
    """Where the / is that ends the pattern at `start`: white space, the query's end or a group's ) follows it.

    Of those, the first outside the pattern's own classes and parentheses; where all are inside, the first.
    """
    first = None
    in_class, opened, at = False, 0, start
    while at < len(query):
        character = query[at]
        if character == "\\":
            at += 2
            continue
        if character == "/" and at > start:
            following = query[at + 1 : at + 2]
            if not following or following.isspace() or (grouped and following == ")"):
                if not in_class and not opened:
                    return at
                first = at if first is None else first
        elif in_class:
            in_class = character != "]"
        elif character == "[":
            in_class = True
            at += query.startswith("^", at + 1)
            at += query.startswith("]", at + 1)  # first in a class it is a character
        else:
            opened += (character == "(") - (character == ")" and opened > 0)
        at += 1
    return first


def _sensitive(text: str, case: Case) -> bool:
    return text != fold(text) if case == "auto" else case == "yes"


def _word(text: str, case: Case) -> Node:
    return Word(text, _sensitive(text, case))


def _exact(text: str, case: Case) -> Node:
    return Exact(text, _sensitive(text, case))


def _pattern(source: str, case: Case) -> Node:
    return Pattern(source, patterns.speaks_of_case(source) if case == "auto" else case == "yes")


def _filter(field: FilterField, value: str, pattern: bool, case: Case) -> Node:
    if pattern:
        return Filter(field, value, patterns.speaks_of_case(value) if case == "auto" else case == "yes", True)
    return Filter(field, value, _sensitive(value, case))


def _fixed(node: Node, _case: Case) -> Node:
    return node
