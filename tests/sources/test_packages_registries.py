"""Which registry is asked: the environment's, else what the machine's own programs say."""

import os
import sys

import pytest

from starloom.errors import UserError
from starloom.sources.packages import registries

HELP = """Package Index Options:
  -i, --index-url <url>       Base URL of the Python Package Index (default
                              https://mirror.example.org/pypi/simple). This should point to a
  --extra-index-url <url>     Extra URLs (default https://other.example.org/)
"""
TARGETS = """http://mirror.example.org/debian/ trixie main
http://mirror.example.org/debian/ bookworm contrib
http://mirror.example.org/debian/ bookworm main
http://mirror.example.org/security/ bookworm-security main
"""


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Programs of these names that print these words, and nothing else on the PATH."""
    for name in ("PIP_INDEX_URL", "NPM_CONFIG_REGISTRY", "npm_config_registry", "STARLOOM_DEBIAN_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python-without-pip"))

    def install(**words):
        for name, text in words.items():
            path = tmp_path / name.replace("_", "-")
            path.write_text(f"#!/bin/sh\n/bin/cat <<'END'\n{text}\nEND\n")
            path.chmod(0o755)

    registries._said.cache_clear()
    yield install
    registries._said.cache_clear()


def test_what_the_programs_say(programs):
    programs(pip3=HELP, npm="https://npm.example.org/api/", apt_get=TARGETS)
    assert registries.pypi() == "https://mirror.example.org/pypi/simple"
    assert registries.npm() == "https://npm.example.org/api/"
    assert registries.debian("bookworm") == "http://mirror.example.org/debian/"


def test_the_environment_comes_first(programs, monkeypatch):
    programs(pip3=HELP, npm="https://npm.example.org/api/", apt_get=TARGETS)
    monkeypatch.setenv("PIP_INDEX_URL", "https://mine.example.org/simple")
    monkeypatch.setenv("npm_config_registry", "https://mine.example.org/npm")
    monkeypatch.setenv("STARLOOM_DEBIAN_MIRROR", "https://mine.example.org/debian")
    assert registries.pypi() == "https://mine.example.org/simple"
    assert registries.npm() == "https://mine.example.org/npm"
    assert registries.debian("sid") == "https://mine.example.org/debian"


@pytest.mark.parametrize("words", [{}, {"pip": "no such option", "npm": "undefined", "apt_get": "E: nothing"}])
def test_where_nothing_is_said_the_remedy_is(programs, words):
    programs(**words)
    for ask, variable in (
        (registries.pypi, "PIP_INDEX_URL"),
        (registries.npm, "NPM_CONFIG_REGISTRY"),
        (lambda: registries.debian("bookworm"), "STARLOOM_DEBIAN_MIRROR"),
    ):
        with pytest.raises(UserError) as caught:
            ask()
        assert variable in caught.value.hint


def test_the_pip_of_this_environment_is_understood(monkeypatch):
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    registries._said.cache_clear()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    assert registries.pypi().startswith("https://")
    registries._said.cache_clear()
