"""The app: routes, guards and the answers to whatever goes wrong. Nothing of a request is logged."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from starloom.completion.request import Completer
from starloom.errors import UserError
from starloom.server import routes, shards
from starloom.server.generation import GoneError, Turns
from starloom.server.guard import HEADERS, Guard, Hosts
from starloom.server.open import Served, Workspace
from starloom.server.pages.answer import problem_page, templates
from starloom.server.refusal import RefusedError
from starloom.server.room import Room

NO_MODEL = UserError("no model is served", "run `starloom train`, then `starloom serve` again")


def make_app(
    root: Path,
    completer: Completer | None,
    *,
    no_model: UserError = NO_MODEL,
    host: str = "127.0.0.1",
    numbers: frozenset[int] | None = None,
    peers: Sequence[str] = (),
) -> FastAPI:
    """The app over the workspace `root`. `host`: the address it will be bound to, which it then answers to.

    `numbers`: these shards of its indexes only; without `peers` for other servers alone, with no page. `peers`: URLs of
    servers that have the other shards. Raises UserError for an URL that is none.
    """
    turns = Turns(completer) if completer else None

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None, None]:
        yield
        if turns:
            turns.close()

    # No generated documentation: its pages load scripts from elsewhere.
    app = FastAPI(title="Starloom", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    for_others = numbers is not None and not peers
    room = Room(shards.ROOM) if for_others else Room()
    workspace = Workspace(root, numbers, peers)
    app.state.served = Served(workspace, completer, turns, no_model, templates(), room, not for_others)
    for router in (shards.router,) if for_others else routes.ROUTERS:
        app.include_router(router)
    app.add_middleware(Guard, hosts=Hosts(host))
    app.add_exception_handler(Exception, _failed)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(UserError, _refused)
    app.add_exception_handler(GoneError, _gone)
    return app


async def _refused(request: Request, problem: Exception) -> Response:
    if isinstance(problem, UserError):
        problem = RefusedError.of(problem)
    elif isinstance(problem, HTTPException):
        words = {404: f"there is nothing at {request.url.path}", 405: f"{request.method} is not for {request.url.path}"}
        status, headers = problem.status_code, problem.headers or {}
        hint = f"it takes {headers['Allow']}" if "Allow" in headers else None
        answer = problem_page(request, RefusedError(status, words.get(status, problem.detail), hint=hint))
        answer.headers.update(headers)
        return answer
    assert isinstance(problem, RefusedError)
    return problem_page(request, problem)


async def _failed(request: Request, _problem: Exception) -> Response:
    """A bug: its traceback goes to the server's terminal, the client gets this, which the guard does not see."""
    answer = problem_page(request, RefusedError(500, "something went wrong in the server; its terminal says what"))
    answer.headers.update(HEADERS)
    return answer


async def _gone(_request: Request, _problem: Exception) -> Response:
    return Response(status_code=499)  # nobody reads it; nginx's number for a client that closed the connection
