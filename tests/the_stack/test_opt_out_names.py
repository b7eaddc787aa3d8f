"""Repositories whose names have blanks, colons and other signs, as folders on this machine have them: opted out as they
are listed, and before they ever came."""

import unicodedata

import pytest

from sources.conftest import Git
from starloom.errors import UserError
from starloom.identity import content_id
from starloom.stages import load_settings
from starloom.the_stack import opt_out_log, opt_out_wishes, opt_outs
from starloom.the_stack.opt_out_held import Called
from starloom.the_stack.opt_out_subject import parse
from starloom.the_stack.opt_out_wishes import Asked, from_list
from starloom.workspace.run import engine
from the_stack.building import MIT, Workspace, code, git_repository, put

ODD = ("js tools", "notes:2024", "u\u0308mla\u0308ut", "C# & (old)")
SAID = tuple(unicodedata.normalize("NFC", name) for name in ODD)  # as another keyboard writes it


@pytest.fixture
def odd(tmp_path):
    """A workspace with repositories of such names; in each a file with a colon in its path, and one without."""
    files = {name: {"LICENSE": MIT, "a:b/c d.py": code(name, 20), "e.py": code(f"e{name}", 20)} for name in ODD}
    made = (git_repository(tmp_path / name, files[name], hours=number) for number, name in enumerate(ODD))
    return Workspace(tmp_path / "w", *made)


def kept(workspace):
    return {(row["repo_name"], row["path"]) for row in workspace.dataset()}


def named(workspace, *subjects):
    """The entries of what a person says to this workspace."""
    called = Called(workspace.root)
    with engine(workspace.root, load_settings(workspace.root).engine) as local:
        asked = [Asked(parse(one, called)) for one in subjects]
        return opt_out_wishes.add(workspace.root, local, asked, lambda wishes: [() for _ in wishes], "test").entries


def test_a_repository_of_any_name_is_opted_out_as_it_is_listed(odd):
    odd.build()
    added = named(odd, *ODD)
    assert [(one.scope, one.subject) for one in added] == [("owner", name) for name in ODD]
    assert kept(odd.build()) == set()
    assert {odd.row(name, "")["rule"] for name in ODD} == {"opt-out"}
    assert named(odd, *SAID) == ()  # what is refused has its name still, and is out already
    for name in SAID:
        opt_out_wishes.withdraw(odd.root, name.upper(), "test")
    assert not opt_out_log.read(odd.root).active
    with pytest.raises(UserError, match="is no opt-out") as caught:
        named(odd, "js tols")
    assert "`js tols/`" in caught.value.hint


@pytest.mark.parametrize("listed", ["log", "plain"])
def test_a_repository_of_any_name_is_kept_out_before_it_ever_came(odd, listed):
    if listed == "log":
        named(odd, *(f"{name}/" for name in SAID))
    else:
        (odd.root / "opt-outs.txt").write_text("".join(f"{name}/\n" for name in SAID))
    assert kept(odd.build()) == set()
    assert {odd.row(name, "")["rule"] for name in ODD} == {"opt-out"}


def test_a_file_of_a_repository_of_any_name(odd, tmp_path):
    odd.build()
    subjects = [f"{name}:a:b/c d.py" for name in SAID]
    assert [(one.scope, one.contents) for one in named(odd, *subjects)] == [
        ("file", (content_id(code(name, 20)),)) for name in ODD
    ]
    assert {path for _, path in kept(odd.build())} == {"LICENSE", "e.py"}
    for name in ODD:
        put(tmp_path / name, {"a:b/c d.py": code(f"new {name}", 20)})
        Git(tmp_path / name).commit()
    odd.build()
    assert {odd.row(name, "a:b/c d.py")["rule"] for name in ODD} == {"opt-out"}  # the place, too
    assert named(odd, *(f"{name}:a:b/c d.py" for name in ODD))  # what stands there now is another content
    with pytest.raises(UserError, match="no file is listed as `notes:2024:none") as caught:
        named(odd, "notes:2024:none.py")
    assert "slash" in caught.value.hint


def test_a_log_with_such_names_is_a_list(odd):
    odd.build()
    named(odd, *ODD, *(f"{name}:a:b/c d.py" for name in ODD))
    found = from_list(odd.root / opt_out_log.FILE, "opt-out", {})
    assert [one.subject.scope for one in found] == ["owner"] * 4 + ["file"] * 4
    assert [one.subject.text for one in found] == [*ODD, *(f"{name}:a:b/c d.py" for name in ODD)]


@pytest.mark.parametrize(
    "slip", ["“sorty”", "name…", "—", "https:/github.com/somebody/", "C:/Users/x/", "please remove my code", "a b"]
)
def test_a_slip_is_no_name(slip, tmp_path):
    (tmp_path / "opt-outs.txt").write_text(f"{slip}\n")
    with pytest.raises(UserError, match=r"opt-outs\.txt:1: "):
        opt_outs.read(tmp_path / "opt-outs.txt")


@pytest.mark.parametrize("name", ["ümläut", "u\u0308mla\u0308ut", "資料/код", "x_y.z~+-@"])
def test_letters_of_any_script_are_a_name(name):
    assert parse(name).name == name


def test_rows_of_another_log_are_taken_as_they_are_meant(tmp_path):
    rows = [
        ("owner", "c.git"),
        ("owner", "git@github.com:c"),
        ("repository", "https://github.com/a/b"),
        ("owner", "d e"),
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f'{{"action": "add", "scope": "{scope}", "subject": "{text}"}}\n' for scope, text in rows))
    assert [one.subject.key for one in from_list(path, "opt-out", {})] == ["c", "c", "a/b", "d e"]
