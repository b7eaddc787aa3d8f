"""A plain folder: what is listed, what is never opened, and what changed in between."""

import os
import random
import shutil
import socket
import subprocess
import time

import pytest
from swh.model.from_disk import Content as SwhContent
from swh.model.from_disk import Directory

from starloom.sources import folder as folder_source
from starloom.sources.content_ids import ContentIds
from starloom.sources.folder import FolderSource
from starloom.sources.repository import Repository, SourceError, Wanted


def source_at(path, *exclude):
    repository = Repository(repo_name=path.name, kind="folder", location=str(path), rights="owned")
    return FolderSource(repository, frozenset(exclude))


def listing(source, max_bytes=1 << 20):
    return [(e.path, e.entry_type, e.problem) for e in source.entries(max_bytes)]


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "tree"
    (root / "a").mkdir(parents=True)
    (root / "a" / "x.py").write_bytes(b"x = 1\n")
    (root / "a.py").write_bytes(b"")
    (root / "a-b").write_bytes(b"tool")
    (root / "a-b").chmod(0o755)
    return root


def test_entries_are_gits_in_gits_order(tree, new_git):
    git = new_git("twin")
    shutil.copytree(tree, git.path, dirs_exist_ok=True)
    git.commit()
    expected = [line.split() for line in git("ls-tree", "-r", "-l", "HEAD").splitlines()]
    assert [
        [f"{e.mode:o}", "blob", e.content_id, str(e.size), e.path] for e in source_at(tree).entries(100)
    ] == expected
    assert [line[-1] for line in expected] == ["a-b", "a.py", "a/x.py"]  # "a/" sorts after "a."


def test_content_ids_are_software_heritages(tree):
    directory = Directory.from_disk(path=os.fsencode(tree), max_content_length=None)
    for entry in source_at(tree).entries(100):
        assert isinstance(directory[entry.raw_path], SwhContent)
        assert directory[entry.raw_path].hash.hex() == entry.content_id


def test_what_is_never_opened(tree, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (tree / "out").symlink_to(tmp_path / "secret")
    (tree / "up").symlink_to(tmp_path)
    (tree / "loop").symlink_to("loop")
    (tree / "self").symlink_to(".")
    (tree / "ring").symlink_to("wheel")
    (tree / "wheel").symlink_to("ring")
    os.mkfifo(tree / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tree / "sock"))
    (tree / ".git").mkdir()
    (tree / ".git" / "config").write_text("x")
    (tree / "a" / ".git").mkdir()
    (tree / "a" / ".git" / "config").write_text("x")
    started = time.monotonic()
    assert listing(source_at(tree)) == [
        ("a-b", "file", None),
        ("a.py", "file", None),
        ("a/x.py", "file", None),
        ("fifo", "special", None),
        ("loop", "symlink", None),
        ("out", "symlink", None),
        ("ring", "symlink", None),
        ("self", "symlink", None),
        ("sock", "special", None),
        ("up", "symlink", None),
        ("wheel", "symlink", None),
    ]
    assert time.monotonic() - started < 2
    assert all(e.content_id is None for e in source_at(tree).entries(100) if e.entry_type != "file")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes device files")
def test_devices(tree):
    try:
        os.mknod(tree / "null", 0o020666, os.makedev(1, 5))  # /dev/zero: reading it would never end
    except PermissionError:
        pytest.skip("this container forbids device files")
    assert ("null", "special", None) in listing(source_at(tree))


def test_a_git_file_is_listed_as_unsafe(tree):
    (tree / ".git").write_text("gitdir: /elsewhere\n")
    assert listing(source_at(tree))[0] == (".git", "file", "unsafe path")


def test_names(tree):
    for name in (b"caf\xe9.py", b"new\nline", b"\xe2\x80\xaegpj", b"git~1", rb"..\evil"):
        (tree / os.fsdecode(name)).write_bytes(b"x")
    found = {e.raw_path: (e.path, e.problem, e.content_id is None) for e in source_at(tree).entries(100)}
    assert found[b"caf\xe9.py"] == (r"caf\xe9.py", None, False)
    assert found[b"new\nline"] == ("new\nline", None, False)
    assert found[b"git~1"] == ("git~1", "unsafe path", True)
    assert found[rb"..\evil"] == (r"..\evil", "unsafe path", True)


