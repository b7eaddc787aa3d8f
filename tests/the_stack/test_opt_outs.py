"""Opt-outs: subjects, the plain file and the log; what goes from a build, and that nothing of others does."""

import pytest

from sources.conftest import Git
from starloom.errors import UserError
from starloom.identity import content_id, content_swhid
from starloom.stages import load_settings
from starloom.the_stack import opt_out_log, opt_out_wishes
from starloom.the_stack.opt_out_subject import parse
from starloom.the_stack.opt_out_wishes import Asked, from_list
from starloom.the_stack.opt_outs import of, read
from starloom.the_stack.origins import Origins, occurrences
from starloom.workspace.manifest import verify
from starloom.workspace.run import engine
from the_stack.building import ENGINE, MIT, Workspace, code, folder, git_repository, put

EMPTY = content_id(b"")


@pytest.fixture
def opt_outs(tmp_path):
    def write(text):
        (tmp_path / "opt-outs.txt").write_text(text)
        return read(tmp_path / "opt-outs.txt")

    return write


@pytest.mark.parametrize(
    ("entry", "out", "stays"),
    [
        ("alice", ["alice/x", "Alice/Y", "alice"], ["alicea/x", "bob/alice"]),
        ("alice/", ["alice/x"], ["bob/x"]),
        ("Alice/Project", ["alice/project", "alice/project~mirrors"], ["alice/projects", "alice/other"]),
        ("group/sub", ["group/sub", "group/sub/project"], ["group/other"]),
        ("https://github.com/alice/project.git", ["alice/project"], ["github.com/alice/project"]),
        ("git@gitlab.com:a/b", ["a/b"], ["a/c"]),
        ("~alice", ["~alice/x", "~alice/x~mirrors"], ["alice/x", "~alicea/x"]),
        ("https://git.sr.ht/~alice/x", ["~alice/x", "~alice/x~2"], ["~alice/y"]),
        ("pypi/a~b", ["pypi/a~b", "pypi/a~b~2"], ["pypi/a", "pypi/a~c"]),
        (
            "alice/x",
            ["https://github.com/Alice/X", "https://gitlab.com/alice/x.git"],
            ["https://github.com/bob/alice/x"],
        ),
        ("example.org/engine.git", ["example.org/engine.git"], ["example.org/engine2"]),
        ("alice/x  # asked on 3 May", ["alice/x"], ["alice/y"]),
        ("pypi/requests", ["pypi/requests"], ["pypi/flask"]),
        ("ümläut", ["Ümläut", "ümläut/x"], ["umlaut"]),
        ("u\u0308ml\u00e4ut", ["\u00fcml\u00e4ut", "U\u0308mla\u0308ut/x"], ["umlaut"]),
        ("c# tools/  # asked", ["C# tools"], ["c", "c/x"]),
        ("https://github.com/alice/x#readme", ["alice/x"], ["alice/y"]),
        ("js tools/", ["js tools", "JS Tools~mirrors", "js tools/x"], ["js", "tools", "js tools2"]),
        ("notes:2024/", ["notes:2024", "Notes:2024/x"], ["notes", "notes/2024", "2024"]),
    ],
)
def test_entries(opt_outs, entry, out, stays):
    found = opt_outs(f"# a comment\n\n{entry}\n")
    assert all(found.covering([name]) for name in out)
    assert not any(found.covering([name]) for name in stays)


def test_the_line_is_named(opt_outs):
    assert opt_outs("\nalice/x\n").covering(["alice/x"]) == "alice/x (line 2)"


def test_a_name_it_had_before(opt_outs):
    found = opt_outs("old/name")
    assert found.covering(["new/name", "old/name"])
    assert found.covering(["new/name"]) is None


def test_no_file_is_no_opt_out(tmp_path):
    assert read(tmp_path / "none").covering(["a/b"]) is None


