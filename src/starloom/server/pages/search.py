"""Full-text search: a box, what a query may hold, hits with the lines they stand on."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from starloom.errors import UserError
from starloom.search.hits import Answer, Hit
from starloom.server.open import Served
from starloom.server.pages.answer import as_json, page, wants_json
from starloom.server.pages.marked import Line, Span, marked_lines
from starloom.server.refusal import RefusedError

router = APIRouter()

PER_PAGE: Final = 10
MOST_SHOWN: Final = 1_000  # hits that can be turned to: further ones cost more and more, and nobody reads them
_EXAMPLES: Final = (
    ("read_json", "a word: a whole identifier, in any case"),
    ('"def read_"', "exact text, wherever it stands"),
    ("lang:python", "language"),
    ("repo:click", "part of the repository's name"),
    ("path:tests/", "part of the path"),
    ("license:MIT", "an SPDX id, or permissive, no_license"),
    ("json -test", "without the second"),
)


@router.get("/search")
def search(request: Request, q: str = "", p: str = "1") -> Response:
    """`q`: the query; `p`: the page, from 1."""
    try:
        index = Served.by(request).workspace.search.get()
    except UserError as problem:
        raise RefusedError.of(problem, 503, "no_index") from None
    number = _page(p)
    if not q.strip():
        if wants_json(request):
            raise RefusedError(400, "the query is empty", hint="give it as q", param="q")
        return page(request, "search.html", {"q": q, "answer": None, "problem": None, "examples": _EXAMPLES})
    try:
        answer = index.search(q, limit=PER_PAGE, offset=(number - 1) * PER_PAGE)
    except UserError as problem:
        refused = RefusedError.of(problem)
        if wants_json(request):
            raise refused from None
        values = {"q": q, "answer": None, "problem": refused, "examples": _EXAMPLES}
        return page(request, "search.html", values, refused.status)
    if wants_json(request):
        return as_json(answer.to_json())
    return page(request, "search.html", _shown(q, number, answer))


def _page(given: str) -> int:
    most = MOST_SHOWN // PER_PAGE
    return min(max(int(given), 1), most) if given.isascii() and given.isdigit() and len(given) < 9 else 1


def _shown(q: str, number: int, answer: Answer) -> dict[str, object]:
    pages = min(-(-answer.total // PER_PAGE), MOST_SHOWN // PER_PAGE)
    return {
        "q": q,
        "problem": None,
        "answer": answer,
        "hits": [(hit, _lines(hit)) for hit in answer.hits],
        "number": number,
        "pages": pages,
        "most": MOST_SHOWN,
        "first": (number - 1) * PER_PAGE + 1,
        "examples": _EXAMPLES,
    }


def _lines(hit: Hit) -> list[Line]:
    spans = [Span(start, end, number) for number, (start, end) in enumerate(hit.highlights, 1)]
    return marked_lines(hit.snippet, spans, hit.first_line)