def test_large_files_cost_nothing(tree):
    with (tree / "huge").open("wb") as file:
        file.truncate(2 << 30)
    started = time.monotonic()
    (huge,) = [e for e in source_at(tree).entries(1 << 20) if e.path == "huge"]
    assert time.monotonic() - started < 1
    assert (huge.size, huge.content_id, huge.problem) == (2 << 30, None, None)


def test_the_limit_is_included(tree):
    found = {e.path: e.content_id for e in source_at(tree).entries(4)}
    assert found["a-b"] is not None  # 4 bytes
    assert found["a/x.py"] is None  # 6 bytes


def test_unreadable_file_and_folder(tree, monkeypatch):
    # As root nothing is unreadable, so the system's answer is staged.
    real = os.open

    def refuse(path, *arguments, **named):
        if path in (b"a.py", b"a"):
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **named)

    monkeypatch.setattr(os, "open", refuse)
    source = source_at(tree)
    assert listing(source) == [
        ("a-b", "file", None),
        ("a.py", "file", "unreadable: Permission denied"),
        ("a", "folder", "unreadable: Permission denied"),
    ]
    source.state()


def test_read_errors(tree, monkeypatch):
    def fail(*_):
        raise OSError(5, "Input/output error")

    wanted = wanted_of(source_at(tree))
    monkeypatch.setattr(os, "read", fail)
    assert {problem for _, _, problem in listing(source_at(tree))} == {"unreadable: Input/output error"}
    assert {c.problem for c in source_at(tree).contents(wanted)} == {"unreadable: Input/output error"}


def wanted_of(source):
    return [Wanted(e.raw_path, e.content_id, e.size) for e in source.entries(1 << 20) if e.content_id]


def test_contents(tree, read):
    assert read(source_at(tree)) == {b"a-b": b"tool", b"a.py": b"", b"a/x.py": b"x = 1\n"}


@pytest.mark.parametrize("new", [b"x = 2\n", b"longer than it was", b"", None, "link", "fifo", "folder"])
def test_changed_between_listing_and_reading(tree, tmp_path, new):
    source = source_at(tree)
    wanted = wanted_of(source)
    path = tree / "a" / "x.py"
    path.unlink()
    if new == "link":
        (tmp_path / "same").write_bytes(b"x = 1\n")  # even with the right content it is not followed
        path.symlink_to(tmp_path / "same")
    elif new == "fifo":
        os.mkfifo(path)
    elif new == "folder":
        path.mkdir()
    elif new is not None:
        path.write_bytes(new)
    answers = list(source.contents(wanted))
    assert [a.content_id for a in answers] == [w.content_id for w in wanted]
    assert [a.data for a in answers] == [b"tool", b"", None]
    assert answers[-1].problem


def test_excluded_repositories(tree):
    assert listing(source_at(tree, b"a")) == [("a-b", "file", None), ("a.py", "file", None)]
    assert source_at(tree, b"a").has_files()
    for name in ("a-b", "a.py"):
        (tree / name).unlink()
    assert not source_at(tree, b"a").has_files()


@pytest.mark.parametrize("change", ["content", "time", "mode", "new", "gone", "link", "replaced", "renamed"])
def test_state_notices(tree, change):
    source = source_at(tree)
    before = source.state()
    assert source.state() == before
    path = tree / "a" / "x.py"
    status = path.stat()
    if change == "content":  # of the same length, with the old time put back: the change time tells
        path.write_bytes(b"x = 2\n")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    elif change == "time":
        os.utime(path, ns=(1, 1))
    elif change == "mode":
        path.chmod(0o755)
    elif change == "new":
        (tree / "b").write_bytes(b"")
    elif change == "gone":
        path.unlink()
    elif change == "link":
        (tree / "l").symlink_to("a.py")
    elif change == "replaced":
        other = tree / "a" / "other"
        other.write_bytes(b"x = 1\n")
        os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
        other.rename(path)
    elif change == "renamed":
        path.rename(tree / "a" / "y.py")
    assert source.state() != before


