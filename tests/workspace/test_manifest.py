"""The manifest: any damage is seen, and a hostile one is refused even when its own hash is right."""

import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faults import open_descriptors
from starloom.errors import UserError
from starloom.workspace import manifest
from starloom.workspace.atomic import publish
from starloom.workspace.manifest import (
    NAME,
    FileEntry,
    Manifest,
    check_json,
    fingerprint,
    from_bytes,
    open_folder,
    read_bytes,
    read_manifest,
    safe_name,
    to_bytes,
    verify,
)

HASH = hashlib.sha256(b"x").hexdigest()
SMALL = Manifest(
    kind="files",
    version=1,
    fingerprint="0" * 32,
    inputs={"listing": "1" * 32},
    settings={"limit": 0.5, "on": True, "none": None, "ü": ["a", 1]},
    facts={"seen": 1},
    files=(FileEntry("a.parquet", 1, HASH, 3), FileEntry("sub/b.bin", 1, HASH, None)),
)
PATH = Path("stack/files/manifest.json")


def signed(body):
    """A manifest file whose own hash is right, whatever is in it."""
    compact = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    whole = body | {"sha256": hashlib.sha256(compact).hexdigest()}
    return json.dumps(whole, sort_keys=True, indent=1).encode() + b"\n"


def body(**changes):
    plain = json.loads(to_bytes(SMALL))
    del plain["sha256"]
    return {key: value for key, value in (plain | changes).items() if value is not ...}


def entry(**changes):
    return {"name": "a", "bytes": 1, "sha256": HASH, "rows": None} | changes


def refused(data):
    with pytest.raises(UserError) as problem:
        from_bytes(data, PATH)
    assert problem.value.problem.startswith(f"{PATH} ")
    assert problem.value.hint
    return problem.value


def test_round_trip():
    assert from_bytes(to_bytes(SMALL), PATH) == SMALL
    assert to_bytes(from_bytes(to_bytes(SMALL), PATH)) == to_bytes(SMALL)
    assert signed(body()) == to_bytes(SMALL)  # what the hostile ones below start from


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_round_trip_of_any_settings(settings):
    whole = Manifest("k", 1, "f", {}, settings, settings, ())
    assert from_bytes(to_bytes(whole), PATH) == whole


def test_order_of_keys_leaves_no_trace():
    one = Manifest("k", 1, "f", {"a": "1", "b": "2"}, {"x": 1, "y": {"p": 1, "q": 2}}, {}, ())
    two = Manifest("k", 1, "f", {"b": "2", "a": "1"}, {"y": {"q": 2, "p": 1}, "x": 1}, {}, ())
    assert to_bytes(one) == to_bytes(two)


def test_every_flipped_bit_is_seen():
    data = to_bytes(SMALL)
    for place in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[place] ^= 1 << bit
            refused(bytes(flipped))


def test_every_truncation_and_lengthening_is_seen():
    data = to_bytes(SMALL)
    for length in range(len(data)):
        refused(data[:length])
    for tail in (b"\n", b" ", b"\0", b"{}", data):
        refused(data + tail)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 500,  # what a power cut leaves of a file that was not fsynced
        b"null\n",
        b"[]\n",
        b"[" * 100_000,  # nested beyond the interpreter
        b'{"a":' * 100_000,
        b"\xff\xfe{\0}\0",  # UTF-16
        b"\xef\xbb\xbf{}",
        b'{"format": 1e999}\n',
        b'{"format": NaN}\n',
        b'{"format": -Infinity}\n',
        b'{"format": ' + b"9" * 10_000 + b"}\n",  # more digits than Python converts
        to_bytes(SMALL).replace(b'"version": 1', b'"version": 1,\n "version": 1'),  # a key twice
        to_bytes(SMALL).replace(b'"version": 1', b'"version": NaN'),
        to_bytes(SMALL).replace(b'"limit": 0.5', b'"limit": 5e-1'),  # the same number, written otherwise
    ],
    ids=lambda data: repr(data[:24]),
)
def test_no_manifest_at_all(data):
    refused(data)


