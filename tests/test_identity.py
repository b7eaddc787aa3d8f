"""Identity: as git and Software Heritage compute it."""

import hashlib
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.identity import (
    blob_id,
    content_id,
    content_swhid,
    directory_id,
    directory_swhid,
    parse_swhid,
    permalink,
    qualified_swhid,
)

SAMPLES = [
    b"",
    b"\n",
    b"hello\n",
    b"line\r\nline\r\n",  # git must not touch line ends
    "grüße 日本\n".encode(),
    bytes(range(256)) * 300,
    b"blob 5\0hello",
    b"\0" * 100_000,
    b"$Id$\n",
]


@pytest.mark.skipif(shutil.which("git") is None, reason="no git")
def test_as_git(tmp_path):
    for number, data in enumerate(SAMPLES):
        (tmp_path / f"{number:02}").write_bytes(data)
    names = sorted(str(path) for path in tmp_path.iterdir())
    done = subprocess.run(
        ["git", "hash-object", "--no-filters", *names], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.split() == [content_id(data) for data in SAMPLES]


@given(st.binary(max_size=300))
def test_as_software_heritage(data):
    model = pytest.importorskip("swh.model.model")
    swhids = pytest.importorskip("swh.model.swhids")
    content = model.Content.from_data(data)
    assert content_id(data) == content.sha1_git.hex()
    assert blob_id(data) == content.sha1.hex()
    assert content_swhid(content_id(data)) == str(content.swhid())
    read = swhids.CoreSWHID.from_string(content_swhid(content_id(data)))
    assert parse_swhid(str(read)) == (read.object_type.value, read.object_id.hex())


@given(st.binary(max_size=100))
def test_buffers_and_bytes_are_the_same(data):
    assert content_id(memoryview(b"xx" + data)[2:]) == content_id(data)
    assert blob_id(memoryview(data)) == blob_id(data) == hashlib.sha1(data, usedforsecurity=False).hexdigest()


HASH = "94a9ed024d3859793618152ea559a168bbcbb5e2"


@pytest.mark.parametrize("kind", ["cnt", "dir", "rev", "rel", "snp"])
def test_parse_swhid(kind):
    assert parse_swhid(f"swh:1:{kind}:{HASH}") == (kind, HASH)
    assert parse_swhid(f"swh:1:{kind}:{HASH};origin=https://example.org/a;lines=9-15") == (kind, HASH)


@pytest.mark.parametrize(
    "text",
    [
        "",
        HASH,
        f"swh:1:cnt:{HASH[:-1]}",
        f"swh:1:cnt:{HASH}0",
        f"swh:1:cnt:{HASH.upper()}",
        f"swh:2:cnt:{HASH}",
        f"SWH:1:cnt:{HASH}",
        f"swh:1:ori:{HASH}",
        f"swh:1:cnt:{HASH}\n",
        f" swh:1:cnt:{HASH}",
        f"swh:1:cnt:{HASH}/a.py",
        f"swh:1:cnt:{'g' * 40}",
        f"swh:1:cnt:{'٣' * 40}",  # digits, but not those
    ],
)
def test_no_swhid(text):
    assert parse_swhid(text) is None


def test_directories_as_software_heritage_has_them(tmp_path):
    """A tree with what sorts oddly, executables and a link, against swh.model's own reading of the disk."""
    files = {"a/b.txt": b"1", "a.txt": b"2", "a-b/c": b"3", "a/b/c/d": b"4", "z": b"5", "é/ü": b"6", "run": b"#!"}
    for name, data in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "run").chmod(0o755)
    (tmp_path / "link").symlink_to("a.txt")
    rows = [(name.encode(), 0o100755 if name == "run" else 0o100644, content_id(data)) for name, data in files.items()]
    rows.append((b"link", 0o120000, content_id(b"a.txt")))
    from_disk = pytest.importorskip("swh.model.from_disk")
    expected = from_disk.Directory.from_disk(path=bytes(tmp_path), max_content_length=None).swhid()
    assert directory_swhid(directory_id(sorted(rows))) == str(expected)


@pytest.mark.parametrize("paths", [[b"b", b"a"], [b"a", b"a"], [b"a", b"a/b"]])
def test_a_tree_out_of_order_is_no_tree(paths):
    with pytest.raises(ValueError, match="cannot come after"):
        directory_id((path, 0o100644, "0" * 40) for path in paths)


COMMIT, CONTENT = "1" * 40, "e" * 40


@pytest.mark.parametrize(
    ("url", "path", "lines", "expected"),
    [
        ("https://github.com/a/b", "x.py", (3, 5), f"https://github.com/a/b/blob/{COMMIT}/x.py#L3-L5"),
        ("https://github.com/a/b.git", "x.py", None, f"https://github.com/a/b/blob/{COMMIT}/x.py"),
        ("git@github.com:a/b.git", "x.py", (3, 3), f"https://github.com/a/b/blob/{COMMIT}/x.py#L3-L3"),
        ("ssh://git@gitlab.com/g/h/b", "x.py", (3, 5), f"https://gitlab.com/g/h/b/-/blob/{COMMIT}/x.py#L3-5"),
        (
            "http://www.github.com/a/b/",
            "ü #?.py",
            (1, 2),
            f"https://github.com/a/b/blob/{COMMIT}/%C3%BC%20%23%3F.py#L1-L2",
        ),
        ("https://codeberg.org/a/b", "x", (1, 2), f"https://codeberg.org/a/b/src/commit/{COMMIT}/x#L1-L2"),
        ("https://bitbucket.org/a/b", "x", (1, 2), f"https://bitbucket.org/a/b/src/{COMMIT}/x#lines-1:2"),
        ("https://github.com/only", "x", (1, 2), None),  # no repository
        ("https://github.com.evil.example/a/b", "x", (1, 2), None),
        ("https://user:secret@example.org/a/b", "x", (1, 2), None),
        ("file:///home/me/b", "x", (1, 2), None),
        ("javascript:alert(1)//github.com/a/b", "x", None, None),
        ("https://[broken", "x", None, None),
        (None, "x", None, None),
    ],
    ids=lambda one: str(one)[:40] if isinstance(one, str) else None,
)
def test_permalinks(url, path, lines, expected):
    assert permalink(url, COMMIT, path, lines) == expected
    for no_commit in (None, "", "v1.2", COMMIT.upper() + "A"):
        assert permalink(url, no_commit, path, lines) is None


def test_qualified_identifiers():
    told = qualified_swhid(CONTENT, "https://github.com/a/b;c", COMMIT, "a b;%/ü.py", (7, 7))
    assert parse_swhid(told) == ("cnt", CONTENT)
    _, *qualifiers = told.split(";")
    assert qualifiers == [
        "origin=https://github.com/a/b%3Bc",
        f"anchor=swh:1:rev:{COMMIT}",
        "path=/a%20b%3B%25/%C3%BC.py",
        "lines=7",
    ]
    assert qualified_swhid(CONTENT, None, "1.0", "x") == f"swh:1:cnt:{CONTENT};path=/x"
