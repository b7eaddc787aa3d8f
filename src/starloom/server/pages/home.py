"""The first page: what the dataset is, which parts are there, and the command that makes each that is not."""

from dataclasses import asdict, dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from starloom.errors import UserError
from starloom.report.figures import Headline
from starloom.server.open import Served
from starloom.server.pages.answer import as_json, page, wants_json
from starloom.server.refusal import RefusedError

router = APIRouter()


@dataclass(frozen=True)
class _Part:
    """`path`: of its page. `remedy`: how to get it when it is not present."""

    name: str
    title: str
    path: str
    what: str
    present: bool
    remedy: str


@router.get("/")
def home(request: Request) -> Response:
    served = Served.by(request)
    model = served.completer.name if served.completer else None
    headline, problem = _headline(served)
    parts = _parts(served)
    if wants_json(request):
        values: dict[str, Any] = {
            "workspace": served.workspace.name,
            "headline": asdict(headline) if headline else None,
            "model": model,
            "parts": {part.name: part.present for part in parts},
        }
        return as_json(values)
    base = f"http://{request.headers['host']}"
    return page(
        request,
        "home.html",
        {"headline": headline, "problem": problem, "parts": parts, "model": model, "base": base},
    )


def _headline(served: Served) -> tuple[Headline | None, RefusedError | None]:
    try:
        return served.workspace.headline.get(), None
    except UserError as problem:
        return None, RefusedError.of(problem)


def _parts(served: Served) -> list[_Part]:
    workspace = served.workspace
    model = served.completer
    return [
        _Part(
            "search",
            "Search",
            "/search",
            "Full text: words and exact pieces of code; by language, repository, path, licence.",
            workspace.search.present,
            "run `starloom index`",
        ),
        _Part(
            "check",
            "Check",
            "/check",
            "Paste code: which of it is in the dataset, in which files, under which licences.",
            workspace.membership.present,
            "run `starloom index`",
        ),
        _Part(
            "report",
            "Report",
            "/report",
            "What was kept and what was not, by which rule, with samples.",
            workspace.report.present,
            "run `starloom report`",
        ),
        _Part(
            "completions",
            "Completions",
            "",
            f"POST /v1/completions, by {model.name}." if model else "POST /v1/completions: code, as you type it.",
            model is not None,
            served.no_model.hint or "",
        ),
    ]
