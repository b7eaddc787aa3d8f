"""Hostile and broken git repositories. Where it is cheap, a test first shows the attack work."""

import hashlib
import multiprocessing
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sources import git_packs
from starloom.outside.paths import text_path
from starloom.sources.content_ids import ContentIds
from starloom.sources.git import folder as git_folder
from starloom.sources.git import listing as git_listing
from starloom.sources.git import ls_tree
from starloom.sources.git import objects as git_objects
from starloom.sources.git.folder import environment
from starloom.sources.repository import SourceError, Wanted


@pytest.fixture
def example(git):
    git.write(**{"a.py": b"alpha\n", "b.py": b"beta\n", "d/c.py": b"gamma\n"})
    git.commit()
    return git


def everything(source):
    """Calls all that a source offers."""
    source.repository()
    source.state()
    entries = list(source.entries(1 << 20))
    ids = {e.content_id for e in entries if e.content_id}
    wanted = [Wanted(e.raw_path, e.content_id, e.size) for e in entries if e.content_id]
    return entries, list(source.contents(wanted)), source.first_seen(ContentIds(ids))


def payload(tmp_path):
    """A program that leaves a mark."""
    script, marker = tmp_path / "payload.sh", tmp_path / "marker"
    script.write_text(f"#!/bin/sh\ntouch {marker}\n")
    script.chmod(0o755)
    return script, marker


# What a repository's own configuration could run


def test_settings_that_run_programs(example, tmp_path, opened):
    script, marker = payload(tmp_path)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for hook in ("post-checkout", "reference-transaction", "post-index-change", "fsmonitor-watchman"):
        shutil.copy(script, hooks / hook)
    # A "signed" commit, so that log.showSignature has something to verify.
    tree = example("rev-parse", "HEAD^{tree}").encode()
    people = b"author A <a> 1500000000 +0000\ncommitter C <c> 1500000000 +0000\n"
    signature = b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n"
    raw = b"tree %b\n%b%b\nsigned\n" % (tree, people, signature)
    example("update-ref", "refs/heads/main", example("hash-object", "-w", "-t", "commit", "--stdin", feed=raw))
    for key, value in {
        "core.fsmonitor": script,
        "core.hooksPath": hooks,
        "core.sshCommand": script,
        "core.pager": script,
        "core.askPass": script,
        "core.alternateRefsCommand": script,
        "diff.external": script,
        "diff.evil.textconv": script,
        "diff.evil.command": script,
        "filter.evil.smudge": script,
        "filter.evil.clean": script,
        "filter.evil.process": script,
        "gpg.program": script,
        "log.showSignature": "true",
        "credential.helper": f"!{script}",
        "alias.ls-tree": f"!{script}",
        "alias.cat-file": f"!{script}",
        "pager.log": script,
    }.items():
        example("config", key, str(value))
    (example.path / ".git/info/attributes").write_text("* filter=evil diff=evil\n")
    for attack in (("status",), ("log", "-1"), ("diff", "HEAD~0"), ("checkout", "-q", "HEAD", "--", "a.py")):
        (example.path / "a.py").write_bytes(b"touched\n")
        example(*attack, check=False)
        if attack != ("diff", "HEAD~0"):
            assert marker.exists(), f"plain git {attack} should have run the payload"
        marker.unlink(missing_ok=True)
    entries, contents, seen = everything(opened(example.path))
    assert not marker.exists()
    assert len(entries) == len(contents) == len(seen) == 3


def test_partial_clone_that_would_fetch_by_a_program(example, tmp_path, opened):
    script, marker = payload(tmp_path)
    missing = example("rev-parse", "HEAD:b.py")
    (example.path / f".git/objects/{missing[:2]}/{missing[2:]}").unlink()
    for key, value in {
        "core.repositoryformatversion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.url": f"ext::sh -c {script}",
        "remote.origin.promisor": "true",
        "protocol.ext.allow": "always",
    }.items():
        example("config", key, value)
    example("cat-file", "blob", missing, check=False)
    assert marker.exists(), "plain git should have run the payload"
    marker.unlink()

    source = opened(example.path)
    entries, contents, _ = everything(source)
    assert [e.problem and e.problem.split(":")[0] for e in entries] == [None, "missing", None]
    assert [c.data for c in contents] == [b"alpha\n", b"gamma\n"]
    (answer,) = source.contents([Wanted(b"b.py", missing, 5)])
    assert answer.data is None
    assert "missing" in answer.problem
    assert not marker.exists()