@pytest.mark.parametrize(
    "changes",
    [
        {"files": [entry(name="../x")]},
        {"files": [entry(name="/etc/passwd")]},
        {"files": [entry(name="a/../../x")]},
        {"files": [entry(name="a/b/c")]},
        {"files": [entry(name="..")]},
        {"files": [entry(name="")]},
        {"files": [entry(name="a\\..\\x")]},
        {"files": [entry(name="a\n")]},
        {"files": [entry(name="a\u202e")]},
        {"files": [entry(name="\ud800")]},
        {"files": [entry(name=".hidden")]},
        {"files": [entry(name=NAME)]},  # itself: verify would never end
        {"files": [entry(name=1)]},
        {"files": [entry(), entry()]},  # listed twice
        {"files": [entry(name="b"), entry(name="a")]},  # out of order
        {"files": [entry(bytes=-1)]},
        {"files": [entry(bytes=1.5)]},
        {"files": [entry(bytes=True)]},
        {"files": [entry(bytes="1")]},
        {"files": [entry(bytes=None)]},
        {"files": [entry(rows=-1)]},
        {"files": [entry(rows="3")]},
        {"files": [entry(sha256="0" * 63)]},
        {"files": [entry(sha256="A" * 64)]},
        {"files": [entry(sha256=None)]},
        {"files": [entry(more=1)]},
        {"files": [{"name": "a"}]},
        {"files": ["a"]},
        {"files": [[]]},
        {"files": {}, "facts": None},
        {"files": 3},
        {"files": None},
        {"inputs": []},
        {"inputs": None},
        {"inputs": "x"},
        {"inputs": {"a": 1}},
        {"settings": []},
        {"facts": "x"},
        {"kind": 1},
        {"version": "1"},
        {"version": True},
        {"version": 1.0},
        {"fingerprint": None},
        {"more": 1},  # a field we do not know
        {"kind": ...},  # ... and each that we need
        {"version": ...},
        {"inputs": ...},
        {"settings": ...},
        {"facts": ...},
        {"files": ...},
        {"format": ...},
        {"format": 0},
        {"format": "1"},
        {"format": None},
    ],
    ids=str,
)
def test_hostile_though_its_hash_is_right(changes):
    refused(signed(body(**changes)))


def test_newer_format_says_update():
    problem = refused(signed({"format": 2, "something": "new"}))
    assert "newer Starloom (format 2" in problem.problem
    assert "pip install --upgrade" in problem.hint


def test_huge_manifest_is_not_read(tmp_path):
    with (tmp_path / NAME).open("wb") as file:
        file.truncate(1 << 40)  # sparse
    with pytest.raises(UserError, match="is no manifest"):
        read_manifest(tmp_path)
    assert verify(tmp_path) == [f"{tmp_path / NAME} is no manifest"]


def strange_folder(path):
    path.mkdir()


def strange_pipe(path):
    os.mkfifo(path)  # a plain open would wait for ever


def strange_device(path):
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("lay", [strange_folder, strange_pipe, strange_device])
def test_no_file_where_the_manifest_should_be(tmp_path, lay):
    lay(tmp_path / NAME)
    before = open_descriptors()
    with pytest.raises(UserError, match="manifest"):
        read_manifest(tmp_path)
    assert open_descriptors() == before


def test_absent(tmp_path):
    assert read_manifest(tmp_path) is None
    assert read_manifest(tmp_path / "absent") is None
    assert open_folder(tmp_path / "absent") is None
    (tmp_path / "file").touch()
    assert read_bytes(tmp_path / "file" / NAME) is None
    assert verify(tmp_path / "absent") == [f"{tmp_path / 'absent' / NAME} is missing"]


def test_unreadable(tmp_path):
    (tmp_path / NAME).symlink_to(NAME)  # a loop: even root cannot open it
    with pytest.raises(UserError, match=r"cannot read .*symbolic link") as problem:
        read_manifest(tmp_path)
    assert problem.value.hint


# verify


@pytest.fixture
def published(tmp_path):
    with publish(
        tmp_path / "out", kind="t", version=1, fingerprint="f", inputs={}, settings={}, replace=False
    ) as draft:
        draft.write("a.bin", bytes(range(40)))
        draft.write("empty", b"")
        draft.write("sub/b.bin", b"b" * 30)
    assert verify(tmp_path / "out") == []
    return tmp_path / "out"


def test_verify_finds_every_flipped_byte(published):
    for path in [path for path in published.rglob("*") if path.is_file()]:
        data = path.read_bytes()
        for place in range(len(data)):
            flipped = bytearray(data)
            flipped[place] ^= 1 << place % 8
            path.write_bytes(flipped)
            problems = verify(published)
            assert len(problems) == 1
            assert str(path) in problems[0]
        path.write_bytes(data)
    assert verify(published) == []


