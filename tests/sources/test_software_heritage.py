"""Software Heritage exports: git → tables + object store → the same repository; visits, branches, duplicates.

`swh_export.py` makes the exports. Hostile trees and tables: `test_software_heritage_walk.py`; the object store:
`test_software_heritage_store.py`.
"""

import dataclasses
import pickle
import shutil
from datetime import timedelta

import pytest

from sources.swh_export import VISIT, Export, a_place, hash_of, prepare
from starloom.errors import UserError
from starloom.sources.git.source import GitSource
from starloom.sources.repository import RepositoryProblem, SourceError
from starloom.sources.software_heritage import archive
from starloom.sources.software_heritage.archive import open_archive_export
from the_stack.building import MIT, code

HUB = "https://github.com/"


@pytest.fixture
def place(tmp_path):
    with a_place(tmp_path) as made:
        yield made


@pytest.fixture
def prepared(tmp_path):
    return lambda export, name="one", **options: prepare(tmp_path / name, export, **options)


def listed(source):
    return [(e.raw_path, e.entry_type, e.mode, e.size, e.content_id, e.problem) for e in source.entries(1 << 30)]


@pytest.fixture
def example(git):
    git.write(**{"README.md": b"# hi\n", "src/a.py": b"x = 1\n", "src/empty": b"", "src/deep/er/b.py": b"y = 2\n"})
    git.put(b"src/caf\xe9.txt", b"latin\n")
    git.put("src.txt", b"sorts between\n")
    git.put("run.sh", b"#!/bin/sh\n")
    (git.path / "run.sh").chmod(0o755)
    (git.path / "link").symlink_to("README.md")
    git("add", "-A")
    git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor/lib")
    git("commit", "-q", "-m", "one")
    git.hours += 5
    git.put("src/a.py", b"x = 3\n")
    git("add", "src")
    git("commit", "-q", "-m", "two")
    git("branch", "other")
    git("tag", "-a", "v1", "-m", "v1")
    return git


@pytest.mark.parametrize("form", ["orc", "parquet"])
def test_the_same_repository_as_git_itself(form, example, prepared, read, tmp_path):
    export = Export()
    export.git(example.path, HUB + "ada/work")
    opened = prepared(export, form=form, files=2)
    assert opened.problems == []
    (source,) = opened.sources
    direct = GitSource.at(example.path, "public")
    assert listed(source) == listed(direct)
    assert len(listed(source)) == 9
    assert [e.target for e in source.entries(0) if e.entry_type == "submodule"] == ["1" * 40]
    contents = {one.content_id: one for one in _read(pickle.loads(pickle.dumps(source)))}
    assert contents == {one.content_id: one for one in _read(direct)}
    assert all(one.data is not None for one in contents.values())
    row, expected = source.repository(), direct.repository()
    for name in ("directory_id", "revision_id", "branch_name", "revision_date", "committer_date", "rights"):
        assert getattr(row, name) == getattr(expected, name), name
    assert (row.repo_name, row.kind, row.location, row.url) == ("ada/work", "archived", *[HUB + "ada/work"] * 2)
    assert row.visit_date == VISIT
    assert row.snapshot_id == export.rows["snapshot"][0]["id"]


def _read(source):
    from starloom.sources.repository import Wanted

    wanted = {e.content_id: Wanted(e.raw_path, e.content_id, e.size) for e in source.entries(1 << 30) if e.content_id}
    return list(source.contents(wanted.values()))


def test_the_listing_does_not_depend_on_files_stripes_or_processes(example, prepared):
    export = Export()
    export.git(example.path, HUB + "ada/work")
    for n in range(60):
        export.repository(HUB + f"b/{n}", export.directory((0o100644, b"%d" % n, export.content(b"%d" % n))))
    expected = [(one.repository(), one.state()) for one in prepared(export, "one").sources]
    assert len(expected) == 61
    again = prepared(export, "two", files=3, stripe_size=1 << 9, workers=2)
    assert [(one.repository(), one.state()) for one in again.sources] == expected


def tree(export, data=b"x\n"):
    return export.directory((0o100644, b"file", export.content(data)))


