"""Files proved when they are opened, and files that two folders share."""

import os

import pytest

from starloom.workspace import checked, manifest
from starloom.workspace.atomic import publish
from starloom.workspace.manifest import read_manifest, verify

FACTS = {"kind": "made", "version": 1, "fingerprint": "-", "inputs": {}, "settings": {}, "replace": True}


def made(root, name="one", **files):
    with publish(root / name, **FACTS) as draft:
        for key, value in files.items():
            draft.write(key, value)
    return read_manifest(root / name).files


def test_what_is_whole_is_proved_once(tmp_path, monkeypatch):
    files = made(tmp_path, a=b"text", b=b"more")
    assert checked.problems(tmp_path, tmp_path / "one", files) == {}
    monkeypatch.setattr(manifest, "hash_file", lambda path: pytest.fail(f"{path} is read again"))
    assert checked.problems(tmp_path, tmp_path / "one", files) == {}


def test_a_flipped_byte_is_found_though_size_and_name_are_the_same(tmp_path):
    files = made(tmp_path, a=b"text", b=b"more")
    checked.problems(tmp_path, tmp_path / "one", files)
    (tmp_path / "one" / "a").write_bytes(b"tezt")
    found = checked.problems(tmp_path, tmp_path / "one", files)
    assert list(found) == ["a"]
    assert "altered" in found["a"]


def test_a_missing_and_a_torn_file_are_told_apart(tmp_path):
    files = made(tmp_path, a=b"text", b=b"more")
    (tmp_path / "one" / "a").unlink()
    (tmp_path / "one" / "b").write_bytes(b"mo")
    found = checked.problems(tmp_path, tmp_path / "one", files)
    assert "missing" in found["a"]
    assert "2 bytes" in found["b"]


def test_a_damaged_memory_is_no_trouble(tmp_path):
    files = made(tmp_path, a=b"text")
    checked.problems(tmp_path, tmp_path / "one", files)
    (tmp_path / ".starloom" / "checked.json").write_text("[torn")
    assert checked.problems(tmp_path, tmp_path / "one", files) == {}


def test_a_read_only_workspace_is_read_each_time(tmp_path):
    files = made(tmp_path, a=b"text")
    (tmp_path / ".starloom").write_text("in the way")
    assert checked.problems(tmp_path, tmp_path / "one", files) == {}


def test_a_kept_file_is_the_same_file_and_outlives_the_folder_it_was_in(tmp_path):
    (entry,) = made(tmp_path, a=b"text")
    inode = (tmp_path / "one" / "a").stat().st_ino
    with publish(tmp_path / "one", **FACTS) as draft:
        draft.keep(tmp_path / "one" / "a", "a", entry)
        draft.write("b", b"more")
    assert verify(tmp_path / "one") == []
    assert (tmp_path / "one" / "a").stat().st_ino == inode


def test_a_kept_file_is_copied_where_there_are_no_links(tmp_path, monkeypatch):
    (entry,) = made(tmp_path, a=b"text")

    def refuse(*_args, **_named):
        raise OSError(1, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    with publish(tmp_path / "one", **FACTS) as draft:
        draft.keep(tmp_path / "one" / "a", "a", entry)
    assert verify(tmp_path / "one") == []


def test_a_torn_file_is_not_kept(tmp_path):
    (entry,) = made(tmp_path, a=b"text")
    (tmp_path / "one" / "a").write_bytes(b"te")
    with pytest.raises(ValueError, match="not what its manifest says"), publish(tmp_path / "one", **FACTS) as draft:
        draft.keep(tmp_path / "one" / "a", "a", entry)
