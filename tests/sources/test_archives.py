"""Archives and single files: the same files as a folder has, under the paths that people expect."""

import io
import os
import pickle
import random
import shutil
import stat
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.identity import content_id
from starloom.sources.archives import passes as archive_passes
from starloom.sources.archives.source import ArchiveSource, is_archive, open_archive, open_file, repository_name
from starloom.sources.content_ids import ContentIds
from starloom.sources.folder import FolderSource
from starloom.sources.repository import Repository, SourceError, SourceSettings, Wanted

PUBLIC = SourceSettings("x")
TARS = {"": "w:", ".gz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}
ZIPS = {
    "stored": zipfile.ZIP_STORED,
    "deflated": zipfile.ZIP_DEFLATED,
    "bzip2": zipfile.ZIP_BZIP2,
    "lzma": zipfile.ZIP_LZMA,
}


def tar_of(path, members, mode="w:", **options):
    """`members`: (name, bytes) or TarInfo alone."""
    with tarfile.open(path, mode, **options) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return path


def zip_of(path, members, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


def source_of(path, **options):
    found = open_archive(path, PUBLIC, None, **options)
    assert found.problems == []
    (source,) = found.sources
    return source


def rows(source, max_bytes=1 << 20):
    return [(e.path, e.entry_type, e.problem) for e in source.entries(max_bytes)]


def listed(source, max_bytes=1 << 20):
    return {(e.raw_path, e.mode, e.content_id) for e in source.entries(max_bytes)}


def read(source, max_bytes=1 << 20):
    """{content id: bytes or problem} of everything that was listed."""
    wanted = {e.content_id: Wanted(e.raw_path, e.content_id, e.size) for e in source.entries(max_bytes) if e.content_id}
    answers = list(source.contents(wanted.values()))
    assert sorted(one.content_id for one in answers) == sorted(wanted)
    return {one.content_id: one.data if one.data is not None else one.problem for one in answers}


# The same as a folder

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12
).filter(lambda name: name not in (".", "..") and len(name.encode()) < 200)
TREES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map(tuple), st.tuples(st.binary(max_size=200), st.booleans()), max_size=12
)


def without_collisions(tree):
    """Without files that are below other files: no folder can hold them."""
    return {path: one for path, one in tree.items() if not any(path[:n] in tree for n in range(1, len(path)))}


@given(TREES, st.sampled_from([*TARS, *ZIPS]), st.sampled_from(["", "top"]))
@settings(max_examples=60, deadline=None)
def test_any_tree_is_that_of_the_folder(tree, packing, top):
    with tempfile.TemporaryDirectory() as base:
        compare(Path(base), without_collisions(tree), packing, top)


