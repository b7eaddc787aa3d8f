"""Full-text search: a box, what a query may hold, hits with the lines they stand on, counts that narrow the query.

`q`: the query; `cursor`: where the page before ended, as its answer says. A page is found again by its address as long
as the index is the same. For programs also `limit` (up to 100 hits) and `facets=yes`.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from starloom.errors import UserError
from starloom.search.hints import hint
from starloom.search.hits import Answer, Hit
from starloom.search.query import parse
from starloom.server.open import Served
from starloom.server.pages.answer import as_json, page, wants_json
from starloom.server.pages.file import file_address
from starloom.server.pages.marked import Line, Span, marked_lines
from starloom.server.refusal import RefusedError

router = APIRouter()

PER_PAGE: Final = 10
MOST_LIMIT: Final = 100
_EXAMPLES: Final = (
    ("read_json", "a word: an identifier, whole or a part, in any case"),
    ('"def read_"', "exact text, wherever it stands"),
    ("/def \\w+_json\\b/", "a regular expression (RE2)"),
    ("lang:python", "language"),
    ("repo:click", "part of the repository's name"),
    ("path:tests/", "part of the path; file: of its last part"),
    ("license:MIT", "an SPDX id, or permissive, no_license"),
    ("sym:read_json", "a definition of this name"),
    ("json -test", "without the second"),
    ("(json or toml) load", "one of them, and the other"),
)
_OR: Final = re.compile(r"\sor\s", re.IGNORECASE)


class Facet(NamedTuple):
    """A value that hits have, how many, and the address of the query narrowed to them; None where it has none."""

    value: str
    number: int
    link: str | None


@router.get("/search")
def search(request: Request, q: str = "", cursor: str = "", n: str = "", limit: str = "", facets: str = "") -> Response:
    """`n`: how many hits the pages before had, to be shown."""
    index = Served.by(request).workspace.search
    try:
        index.get()
    except UserError as problem:
        raise RefusedError.of(problem, 503, "no_index") from None
    as_data = wants_json(request)
    if not q.strip():
        if as_data:
            raise RefusedError(400, "the query is empty", hint="give it as q", param="q")
        return page(request, "search.html", {"q": q, "answer": None, "problem": None, "examples": _EXAMPLES})
    wanted = _number(limit, PER_PAGE, MOST_LIMIT) if as_data else PER_PAGE
    counted = facets not in ("", "no", "0") if as_data else not cursor
    try:
        answer = index.asked(lambda one: one.search(q, limit=wanted, cursor=cursor or None, facets=counted))
    except UserError as problem:
        refused = RefusedError.of(problem)
        if as_data:
            raise refused from None
        values = {"q": q, "answer": None, "problem": refused, "examples": _EXAMPLES}
        return page(request, "search.html", values, refused.status)
    if as_data:
        return as_json(answer.to_json())
    shown = _shown(q, answer, _number(n, 0, 10**9) if cursor else 0)
    return page(request, "search.html", shown | {"has_files": Served.by(request).workspace.headline.present})


def _number(given: str, default: int, most: int) -> int:
    return min(int(given), most) or default if given.isascii() and given.isdigit() and len(given) < 12 else default


def _shown(q: str, answer: Answer, before: int) -> dict[str, object]:
    after = before + len(answer.hits)
    return {
        "q": q,
        "problem": None,
        "answer": answer,
        "hint": hint(q) if answer.found_nothing else None,
        "hits": [(hit, _lines(hit), file_address(hit.repo_name, hit.path, hit.line, hit.line)) for hit in answer.hits],
        "first": before + 1,
        "start": _address(q=q),
        "more": _address(q=q, cursor=answer.cursor, n=str(after)) if answer.cursor else None,
        "facets": _facets(q, answer.facets or {}),
        "examples": _EXAMPLES,
    }


def _facets(q: str, counts: Mapping[str, Mapping[str, int]]) -> list[tuple[str, list[Facet]]]:
    """(what it is, its commonest values) of those that tell hits apart."""
    found = []
    for name, title in (("language", "Language"), ("license", "Licence"), ("repository", "Repository")):
        rows = sorted(counts.get(name, {}).items(), key=lambda one: (-one[1], one[0]))
        if len(rows) > 1:
            found.append((title, [Facet(value, number, _narrowed(q, name, value)) for value, number in rows]))
    return found


def _narrowed(q: str, name: str, value: str) -> str | None:
    """The address of a query for those of the hits alone that have this value."""
    quoted = '"{}"'.format(value.replace("\\", "\\\\").replace('"', '\\"'))
    term = {
        "language": f"lang:{quoted}",
        "license": f"license:{quoted}",
        "repository": f"repo:/^{re.escape(value).replace('/', chr(92) + '/')}$/",
    }[name]
    narrowed = f"({q}) {term}" if _OR.search(q) else f"{q.rstrip()} {term}"
    try:
        parse(narrowed)
    except UserError:
        return None
    return _address(q=narrowed)


def _address(**values: str | None) -> str:
    return "/search?" + urlencode({name: value for name, value in values.items() if value})


def _lines(hit: Hit) -> list[Line]:
    spans = [Span(start, end, number) for number, (start, end) in enumerate(hit.highlights, 1)]
    return marked_lines(hit.snippet, spans, hit.first_line)
