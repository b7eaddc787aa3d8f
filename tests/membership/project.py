"""A project under git with somebody's own code, and a piece of the dataset to be copied into it."""

from dataclasses import dataclass

import click
import pytest

from sources.conftest import Git
from starloom.commands import group
from starloom.errors import UserError
from the_stack.building import code


@pytest.fixture
def copied(rows):
    """Fifty lines of a file under MIT, indented anew."""
    row = next(row for row in rows if row["path"] == "asyncio/base_events.py")
    assert row["license_type"] == "permissive"
    return "".join(f"  {line}\n" for line in row["content"].split("\n")[200:250]).encode()


@pytest.fixture
def git(tmp_path):
    """A repository with a commit of somebody's own code."""
    path = tmp_path / "project"
    path.mkdir()
    git = Git(path)
    git("init", "-q", "-b", "main")
    git.write(**{"own.py": code("project", 30), "other.py": code("other", 30)})
    git.commit()
    return git


def insert(git, piece):
    """The copy as lines 41 to 90 of own code."""
    rows = code("project", 30).split(b"\n")
    git.put("own.py", b"\n".join([*rows[:39], b"# copied", piece + b"# until here", *rows[39:]]))


@dataclass
class Done:
    """What a command left, as a process would."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def inside(capsys, monkeypatch):
    """The command line in this process, which has the kernels: `inside("check", "a.py", cwd=…)`."""

    def run(*arguments, cwd):
        monkeypatch.chdir(cwd)
        capsys.readouterr()
        problem, status = "", 0
        try:
            group.main(list(map(str, arguments)), "starloom", standalone_mode=False)
        except UserError as refused:
            problem, status = f"error: {refused.problem}\n\nhint: {refused.hint}\n", 1
        except click.ClickException as wrong:
            problem, status = wrong.format_message(), wrong.exit_code
        left = capsys.readouterr()
        return Done(status, left.out, left.err + problem)

    return run
