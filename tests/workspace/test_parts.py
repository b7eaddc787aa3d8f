"""The cache of parts: what is committed stays, and the order in which workers finish leaves no trace."""

import itertools

import pytest

from faults import visible
from starloom.errors import UserError
from starloom.workspace.atomic import publish, recover
from starloom.workspace.manifest import NAME, read_manifest, verify
from starloom.workspace.parts import Parts


def put(parts, name, value=1):
    with (
        parts.publish(name, version=1, fingerprint=f"{value:032x}", inputs={}, settings={}) as draft,
        draft.create("x.bin") as output,
    ):
        output.write(b"%s %d" % (name.encode(), value))
        output.rows = value
    return draft.manifest


@pytest.fixture
def parts(tmp_path):
    return Parts(tmp_path / "files", "files")


def test_a_part_is_visible_once_committed(parts):
    assert parts.manifests() == {}
    manifest = put(parts, "p1")
    assert parts.manifests() == {}
    parts.commit("p1")
    assert parts.manifests() == {"p1": manifest}
    assert parts.path("p1", "x.bin").read_bytes() == b"p1 1"
    assert Parts(parts.folder, "files").manifests() == {"p1": manifest}  # a new process sees the same
    assert verify(parts.folder) == []


def test_many_at_once_in_order_of_names(parts):
    names = ["b", "a", "a-b", "a.b", "B", "ü", "10", "9"]
    for name in names:
        put(parts, name)
    parts.commit_many(names)
    assert list(parts.manifests()) == [file.name.removesuffix(f"/{NAME}") for file in read_manifest(parts.folder).files]
    assert set(parts.manifests()) == set(names)
    assert verify(parts.folder) == []


def test_any_order_gives_the_same_bytes(faults):
    found = []
    names = ["a", "a-b", "b", "c"]
    for number, order in enumerate(itertools.permutations(names)):
        folder = faults.folder()
        parts = Parts(folder / "files", "files")
        for name in order:
            put(parts, name, len(name))
            if number % 3 == 0:
                parts.commit(name)
            elif number % 3 == 1:
                Parts(folder / "files", "files").commit(name)
        parts.commit_many(reversed(order))
        found.append(faults.tree_bytes(folder))
    assert all(tree == found[0] for tree in found)


def test_what_came_and_went_leaves_no_trace(faults):
    one, two = faults.folder(), faults.folder()
    for root in (one, two):
        parts = Parts(root / "files", "files")
        if root is two:
            for name in ("0", "z"):
                put(parts, name)
                parts.commit(name)
            parts.retire(["0", "z"])
        put(parts, "m")
        parts.commit("m")
    assert faults.tree_bytes(one) == faults.tree_bytes(two)


def test_the_index_stands_for_its_parts(parts):
    marks = set()
    for value in (1, 2):
        put(parts, "p1", value)
        parts.commit("p1")
        marks.add(read_manifest(parts.folder).fingerprint)
        parts.retire(["p1"])
    marks.add(read_manifest(parts.folder).fingerprint)
    assert len(marks) == 3


def test_an_uncommitted_part_is_replaced(parts):
    put(parts, "p1", 1)
    put(parts, "p1", 2)
    assert parts.path("p1", "x.bin").read_bytes() == b"p1 2"
    parts.commit("p1")


def test_a_committed_part_must_be_equal(parts):
    put(parts, "p1", 1)
    parts.commit("p1")
    before = visible(parts.folder)
    put(parts, "p1", 1)
    with pytest.raises(UserError, match="exists already and differs"):
        put(parts, "p1", 2)
    assert visible(parts.folder) == before


def test_commit_again_changes_nothing(parts):
    put(parts, "p1")
    parts.commit("p1")
    there = (parts.folder / NAME).stat()
    parts.commit("p1")
    parts.commit_many([])
    assert (parts.folder / NAME).stat().st_ino == there.st_ino  # not even written again


def test_retire(parts):
    for name in ("p1", "p2", "p3"):
        put(parts, name)
    parts.commit_many(["p1", "p2"])
    parts.retire(["p1", "p3", "absent"])
    assert list(parts.manifests()) == ["p2"]
    assert sorted(path.name for path in parts.folder.iterdir()) == [NAME, "p2"]
    put(parts, "p1", 2)  # free again, for anything
    parts.commit("p1")


def test_facts_outlive_commits(parts):
    assert parts.facts() == {}
    parts.set_facts({"seen": ["a"]})
    put(parts, "p1")
    parts.commit("p1")
    parts.retire(["p1"])
    assert Parts(parts.folder, "files").facts() == {"seen": ["a"]}
    parts.set_facts({})
    assert parts.facts() == {}
    with pytest.raises(TypeError):
        parts.set_facts({"x": {1}})


