"""A query as one of tantivy's: the files that may be hits, and what is still to be proved of them on row and text.

The index knows identifiers and trigrams. A word, a language and a license are exact in it; everything else is narrowed
by its rarest trigrams (and the whole identifiers in it) and left to `matching`. Never misses: what is looked up holds
for every hit. Cost: one look-up per distinct trigram of the terms.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starloom.search.query import All, Exact, Node, Not, Word, fold

if TYPE_CHECKING:
    from tantivy import Query, Schema, Searcher

# Fields of the index. All texts go in folded, but to CASED, which has the identifiers with capitals.
NUMBER, CODE, CASED, GRAMS, REPO_GRAMS, PATH_GRAMS = "number", "code", "cased", "grams", "repo_grams", "path_grams"
LANGUAGE, LICENSE = "lang", "license"

LONGEST_WORD: Final = 100  # characters; longer identifiers are found by their trigrams
PAD: Final = "\n"  # put after a text, so that its last two characters have a trigram too
_MOST_GRAMS: Final = 1_000  # of a term; their rarest are what counts
_RAREST_GRAMS: Final = 8
_RAREST_WORDS: Final = 4
_MOST_CONTINUATIONS: Final = 2_000  # trigrams that begin with a term of two characters

IDENTIFIER: Final = re.compile("[0-9a-z_]+")


@dataclass(frozen=True)
class Plan:
    """`candidates` are all hits and maybe more. `unproved` must hold of them too; None: they are exactly the hits.

    `ranked`: something in the query tells one hit from another by score.
    """

    candidates: "Query"
    unproved: Node | None
    ranked: bool


def plan(query: All, searcher: "Searcher", schema: "Schema") -> Plan:
    return _Planner(searcher, schema).plan(query)


class _Planner:
    def __init__(self, searcher: "Searcher", schema: "Schema") -> None:
        from tantivy import Occur, Query

        self._searcher = searcher
        self._schema = schema
        self._query = Query
        self._must, self._must_not, self._should = Occur.Must, Occur.MustNot, Occur.Should

    def plan(self, query: All) -> Plan:
        found, unproved = self._node(query)
        ranked = any(isinstance(part, Word | Exact) for part in query.parts)
        return Plan(found if found is not None else self._query.all_query(), unproved, ranked)

    def _node(self, node: Node) -> tuple["Query | None", Node | None]:
        """(what narrows, None: nothing; what is to be proved, None: nothing)."""
        if isinstance(node, All):
            return self._all(node)
        if isinstance(node, Not):
            return None, node  # `_all` takes those that are exact
        if isinstance(node, Word):
            folded = fold(node.text)
            if len(folded) < LONGEST_WORD:
                return (self._term(CASED, node.text, "freq") if node.case_sensitive else self._word(folded)), None
            return self._piece(GRAMS, folded), node
        if isinstance(node, Exact):
            return self._text(fold(node.text)), node
        if node.field == "lang":
            return self._flat(self._term(LANGUAGE, node.value.lower(), "basic")), None
        if node.field == "license":
            return self._flat(self._term(LICENSE, node.value.lower(), "basic")), None
        narrowed = self._piece(REPO_GRAMS if node.field == "repo" else PATH_GRAMS, fold(node.value))
        return narrowed and self._flat(narrowed), node

    def _all(self, node: All) -> tuple["Query | None", Node | None]:
        clauses: list[tuple[object, Query]] = []
        unproved: list[Node] = []
        for part in node.parts:
            if isinstance(part, Not):
                inner, open_question = self._node(part.part)
                if inner is not None and open_question is None:
                    clauses.append((self._must_not, inner))
                else:
                    unproved.append(part)
                continue
            narrowed, rest = self._node(part)
            if narrowed is not None:
                clauses.append((self._must, narrowed))
            if rest is not None:
                unproved.append(rest)
        if clauses and not any(occur is self._must for occur, _ in clauses):
            clauses.append((self._must, self._query.all_query()))  # exclusions alone would find nothing
        rest = All(tuple(unproved)) if unproved else None
        return (self._query.boolean_query(clauses) if clauses else None), rest  # type: ignore[arg-type]

    def _text(self, folded: str) -> "Query | None":
        """Files with all rarest trigrams of a text, and the rarest identifiers that stand whole in it."""
        words = {
            found[0]
            for found in _first(IDENTIFIER.finditer(folded), _MOST_GRAMS)
            if found.start() > 0 and found.end() < len(folded) and len(found[0]) < LONGEST_WORD
        }
        rare = self._rarest(CODE, words, _RAREST_WORDS)
        clauses = [(self._must, self._word(word)) for word in rare]
        if (narrowed := self._piece(GRAMS, folded)) is not None:
            clauses.append((self._must, narrowed))
        return self._query.boolean_query(clauses) if clauses else None

    def _piece(self, field: str, folded: str) -> "Query | None":
        """Files whose `field` has the rarest trigrams of a piece of text. None for a single character: nearly all."""
        if len(folded) < 2:
            return None
        if len(folded) == 2:
            grams = [gram for gram, _ in self._searcher.terms_with_prefix(field, folded, limit=_MOST_CONTINUATIONS + 1)]
            if len(grams) > _MOST_CONTINUATIONS:
                return None
            return self._query.term_set_query(self._schema, field, grams)
        starts = _first(range(len(folded) - 2), _MOST_GRAMS)
        rare = self._rarest(field, {folded[start : start + 3] for start in starts}, _RAREST_GRAMS)
        return self._query.boolean_query([(self._must, self._term(field, gram, "basic")) for gram in rare])

    def _rarest(self, field: str, terms: set[str], most: int) -> list[str]:
        return sorted(terms, key=lambda term: (self._searcher.doc_freq(field, term), term))[:most]

    def _word(self, word: str) -> "Query":
        return self._term(CODE, word, "freq")

    def _term(self, field: str, value: str, option: str) -> "Query":
        return self._query.term_query(self._schema, field, value, option)

    def _flat(self, query: "Query") -> "Query":
        """A filter says nothing of how good a hit is."""
        return self._query.const_score_query(query, 0.0)


def _first(items: Iterable, most: int) -> Iterator:  # type: ignore[type-arg]
    return (item for _, item in zip(range(most), items))
