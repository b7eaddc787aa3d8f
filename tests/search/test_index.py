"""The index as a published folder: made whole or not at all, opened without a trace, refused when it is damaged."""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from search.conftest import index, paths, row, write_dataset
from starloom.errors import UserError
from starloom.search.index import FOLDER, STAGE, SearchIndex
from starloom.stages import load_settings
from starloom.workspace import atomic, operations
from starloom.workspace.manifest import read_manifest, verify
from starloom.workspace.run import build, engine
from starloom.workspace.stage import Job
from the_stack.building import MIT, code, folder, put, starloom

ROWS = [row(f"{number}.py", f"def f{number}():\n    return needle\n") for number in range(30)]


@pytest.fixture
def root(tmp_path):
    """A workspace with an index of 30 files."""
    write_dataset(tmp_path / "w", ROWS)
    index(tmp_path / "w")
    return tmp_path / "w"


def listed(root):
    """Every file below the index's folder, with size and time of change."""
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in (root / FOLDER).rglob("*")}


def test_what_is_published_is_what_a_reader_needs(root):
    manifest = read_manifest(root / FOLDER)
    assert verify(root / FOLDER) == []
    assert {path for path in listed(root) if path.is_file()} == {
        root / FOLDER / name for name in ["manifest.json", *(one.name for one in manifest.files)]
    }
    kinds = Counter(one.name.rsplit(".")[-1] for one in manifest.files)
    assert kinds["zst"] == kinds["parquet"] == kinds["json"] == 1
    assert not any("lock" in one.name or "/." in one.name for one in manifest.files)
    assert manifest.facts == {"files": 30, "text_bytes": sum(len(one["content"]) for one in ROWS)}
    assert manifest.rows == 30
    assert len({oct(path.stat().st_mode) for path in listed(root) if path.is_file()}) == 1  # tantivy makes some private


