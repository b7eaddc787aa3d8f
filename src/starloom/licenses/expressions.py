"""SPDX licence expressions: read, listed and joined.

    or   := and ("OR" and)*        and := with ("AND" with)*
    with := atom ("WITH" id)?      atom := id | "(" or ")"

Operators count in any case, as in license-expression, which the tests compare with. Malformed text is no error
here (it comes from strangers' metadata): it parses to None and has no symbols. Cost: about
20 µs for a new expression, then remembered.
"""

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MAX_LENGTH = 10_000  # characters; real ones, of whole distributions too, have some hundred
_MAX_DEPTH = 50  # parentheses in parentheses

_TOKEN = re.compile(r"\s*(?:([A-Za-z0-9][A-Za-z0-9.+:-]*)|([()])|$)")
_OPERATORS = ("and", "or", "with")


@dataclass(frozen=True, slots=True)
class License:
    """One licence id as it was written, with the exception after WITH if there is one."""

    id: str
    exception: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """OR: the reader picks one part."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Every:
    """AND: all parts apply."""

    parts: tuple["Node", ...]


Node = License | Choice | Every


@functools.lru_cache(maxsize=4096)
def parse(expression: str) -> Node | None:
    """The expression as a tree; None when it is malformed or longer than MAX_LENGTH."""
    if len(expression) > MAX_LENGTH:
        return None
    try:
        parser = _Parser(expression)
        node = parser.any_of(0)
    except _MalformedError:
        return None
    return node if parser.token == "" else None


def symbols(expression: str) -> list[str]:
    """The licence ids in the order of appearance, each once; exceptions are not licences. Malformed: none.

    >>> symbols("MIT OR (GPL-2.0-only WITH Classpath-exception-2.0 AND MIT)")
    ['MIT', 'GPL-2.0-only']
    """
    node = parse(expression)
    return list(dict.fromkeys(license.id for license in _licenses(node))) if node else []


def conjuncts(node: Node) -> Iterator[Node]:
    """The parts that all apply: the flattened AND at the top, or the node itself."""
    if isinstance(node, Every):
        for part in node.parts:
            yield from conjuncts(part)
    else:
        yield node


def join(expressions: list[str], operator: str) -> str:
    """The expressions under one operator (AND, OR), parenthesised where the parts have operators of their own."""
    unique = list(dict.fromkeys(expressions))
    if len(unique) == 1:
        return unique[0]
    return f" {operator} ".join(f"({one})" if " " in one and " WITH " not in one else one for one in unique)


def rename(expression: str, new: Callable[[str], str]) -> str:
    """The well-formed expression with each licence id replaced, operators in capitals, single spaces."""
    tokens = [found[1] or found[2] for found in _TOKEN.finditer(expression) if found[1] or found[2]]
    for i, token in enumerate(tokens):
        if token.lower() in _OPERATORS:
            tokens[i] = token.upper()
        elif token not in ("(", ")") and not (i and tokens[i - 1] == "WITH"):
            tokens[i] = new(token)
    return " ".join(tokens).replace("( ", "(").replace(" )", ")")


def _licenses(node: Node) -> Iterator[License]:
    if isinstance(node, License):
        yield node
    else:
        for part in node.parts:
            yield from _licenses(part)


class _MalformedError(Exception):
    pass


class _Parser:
    """Recursive descent over one expression."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.token = ""  # the one to come; empty at the end
        self._advance()

    def any_of(self, depth: int) -> Node:
        parts = [self._all_of(depth)]
        while self._accept("or"):
            parts.append(self._all_of(depth))
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def _all_of(self, depth: int) -> Node:
        parts = [self._with(depth)]
        while self._accept("and"):
            parts.append(self._with(depth))
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _with(self, depth: int) -> Node:
        if self._accept("("):
            if depth == _MAX_DEPTH:
                raise _MalformedError
            node = self.any_of(depth + 1)
            if not self._accept(")"):
                raise _MalformedError
            return node
        license = self._id()
        return License(license, self._id()) if self._accept("with") else License(license)

    def _id(self) -> str:
        found = self.token
        if found in ("", "(", ")") or found.lower() in _OPERATORS:
            raise _MalformedError
        self._advance()
        return found

    def _accept(self, token: str) -> bool:
        if self.token.lower() != token:
            return False
        self._advance()
        return True

    def _advance(self) -> None:
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            raise _MalformedError
        self._at = found.end()
        self.token = found[1] or found[2] or ""
