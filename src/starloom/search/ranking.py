"""The words of a query that its hits are ranked by."""

from collections.abc import Iterable
from itertools import islice
from typing import Final

from starloom.search.identifiers import IDENTIFIER
from starloom.search.matching import text_terms
from starloom.search.nodes import All, Exact, Node, Word, fold

_MOST: Final = 8


def words(node: Node) -> list[str]:
    """Those that hits are ranked by, each once."""
    asked = (term for term in text_terms(node) if isinstance(term, Word | Exact))
    return list(dict.fromkeys(islice((word for term in asked for word in _names(term)), _MOST)))


def are_words(node: Node) -> bool:
    """Whether a node is words, all of which rank, and each of them is looked up as a whole one or as a part."""
    terms = node.parts if isinstance(node, All) else (node,)
    return len(terms) <= _MOST and all(
        isinstance(one, Word) and not (one.case_sensitive and one.text != fold(one.text)) for one in terms
    )


def whole(node: Node) -> list[str]:
    """Those that a hit is better for if it has all of them whole, folded."""
    return [fold(term.text) for term in text_terms(node) if isinstance(term, Word)][:_MOST]


def _names(term: Word | Exact) -> Iterable[str]:
    """What may be the name of something in a term: a word; of a text, each identifier that is surely whole."""
    if isinstance(term, Word):
        return [term.text]
    return [
        word[0]
        for word in IDENTIFIER.finditer(term.text)
        if (word.start() > 0 or word.end() == len(term.text)) and (word.end() < len(term.text) or word.start() == 0)
    ]