def test_a_partial_clones_missing_last_commit(example, tmp_path, refused):
    script, marker = payload(tmp_path)
    commit = example("rev-parse", "HEAD")
    (example.path / f".git/objects/{commit[:2]}/{commit[2:]}").unlink()
    example("config", "core.repositoryformatversion", "1")
    example("config", "extensions.partialClone", "origin")
    example("config", "remote.origin.url", f"ext::sh -c {script}")
    example("config", "protocol.ext.allow", "always")
    assert "missing" in refused(example.path).reason
    assert not marker.exists()


def test_the_environment_forbids_every_transport():
    neutral = environment()
    assert neutral["GIT_NO_LAZY_FETCH"] == "1"
    assert neutral["GIT_ALLOW_PROTOCOL"] == "none"
    assert not {name for name in os.environ if name.startswith("GIT_")} & (set(neutral) - {"GIT_CONFIG_NOSYSTEM"})


# Objects of somebody else


@pytest.fixture
def private(new_git):
    """A repository that the hostile one would like to hand on."""
    private = new_git("private")
    private.write(secret=b"secret\n")
    private.commit()
    return private


def test_alternates_outside(git, private, refused, opened):
    (git.path / ".git/objects/info/alternates").write_text(f"{private.path}/.git/objects\n")
    git.point_main_at(private("rev-parse", "HEAD^{tree}"))
    assert git("show", "main:secret") == "secret", "plain git should have read the other repository"
    problem = refused(git.path)
    assert "alternates" in problem.reason
    assert str(private.path) in problem.reason
    assert "git repack -a -d" in problem.hint
    # The remedy works.
    git("repack", "-q", "-a", "-d")
    (git.path / ".git/objects/info/alternates").unlink()
    assert opened(git.path)


@pytest.mark.parametrize("line", ["../../../private/.git/objects", "inner/../../../../private/.git/objects"])
def test_relative_alternates_outside(git, private, refused, line):
    (git.path / ".git/objects/inner").mkdir()
    (git.path / ".git/objects/info/alternates").write_text(f"# comment\n{line}\n")
    git.point_main_at(private("rev-parse", "HEAD^{tree}"))
    assert "alternates" in refused(git.path).reason


def test_alternates_inside_are_allowed_but_followed(example, private, opened, refused):
    inner = example.path / ".git/more"
    shutil.copytree(example.path / ".git/objects", inner)
    (example.path / ".git/objects/info/alternates").write_text("../more\n")
    assert len(everything(opened(example.path))[0]) == 3
    (inner / "info/alternates").write_text(f"{private.path}/.git/objects\n")
    assert "alternates" in refused(example.path).reason


@pytest.mark.parametrize("part", ["", "/pack", "/info"])
def test_linked_objects(example, private, refused, part):
    objects = example.path / f".git/objects{part}"
    shutil.rmtree(objects)
    objects.symlink_to(f"{private.path}/.git/objects{part}")
    assert "symbolic link" in refused(example.path).reason


def test_linked_pack(example, private, refused):
    private("gc", "-q")
    pack = next((private.path / ".git/objects/pack").glob("*.pack"))
    (example.path / ".git/objects/pack" / pack.name).symlink_to(pack)
    assert "symbolic link" in refused(example.path).reason


def test_linked_loose_object(git, private, refused):
    secret = private("rev-parse", "HEAD:secret")
    (git.path / f".git/objects/{secret[:2]}").mkdir()
    path = f".git/objects/{secret[:2]}/{secret[2:]}"
    (git.path / path).symlink_to(private.path / path)
    git.point_main_at(git.tree((b"100644", b"secret", secret)))
    assert git("show", "main:secret") == "secret", "plain git should have read the other repository"
    assert "symbolic link" in refused(git.path).reason


def test_reasons_are_text(example, refused):
    (example.path / ".git/objects/info/alternates").write_bytes(b"/caf\xe9\n")
    assert refused(example.path).reason.encode().count(rb"\xe9") == 1


def test_commondir_outside(example, private, refused):
    (example.path / ".git/commondir").write_text(f"{private.path}/.git\n")
    assert "commondir" in refused(example.path).reason


def test_git_file_that_points_at_somebody(private, tmp_path, refused):
    thief = tmp_path / "thief"
    thief.mkdir()
    (thief / ".git").write_text(f"gitdir: {private.path}/.git\n")
    assert "does not point back" in refused(thief).reason


def test_git_file_that_names_a_worktree_of_somebody(private, tmp_path, refused):
    private("worktree", "add", "-q", str(tmp_path / "linked"), "-b", "side")
    shutil.copytree(tmp_path / "linked", tmp_path / "thief")
    assert "does not point back" in refused(tmp_path / "thief").reason


