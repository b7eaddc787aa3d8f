"""Real source files for the tests of kernels."""

import sysconfig
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def standard_library() -> list[str]:
    """The first 300 files of the standard library that are UTF-8 and of 2 to 60 KB."""
    found: list[str] = []
    for path in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        if "site-packages" in path.parts or not 2_000 < path.stat().st_size < 60_000:
            continue
        try:
            found.append(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue
        if len(found) == 300:
            break
    return found