def heads(opened):
    """{origin: (branch, revision) or reason}"""
    found = {
        one.repository().url: (one.repository().branch_name, one.repository().revision_id) for one in opened.sources
    }
    return found | {problem.location: problem.reason for problem in opened.problems}


def test_the_main_branch(prepared):
    export = Export()

    def one(name, branches):
        export.visit(HUB + f"a/{name}", export.snapshot(branches))

    r = {name: export.revision(tree(export, name.encode()), name=hash_of(name)) for name in "abcdefghijk"}
    main, master, head = b"refs/heads/main", b"refs/heads/master", b"HEAD"
    one(
        "alias",
        {head: ("alias", b"refs/heads/dev"), b"refs/heads/dev": ("revision", r["a"]), main: ("revision", r["b"])},
    )
    one("detached", {head: ("revision", r["c"])})
    one("both", {main: ("revision", r["d"]), master: ("revision", r["e"])})
    one("dangling", {head: ("alias", b"refs/heads/gone"), main: ("revision", r["f"])})
    one("twice", {head: ("alias", b"x"), b"x": ("alias", b"y"), b"y": ("revision", r["g"])})
    one("circle", {head: ("alias", b"x"), b"x": ("alias", head), master: ("revision", r["h"])})
    one("null", {head: ("alias", main), main: (None, None)})
    one("pull", {b"refs/pull/1/head": ("revision", r["i"])})
    release = export.release(export.release(r["j"]), "release")
    one("release", {head: ("alias", b"v1"), b"v1": ("release", release)})
    one("directory", {head: ("directory", tree(export, b"bare"))})
    one("content", {main: ("content", export.content(b"x"))})
    one("no-release", {main: ("release", hash_of("none"))})
    one("no-revision", {main: ("revision", hash_of("none"))})
    one("mercurial", {main: ("revision", export.revision(tree(export, b"hg"), kind="hg"))})
    opened = prepared(export)
    code = heads(opened)
    assert code == {
        HUB + "a/alias": ("refs/heads/dev", r["a"]),
        HUB + "a/detached": ("HEAD", r["c"]),
        HUB + "a/both": ("refs/heads/master", r["e"]),
        HUB + "a/dangling": ("refs/heads/main", r["f"]),
        HUB + "a/twice": ("y", r["g"]),
        HUB + "a/circle": ("refs/heads/master", r["h"]),
        HUB + "a/release": ("v1", r["j"]),
        HUB + "a/directory": ("HEAD", None),
        HUB + "a/null": code[HUB + "a/null"],
        HUB + "a/pull": code[HUB + "a/pull"],
        HUB + "a/content": "its main branch leads to a content, not to files",
        HUB + "a/no-release": f"its main branch leads to release {hash_of('none')}, which leads nowhere",
        HUB + "a/no-revision": f"its main revision {hash_of('none')} is not in the export",
        HUB + "a/mercurial": "its main revision is not one of git but of hg",
    }
    assert code[HUB + "a/null"].startswith("it has no main branch in snapshot ")
    assert code[HUB + "a/pull"].startswith("it has no main branch in snapshot ")
    paper = heads(prepared(export, "paper", main_branch="paper"))
    assert paper[HUB + "a/both"] == ("refs/heads/main", r["d"])
    assert paper[HUB + "a/alias"] == ("refs/heads/main", r["b"])
    assert paper[HUB + "a/detached"].startswith("it has no main branch")


def test_the_latest_full_visit(prepared):
    export = Export()
    trees = [export.snapshot({b"HEAD": ("revision", export.revision(tree(export, b"%d" % n)))}) for n in range(9)]
    day = timedelta(days=1)
    export.visit(HUB + "a/newer", trees[0], visit=1, date=VISIT)
    export.visit(HUB + "a/newer", trees[1], visit=2, date=VISIT + day)
    export.visit(HUB + "a/partial-later", trees[2], visit=1, date=VISIT)
    export.visit(HUB + "a/partial-later", trees[3], "partial", visit=2, date=VISIT + day)
    export.visit(HUB + "a/only-partial", trees[4], "partial")
    export.visit(HUB + "a/failed-later", trees[5], visit=1)
    export.visit(HUB + "a/failed-later", None, "failed", visit=2, date=VISIT + day)
    export.visit(HUB + "a/ongoing", trees[6], "ongoing")
    export.visit(HUB + "a/never", None, "not_found")
    export.visit(HUB + "a/full-without", None, "full")
    opened = prepared(export)
    assert {one.repository().repo_name: one.repository().snapshot_id for one in opened.sources} == {
        "a/newer": trees[1],
        "a/partial-later": trees[2],
        "a/only-partial": trees[4],
        "a/failed-later": trees[5],
    }
    reason = "the archive never visited it with success"
    assert opened.problems == [
        RepositoryProblem(HUB + f"a/{n}", reason, None, f"a/{n}") for n in ("full-without", "never", "ongoing")
    ]


