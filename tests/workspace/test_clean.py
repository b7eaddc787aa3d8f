"""`clean` removes what no index names and the outputs that were asked for, and nothing else."""

import json

import pytest

from starloom.errors import UserError
from starloom.stages import all_stages
from starloom.workspace.clean import clean, removals
from starloom.workspace.lock import lock
from starloom.workspace.parts import Parts
from the_stack import building


@pytest.fixture
def built(tmp_path):
    source = building.folder(tmp_path / "source", {"a.py": building.code("a"), "b.py": building.code("b")})
    return building.Workspace(tmp_path / "workspace", source).build()


def strange_part(root, folder, kind):
    """A part as a killed run leaves it: published, never committed."""
    with Parts(root / folder, kind).publish("f00d", version=1, fingerprint="x", inputs={}, settings={}) as draft:
        draft.write("some.txt", b"some")
    return root / folder / "f00d"


def test_a_clean_workspace_has_nothing_to_remove(built):
    assert clean(built.root, all_stages(), (), "test") == []
    assert built.build_again() == {}


def test_parts_that_no_index_names_go(built):
    before = built.outputs()
    lost = [
        strange_part(built.root, "files", "files"),
        strange_part(built.root, "signals/lines", "signal-lines"),
    ]
    draft = built.root / "files" / ".0123.0123456789abcdef.aside"
    draft.mkdir()
    (built.root / "files" / "mine").mkdir()  # no manifest: not ours
    expected = [one.path for one in removals(built.root, all_stages(), ())]
    assert expected == lost
    assert all(path.exists() for path in lost)  # so far only said
    found = clean(built.root, all_stages(), (), "test")
    assert [one.path for one in found] == lost
    assert all(one.bytes > 0 for one in found)
    assert not any(path.exists() for path in [*lost, draft])
    assert (built.root / "files" / "mine").exists()
    assert built.build_again() == {}
    assert built.outputs() == before


def test_documents_keep_what_their_own_stages_made(tmp_path):
    """`ledger --sql` and `tune` of documents ask their listing, signals and pairs, which no index names."""
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": 1}
    cells = [cell | {"source": building.code(number).decode()} for number in range(3)]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    source = building.folder(
        tmp_path / "source", {"a.py": building.code("a"), "n.ipynb": json.dumps(notebook).encode()}
    )
    built = building.Workspace(tmp_path / "workspace", source).build()
    kind = built.root / "documents" / "notebook-scripts"
    before = sorted(kind.rglob("*"))
    assert {"listing", "files", "signals", "pairs", "ledger", "dataset"} <= {path.name for path in before}
    assert clean(built.root, all_stages(), (), "test") == []
    lost = [strange_part(kind, "files", "files"), strange_part(kind, "signals/lines", "signal-lines")]
    assert [one.path for one in clean(built.root, all_stages(), (), "test")] == lost
    assert sorted(kind.rglob("*")) == before


def test_a_stage_by_name_is_made_again(built):
    before = built.outputs()
    found = clean(built.root, all_stages(), ("list", "read"), "test")
    assert [one.path.name for one in found] == ["listing", "files"]
    ran = built.build_again()
    assert {"list", "read"} <= set(ran)
    assert "measure" not in ran or ran["measure"]["bytes"] == 0  # the same contents in the same parts
    assert built.outputs() == before


def test_not_while_somebody_builds(built):
    with lock(built.root, "starloom build"), pytest.raises(UserError, match="in use by `starloom build`"):
        clean(built.root, all_stages(), (), "test")
