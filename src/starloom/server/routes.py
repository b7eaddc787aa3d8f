"""Every dialect and page, in one place."""

from starloom.server.dialects import openai, overlap
from starloom.server.pages import assets, check, home, report, search

ROUTERS = (openai.router, overlap.router, home.router, search.router, check.router, report.router, assets.router)
