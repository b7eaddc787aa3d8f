"""Which registries this machine uses: what the environment says, else what pip, npm and apt say of themselves.

So a mirror that a company has put into pip.conf, .npmrc or apt's sources is the one that is asked. The programs are
only asked for their settings (pip and npm take a second, once); packages are never fetched or built through them.
"""

import os
import re
import sys
from collections.abc import Sequence
from functools import cache

from starloom.errors import UserError
from starloom.outside.processes import ProcessError, run

_SECONDS = 60.0  # for a program to answer
_INDEX = re.compile(r"--index-url\b.*?\(default\s+(https?://[^\s)]+)\)", re.DOTALL)


def pypi() -> str:
    """The Python package index that pip uses. Raises UserError where that cannot be told."""
    if named := os.environ.get("PIP_INDEX_URL"):
        return named
    for pip in ([sys.executable, "-m", "pip"], ["pip3"], ["pip"]):
        # pip names its default, or what its configuration says, in its own help.
        if found := _INDEX.search(_answer([*pip, "install", "--help"])):
            return found[1].rstrip(".")
    raise _unknown("Python package index", "pip", "PIP_INDEX_URL")


def npm() -> str:
    """The registry that npm uses. Raises UserError where that cannot be told."""
    named = os.environ.get("NPM_CONFIG_REGISTRY") or os.environ.get("npm_config_registry")  # noqa: SIM112
    found = named or _answer(["npm", "config", "get", "registry"]).strip()
    if not re.fullmatch(r"https?://\S+", found):
        raise _unknown("npm registry", "npm", "NPM_CONFIG_REGISTRY")
    return found


def debian(suite: str) -> str:
    """The mirror from which apt takes a suite. Raises UserError where that cannot be told."""
    if named := os.environ.get("STARLOOM_DEBIAN_MIRROR"):
        return named
    form = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
    for line in _answer(["apt-get", "indextargets", "--format", form, "Created-By: Packages"]).splitlines():
        address, *rest = line.split(" ")
        if rest == [suite, "main"] and re.match(r"https?://", address):
            return address
    raise _unknown(f"mirror of Debian's {suite}", "apt", "STARLOOM_DEBIAN_MIRROR")


@cache
def _said(argv: tuple[str, ...], path: str) -> str:  # noqa: ARG001 - another PATH is another program
    # The user's own programs with the user's own settings, in a terminal wide enough for an address.
    try:
        done = run(argv, dict(os.environ) | {"COLUMNS": "500", "NO_COLOR": "1", "LC_ALL": "C"}, timeout=_SECONDS)
    except (ProcessError, UserError):
        return ""
    return "" if done.returncode else done.stdout.decode("utf-8", "replace")


def _answer(argv: Sequence[str]) -> str:
    """What a program prints; "" where it is not there or fails. Asked once a process."""
    return _said(tuple(argv), os.environ.get("PATH", ""))


def _unknown(what: str, program: str, variable: str) -> UserError:
    return UserError(
        f"no {what} is known: {program} is not here, or does not say which one it uses",
        f"set {variable} to its address, or install {program}",
    )
