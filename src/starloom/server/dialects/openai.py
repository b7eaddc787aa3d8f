"""OpenAI's completions: `POST /v1/completions`, streamed or not, with `suffix`; `GET /v1/models`; `GET /health`.

Shape: https://platform.openai.com/docs/api-reference/completions. Defaults are ours: 64 tokens, temperature 0.2, top_p
0.95. `model` is not looked at (one is served; the answer names it), unknown fields are ignored, `logprobs` is refused.
A prompt longer than the model's window is refused (400) without `suffix`; with it, its far ends are cut, and the answer
says so in `truncated`. A prompt may be token ids; several prompts, and `n`, give several choices, one after the other.
"""

import json
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from starloom import __version__
from starloom.completion import request as asked
from starloom.completion.request import Completion, Piece, gathered
from starloom.errors import UserError
from starloom.server.generation import GoneError, Turns
from starloom.server.open import Served
from starloom.server.refusal import RefusedError, read_body

router = APIRouter()

MOST_BYTES: Final = 1_000_000
MOST_CHOICES: Final = 16  # prompts times `n`


class _StreamOptions(BaseModel):
    include_usage: bool = False


class _Body(BaseModel):
    """What is read of a request; null means the default."""

    model_config = ConfigDict(strict=True, extra="ignore")

    prompt: str | list[str] | list[int] | list[list[int]]
    suffix: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    n: int | None = Field(None, ge=1, le=MOST_CHOICES)
    best_of: int | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    echo: bool | None = None
    logprobs: int | bool | None = None


@dataclass(frozen=True)
class _Wanted:
    """A request for one or more choices, translated."""

    requests: tuple[asked.Request, ...]  # in the order of the choices
    echo: bool
    stream: bool
    usage: bool  # in a chunk of its own at the end of a stream


@router.post("/v1/completions")
async def completions(request: Request) -> Response:
    served = Served.by(request)
    wanted = _translated(await read_body(request, MOST_BYTES))
    if served.completer is None or served.turns is None:
        raise RefusedError.of(served.no_model, 503, "no_model")
    answer = _Answer(request, served.turns, served.completer.name, wanted)
    if not wanted.stream:
        return JSONResponse(await answer.whole())
    lines = answer.lines()
    first = await anext(lines)  # before the status is sent: a prompt may still be refused
    return StreamingResponse(_after(first, lines), media_type="text/event-stream")


@router.get("/v1/models")
async def models(request: Request) -> Response:
    completer = Served.by(request).completer
    names = [completer.name] if completer else []
    data = [{"id": name, "object": "model", "created": 0, "owned_by": "starloom"} for name in names]
    return JSONResponse({"object": "list", "data": data})


@router.get("/health")
async def health(request: Request) -> Response:
    completer = Served.by(request).completer
    return JSONResponse({"status": "ok", "version": __version__, "model": completer.name if completer else None})


def _translated(data: bytes) -> _Wanted:
    """The requests of a body. Raises RefusedError for what is no JSON or of a wrong type, UserError for a value out
    of range."""
    try:
        body = _Body.model_validate_json(data)
    except ValidationError as problem:
        raise _invalid(problem) from None
    prompts = _prompts(body.prompt)
    choices = body.n or 1
    if body.logprobs is not None and body.logprobs is not False:
        raise RefusedError(400, "logprobs are not given here", param="logprobs")
    if body.best_of is not None and body.best_of != choices:
        raise RefusedError(400, "best_of other than n is not done here", param="best_of")
    if not 0 < len(prompts) * choices <= MOST_CHOICES:
        raise RefusedError(
            400, f"{len(prompts)} prompts, {choices} choices each", hint=f"1 to {MOST_CHOICES} in all", param="prompt"
        )
    if body.echo and any(isinstance(one, tuple) for one in prompts):
        raise RefusedError(400, "echo is for a prompt of text", param="echo")
    values: dict[str, Any] = {"suffix": body.suffix, "fit": bool(body.suffix)}
    values["stop"] = (body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ())
    for name in ("max_tokens", "temperature", "top_p"):
        if (value := getattr(body, name)) is not None:
            values[name] = value
    requests = tuple(
        asked.Request(prompt, seed=None if body.seed is None else body.seed + choice, **values)
        for prompt in prompts
        for choice in range(choices)
    )
    usage = bool(body.stream_options and body.stream_options.include_usage)
    return _Wanted(requests, bool(body.echo), bool(body.stream), usage)


