"""Indexes for the tests: of a workspace built from the standard library, and of plain texts without one."""

import os
import shutil
import sysconfig
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from starloom.engine.verbs import EngineSettings
from starloom.identity import content_id
from starloom.membership import store, tiles
from starloom.membership.check import Index
from starloom.stages import load_settings
from starloom.the_stack.origins import OCCURRENCES
from starloom.workspace import atomic
from starloom.workspace.run import build
from the_stack import building


def make_index(root, workers=1):
    """Runs the stage in a built workspace, quietly."""
    build(Path(root), [tiles.STAGE], load_settings(Path(root)), EngineSettings(workers=workers), "test")
    return Path(root)


def write_index(root, *parts):
    """The index of plain texts, in `root`; each part (a list of texts) is a data file. Text k of all is `repo:k.py`."""
    root.mkdir(parents=True)
    rows, sources = [], []
    for number, texts in enumerate(parts):
        ids = [content_id(text.encode()) for text in texts]
        sources.append(root / f"{number}.parquet")
        pq.write_table(pa.table({"content_id": ids, "content": pa.array(texts, pa.string())}), sources[-1])
        rows += [
            {
                "content_id": one,
                "repo_name": "repo",
                "path": f"{len(rows) + k}.py",
                "split": "train",
                "in_dataset": True,
            }
            for k, one in enumerate(ids)
        ]
    places = pa.Table.from_pylist(rows, OCCURRENCES).sort_by([("content_id", "ascending"), ("path", "ascending")])
    with atomic.publish(
        root / store.FOLDER,
        kind="membership",
        version=store.VERSION,
        fingerprint="",
        inputs={},
        settings={},
        replace=False,
    ) as draft:
        tiles.write(draft, sources, places, root, lambda function, items: ((one, function(one)) for one in items))
    return root


@pytest.fixture(scope="session")
def memory():
    """A folder in memory where there is one: publishing calls fsync."""
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="starloom-membership-", dir=base))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def index_of(memory):
    """`index_of(texts, …)`: the index of plain texts, one data file for each list."""
    made = []

    def make(*parts):
        root = Path(tempfile.mkdtemp(dir=memory)) / "w"
        made.append(root.parent)
        return Index.open(write_index(root, *parts))

    yield make
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


def _library(names):
    """{path: bytes} of packages of the standard library."""
    base = Path(sysconfig.get_path("stdlib"))
    found = {}
    for name in names:
        for path in sorted((base / name).glob("*.py")):
            found[f"{name}/{path.name}"] = path.read_bytes()
    return found


@pytest.fixture(scope="session")
def real(tmp_path_factory):
    """A workspace of some packages of the standard library in three repositories, with an index.

    `copies/vendored.py` is an exact copy of `one:json/decoder.py`.
    """
    base = tmp_path_factory.mktemp("real")
    one = _library(["json", "email", "http", "urllib"])
    two = _library(["asyncio", "logging", "unittest"]) | {"LICENSE": building.MIT}
    copies = {"vendored.py": one["json/decoder.py"], "own.py": building.code("own", 30)}
    folders = [building.folder(base / name, files) for name, files in (("one", one), ("two", two), ("copies", copies))]
    workspace = building.Workspace(base / "w", *folders).build()
    make_index(workspace.root)
    return workspace


@pytest.fixture(scope="session")
def rows(real):
    """The rows of its dataset, both splits."""
    return real.dataset()


@pytest.fixture(scope="session")
def index(real):
    return Index.open(real.root)
