"""What a work tree adds, asked of git without anything of its configuration."""

import itertools

import pytest

from starloom.errors import UserError
from starloom.membership.added import added
from starloom.sources.git.patch import WorkTree


def found(lines):
    return {one.path: (one.text, one.added) for one in added(itertools.chain.from_iterable(lines))}


@pytest.fixture
def tree(new_git):
    git = new_git()
    git("init", "-q", "-b", "main")
    git.write(**{"a.py": b"one\ntwo\nthree\n", "sub/b.py": b"b\n"})
    git.commit()
    return git


def test_since(tree):
    tree.put("a.py", b"one\n2\nthree\nfour\n")
    tree.put("new.py", b"new\n")
    work = WorkTree(tree.path / "sub")
    assert work.root == tree.path
    assert found(work.since("HEAD")) == {"a.py": ("one\n2\nthree\nfour\n", (2, 4))}
    assert work.untracked()
    tree("add", "-N", "new.py")
    assert found(work.since("HEAD"))["new.py"] == ("new\n", (1,))
    assert not work.untracked()
    tree.commit()
    assert found(work.since("HEAD")) == {}
    assert set(found(work.since("HEAD^"))) == set(found(work.since("main^..main"))) == {"a.py", "new.py"}
    assert found(work.since("HEAD^", [tree.path / "new.py"])) == {"new.py": ("new\n", (1,))}
    assert found(work.since("HEAD^", [tree.path / "sub"])) == {}


def test_since_where_a_branch_left(tree):
    tree("checkout", "-q", "-b", "mine")
    tree.put("mine.py", b"mine\n")
    tree.commit()
    tree("checkout", "-q", "main")
    tree.put("theirs.py", b"theirs\n")
    tree.commit()
    tree("checkout", "-q", "mine")
    work = WorkTree(tree.path)
    assert set(found(work.since("main...mine"))) == set(found(work.since("main..."))) == {"mine.py"}
    assert set(found(work.since("mine...main"))) == {"theirs.py"}


def test_staged(tree, monkeypatch):
    tree.put("a.py", b"staged\n")
    tree("add", "a.py")
    tree.put("a.py", b"staged\nnot staged\n")
    work = WorkTree(tree.path)
    assert found(work.staged()) == {"a.py": ("staged\n", (1,))}
    tree.env["GIT_INDEX_FILE"] = str(tree.path / ".git" / "other")  # as `git commit -a` has for its hooks
    tree("read-tree", "HEAD")
    tree("add", "a.py")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/other")
    assert found(work.staged()) == {"a.py": ("staged\nnot staged\n", (1, 2))}


def test_before_the_first_commit(new_git):
    git = new_git("fresh")
    git("init", "-q", "-b", "main")
    git.put("a.py", b"a\n")
    git("add", "a.py")
    work = WorkTree(git.path)
    assert found(work.staged()) == found(work.since("HEAD")) == {"a.py": ("a\n", (1,))}


def test_what_moved_or_was_indented_is_not_new(tree):
    rows = b"".join(b"line %d\n" % k for k in range(30))
    tree.put("long.py", rows)
    tree.commit()
    tree("mv", "long.py", "moved.py")
    tree.put("moved.py", rows.replace(b"line 1", b"    line 1") + b"more\n")
    tree("add", "-A")
    assert found(WorkTree(tree.path).staged())["moved.py"][1] == (31,)


def test_nothing_of_the_configuration_runs(tree, tmp_path):
    """Filters, drivers, monitors and hooks of the repository are left alone, and no attribute hides a file."""
    ran = tmp_path / "ran"
    run = f"touch {ran}; cat"
    for name, value in {
        "filter.evil.clean": run,
        "filter.evil.process": run,
        "diff.evil.command": run,
        "diff.evil.textconv": run,
        "diff.external": run,
        "core.fsmonitor": run,
        "core.pager": run,
        "diff.noprefix": "true",
        "diff.context": "0",
        "core.attributesFile": str(tmp_path / "attributes"),
    }.items():
        tree("config", name, value)
    (tmp_path / "attributes").write_text("*.py filter=evil diff=evil\n")
    tree.put(".gitattributes", b"*.py -diff filter=evil\n*.txt diff=evil\n")
    tree.put("x.txt", b"text\n")
    tree.put("a.py", b"one\nmore\n")
    assert set(found(WorkTree(tree.path).since("HEAD"))) == {"a.py"}
    assert not ran.exists()


def test_odd_names_and_what_is_no_text(tree):
    names = ["blank name.py", 'quo"te.py', "new\nline.py", "é.py", "tab\t.py"]
    for name in names:
        tree.put(name, b"x\n")
    tree.put("image.png", b"\x89PNG\0\0")
    tree.put(b"\xff.py", b"y\n")
    tree("add", "-A")
    texts = list(added(itertools.chain.from_iterable(WorkTree(tree.path).staged())))
    assert {one.path for one in texts} == {*names, "image.png", "\\xff.py"}
    assert {one.path: one.problem for one in texts if one.text is None} == {"image.png": "binary: NUL byte at offset 4"}


def test_a_submodule_and_a_link(tree, new_git):
    inner = new_git("inner")
    inner("init", "-q", "-b", "main")
    inner.put("x", b"x\n")
    inner.commit()
    tree("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.path), "module")
    (tree.path / "link").symlink_to("/etc/passwd")
    tree("add", "link")
    shown = found(WorkTree(tree.path).staged())
    assert set(shown) == {".gitmodules", "link"}
    assert shown["link"][0] == "/etc/passwd"  # where it leads to, not what is there


def test_a_work_tree_of_worktree(tree):
    tree("worktree", "add", "-q", "../second", "-b", "second")
    second = tree.path.parent / "second"
    (second / "a.py").write_bytes(b"one\nsecond\n")
    assert found(WorkTree(second).since("HEAD")) == {"a.py": ("one\nsecond\n", (2,))}


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", "HEAD..nowhere", "nowhere...", "HEAD:a.py", "a\0b", "-"])
def test_unknown_revisions(tree, revision):
    with pytest.raises(UserError, match="has no revision") as caught:
        list(WorkTree(tree.path).since(revision))
    assert "fetch-depth: 0" in caught.value.hint
    assert not (tree.path / "x").exists()


def test_refusals(tree, tmp_path):
    (tmp_path / "plain").mkdir()
    with pytest.raises(UserError, match="in no work tree of git"):
        WorkTree(tmp_path / "plain")
    with pytest.raises(UserError, match="lies outside of"):
        list(WorkTree(tree.path).since("HEAD", [tmp_path / "plain"]))
    tree("checkout", "-q", "--orphan", "other")
    tree.commit()
    with pytest.raises(UserError, match="no common ancestor"):
        list(WorkTree(tree.path).since("main...other"))
    (tree.path / ".git" / "objects" / "info" / "alternates").write_text("/nowhere\n")
    with pytest.raises(UserError, match="borrows objects") as caught:
        WorkTree(tree.path)
    assert "--diff -" in caught.value.hint
