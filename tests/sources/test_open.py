"""What a text that the user gave stands for."""

import os
import pickle
from pathlib import Path

import pytest

from sources.opening import open_source
from starloom.errors import UserError
from starloom.sources.folder import FolderSource
from starloom.sources.open import absolute
from starloom.sources.repository import Repository, unique_names


def names(found):
    return [(s.repository().repo_name, s.repository().kind) for s in found.sources]


def filled(new_git, name):
    git = new_git(name)
    git.write(f=os.fsencode(name))
    git.commit()
    return git


def test_plain_folder(tmp_path):
    (tmp_path / "f").write_text("x")
    found = open_source(str(tmp_path), "public")
    assert names(found) == [(tmp_path.name, "folder")]
    assert found.problems == []


def test_empty_folder_is_a_source_without_entries(tmp_path):
    (source,) = open_source(str(tmp_path), "public").sources
    assert list(source.entries(1)) == []


def test_folder_of_repositories(new_git, tmp_path):
    filled(new_git, "all/two/deep/er")
    filled(new_git, "all/one")
    filled(new_git, "all/one/nested")  # inside a work tree: not looked for
    filled(new_git, "all/1/2/3/4/five")  # five levels down: its files are plain files
    bare = new_git("all/bare.git", "--bare")
    bare.point_main_at(bare.tree((b"100644", b"x", bare.blob(b"x"))))
    (tmp_path / "all" / "loose.py").write_text("x")
    (tmp_path / "all" / "link").symlink_to(tmp_path / "all" / "one")
    found = open_source(str(tmp_path / "all"), "public")
    assert found.problems == []
    assert names(found) == [("bare", "git"), ("one", "git"), ("er", "git"), ("all", "folder")]
    assert [e.path for e in found.sources[-1].entries(10)] == ["1/2/3/4/five/f", "link", "loose.py"]


def test_only_repositories(new_git, tmp_path):
    filled(new_git, "all/one")
    assert names(open_source(str(tmp_path / "all"), "public")) == [("one", "git")]


def test_a_bad_repository_costs_only_itself(new_git, tmp_path):
    filled(new_git, "all/good")
    new_git("all/unborn")
    bad = filled(new_git, "all/bad")
    (bad.path / ".git/objects/info/alternates").write_text("/nonexistent\n")
    (bad.path / "file-of-the-bad-one").write_text("x")
    found = open_source(str(tmp_path / "all"), "public")
    assert names(found) == [("good", "git")]  # the bad one's files do not come in as plain files
    assert [p.location for p in found.problems] == [str(tmp_path / "all/bad"), str(tmp_path / "all/unborn")]
    assert all(p.reason and p.hint for p in found.problems)


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("/nonexistent/place", "/nonexistent/place: does not exist", "give a folder"),
        ("https://me:pw@example.org/a/b.tar.gz", "https://example.org/a/b.tar.gz: a user name or password", "leave it"),
        ("@/nonexistent/list", "the list of sources cannot be read", "a text file"),
        ("ext::sh -c 'touch x'", "does not exist", "give a folder"),
        ("a\0b", "is no path", "give a folder"),
        ("x" * 5000, "unreadable", "give a folder"),
    ],
)
def test_errors(tmp_path, text, problem, hint):
    (tmp_path / "file.zip").write_bytes(b"PK")
    with pytest.raises(UserError) as caught:
        open_source(text.format(tmp=tmp_path), "public")
    assert problem in caught.value.problem
    assert hint in caught.value.hint


