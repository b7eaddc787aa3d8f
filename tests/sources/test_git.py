"""A sound git repository: its row, its listing against git and swh.model, its contents, its history."""

import hashlib
import os
import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest
from swh.model.from_disk import Directory
from swh.model.model import Person, Revision, RevisionType

from starloom.errors import UserError
from starloom.sources.git.source import GitSource
from starloom.sources.git.url import name_from_url, public_url
from starloom.sources.repository import LicenseMetadata, SourceError, Wanted


def at(seconds):
    return datetime.fromtimestamp(seconds, UTC)


@pytest.fixture
def example(git):
    git.write(**{"README.md": b"# hi\n", "src/a.py": b"x = 1\n", "src/empty": b"", "b/ü.txt": b"\r\n"})
    git.put("run.sh", b"#!/bin/sh\n")
    (git.path / "run.sh").chmod(0o755)
    (git.path / "link").symlink_to("README.md")
    git.commit()
    return git


def test_repository(example, opened):
    row = opened(example.path).repository()
    assert row.repo_name == "work"
    assert row.kind == "git"
    assert row.location == str(example.path)
    assert row.rights == "public"
    assert row.revision_id == example("rev-parse", "HEAD")
    assert row.directory_id == example("rev-parse", "HEAD^{tree}")
    assert row.branch_name == "refs/heads/main"
    assert row.revision_date == at(1_500_000_000 - 60)  # the author's
    assert row.committer_date == at(1_500_000_000)
    assert row.star_events_count is None


def test_root_tree_is_software_heritages(example, opened):
    directory = Directory.from_disk(
        path=os.fsencode(example.path),
        path_filter=lambda _path, name, _entries: name != b".git",
        max_content_length=None,
    )
    assert opened(example.path).repository().directory_id == directory.hash.hex()


def test_entries(example, opened):
    entries = list(opened(example.path).entries(10))
    assert [(e.path, e.entry_type, e.mode, e.size) for e in entries] == [
        ("README.md", "file", 0o100644, 5),
        ("b/ü.txt", "file", 0o100644, 2),
        ("link", "symlink", 0o120000, 9),
        ("run.sh", "file", 0o100755, 10),
        ("src/a.py", "file", 0o100644, 6),
        ("src/empty", "file", 0o100644, 0),
    ]
    for entry in entries:
        assert entry.problem is None
        expected = example("hash-object", entry.path) if entry.entry_type == "file" else None
        assert entry.content_id == expected


def test_contents(example, opened, read):
    assert read(opened(example.path)) == {
        b"README.md": b"# hi\n",
        "b/ü.txt".encode(): b"\r\n",
        b"run.sh": b"#!/bin/sh\n",
        b"src/a.py": b"x = 1\n",
        b"src/empty": b"",
    }


def test_identities_are_those_of_git_and_software_heritage(example, opened, tmp_path):
    """Of a checkout: folders and contents of swh.model, whatever lies in it; of the commit: git's own words."""
    for number in range(40):
        example.put(f"pkg/{number % 5}/{'x' * number}.py", os.urandom(number * 37))
    example.put(b"caf\xe9/na\tme", b"latin-1 name\n")
    example.commit()
    source = opened(example.path)
    directory = Directory.from_disk(
        path=os.fsencode(example.path),
        path_filter=lambda _path, name, _entries: name != b".git",
        max_content_length=None,
    )
    theirs = {
        raw: node.hash.hex()
        for raw, node in (
            (item.data["path"], item) for item in directory.iter_tree(dedup=False) if item.object_type == "content"
        )
    }
    ours = {e.raw_path: e.content_id for e in source.entries(10) if e.entry_type == "file"}
    root = os.fsencode(example.path) + b"/"
    assert ours == {raw.removeprefix(root): one for raw, one in theirs.items() if not raw.endswith(b"/link")}
    assert source.repository().directory_id == directory.hash.hex()
    revision = Revision.from_dict(
        {
            "message": b"more\n",
            "author": Person.from_fullname(b"Ada <ada@example.org>").to_dict(),
            "committer": Person.from_fullname(b"Bob <bob@example.org>").to_dict(),
            "date": at(1_500_003_540).astimezone(timezone(timedelta(hours=2))),
            "committer_date": at(1_500_003_600).astimezone(timezone(timedelta(hours=-5))),
            "type": RevisionType.GIT,
            "directory": bytes.fromhex(source.repository().directory_id),
            "parents": (bytes.fromhex(example("rev-parse", "HEAD~1")),),
            "synthetic": False,
        }
    )
    assert revision.id.hex() == source.repository().revision_id


