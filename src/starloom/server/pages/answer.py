"""An answer as a page, or as JSON for whoever asks for it: `?format=json`, or `Accept: application/json`."""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup, escape

from starloom import __version__
from starloom.outside.paths import printable
from starloom.report.page import environment
from starloom.server.open import Served
from starloom.server.refusal import RefusedError

_ASKED = ("/search", "/check")  # pages with a form


@functools.cache
def templates() -> jinja2.Environment:
    """The report's environment (every value printable and escaped), this folder's templates before its own; compiled
    once a process."""
    found = environment()
    assert found.loader is not None
    found.loader = jinja2.ChoiceLoader([jinja2.FileSystemLoader(Path(__file__).parent), found.loader])
    found.filters |= {"as_typed": as_typed, "commands": commands}
    found.globals["version"] = __version__
    return found


def as_typed(text: str) -> Markup:
    """What a person typed, for the field that it was typed into: escaped, not made printable."""
    return escape(text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}"))


def commands(text: str) -> Markup:
    """Escaped, what stands between backticks as code.

    >>> str(commands("run `starloom index`"))
    'run <code>starloom index</code>'
    """
    parts = printable(text).split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in enumerate(parts)
    )


def wants_json(request: Request) -> bool:
    """A browser asks for text/html first; a program that names application/json gets it."""
    if wanted := request.query_params.get("format"):
        return wanted == "json"
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def page(request: Request, template: str, values: Mapping[str, Any], status: int = 200) -> Response:
    """A page from its template."""
    served = Served.by(request)
    given = {"here": request.url.path, "workspace": served.workspace.name, **values}
    return HTMLResponse(served.templates.get_template(template).render(given), status)


def as_json(values: Any) -> Response:
    """The keys of the command's `--json`, on one line."""
    return Response(json.dumps(values, ensure_ascii=True), media_type="application/json")


def problem_page(request: Request, problem: RefusedError) -> Response:
    """What went wrong: a page for browsers, else OpenAI's shape; that too for what is posted below /v1 and for servers
    that have no page."""
    of_programs = request.url.path.startswith("/v1/") and request.method != "GET"
    if of_programs or not (_reads_html(request) and Served.by(request).has_pages):
        return problem.answer()
    again = request.url.path in _ASKED and problem.status not in (404, 503)
    return page(request, "problem.html", {"problem": problem, "again": again}, problem.status)


def _reads_html(request: Request) -> bool:
    return not wants_json(request) and "text/html" in request.headers.get("accept", "")
