"""Matching code: a text in, which stretches of it the dataset has, in which files, under which licences.

What is asked is kept nowhere and logged nowhere. A browser posts the form; a program posts JSON, `{"text": …}` with
`split`, `renamed` and `files` where wanted, or the text itself.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import Response

from starloom.errors import UserError
from starloom.membership.check import FILES, Index
from starloom.membership.matches import Check, Match, MatchedFile
from starloom.membership.shard import Split
from starloom.report.charts import share
from starloom.server.open import Served
from starloom.server.pages.answer import as_json, page, wants_json
from starloom.server.pages.file import file_address
from starloom.server.pages.marked import Span, marked_lines, neighbourhoods
from starloom.server.refusal import RefusedError
from starloom.server.room import listed

router = APIRouter()

MOST_BYTES: Final = 5_000_000
MOST_MATCHES: Final = 100  # listed on a page; JSON has all
MOST_FILES: Final = 10  # listed of each match there
MOST_LISTED: Final = 1_000  # of each match, as JSON
_SPLITS: Final[dict[object, Split]] = {None: None, "": None, "train": "train", "held_out": "held_out"}


@dataclass(frozen=True)
class _Asked:
    text: str
    split: Split = None
    renamed: bool = False
    files: int = FILES


@router.get("/check")
def ask(request: Request) -> Response:
    index = _index(request)
    if wants_json(request):
        raise RefusedError(405, "post the text", hint='as JSON: {"text": "…"}')
    return _page(request, index, {})


@router.post("/check")
async def check(request: Request) -> Response:
    async with Served.by(request).room.body(request, MOST_BYTES) as body:
        return await _checked(request, body)


async def _checked(request: Request, body: bytes) -> Response:
    index = await asyncio.to_thread(_index, request)
    asked = _asked(request.headers.get("content-type", ""), body)
    try:
        found = await asyncio.to_thread(_found, request, asked)
    except UserError as problem:
        refused = RefusedError.of(problem)
        if wants_json(request):
            raise refused from None
        return _page(request, index, {"problem": refused, "asked": asked}, refused.status)
    if wants_json(request):
        return await asyncio.to_thread(lambda: as_json(found.to_json()))
    has_files = Served.by(request).workspace.headline.present
    return await asyncio.to_thread(lambda: _page(request, index, _values(asked, found, has_files)))


def _found(request: Request, asked: _Asked) -> Check:
    files = listed(asked.files, asked.text)
    return Served.by(request).workspace.membership.asked(
        lambda index: index.check(asked.text, files, split=asked.split, renamed=asked.renamed)
    )


def _page(request: Request, index: Index, values: dict[str, Any], status: int = 200) -> Response:
    given = {"check": None, "problem": None, "asked": _Asked(""), "covered": index.covered}
    return page(request, "check.html", given | {"guarantee": index.guarantee} | values, status)


def _index(request: Request) -> Index:
    try:
        return Served.by(request).workspace.membership.get()
    except UserError as problem:
        raise RefusedError.of(problem, 503, "no_index") from None


def _asked(kind: str, body: bytes) -> _Asked:
    """What a body asks, by its content type. Raises RefusedError for a body that asks nothing."""
    kind = kind.partition(";")[0].strip().lower()
    try:
        if kind == "application/json":
            value = json.loads(body)
            return _of_values(value if isinstance(value, dict) else {})
        if kind == "application/x-www-form-urlencoded":
            fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=10, errors="replace"))
            text = fields.get("text", "").replace("\r\n", "\n")  # as every form sends them
            return _of_values({"text": text, "split": fields.get("split"), "renamed": "renamed" in fields})
        if kind in ("text/plain", ""):
            return _Asked(body.decode())
    except UnicodeDecodeError:
        raise RefusedError(400, "the body is not UTF-8", code="no_utf8") from None
    except (ValueError, RecursionError):
        raise RefusedError(400, "the body is not what its content type says", code="no_json") from None
    raise RefusedError(415, f"{kind} is not read here", hint="application/json, a form, or text/plain")


def _of_values(values: Mapping[str, Any]) -> _Asked:
    text, split = values.get("text"), values.get("split")
    renamed, files = values.get("renamed", False), values.get("files", FILES)
    if not isinstance(text, str):
        raise RefusedError(400, "the body has no text", hint='give {"text": "…"}', param="text")
    if not isinstance(split, str | None) or split not in _SPLITS:
        raise RefusedError(400, "there is no such split", hint="train, held_out, or none for both", param="split")
    if type(renamed) is not bool:
        raise RefusedError(400, "renamed is true or false", param="renamed")
    if type(files) is not int or not 0 < files <= MOST_LISTED:
        raise RefusedError(400, f"files are a number, 1 to {MOST_LISTED:,}", param="files")
    return _Asked(text, _SPLITS[split], renamed, files)


def _values(asked: _Asked, found: Check, has_files: bool) -> dict[str, Any]:
    return {
        "asked": asked,
        "check": found,
        "coverage": share(round(found.coverage * found.characters), found.characters),
        "either": share(round(found.coverage_with_renamed * found.characters), found.characters),
        "exact": sum(match.kind == "exact" for match in found.matches),
        "matches": [(match, _links(match, has_files)) for match in found.matches[:MOST_MATCHES]],
        "most_files": MOST_FILES,
        "renamed": {number for number, match in enumerate(found.matches, 1) if match.kind == "renamed"},
        "lines": neighbourhoods(marked_lines(asked.text, _spans(found.matches))),
    }


def _spans(matches: list[Match]) -> list[Span]:
    """What is marked as which match: in the midst of a renamed copy, what stands there as it is."""
    every = [(match, number) for number, match in enumerate(matches, 1)]
    exact = sorted(Span(match.start, match.end, number) for match, number in every if match.kind == "exact")
    spans = list(exact)
    for match, number in every:
        if match.kind == "renamed":
            at = match.start
            for inside in exact:
                if at < inside.start < match.end:
                    spans.append(Span(at, inside.start, number))
                if inside.start < match.end:
                    at = max(at, inside.end)
            if at < match.end:
                spans.append(Span(at, match.end, number))
    return sorted(spans)


def _links(match: Match, has_files: bool) -> list[str | None]:
    """Where the files that are listed are shown: their permalinks, as far as they are addresses of pages, else our own
    page, which has those of the dataset."""
    return [_link(file, has_files) for file in match.files[:MOST_FILES]]


def _link(file: MatchedFile, has_files: bool) -> str | None:
    if file.permalink and file.permalink.startswith(("https://", "http://")):
        return file.permalink
    if has_files and file.in_dataset:
        return file_address(file.repo_name, file.path, file.first_line, file.last_line)
    return None