def test_contents_answers_what_is_wanted(example, opened):
    source = opened(example.path)
    files = {e.path: Wanted(e.raw_path, e.content_id, e.size) for e in source.entries(10) if e.content_id}
    answers = source.contents(iter([files["src/a.py"], files["run.sh"]]))
    assert {c.data for c in answers} == {b"x = 1\n", b"#!/bin/sh\n"}
    assert list(source.contents([])) == []


def test_nothing_is_declared_about_the_license(example, opened):
    assert opened(example.path).license_metadata() == LicenseMetadata()


def test_a_dirty_work_tree_is_not_the_repository(example, opened, read):
    (example.path / "src" / "a.py").write_bytes(b"uncommitted")
    (example.path / "new.py").write_bytes(b"untracked")
    assert read(opened(example.path))[b"src/a.py"] == b"x = 1\n"


def test_bare_and_packed(example, opened, read, tmp_path):
    example("clone", "-q", "--bare", str(example.path), str(tmp_path / "packed.git"))
    example("gc", "-q")
    bare = opened(tmp_path / "packed.git")
    assert bare.repository().repo_name == "packed"
    assert bare.repository().revision_id == opened(example.path).repository().revision_id
    assert read(bare) == read(opened(example.path))


def test_state_changes_with_the_main_branch_only(example, opened):
    source = opened(example.path)
    state = source.state()
    example("branch", "other")
    (example.path / "new").write_bytes(b"")
    assert source.state() == state
    example.commit()
    assert source.state() != state


def test_main_branch_is_the_remotes_default(example, opened, tmp_path):
    example("branch", "-m", "trunk")
    example("clone", "-q", str(example.path), str(tmp_path / "clone"))
    clone = type(example)(tmp_path / "clone")
    clone("checkout", "-q", "-b", "feature")
    clone.write(**{"f": b"feature\n"})
    clone.commit()
    assert opened(clone.path).repository().branch_name == "refs/heads/trunk"
    clone("branch", "-q", "-D", "trunk")
    assert opened(clone.path).repository().branch_name == "refs/remotes/origin/trunk"
    clone("symbolic-ref", "-d", "refs/remotes/origin/HEAD")
    assert opened(clone.path).repository().branch_name == "refs/heads/feature"


def test_main_branch_when_head_is_unborn(example, opened):
    example("symbolic-ref", "HEAD", "refs/heads/nothing")
    assert opened(example.path).repository().branch_name == "refs/heads/main"


def test_main_branch_by_the_papers_rule(example, tmp_path, new_git):
    def branch(path):
        return GitSource.at(path, "public", "paper").repository().branch_name

    example("checkout", "-q", "-b", "feature")
    assert branch(example.path) == "refs/heads/main"  # HEAD of a work tree is what somebody works on
    example("branch", "master")
    assert branch(example.path) == "refs/heads/main"
    example("branch", "-q", "-D", "main")
    assert branch(example.path) == "refs/heads/master"
    example("branch", "-q", "-D", "master")
    with pytest.raises(SourceError) as caught:
        branch(example.path)
    assert 'main_branch = "code"' in caught.value.problem.hint
    assert GitSource.at(example.path, "public", "code").repository().branch_name == "refs/heads/feature"
    example("clone", "-q", "--bare", str(example.path), str(tmp_path / "bare.git"))
    assert branch(tmp_path / "bare.git") == "refs/heads/feature"  # HEAD of a bare one is its default branch
    example("clone", "-q", str(example.path), str(tmp_path / "clone"))
    assert branch(tmp_path / "clone") == "refs/heads/feature"


