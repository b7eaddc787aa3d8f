"""`starloom check` as a gate: diffs, exit codes, SARIF, samples of a model."""
# ruff: noqa: F811 - fixtures are arguments

import json
import subprocess
import sys

import pytest

from commands.conftest import refused  # noqa: F401 - fixtures
from membership.conftest import write_index
from membership.project import copied, git, insert, inside  # noqa: F401 - fixtures
from starloom.identity import content_id
from the_stack.building import code

pytestmark = pytest.mark.usefixtures("real")


@pytest.fixture
def check(inside, real, git):
    def run(*arguments, cwd=git.path):
        return inside("check", *arguments, "-w", real.root, cwd=cwd)

    return run


def test_the_added_lines_alone(check, git, copied):
    git.put("other.py", copied + code("other", 30))
    git.commit()  # was there before
    insert(git, copied)
    done = check("--diff", "--fail-on", "MIT")
    assert done.returncode == 1
    assert "own.py: match in the 3 repositories indexed, " in done.stdout
    assert "lines 41 to 90" in done.stdout
    assert "other.py" not in done.stdout
    assert "error: 1 match that must not be (MIT)\nown.py:41-90  " in done.stderr
    assert "two:asyncio/base_events.py, lines 201 to 250  MIT (permissive)" in done.stderr
    found = json.loads(check("--diff", "--json").stdout)
    (match,) = [one for one in found["matches"] if one["characters"] >= 99]
    assert (match["path"], match["first_line"], match["last_line"]) == ("own.py", 41, 90)
    assert found["coverage"] > 0.95
    assert [one["repo_name"] for one in found["repositories"]] == ["two"]
    assert [(one["name"], one["texts"]) for one in found["licenses"]] == [("MIT", 1)]


def test_own_changes_pass(check, git, copied):
    git.put("other.py", copied + code("other", 30))
    git.commit()
    git.put("other.py", copied + code("other", 30) + code("new", 5))
    done = check("--diff", "--fail-on", "any")
    assert (done.returncode, done.stderr.count("error")) == (0, 0)
    assert "0 files of 1 with a match" in done.stdout
    git.put("other.py", copied + code("other", 30) + b"x = 1\n")
    assert "1 too short" in check("--diff", "--fail-on", "any").stdout
    git.commit()
    assert check("--diff", "--fail-on", "any").stdout == "no line is added\n"


def test_staged(check, git, copied):
    insert(git, copied)
    assert check("--staged", "--fail-on", "MIT").returncode == 0
    git("add", "own.py")
    assert check("--staged", "--fail-on", "MIT").returncode == 1
    assert check("--staged", "--fail-on", "MIT", git.path / "other.py").returncode == 0


def test_since_a_branch(check, git, copied):
    git("checkout", "-q", "-b", "feature")
    insert(git, copied)
    git.commit()
    assert check("--diff", "--fail-on", "MIT").returncode == 0
    assert check("--diff", "main...", "--fail-on", "MIT").returncode == 1
    assert check("--diff", "main...", "--fail-on", "MIT", "other.py").returncode == 0