def test_one_repository_for_each_root_directory(prepared):
    export = Export()
    same = tree(export)
    export.repository(HUB + "z/old", same, date=1_400_000_000)
    export.repository(HUB + "a/young", same, date=1_500_000_000)
    export.repository(HUB + "b/undated", same, date=None)
    export.repository(HUB + "c/other", tree(export, b"other"))
    opened = prepared(export)
    assert [one.repository().repo_name for one in opened.sources] == ["c/other", "z/old"]
    hint = "nothing to do: its files are listed there, once"
    assert opened.problems == [
        RepositoryProblem(HUB + name, f"same root directory as {HUB}z/old", hint, name, "same-root-directory")
        for name in ("a/young", "b/undated")
    ]


def test_dates_that_no_calendar_has_cost_only_themselves(prepared, capfd):
    export = Export()
    export.repository(HUB + "a/wild", tree(export, b"1"), date=9_223_372_036_854, committer_date=1_500_000_000)
    export.repository(HUB + "b/tame", tree(export, b"2"), date=1_400_000_000)
    export.repository(HUB + "c/before", tree(export, b"3"), date=-5)
    export.repository(HUB + "d/none", tree(export, b"4"), date=None)
    for form in ("orc", "parquet"):
        opened = prepared(export, form, form=form, files=1)
        rows = [one.repository() for one in opened.sources]
        stated = [(row.revision_date and row.revision_date.timestamp()) for row in rows]
        assert stated == [None, 1_400_000_000, None, None]
        assert [(row.committer_date and row.committer_date.timestamp()) for row in rows] == [
            1_500_000_000,
            1_400_000_000,
            None,
            None,
        ]
        assert "3 dates of the export are in no calendar" in capfd.readouterr().err


def test_select(prepared):
    export = Export()
    export.repository("https://gitlab.com/a/b", tree(export))
    export.repository(HUB + "a/b", tree(export))
    opened = prepared(export, select=HUB)
    assert heads(opened).keys() == {HUB + "a/b"}  # the other one is not asked for, and no twin either
    assert opened.problems == []


def test_columns_by_name_whatever_an_export_lacks(prepared, example):
    export = Export()
    export.git(example.path, HUB + "ada/work")
    expected = [one.state() for one in prepared(export, "all").sources]

    def older(name, table):
        table = table.drop_columns([n for n in ("raw_manifest", "data") if n in table.column_names])
        if name == "origin_visit_status":
            table = table.drop_columns(["type"])
            table = table.rename_columns(["snapshot_id" if n == "snapshot" else n for n in table.column_names])
        return table.select(table.column_names[::-1])

    unneeded = ("origin", "origin_visit", "snapshot", "revision_history", "revision_extra_headers", "directory")
    opened = prepared(export, "older", change=older, without=(*unneeded, "skipped_content", "release"))
    assert [one.state() for one in opened.sources] == expected


def test_the_folder_above_will_do(tmp_path, place):
    export = Export()
    export.repository(HUB + "a/b", tree(export))
    export.write(tmp_path / "2024-01-01")
    store = export.write_contents(tmp_path / "store")
    settings = archive.SourceSettings("", contents=str(store))
    (unfetched,) = open_archive_export(str(tmp_path / "2024-01-01"), settings, place).unfetched
    unfetched.fetch(place)
    (source,) = open_archive_export(str(tmp_path / "2024-01-01"), settings, place).sources
    assert [one.data for one in _read(source)] == [b"x\n"]