def test_main_branch_by_the_codes_rule(example):
    example("branch", "master")
    example("symbolic-ref", "HEAD", "refs/heads/nothing")
    assert GitSource.at(example.path, "public", "code").repository().branch_name == "refs/heads/master"
    assert GitSource.at(example.path, "public", "paper").repository().branch_name == "refs/heads/main"


def test_unknown_rule(example):
    with pytest.raises(UserError, match="best"):
        GitSource.at(example.path, "public", "best")


def test_state_keeps_the_rule(example):
    source = GitSource.at(example.path, "public", "paper").renamed("other")
    example("checkout", "-q", "-b", "feature")
    example.write(new=b"new")
    example.commit()
    assert source.state() == f"git:sha1:{source.repository().revision_id}"


@pytest.mark.parametrize("packed", [True, False])
def test_ten_thousand_branches_cost_nothing(example, opened, packed, monkeypatch):
    commit = example("rev-parse", "HEAD")
    names = sorted(["main", *(f"b{number:05}" for number in range(10_000 if packed else 1_000))])
    if packed:
        lines = [f"{commit} refs/heads/{name}\n" for name in names]
        (example.path / ".git/packed-refs").write_text("# pack-refs with: peeled sorted \n" + "".join(lines))
        (example.path / ".git/refs/heads/main").unlink()
    else:
        for name in names:
            (example.path / ".git/refs/heads" / name).write_text(f"{commit}\n")
    opens = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda *arguments, **named: opens.append(arguments) or real(*arguments, **named))
    source = opened(example.path)
    assert (source.repository().branch_name, source.repository().revision_id) == ("refs/heads/main", commit)
    assert source.state() == f"git:sha1:{commit}"
    assert len(opens) < 100


@pytest.mark.parametrize("end", ["", "\n", "\n^" + "0" * 40 + "\n"])
def test_the_last_line_of_packed_refs(example, opened, end):
    commit = example("rev-parse", "HEAD")
    (example.path / ".git/packed-refs").write_text(f"{'1' * 40} refs/heads/other\n{commit} refs/heads/main{end}")
    (example.path / ".git/refs/heads/main").unlink()
    assert opened(example.path).repository().revision_id == commit


def test_head_as_a_link(example, opened):
    (example.path / ".git/HEAD").unlink()
    (example.path / ".git/HEAD").symlink_to("refs/heads/main")  # as git wrote it until 2005
    assert opened(example.path).repository().branch_name == "refs/heads/main"


def test_a_branch_that_stands_for_another(example, opened):
    example("symbolic-ref", "refs/heads/alias", "refs/heads/main")
    example("symbolic-ref", "HEAD", "refs/heads/alias")
    assert opened(example.path).repository().revision_id == example("rev-parse", "main")


def test_detached_head(example, opened):
    revision = example("rev-parse", "HEAD")
    example("checkout", "-q", "--detach")
    row = opened(example.path).repository()
    assert (row.branch_name, row.revision_id) == (None, revision)


def test_branch_named_like_an_option(example, opened):
    example("update-ref", "refs/heads/--upload-pack=x", "HEAD")
    example("symbolic-ref", "HEAD", "refs/heads/--upload-pack=x")
    assert opened(example.path).repository().branch_name == "refs/heads/--upload-pack=x"


def test_branch_whose_name_is_no_text(example, opened):
    ref = os.fsdecode(b"refs/heads/caf\xe9")
    example("update-ref", ref, "HEAD")
    example("symbolic-ref", "HEAD", ref)
    assert opened(example.path).repository().branch_name == r"refs/heads/caf\xe9"


