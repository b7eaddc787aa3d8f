r"""The query language, as text → frozen dataclasses. Knows no index.

    words          quicksort _private      whole identifiers and parts of them: ASCII letters, digits and _
    exact text     "def quick"  ->  a.b(   anything in quotes, and any term that is no plain word: wherever it stands
    patterns       /def \w+_sort\b/        a regular expression (RE2), found anywhere; a / in it is \/
    filters        lang:python             language, by name or alias
                   repo:django path:tests  a piece of the repository's name, of the path; or /pattern/
                   file:setup              a piece of the file's name, the path's last part; or /pattern/
                   license:MIT             permissive, no_license, non_permissive, or an SPDX id or expression
                   sym:HTTPServer          a symbol that is defined there, whole; or /pattern/
    exclusion      -word -"text" -path:x -(a or b)
    combination    a b   a or b   (a or b) c        all; one at least, weaker than all; groups
    settings       case:yes|no|auto        for the whole query; auto is what it is without
                   count:N|all             so many hits are counted, however long it takes within the time given

A term without capital letters matches in any case; one with capitals matches as it is written (smart case, as in Zoekt
and ripgrep). In quotes `\"` is a quote and `\\` a backslash. What is no such query is refused, with carets below the
place, and never taken for something else.
"""

from typing import Final, NoReturn

from starloom.errors import UserError
from starloom.search.nodes import ALL_HITS, All, Any, Exact, Filter, Node, Not, Pattern, Query, Word, fold
from starloom.search.place import Place, refuse
from starloom.search.terms import Case, Reader, Token

__all__ = [
    "ACCEPTED", "ALL_HITS", "MOST_CHARACTERS", "MOST_DEPTH", "MOST_TERMS",
    "All", "Any", "Exact", "Filter", "Node", "Not", "Pattern", "Query", "Word", "fold", "parse",
]  # fmt: skip

MOST_CHARACTERS: Final = 10_000  # of a query: a page of code in quotes fits
MOST_TERMS: Final = 100
MOST_DEPTH: Final = 50  # parentheses in parentheses

ACCEPTED: Final = (
    'a query has words, "exact text", /patterns/, lang:NAME, repo:PART, path:PART, file:PART, license:ID, sym:NAME, '
    "case:yes|no|auto and count:N|all; - before a term excludes it, `or` and ( ) combine them"
)


def parse(query: str) -> Query:
    """What a query asks for. Raises UserError that points at the place where it cannot be understood."""
    _check_size(query)
    reader = Reader(query)
    tokens, terms = [], 0
    for token in reader.tokens():
        tokens.append(token)
        terms += token.make is not None
        if terms > MOST_TERMS:
            raise UserError(f"the query has more than {MOST_TERMS} terms", "ask for fewer; " + ACCEPTED)
    if not tokens:
        raise UserError("the query is empty", ACCEPTED)
    return Query(_Parser(query, tokens, reader.case).whole(), reader.count)


def _check_size(query: str) -> None:
    if len(query) > MOST_CHARACTERS:
        raise UserError(
            f"the query has {len(query):,} characters, more than {MOST_CHARACTERS:,}",
            "to find where a longer piece of code stands, use `starloom check`",
        )
    try:
        query.encode()
    except UnicodeEncodeError as problem:
        refuse(query, Place(problem.start, problem.start + 1), "this is no valid text", "write the query in UTF-8")


class _Parser:
    """Tokens → tree: any of (all of (terms and groups))."""

    def __init__(self, query: str, tokens: list[Token], case: Case) -> None:
        self._query = query
        self._tokens = tokens
        self._case = case
        self._at = 0
        self._combined = any(token.kind != "term" for token in tokens)

    def whole(self) -> Node:
        node = self._any(0)
        if self._at < len(self._tokens):
            self._refuse(self._tokens[self._at], "this parenthesis closes nothing", 'put text with one in quotes: ")"')
        return node

    def _any(self, depth: int) -> Node:
        """Up to the end, or a parenthesis that closes."""
        parts = [self._all(depth)]
        while (token := self._next()) and token.kind == "or":
            self._at += 1
            parts.append(self._all(depth, after=token))
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def _all(self, depth: int, after: Token | None = None) -> Node:
        parts: list[Node] = []
        while (token := self._next()) and token.kind in ("term", "("):
            self._at += 1
            node = self._term(token) if token.make else self._group(token, depth + 1)
            parts.append(Not(node) if token.excluded else node)
        if not parts:
            self._missing(token, after)
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _missing(self, token: Token | None, after: Token | None) -> NoReturn:
        """There is no term between `after` and `token`."""
        if token and token.kind == "or":
            self._refuse(token, f"`{token.text}` has nothing before it", _OR_WORD)
        if after:
            self._refuse(after, f"`{after.text}` has nothing after it", _OR_WORD)
        assert token is not None
        self._refuse(token, "this parenthesis closes nothing", 'put text with one in quotes: ")"')

    def _group(self, opening: Token, depth: int) -> Node:
        if depth > MOST_DEPTH:
            self._refuse(opening, f"parentheses are more than {MOST_DEPTH} deep", "write the query with fewer groups")
        inner = self._next()
        if inner and inner.kind == ")":
            self._refuse(opening, "there is nothing in the parentheses", 'put text with them in quotes: "()"')
        if inner is None:
            self._unclosed(opening)
        node = self._any(depth)
        if self._next() is None:
            self._unclosed(opening)
        self._at += 1
        return node

    def _term(self, token: Token) -> Node:
        assert token.make is not None
        if token.loose and self._combined:
            place = Place(token.place.end - 1, token.place.end)
            refuse(self._query, place, "this parenthesis closes nothing", 'put text with one in quotes: "x)"')
        return token.make(self._case)

    def _next(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _unclosed(self, opening: Token) -> NoReturn:
        self._refuse(
            opening, "this parenthesis is not closed", 'end the group with ); put text with one in quotes: "("'
        )

    def _refuse(self, token: Token, problem: str, hint: str) -> NoReturn:
        refuse(self._query, token.place, problem, hint)


_OR_WORD: Final = 'it stands between two terms; for the text itself, write "or"'
