"""Real source files for the tests of kernels."""

import pytest
from tests.python_files import python_files


@pytest.fixture(scope="session")
def standard_library() -> list[str]:
    """The first 300 files of the standard library that are UTF-8 and of 2 to 60 KB."""
    found: list[str] = []
    for path in python_files():
        if not 2_000 < path.stat().st_size < 60_000:
            continue
        try:
            found.append(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue
        if len(found) == 300:
            break
    return found
