"""Real Python files, for corpora of tests."""

import sysconfig
from collections.abc import Iterator
from pathlib import Path


def python_files() -> Iterator[Path]:
    """Those of the standard library, then those of what is installed: Debian's library is small, without `test`."""
    for place in ("stdlib", "purelib"):
        base = Path(sysconfig.get_path(place))
        for path in sorted(base.rglob("*.py")):
            if "site-packages" not in path.relative_to(base).parts:
                yield path
