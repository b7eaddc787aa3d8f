"""`starloom sketch` on a workspace: exported from its index, checked without it, withdrawn."""

import json

import pytest
from click.testing import CliRunner

from membership import conftest as indexes
from starloom.commands import group
from starloom.errors import UserError
from starloom.membership import sketching
from starloom.membership.check import Index
from starloom.membership.sketch import read
from starloom.stages import load_settings
from the_stack import building


def run(*arguments):
    done = CliRunner().invoke(group, ["sketch", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    base = tmp_path_factory.mktemp("sketched")
    files = {"LICENSE": building.MIT, **{f"a{number}.py": building.code(number, 40) for number in range(30)}}
    extra = f"{building.ENGINE}\n[membership]\nshards = 2\nrenamed = false\n"
    made = building.Workspace(base / "w", building.folder(base / "s", files), extra=extra).build()
    return indexes.make_index(made.root)


@pytest.fixture(scope="module")
def sketch(workspace, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out") / "sketch"
    told = json.loads(run("export", folder, "-w", workspace, "--json"))
    assert told["number"] == 1
    return folder


def test_every_file_of_the_index_is_in_it(workspace, sketch, tmp_path):
    index = Index.open(workspace)
    about = read(sketch)[1]
    assert (about.name, about.files, about.repositories) == ("w", index.files, index.repositories)
    assert about.share <= 0.05
    for number in range(30):
        path = tmp_path / f"{number}.py"
        path.write_bytes(b"x = 1\n\n" + building.code(number, 40).replace(b"\n", b"\n\t"))
        told = json.loads(run("check", path, "--sketch", sketch, "--json"))
        assert told["status"] == "match"
        assert told["coverage"] > 0.9
        assert told["sketch"]["number"] == 1
    path.write_bytes(building.code("other", 40))
    assert json.loads(run("check", path, "--sketch", sketch, "--json"))["status"] in ("no_match", "unsure")


def test_for_people(workspace, sketch, tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(building.code(3, 40))
    told = run("check", path, "--sketch", sketch)
    assert "very likely in the 1 repository" in told
    assert "hits in a row, certain but for the filter" in told
    done = CliRunner().invoke(group, ["sketch", "export", str(tmp_path / "s"), "-w", str(workspace), "--days", "9"])
    assert "sketch number 1 of 31 files" in done.stdout
    assert "can test whether the file is in the data" in done.stderr
    done = CliRunner().invoke(group, ["sketch", "check", "-", "--sketch", str(sketch)], input=building.code(4, 40))
    assert done.stdout.startswith("-: very likely in")


def test_a_split_that_is_empty(workspace, tmp_path):
    held_out = sketching.of_index(workspace, "held_out")
    whole, train = sketching.of_index(workspace, None), sketching.of_index(workspace, "train")
    assert held_out.files + train.files == whole.files
    assert held_out.tiles + train.tiles == whole.tiles
    assert sum(len(hashes) for hashes in train.hashes) == train.tiles


def test_what_left_the_dataset_is_in_no_later_sketch(tmp_path):
    files = {"LICENSE": building.MIT, **{f"a{number}.py": building.code(number, 40) for number in range(5)}}
    source = building.folder(tmp_path / "s", files)
    extra = f"{building.ENGINE}\n[membership]\nrenamed = false\n"
    made = building.Workspace(tmp_path / "w", source, extra=extra).build()
    indexes.make_index(made.root)
    folder, path = tmp_path / "sketch", tmp_path / "asked.py"
    path.write_bytes(building.code(3, 40))
    run("export", folder, "-w", made.root)
    assert json.loads(run("check", path, "--sketch", folder, "--json"))["status"] == "match"
    (source / "a3.py").unlink()
    made.build()
    indexes.make_index(made.root)
    told = json.loads(run("export", folder, "-w", made.root, "--reason", "an opt-out", "--json"))
    assert (told["number"], told["withdraws"][0]["reason"]) == (2, "an opt-out")
    assert json.loads(run("check", path, "--sketch", folder, "--json"))["status"] in ("no_match", "unsure")
    assert "is withdrawn" in run("withdraw", folder, "--reason", "no more")
    with pytest.raises(UserError, match="withdrawn on"):
        run("check", path, "--sketch", folder)


def test_without_an_index(tmp_path):
    made = building.Workspace(tmp_path / "w", building.folder(tmp_path / "s", {"a.py": b"x = 1\n"}))
    assert load_settings(made.root)
    with pytest.raises(UserError) as told:
        run("export", tmp_path / "sketch", "-w", made.root)
    assert "starloom index" in told.value.hint