def test_reading_leaves_no_trace(root, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    before = listed(root)
    assert SearchIndex.open(root).search("needle").total == 30
    assert listed(root) == before
    assert not any((tmp_path / "scratch").iterdir())


READER = """
import os, sys
from pathlib import Path
import pyarrow.parquet, tantivy
from starloom.privacy.hidden import hidden
from starloom.search.index import SearchIndex
hidden("a@b")  # loads what it needs: Python itself may lie where others may not read
if os.geteuid() == 0:
    os.setuid(65534)  # the superuser may write anywhere
root = Path(sys.argv[1])
assert not os.access(root / "search", os.W_OK)
print(SearchIndex.open(root).search("needle").total)
"""


def test_a_folder_that_cannot_be_written_is_read(root):
    with tempfile.TemporaryDirectory() as name:  # pytest's own folder is closed to others
        there = shutil.copytree(root, Path(name) / "w")
        for path in [Path(name), there, *there.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        done = subprocess.run([sys.executable, "-c", READER, there], capture_output=True, text=True, check=False)
        for path in [Path(name), there, *there.rglob("*")]:
            path.chmod(0o755)
    assert done.stdout == "30\n", done.stderr


def test_it_is_made_once(root):
    job = Job(root, STAGE, None, None)
    assert job.state() == "fresh"
    before = listed(root)
    index(root)
    assert listed(root) == before


def test_a_newer_dataset_makes_it_stale_and_leaves_it_usable(root):
    assert not SearchIndex.open(root).stale
    write_dataset(root, [row("new.py", "new needle\n")])
    old = SearchIndex.open(root)
    assert old.stale
    assert Job(root, STAGE, None, None).state() == "stale"
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


def refused(root, *words):
    with pytest.raises(UserError) as refusal:
        SearchIndex.open(root).search('"needle"', 30)
    assert "starloom index search" in refusal.value.hint
    for word in words:
        assert word in refusal.value.problem


def test_a_missing_index(tmp_path):
    write_dataset(tmp_path / "w", ROWS)
    refused(tmp_path / "w", "no search index", str(tmp_path / "w"))


def test_a_missing_dataset(tmp_path):
    (tmp_path / "w").mkdir()
    with pytest.raises(UserError, match="dataset is missing"):
        index(tmp_path / "w")


def test_an_index_of_another_version(root, monkeypatch):
    monkeypatch.setattr("starloom.search.index.VERSION", 99)
    refused(root, "another version")


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


def test_an_altered_file_is_named_or_changes_no_hit(root, monkeypatch):
    monkeypatch.setenv("RUST_BACKTRACE", "0")  # tantivy may panic: looking up symbols takes seconds
    contents = {one["path"]: one["content"] for one in ROWS}
    named = 0
    for one in read_manifest(root / FOLDER).files:
        path = root / FOLDER / one.name
        data = path.read_bytes()
        for place in range(0, len(data), max(len(data) // 3, 1)):
            path.write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
            try:
                answer = SearchIndex.open(root).search('"needle"', 30)
            except UserError as refusal:
                named += one.name in refusal.problem
            else:
                assert all("needle" in hit.snippet for hit in answer.hits)
                assert len(answer.hits) <= len(contents)
        path.write_bytes(data)
    assert named


def test_files_of_two_indexes_do_not_mix(root, tmp_path):
    write_dataset(tmp_path / "other", ROWS[:20])
    index(tmp_path / "other")
    mine, other = (read_manifest(one / FOLDER) for one in (root, tmp_path / "other"))
    rows, theirs = root / FOLDER / "files.parquet", tmp_path / "other" / FOLDER / "files.parquet"
    assert rows.name in {one.name for one in mine.files} & {one.name for one in other.files}
    rows.write_bytes(theirs.read_bytes())
    refused(root, "files.parquet")


def test_a_run_that_fails_leaves_the_old_index(root, monkeypatch):
    write_dataset(root, [row("new.py", "new needle\n")])
    operations_done = Counter()

    def fail(operation, path):
        if FOLDER in path.name or "worker" in str(path) or path.suffix in (".zst", ".idx", ".term"):
            operations_done[operation] += 1
            if operations_done[operation] == stop.get(operation):
                raise OSError(28, os.strerror(28), str(path))

    for operation in ("mkdir", "open", "write", "fsync", "rename"):
        stop = {operation: 1}
        operations_done.clear()
        monkeypatch.setattr(operations, "fault_hook", fail)
        with pytest.raises(UserError, match="No space left"):
            index(root)
        monkeypatch.setattr(operations, "fault_hook", None)
        assert operations_done[operation]
        assert verify(root / FOLDER) == []
        assert SearchIndex.open(root).search("needle").total == 30
    assert index(root).search("needle").total == 1


def test_a_full_disk_under_tantivy_is_explained(tmp_path):
    """tantivy writes past the publication module; what the system refuses it is told as for any other file."""
    write_dataset(tmp_path / "w", [row(f"{n}.py", " ".join(f"w{n}x{m}" for m in range(20_000))) for n in range(7)])

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    script = "import sys; from pathlib import Path; from search.conftest import index; index(Path(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "w"],
        capture_output=True, text=True, check=False, preexec_fn=small_files,
        env=dict(os.environ) | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert "UserError: cannot write" in done.stderr, done.stderr
    assert "File too large" in done.stderr
    assert "os error 27" in done.stderr  # it was tantivy that met it
    assert not (tmp_path / "w" / FOLDER).exists()


# The whole way: from repositories to the command


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    from the_stack.building import Workspace

    base = tmp_path_factory.mktemp("built")
    source = folder(base / "one", {"LICENSE": MIT, "src/tree.py": b"class Tree:\n    pass\n" + code(1, 30)})
    put(source, {"src/odd \x1b[31m.py": code(2) + b"# Tree \x1b[2J\n", "lib/other.py": code(3)})
    made = Workspace(base / "w", source).build()
    settings = load_settings(made.root)
    build(made.root, [STAGE], settings, settings.engine, "test")
    return made.root


def test_the_command_for_people(built):
    done = starloom("search", "Tree -path:odd", "-w", built)
    assert done.returncode == 0, done.stderr
    place, *snippet = done.stdout.splitlines()
    assert place.startswith("one:src/tree.py:1  MIT")
    assert snippet[0] == "    class Tree:"
    assert "\x1b" not in done.stdout
    assert done.stderr.startswith("1 file, ")


def test_the_command_shows_names_that_hide_nothing(built):
    done = starloom("search", "tree", "-w", built)
    assert r"src/odd \x1b[31m.py" in done.stdout
    assert "\x1b" not in done.stdout


def test_the_command_for_programs(built):
    done = starloom("search", "lang:python", "--limit", "2", "--json", "-w", built)
    found = json.loads(done.stdout)
    assert found["total"] == 3
    assert found["complete"] is True
    assert len(found["hits"]) == 2
    assert {"repo_name", "path", "line", "snippet", "language", "license_type", "content_id", "split"} <= found["hits"][
        0
    ].keys()
    second = json.loads(starloom("search", "lang:python", "--offset", "2", "--json", "-w", built).stdout)
    assert len(second["hits"]) == 1


def test_the_command_refuses_with_a_hint(built, tmp_path):
    for query, word in (("", "empty"), ('"a', "quote"), ("foo:bar", "unknown field"), ("x" * 100_000, "more than")):
        done = starloom("search", query, "-w", built)
        assert done.returncode == 1
        assert word in done.stderr
        assert "\n\nhint: " in done.stderr
        assert "Traceback" not in done.stderr
    (tmp_path / "starloom.toml").touch()
    done = starloom("search", "x", "-w", tmp_path)
    assert done.returncode == 1
    assert "hint: make it: `starloom index search`" in done.stderr


def test_nothing_found_is_no_failure(built):
    done = starloom("search", "nowhere_at_all", "-w", built)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("0 files")


def test_the_engine_of_the_workspace_makes_it(built):
    settings = load_settings(built)
    with engine(built, settings.engine) as local:
        assert Job(built, STAGE, settings, local).state() == "fresh"
