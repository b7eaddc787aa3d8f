"""Debian source packages: what their archives become, what is verified, what is refused."""

import gzip
import hashlib
import io
import os
import shutil
import subprocess
import tarfile

import pytest

from starloom.identity import content_id
from starloom.sources.archives.source import is_archive, open_archive
from starloom.sources.folder import FolderSource
from starloom.sources.repository import Repository, SourceError, SourceSettings, Wanted

DIFF = b"--- demo-1.0.orig/a.c\n+++ demo-1.0/a.c\n@@ -1 +1 @@\n-a\n+b\n"


def tar(members, mode="w:gz"):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


ORIG = tar(
    {"demo-1.0/a.c": b"a\n", "demo-1.0/debian/old": b"old\n", "demo-1.0/lib/kept": b"k", "demo-1.0/part/lost": b"l"}
)
PART = tar({"part-2/p.c": b"p\n"}, "w:xz")
DEBIAN = tar({"debian/control": b"Source: demo\n", "debian/patches/series": b"one\n"}, "w:bz2")
QUILT = {"demo_1.0.orig.tar.gz": ORIG, "demo_1.0.orig-part.tar.xz": PART, "demo_1.0-1.debian.tar.bz2": DEBIAN}


@pytest.fixture
def dsc(tmp_path):
    def make(form, files, *, algorithm="sha256", signed=False, lie=None, version="1.0-1", source="demo"):
        field = {"sha256": "Checksums-Sha256", "sha1": "Checksums-Sha1", "md5": "Files"}[algorithm]
        lines = []
        for name, data in files.items():
            if "/" not in name:
                (tmp_path / name).write_bytes(data)
            checksum = hashlib.new(algorithm, lie or data).hexdigest()
            lines.append(f" {checksum} {len(data)} {name}\n")
        text = (
            f"Format: {form}\nSource: {source}\nBinary: demo,\n demo-doc\nVersion: {version}\n"
            f"Homepage: https://demo.example\n{field}:\n{''.join(lines)}\n"
        )
        if signed:
            text = f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{text}-----BEGIN PGP SIGNATURE-----\n\nxx\n"
        path = tmp_path / "demo_1.0-1.dsc"
        path.write_text(text)
        return path

    return make


def source_of(path):
    assert is_archive(path)
    found = open_archive(path, SourceSettings("x"), None)
    assert found.problems == []
    return found.sources[0]


def problem_of(path):
    found = open_archive(path, SourceSettings("x"), None)
    if found.problems:
        return found.problems[0].reason
    with pytest.raises(SourceError) as caught:
        list(found.sources[0].entries(1000))
    return caught.value.problem.reason


def read(source):
    wanted = {e.content_id: Wanted(e.raw_path, e.content_id, e.size) for e in source.entries(1000) if e.content_id}
    return sorted(one.data for one in source.contents(wanted.values()))


@pytest.mark.parametrize("signed", [False, True])
def test_quilt(dsc, signed):
    source = source_of(dsc("3.0 (quilt)", QUILT, signed=signed))
    row = source.repository()
    assert (row.repo_name, row.kind, row.version, row.home_page) == ("demo", "archive", "1.0-1", "https://demo.example")
    replaced = "replaced by the packaging"
    assert [(e.path, e.problem) for e in source.entries(1000)] == [
        ("a.c", None),
        ("debian/control", None),
        ("debian/old", replaced),
        ("debian/patches/series", None),
        ("lib/kept", None),
        ("part/lost", replaced),
        ("part/p.c", None),
    ]
    assert read(source) == sorted([b"a\n", b"Source: demo\n", b"one\n", b"k", b"p\n"])
    assert source.license_metadata().expression is None


def test_native_and_old_native(dsc):
    files = {"demo_1.0.tar.gz": tar({"demo/a.c": b"a\n", "demo/debian/control": b"c\n"})}
    for form in ("3.0 (native)", "1.0"):
        source = source_of(dsc(form, files, version="1.0"))
        assert [e.path for e in source.entries(1000)] == ["a.c", "debian/control"]
        assert read(source) == [b"a\n", b"c\n"]


def test_diff(dsc):
    source = source_of(dsc("1.0", {"demo_1.0.orig.tar.gz": ORIG, "demo_1.0-1.diff.gz": gzip.compress(DIFF)}))
    found = {e.path: e for e in source.entries(1000)}
    assert set(found) == {"a.c", "debian/old", "lib/kept", "part/lost", "debian.diff"}
    assert (found["debian.diff"].content_id, found["debian.diff"].size) == (content_id(DIFF), len(DIFF))
    assert DIFF in read(source)
    small = {e.path: (e.size, e.content_id) for e in source.entries(10)}
    assert small["debian.diff"] == (len(DIFF), None)