def compare(base, tree, packing, top):
    root = base / "tree"
    root.mkdir()
    for path, (data, executable) in tree.items():
        file = root.joinpath(*path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        file.chmod(0o755 if executable else 0o644)
    archive = base / "archive"
    files = sorted(path for path in root.rglob("*") if not path.is_dir())[::-1]
    if packing in TARS:
        with tarfile.open(archive, TARS[packing]) as packed:
            for file in files:
                packed.add(file, Path(top) / file.relative_to(root))
    else:
        with zipfile.ZipFile(archive, "w", ZIPS[packing], strict_timestamps=False) as packed:
            for file in files:
                packed.write(file, Path(top) / file.relative_to(root))
    if not files:
        return
    expected = FolderSource(Repository("tree", "folder", str(root), "public"))
    source = source_of(archive, strip=1 if top else 0)
    assert listed(source) == listed(expected)
    paths = [entry.raw_path for entry in source.entries(1000)]
    assert paths == sorted(paths)
    safe = {one for _, _, one in listed(expected)}  # a name such as "\\" is refused by both
    assert read(source) == {one: data for data, _ in tree.values() if (one := content_id(data)) in safe}


def test_zstandard(tmp_path):
    if not shutil.which("zstd"):
        pytest.skip("no zstd here")
    path = tar_of(tmp_path / "a.tar", [("a.py", b"x = 1\n"), ("b.py", bytes(3_000_000))])
    subprocess.run(["zstd", "-q", str(path)], check=True)
    source = source_of(tmp_path / "a.tar.zst")
    assert rows(source) == [("a.py", "file", None), ("b.py", "file", None)]
    assert read(source)[content_id(b"x = 1\n")] == b"x = 1\n"


def test_archives_of_git(tmp_path, new_git):
    git = new_git()
    git.write(**{"a/x.py": b"x = 1\n", "a.py": b"", "long/" * 40 + "name.py": b"deep"})
    git.put("run", b"#!/bin/sh\n")
    (git.path / "run").chmod(0o755)
    (git.path / "link").symlink_to("run")
    git.commit()
    expected = {
        (name.encode(), int(mode, 8), one)
        for mode, _, one, name in map(str.split, git("ls-tree", "-r", "HEAD").splitlines())
    }
    expected = {(name, mode, None if mode == 0o120000 else one) for name, mode, one in expected}
    for form in ("tar", "tar.gz", "zip"):
        git("archive", "--prefix=work-1.0/", f"--output={tmp_path}/work-1.0.{form}", "HEAD")
        source = source_of(tmp_path / f"work-1.0.{form}")
        assert source.repository().repo_name == "work"
        assert listed(source) == expected


# Paths


@pytest.mark.parametrize(
    ("members", "strip", "paths"),
    [
        (["top/a", "top/b/c"], None, ["a", "b/c"]),
        (["top/a", "other/b"], None, ["other/b", "top/a"]),
        (["top/a", "b"], None, ["b", "top/a"]),
        (["a"], None, ["a"]),
        (["./top/a", "top//b", "./top/./c"], None, ["./c", "a", "b"]),
        (["top/a", "top/b"], 0, ["top/a", "top/b"]),
        (["one/z", "two/a"], 1, ["a", "z"]),
        (["one/two/z", "one/a"], 2, ["one/a", "z"]),
        ([".git/a", ".git/b"], None, [".git/a", ".git/b"]),
        (["../a", "../b"], None, ["../a", "../b"]),
        (["/a", "/b"], None, ["/a", "/b"]),
    ],
)  # fmt: skip
def test_top_folder(tmp_path, members, strip, paths):
    source = source_of(tar_of(tmp_path / "a.tar", [(name, name.encode()) for name in members]), strip=strip)
    entries = list(source.entries(1000))
    assert [e.path for e in entries] == paths
    assert sorted(read(source).values()) == sorted(
        e.raw_path[:0] or name.encode() for name, e in pairs(members, entries)
    )


def pairs(members, entries):
    """Members whose entries have a content."""
    good = {e.content_id: e for e in entries if e.content_id}
    return [(name, good[content_id(name.encode())]) for name in members if content_id(name.encode()) in good]


def test_unsafe_paths(tmp_path):
    names = ["/etc/passwd", "../up", "a/../../up", "a/./b", ".git/config", "a/GIT~1/x", "..\\up", "ok.py", "x" * 5000]
    found = rows(source_of(tar_of(tmp_path / "a.tar", [(name, b"x") for name in names])))
    assert [path for path, _, problem in found if not problem] == ["ok.py"]
    assert {problem for _, _, problem in found if problem} == {"unsafe path", "unsafe path: longer than 4096 bytes"}
    found = rows(source_of(zip_of(tmp_path / "a.zip", [(name, b"x") for name in names])))
    assert [path for path, _, problem in found if not problem] == ["ok.py"]
    assert len(found) == len(names)


def test_nul_in_a_path(tmp_path):
    info = tarfile.TarInfo("a")
    info.pax_headers = {"path": "a\0b.py"}
    ((path, _, problem),) = rows(source_of(tar_of(tmp_path / "a.tar", [info], format=tarfile.PAX_FORMAT)))
    assert (path, problem) == ("a\0b.py", "unsafe path")


def test_spellings_are_kept_apart(tmp_path):
    names = ["A.py", "a.py", "caf\u00e9.py", "cafe\u0301.py"]
    for path in (
        tar_of(tmp_path / "a.tar", [(name, name.encode()) for name in names]),
        zip_of(tmp_path / "a.zip", [(name, name.encode()) for name in names]),
    ):
        source = source_of(path)
        assert [(e.path, e.problem) for e in source.entries(100)] == [(name, None) for name in sorted(names)]
        assert len(read(source)) == 4


def test_names_that_are_no_utf8(tmp_path):
    path = tar_of(
        tmp_path / "a.tar", [(b"caf\xe9.py".decode("utf-8", "surrogateescape"), b"")], errors="surrogateescape"
    )
    (entry,) = source_of(path).entries(100)
    assert (entry.raw_path, entry.path) == (b"caf\xe9.py", r"caf\xe9.py")


def test_names_of_code_page_437(tmp_path):
    path = zip_of(tmp_path / "a.zip", [("caf_.py", b"x")])
    path.write_bytes(path.read_bytes().replace(b"caf_", b"caf\x82"))
    assert [e.path for e in source_of(path).entries(100)] == ["café.py"]


# Members of every kind


def test_links_and_special_files(tmp_path):
    members = [
        ("a.py", b"x = 1\n"),
        special("hard.py", tarfile.LNKTYPE, "a.py"),
        special("harder.py", tarfile.LNKTYPE, "./hard.py"),
        special("early", tarfile.LNKTYPE, "later"),
        ("later", b"later"),
        special("lost", tarfile.LNKTYPE, "../../etc/passwd"),
        special("to-link", tarfile.LNKTYPE, "soft"),
        special("soft", tarfile.SYMTYPE, "/etc/passwd"),
        special("pipe", tarfile.FIFOTYPE),
        special("zero", tarfile.CHRTYPE),
        special("disk", tarfile.BLKTYPE),
        special("folder", tarfile.DIRTYPE),
    ]
    source = source_of(tar_of(tmp_path / "a.tar", members))
    dangling = "a hard link to what is no earlier file of the archive"
    assert rows(source) == [
        ("a.py", "file", None),
        ("disk", "special", None),
        ("early", "file", dangling),
        ("hard.py", "file", None),
        ("harder.py", "file", None),
        ("later", "file", None),
        ("lost", "file", dangling),
        ("pipe", "special", None),
        ("soft", "symlink", None),
        ("to-link", "file", dangling),
        ("zero", "special", None),
    ]
    found = {e.path: e for e in source.entries(100)}
    assert found["hard.py"].content_id == found["harder.py"].content_id == content_id(b"x = 1\n")
    assert found["hard.py"].size == 6
    assert stat.S_ISFIFO(found["pipe"].mode)
    wanted = [Wanted(b"hard.py", content_id(b"x = 1\n"), 6)]  # under the link's path
    assert [one.data for one in source.contents(wanted)] == [b"x = 1\n"]


def test_hard_links_below_the_top_folder(tmp_path):
    members = [("top/a", b"x"), special("top/b", tarfile.LNKTYPE, "top/a")]
    assert {e.path: e.size for e in source_of(tar_of(tmp_path / "a.tar", members)).entries(9)} == {"a": 1, "b": 1}


def test_of_members_with_one_path_the_last_counts(tmp_path):
    members = [("a", b"first"), ("b", b""), ("a", b"second"), special("c", tarfile.LNKTYPE, "a"), ("a", b"third")]
    found = list(source_of(tar_of(tmp_path / "a.tar", members)).entries(100))
    duplicate = "duplicate path: a later member has it too"
    assert [(e.path, e.content_id, e.problem) for e in found] == [
        ("a", content_id(b"third"), None),
        ("a", None, duplicate),
        ("a", None, duplicate),
        ("b", content_id(b""), None),
        ("c", content_id(b"second"), None),  # what "a" was then
    ]
    with pytest.warns(UserWarning, match="Duplicate"):
        path = zip_of(tmp_path / "a.zip", [("a", b"first"), ("a", b"second")])
    assert [(e.content_id, e.problem) for e in source_of(path).entries(100)] == [
        (content_id(b"second"), None),
        (None, duplicate),
    ]


def test_nothing_is_below_a_file_or_link(tmp_path):
    members = [special("a", tarfile.SYMTYPE, "/etc"), ("a/passwd", b"root"), ("a-b", b""), ("f", b""), ("f/g/h", b"")]
    found = rows(source_of(tar_of(tmp_path / "a.tar", members)))
    below = "below a file or link of the same archive"
    assert found == [
        ("a", "symlink", None),
        ("a-b", "file", None),
        ("a/passwd", "file", below),
        ("f", "file", None),
        ("f/g/h", "file", below),
    ]


def test_kinds_of_zip_members(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, mode in (
            ("link", 0o120777),
            ("pipe", 0o010644),
            ("run", 0o100755),
            ("plain", 0o100644),
            ("d/", 0o040755),
        ):
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, b"" if name == "d/" else b"target")
    found = [
        (e.path, e.entry_type, oct(e.mode), e.content_id is None) for e in source_of(tmp_path / "a.zip").entries(100)
    ]
    assert found == [
        ("link", "symlink", "0o120000", True),
        ("pipe", "special", "0o10644", True),
        ("plain", "file", "0o100644", False),
        ("run", "file", "0o100755", False),
    ]


def test_archives_within_archives_are_files(tmp_path):
    inner = tar_of(tmp_path / "inner.tar.gz", [("x", b"x")], "w:gz").read_bytes()
    source = source_of(zip_of(tmp_path / "a.zip", [("inner.tar.gz", inner), ("b", b"")]))
    assert rows(source) == [("b", "file", None), ("inner.tar.gz", "file", None)]


def test_large_members_are_not_read(tmp_path):
    data = os.urandom(3000)
    for path in (
        tar_of(tmp_path / "a.tar.gz", [("a", data), ("b", b"x")], "w:gz"),
        zip_of(tmp_path / "a.zip", [("a", data), ("b", b"x")]),
    ):
        found = [(e.size, e.content_id, e.problem) for e in source_of(path).entries(2999)]
        assert found == [(3000, None, None), (1, content_id(b"x"), None)]
        assert listed(source_of(path), 3000) >= {(b"a", 0o100644, content_id(data))}  # the limit is included


# The source as such


@pytest.fixture
def archive(tmp_path):
    return tar_of(tmp_path / "demo-1.0.tar.gz", [("demo/a.py", b"a"), ("demo/b.py", b"b"), ("demo/c.py", b"a")], "w:gz")


def test_contents_are_answered_once_and_checked(archive, tmp_path):
    source = source_of(archive)
    a, b, gone = content_id(b"a"), content_id(b"b"), content_id(b"?")
    wanted = [Wanted(b"a.py", a, 1), Wanted(b"b.py", gone, 1), Wanted(b"b.py", b, 1)]
    answers = {one.content_id: (one.data, one.problem) for one in source.contents(wanted)}
    changed = "changed while reading: it is not the content that was listed"
    assert answers == {a: (b"a", None), b: (b"b", None), gone: (None, changed)}
    assert list(source.contents([])) == []
    path = zip_of(tmp_path / "z.zip", [("demo/a.py", b"a"), ("demo/b.py", b"b")])
    assert {one.content_id: (one.data, one.problem) for one in source_of(path).contents(wanted)} == answers


def test_contents_stop_at_the_last_one_wanted(tmp_path):
    path = tar_of(tmp_path / "a.tar.gz", [("a", b"a"), ("b", os.urandom(1 << 20))], "w:gz")
    path.write_bytes(path.read_bytes()[: 1 << 19])  # the rest is not even there
    source = ArchiveSource(Repository("a", "archive", str(path), "public"), path)
    assert [one.data for one in source.contents([Wanted(b"a", content_id(b"a"), 1)])] == [b"a"]
    with pytest.raises(SourceError, match="ends early"):
        list(source.entries(100))


@pytest.mark.parametrize("form", ["w:", "w:gz"])
def test_contents_asked_for_in_parts(tmp_path, monkeypatch, form):
    """Any parts in any order give what one call gives, though passes go on where others stopped."""
    monkeypatch.setattr(archive_passes, "KEEP_FROM", 0)
    data = [b"%d" % (number // 2 * 7) * 300 for number in range(60)]
    path = tar_of(tmp_path / "a.tar", [(f"top/{number:02}", one) for number, one in enumerate(data)], form)
    source = source_of(path)
    wanted = list({e.content_id: Wanted(e.raw_path, e.content_id, e.size) for e in source.entries(10_000)}.values())
    expected = {content_id(one): one for one in data}
    chance = random.Random(1)
    for _ in range(3):
        chance.shuffle(wanted)
        for start in range(0, 30, 4):
            part = wanted[start : start + 4]
            assert {one.content_id: one.data for one in source.contents(part)} == {
                one.content_id: expected[one.content_id] for one in part
            }
    descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    tar_of(path, [("top/new", b"new")], form)  # the archive is another one now
    assert [one.data for one in source.contents([Wanted(b"new", content_id(b"new"), 3)])] == [b"new"]
    assert [one.data for one in source.contents(wanted[:2])] == [None, None]
    next(iter(source.contents([Wanted(b"new", content_id(b"new"), 3)])))  # left early
    assert len(os.listdir("/proc/self/fd")) <= descriptors  # noqa: PTH208


def test_a_forked_process_begins_anew(tmp_path, monkeypatch):
    """What is kept for the next part has a position in the file that a child would share with its parent."""
    monkeypatch.setattr(archive_passes, "KEEP_FROM", 0)
    data = [os.urandom(1 << 20) for _ in range(6)]
    source = source_of(tar_of(tmp_path / "a.tar.gz", [(f"{number}", one) for number, one in enumerate(data)], "w:gz"))
    first, *rest = [Wanted(b"%d" % number, content_id(one), len(one)) for number, one in enumerate(data)]
    assert [one.data for one in source.contents([first])] == data[:1]
    child = os.fork()
    if not child:
        try:
            os._exit([one.data for one in source.contents(rest)] != data[1:])
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert [one.data for one in source.contents(rest)] == data[1:]


def test_state(archive):
    source = source_of(archive)
    before = source.state()
    assert source_of(archive).state() == before
    assert source_of(archive, strip=0).state() != before
    os.utime(archive, ns=(1, 1))
    assert source.state() != before
    known = source_of(archive, checksum="sha256:00ff")
    assert "sha256:00ff" in known.state()
    archive.unlink()
    for call in (
        source.state,
        known.state,
        lambda: list(source.entries(1)),
        lambda: list(source.contents([])),
        source.license_metadata,
    ):
        with pytest.raises(SourceError, match="missing"):
            call()


def test_rows_of_the_repository(archive, tmp_path):
    row = source_of(archive).repository()
    assert (row.repo_name, row.kind, row.location, row.rights) == ("demo", "archive", str(archive), "public")
    named = source_of(archive).renamed("other/demo")
    assert named.repository().repo_name == "other/demo"
    assert [e.path for e in named.entries(10)] == ["a.py", "b.py", "c.py"]
    given_row = Repository("pypi/demo", "package", "pypi:demo", "owned", version="1.0", checksum="sha256:aa")
    assert source_of(archive, repository=given_row).repository() == given_row
    row = source_of(archive, location="https://h/x.tgz", url="https://h/x.tgz", repo_name="o/n").repository()
    assert (row.location, row.url, row.repo_name) == ("https://h/x.tgz", "https://h/x.tgz", "o/n")
    assert source_of(archive).first_seen(ContentIds([])) is None
    assert listed(pickle.loads(pickle.dumps(source_of(archive)))) == listed(source_of(archive))


@pytest.mark.parametrize(
    ("file_name", "name"),
    [
        ("requests-2.32.3.tar.gz", "requests"),
        ("zlib_1.2.13.dfsg.orig.tar.gz", "zlib"),
        ("six-1.17.0-py2.py3-none-any.whl", "six"),
        ("ruamel.yaml-0.18.6-1-cp311-cp311-linux_x86_64.whl", "ruamel.yaml"),
        ("left-pad-1.3.0.tgz", "left-pad"),
        ("log4j-api-2.23.1.jar", "log4j-api"),
        ("linux-6.1-rc3.tar.xz", "linux"),
        ("foo-v2.zip", "foo"),
        ("repo-main.zip", "repo-main"),
        ("repo-0123456789012345678901234567890123456789.tar.gz", "repo"),
        ("x-1.0b2.TAR.GZ", "x"),
        ("foo-2d-engine.zip", "foo-2d-engine"),
        ("1.0.tar", "1.0"),
        ("-1.0.tar", "-1.0"),
        (".zip", ".zip"),
        ("download", "download"),
    ],
)  # fmt: skip
def test_names_of_repositories(file_name, name):
    assert repository_name(file_name) == name


def test_told_by_content_not_by_name(tmp_path):
    tar = tar_of(tmp_path / "plain.txt", [("a", b"a")])
    zipped = zip_of(tmp_path / "noname", [("a", b"a")])
    assert is_archive(tar)
    assert is_archive(zipped)
    assert is_archive(zip_of(tmp_path / "empty", []))
    assert list(source_of(tmp_path / "empty").entries(1)) == []
    for name, data in {
        "a.tar.gz": b"print('no archive')\n",
        "b.zip": b"",
        "c.tar": bytes(10240),
        "d.gz": subprocess.run(["gzip", "-c"], input=b"one file\n", capture_output=True, check=True).stdout,
        "e.tar.gz": b"\x1f\x8b" + b"x" * 100,
    }.items():
        (tmp_path / name).write_bytes(data)
        assert not is_archive(tmp_path / name)
        found = open_archive(tmp_path / name, PUBLIC, None)
        assert found.sources == []
        assert found.problems[0].reason
    os.mkfifo(tmp_path / "fifo")
    assert not is_archive(tmp_path / "fifo")
    assert not is_archive(tmp_path / "missing")


# What it states of its licence

METADATA = b"Metadata-Version: 2.4\nName: demo\nVersion: 1\nLicense-Expression: MIT\n\nText\n"


@pytest.mark.parametrize(
    ("members", "expression"),
    [
        ([("demo.py", b""), ("demo-1.dist-info/METADATA", METADATA)], "MIT"),
        ([("demo-1/PKG-INFO", METADATA), ("demo-1/demo.egg-info/PKG-INFO", b"Name: x\n")], "MIT"),
        ([("demo-1/PKG-INFO", METADATA), ("other/x", b"")], None),
        ([("demo-1/sub/PKG-INFO", METADATA)], None),
        ([("package/package.json", b'{"license": "ISC"}'), ("package/lib/package.json", b'{"license": "X"}')], "ISC"),
        ([("package/package.json", b'{"license": {"type": "MIT", "url": "u"}}')], "MIT"),
        ([("package/package.json", b'{"licenses": [{"type": "MIT"}, {"type": "Apache-2.0"}]}')], "MIT OR Apache-2.0"),
        ([("package/package.json", b'{"license": ["MIT", 3, null, {"x": 1}]}')], "MIT"),
        ([("package/package.json", b'{"license": "\\ud800"}')], "\\ud800"),
        ([("package/package.json", b"[" * 100_000)], None),
        ([("package/package.json", b"[]")], None),
        ([("repo/package.json", b'{"license": "ISC"}')], None),
        ([("a.py", b"")], None),
    ],
)  # fmt: skip
def test_stated_license(tmp_path, members, expression):
    for path in (tar_of(tmp_path / "a.tgz", members, "w:gz"), zip_of(tmp_path / "a.zip", members)):
        assert source_of(path).license_metadata().expression == expression
        source = source_of(path)
        list(source.entries(10))  # the members themselves are too large for the listing
        path.unlink()
        assert source.license_metadata().expression == expression  # known from the listing


def test_a_license_that_was_handed_in(archive):
    from starloom.sources.repository import LicenseMetadata

    known = LicenseMetadata(expression="0BSD")
    source = ArchiveSource(source_of(archive).repository(), archive, license_metadata=known)
    list(source.entries(10))
    assert source.license_metadata() == known == source.renamed("x").license_metadata()


# Single files


def test_single_file(tmp_path, place):
    path = tmp_path / "main.py"
    path.write_bytes(b"x = 1\n")
    (source,) = open_file(path, SourceSettings("x", "owned")).sources
    row = source.repository()
    assert (row.repo_name, row.kind, row.location, row.rights) == ("main.py", "folder", str(path), "owned")
    (entry,) = source.entries(100)
    assert (entry.path, entry.content_id, entry.size) == ("main.py", content_id(b"x = 1\n"), 6)
    assert read(source) == {entry.content_id: b"x = 1\n"}
    before = source.state()
    path.write_bytes(b"x = 2\n")
    assert source.state() != before
    (answer,) = source.contents([Wanted(b"main.py", entry.content_id, 6)])
    assert "changed" in answer.problem
    assert source.renamed("n").repository().repo_name == "n"
    assert source.license_metadata().expression is None
    assert source.first_seen(ContentIds([])) is None
    path.unlink()
    with pytest.raises(SourceError, match="missing"):
        source.state()
    with pytest.raises(SourceError, match="missing"):
        list(source.entries(1))