def test_forged_worktree_folder(private, tmp_path, refused):
    # The thief's own "worktree" folder answers for him, but it is not registered in the repository it shares.
    thief = tmp_path / "thief"
    own = thief / "worktrees" / "x"
    own.mkdir(parents=True)
    (own / "commondir").write_text(f"{private.path}/.git\n")
    (own / "gitdir").write_text(f"{thief}/.git\n")
    (own / "HEAD").write_text("ref: refs/heads/main\n")
    (thief / ".git").write_text(f"gitdir: {own}\n")
    assert "does not point back" in refused(thief).reason


@pytest.mark.parametrize("text", ["gitdir: /nonexistent\n", "nonsense", "", "gitdir: \0", "gitdir: .\n"])
def test_broken_git_file(tmp_path, refused, text):
    (tmp_path / ".git").write_text(text)
    assert refused(tmp_path).hint


def test_git_is_a_link(private, tmp_path, refused):
    (tmp_path / "thief").mkdir()
    (tmp_path / "thief/.git").symlink_to(private.path / ".git")
    assert "symbolic link" in refused(tmp_path / "thief").reason


@pytest.mark.parametrize("name", ["HEAD", "config", "packed-refs"])
def test_fifo_instead_of_a_file(example, refused, name):
    path = example.path / ".git" / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    started = time.monotonic()
    assert "not a regular file" in refused(example.path).reason
    assert time.monotonic() - started < 5


# Names in trees


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (b"..", "unsafe path"),
        (b".", "unsafe path"),
        (b".git", "unsafe path"),
        (b".GIT", "unsafe path"),
        (b"git~1", "unsafe path"),
        (b"../../escape.py", "unsafe path"),
        (b"/etc/passwd", "unsafe path"),
        (rb"..\evil.py", "unsafe path"),
        (b"a//b", "unsafe path"),
        (b"x" * 5000, "unsafe path: longer than 4096 bytes"),
        (b"new\nline.py", None),
        (b"tab\t.py", None),
        (b'quote".py', None),
        (b"caf\xe9.py", None),
        (b"\xe2\x80\xaegpj.py", None),
        (b"--upload-pack=x", None),
        (b"100644 blob", None),
        (b"x" * 255, None),
    ],
)
def test_names(git, opened, name, problem):
    blob = git.blob(b"content\n")
    git.point_main_at(git.tree((b"100644", name, blob), (b"100644", b"zzz", blob)))
    entries, contents, _ = everything(opened(git.path))
    assert [e.raw_path for e in entries] == [name, b"zzz"]
    assert entries[0].path == text_path(name)
    assert entries[0].problem == problem
    assert entries[0].content_id == (None if problem else blob)
    assert all(c.data == b"content\n" for c in contents)


def test_unsafe_folders(git, opened):
    blob = git.blob(b"content\n")
    inner = git.tree((b"100644", b"x", blob))
    git.point_main_at(git.tree((b"40000", b"..", inner), (b"40000", b".git", inner), (b"40000", b"ok", inner)))
    entries = list(opened(git.path).entries(100))
    assert [(e.path, e.problem) for e in entries] == [
        ("../x", "unsafe path"),
        (".git/x", "unsafe path"),
        ("ok/x", None),
    ]


def test_duplicates(git, opened):
    one, two = git.blob(b"one"), git.blob(b"two")
    git.point_main_at(git.tree((b"100644", b"a", one), (b"100644", b"a", two), (b"100644", b"b", one)))
    entries = list(opened(git.path).entries(100))
    assert [(e.path, e.content_id, e.problem) for e in entries] == [
        ("a", one, None),
        ("a", None, "duplicate path"),
        ("b", one, None),
    ]


@pytest.mark.parametrize(("mode", "kind"), [(b"100664", "file"), (b"100600", "file"), (b"120777", "symlink")])
def test_odd_modes(git, opened, mode, kind):
    git.point_main_at(git.tree((mode, b"a", git.blob(b"x"))))
    (entry,) = opened(git.path).entries(100)
    assert entry.entry_type == kind


def test_a_tree_called_a_blob_and_the_reverse(git, opened):
    blob = git.blob(b"x")
    tree = git.tree((b"100644", b"x", blob))
    git.point_main_at(git.tree((b"100644", b"a", tree), (b"100644", b"b", blob)))
    entries, contents, _ = everything(opened(git.path))
    assert entries[-1].content_id == blob
    assert [c.data for c in contents if c.content_id == blob] == [b"x"]
    assert all(c.data is None and c.problem for c in contents if c.content_id != blob)


