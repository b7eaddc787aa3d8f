"""The index as a published folder: opened without a trace, refused when it is damaged, left alone while it is read."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from search.conftest import index, paths, row, write_dataset
from starloom.errors import UserError
from starloom.kernels.cache import cache_folder
from starloom.search.index import SearchIndex
from starloom.search.layout import FOLDER, ROWS
from starloom.workspace import atomic
from starloom.workspace.manifest import read_manifest

FILES = [row(f"{number}.py", f"def f{number}():\n    return needle\n") for number in range(30)]


@pytest.fixture
def root(tmp_path):
    """A workspace with an index of 30 files."""
    write_dataset(tmp_path / "w", FILES)
    index(tmp_path / "w")
    return tmp_path / "w"


def listed(root):
    """Every file below the index's folder, with size and time of change."""
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in (root / FOLDER).rglob("*")}


def test_reading_leaves_no_trace(root, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    before = listed(root)
    assert SearchIndex.open(root).search("needle").total == 30
    assert listed(root) == before
    assert not any((tmp_path / "scratch").iterdir())


def test_what_questions_take_is_loaded_before_one_is_asked(root, monkeypatch):
    """Or the first would say that its time was up."""
    loaded = []
    monkeypatch.setattr("starloom.search.index.warm_step", loaded.append)
    SearchIndex.open(root)
    assert loaded == ["questions"]


READER = """
import os, sys
from pathlib import Path
import pyarrow.ipc, tantivy
from starloom.kernels.start import warm_step
from starloom.search.index import SearchIndex
# Loads what it needs: Python itself may lie where others may not read.
warm_step("questions")
if os.geteuid() == 0:
    os.setuid(65534)  # the superuser may write anywhere
root = Path(sys.argv[1])
assert not os.access(root / "search", os.W_OK)
print(SearchIndex.open(root).search("needle").total)
"""


def test_a_folder_that_cannot_be_written_is_read(root):
    with tempfile.TemporaryDirectory() as name:  # pytest's own folder is closed to others, as our kernels may be
        there = shutil.copytree(root, Path(name) / "w")
        kernels = shutil.copytree(cache_folder(), Path(name) / "cache" / "starloom" / cache_folder().name)
        for path in [*kernels.rglob("*"), kernels, *kernels.parents[:2]]:
            path.chmod(0o755)
        for path in [Path(name), there, *there.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        done = subprocess.run(
            [sys.executable, "-c", READER, there],
            env=os.environ | {"XDG_CACHE_HOME": str(kernels.parents[1])},
            capture_output=True,
            text=True,
            check=False,
        )
        for path in [Path(name), there, *there.rglob("*")]:
            path.chmod(0o755)
    assert done.stdout == "30\n", done.stderr


def test_a_newer_dataset_leaves_it_usable(root):
    assert not SearchIndex.open(root).stale
    write_dataset(root, [row("new.py", "new needle\n")])
    old = SearchIndex.open(root)
    assert old.stale
    assert old.search("needle").total == 30
    new = index(root)
    assert not new.stale
    assert paths(new.search("needle")) == ["new.py"]
    assert old.search("needle", 30).total == 30  # what is open answers for what it was made of
    assert len(old.search("NEEDLE -x", 30).hits) == 0


def test_without_a_dataset_it_still_answers(root):
    atomic.remove_folder(root / "dataset")
    made = SearchIndex.open(root)
    assert made.stale
    assert made.search("needle").total == 30


def test_some_of_its_shards(tmp_path):
    write_dataset(tmp_path / "w", FILES)
    whole = index(tmp_path / "w", shards=4)
    some = SearchIndex.open(tmp_path / "w", [1, 3])
    assert some.shards.covered.numbers == {1, 3}
    assert (some.shards.covered.shards, some.files) == (4, 30)
    assert some.shards.covered.made == whole.shards.covered.made
    answer = some.search("needle", 30)
    assert 0 < answer.total < 30
    assert answer.partial
    with pytest.raises(UserError, match="no such shard") as refusal:
        SearchIndex.open(tmp_path / "w", [4])
    assert "0 to 3" in refusal.value.hint


# Damage


def refused(root, *words):
    with pytest.raises(UserError) as refusal:
        SearchIndex.open(root).search('"needle"', 30)
    assert "starloom index search" in refusal.value.hint
    for word in words:
        assert word in refusal.value.problem


def test_a_missing_index(tmp_path):
    write_dataset(tmp_path / "w", FILES)
    refused(tmp_path / "w", "no search index", str(tmp_path / "w"))


def test_an_index_of_another_version(root, monkeypatch):
    monkeypatch.setattr("starloom.search.layout.VERSION", 99)
    refused(root, "written by an older Starloom")
    monkeypatch.setattr("starloom.search.layout.VERSION", 1)
    refused(root, "written by a newer Starloom")


def test_every_cut_file_is_named(root):
    names = [one.name for one in read_manifest(root / FOLDER).files]
    for name in names:
        path = root / FOLDER / name
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        if data:
            refused(root, name)
        path.unlink()
        refused(root, name, "missing")
        path.write_bytes(data)
    assert SearchIndex.open(root).search("needle").total == 30


def test_every_altered_file_is_named(root):
    """A bit anywhere: the hash of each file is proved when it is opened, not when a query meets it."""
    for one in read_manifest(root / FOLDER).files:
        path = root / FOLDER / one.name
        data = path.read_bytes()
        for place in range(0, len(data), max(len(data) // 3, 1)):
            path.write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
            refused(root, one.name)
        path.write_bytes(data)
    assert SearchIndex.open(root).search("needle").total == 30


def test_what_is_altered_is_made_again(root, capsys):
    """The hint's command does what the hint says, though a look at sizes finds nothing."""
    for name in ("texts-00.lz4", ROWS):
        path = next(root / FOLDER / one.name for one in read_manifest(root / FOLDER).files if one.name.endswith(name))
        data = path.read_bytes()
        path.write_bytes(data[:9] + bytes([data[9] ^ 1]) + data[10:])
        refused(root, name)
        capsys.readouterr()
        assert index(root).search("needle").total == 30
        assert f"{name} was altered" in capsys.readouterr().err
    index(root)
    assert "up to date" in capsys.readouterr().err


def test_damage_while_it_is_open_is_named(root, monkeypatch):
    """The files are mapped: what is written over them is met by a query."""
    monkeypatch.setenv("RUST_BACKTRACE", "0")  # tantivy may panic: looking up symbols takes seconds
    opened = SearchIndex.open(root)
    texts = next(root / FOLDER / one.name for one in read_manifest(root / FOLDER).files if one.name.endswith(".lz4"))
    with texts.open("r+b") as file:
        file.write(b"\0" * texts.stat().st_size)
    with pytest.raises(UserError, match="damaged") as refusal:
        opened.search("needle")
    assert texts.name in refusal.value.problem
    assert "starloom clean search" in refusal.value.hint  # a disk that lies leaves no time of change to go by


def test_files_of_two_indexes_do_not_mix(root, tmp_path):
    write_dataset(tmp_path / "other", FILES[:20])
    index(tmp_path / "other")
    (name,) = (one.name for one in read_manifest(root / FOLDER).files if one.name.endswith(ROWS))
    (root / FOLDER / name).write_bytes((tmp_path / "other" / FOLDER / name).read_bytes())
    refused(root, name)


def test_what_was_proved_is_not_read_again(root, monkeypatch):
    SearchIndex.open(root)

    def read(path):
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr("starloom.workspace.manifest.hash_file", read)
    SearchIndex.open(root)
    name = read_manifest(root / FOLDER).files[0].name
    os.utime(root / FOLDER / name)
    with pytest.raises(AssertionError, match="was read"):
        SearchIndex.open(root)