def test_what_is_no_export_is_said(tmp_path, place):
    settings = archive.SourceSettings("")
    (tmp_path / "empty").mkdir()
    for text, words in [
        (str(tmp_path / "empty"), "no Software Heritage export: no table content"),
        (str(tmp_path / "gone"), "is no folder"),
        ("", "is a folder or on S3"),
        ("https://example.org/x", "is a folder or on S3"),
        ("s3://", "is no s3://BUCKET/PREFIX"),
        ("s3://user:secret@bucket/x", "is no s3://BUCKET/PREFIX"),
    ]:
        with pytest.raises(UserError) as raised:
            open_archive_export(text, settings, place)
        assert words in raised.value.problem
        assert "secret" not in raised.value.problem
    with pytest.raises(UserError, match="main_branch"):
        open_archive_export("s3://bucket/x", settings, dataclasses.replace(place, main_branch="best"))


def test_a_changed_export_is_prepared_anew_and_an_interrupted_one_goes_on(tmp_path, place, monkeypatch):
    export = Export()
    export.repository(HUB + "a/b", tree(export))
    base = export.write(tmp_path)
    settings = archive.SourceSettings("", contents=str(tmp_path))

    def one():
        opened = open_archive_export(str(base), settings, place)
        assert not (opened.sources and opened.unfetched)
        return opened.unfetched[0] if opened.unfetched else opened.sources[0]

    copied = []
    real = archive.copy_file

    def copy(item):
        if len(copied) == 5:
            raise KeyboardInterrupt
        copied.append(item.file.path)
        return real(item)

    monkeypatch.setattr(archive, "copy_file", copy)
    with pytest.raises(KeyboardInterrupt):
        one().fetch(place)
    assert one().repo_name is None  # still to be fetched
    monkeypatch.setattr(archive, "copy_file", lambda item: copied.append(item.file.path) or real(item))
    one().fetch(place)
    assert sorted(copied) == sorted(set(copied))  # nothing was copied twice
    assert one().repository().repo_name == "a/b"
    one_before = sorted(tmp_path.rglob("prepared-*"))
    open_archive_export(str(base), settings, place)
    shutil.copy(
        base / "origin_visit_status" / "origin_visit_status-00000000.orc", base / "origin_visit_status" / "x.orc"
    )
    one().fetch(place)
    assert one().repository().repo_name == "a/b"
    now = sorted(tmp_path.rglob("prepared-*"))
    assert len(now) == 1
    assert now != one_before
    assert not list(tmp_path.rglob("work-*"))


def test_a_damaged_table_spoils_the_export_and_says_which(tmp_path, place):
    export = Export()
    export.repository(HUB + "a/b", tree(export))
    base = export.write(tmp_path)
    bad = base / "directory_entry" / "directory_entry-00000000.orc"
    bad.write_bytes(bad.read_bytes()[:-30])
    (unfetched,) = open_archive_export(str(base), archive.SourceSettings(""), place).unfetched
    unfetched.settings = archive.SourceSettings("", contents=str(tmp_path))
    with pytest.raises(SourceError) as raised:
        unfetched.fetch(place)
    assert raised.value.problem.reason.startswith("directory_entry/directory_entry-00000000.orc cannot be read")


def test_the_same_dataset_as_from_git(git, workspace, tmp_path):
    for n in range(12):
        git.put(
            f"src/part{n % 3}/file{n}.py",
            code(n),
        )
    git.put("LICENSE", MIT)
    git.put("binary.bin", b"\0\1\2")
    git.commit()
    git("remote", "add", "origin", HUB + "ada/work")
    export = Export()
    export.git(git.path, HUB + "ada/work")
    store = export.write_contents(tmp_path / "objects")
    archived = workspace(f"swh:{export.write(tmp_path)}", name="archived", build=False)
    archived.replace('rights = "public"', f'rights = "public"\ncontents = "{store}"')
    archived.build()
    direct = workspace(git.path, name="direct")
    assert archived.problems() == direct.problems() == []
    assert archived.ledger() == direct.ledger()
    assert len(archived.ledger()) == 14
    history = {"first_seen"}  # an export tells of one revision
    known = {"visit_date", "snapshot_id", "url"}  # and these only the archive knows

    def rows(built):
        return [{k: v for k, v in row.items() if k not in history | known} for row in built.dataset()]

    assert rows(archived) == rows(direct)
    assert rows(archived)