@pytest.mark.parametrize("name", ["", "..", "a/b", ".x", "-x", NAME, "a\\b", "a\n"])
def test_no_names_for_parts(parts, name):
    with pytest.raises(ValueError, match="no name for a part"):
        put(parts, name)
    with pytest.raises(ValueError, match="no name for a part"):
        parts.commit(name)
    with pytest.raises(ValueError, match="no name for a part"):
        parts.retire([name])


def test_commit_needs_a_whole_part(parts):
    with pytest.raises(UserError, match="is missing: it cannot be committed") as problem:
        parts.commit("absent")
    assert problem.value.hint
    put(parts, "p1")
    parts.path("p1", "x.bin").write_bytes(b"torn")
    parts.path("p1", "x.bin").write_bytes(b"to")
    with pytest.raises(UserError, match="has 2 bytes"):
        parts.commit("p1")
    assert parts.manifests() == {}


def test_commit_needs_a_part_of_this_kind(parts):
    with publish(
        parts.folder / "p1", kind="signals", version=1, fingerprint="f", inputs={}, settings={}, replace=False
    ):
        pass
    with pytest.raises(ValueError, match="holds signals, not files"):
        parts.commit("p1")


def test_an_index_of_another_kind(tmp_path):
    one = Parts(tmp_path / "x", "files")
    put(one, "p1")
    one.commit("p1")
    with pytest.raises(UserError, match="is no index of signals parts") as problem:
        Parts(tmp_path / "x", "signals").manifests()
    assert problem.value.hint
    with publish(tmp_path / "y", kind="files", version=1, fingerprint="f", inputs={}, settings={}, replace=False):
        pass
    with pytest.raises(UserError, match="is no index of files parts"):
        Parts(tmp_path / "y", "files").manifests()


def test_a_part_that_changed_behind_the_index(parts):
    put(parts, "p1")
    put(parts, "p2")
    parts.commit_many(["p1", "p2"])
    path = parts.folder / "p1" / NAME
    data = path.read_bytes()
    fresh = Parts(parts.folder, "files")
    path.write_bytes((parts.folder / "p2" / NAME).read_bytes())  # sound by itself, but not the one
    with pytest.raises(UserError, match=r"p1/manifest\.json is not the one that the index lists") as problem:
        fresh.manifests()
    assert problem.value.hint
    path.unlink()
    with pytest.raises(UserError, match=r"p1/manifest\.json is missing"):
        fresh.manifests()
    path.write_bytes(data)
    assert set(fresh.manifests()) == {"p1", "p2"}


def test_every_flipped_byte_of_a_cache_is_found(parts):
    put(parts, "p1")
    parts.commit("p1")
    for path in sorted(path for path in parts.folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        for place in range(len(data)):
            path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            assert verify(parts.folder), (path, place)
            if path.name == NAME:
                with pytest.raises(UserError):
                    Parts(parts.folder, "files").manifests()
        path.write_bytes(data)
    assert verify(parts.folder) == []


# Faults


def live(root):
    """The live parts, all of them whole."""
    parts = Parts(root / "files", "files")
    names = set(parts.manifests())
    if (parts.folder / NAME).exists():
        assert verify(parts.folder) == []
    return names


def test_publish_and_commit_under_faults(faults):
    def prepare(root):
        parts = Parts(root / "files", "files")
        put(parts, "old")
        parts.commit("old")

    def run(root):
        parts = Parts(root / "files", "files")
        for name in ("p1", "p2"):
            put(parts, name)
        parts.commit_many(["p1", "p2"])

    def check(root):
        assert live(root) in ({"old"}, {"old", "p1", "p2"})

    faults.enumerate_faults(run, check, prepare=prepare)
    faults.enumerate_faults(run, lambda root: live(root) in (set(), {"p1", "p2"}), kinds=("ENOSPC", "kill"))


def test_retire_under_faults(faults):
    def prepare(root):
        parts = Parts(root / "files", "files")
        for name in ("p1", "p2", "p3"):
            put(parts, name)
        parts.commit_many(["p1", "p2", "p3"])

    def check(root):
        assert live(root) in ({"p1", "p2", "p3"}, {"p2"})

    faults.enumerate_faults(lambda root: Parts(root / "files", "files").retire(["p1", "p3"]), check, prepare=prepare)


def test_replaced_uncommitted_part_under_faults(faults):
    faults.enumerate_faults(
        lambda root: put(Parts(root / "files", "files"), "p1", 2),
        prepare=lambda root: put(Parts(root / "files", "files"), "p1", 1),
    )


def test_workers_publish_while_another_commits(faults):
    """Publication needs no lock: parts of several processes meet in one cache."""
    root = faults.folder()
    assert faults.in_child(lambda: put(Parts(root / "files", "files"), "p1")) == 0
    assert faults.in_child(lambda: put(Parts(root / "files", "files"), "p2")) == 0
    parts = Parts(root / "files", "files")
    parts.commit_many(["p1", "p2"])
    assert live(root) == {"p1", "p2"}
    assert recover(root) == []
