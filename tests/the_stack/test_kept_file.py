"""A file of the dataset by its place, however the dataset is cut."""

import pyarrow.parquet as pq
import pytest

from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.errors import UserError
from starloom.the_stack import tables, write
from starloom.the_stack.kept_file import kept_file
from the_stack import building


@pytest.fixture
def engine(tmp_path):
    with LocalEngine(EngineSettings(workers=1), tmp_path / "spill") as one:
        yield one


def test_every_file_is_found_and_no_other(tmp_path, monkeypatch, engine):
    monkeypatch.setattr(write, "BUCKET_BYTES", 3_000)
    monkeypatch.setattr(write, "GROUP_BYTES", 1_000)
    sources = [
        building.git_repository(
            tmp_path / name,
            {"LICENSE": building.MIT}
            | {
                f"{below}é{number}.py": building.code((name, below, number))
                for below in ("", "x/")
                for number in range(3)
            },
        )
        for name in ("a", "b:c", "zé", "Z")
    ]
    sources.append(building.folder(tmp_path / "many", {f"{number}.py": building.code(number) for number in range(9)}))
    extra = f"{building.ENGINE}\n[decide]\nheld_out = 0.4\n"
    root = building.Workspace(tmp_path / "w", *sources, extra=extra).build().root
    cut = [*tables.dataset(root, "files", "train"), *tables.dataset(root, "files", "held_out")]
    assert len(cut) > 5
    rows = [
        row
        for split in ("train", "held_out")
        for path in tables.dataset(root, "files", split)
        for row in pq.read_table(path).to_pylist()
    ]
    assert len({row["repo_name"] for row in rows}) == 5
    for row in rows:
        found = kept_file(root, engine, row["repo_name"], row["path"])
        assert (found.content_id, found.text, found.language) == (row["content_id"], row["content"], row["language"])
        assert found.detected_licenses == tuple(row["detected_licenses"])
    for repo_name in ("", "a", "A", "many", "zz", "b", "\U0010ffff"):
        for path in ("", "é9.py", "LICENCE", "zzz"):
            assert kept_file(root, engine, repo_name, path) is None
    files = {split: tables.dataset(root, "files", split) for split in ("train", "held_out")}
    monkeypatch.setattr(tables, "dataset", lambda root, name, split: files[split])
    for path in cut[::2]:  # as those of values too long for statistics
        pq.write_table(pq.read_table(path), path, write_statistics=False)
    for row in rows:
        assert kept_file(root, engine, row["repo_name"], row["path"]).text == row["content"]


def test_without_a_dataset(tmp_path, engine):
    with pytest.raises(UserError, match="dataset is missing"):
        kept_file(tmp_path, engine, "a", "b")
