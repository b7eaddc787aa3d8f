"""Which file is this: every place of every content that the dataset holds."""

import dataclasses

from starloom.stages import load_settings
from starloom.the_stack.origins import OCCURRENCES, Origins, occurrences
from starloom.the_stack.passage import passage
from starloom.workspace.run import engine
from the_stack.building import MIT, code, folder, git_repository


def origins(root):
    with engine(root, load_settings(root).engine) as local:
        return Origins(occurrences(root, local))


def test_all_places_of_a_content_the_datasets_own_first(workspace, tmp_path):
    shared = code("shared")
    first = git_repository(tmp_path / "a", {"LICENSE": MIT, "x.py": shared})
    second = git_repository(tmp_path / "b", {"LICENSE": MIT, "deep/y.py": shared, "z.py": shared}, hours=5)
    third = folder(tmp_path / "c", {"only.py": code("only"), "too/GPL.bin": b"\0\0"})
    made = workspace(first, second, third)
    kept = [row for row in made.ledger().values() if row["split"]]
    found = origins(made.root)

    for row in kept:
        places = found.of(row["content_id"])
        assert (places[0].repo_name, places[0].path) == (row["repo_name"], row["path"])
        assert places[0].in_dataset
        assert not any(one.in_dataset for one in places[1:])
        assert {one.split for one in places} == {row["split"]}
        assert found.count(row["content_id"]) == len(places)
    (content,) = {row["content_id"] for row in made.ledger().values() if row["path"] == "x.py"}
    places = found.of(content)
    assert [one.path for one in places] == ["x.py", "deep/y.py", "z.py"]
    assert len({one.repo_name for one in places}) == 2
    assert places[0].detected_licenses == ("MIT",)
    assert places[0].revision_id
    assert [one.path for one in found.of(content, limit=2)] == ["x.py", "deep/y.py"]


def test_what_the_dataset_does_not_hold_has_no_origin(workspace, tmp_path):
    made = workspace(folder(tmp_path / "a", {"x.py": code("x"), "y.bin": b"\0\1"}))
    found = origins(made.root)
    (dropped,) = [row["content_id"] for row in made.ledger().values() if not row["split"]]
    assert found.of(dropped) == []
    assert found.count(dropped) == 0
    assert found.of("") == []


def test_an_empty_dataset(workspace, tmp_path):
    made = workspace(folder(tmp_path / "a", {"y.bin": b"\0\1"}))
    with engine(made.root, load_settings(made.root).engine) as local:
        table = occurrences(made.root, local)
    assert table.schema == OCCURRENCES
    assert len(table) == 0
    assert Origins(table).of("0" * 40) == []
    assert passage(made.root) is None


def test_a_passage_is_real_code_of_the_dataset(workspace, tmp_path):
    made = workspace(
        git_repository(tmp_path / "a", {"LICENSE": MIT, "x.py": code("long", lines=80)}),
        extra="\n[decide]\nheld_out = 0.0\n",
    )
    found = passage(made.root)
    assert found
    assert found == passage(made.root)
    (row,) = [row for row in made.dataset() if row["path"] == found.path]
    assert found.text in row["content"]
    assert f"def {found.name}" in found.text
    assert dataclasses.asdict(found)["repo_name"] == row["repo_name"]
