"""What ran, and a folder for what it makes."""

import contextlib
import platform
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path


def machine() -> str:
    info = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", info)
    cores = len(re.findall(r"^processor", info, re.MULTILINE))
    return f"{model[1] if model else platform.processor()}, {cores} cores, Python {platform.python_version()}"


@contextlib.contextmanager
def kept_or_temporary(folder: Path | None) -> Iterator[Path]:
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="starloom-bench-") as name:
        yield Path(name)
