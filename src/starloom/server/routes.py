"""Every dialect and page, in one place."""

from starloom.server.dialects import openai, overlap
from starloom.server.pages import assets, check, file, home, report, search

ROUTERS = (
    openai.router,
    overlap.router,
    home.router,
    search.router,
    check.router,
    file.router,
    report.router,
    assets.router,
)
