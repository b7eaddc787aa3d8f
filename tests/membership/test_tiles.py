"""The index on disk: the same bytes however it is made, whole or refused, and what it is made of."""

import json
import shutil

import numpy as np
import pytest

from membership.conftest import make_index, write_index
from starloom.errors import UserError
from starloom.membership import store, tiles
from starloom.membership.check import Index
from starloom.workspace.manifest import NAME, from_bytes, to_bytes, verify
from the_stack import building
from the_stack.building import code


def index_bytes(root):
    return {path.name: path.read_bytes() for path in (root / store.FOLDER).iterdir()}


@pytest.fixture
def damaged(real, tmp_path):
    """A copy of the workspace, to be damaged: (root, the index's folder)."""
    root = tmp_path / "w"
    shutil.copytree(real.root, root)
    return root, root / store.FOLDER


def test_facts(real, rows):
    facts = real.facts(store.FOLDER)
    assert facts["files"] == len(rows)
    assert facts["repositories"] == 3
    assert facts["text_bytes"] == sum(len(row["content"].encode()) for row in rows)
    assert verify(real.root / store.FOLDER) == []


def test_workers_and_ranges_leave_no_trace(damaged, monkeypatch):
    root, folder = damaged
    before = index_bytes(root)
    for range_tiles, workers in ((500, 1), (7, 1), (500, 2)):
        monkeypatch.setattr(tiles, "RANGE_TILES", range_tiles)
        shutil.rmtree(folder)
        make_index(root, workers)
        assert index_bytes(root) == before


def test_data_files_are_one_corpus(memory):
    texts = [code(k, 30).decode() for k in range(40)]
    one, several = memory / "one", memory / "several"
    write_index(one, texts)
    write_index(several, texts[:1], texts[1:25], [], texts[25:])
    for name in (*store.TABLE, *store.TEXT):
        assert (one / store.FOLDER / f"{name}.bin").read_bytes() == (
            several / store.FOLDER / f"{name}.bin"
        ).read_bytes()


def test_the_table(index, rows):
    """Every whole tile of every file, once; the file of each is found by its number."""
    table = index._store.table
    assert sorted(table.tiles.tolist()) == list(range(len(table.tiles)))
    sizes = np.diff(index._store.offsets)
    file, number = index._store.files_of(table.tiles.astype(np.int64))
    assert np.bincount(file, minlength=len(rows)).tolist() == (sizes // 50).tolist()
    assert (number < sizes[file] // 50).all()


def test_fresh_until_the_dataset_changes(damaged):
    root, folder = damaged
    before = (folder / NAME).stat().st_mtime_ns
    make_index(root)
    assert (folder / NAME).stat().st_mtime_ns == before


@pytest.mark.parametrize("files", [{}, {"empty.py": b"", "short.py": b"x = 1\n"}])
def test_an_empty_dataset(tmp_path, files):
    folder = building.folder(tmp_path / "source", {"README": b"nothing\n", **files})
    workspace = building.Workspace(tmp_path / "w", folder).build()
    make_index(workspace.root)
    found = Index.open(workspace.root).check("x = 1\n" * 100)
    assert found.verdict.startswith("no match in the ")
    assert found.coverage == 0


# --- refused ---------------------------------------------------------------------------------------------------------


def refused(root, *words):
    with pytest.raises(UserError) as caught:
        Index.open(root)
    assert "starloom index" in caught.value.hint or "upgrade" in caught.value.hint
    for word in words:
        assert word in caught.value.problem
    return caught.value


def test_missing(tmp_path):
    assert refused(tmp_path, "has no index of matching code").hint == "run `starloom index`"


@pytest.mark.parametrize("name", ["tags.bin", "text.bin", "files.parquet", "origins.parquet", NAME])
def test_truncated_or_missing_files(damaged, name):
    root, folder = damaged
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: len(data) // 2])
    refused(root, name)
    (folder / name).unlink()
    refused(root, "is missing" if name != NAME else "has no index")
    shutil.rmtree(folder)
    make_index(root)
    assert Index.open(root).files > 0


def rewritten(folder, **changes):
    """The manifest says something else, and its hash agrees."""
    path = folder / NAME
    body = json.loads(to_bytes(from_bytes(path.read_bytes(), path)))
    del body["sha256"]
    body |= changes
    import hashlib

    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    body["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(json.dumps(body, sort_keys=True, indent=1) + "\n")


def test_another_version(damaged):
    root, folder = damaged
    rewritten(folder, version=store.VERSION + 1)
    assert "upgrade" in refused(root, "written by a newer Starloom").hint
    rewritten(folder, version=store.VERSION - 1)
    refused(root, "written by an older Starloom")
    rewritten(folder, format=99)
    refused(root, "written by a newer Starloom")


def test_files_that_do_not_belong_together(damaged):
    root, folder = damaged
    facts = json.loads((folder / NAME).read_text())["facts"]
    rewritten(folder, facts=facts | {"bits": facts["bits"] + 1})
    refused(root, "damaged: its files do not belong together")
    rewritten(folder, facts={})
    refused(root, "damaged")


@pytest.mark.parametrize("name", [f"{name}.bin" for name in (*store.TABLE, *store.TEXT)])
@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_altered_bytes_never_crash_nor_lie(damaged, rows, name, byte):
    """Of equal length, so only `starloom verify` sees it. Answers may lack matches; those given are told from the
    index's own text, or the index is called damaged."""
    root, folder = damaged
    size = (folder / name).stat().st_size
    (folder / name).write_bytes(bytes([byte]) * size)
    problem = None
    try:
        index = Index.open(root)
        for row in rows[::40]:
            index.check(row["content"], None)
    except UserError as caught:
        problem = caught
    assert problem is None or ("is damaged" in problem.problem and "starloom index" in problem.hint)
    assert any(name in one for one in verify(folder))


def test_too_many_tiles():
    tiles.check_size(2**32 - 1)
    with pytest.raises(UserError, match="4,294,967,296 tiles"):
        tiles.check_size(2**32)