def test_verify_finds_every_truncation(published):
    for path in [path for path in published.rglob("*") if path.is_file()]:
        data = path.read_bytes()
        for length in range(len(data)):
            path.write_bytes(data[:length])
            problems = verify(published)
            assert len(problems) == 1
            assert str(path) in problems[0]
            if path.name != NAME:
                with pytest.raises(UserError, match="its manifest says"):
                    open_folder(published)
        path.write_bytes(data + b"x")
        assert len(verify(published)) == 1
        path.write_bytes(data)


@pytest.mark.parametrize("name", ["a.bin", "empty", "sub/b.bin"])
def test_verify_finds_what_is_gone_or_no_file(published, name):
    path = published / name
    data = path.read_bytes()
    path.unlink()
    assert "is missing" in verify(published)[0]
    with pytest.raises(UserError, match="is missing") as problem:
        open_folder(published)
    assert problem.value.hint
    (published / "moved").write_bytes(data)
    path.symlink_to(published / "moved")  # the same bytes, but a link may point anywhere tomorrow
    assert "is no regular file" in verify(published)[0]
    path.unlink()
    path.mkdir()
    assert "is no regular file" in verify(published)[0]


def test_verify_names_every_problem(published):
    (published / "a.bin").unlink()
    (published / "empty").write_bytes(b"x")
    (published / "sub" / "b.bin").write_bytes(b"x" * 30)
    assert [problem.split()[1:3] for problem in verify(published)] == [
        ["is", "missing"],
        ["has", "1"],
        ["was", "altered:"],
    ]


def test_verify_follows_the_parts(tmp_path):
    for part in ("0", "1"):
        with publish(
            tmp_path / part, kind="t", version=1, fingerprint="f", inputs={}, settings={}, replace=False
        ) as draft:
            draft.write("x", part.encode())
    files = []
    for part in ("0", "1"):
        data = (tmp_path / part / NAME).read_bytes()
        files.append(FileEntry(f"{part}/{NAME}", len(data), hashlib.sha256(data).hexdigest(), 0))
    (tmp_path / NAME).write_bytes(to_bytes(Manifest("t-index", 1, "f", {}, {}, {}, tuple(files))))
    assert verify(tmp_path) == []
    (tmp_path / "1" / "x").write_bytes(b"2")
    assert verify(tmp_path) == [f"{tmp_path / '1' / 'x'} was altered: its sha256 is not the one in the manifest"]


# The small parts


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")]])
def test_no_numbers_that_json_lacks(value):
    with pytest.raises(ValueError, match="no JSON number"):
        check_json(value)
    with pytest.raises(ValueError, match="no JSON number"):
        fingerprint(value)


@pytest.mark.parametrize("value", [{1: 2}, b"x", {"a": {2}}, object(), Path("x")])
def test_no_values_that_json_would_change(value):
    with pytest.raises(TypeError):
        check_json(value)
    with pytest.raises(TypeError):
        to_bytes(Manifest("k", 1, "f", {}, {"x": value}, {}, ()))


def test_fingerprint():
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
    different = [(), (1,), (1.0,), ("1",), (True,), (None,), ([1],), ({"1": 1},), (1, 1), ([1, 1],), ("",)]
    assert len({fingerprint(*parts) for parts in different}) == len(different)
    assert fingerprint("stable") == "db8361908a8efa2d708b78919810e8a5"  # a change here makes every workspace stale


@given(st.text())
def test_safe_names_stay_inside(name):
    if safe_name(name):
        place = Path(os.path.normpath(Path("/root/folder") / name))
        assert place.is_relative_to("/root/folder/")
        assert place.name == name.rpartition("/")[2]
        assert len(place.relative_to("/root/folder").parts) in (1, 2)


def test_content_depends_on_files_only():
    other = Manifest("other", 2, "x", {"a": "b"}, {"s": 1}, {"f": 1}, SMALL.files)
    assert other.content == SMALL.content
    assert Manifest("files", 1, "0" * 32, {}, {}, {}, SMALL.files[:1]).content != SMALL.content
    assert (SMALL.rows, SMALL.bytes) == (3, 2)


def test_hash_problem_when_a_file_cannot_be_read(published, monkeypatch):
    def refuse(path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(manifest, "hash_file", refuse)
    assert len(verify(published)) == 3
    assert "cannot be read (Input/output error)" in verify(published)[0]
