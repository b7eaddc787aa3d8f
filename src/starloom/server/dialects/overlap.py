"""BigCode's membership test: `POST /overlap`, as stack.dataportraits.org answers it and editors' plugins ask it.

`{"document": TEXT}` → `spans`, [start, end) of each match in characters of the document, the longest first; `segments`,
the same stretches with their white space folded; `raw_segments`, as they stand in the document. There a span is a chain
of hits in a Bloom filter; here it is confirmed on the text, its ends are the match's own, and `matches` tells, span by
span, which files have it, in which repositories, under which licences. Beside these, what `starloom check --json` says.

`"units": "utf16"` counts as JavaScript and editors do, in every `start` and `end` of the answer: llm-vscode takes spans
for that, so they are right for it where the document has no character beyond U+FFFF. A document cut in the midst of
such a character is taken as it is. What is asked is kept nowhere and logged nowhere.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import Response

from starloom.errors import UserError
from starloom.membership.check import FILES, Index
from starloom.server.open import Served
from starloom.server.pages.answer import as_json
from starloom.server.refusal import RefusedError
from starloom.server.room import listed

router = APIRouter()

MOST_BYTES: Final = 1_000_000  # larger ones: /check, `starloom check`
MOST_FILES: Final = 1_000  # of a match
_UNITS: Final = ("characters", "utf16")


@dataclass(frozen=True)
class _Asked:
    document: str
    utf16: bool  # places are counted in UTF-16's units
    files: int


@router.post("/overlap")
async def overlap(request: Request) -> Response:
    served = Served.by(request)
    async with served.room.body(request, MOST_BYTES) as body:
        return await asyncio.to_thread(_response, served, _asked(body))


def _asked(body: bytes) -> _Asked:
    """What a body asks. Raises RefusedError for one that asks nothing."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError(400, "the body is no JSON", hint='post {"document": "…"}', code="no_json") from None
    document = value.get("document") if isinstance(value, dict) else None
    if not isinstance(document, str):
        raise RefusedError(400, "the body has no document", hint='post {"document": "…"}', param="document")
    units, files = value.get("units") or "characters", value.get("files") or FILES
    if units not in _UNITS:
        raise RefusedError(400, f"units are not as they should be: {' or '.join(_UNITS)}", param="units")
    if type(files) is not int or not 0 < files <= MOST_FILES:
        raise RefusedError(400, f"files are not as they should be: a number, 1 to {MOST_FILES:,}", param="files")
    # One half of a pair, where an editor cut the document in its midst, is as long as what stands for it here.
    whole = document.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _Asked(whole, units == "utf16", files)


def _response(served: Served, asked: _Asked) -> Response:
    try:
        served.workspace.membership.get()
    except UserError as problem:
        raise RefusedError.of(problem, 503, "no_index") from None
    try:
        return as_json(served.workspace.membership.asked(lambda index: _answer(index, asked)))
    except UserError as problem:
        raise RefusedError.of(problem) from None


def _answer(index: Index, asked: _Asked) -> dict[str, Any]:
    found = index.check(asked.document, listed(asked.files, asked.document))
    told = found.to_json()
    order = sorted(range(len(found.matches)), key=lambda number: -found.matches[number].characters)
    raw = [asked.document[found.matches[number].start : found.matches[number].end] for number in order]
    matches = [told["matches"][number] for number in order]
    if asked.utf16 and not asked.document.isascii():
        places = [*matches, *(file for match in matches for file in match["files"])]
        for place, (start, end) in zip(places, _in_utf16(asked.document, _spans(places)), strict=True):
            place["start"], place["end"] = start, end
    return told | {
        "spans": _spans(matches),
        "segments": list(map(_folded, raw)),
        "raw_segments": raw,
        "matches": matches,
    }


def _spans(places: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(place["start"], place["end"]) for place in places]


def _folded(text: str) -> str:
    from starloom.kernels.fold import fold

    data = np.frombuffer(text.encode(), dtype=np.uint8)
    return bytes(fold(np.array([0, len(data)]), data)[1]).decode()


def _in_utf16(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans of characters as spans of UTF-16's units."""
    points = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
    units = np.concatenate(([0], np.cumsum(1 + (points > 0xFFFF))))
    return [(int(units[start]), int(units[end])) for start, end in spans]