@pytest.mark.parametrize("kind", ["git", "folder", "installed"])
def test_sources_cross_process_borders(example, open_path, kind):
    path = {"git": example.path, "folder": example.path / "src", "installed": "installed"}[kind]
    for source in open_path(path).sources:
        twin = pickle.loads(pickle.dumps(source))
        assert twin.repository() == source.repository()
        assert twin.state() == source.state()


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/psf/requests.git", "psf/requests"),
        ("https://user:token@github.com/psf/requests", "psf/requests"),
        ("ssh://git@example.org:2222/psf/requests.git/", "psf/requests"),
        ("git@github.com:psf/requests.git", "psf/requests"),
        ("https://gitlab.com/group/sub/project.git", "group/sub/project"),
        ("HTTPS://GitHub.com/a/b", "a/b"),
        ("https://github.com/only", None),
        ("https://github.com/a/../b", None),
        ("https://github.com/a/b c", None),
        ("/srv/git/project.git", None),
        ("file:///srv/git/project.git", None),
        ("../other.git", None),
        ("ext::sh -c 'touch /tmp/x'", None),
        ("C:/work/project", None),
        ("", None),
    ],
)
def test_name_from_url(url, name):
    assert name_from_url(url) == name


def test_name_of_the_remote_without_secrets(example, opened):
    example("remote", "add", "origin", "https://me:ghp_secret@github.com/ada/engine.git")
    source = opened(example.path)
    assert source.repository().repo_name == "ada/engine"
    assert source.repository().url == "https://github.com/ada/engine.git"
    assert "secret" not in repr(source.repository())
    assert b"secret" not in pickle.dumps(source)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:token@github.com/psf/requests.git", "https://github.com/psf/requests.git"),
        ("HTTPS://github.com/a/b?access_token=x#y", "https://github.com/a/b"),
        ("https://a:b@c@example.org/a/b", None),
        ("git@github.com:a/b", "ssh://github.com/a/b"),
        ("git://example.org:9000/a/b", "git://example.org:9000/a/b"),
        ("https://example.org/a\x1b[2J", None),
        ("ext::sh -c x", None),
        ("file:///srv/a/b", None),
        ("/srv/a/b", None),
        ("../b", None),
        ("", None),
    ],
)
def test_public_url(url, shown):
    assert public_url(url) == shown


def test_submodule(example, opened, read):
    example("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor/sub")
    example("commit", "-q", "-m", "submodule")
    (entry,) = [e for e in opened(example.path).entries(10) if e.entry_type == "submodule"]
    assert (entry.path, entry.mode, entry.size, entry.content_id) == ("vendor/sub", 0o160000, None, None)
    assert entry.target == "1" * 40


