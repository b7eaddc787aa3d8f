"""A dataset that several files of tests pack, built once a session. And folders in memory, for tests that publish a
hundred times: on a disk that others use, an fsync may take a second."""

import itertools
import os
import tempfile
from pathlib import Path

import pytest

from starloom.the_stack import write
from the_stack import building
from tokens.packs import FORGED, PRIVATE, Pack


@pytest.fixture(scope="session")
def fresh():
    """`fresh()`: a new folder, in memory where there is one."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as base:
        numbers = itertools.count()

        def make():
            folder = Path(base) / str(next(numbers))
            folder.mkdir()
            return folder

        yield make


@pytest.fixture(scope="session")
def built_dataset(tmp_path_factory):
    """Eleven repositories, some held out, one of several row groups and data files."""
    base = tmp_path_factory.mktemp("pack")
    for name in "abcdefghij":
        count = 9 if name == "e" else 3
        files = {f"{number}.py": building.code(f"{name} {number}", 8) for number in range(count)}
        building.folder(base / name, {"README.md": f"# Übung {name}\n\nGrüße, 你好\n".encode() * 3, **files})
    private = b"# by %s <EMAIL> %s\n" % (PRIVATE, PRIVATE) + building.code("private")
    building.folder(base / "k", {"forged.py": FORGED + building.code("forged"), "empty.py": b"", "private.py": private})
    extra = building.ENGINE + "\n[decide]\nheld_out = 0.3\nseed = 2\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write, "BUCKET_BYTES", 6000)
        patch.setattr(write, "GROUP_BYTES", 2000)
        sources = [base / name for name in "abcdefghijk"]
        return building.Workspace(base / "workspace", *sources, extra=extra).build()


@pytest.fixture
def make(built_dataset, tmp_path):
    """A Pack of that dataset, of a tokenizer."""
    numbers = itertools.count()
    return lambda chosen=None: Pack(built_dataset, tmp_path / f"packed-{next(numbers)}", chosen)
