"""What `starloom serve --shards` serves: its shards of search and membership, to the server that puts all together.

`POST /shards/search/CALL` and `/shards/membership/CALL`: frames (`outside/frames`) in and out, see the two `remote`.
`GET /shards`: which shards are here, of which index. There are no pages, and what is asked is kept nowhere. Anyone who
reaches this address may ask, as with the pages: bind it where only the other servers are.
"""

import asyncio
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from starloom import __version__
from starloom.errors import UserError
from starloom.membership import remote as membership
from starloom.membership.store import shards_of as membership_shards
from starloom.outside.frames import KIND
from starloom.search import remote as search
from starloom.search.index import shards_of as search_shards
from starloom.server.open import Served
from starloom.server.refusal import RefusedError

router = APIRouter()

MOST_BYTES: Final = 256 << 20  # of a question: a text, and numbers for each of its places
ROOM: Final = 512 << 20

Answered = Callable[[str, bytes], bytes]


@router.post("/shards/{part}/{call}")
async def asked(request: Request, part: str, call: str) -> Response:
    served = Served.by(request)
    async with served.room.body(request, MOST_BYTES) as question:
        answered = await asyncio.to_thread(_opened, served, part)
        try:
            answer = await asyncio.to_thread(answered, call, question)
        except ValueError as problem:
            raise RefusedError(400, f"{part} is not asked so: {problem}", code="no_frame") from None
        except UserError as problem:  # of search: of a query that is none, mostly; else the index here is at fault
            raise RefusedError.of(problem, 400 if part == "search" else 503) from None
    return Response(answer, media_type=KIND)


@router.get("/shards")
def covered(request: Request) -> Response:
    workspace = Served.by(request).workspace
    told: dict[str, Any] = {}
    for name, ask in (
        ("search", lambda: workspace.search.get().shards.covered),
        ("membership", lambda: workspace.membership.get().shard.covered),
    ):
        try:
            told[name] = {**vars(ask()), "numbers": sorted(ask().numbers)}
        except UserError as problem:
            told[name] = {"problem": problem.problem}
    return JSONResponse(told)


@router.get("/health")
async def health() -> Response:
    return JSONResponse({"status": "ok", "version": __version__, "model": None})


def check_numbers(root: Path, numbers: Collection[int]) -> list[str]:
    """What is said of these shards when the server starts, from the manifests alone: of an index that lacks one. Raises
    UserError where no index has them all, which then nobody here could answer for."""
    lacking: list[UserError] = []
    absent: list[UserError] = []
    for name, shards_of in (("search", search_shards), ("membership", membership_shards)):
        try:
            count = shards_of(root)
        except UserError as problem:
            absent.append(problem)
            continue
        if strange := sorted(number for number in numbers if number >= count):
            hint = f"its shards are 0 to {count - 1}" if count > 1 else "it has one: 0"
            lacking.append(UserError(f"{root / name} has no shard {strange[0]}", f"{hint}; name those with --shards"))
    if len(absent) + len(lacking) == 2:
        raise (*lacking, *absent)[0]
    return [f"{problem.problem}: {problem.hint}" for problem in lacking]


def _opened(served: Served, part: str) -> Answered:
    """Whom to ask. Raises RefusedError: there is no such part (404), or it is not ready (503)."""
    workspace = served.workspace
    try:
        if part == "search":
            shards = workspace.search.get().shards
            return lambda call, question: search.answered(shards, call, question)
        if part == "membership":
            shard = workspace.membership.get().shard
            return lambda call, question: membership.answered(shard, call, question)
    except UserError as problem:
        raise RefusedError.of(problem, 503, "no_index") from None
    raise HTTPException(404)
