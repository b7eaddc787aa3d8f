"""A server of strange answers, a client that may reach it, and an environment without settings of its own."""

import pytest

from outside.web import client, serving


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("STARLOOM_ALLOW_PRIVATE", raising=False)


@pytest.fixture
def web():
    with serving() as web:
        yield web


@pytest.fixture
def http():
    with client() as http:
        yield http
