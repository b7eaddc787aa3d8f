"""The opt-out file: users, organisations, repositories, and the names that they had."""

import pytest

from starloom.errors import UserError
from starloom.the_stack.opt_outs import read


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
        ("alice/x  # asked on 3 May", ["alice/x"], ["alice/y"]),
        ("pypi/requests", ["pypi/requests"], ["pypi/flask"]),
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


@pytest.mark.parametrize("line", ["two words", "alice//x", "a/b;c", "swh:1:cnt:" + "0" * 40, "x" * 200])
def test_what_is_no_entry_is_an_error_with_its_line(opt_outs, line):
    with pytest.raises(UserError, match=r"opt-outs.txt:2: "):
        opt_outs(f"alice\n{line}\n")
