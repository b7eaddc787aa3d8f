"""`starloom opt-out` of what has colons in its name and path."""

import json

import pytest

from starloom import commands
from starloom.identity import content_id
from the_stack import building

CODE = building.code("own", 40)


@pytest.fixture
def run(capsys):
    def call(workspace, *arguments):
        capsys.readouterr()
        commands.group.main([*map(str, arguments), "-w", str(workspace.root)], standalone_mode=False)
        said = capsys.readouterr().out
        return json.loads(said) if "--json" in arguments else said

    return call


def test_check_of_a_name_and_a_path_with_colons(tmp_path, run):
    files = {"LICENSE": building.MIT, "a:b/c d.py": CODE, "e.py": building.code("e", 20)}
    fresh = building.Workspace(tmp_path / "w", building.git_repository(tmp_path / "notes:2024", files)).build()
    found = run(fresh, "opt-out", "check", "notes:2024", "--json")
    assert (found["scope"], found["covered"], found["total"]) == ("owner", False, 3)
    assert run(fresh, "opt-out", "check", "notes:2024:a:b/c d.py", "--json")["total"] == 1
    run(fresh, "opt-out", "add", content_id(CODE))
    found = run(fresh, "opt-out", "check", "notes:2024:a:b/c d.py", "--json")
    assert (found["scope"], found["covered"]) == ("file", True)
    (tmp_path / "list.txt").write_text("notes:2024\n")
    run(fresh, "opt-out", "import", tmp_path / "list.txt")
    found = run(fresh, "opt-out", "check", "Notes:2024", "--json")
    assert (found["entry"], found["total"]) == ("notes:2024 (entry 2)", 3)