def test_state_ignores_git_folders(tree):
    (tree / ".git").mkdir()
    source = source_at(tree)
    before = source.state()
    (tree / ".git" / "index").write_bytes(b"x")
    assert source.state() == before


@pytest.fixture
def deep(tmp_path):
    """A folder of 1,000 folders in each other: deeper than any path may be long."""
    root = tmp_path / "deep"
    root.mkdir()
    here = os.open(root, os.O_RDONLY)
    for _ in range(1000):
        os.mkdir("folder", dir_fd=here)
        inner = os.open("folder", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    yield root
    subprocess.run(["rm", "-rf", str(root)], check=True)  # pytest's own cleaning would fail on it


def test_too_deep(deep):
    descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    (entry,) = source_at(deep).entries(100)
    assert entry.entry_type == "folder"
    assert entry.problem == "more than 200 folders deep"
    assert entry.raw_path.count(b"/") == 199
    assert len(os.listdir("/proc/self/fd")) == descriptors  # noqa: PTH208


def test_too_many(tree, monkeypatch):
    monkeypatch.setattr(folder_source, "MAX_ENTRIES", 2)
    with pytest.raises(SourceError, match="more than 2 paths"):
        list(source_at(tree).entries(100))


def test_paths_come_in_the_order_of_their_bytes(tree):
    for name in ("a+", "a0/b", "a/x/y", "a/x-", "\xe9", "Z", "a~"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(b"")
    paths = [entry.raw_path for entry in source_at(tree).entries(100)]
    assert paths == sorted(paths)
    assert source_at(tree).first_seen(ContentIds([])) is None


def test_folder_that_is_gone(tree):
    source = source_at(tree)
    shutil.rmtree(tree)
    for call in (source.state, lambda: list(source.entries(1)), lambda: list(source.contents([]))):
        with pytest.raises(SourceError):
            call()


def test_leaving_early_closes_descriptors(tree):
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    entries = source_at(tree).entries(100)
    next(entries)
    entries.close()
    assert source_at(tree).has_files()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_growing_file(tree, monkeypatch):
    real = os.read
    monkeypatch.setattr(
        folder_source, "read_descriptor", lambda descriptor, limit: real(descriptor, 10) + b"x" * (limit + 1)
    )
    assert {problem for _, _, problem in listing(source_at(tree), 10)} == {"changed while reading"}


def test_folders_come_and_go_during_the_walk(tmp_path):
    chance = random.Random(1)
    root = tmp_path / "busy"
    for number in range(200):
        (root / f"d{number}").mkdir(parents=True)
        (root / f"d{number}" / "f").write_bytes(b"x")
    for entry in source_at(root).entries(100):  # no exception, whatever is missing
        assert entry.problem in (None, "missing")
        shutil.rmtree(root / f"d{chance.randrange(200)}", ignore_errors=True)


def test_state_of_many_files_is_fast(tmp_path):
    for number in range(100):
        (tmp_path / f"d{number}").mkdir()
        for file in range(50):
            (tmp_path / f"d{number}" / f"f{file}").touch()
    source = source_at(tmp_path)
    started = time.perf_counter()
    source.state()
    assert time.perf_counter() - started < 0.5  # 5,000 files; the promise is 20,000 on a quiet core


def test_workspaces_below_are_told_and_not_entered(tmp_path):
    made = tmp_path / "my-stack"
    (made / ".starloom").mkdir(parents=True)
    (made / "dataset").mkdir()
    for path in ("a.py", "my-stack/starloom.toml", "my-stack/dataset/README.md", "my-stack.py"):
        (tmp_path / path).write_text(path)
    source = source_at(tmp_path)
    before = source.state()
    (made / "dataset" / "more.md").write_text("made by the next build")
    assert listing(source) == [
        ("a.py", "file", None),
        ("my-stack.py", "file", None),
        ("my-stack", "folder", "a workspace of Starloom: its output is not read as code"),
    ]
    assert source.state() == before
    shutil.rmtree(made / ".starloom")  # a template of one, say
    assert "my-stack/starloom.toml" in [path for path, _, _ in listing(source)]
