"""The style sheets and the icon: all that a page loads, read once, shipped with the package."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.exceptions import HTTPException

import starloom

router = APIRouter()

_FOLDER = Path(starloom.__file__).parent / "assets"
_TYPES = {"style.css": "text/css", "pages.css": "text/css", "icon.svg": "image/svg+xml"}
_FILES = {name: (_FOLDER / name).read_bytes() for name in _TYPES}


@router.get("/assets/{name}")
async def asset(name: str) -> Response:
    if name not in _FILES:
        raise HTTPException(404)
    return Response(_FILES[name], media_type=_TYPES[name], headers={"Cache-Control": "no-cache"})