def _prompts(given: str | list[str] | list[int] | list[list[int]]) -> list[str | tuple[int, ...]]:
    """The prompts: a list of numbers is one."""
    if isinstance(given, str):
        return [given]
    if given and all(isinstance(one, int) for one in given):
        return [tuple(one for one in given if isinstance(one, int))]
    return [one if isinstance(one, str) else tuple(one) for one in given if not isinstance(one, int)]


def _invalid(problem: ValidationError) -> RefusedError:
    """The first thing that is wrong with a body, in words."""
    first = problem.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return RefusedError(400, f"the body is no JSON: {first['msg'].removeprefix('Invalid JSON: ')}", code="no_json")
    if not first["loc"]:
        return RefusedError(400, "the body is no JSON object", code="no_object")
    name = str(first["loc"][0])
    if first["type"] == "missing":
        return RefusedError(400, f"{name} is missing", param=name)
    if name == "prompt":
        return RefusedError(400, "prompt is neither text, nor a list of texts, nor token ids", param=name)
    said = first["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    return RefusedError(400, f"{name} is not as it should be: {said}", param=name)


class _Answer:
    """The answer to one body, whole or as the lines of a stream."""

    def __init__(self, request: Request, turns: Turns, model: str, wanted: _Wanted) -> None:
        self._request = request
        self._turns = turns
        self._wanted = wanted
        self._head = {
            "id": f"cmpl-{secrets.token_hex(12)}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": model,
        }

    async def whole(self) -> dict[str, Any]:
        done: list[Completion] = []
        for one in self._wanted.requests:
            async with aclosing(self._turns.pieces(one, self._request.is_disconnected)) as pieces:
                done.append(gathered([piece async for piece in pieces]))
        choices = [_choice(index, self._echo(index) + one.text, one.finish_reason) for index, one in enumerate(done)]
        truncated = any(one.truncated for one in done)
        return {**self._head, "choices": choices, "usage": _usage(done), "truncated": truncated}

    async def lines(self) -> AsyncGenerator[str, None]:
        """Server-sent events, one for each piece that has text, then `[DONE]`."""
        ended: list[Piece] = []
        for index, one in enumerate(self._wanted.requests):
            echo = self._echo(index)
            async with aclosing(self._turns.pieces(one, self._request.is_disconnected)) as pieces:
                async for piece in pieces:
                    if text := echo + piece.text:
                        echo = ""
                    if piece.finish_reason:
                        ended.append(piece)
                        yield self._event([_choice(index, text, piece.finish_reason)], truncated=piece.truncated)
                    elif text:
                        yield self._event([_choice(index, text, None)])
        if self._wanted.usage:
            yield self._event([], usage=_usage(ended))
        yield "data: [DONE]\n\n"

    def _echo(self, index: int) -> str:
        prompt = self._wanted.requests[index].prompt
        return prompt if self._wanted.echo and isinstance(prompt, str) else ""

    def _event(self, choices: list[dict[str, Any]], **more: Any) -> str:
        return f"data: {json.dumps({**self._head, 'choices': choices, **more})}\n\n"


async def _after(first: str, lines: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    """A stream that has begun; what goes wrong from here on is told in it."""
    async with aclosing(lines):
        yield first
        try:
            async for line in lines:
                yield line
        except (UserError, RefusedError) as problem:
            told = RefusedError.of(problem) if isinstance(problem, UserError) else problem
            yield f"data: {bytes(told.answer().body).decode()}\n\n"
        except GoneError:
            return


def _choice(index: int, text: str, finish_reason: str | None) -> dict[str, Any]:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": finish_reason}


def _usage(done: list[Completion] | list[Piece]) -> dict[str, int]:
    prompt, answer = (sum(getattr(one, f"{name}_tokens") for one in done) for name in ("prompt", "completion"))
    return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}