def test_fifo_is_no_folder(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(UserError, match="neither a folder nor a file"):
        open_source(str(tmp_path / "fifo"), "public")


@pytest.mark.parametrize(
    ("text", "location", "repo_name"),
    [
        ("https://github.com/psf/requests", "https://github.com/psf/requests", "psf/requests"),
        ("https://github.com/a/b/archive/v1.tar.gz", "https://github.com/a/b/archive/v1.tar.gz", "a/b"),
        ("https://example.org/x/y-1.0.zip?token=secret", "https://example.org/x/y-1.0.zip", None),
        ("pypi:Requests", "pypi:requests", "pypi/requests"),
        ("npm:@types/node", "npm:@types/node", "npm/@types/node"),
        ("debian:zlib", "debian:zlib", "debian/zlib"),
    ],
)
def test_what_lies_elsewhere_is_unfetched_and_opening_asks_no_network(tmp_path, text, location, repo_name):
    found = open_source(text, folder=tmp_path)
    assert (found.sources, found.problems) == ([], [])
    (waiting,) = found.unfetched
    assert (waiting.location, waiting.repo_name) == (location, repo_name)
    again = pickle.loads(pickle.dumps(waiting))
    assert (again.location, again.repo_name, again.alone) == (location, repo_name, waiting.alone)


def test_a_list_names_the_line_that_is_wrong(new_git, tmp_path):
    filled(new_git, "repos/one")
    (tmp_path / "list.txt").write_text("# mine\nrepos/one\nnowhere  # gone\n@other\n")
    with pytest.raises(UserError, match=r"list.txt:4: a list within a list"):
        open_source(f"@{tmp_path / 'list.txt'}")
    (tmp_path / "list.txt").write_text("# mine\nrepos/one\nnowhere  # gone\npypi:requests\n")
    found = open_source(f"@{tmp_path / 'list.txt'}", folder=tmp_path)
    assert names(found) == [("one", "git")]
    assert [problem.location for problem in found.problems] == [f"{tmp_path / 'list.txt'}:3"]
    assert [one.location for one in found.unfetched] == ["pypi:requests"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("src", "/base/src"),
        ("/x", "/x"),
        ("@list.txt", "@/base/list.txt"),
        ("installed", "installed"),
        ("installed:venv", "installed:/base/venv"),
        ("pypi:requests", "pypi:requests"),
        ("swh:export", "swh:/base/export"),
        ("swh:s3://bucket/graph", "swh:s3://bucket/graph"),
        ("dataset:d", "dataset:/base/d"),
        ("hub:a/b", "hub:a/b"),
        ("corpus:standard", "corpus:standard"),
        ("corpus:standard@c", "corpus:standard@/base/c"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("git@example.org:a/b", "git@example.org:a/b"),
    ],
)
def test_paths_are_meant_from_the_workspace_and_names_stay(text, expected):
    assert absolute(text, Path("/base")) == expected


def test_folders_whose_names_are_no_text(new_git, tmp_path):
    # Their location could not be stored as text, nor opened again from it.
    odd = tmp_path / os.fsdecode(b"caf\xe9")
    odd.mkdir()
    (odd / "f").write_text("x")
    with pytest.raises(UserError, match="not UTF-8") as caught:
        open_source(str(odd), "public")
    caught.value.problem.encode()
    filled(new_git, os.fsdecode(b"all/caf\xe9"))
    (problem,) = open_source(str(tmp_path / "all"), "public").problems
    assert "not UTF-8" in problem.reason
    assert problem.location == str(tmp_path / r"all/caf\xe9")


@pytest.mark.parametrize("kind", ["", "@", "installed:", "dataset:"])
@pytest.mark.parametrize(
    "name", ["~nobody-of-that-name/x", "a\0b", "a\udcffb", "x" * 5000], ids=["user", "nul", "no-utf-8", "long"]
)
def test_paths_that_nothing_can_have(tmp_path, kind, name):
    with pytest.raises(UserError) as caught:
        open_source(absolute(f"{kind}{name}", tmp_path), "public")
    caught.value.problem.encode()
    assert caught.value.hint


def test_unknown_home():
    with pytest.raises(UserError, match="nobody-of-that-name"):
        open_source("~nobody-of-that-name/x", "public")


def test_unknown_rights(tmp_path):
    with pytest.raises(UserError, match="stolen"):
        open_source(str(tmp_path), "stolen")


def test_relative_and_linked_paths_are_resolved(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "alias").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    (source,) = open_source("alias", "public").sources
    assert source.repository().location == str(tmp_path / "real")


def test_unique_names():
    def at(name, location):
        return FolderSource(Repository(repo_name=name, kind="folder", location=location, rights="owned"))

    named = unique_names(
        [
            at("n", "/a/x/n"),
            at("n", "/a/y/n"),
            at("n", "/b/y/n"),
            at("n~y", "/q"),
            at("n", "/b/y/n"),
            at("n", "/n"),
            at("n", "/n"),
        ]
    )
    found = [s.repository().repo_name for s in named]
    assert found == ["n", "n~a-y", "n~b-y", "n~y", "n~2", "n~3", "n~4"]  # `n~y` is a name of its own
    assert [s.repository().location for s in named][:3] == ["/a/x/n", "/a/y/n", "/b/y/n"]


def test_a_workspace_is_not_its_own_source(new_git, tmp_path):
    (tmp_path / "w" / ".starloom" / "fetched").mkdir(parents=True)
    (tmp_path / "w" / "starloom.toml").write_text("")
    filled(new_git, "w/.starloom/fetched/project")
    (tmp_path / "a.py").write_text("a = 1")
    assert [one.repository().repo_name for one in open_source(str(tmp_path)).sources] == [tmp_path.name]
    with pytest.raises(UserError, match="its own output would be read as code"):
        open_source(str(tmp_path / "w"))
    filled(new_git, "committed")
    (tmp_path / "committed" / ".git").rename(tmp_path / "w" / ".git")  # what is committed is code
    assert [one.repository().kind for one in open_source(str(tmp_path / "w")).sources] == ["git"]


def test_an_empty_source_is_refused(tmp_path):
    with pytest.raises(UserError, match="a source is empty"):
        absolute(" ", tmp_path)