@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "md5"])
def test_checksums(dsc, algorithm):
    assert len(list(source_of(dsc("3.0 (quilt)", QUILT, algorithm=algorithm)).entries(1000))) == 7
    path = dsc("3.0 (quilt)", QUILT, algorithm=algorithm, lie=b"another file")
    assert problem_of(path) == f"demo_1.0.orig.tar.gz: not the file of the .dsc: its {algorithm} or size differs"


def test_what_lies_beside_it(dsc, tmp_path):
    path = dsc("3.0 (quilt)", QUILT)
    source = source_of(path)
    before = source.state()
    assert source.state() == before
    part = tmp_path / "demo_1.0-1.debian.tar.bz2"
    os.utime(part, ns=(1, 1))
    assert source.state() != before
    part.unlink()
    assert problem_of(path) == "demo_1.0-1.debian.tar.bz2: missing"
    source.state()
    (tmp_path / "elsewhere").write_bytes(DEBIAN)
    part.symlink_to("elsewhere")
    assert "symbolic link" in problem_of(path)
    part.unlink()
    os.mkfifo(part)
    assert "not a regular file" in problem_of(path)


@pytest.mark.parametrize(
    ("form", "files", "words"),
    [
        ("2.0", QUILT, "of format '2.0'"),
        ("3.0 (git)", {"demo.git": b""}, "of format '3.0 (git)'"),
        ("3.0 (quilt)", {"demo_1.0.orig.tar.gz": ORIG}, "not those of format"),
        ("3.0 (quilt)", {"demo_1.0-1.debian.tar.bz2": DEBIAN}, "not those of format"),
        ("1.0", {}, "not those of format"),
        ("3.0 (native)", {"../demo.tar.gz": b""}, "unsafe or damaged line"),
        ("3.0 (native)", {"/etc/demo.tar.gz": b""}, "unsafe or damaged line"),
        ("3.0 (native)", {".tar.gz": b""}, "unsafe or damaged line"),
        ("3.0 (native)", {"demo_1.tar.gz": b"no archive"}, "demo_1.tar.gz: truncated"),
    ],
)  # fmt: skip
def test_refused(dsc, form, files, words):
    assert words in problem_of(dsc(form, files))


def test_a_name_that_is_none(dsc):
    assert "without a package's name" in problem_of(dsc("3.0 (quilt)", QUILT, source="../x"))


def test_a_bomb_beside_it(dsc):
    zeros = tarfile.TarInfo("zeros")
    zeros.size = 110 << 20
    data = gzip.compress(zeros.tobuf() + bytes(zeros.size) + bytes(1024))
    assert "decompression bomb" in problem_of(dsc("3.0 (native)", {"demo_1.0.tar.gz": data}))


def test_a_diff_that_is_a_bomb(dsc):
    files = {"demo_1.0.orig.tar.gz": ORIG, "demo_1.0-1.diff.gz": gzip.compress(bytes(110 << 20))}
    assert "decompression bomb" in problem_of(dsc("1.0", files))


@pytest.mark.parametrize("form", ["3.0 (quilt)", "3.0 (native)"])
def test_as_unpacked_by_dpkg(tmp_path, form):
    if not shutil.which("dpkg-source"):
        pytest.skip("no dpkg-source here")
    version = "1.0-1" if "quilt" in form else "1.0"
    tree = tmp_path / "demo-1.0"
    files = {
        "a.c": "int a;\n",
        "b/c.h": "#define C\n",
        "debian/control": "Source: demo\nMaintainer: A <a@x.example>\n\nPackage: demo\nArchitecture: all\n",
        "debian/changelog": f"demo ({version}) unstable; urgency=low\n\n  * x\n\n"
        " -- A <a@x.example>  Mon, 01 Jan 2024 00:00:00 +0000\n",
        "debian/source/format": f"{form}\n",
    }
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    subprocess.run(["tar", "-czf", "demo_1.0.orig.tar.gz", "--exclude=debian", "demo-1.0"], cwd=tmp_path, check=True)
    subprocess.run(["dpkg-source", "-b", "demo-1.0"], cwd=tmp_path, check=True, capture_output=True)
    path = tmp_path / f"demo_{version}.dsc"
    unpacked = tmp_path / "unpacked"
    subprocess.run(
        ["dpkg-source", "--skip-patches", "-x", path.name, "unpacked"], cwd=tmp_path, check=True, capture_output=True
    )
    expected = FolderSource(Repository("x", "folder", str(unpacked), "public"))
    rows = [(e.path, e.mode, e.content_id, e.problem) for e in source_of(path).entries(10_000)]
    assert rows == [(e.path, e.mode, e.content_id, e.problem) for e in expected.entries(10_000)]
