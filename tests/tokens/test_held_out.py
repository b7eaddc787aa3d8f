"""Held-out text: all of it, or a sample that is the same every time; never a file of the train split."""

import pytest

from starloom.errors import UserError
from starloom.the_stack import write
from starloom.tokens.held_out import held_out, sample
from the_stack import building


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Twelve repositories of three files, half of them held out, in several data files and row groups."""
    base = tmp_path_factory.mktemp("held-out")
    for name in "abcdefghijkl":
        files = {f"{number}.py": building.code(f"{name} {number}", 4 + 6 * number) for number in range(3)}
        building.folder(base / "sources" / name / "src", files)
    extra = building.ENGINE + "\n[decide]\nheld_out = 0.5\nseed = 1\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write, "BUCKET_BYTES", 9000)
        patch.setattr(write, "GROUP_BYTES", 3000)
        sources = sorted((base / "sources").iterdir())
        return building.Workspace(base / "workspace", *sources, extra=extra).build()


def rows(workspace, split="held_out"):
    return [row for row in workspace.dataset() if row["split"] == split]


def test_every_held_out_file_and_no_other(built):
    expected = [
        (row["repo_name"], row["path"], row["content_id"], row["language"], row["content"]) for row in rows(built)
    ]
    found = [(one.repo_name, one.path, one.content_id, one.language, one.content) for one in held_out(built.root)]
    assert found == expected
    assert len({one.repo_name for one in held_out(built.root)}) > 2
    assert rows(built, "train")


def test_a_sample_is_whole_files_within_the_budget(built):
    everything = {one.content_id: one for one in held_out(built.root)}
    total = sum(len(one.content.encode()) for one in everything.values())
    found = sample(built.root, total // 2, 0)
    size = sum(len(one.content.encode()) for one in found)
    assert 0.3 * total < size <= total // 2
    assert found == [everything[one.content_id] for one in found]
    order = list(everything)
    assert sorted(found, key=lambda one: order.index(one.content_id)) == found


def test_a_sample_depends_on_its_seed_alone(built):
    drawn = [tuple(one.content_id for one in sample(built.root, 4000, seed)) for seed in (0, 0, 1, 2, 3)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 2


def test_a_budget_above_all_takes_all(built):
    assert sample(built.root, 10**9, 5) == list(held_out(built.root))


def test_a_file_larger_than_the_budget_is_cut_at_a_line_end(built, capsys):
    (found,) = sample(built.root, 150, 0)
    whole = next(one for one in held_out(built.root) if one.content_id == found.content_id)
    assert found.cut
    assert found.content.endswith("\n")
    assert len(found.content.encode()) <= 150
    assert whole.content.startswith(found.content)
    assert f"the beginning of {found.repo_name}:{found.path} is used" in capsys.readouterr().err


def test_a_budget_without_a_line(built):
    with pytest.raises(UserError, match="3 bytes hold no line of"):
        sample(built.root, 3, 0)


def test_nothing_is_held_out(workspace, tmp_path):
    source = building.folder(tmp_path / "one", {"a.py": building.code(1)})
    made = workspace(source, extra=building.ENGINE + "\n[decide]\nheld_out = 0.0\n")
    assert list(held_out(made.root)) == []
    with pytest.raises(UserError, match="no held-out files") as caught:
        sample(made.root, 1000, 0)
    assert "[decide]" in caught.value.hint


def test_no_dataset(tmp_path):
    with pytest.raises(UserError, match="is missing"):
        sample(tmp_path, 1000, 0)


def test_a_damaged_data_file(built, tmp_path):
    import shutil

    shutil.copytree(built.root / "dataset", tmp_path / "dataset")
    path = next((tmp_path / "dataset" / "files").glob("held_out-*"))
    data = bytearray(path.read_bytes())
    data[4 : len(data) - 9] = b"\xff" * (len(data) - 13)
    path.write_bytes(data)
    for call in (lambda: sample(tmp_path, 1000, 0), lambda: list(held_out(tmp_path))):
        with pytest.raises(UserError, match="cannot be read") as caught:
            call()
        assert "starloom build" in caught.value.hint