@pytest.mark.parametrize("context", [0, 1000])
def test_a_diff_from_standard_input(git, real, copied, context):
    insert(git, copied)
    arguments = ["--diff", "-", "-w", str(real.root), "--fail-on", "MIT", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", "from starloom.commands import main; main()", "check", *arguments],
        input=git("diff", f"-U{context}", text=False),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    (failure,) = json.loads(done.stdout)["gate"]["failures"]
    assert (failure["path"], failure["first_line"], failure["last_line"]) == ("own.py", 41, 90)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--fail-on", "permissive-ish"), 1),
        (("--fail-on", "any"), 1),
        (("--fail-on", "copyleft,unlicensed"), 0),
        (("--fail-on", "copyleft", "--fail-on", "mit"), 1),
        (("--fail-on", "MIT", "--min-characters", "100000"), 0),
        (("--fail-on", "MIT", "--min-lines", "51"), 0),
        (("--fail-on", "MIT", "--min-coverage", "0.9"), 0),
        (("--fail-on", "MIT", "--min-coverage", "0.1"), 1),
        (("--fail-on", "MIT", "--unless-permissive"), 0),
        (("--fail-on", "MIT", "--own", "t*"), 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_gates(check, git, copied, options, code):
    insert(git, copied)
    done = check("own.py", *options)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


def test_sarif(check, git, copied, refused):
    insert(git, copied)
    assert check(".", "--sarif", "out.sarif", "--fail-on", "MIT").returncode == 1
    (run,) = json.loads((git.path / "out.sarif").read_text())["runs"]
    first = run["results"][0]
    assert (first["level"], first["ruleId"]) == ("error", "matching-code/permissive")
    region = first["locations"][0]["physicalLocation"]
    assert region["artifactLocation"]["uri"] == "own.py"
    assert (region["region"]["startLine"], region["region"]["endLine"]) == (41, 90)
    refused(check(".", "--sarif", "nowhere/out.sarif"), "there is no folder")
    refused(check("own.py", "--sarif", "own.py"), "is read, so it cannot be written")


def test_several(check, git, copied):
    (git.path / "sub").mkdir()
    git.put("sub/a.py", copied)
    found = json.loads(check("own.py", "sub", "--json").stdout)
    assert [one["path"] for one in found["texts"]] == ["own.py", "sub/a.py"]
    assert found["identical"] == 0
    assert found["texts"][1]["coverage"] > 0.99
    done = check("own.py", "sub")
    assert "1 file of 2 with a match" in done.stdout
    assert "licences\n" in done.stdout
    assert "repositories\n" in done.stdout


def test_a_whole_repository(check, rows, git, real):
    """How much of it is in the data, by licence and by repository."""
    whole = [row for row in rows if content_id(row["content"].encode()) == row["content_id"]]  # nothing replaced
    same = [row for row in whole if row["path"].startswith(("json/", "http/"))][:3]
    for number, row in enumerate(same):
        git.put(f"vendor/{number}.py", row["content"].encode())
    found = json.loads(check(".", "--json").stdout)
    assert found["identical"] == found["matched"] == len(same)
    assert found["texts"][0]["path"] == "other.py"
    assert 0 < found["coverage"] < 1
    (parts,) = [part for part in found["repositories"] if part["repo_name"] == "one"]
    assert parts["texts"] == len(same)
    assert found["covered"] == pytest.approx(parts["characters"], rel=0.02)


def test_samples_of_a_model(check, git, copied, refused):
    rows = [
        {"task_id": "T/0", "completion": copied.decode()},
        {"task_id": "T/0", "completion": code("sample", 10).decode()},
        {"task_id": "T/1", "completion": "return 1"},
    ]
    (git.path / "c.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = check("--jsonl", "c.jsonl")
    assert done.returncode == 0, done.stderr
    assert "T/0, sample 0: " in done.stdout
    assert "1 sample of 3 with a match, 1 too short: " in done.stdout
    assert "1 task of 2 with at least one such sample" in done.stdout
    found = json.loads(check("--jsonl", "c.jsonl", "--json").stdout)
    assert [one["status"] for one in found["samples"]] == ["match", "no_match", "not_covered"]
    assert found["tasks"]["T/0"] == {"samples": 2, "matched": 1}
    assert check("--jsonl", "c.jsonl", "--fail-on", "MIT").returncode == 1
    refused(check("--jsonl", "own.py"), "line 1 is no JSON object")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--jsonl", "x", "own.py"),
        ("--diff", "--staged"),
        ("-", "own.py"),
        ("--diff", "-", "own.py"),
        ("own.py", "--min-coverage", "2"),
        ("own.py", "--split", "validation"),
        ("own.py", "--fail-on", ","),
    ],
    ids=lambda value: " ".join(value) or "nothing",
)
def test_wrong_use(check, arguments):
    done = check(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_refusals(check, git, refused, tmp_path):
    refused(check("--diff", "nowhere"), "has no revision nowhere", "fetch-depth")
    refused(check("--diff", cwd=tmp_path), "in no work tree of git")
    refused(check("own.py", "--fail-on", "GPLv3"), "no licence is called GPLv3")


def test_the_workspace_of_the_environment(inside, real, git, monkeypatch):
    monkeypatch.setenv("STARLOOM_WORKSPACE", str(real.root))
    done = inside("check", "own.py", cwd=git.path)
    assert done.returncode == 0, done.stderr


def test_a_part_of_the_index(inside, git, memory):
    """What may stand in a part that is damaged passes no gate, and is not said to be absent."""
    root = write_index(memory / "partial", [code(f"file {k}", 30).decode() for k in range(20)], shards=2)
    (root / "starloom.toml").write_text("")
    assert inside("check", "own.py", "-w", root, "--fail-on", "any", cwd=git.path).returncode == 0
    next((root / "membership" / "00").glob("*text.bin")).unlink()
    for arguments in (["own.py"], ["."], ["--diff", "HEAD^"]):
        git.put("more.py", code(f"more for {arguments}", 30))
        git.commit()
        done = inside("check", *arguments, "-w", root, "--fail-on", "any", cwd=git.path)
        assert done.returncode == 1, done.stdout
        assert "of which a part of the index alone could be asked" in done.stderr
    told = json.loads(inside("check", "own.py", "-w", root, "--json", cwd=git.path).stdout)
    assert told["status"] == "partial"
    assert told["problems"]
