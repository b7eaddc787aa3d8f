"""The hook of pre-commit and the action of GitHub, run as they would be."""
# ruff: noqa: F811 - fixtures are arguments

import json
import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from membership.project import copied, git, insert  # noqa: F401 - fixtures

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("real")


@pytest.fixture
def tools(tmp_path):
    """A PATH with `starloom` on it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "starloom"
    program.write_text(f"#!{sys.executable}\nfrom starloom.commands import main\nmain()\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return f"{folder}:{os.environ['PATH']}"


@pytest.fixture
def recorded(tools):
    """A `starloom` that does nothing but say what it was given: `recorded()`."""
    program = Path(tools.partition(":")[0]) / "starloom"
    program.write_text('#!/bin/sh\nprintf "%s\\0" "$@" | tee "$0.given"\n')
    return lambda: Path(f"{program}.given").read_text().split("\0")[:-1]


@pytest.mark.parametrize("files", [False, True], ids=["staged", "files"])
def test_the_hooks(git, real, tools, copied, files):
    """As pre-commit runs them: the entry, its arguments, and file names where they are asked for."""
    hooks = {one["id"]: one for one in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    hook = hooks["starloom-check-files" if files else "starloom-check"]
    assert hook.get("pass_filenames", True) is files

    def run(*arguments):
        argv = [*shlex.split(hook["entry"]), *(arguments or hook["args"]), *(["own.py", "other.py"] if files else [])]
        env = os.environ | {"PATH": tools, "STARLOOM_WORKSPACE": str(real.root)}
        return subprocess.run(argv, cwd=git.path, env=env, capture_output=True, text=True, check=False)

    insert(git, copied)
    git("add", "own.py")
    if not files:
        done = run()
        assert done.returncode == 0, done.stderr  # MIT is permissive
    done = run("--fail-on", "MIT")
    assert done.returncode == 1
    assert "own.py:41-90" in done.stderr


def test_the_hook_between_two_revisions(git, real, tools, copied):
    """`pre-commit run --from-ref main --to-ref HEAD`, as in CI."""
    git("checkout", "-q", "-b", "feature")
    insert(git, copied)
    git.commit()
    env = {
        "PATH": tools,
        "STARLOOM_WORKSPACE": str(real.root),
        "PRE_COMMIT_FROM_REF": "main",
        "PRE_COMMIT_TO_REF": "HEAD",
    }
    argv = ["starloom", "check", "--staged", "--fail-on", "MIT"]
    done = subprocess.run(argv, cwd=git.path, env=os.environ | env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "own.py:41-90" in done.stderr


class Action:
    """The steps of action.yml, with the values that a forge would put in."""

    def __init__(self, folder, tools):
        self.told = yaml.safe_load((ROOT / "action.yml").read_text())
        self.folder, self.path = folder, tools

    def run(self, github=None, **inputs):
        given = {name: str(one.get("default", "")) for name, one in self.told["inputs"].items()}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        values = {f"inputs.{name}": value for name, value in given.items()} | (github or {})
        (step,) = [one for one in self.told["runs"]["steps"] if one.get("id") == "check"]
        variables = {name: self._value(text, values) for name, text in step["env"].items()}
        assert "${{" not in step["run"]
        for name in ("output", "summary"):
            (self.folder / name).write_text("")
        env = os.environ | variables | {"PATH": self.path, "RUNNER_TEMP": str(self.folder)}
        env |= {"GITHUB_OUTPUT": str(self.folder / "output"), "GITHUB_STEP_SUMMARY": str(self.folder / "summary")}
        argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]  # as GitHub's `shell: bash`
        return lambda cwd: subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, check=False)

    @staticmethod
    def _value(text, values):
        """`${{ a || b }}`: the first that is not empty."""
        names = text.removeprefix("${{").removesuffix("}}").split("||")
        return next((value for name in names if (value := values.get(name.strip(), ""))), "")


@pytest.fixture
def action(tmp_path, tools):
    folder = tmp_path / "runner"
    folder.mkdir()
    return Action(folder, tools)


def test_the_action(git, real, action, copied):
    base = git("rev-parse", "HEAD")
    insert(git, copied)
    git.commit()
    pull = {"github.event.pull_request.base.sha": base}
    done = action.run(pull, workspace=str(real.root), fail_on="MIT")(git.path)
    assert done.returncode == 1, done.stderr
    assert "own.py:41-90" in done.stdout
    assert "own.py:41-90" in (action.folder / "summary").read_text()
    assert (action.folder / "output").read_text() == "sarif=starloom.sarif\n"
    (run,) = json.loads((git.path / "starloom.sarif").read_text())["runs"]
    assert run["results"][0]["level"] == "error"


GATE = ["--fail-on", "non_permissive,unlicensed"]
GIVEN = ["check", "--workspace", "W", "--sarif", "starloom.sarif"]


@pytest.mark.parametrize(
    ("event", "inputs", "arguments"),
    [
        ({"github.event.pull_request.base.sha": "abc"}, {"fail_on": GATE[1]}, [*GATE, "--diff", "abc...HEAD", "--"]),
        ({"github.event.before": "abc"}, {"fail_on": "GPL"}, ["--fail-on", "GPL", "--diff", "abc...HEAD", "--"]),
        ({"github.event.before": "abc"}, {}, ["--diff", "abc...HEAD", "--"]),
        ({"github.event.before": "0" * 40}, {}, ["--diff", "HEAD^...HEAD", "--"]),  # the first push of a branch
        ({}, {}, ["--diff", "HEAD^...HEAD", "--"]),
        ({"github.event.before": "abc"}, {"base": "v1"}, ["--diff", "v1...HEAD", "--"]),
        ({}, {"base": "v1", "paths": "src\na b.py\n"}, ["--diff", "v1...HEAD", "--", "src", "a b.py"]),
        ({}, {"whole": "true", "paths": "-x"}, ["--", "-x"]),
        (
            {},
            {"base": "v1", "options": "--own=me/*\n\n--renamed"},
            ["--own=me/*", "--renamed", "--diff", "v1...HEAD", "--"],
        ),
    ],
    ids=["pull", "gate", "push", "new-branch", "no-event", "base", "paths", "whole", "options"],
)
def test_what_the_action_asks(action, recorded, tmp_path, event, inputs, arguments):
    done = action.run(event, **{"workspace": "W", "fail_on": ""} | inputs)(tmp_path)
    assert done.returncode == 0, done.stderr
    assert recorded() == [*GIVEN, *arguments]


def test_the_action_runs_nothing_that_it_is_given(action, recorded, tmp_path):
    evil = f'"; touch {tmp_path}/ran; $(touch {tmp_path}/ran) `touch {tmp_path}/ran`'
    names = ("fail_on", "base", "paths", "options", "sarif", "workspace")
    done = action.run(**dict.fromkeys(names, evil))(tmp_path)
    assert done.returncode == 0, done.stderr
    assert recorded() == [
        *("check", "--workspace", evil, "--sarif", evil, "--fail-on", evil, evil),
        *("--diff", f"{evil}...HEAD", "--", evil),
    ]
    assert not (tmp_path / "ran").exists()


def test_the_summary_shows_text_as_text(action, recorded, tmp_path):
    action.run(workspace="<script>&", base="v1")(tmp_path)
    assert "&lt;script>&amp;" in (action.folder / "summary").read_text()
