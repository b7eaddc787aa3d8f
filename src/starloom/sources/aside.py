"""What is fetched or prepared is written aside and renamed last: what bears its name is whole, a power cut included."""

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path


def publish(aside: Path, target: Path) -> None:
    """The finished file `aside` as `target`, in place of what is there."""
    sync(aside)
    aside.replace(target)
    sync(target.parent)


def publish_folder(aside: Path, target: Path) -> None:
    """The finished folder `aside` as `target`. Where one is there, a kill may leave neither, never a mixture."""
    for left in target.parent.glob(f"{target.name}.*.old"):  # of a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    old = target.with_name(f"{target.name}.{secrets.token_hex(8)}.old")
    if target.exists():
        target.rename(old)
    aside.rename(target)
    sync(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def replace_file(path: Path, data: bytes) -> None:
    """The file `path` holds `data`, or what it held before."""
    aside = path.with_name(f".{path.name[:180]}.{secrets.token_hex(8)}.aside")
    try:
        with aside.open("xb") as file:
            file.write(data)
        publish(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def sync(path: Path) -> None:
    """The file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """One thread and process at a time, by a lock on the file `path`; a killed one lets go."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