def test_a_content_in_the_plain_file(opt_outs):
    assert opt_outs(f"alice\n{content_swhid('1' * 40)}\n").contents == {"1" * 40: f"{content_swhid('1' * 40)} (line 2)"}


@pytest.mark.parametrize(
    "line",
    [
        *(
            "two words",
            "alice//x",
            "a/b;c",
            "swh:1:dir:" + "0" * 40,
            "x" * 200,
            content_swhid(EMPTY),
            "a/b:c.py",
            "a/b:",
        ),
        *("notes:2024", "see https://github.com/alice/", "https://github.com/", "/", "a/b:src/", "a/b#asked"),
    ],
    ids=[
        *("words", "slashes", "semicolon", "directory", "long", "empty-blob", "file", "no-path"),
        *("colon", "prose", "host", "slash", "folder", "comment"),
    ],
)
def test_what_is_no_entry_is_an_error_with_its_line(opt_outs, line):
    with pytest.raises(UserError, match=r"opt-outs.txt:2: "):
        opt_outs(f"alice\n{line}\n")


@pytest.mark.parametrize(
    ("text", "scope", "written"),
    [
        ("Alice", "owner", "Alice"),
        ("alice/x", "repository", "alice/x"),
        ("ssh://git@host.example/group/sub/x.git", "repository", "group/sub/x"),
        (
            "94A9ED024D3859793618152EA559A168BBCBB5E2",
            "content",
            content_swhid("94a9ed024d3859793618152ea559a168bbcbb5e2"),
        ),
        (f"swh:1:cnt:{'a' * 40};origin=https://x.example/", "content", content_swhid("a" * 40)),
        ("alice/x:src/a b.py", "file", "alice/x:src/a b.py"),
        ("https://github.com/alice/x/blob/main/src/a.py", "file", "alice/x:src/a.py"),
        ("https://gitlab.com/a/b/c/-/blob/main/src/a.py", "file", "a/b/c:src/a.py"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_subjects(text, scope, written):
    found = parse(text)
    assert (found.scope, found.text) == (scope, written)
    assert parse(found.text) == found


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n"], ids=["empty", "line", "dos-line"])
def test_a_content_that_is_everybodys_is_refused_with_a_reason(content):
    with pytest.raises(UserError, match="nobody's") as caught:
        parse(content_id(content))
    assert "repository" in caught.value.hint


# Built workspaces


def opt_out(workspace, *subjects, kind="opt-out", **personal):
    with engine(workspace.root, load_settings(workspace.root).engine) as local:
        asked = [Asked(parse(one), kind, personal) for one in subjects]
        return opt_out_wishes.add(workspace.root, local, asked, lambda wishes: [() for _ in wishes], "test")


def kept(workspace):
    return {(row["repo_name"], row["path"]) for row in workspace.dataset()}


def contents(workspace):
    return {row["content_id"] for row in workspace.dataset()}


@pytest.fixture
def made(tmp_path):
    return lambda *sources, **given: Workspace(tmp_path / "w", *sources, **given)


def test_a_fork_of_a_large_project_takes_nothing_of_the_project(made, tmp_path):
    project = {"LICENSE": MIT, **{f"src/{number}.py": code(f"project {number}", 20) for number in range(40)}}
    fork = project | {"own.py": code("own", 20), "src/0.py": project["src/0.py"] + b"\n# changed in the fork\n"}
    workspace = made(git_repository(tmp_path / "project", project), git_repository(tmp_path / "fork", fork, hours=5))
    before = workspace.build().dataset()
    opt_out(workspace, "fork")
    workspace.build()
    after = workspace.dataset()
    theirs = {row["content_id"] for row in before if row["repo_name"] == "project"}
    assert theirs <= {row["content_id"] for row in after}
    assert {row["repo_name"] for row in after} == {"project"}
    assert {content_id(data) for path, data in project.items()} - {content_id(MIT)} <= {r["content_id"] for r in after}
    assert content_id(fork["own.py"]) not in {row["content_id"] for row in after}
    assert workspace.row("fork", "")["rule"] == "opt-out"
    assert workspace.row("fork", "")["value"] == "opted out: fork (entry 1)"


def test_the_project_itself_leaves_its_fork_alone(made, tmp_path):
    project = {"LICENSE": MIT, **{f"{number}.py": code(f"project {number}", 20) for number in range(6)}}
    workspace = made(
        git_repository(tmp_path / "project", project), git_repository(tmp_path / "fork", project, hours=5)
    ).build()
    assert {name for name, _ in kept(workspace)} == {"project"}
    opt_out(workspace, "project")
    assert {name for name, _ in kept(workspace.build())} == {"fork"}
    assert len(kept(workspace)) == 7


def test_a_repository_that_vendors_a_popular_library_takes_nothing_of_the_library(made, tmp_path):
    library = {f"lib/{number}.py": code(f"library {number}", 20) for number in range(10)}
    app = {"LICENSE": MIT, "app.py": code("app", 20), **{f"vendor/{path}": data for path, data in library.items()}}
    others = {"LICENSE": MIT, "other.py": code("other", 20), "third_party/lib/0.py": library["lib/0.py"]}
    workspace = made(
        git_repository(tmp_path / "library", {"LICENSE": MIT} | library),
        git_repository(tmp_path / "app", app, hours=1),
        git_repository(tmp_path / "others", others, hours=2),
    ).build()
    before = contents(workspace)
    opt_out(workspace, "app")
    workspace.build()
    assert before - contents(workspace) == {content_id(app["app.py"])}


def test_an_empty_init_takes_nothing_of_others(made, tmp_path):
    one = {"LICENSE": MIT, "pkg/__init__.py": b"", "pkg/a.py": code("a", 20)}
    two = {"LICENSE": MIT, "pkg/__init__.py": b"", "lib/__init__.py": b"", "pkg/b.py": code("b", 20)}
    off = [f'[[rules]]\nname = "{name}"\ndrop = "false"\n' for name in ("empty", "few-letters", "license")]
    extra = ENGINE + "".join(off)
    workspace = made(git_repository(tmp_path / "one", one), git_repository(tmp_path / "two", two, hours=1), extra=extra)
    workspace.build()
    assert EMPTY in contents(workspace)
    opt_out(workspace, "one")
    workspace.build()
    assert EMPTY in contents(workspace)
    assert content_id(two["pkg/b.py"]) in contents(workspace)
    rows = [row for (name, path), row in workspace.ledger().items() if name == "two" and path.endswith("__init__.py")]
    assert len(rows) == 2
    assert all(row["rule"] != "opt-out" for row in rows)
    with pytest.raises(UserError, match="the empty file"):
        opt_out(workspace, "two:pkg/__init__.py")
    assert len(opt_out_log.read(workspace.root).entries) == 1


def test_blank_is_refused_by_its_text(made, tmp_path):
    workspace = made(folder(tmp_path / "a", {"blank.py": b"   \n\n", "a.py": code(1)})).build()
    with pytest.raises(UserError, match="nothing but white space"):
        opt_out(workspace, "a:blank.py", "a:a.py")
    assert not opt_out_log.read(workspace.root).entries  # all, or nothing


def test_a_content_goes_wherever_it_stands_and_stays_gone(made, tmp_path):
    secret = code("secret", 20)
    a = git_repository(tmp_path / "a", {"LICENSE": MIT, "s.py": secret, "a.py": code("a", 20)})
    b = git_repository(tmp_path / "b", {"LICENSE": MIT, "copy/s2.py": secret, "b.py": code("b", 20)}, hours=1)
    workspace = made(a, b).build()
    opt_out(workspace, content_swhid(content_id(secret)))
    assert set(workspace.build_again()) == {"decide", "write", "collect"}  # nothing is read or measured anew
    assert content_id(secret) not in contents(workspace)
    assert {path for _, path in kept(workspace)} >= {"a.py", "b.py"}
    for name, path in (("a", "s.py"), ("b", "copy/s2.py")):
        row = workspace.row(name, path)
        swhid = content_swhid(content_id(secret))
        assert (row["verdict"], row["rule"], row["value"]) == ("dropped", "opt-out", f"{swhid} (entry 1)")
    workspace.add(git_repository(tmp_path / "c", {"LICENSE": MIT, "again.py": secret, "c.py": code("c", 20)}))
    workspace.build()
    assert content_id(secret) not in contents(workspace)
    assert workspace.row("c", "again.py")["rule"] == "opt-out"
    assert workspace.row("c", "c.py")["verdict"] == "kept"


def test_one_that_was_never_seen_is_not_even_read(made, tmp_path):
    secret = code("secret", 20)
    workspace = made(git_repository(tmp_path / "a", {"LICENSE": MIT, "a.py": code("a", 20)})).build()
    opt_out(workspace, content_id(secret))
    workspace.add(git_repository(tmp_path / "b", {"LICENSE": MIT, "s.py": secret, "b.py": code("b", 20)}))
    workspace.build()
    assert workspace.row("b", "s.py")["rule"] == "opt-out"
    assert not list(opt_out_wishes.cached_texts(workspace.root, {content_id(secret)}))
    opt_out_wishes.withdraw(workspace.root, content_id(secret), "test")
    workspace.build()
    assert workspace.row("b", "s.py")["verdict"] == "kept"
    assert content_id(secret) in contents(workspace)
    assert workspace.build_again() == {}


def test_a_file_is_its_content_and_its_place(made, tmp_path):
    a = git_repository(tmp_path / "a", {"LICENSE": MIT, "src/s.py": code("s", 20), "a.py": code("a", 20)})
    b = git_repository(tmp_path / "b", {"LICENSE": MIT, "t.py": code("s", 20), "b.py": code("b", 20)}, hours=1)
    workspace = made(a, b).build()
    added = opt_out(workspace, "A:src/s.py")
    assert added.entries[0].contents == (content_id(code("s", 20)),)
    workspace.build()
    assert {path for _, path in kept(workspace)} == {"LICENSE", "a.py", "b.py"}
    for repository, name in ((a, "src/s.py"), (b, "n.py")):
        put(repository, {name: code("new s", 20)})
        Git(repository).commit()
    workspace.build()
    assert workspace.row("a", "src/s.py")["rule"] == "opt-out"
    with engine(workspace.root, load_settings(workspace.root).engine) as local:
        places = Origins(occurrences(workspace.root, local)).of(content_id(code("new s", 20)))
    assert [(one.repo_name, one.path) for one in places] == [("b", "n.py")]
    with pytest.raises(UserError, match="no file is listed as `a:none"):
        opt_out(workspace, "a:none.py")


def test_withdrawn_is_as_if_it_had_never_been(made, tmp_path):
    files = {"LICENSE": MIT, "s.py": code("s", 20), "a.py": code("a", 20)}
    workspace = made(git_repository(tmp_path / "a", files)).build()
    before = workspace.outputs()
    opt_out(workspace, content_id(files["s.py"]), "a")
    workspace.build()
    assert not workspace.dataset()
    opt_out_wishes.withdraw(workspace.root, "1", "test")
    opt_out_wishes.withdraw(workspace.root, "A", "test")
    assert workspace.build().outputs() == before
    with pytest.raises(UserError, match="no entry"):
        opt_out_wishes.withdraw(workspace.root, "a", "test")


def test_what_is_opted_out_is_written_down_once(made, tmp_path):
    workspace = made(git_repository(tmp_path / "a", {"LICENSE": MIT, "a.py": code("a", 20)})).build()
    opt_out(workspace, "somebody", "SOMEBODY")
    again = opt_out(workspace, "Somebody", "somebody/else")
    assert [one.subject for one in again.entries] == ["somebody/else"]
    assert again.before == (("Somebody", 1),)
    assert [one.number for one in opt_out_log.read(workspace.root).entries] == [1, 2]


def test_the_plain_file_and_the_log_hold_together(made, tmp_path):
    workspace = made(
        git_repository(tmp_path / "a", {"LICENSE": MIT, "a.py": code("a", 20), "s.py": code("s", 20)}),
        git_repository(tmp_path / "b", {"LICENSE": MIT, "b.py": code("b", 20)}, hours=1),
    ).build()
    (workspace.root / "opt-outs.txt").write_text(f"b\n{content_id(code('s', 20))}\n")
    opt_out(workspace, "somebody")
    workspace.build()
    assert kept(workspace) == {("a", "LICENSE"), ("a", "a.py")}
    assert workspace.row("a", "s.py")["value"].endswith("(line 2)")
    assert of(workspace.root).covering(["somebody/x"]) == "somebody (entry 1)"


def test_verify_finds_nothing_after_it(made, tmp_path):
    workspace = made(git_repository(tmp_path / "a", {"LICENSE": MIT, "a.py": code("a", 20)})).build()
    opt_out(workspace, content_id(code("a", 20)))
    workspace.build()
    assert [problem for name in ("files", "signals", "ledger") for problem in verify(workspace.root / name)] == []


# Lists


def test_lists_of_others(tmp_path):
    plain = tmp_path / "list.txt"
    plain.write_text("# asked\nalice\nbob/x  # twice\n")
    table = tmp_path / "list.csv"
    table.write_text("subject,kind,by,other\nalice,takedown,A. Person,1\nbob/x,,,2\n")
    lines = tmp_path / "list.jsonl"
    lines.write_text('{"subject": "alice", "kind": "takedown", "by": "A. Person"}\n"bob/x"\n')
    whole = tmp_path / "list.json"
    whole.write_text('[{"subject": "alice", "kind": "takedown", "by": "A. Person"}, "bob/x"]')
    for path in (plain, table, lines, whole):
        first, second = from_list(path, "opt-out", {"proof": "p"})
        assert (first.subject.text, second.subject.text) == ("alice", "bob/x")
        assert second.kind == "opt-out"
        if path is not plain:
            assert (first.kind, dict(first.personal)) == ("takedown", {"proof": "p", "by": "A. Person"})


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("l.txt", "alice\ntwo words\n", "l.txt:2: "),
        ("l.csv", "name\nalice\n", "l.csv:1: "),
        ("l.csv", "subject,kind\nalice,wrong\n", "l.csv:2: "),
        ("l.jsonl", '"alice"\n{"subject": 3}\n', "l.jsonl:2: "),
        ("l.jsonl", '"alice"\n[', "no JSON"),
        ("l.json", '{"subject": "a"}', "is no list"),
        ("l.json", "[3]", "item 1"),
        ("l.txt", "# nothing\n", "names nothing"),
    ],
    ids=["plain", "no-column", "kind", "number", "torn", "object", "item", "empty"],
)
def test_a_bad_list_is_an_error_with_file_and_line(tmp_path, name, text, where):
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError) as caught:
        from_list(tmp_path / name, "opt-out", {})
    assert where in caught.value.problem


def test_a_log_of_ours_is_a_list(made, tmp_path):
    workspace = made(git_repository(tmp_path / "a", {"LICENSE": MIT, "a.py": code("a", 20)})).build()
    opt_out(workspace, "alice", "bob/x", "a:a.py", by="A. Person")
    opt_out_wishes.withdraw(workspace.root, "alice", "test")
    found = from_list(workspace.root / opt_out_log.FILE, "opt-out", {})
    assert [one.subject.text for one in found] == ["bob/x", "a:a.py"]
    assert found[0].personal == {"by": "A. Person"}
    assert found[1].contents == (content_id(code("a", 20)),)
