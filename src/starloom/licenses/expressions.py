"""SPDX licence expressions: read, listed and joined. The library license-expression parses them.

It knows no licence here: ids stay as they were written, known or not, and operators count in any case. Malformed text
is no error (it comes from strangers' metadata): it parses to None and has no symbols. Cost: 20 ms once for the library
(never for single ids); 35 to 70 µs for a new expression (the parser of our own that was here took 4 to 7), then
remembered.
"""

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

MAX_LENGTH = 10_000  # characters; real ones, of whole distributions too, have some hundred
_MAX_DEPTH = 50  # parentheses in parentheses

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+:-]{,200}")
_TOKEN = re.compile(r"\s*(?:([A-Za-z0-9][A-Za-z0-9.+:-]*)|([()])|$)")
_ONE = re.compile(r"\S*(?: WITH \S+)?")  # a licence, perhaps with an exception
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
_KINDS = {"OR": Choice, "AND": Every}


@functools.lru_cache(maxsize=4096)
def parse(expression: str) -> Node | None:
    """The expression as a tree; None when it is malformed or longer than MAX_LENGTH."""
    if _ID.fullmatch(expression) and expression.lower() not in _OPERATORS:
        return License(expression)  # as most are; the library need not be imported
    if len(expression) > MAX_LENGTH or not _is_plain(expression):
        return None
    from license_expression import ExpressionError

    try:
        tree = _library().parse(expression, simple=True)
    except ExpressionError:
        return None
    return None if tree is None else _node(tree)


def _is_plain(expression: str) -> bool:
    """Whether it is made of ids, operators between them and parentheses, not too many of which are open at once.

    The library lets an operator at the end pass, and stumbles over empty parentheses.
    """
    end = depth = 0
    wants_id = True
    for token in _TOKEN.finditer(expression):
        if token.start() != end or depth > _MAX_DEPTH:
            return False
        end = token.end()
        if token[2] == "(" or (token[1] and token[1].lower() not in _OPERATORS):
            if not wants_id:
                return False
            depth += token[2] == "("
            wants_id = token[2] == "("
        elif token[1] or token[2]:
            if wants_id:
                return False
            depth -= token[2] == ")"
            wants_id = token[2] != ")"
    return end == len(expression) and not wants_id


@functools.cache
def _library() -> Any:
    from license_expression import Licensing

    return Licensing()


def _node(tree: Any) -> Node:
    if tree.isliteral:
        if hasattr(tree, "exception_symbol"):
            return License(tree.license_symbol.key, tree.exception_symbol.key)
        return License(tree.key)
    parts = tuple(_node(part) for part in tree.args)
    return Choice(parts) if tree.operator.strip() == "OR" else Every(parts)


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
    """The expressions under one operator (AND, OR), each once, parenthesised where the parts have operators of their
    own. What stands under the same operator in one of them is a part like the others.

    >>> join(["MIT", "Apache-2.0 OR MIT"], "OR"), join(["MIT", "Apache-2.0 OR MIT"], "AND")
    ('MIT OR Apache-2.0', 'MIT AND (Apache-2.0 OR MIT)')
    """
    unique = list(dict.fromkeys(expressions))
    return (
        unique[0] if len(unique) == 1 else _joined([part for one in unique for part in _parts(one, operator)], operator)
    )


def _joined(parts: list[str], operator: str) -> str:
    unique = list(dict.fromkeys(parts))
    if len(unique) == 1:
        return unique[0]
    return f" {operator} ".join(one if _ONE.fullmatch(one) else f"({one})" for one in unique)


def _parts(expression: str, operator: str) -> list[str]:
    """What stands under this operator at the top; else the expression as a whole."""
    node = parse(expression) if " " in expression or "(" in expression else None
    if node is None:
        return [expression]
    if isinstance(node, Choice | Every) and isinstance(node, _KINDS[operator]):
        return [_text(part) for part in _flat(node)]
    return [_text(node)]


def _flat(node: Choice | Every) -> Iterator[Node]:
    """The parts, those of parts of the same kind among them."""
    for part in node.parts:
        if isinstance(part, Choice | Every) and type(part) is type(node):
            yield from _flat(part)
        else:
            yield part


def _text(node: Node) -> str:
    """A node as it is written, each part once."""
    if isinstance(node, License):
        return f"{node.id} WITH {node.exception}" if node.exception else node.id
    return _joined([_text(part) for part in _flat(node)], "OR" if isinstance(node, Choice) else "AND")


def rename(expression: str, new: Callable[[str], str]) -> str:
    """The well-formed expression with each licence id replaced, operators in capitals, single spaces; where two of one
    choice have one name now, it is named once.

    >>> rename("gpl-2.0 or GPL-2.0-only", lambda name: "GPL-2.0-only")
    'GPL-2.0-only'
    """
    tokens = [found[1] or found[2] for found in _TOKEN.finditer(expression) if found[1] or found[2]]
    for i, token in enumerate(tokens):
        if token.lower() in _OPERATORS:
            tokens[i] = token.upper()
        elif token not in ("(", ")") and not (i and tokens[i - 1] == "WITH"):
            tokens[i] = new(token)
    text = " ".join(tokens).replace("( ", "(").replace(" )", ")")
    ids = [token for token in tokens if token not in ("(", ")", "AND", "OR")]
    if len(set(ids)) < len(ids) and (node := parse(text)) is not None and _repeats(node):
        return _text(node)
    return text


def _repeats(node: Node) -> bool:
    """Whether the same stands twice under one operator."""
    if isinstance(node, License):
        return False
    parts = [_text(part) for part in _flat(node)]
    return len(set(parts)) < len(parts) or any(map(_repeats, node.parts))


def _licenses(node: Node) -> Iterator[License]:
    if isinstance(node, License):
        yield node
    else:
        for part in node.parts:
            yield from _licenses(part)