def answered(source, wanted):
    """The answers in the order of the questions; a source may give them in any."""
    found = {one.content_id: one for one in source.contents(wanted)}
    return [found[one.content_id] for one in wanted]


def test_tree_bomb(git, opened, monkeypatch):
    tree = git.tree((b"100644", b"f", git.blob(b"x")))
    for _ in range(10):  # 10 levels of 10: 10^10 paths
        tree = git.tree(*[(b"40000", b"%d" % n, tree) for n in range(10)])
    git.point_main_at(tree)
    monkeypatch.setattr(git_listing, "MAX_ENTRIES", 20_000)
    started = time.monotonic()
    with pytest.raises(SourceError, match="more than 20000 paths"):
        list(opened(git.path).entries(100))
    assert time.monotonic() - started < 10


def test_tree_bomb_without_files(git, opened, monkeypatch):
    tree = git.tree()
    for _ in range(10):
        tree = git.tree(*[(b"40000", b"%d" % n, tree) for n in range(10)])
    git.point_main_at(tree)
    monkeypatch.setattr(git_listing, "MAX_ENTRIES", 20_000)
    with pytest.raises(SourceError, match="more than 20000 paths"):
        list(opened(git.path).entries(100))


def test_tree_bomb_of_long_names(git, opened, monkeypatch):
    tree = git.tree((b"100644", b"f", git.blob(b"x")))
    for _ in range(6):
        tree = git.tree(*[(b"40000", b"%d" % n * 4000, tree) for n in range(10)])
    git.point_main_at(tree)
    monkeypatch.setattr(git_listing, "MAX_LISTED_BYTES", 10_000_000)
    with pytest.raises(SourceError, match="more than 10000000 bytes"):
        list(opened(git.path).entries(100))


def deep(git, folders):
    """A file below so many folders, written as one pack."""
    blob = b"x"
    objects = {git_packs.blob_id(blob): git_packs.entry(git_packs.BLOB, blob)}
    mode, name, inner = b"100644", b"f", git_packs.blob_id(blob)
    for _ in range(folders + 1):
        data = b"%b %b\0%b" % (mode, name, bytes.fromhex(inner))
        inner = hashlib.sha1(b"tree %d\0" % len(data) + data).hexdigest()
        objects[inner] = git_packs.entry(git_packs.TREE, data)
        mode, name = b"40000", b"deep"
    git_packs.write(git, objects)
    git.point_main_at(inner)


def test_deep_tree(git, opened):
    deep(git, 1_000)
    (entry,) = opened(git.path).entries(100)
    assert entry.problem.startswith("unsafe path: longer")


def test_very_deep_tree(git, opened, monkeypatch):
    monkeypatch.setattr(git_listing, "MAX_LISTED_BYTES", 40_000_000)  # 10,000 folders' paths have 250 MB
    deep(git, 10_000)
    with pytest.raises(SourceError, match="more than 40000000 bytes"):
        list(opened(git.path).entries(100))


def test_out_of_order(git, opened):
    blob = git.blob(b"x")
    git.point_main_at(git.tree(*[(b"100644", name, blob) for name in (b"b", b"d", b"a", b"c", b"d", b"e")]))
    assert [(e.path, e.problem) for e in opened(git.path).entries(100)] == [
        ("b", None),
        ("d", None),
        ("a", "out of order"),
        ("c", "out of order"),
        ("d", "duplicate path"),
        ("e", None),
    ]


def test_an_empty_name(git, opened):
    git.point_main_at(git.tree((b"100644", b"", git.blob(b"x"))))
    with pytest.raises(SourceError, match="cannot all be listed"):
        list(opened(git.path).entries(100))


def test_the_longest_path_that_is_read(git, opened, read):
    inner = git.tree((b"100644", b"x" * 255, git.blob(b"content")))
    for _ in range(15):
        inner = git.tree((b"40000", b"d" * 255, inner))
    git.point_main_at(inner)
    assert [len(raw) for raw in read(opened(git.path))] == [4095]


def test_submodules_are_listed_not_followed(git, opened, tmp_path):
    script, marker = payload(tmp_path)
    text = f'[submodule "x\r"]\n\tpath = "sub\r"\n\turl = -oProxyCommand={script}\n\tupdate = !{script}\n'
    modules = git.blob(text.encode())
    git.point_main_at(git.tree((b"100644", b".gitmodules", modules), (b"160000", b"sub\r", "1" * 40)))
    entries, contents, _ = everything(opened(git.path))
    assert [(e.raw_path, e.entry_type, e.target) for e in entries] == [
        (b".gitmodules", "file", None),
        (b"sub\r", "submodule", "1" * 40),
    ]
    assert contents[0].data == text.encode()
    assert not marker.exists()


