"""Matching code: a text in, which stretches of it the dataset has, in which files, under which licences.

What is asked is kept nowhere and logged nowhere. A browser posts the form; a program posts JSON (`{"text": …}`) or the
text itself.
"""

import asyncio
import json
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import Response

from starloom.errors import UserError
from starloom.membership.check import GUARANTEE, Check, Index
from starloom.report.charts import share
from starloom.server.open import Served
from starloom.server.pages.answer import as_json, page, wants_json
from starloom.server.pages.marked import Span, marked_lines, neighbourhoods
from starloom.server.refusal import RefusedError, read_body

router = APIRouter()

MOST_BYTES: Final = 5_000_000
MOST_MATCHES: Final = 100  # listed on a page; JSON has all
MOST_FILES: Final = 10  # listed of each match there


@router.get("/check")
def ask(request: Request) -> Response:
    index = _index(request)
    if wants_json(request):
        raise RefusedError(405, "post the text", hint='as JSON: {"text": "…"}')
    return _page(request, index, {})


@router.post("/check")
async def check(request: Request) -> Response:
    index = await asyncio.to_thread(_index, request)
    text = _text(request.headers.get("content-type", ""), await read_body(request, MOST_BYTES))
    try:
        found = await asyncio.to_thread(index.check, text)
    except UserError as problem:
        refused = RefusedError.of(problem)
        if wants_json(request):
            raise refused from None
        return _page(request, index, {"problem": refused, "text": text}, refused.status)
    if wants_json(request):
        return as_json(found.to_json())
    return await asyncio.to_thread(lambda: _page(request, index, _values(text, found)))


def _page(request: Request, index: Index, values: dict[str, Any], status: int = 200) -> Response:
    given = {"check": None, "problem": None, "text": "", "covered": index.covered, "guarantee": GUARANTEE}
    return page(request, "check.html", given | values, status)


def _index(request: Request) -> Index:
    try:
        return Served.by(request).workspace.membership.get()
    except UserError as problem:
        raise RefusedError.of(problem, 503, "no_index") from None


def _text(kind: str, body: bytes) -> str:
    """The text of a body, by its content type. Raises RefusedError for a body that has none."""
    kind = kind.partition(";")[0].strip().lower()
    try:
        if kind == "application/json":
            value = json.loads(body)
            text = value.get("text") if isinstance(value, dict) else None
            if not isinstance(text, str):
                raise RefusedError(400, "the body has no text", hint='give {"text": "…"}', param="text")
        elif kind == "application/x-www-form-urlencoded":
            fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=10, errors="replace")
            text = dict(fields).get("text", "").replace("\r\n", "\n")  # as every form sends them
        elif kind in ("text/plain", ""):
            text = body.decode()
        else:
            raise RefusedError(415, f"{kind} is not read here", hint="application/json, a form, or text/plain")
    except UnicodeDecodeError:
        raise RefusedError(400, "the body is not UTF-8", code="no_utf8") from None
    except (ValueError, RecursionError):
        raise RefusedError(400, "the body is not what its content type says", code="no_json") from None
    return text


def _values(text: str, found: Check) -> dict[str, Any]:
    spans = [Span(match.start, match.end, number) for number, match in enumerate(found.matches, 1)]
    return {
        "check": found,
        "coverage": share(round(found.coverage * found.characters), found.characters),
        "matches": found.matches[:MOST_MATCHES],
        "most_files": MOST_FILES,
        "lines": neighbourhoods(marked_lines(text, sorted(spans))),
    }
