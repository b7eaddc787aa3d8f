"""The index on disk: the same bytes however it is made, whole or refused, and what it is made of."""

import json
import shutil

import numpy as np
import pytest

from membership.conftest import make_index, write_index
from starloom.errors import UserError
from starloom.identity import content_id
from starloom.kernels.tiles import hashes_at, tags_of
from starloom.membership import layout, segments, tiles
from starloom.membership.check import Index
from starloom.membership.store import open_shards
from starloom.workspace.manifest import NAME, from_bytes, hash_file, to_bytes, verify
from the_stack import building
from the_stack.building import code


def index_bytes(root):
    folder = root / layout.FOLDER
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def damaged(real, tmp_path):
    """A copy of the workspace, to be damaged: (root, the index's folder)."""
    root = tmp_path / "w"
    shutil.copytree(real.root, root)
    return root, root / layout.FOLDER


def test_facts(real, rows):
    facts = real.facts(layout.FOLDER)
    assert facts["files"] == len(rows)
    assert facts["repositories"] == 3
    assert facts["text_bytes"] == sum(row["length_bytes"] for row in rows)
    assert facts["width"] == 50
    assert verify(real.root / layout.FOLDER) == []


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
    one_bytes, several_bytes = index_bytes(one), index_bytes(several)
    assert one_bytes == several_bytes


@pytest.mark.parametrize("width", [50, 32])
def test_the_table(memory, width):
    """Every whole tile of every file, once; the file of each is found by its number."""
    texts = [code(k, 5 + k % 30).decode() for k in range(60)]
    (shard,) = open_shards(write_index(memory / f"table {width}", texts[:20], texts[20:], profile=width)).shards
    (segment,) = shard.segments
    table = segment.table
    assert sorted(table.tiles.tolist()) == list(range(len(table.tiles)))
    rows = np.searchsorted(segment.first_tile, table.tiles, side="right") - 1
    nth = table.tiles.astype(np.int64) - segment.first_tile[rows]
    assert np.bincount(rows, minlength=60).tolist() == (segment.text_size // width).tolist()
    starts = segment.text_start[rows] + nth * width
    hashes = hashes_at(segment.text, starts, width)
    assert (np.diff(hashes >> np.uint64(64 - table.bits)) >= 0).all() if len(hashes) else True
    assert tags_of(hashes, table.bits).tolist() == table.tags.tolist()
    assert layout.content_ids(segment.ids) == sorted(content_id(text.encode()) for text in texts)


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


@pytest.mark.parametrize("name", ["0-tags.bin", "0-text.bin", "0-state.bin", "origins.arrow"])
@pytest.mark.parametrize("how", ["half", "gone", "altered"])
def test_a_damaged_shard(damaged, name, how):
    """The only one, so nothing is left to answer."""
    root, folder = damaged
    path = folder / "00" / name
    data = path.read_bytes()
    path.unlink()
    if how != "gone":
        path.write_bytes(data[: len(data) // 2] if how == "half" else data[:-1] + bytes([data[-1] ^ 1]))
    refused(root, name)
    make_index(root)
    assert Index.open(root).files > 0
    assert verify(folder) == []


def test_a_damaged_manifest(damaged):
    root, folder = damaged
    data = (folder / NAME).read_bytes()
    (folder / NAME).write_bytes(data[: len(data) // 2])
    refused(root, NAME)
    (folder / NAME).unlink()
    refused(root, "has no index")
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


def test_another_version(damaged, capsys):
    root, folder = damaged
    rewritten(folder, version=layout.VERSION + 1)
    assert "upgrade" in refused(root, "written by a newer Starloom").hint
    make_index(root)  # as that hint says too, and says what it does
    assert "written by a newer Starloom: it is made again" in capsys.readouterr().err
    assert Index.open(root).files > 0
    rewritten(folder, version=layout.VERSION - 1)
    assert "index membership" in refused(root, "written by an older Starloom").hint
    rewritten(folder, format=99)
    refused(root, "written by a newer Starloom")


def test_files_that_do_not_belong_together(damaged):
    root, folder = damaged
    facts = json.loads((folder / NAME).read_text())["facts"]
    (about,) = facts["shards"][0]
    rewritten(folder, facts=facts | {"shards": [[about | {"bits": about["bits"] + 1}]]})
    refused(root, "is damaged: its files do not belong together")
    rewritten(folder, facts=facts | {"shards": [[about | {"rows": about["rows"] - 1}]]})
    refused(root, "is damaged")
    rewritten(folder, facts=facts | {"shards": [[about | {"segment": 7}]]})
    refused(root, "7-head.bin is not in the manifest")
    rewritten(folder, facts={})
    refused(root, "damaged")


@pytest.mark.parametrize("name", [*layout.ROWS, *layout.TEXT, *layout.TABLE, *layout.STATE])
@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_foreign_files_never_crash_nor_lie(memory, name, byte):
    """Hashes agree, bytes are nonsense: answers may lack matches; those given are told from the index's own text, or
    the index is called damaged."""
    texts = [code(k, 40).decode() for k in range(12)]
    root = memory / "foreign"
    shutil.rmtree(root, ignore_errors=True)
    folder = write_index(root, texts) / layout.FOLDER
    path = folder / "00" / f"0-{name}.bin"
    path.write_bytes(bytes([byte]) * path.stat().st_size)
    entries = json.loads((folder / NAME).read_text())["files"]
    for entry in entries:
        if entry["name"] == f"00/0-{name}.bin":
            entry["sha256"] = hash_file(path)
    rewritten(folder, files=entries)
    problem = None
    try:
        index = Index.open(root)
        for text in texts:
            index.check(text, None)
    except UserError as caught:
        problem = caught
    assert problem is None or ("damaged" in problem.problem and "starloom index" in problem.hint)


def test_too_many_tiles():
    segments.check_size(2**32 - 1)
    with pytest.raises(UserError, match="4,294,967,296 tiles"):
        segments.check_size(2**32)


def test_a_shard_that_is_not_there(damaged):
    root, _ = damaged
    with pytest.raises(UserError, match="has no shard 3"):
        Index.open(root, [0, 3])
