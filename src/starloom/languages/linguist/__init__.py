"""A Linguist that the user has, asked for its tables: `open_linguist(folder)` agrees with it file by file.

Needs the extra `linguist` (PyYAML and regex), which nothing else does.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from starloom.errors import UserError

if TYPE_CHECKING:
    from starloom.languages.linguist.detector import Linguist


def open_linguist(folder: Path) -> "Linguist":
    """The Linguist in, at or below `folder`. Raises UserError where there is none that can be read."""
    try:
        from starloom.languages.linguist.detector import Linguist
        from starloom.languages.linguist.tables import read_tables
    except ModuleNotFoundError as missing:
        if missing.name not in ("regex", "yaml"):
            raise
        raise UserError(
            f"a Linguist's tables are read with {missing.name}, which is not installed",
            "install it with `pip install 'starloom[linguist]'`",
        ) from None
    return Linguist(read_tables(folder))
