"""The report, as `starloom report` made it."""

from dataclasses import asdict

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from starloom.errors import UserError
from starloom.server.open import Served
from starloom.server.pages.answer import as_json, wants_json
from starloom.server.refusal import RefusedError

router = APIRouter()

# It carries its style inline and loads nothing.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


@router.get("/report")
def report(request: Request) -> Response:
    workspace = Served.by(request).workspace
    if wants_json(request):
        return as_json(asdict(workspace.headline.get()))
    try:
        text = workspace.report.get()
    except UserError as problem:
        raise RefusedError.of(problem, 503, "no_report") from None
    return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY})
