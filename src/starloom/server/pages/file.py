"""A file of the dataset: its lines, what is private in them hidden, and why it is there.

`repo` and `path` name it; `lines`, 12 or 12-20, are marked; `start` is the first line of a page of a long file. Nothing
is opened by these names: they are compared with those of the dataset. Two are answered at a time, the others in turn.
"""

import asyncio
import re
import shlex
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from starloom.errors import UserError
from starloom.privacy.hidden import hidden
from starloom.privacy.redact import masked
from starloom.server.open import Served
from starloom.server.pages.answer import as_json, page, wants_json
from starloom.server.pages.marked import MOST_LINES, TAB
from starloom.server.refusal import RefusedError
from starloom.stages import load_settings
from starloom.the_stack.kept_file import KeptFile, kept_file
from starloom.the_stack.why import explain, words
from starloom.workspace.run import engine

router = APIRouter()

_BEFORE: Final = 100  # lines shown before those that were asked for, where not all are shown
_WIDEST: Final = 2_000  # characters shown of a line
_LINES: Final = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class _Shown:
    """Lines `first` to `last` of a text of `total`, from 1, as they are shown."""

    first: int
    last: int
    total: int
    rows: list[str]


@router.get("/file")
async def file(request: Request, repo: str = "", path: str = "", lines: str = "", start: str = "") -> Response:
    if not repo or not path:
        raise RefusedError(400, "no file is named", hint="give repo and path", param="path" if repo else "repo")
    async with Served.by(request).files.turn():
        return await asyncio.to_thread(_file, request, repo, path, lines, start)


def _file(request: Request, repo: str, path: str, lines: str, start: str) -> Response:
    found, why = _found(request, repo, path)
    asked = _LINES.fullmatch(lines)
    marked = (int(asked[1]), int(asked[2] or asked[1])) if asked else (0, 0)
    shown = _shown(found.text, marked, int(start) if _NUMBER.fullmatch(start) else None)
    link = found.permalink(marked if asked else None)
    if wants_json(request):
        return as_json(_values(found, shown, link))
    address = {"repo": repo, "path": path, **({"lines": lines} if asked else {})}
    return page(
        request,
        "file.html",
        {
            "file": found,
            "shown": shown,
            "marked": marked,
            "why": why,
            "source": link if link and link.startswith(("https://", "http://")) else None,
            "before": _address(address, max(shown.first - MOST_LINES, 1)) if shown.first > 1 else None,
            "after": _address(address, shown.last + 1) if shown.last < shown.total else None,
        },
    )


def file_address(repo_name: str, path: str, first: int, last: int) -> str:
    """The address of lines `first` to `last` of a file."""
    lines = f"{first}-{last}" if last > first else f"{first}"
    return f"/file?{urlencode({'repo': repo_name, 'path': path, 'lines': lines})}#L{first}"


def _address(values: dict[str, str], start: int) -> str:
    return f"/file?{urlencode(values | {'start': str(start)})}"


def _found(request: Request, repo: str, path: str) -> tuple[KeptFile, str]:
    """And what `starloom why` says of it."""
    root = Served.by(request).workspace.root
    name = f"{repo}:{path}"
    try:
        with engine(root, load_settings(root).engine) as local:
            found = kept_file(root, local, repo, path)
            said = explain(root, local, (repo, path), 1, diff=0) if found else None
    except UserError as problem:
        raise RefusedError.of(problem, 503, "no_dataset") from None
    if found is None or said is None:
        raise RefusedError(404, f"the dataset has no {name}", hint=f"`starloom why {shlex.quote(name)}` says why")
    return found, words(said)


def _shown(text: str, marked: tuple[int, int], start: int | None) -> _Shown:
    ends = [one.start() for one in re.finditer("\n", text)]
    total = len(ends) + (not text.endswith("\n") and bool(text))
    if start is None:
        start = marked[0] - _BEFORE if marked[1] > MOST_LINES else 1
    first = max(min(start, total), 1)
    last = min(first + MOST_LINES - 1, total)
    begin = ends[first - 2] + 1 if first > 1 else 0
    end = ends[last - 1] if 0 < last <= len(ends) else len(text)
    rows = masked(text[begin:end], hidden(text, begin, end)).split("\n") if total else []
    return _Shown(first, last, total, [_cut(row.removesuffix("\r").replace("\t", TAB)) for row in rows])


def _cut(row: str) -> str:
    return row if len(row) <= _WIDEST else f"{row[:_WIDEST]}…"


def _values(found: KeptFile, shown: _Shown, link: str | None) -> dict[str, Any]:
    facts = {name: value for name, value in vars(found).items() if name not in ("text", "url", "revision_id")}
    return {
        **facts,
        "permalink": link,
        "first_line": shown.first,
        "last_line": shown.last,
        "lines": shown.total,
        "text": "\n".join(shown.rows),
    }
