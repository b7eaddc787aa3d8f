"""Where compiled kernels are kept, and the decorators that kernels wear.

Numba's own cache notices an edit of the file a kernel stands in, but not of a function it calls in another
file: the old answer comes back silently (measured, 2026). So the folder is named by a hash of all sources and
tables of this package and of Numba's version: any edit gives a new, empty folder. The folder is given to
Numba only while it sets a kernel up, so that other users of Numba in the same process keep their own
settings.

Cost: 3-5 s for each kernel the first time on a machine; the cache is also keyed by CPU, so another machine
compiles anew.
"""

import atexit
import contextlib
import functools
import hashlib
import importlib.metadata
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_SOURCES = Path(__file__).parent
_CONFIG = ".numba_config.yaml"


def source_hash(folder: Path = _SOURCES) -> str:
    """Sixteen hex digits over every source and table in `folder` and Numba's version."""
    digest = hashlib.sha256(importlib.metadata.version("numba").encode())
    for path in sorted(folder.iterdir()):
        if path.suffix in (".py", ".tsv"):
            content = path.read_bytes()
            digest.update(b"\0%s\0%d\0" % (path.name.encode(), len(content)))
            digest.update(content)
    return digest.hexdigest()[:16]


def _usable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


@functools.cache
def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/starloom/kernels-HASH`, by default below ~/.cache; a temporary folder if read-only."""
    user = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    folder = user / "starloom" / f"kernels-{source_hash()}"
    if _usable(folder):
        return folder
    # A fresh folder, not a guessable name in /tmp: Numba unpickles what it finds there.
    temporary = tempfile.mkdtemp(prefix="starloom-kernels-")
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    return Path(temporary)


def import_numba() -> None:
    """Numba configures itself by `.numba_config.yaml` of the current folder when it is imported and at every compile:
    `starloom check` runs in strangers' checkouts, so it is imported elsewhere and never looks again."""
    with contextlib.ExitStack() as stack:
        if "numba" not in sys.modules and Path(_CONFIG).exists():
            here = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
            stack.callback(os.close, here)
            stack.callback(os.fchdir, here)
            os.chdir("/")
        from numba.core import config

        config._config_fname = os.devnull


def kernel(function: F) -> F:
    """`function` compiled by Numba at its first call, without the GIL, kept in `cache_folder()`."""
    return _compiled(function)


def leaf(function: F) -> F:
    """The same of one that other kernels call, and that neither makes an array nor returns one.

    Numba counts who refers to an array wherever one is handed on, sliced or unpacked, each time in a step that no two
    CPUs may take at once: a third of what the lexer took. A leaf outlives none of its arrays, so nothing is counted.
    """
    return _compiled(function, _nrt=False)


def _compiled(function: F, **options: bool) -> F:
    import_numba()
    import numba
    from numba.core import config

    previous = config.CACHE_DIR
    config.CACHE_DIR = str(cache_folder())  # read by Numba when it sets the cache up, in the next line
    try:
        compiled: F = numba.njit(cache=True, nogil=True, **options)(function)
    finally:
        config.CACHE_DIR = previous
    return compiled