def test_worktree_and_submodule_checkouts(example, opened, tmp_path, new_git):
    example("worktree", "add", "-q", str(tmp_path / "linked"), "-b", "side")
    linked = opened(tmp_path / "linked")
    assert linked.repository().branch_name == "refs/heads/side"
    assert next(linked.entries(10)).path == "README.md"
    outer = new_git("outer")
    outer("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(example.path), "inner")
    assert opened(outer.path / "inner").repository().revision_id == example("rev-parse", "main")


def test_replace_objects_are_ignored(example, opened, read):
    old = example("rev-parse", "HEAD:src/a.py")
    example("replace", old, example.blob(b"replaced"))
    assert example("cat-file", "blob", old) == "replaced"
    assert read(opened(example.path))[b"src/a.py"] == b"x = 1\n"


def test_inherited_git_variables_are_ignored(example, opened, read, monkeypatch, new_git):
    other = new_git("other")
    other.write(**{"other": b"other"})
    other.commit()
    for name in (
        "GIT_DIR",
        "GIT_OBJECT_DIRECTORY",
        "GIT_INDEX_FILE",
        "GIT_NAMESPACE",
        "GIT_CONFIG_PARAMETERS",
    ):
        monkeypatch.setenv(name, str(other.path / ".git"))
    assert b"src/a.py" in read(opened(example.path))


# History


def test_first_seen(git, opened, first_seen):
    git.write(a=b"one\n")
    git.commit()  # hour 0
    git.write(a=b"two\n", b=b"kept\n")
    git.commit()  # hour 1
    (git.path / "b").rename(git.path / "c")
    git.commit()  # hour 2: a new name is no new content
    git.write(a=b"one\n")
    git.commit()  # hour 3: and neither is its return
    hashes = {
        data: hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest() for data in (b"one\n", b"two\n", b"kept\n")
    }
    assert first_seen(opened(git.path), [*hashes.values(), "0" * 40]) == {
        hashes[b"one\n"]: 1_500_000_000,
        hashes[b"two\n"]: 1_500_003_600,
        hashes[b"kept\n"]: 1_500_003_600,
    }


def test_first_seen_of_a_merge(git, opened, first_seen):
    git.write(a=b"base\n")
    git.commit()
    git("checkout", "-q", "-b", "side")
    git.write(a=b"side\n")
    git.commit()
    git("checkout", "-q", "main")
    git.write(a=b"main\n")
    git.commit()
    git("merge", "-q", "--no-commit", "side", check=False)
    git.write(a=b"merged by hand\n", **{":odd name": b"in the merge only"})
    git.commit()
    source = opened(git.path)
    (merged, side) = (git("rev-parse", name) for name in ("HEAD:a", "side:a"))
    assert first_seen(source, [merged, side]) == {merged: 1_500_010_800, side: 1_500_003_600}


def test_first_seen_of_a_shallow_clone(example, opened, tmp_path, first_seen):
    example.write(late=b"late\n")
    example.commit()
    example("clone", "-q", "--depth=1", f"file://{example.path}", str(tmp_path / "shallow"))
    blob = example("rev-parse", "HEAD:README.md")
    assert first_seen(opened(tmp_path / "shallow"), [blob]) == {blob: 1_500_003_600}  # all it can know


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        (b"1500000000 +0000", at(1_500_000_000)),
        (b"-5 +0000", None),
        (b"99999999999999999999 +0000", None),
        (b"9223372036854775807 +0000", None),
        (b"yesterday", None),
        (b"", None),
    ],
)
def test_wild_dates(git, opened, first_seen, date, expected):
    tree = git.tree((b"100644", b"a", git.blob(b"x")))
    raw = b"tree %b\nauthor A <a> %b\ncommitter C <c> %b\n\nwild\n" % (tree.encode(), date, date)
    commit = git("hash-object", "-w", "-t", "commit", "--literally", "--stdin", feed=raw)
    git("update-ref", "refs/heads/main", commit)
    source = opened(git.path)
    assert (source.repository().revision_date, source.repository().committer_date) == (expected, expected)
    seen = list(first_seen(source, [git.blob(b"x")]).values())
    assert all(0 <= one < 253_402_300_800 for one in seen)
    if expected:
        assert seen == [expected.timestamp()]


def test_no_author(git, opened):
    tree = git.tree((b"100644", b"a", git.blob(b"x")))
    commit = git("hash-object", "-w", "-t", "commit", "--literally", "--stdin", feed=b"tree %b\n\n" % tree.encode())
    git("update-ref", "refs/heads/main", commit)
    source = opened(git.path)
    assert source.repository().revision_date is None
    assert [e.path for e in source.entries(10)] == ["a"]


def test_two_sources_of_one_name(example, tmp_path, open_path):
    for folder in ("one", "two"):
        example("clone", "-q", str(example.path), str(tmp_path / "all" / folder / "work"))
    found = open_path(tmp_path / "all", "owned")
    assert [s.repository().repo_name for s in found.sources] == ["work", "work~two"]
    assert {s.repository().rights for s in found.sources} == {"owned"}
