"""A query as tantivy's queries: the files that may be hits, what is still to be proved of them, which of them are best.

The index knows words, trigrams of bytes, symbols and filters, see `fields`. Words, languages, licences and symbols are
exact in it; everything else is narrowed by its rarest trigrams, borders and whole identifiers and left to
`matching`; what is not narrowed at all, a pattern like `.*`, leaves all files. Never misses: what is looked up holds
for every hit. Cost: one look-up per distinct trigram of the terms.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

from starloom.search import fields, grams, ranking, required
from starloom.search.borders import of_piece
from starloom.search.identifiers import IDENTIFIER
from starloom.search.needs import Every, Has, Needed, Some
from starloom.search.nodes import All, Any, Exact, Filter, Node, Not, Pattern, Word, fold
from starloom.search.tiers import Tiers

if TYPE_CHECKING:
    from tantivy import Query, Schema, Searcher

Term: TypeAlias = tuple[str, str]  # of the index: its field, and what stands there

_MOST_GRAMS: Final = 1_000  # of a piece; their rarest are what counts
_RAREST_GRAMS: Final = 4  # more narrow little, and each is one more list to go through
_RAREST_WORDS: Final = 2
_RAREST_BORDERS: Final = 3
_FEW: Final = 4_000  # files that have a piece of a text, so that probably few have all of them
_SELDOM: Final = 50  # files among which a text's trigrams are not looked for: to count them costs more than a look
_OUTSIDE: Final = [byte for byte in range(256) if not IDENTIFIER.match(chr(byte))]  # of identifiers
DEFINING: Final = 2  # the first tiers: of files that define one of the words that hits are ranked by


@dataclass(frozen=True)
class Plan:
    """`candidates` are all hits and maybe more. `unproved` must hold of them too; None: they are exactly the hits.

    `may`: which rows may be hits, by their filters of grams; None: those say nothing. `total`: so many candidates there
    are, deleted ones counted; None: that takes going through them. `few`: they are few, as far as is known.
    `ranked`: the words that hits are ranked by, folded. `tiers`: of a file, told by its row; None: its text has a say.
    `sure`: all files that match the last of `better` are candidates. `split`: so are all that match one of these, and
    no others; empty: that is not known.
    """

    candidates: "Query"
    unproved: Node | None
    may: grams.May | None
    total: int | None
    few: bool
    ranked: frozenset[str]
    tiers: Tiers | None
    sure: bool
    split: "Sequence[Query]"
    make_better: "Callable[[], Iterable[Query | None]]"

    @cached_property
    def better(self) -> tuple["Query | None", ...]:
        """A file's tier is the number of the first of these that it matches, len(better) if none; less is better. They
        are told by a file alone, whatever else is in the index. None: no file of this shard, but for those that match
        one before it, is of that tier."""
        return tuple(self.make_better())


def plan(node: Node, searcher: "Searcher", schema: "Schema") -> Plan:
    """How to ask for `node`, `Query.node` of what was parsed."""
    return _Planner(searcher, schema).plan(node)


class _Planner:
    def __init__(self, searcher: "Searcher", schema: "Schema") -> None:
        from tantivy import Occur, Query

        self._doc_freq = searcher.doc_freq
        self._counted: dict[Term, int] = {}
        self._schema = schema
        self._query = Query
        self._must, self._must_not, self._should = Occur.Must, Occur.MustNot, Occur.Should
        self._rare = False  # whether a term that narrows is in few files

    def _many(self, field: str, term: str) -> int:
        """Files with a term: words are asked for more than once."""
        many = self._counted.get((field, term))
        if many is None:
            many = self._counted[field, term] = self._doc_freq(field, term)
        return many

    def plan(self, node: Node) -> Plan:
        found, unproved = self._node(node)
        candidates = self._query.all_query() if found is None else found
        words, whole = ranking.words(node), ranking.whole(node)
        return Plan(
            *(candidates, unproved, grams.may(unproved), self._total(node, unproved), self._rare),
            frozenset(map(fold, words)),
            None if whole else Tiers(words),
            *((True, self._split(node)) if unproved is None and ranking.are_words(node) else (False, ())),
            lambda: self._better(words, whole),
        )

    # What narrows

    def _node(self, node: Node) -> "tuple[Query | None, Node | None]":
        """(what narrows, None: nothing; what is to be proved, None: nothing)."""
        if isinstance(node, All):
            return self._all(node)
        if isinstance(node, Any):
            return self._any(node)
        if isinstance(node, Not):
            return self._not(node)
        if isinstance(node, Word):
            return self._word(node)
        if isinstance(node, Exact):
            return self._exact(node)
        if isinstance(node, Pattern):
            return self._pattern(node), node
        return self._filter(node)

    def _all(self, node: All) -> "tuple[Query | None, Node | None]":
        found, excluded, unproved = [], [], []
        for part in node.parts:
            if isinstance(part, Not) and not isinstance(part.part, All | Any | Not):
                inner, rest = self._node(part.part)
                if inner is not None and rest is None:
                    excluded.append(inner)
                    continue
            narrowed, rest = self._node(part)
            if narrowed is not None:
                found.append(narrowed)
            if rest is not None:
                unproved.append(rest)
        narrowed = self._every(found)
        if excluded:
            narrowed = self._but(self._query.all_query() if narrowed is None else narrowed, *excluded)
        return narrowed, All(tuple(unproved)) if unproved else None

    def _any(self, node: Any) -> "tuple[Query | None, Node | None]":
        found, proved = [], True
        for part in node.parts:
            narrowed, rest = self._node(part)
            found.append(narrowed)
            proved &= rest is None
        return self._some(found), None if proved and None not in found else node

    def _not(self, node: Not) -> "tuple[Query | None, Node | None]":
        """Told of its terms one by one: what is exact among them excludes."""
        if isinstance(node.part, Not):
            return self._node(node.part.part)
        if isinstance(node.part, Any):
            return self._all(All(tuple(map(Not, node.part.parts))))
        if isinstance(node.part, All):
            return self._any(Any(tuple(map(Not, node.part.parts))))
        inner, unproved = self._node(node.part)
        if inner is None or unproved is not None:
            return None, node
        return self._but(self._query.all_query(), inner), None

    def _word(self, node: Word) -> "tuple[Query | None, Node | None]":
        folded = fold(node.text)
        if len(folded) >= fields.LONGEST_WORD:
            return self._piece(fields.GRAMS, folded.encode()), node
        if node.case_sensitive and node.text != folded:
            return self._term(fields.CASED, node.text), None
        return self._word_of_text(folded), node if node.case_sensitive and _has_letters(folded) else None

    def _word_of_text(self, folded: str) -> "Query | None":
        return self._some(self._lists(folded))

    def _lists(self, folded: str) -> "list[Query]":
        """The files that have a word, as a whole one and as a part; what no file has is left out, for all of two lists
        that are one is gone through."""
        found = [field for field in (fields.CODE, fields.PARTS) if self._many(field, folded)]
        return [self._term(field, folded) for field in found or [fields.CODE]]

    def _exact(self, node: Exact) -> "tuple[Query | None, Node | None]":
        folded = fold(node.text)
        proved = _is_gram(folded) and not (node.case_sensitive and _has_letters(folded))
        return self._text(fields.GRAMS, Has(folded)), None if proved else node

    def _filter(self, node: Filter) -> "tuple[Query | None, Node | None]":
        if node.field == "lang":
            return self._term(fields.LANGUAGE, node.value), None
        if node.field == "license":
            return self._term(fields.LICENSE, node.value.lower()), None
        if node.field == "sym":
            if node.pattern:
                return None, node
            folded = fold(node.value)
            in_field = (fields.CASED_SYMBOLS, node.value) if node.case_sensitive else (fields.SYMBOLS, folded)
            return self._term(*in_field), None
        field = fields.REPO_GRAMS if node.field == "repo" else fields.PATH_GRAMS
        if node.pattern:
            return self._needed(field, required.needed(Pattern(node.value, node.case_sensitive))), node
        folded = fold(node.value)
        proved = node.field != "file" and _is_gram(folded) and not (node.case_sensitive and _has_letters(folded))
        return self._piece(field, folded.encode()), None if proved else node

    def _needed(self, field: str, needed: Needed) -> "Query | None":
        """Files that have what a pattern needs."""
        if needed is None:
            return None
        if isinstance(needed, Has):
            return self._text(field, needed)
        parts = [self._needed(field, part) for part in needed.parts]
        if isinstance(needed, Every):
            return self._every([part for part in parts if part is not None])
        return self._some(parts)

    def _text(self, field: str, sought: Has) -> "Query | None":
        """Files whose `field` has a text's rarest trigrams; of contents also the rarest identifiers whole in it, and
        the rarest of their borders."""
        found, folded = [], sought.text
        if field == fields.GRAMS:
            words = {
                word[0]
                for word in islice(IDENTIFIER.finditer(folded), _MOST_GRAMS)
                if (word.start() > 0 or sought.begins) and (word.end() < len(folded) or sought.ends)
                if len(word[0]) < fields.LONGEST_WORD
            }
            rarest = self._rarest({(fields.CODE, word) for word in words}, _RAREST_WORDS)
            rarest += self._rarest(_borders(folded.encode()), _RAREST_BORDERS)
            found = [self._term(*one) for _, one in rarest]
            if folded in words or (rarest and min(rarest)[0] <= _SELDOM and not _is_gram(folded)):
                return self._every(found)
        narrowed = self._piece(field, folded.encode(), sought.ends)
        return self._every(found if narrowed is None else [*found, narrowed])

    def _pattern(self, pattern: Pattern) -> "Query | None":
        """Files that have what a pattern needs: as it is written; and where a run of blanks is one space, as it is in
        borders, if fewer have that."""
        needed, closely = required.needed(pattern), required.needed(pattern, closely=True)
        found = [self._needed(fields.GRAMS, needed)]
        fewest = self._at_most(needed)
        parts = closely.parts if isinstance(closely, Every) else [closely]
        for part in parts if closely != needed else ():
            rarest = [self._rarest_closed_up(one) for one in (part.parts if isinstance(part, Some) else [part])]
            terms = {one for one in rarest if one}
            if None not in rarest and sum(many for many, _ in terms) < fewest:
                found.append(self._some([self._term(*term) for _, term in sorted(terms)]))
        return self._every([one for one in found if one is not None])

    def _at_most(self, needed: Needed) -> float:
        """How many files have what is needed, at most, as far as its terms were counted."""
        if isinstance(needed, Has):
            folded = needed.text.encode()
            terms = _borders(folded) | _grams(fields.GRAMS, folded)
            terms |= {(fields.CODE, needed.text)} if needed.begins and needed.ends else set()
            return min((self._counted.get(one, math.inf) for one in terms), default=math.inf)
        if needed is None:
            return math.inf
        return (min if isinstance(needed, Every) else sum)(map(self._at_most, needed.parts))

    def _rarest_closed_up(self, needed: Needed) -> tuple[int, Term] | None:
        """Of pieces with runs of blanks as one space what the fewest files have, and how many those are: a border, or
        where a piece has none a trigram without blanks."""
        if isinstance(needed, Every):
            return min(filter(None, map(self._rarest_closed_up, needed.parts)), default=None)
        if not isinstance(needed, Has):
            return None
        folded = needed.text.encode()
        terms = _borders(folded) or {one for run in folded.split() for one in _grams(fields.GRAMS, run)}
        return min(((self._many(*one), one) for one in terms), default=None)

    def _piece(self, field: str, folded: bytes, ends: bool = False) -> "Query | None":
        """Files whose `field` has the rarest trigrams of a piece of text; `ends`: none of an identifier is behind it.
        None for a single byte: nearly all."""
        if len(folded) < 2:
            return None
        if len(folded) == 2:
            thirds = _OUTSIDE if ends else range(256)
            following = [fields.gram_term(folded + bytes([third])) for third in thirds]
            return self._query.term_set_query(self._schema, field, following)
        return self._every([self._term(*one) for _, one in self._rarest(_grams(field, folded), _RAREST_GRAMS)])

    def _total(self, node: Node, unproved: Node | None) -> int | None:
        """Of a word alone the index knows it: no file has one as a whole identifier and as a part."""
        if not isinstance(node, Word) or unproved is not None:
            return None
        folded = fold(node.text)
        if node.case_sensitive and node.text != folded:
            return self._many(fields.CASED, node.text)
        return self._many(fields.CODE, folded) + self._many(fields.PARTS, folded)

    def _split(self, node: Node) -> "Sequence[Query]":
        return self._lists(fold(node.text)) if isinstance(node, Word) else ()

    # What is best

    def _better(self, words: list[str], whole: list[str]) -> "Iterable[Query | None]":
        """Defines one of the words under exactly this name, in any case; has one in its file's name; has all whole. See
        `tiers` too."""
        if not words:
            return
        folded = list(dict.fromkeys(map(fold, words)))
        in_any_case = {word: self._many(fields.SYMBOLS, word) for word in folded}
        cased = {word: self._many(fields.CASED_SYMBOLS, word) for word in words if in_any_case[fold(word)]}
        only_so = {fold(word) for word, many in cased.items() if many == in_any_case[fold(word)]}  # never otherwise
        yield self._some([self._term(fields.CASED_SYMBOLS, word) for word, many in cased.items() if many])
        others = [word for word, many in in_any_case.items() if many and word not in only_so]
        yield self._some([self._term(fields.SYMBOLS, word) for word in others])
        yield self._some([self._term(fields.NAME, word) for word in folded if self._many(fields.NAME, word)])
        if whole:
            there = all(self._many(fields.CODE, word) for word in whole)
            yield self._every([self._term(fields.CODE, word) for word in whole]) if there else None

    # tantivy's queries

    def _term(self, field: str, value: str) -> "Query":
        return self._query.term_query(self._schema, field, value, "basic")

    def _every(self, found: "Sequence[Query]") -> "Query | None":
        if len(found) < 2:
            return found[0] if found else None
        return self._query.boolean_query([(self._must, one) for one in found])

    def _some(self, found: "Sequence[Query | None]") -> "Query | None":
        """None where one of them is nothing that narrows."""
        if len(found) == 1:
            return found[0]
        known = [one for one in found if one is not None]
        if len(known) < len(found) or len(known) < 2:
            return known[0] if len(known) == len(found) == 1 else None
        return self._query.boolean_query([(self._should, one) for one in known])

    def _but(self, found: "Query", *excluded: "Query") -> "Query":
        return self._query.boolean_query([(self._must, found), *((self._must_not, one) for one in excluded)])

    def _rarest(self, terms: set[Term], most: int) -> list[tuple[int, Term]]:
        """(files that have it, term) of the rarest, in order."""
        found = sorted([(self._many(*term), term) for term in terms])[:most]
        self._rare |= bool(found) and found[0][0] <= _FEW
        return found


def _borders(folded: bytes) -> set[Term]:
    return {(fields.BORDERS, one) for one in of_piece(folded[:_MOST_GRAMS])}


def _grams(field: str, folded: bytes) -> set[Term]:
    starts = range(min(len(folded) - 2, _MOST_GRAMS))
    return {(field, fields.gram_term(folded[start : start + 3])) for start in starts}


def _is_gram(folded: str) -> bool:
    """Whether the trigrams alone tell if a text has this piece; PAD, behind each text, is in them and not in it."""
    return 2 <= len(folded.encode()) <= 3 and not folded.endswith(fields.PAD)


def _has_letters(folded: str) -> bool:
    """Whether it can stand in a text in more than one case."""
    return not folded.isascii() or folded != folded.upper()
