"""Files that are written aside and renamed last: what bears its name is whole, even after a power cut."""

import os
from pathlib import Path


def publish(aside: Path, target: Path) -> None:
    """The finished file `aside` as `target`, in place of what is there."""
    for path in (aside, target.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if path == aside:
            aside.replace(target)