# Broken ones


def test_unborn(git, refused):
    problem = refused(git.path)
    assert problem.reason == "it has no commits on a main branch"
    assert problem.hint


def test_ref_loop(example, refused):
    (example.path / ".git/refs/heads/main").write_text("ref: refs/heads/loop\n")
    (example.path / ".git/refs/heads/loop").write_text("ref: refs/heads/main\n")
    assert "no commits" in refused(example.path).reason


def test_sha256(new_git, refused):
    git = new_git("modern", "--object-format=sha256")
    git.write(a=b"x")
    git.commit()
    assert "sha256" in refused(git.path).reason


def test_unknown_format(example, refused):
    example("config", "core.repositoryformatversion", "99")
    assert "99" in refused(example.path).reason


def test_broken_configuration(example, refused):
    (example.path / ".git/config").write_bytes(b"[core\n\0\xff")
    assert "config" in refused(example.path).reason


def test_missing_subtree(example, opened):
    tree = example("rev-parse", "HEAD:d")
    (example.path / f".git/objects/{tree[:2]}/{tree[2:]}").unlink()
    source = opened(example.path)
    with pytest.raises(SourceError, match="cannot all be listed"):
        list(source.entries(100))
    with pytest.raises(SourceError, match="history"):
        source.first_seen(ContentIds(["0" * 40]))


def test_corrupt_contents_cost_only_themselves(example, opened):
    names = [f"f{number}" for number in range(20)]
    example.write(**{name: name.encode() * 100 for name in names})
    example.commit()
    source = opened(example.path)
    wanted = [Wanted(e.raw_path, e.content_id, e.size) for e in source.entries(10_000)]
    broken = {wanted[number].content_id for number in (0, 5, 6, len(wanted) - 1)}
    for one in broken:
        path = example.path / f".git/objects/{one[:2]}/{one[2:]}"
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:-9] + b"corrupted")
    answers = answered(source, wanted)
    assert [a.content_id for a in answers] == [w.content_id for w in wanted]
    assert {a.content_id for a in answers if a.data is None} == broken
    assert all("corrupt" in a.problem or "missing" in a.problem for a in answers if a.data is None)


def test_an_object_under_another_ones_name(example, opened):
    a, b = (example("rev-parse", f"HEAD:{name}") for name in ("a.py", "b.py"))
    path = example.path / f".git/objects/{a[:2]}/{a[2:]}"
    path.unlink()
    shutil.copy(example.path / f".git/objects/{b[:2]}/{b[2:]}", path)
    (answer,) = opened(example.path).contents([Wanted(b"a.py", a, 5)])
    assert answer.data is None
    assert answer.problem


def test_too_many_corrupt_contents(example, opened, monkeypatch):
    monkeypatch.setattr(git_objects, "MAX_RESTARTS", 1)
    source = opened(example.path)
    wanted = [Wanted(e.raw_path, e.content_id, e.size) for e in source.entries(100)]
    for one in wanted:
        path = example.path / f".git/objects/{one.content_id[:2]}/{one.content_id[2:]}"
        path.chmod(0o644)
        path.write_bytes(b"x")
    answers = list(source.contents(wanted))
    assert len(answers) == 3
    assert all(a.problem for a in answers)


def test_larger_than_listed_is_not_held(example, opened):
    blob = example.blob(b"x" * 3_000_000)
    after = example("rev-parse", "HEAD:a.py")
    one, two = answered(opened(example.path), [Wanted(b"big", blob, 5), Wanted(b"a.py", after, 6)])
    assert one.data is None
    assert "3000000 bytes" in one.problem
    assert two.data == b"alpha\n"


def test_repository_removed_between_listing_and_reading(example, opened):
    source = opened(example.path)
    wanted = [Wanted(e.raw_path, e.content_id, e.size) for e in source.entries(100)]
    shutil.rmtree(example.path)
    answers = list(source.contents(wanted))
    assert len(answers) == 3
    assert all(a.data is None and a.problem for a in answers)
    with pytest.raises(SourceError):
        source.state()


def test_leaving_early_ends_git(example, opened):
    source = opened(example.path)
    listing = source.entries(100)
    next(listing)
    listing.close()
    wanted = [Wanted(e.raw_path, e.content_id, e.size) for e in source.entries(100)]
    reading = source.contents(wanted)
    next(reading)
    reading.close()
    children = [p for p in os.listdir("/proc") if p.isdigit() and _parent(p) == os.getpid()]  # noqa: PTH208
    assert not [p for p in children if "git" in _command(p)]


def _parent(pid):
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return None


