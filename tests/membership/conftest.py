"""Indexes for the tests: of a workspace built from the standard library, and of plain texts without one."""

import os
import shutil
import sysconfig
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from starloom.engine.verbs import EngineSettings
from starloom.identity import content_id
from starloom.membership import layout, tiles
from starloom.membership.check import Index
from starloom.membership.plan import Source
from starloom.membership.settings import MembershipSettings
from starloom.stages import load_settings
from starloom.the_stack.origins import OCCURRENCES
from starloom.workspace import atomic
from starloom.workspace.run import build
from the_stack import building


def make_index(root, workers=1):
    """Runs the stage in a built workspace, quietly."""
    build(Path(root), [tiles.STAGE], load_settings(Path(root)), EngineSettings(workers=workers), "test")
    return Path(root)


def source_of(root, *parts, splits=()):
    """Plain texts as data files in `root`: (their Source, rows of their places by content). Text k of all is
    `repo:k.py`. `splits`: of each part; "train" where nothing is said."""
    rows, files = [], []
    for number, texts in enumerate(parts):
        split = splits[number] if number < len(splits) else "train"
        ids = [content_id(text.encode()) for text in texts]
        files.append((split, root / f"{number}.parquet"))
        sizes = pa.array([len(text.encode()) for text in texts], pa.int64())
        columns = {"content_id": ids, "content": pa.array(texts, pa.string()), "length_bytes": sizes}
        pq.write_table(pa.table(columns), files[-1][1])
        rows += [
            {
                "content_id": one,
                "repo_name": "repo",
                "path": f"{len(rows) + k}.py",
                "url": "https://github.com/some/repo",
                "revision_id": "1" * 40,
                "split": split,
                "in_dataset": True,
            }
            for k, one in enumerate(ids)
        ]
    places = pa.Table.from_pylist(rows, OCCURRENCES).sort_by([("content_id", "ascending"), ("path", "ascending")])
    return Source(files, "test"), places


def write_index(root, *parts, splits=(), **settings):
    """The index of plain texts, in `root`, over the one that is there; see `source_of`."""
    root.mkdir(parents=True, exist_ok=True)
    source, places = source_of(root, *parts, splits=splits)

    def between(first, beyond):
        names = places.column("content_id")
        return places.filter(pc.and_(pc.greater_equal(names, first), pc.less(names, beyond)))

    scratch = root / "scratch"
    scratch.mkdir(exist_ok=True)
    with atomic.publish(
        root / layout.FOLDER,
        kind="membership",
        version=layout.VERSION,
        fingerprint="",
        inputs={},
        settings={},
        replace=True,
    ) as draft:
        tiles.write(draft, source, between, scratch, one_by_one, MembershipSettings(**settings), root)
    shutil.rmtree(scratch)
    return root


def one_by_one(function, items):
    return ((one, function(one)) for one in items)


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

    def make(*parts, **settings):
        root = Path(tempfile.mkdtemp(dir=memory)) / "w"
        made.append(root.parent)
        return Index.open(write_index(root, *parts, **settings))

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
