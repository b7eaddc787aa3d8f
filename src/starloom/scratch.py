"""A folder for what a step needs only while it runs."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starloom.errors import UserError


@contextmanager
def scratch_folder(prefix: str, inside: Path | None = None) -> Iterator[Path]:
    """A new empty folder `inside` one that is there, else among the system's temporary files; gone when the block ends.

    Its name is drawn before it is made, so that Ctrl-C leaves nothing at any moment: `tempfile.TemporaryDirectory`
    leaves the folder where the signal comes as it is made. Raises UserError.
    """
    folder = (inside or Path(tempfile.gettempdir())) / f"{prefix}{secrets.token_hex(8)}"
    try:
        try:
            folder.mkdir(mode=0o700)
        except OSError as problem:
            raise UserError(
                f"{folder.parent}: no folder can be made here: {problem.strerror}", "name another by TMPDIR=FOLDER"
            ) from None
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