def _command(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return ""


def test_an_object_that_hangs(example, opened, monkeypatch):
    source = opened(example.path)
    entries = list(source.entries(100))
    blob = entries[1].content_id
    path = example.path / f".git/objects/{blob[:2]}/{blob[2:]}"
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr(ls_tree, "IDLE_SECONDS", 0.3)
    monkeypatch.setattr(git_objects, "IDLE_SECONDS", 0.3)
    with pytest.raises(SourceError, match="no output"):
        list(source.entries(100))
    answers = answered(source, [Wanted(e.raw_path, e.content_id, e.size) for e in entries])
    assert [a.data for a in answers] == [b"alpha\n", None, b"gamma\n"]
    assert "no output" in answers[1].problem


# Packs


HUGE = 500 << 20  # bytes
MOST = 400 << 20  # bytes that git may hold


def memory():
    """The most that a child of this process has held, in bytes; 0 where that is what this process itself has held, with
    which a child is counted until it runs its program."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return children if children > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + (64 << 20) else 0


def alone(work):
    """What `work` returns, and the most that git held for it: in a process that has had no other children."""
    processes = multiprocessing.get_context("fork")
    receiver, sender = processes.Pipe(duplex=False)
    process = processes.Process(target=lambda: sender.send((work(), memory())))
    process.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        pytest.fail("it raised: see above")
    finally:
        process.join()


def packed(git, name, objects):
    """A pack, and a main branch whose one file is the object `name` of it."""
    git_packs.write(git, objects)
    git.point_main_at(git.tree((b"100644", b"file", name), (b"100644", b"zzz", git.blob(b"sound\n"))))


def test_four_gigabytes_are_known_before_they_are_read(git, opened):
    name = "ab" * 20
    packed(git, name, {name: git_packs.entry(git_packs.BLOB, b"", size=4 << 30)})
    entries = list(opened(git.path).entries(1 << 20))
    assert [e.size for e in entries] == [4 << 30, 6]


@pytest.mark.parametrize("said", [10, 1 << 20])
def test_more_bytes_than_said(git, opened, said):
    name = "ab" * 20
    packed(git, name, {name: git_packs.zeros(git_packs.BLOB, HUGE, size=said)})
    entries = list(opened(git.path).entries(1 << 20))
    wanted = [Wanted(e.raw_path, e.content_id, e.size) for e in entries]
    answers, held = alone(lambda: answered(opened(git.path), wanted))
    assert [a.data for a in answers] == [None, b"sound\n"]
    assert held < MOST


def test_a_small_delta_of_a_huge_object(git, opened):
    base = "cd" * 20
    objects = {
        base: git_packs.zeros(git_packs.BLOB, HUGE),
        git_packs.blob_id(b"\0" * 9): git_packs.entry(
            git_packs.REF_DELTA, git_packs.delta(HUGE, 9, git_packs.copy(0, 9)), base=base
        ),
    }
    name = git_packs.blob_id(b"\0" * 9)
    packed(git, name, objects)
    entries = list(opened(git.path).entries(1 << 20))
    wanted = [Wanted(e.raw_path, e.content_id, e.size) for e in entries]
    answers, held = alone(lambda: answered(opened(git.path), wanted))
    assert [a.data for a in answers] == [None, b"sound\n"]
    assert answers[0].problem
    assert held < MOST


def test_a_huge_folder(git, refused, opened):
    name = "ab" * 20
    git_packs.write(git, {name: git_packs.zeros(git_packs.TREE, HUGE)})
    git.point_main_at(name)

    def refuses():
        with pytest.raises(SourceError):
            list(opened(git.path).entries(100))

    _, held = alone(refuses)
    assert held < MOST


def test_thousands_of_deltas(git, opened, read):
    data = b"line\n" * 20
    names = [git_packs.blob_id(data)]
    objects = {names[0]: git_packs.entry(git_packs.BLOB, data)}
    for number in range(5_000):
        more = data + b"%d\n" % number
        change = git_packs.delta(
            len(data), len(more), git_packs.copy(0, len(data)), bytes([len(more) - len(data)]), b"%d\n" % number
        )
        names.append(git_packs.blob_id(more))
        objects[names[-1]] = git_packs.entry(git_packs.REF_DELTA, change, base=names[-2])
        data = more
    packed(git, names[-1], objects)
    assert read(opened(git.path))[b"file"] == data


def test_deltas_that_go_round(git, opened, monkeypatch):
    monkeypatch.setattr(git_folder, "ALLOCATION", "32m")  # git goes round until it may have no more
    a, b = "ab" * 20, "cd" * 20
    change = git_packs.delta(9, 9, git_packs.copy(0, 9))
    packed(
        git,
        a,
        {
            a: git_packs.entry(git_packs.REF_DELTA, change, base=b),
            b: git_packs.entry(git_packs.REF_DELTA, change, base=a),
        },
    )
    assert [e.size for e in opened(git.path).entries(100)] == [9, 6]
    wanted = [Wanted(b"file", a, 9), Wanted(b"zzz", git_packs.blob_id(b"sound\n"), 6)]
    one, two = answered(opened(git.path), wanted)
    assert one.data is None
    assert two.data == b"sound\n"


def in_one_pack(git):
    git("gc", "-q")
    (pack,) = (git.path / ".git/objects/pack").glob("*.pack")
    pack.chmod(0o644)
    pack.with_suffix(".idx").chmod(0o644)
    return pack


@pytest.mark.parametrize("suffix", [".pack", ".idx"])
def test_wrong_checksums(example, open_path, suffix):
    truth = {(e.raw_path, e.content_id) for e in open_path(example.path).sources[0].entries(100)}
    path = in_one_pack(example).with_suffix(suffix)
    path.write_bytes(path.read_bytes()[:-20] + bytes(20))
    assert not read_or_refused(open_path(example.path), truth)  # of each object the name is proved


@pytest.mark.parametrize("suffix", [".pack", ".idx"])
@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9])
def test_truncated(example, open_path, suffix, part):
    path = in_one_pack(example).with_suffix(suffix)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    read_or_refused(open_path(example.path), {})


def read_or_refused(found, truth):
    """Reads what a path stands for: how often something was noticed. What is read must be the truth."""
    noticed = bool(found.problems)
    for source in found.sources:
        try:
            entries = list(source.entries(1 << 20))
            wanted = [Wanted(e.raw_path, e.content_id, e.size) for e in entries if e.content_id]
            for answer in source.contents({one.content_id: one for one in wanted}.values()):
                noticed |= answer.data is None
                assert answer.data is None or git_packs.blob_id(answer.data) == answer.content_id
            noticed |= any(e.problem for e in entries)
            if truth:
                assert {(e.raw_path, e.content_id) for e in entries if not e.problem} <= truth
                assert len(entries) == len(truth)
        except SourceError:
            noticed = True
    return noticed


@pytest.mark.parametrize("flips", [60, pytest.param(500, marks=pytest.mark.slow)])
def test_flipped_bits(example, opened, open_path, flips):
    """Wherever a bit flips, nothing hangs and nothing wrong is taken for what it is not, paths included."""
    for number in range(30):
        example.write(**{f"d{number % 7}/m{number}": b"".join(b"line %d of %d\n" % (n, number) for n in range(200))})
        example.commit()
    pack = in_one_pack(example)
    truth = {(e.raw_path, e.content_id) for e in opened(example.path).entries(1 << 20)}
    chance = random.Random(flips)
    noticed = 0
    for number in range(flips):
        path = pack if number % 4 else pack.with_suffix(".idx")
        sound = path.read_bytes()
        data = bytearray(sound)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        started = time.monotonic()
        noticed += read_or_refused(open_path(example.path), truth)
        assert time.monotonic() - started < 10
        path.write_bytes(sound)
    assert noticed > flips // 10  # most flips lie in old versions of folders and files, which are not read


def test_a_folder_of_other_bytes(example, opened):
    """Git does not hash a folder that it lists."""
    other = example.tree((b"100644", b"other", example.blob(b"x")))
    tree = example("rev-parse", "HEAD:d")
    path = example.path / f".git/objects/{tree[:2]}/{tree[2:]}"
    path.unlink()
    shutil.copy(example.path / f".git/objects/{other[:2]}/{other[2:]}", path)
    with pytest.raises(SourceError, match="does not hash to its name"):
        list(opened(example.path).entries(100))


def test_a_commit_of_other_bytes(example, refused):
    commit = example("rev-parse", "HEAD")
    other = example.commit()
    example("update-ref", "refs/heads/main", commit)
    path = example.path / f".git/objects/{commit[:2]}/{commit[2:]}"
    path.unlink()
    shutil.copy(example.path / f".git/objects/{other[:2]}/{other[2:]}", path)
    assert "corrupt" in refused(example.path).reason


# Repositories that change while they are read


def test_commits_while_it_is_read(example, opened):
    source = opened(example.path)
    listing = source.entries(100)
    first = next(listing)
    (example.path / "a.py").write_bytes(b"changed\n")
    example.commit()
    entries = [first, *listing]
    answers = answered(source, [Wanted(e.raw_path, e.content_id, e.size) for e in entries])
    assert [a.data for a in answers] == [b"alpha\n", b"beta\n", b"gamma\n"]
    assert source.state() != f"git:sha1:{source.repository().revision_id}"


def test_packed_anew_while_it_is_read(example, opened, monkeypatch):
    monkeypatch.setattr(git_objects, "BATCH", 1)
    source = opened(example.path)
    entries = list(source.entries(100))
    answers = source.contents([Wanted(e.raw_path, e.content_id, e.size) for e in entries])
    found = [next(answers)]
    example("gc", "-q", "--prune=now")
    found += answers
    assert [a.data for a in found] == [b"alpha\n", b"beta\n", b"gamma\n"]


# Files of the repository that would make git wait, or look elsewhere


def test_a_fifo_among_the_refs(example, refused):
    path = example.path / ".git/refs/heads/main"
    path.unlink()
    os.mkfifo(path)
    assert "no commits" in refused(example.path).reason


def test_a_linked_ref(example, private, refused):
    path = example.path / ".git/refs/heads/main"
    path.unlink()
    path.symlink_to(private.path / ".git/refs/heads/main")
    assert "no commits" in refused(example.path).reason


def test_settings_that_include_others(example, opened, tmp_path):
    os.mkfifo(tmp_path / "waits")
    with (example.path / ".git/config").open("a") as config:
        config.write(f'[include]\n\tpath = {tmp_path}/waits\n[includeIf "gitdir:/"]\n\tpath = {tmp_path}/waits\n')
    assert len(everything(opened(example.path))[0]) == 3


@pytest.mark.parametrize(("key", "value"), [("refstorage", "reftable"), ("surprise", "true")])
def test_formats_that_are_not_known(example, refused, key, value):
    example("config", "core.repositoryformatversion", "1")
    with (example.path / ".git/config").open("a") as config:
        config.write(f"[extensions]\n\t{key} = {value}\n")
    assert value in refused(example.path).reason or key in refused(example.path).reason


READ_ALL = """
import sys, tempfile
from pathlib import Path
tempfile.tempdir = "/tmp"  # else Python looks for a place by writing to it
from starloom.sources.repositories_below import open_folder
from starloom.sources.content_ids import ContentIds
from starloom.sources.repository import Wanted
for path in sys.argv[1:]:
    for source in open_folder(Path(path), "public", "code").sources:
        source.state()
        entries = [e for e in source.entries(1 << 20) if e.content_id]
        print(len(list(source.contents([Wanted(e.raw_path, e.content_id, e.size) for e in entries]))))
        source.first_seen(ContentIds(e.content_id for e in entries))
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_system_calls(example, tmp_path):
    """Only git is run, nothing is connected to, and nothing is written but git's own empty folder."""
    script, _ = payload(tmp_path)
    for key in ("core.fsmonitor", "core.sshCommand", "gpg.program", "diff.external", "core.pager"):
        example("config", key, str(script))
    example("config", "core.repositoryformatversion", "1")
    example("config", "extensions.partialClone", "origin")
    example("config", "remote.origin.url", f"ext::sh -c {script}")
    example("config", "protocol.ext.allow", "always")
    missing = example("rev-parse", "HEAD:b.py")
    (example.path / f".git/objects/{missing[:2]}/{missing[2:]}").unlink()
    log = tmp_path / "strace.log"
    calls = "trace=execve,connect,openat,open,creat,unlink,rename,mkdir,chmod"
    python = [sys.executable, "-B", "-c", READ_ALL, str(example.path)]
    command = ["strace", "-f", "-qq", "-z", "-e", calls, "-o", str(log), *python]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "TMPDIR": "/tmp"})
    if "ptrace" in done.stderr:
        pytest.skip("this container forbids ptrace")
    assert done.stdout.split() == ["2"]
    lines = [line.split(maxsplit=1)[1] for line in log.read_text(errors="replace").splitlines()]
    programs = {line.split('"')[1] for line in lines if line.startswith("execve(")}
    assert {Path(program).name for program in programs} <= {Path(sys.executable).name, "git"}
    assert "git" in {Path(program).name for program in programs}
    assert not [line for line in lines if line.startswith("connect(") and "AF_UNIX" not in line]
    changed = [
        line
        for line in lines
        if line.startswith(("creat(", "unlink(", "rename(", "mkdir(", "chmod("))
        or "O_WRONLY" in line
        or "O_RDWR" in line
        or "O_CREAT" in line
    ]
    own = ("/tmp/starloom-git-", '"/dev/', '"HEAD"', '"config"', '"shallow"')
    assert [line for line in changed if not any(place in line for place in own)] == []
