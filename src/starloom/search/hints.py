"""What may have been meant by a query that finds nothing: terms that other languages of queries read otherwise."""

import re
from collections.abc import Iterator
from typing import Final

from starloom.search.nodes import All, Any, Exact, Filter, Node, Not, Word
from starloom.search.query import parse

_FLAGGED: Final = re.compile(r"/(.+)/[gmsuxy]*i[gmsuxy]*")
_NAMES: Final = ("repo", "path", "file")


def hint(query: str) -> str | None:
    """A sentence for whoever asked and found nothing; None where nothing speaks for another meaning. Raises UserError
    for what is no query."""
    parts = list(_parts(parse(query).node))
    return next(filter(None, (*map(_mistaken, parts), *map(_narrow, parts))), None)


def _parts(node: Node) -> Iterator[Node]:
    """Its terms and filters, those that exclude left out."""
    if isinstance(node, All | Any):
        for part in node.parts:
            yield from _parts(part)
    elif not isinstance(node, Not):
        yield node


def _mistaken(node: Node) -> str | None:
    """What is written as it is elsewhere."""
    if isinstance(node, Word) and node.text in ("AND", "NOT"):
        return f"`{node.text}` was looked for as a word: all terms are asked for anyway, and `-term` excludes one"
    if isinstance(node, Exact) and (flagged := _FLAGGED.fullmatch(node.text)):
        return f"`{node.text}` was looked for as text: a pattern in any case is `/(?i){flagged[1]}/`"
    if isinstance(node, Filter) and node.field in _NAMES and not node.pattern and set(node.value) & set("*?"):
        return f"`{node.field}:` takes a piece of the name as it is, or a pattern: `{node.field}:/[.]pyi?$/`"
    return None


def _narrow(node: Node) -> str | None:
    """What finds less than one may believe."""
    if isinstance(node, Word):
        return f'a word is an identifier or one part of it: for text within others write `"{node.text}"`'
    if isinstance(node, Filter) and node.field == "sym" and not node.pattern:
        return f"`sym:` takes the whole name of a definition: `{node.value}` alone finds it wherever it stands"
    return None
