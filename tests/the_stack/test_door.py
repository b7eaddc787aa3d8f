"""At the door: who stays out, what an owner leaves out, what stands for something else, and who is tried again."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pyarrow.parquet as pq
import pytest

from sources.conftest import Git
from starloom.the_stack.list import _AT_GITHUB
from the_stack import building
from the_stack.building import MIT, Workspace, code, folder, git_repository

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d" * 32 + b"\nsize 12345\n"


@pytest.fixture
def made(tmp_path):
    return lambda *sources, **given: Workspace(tmp_path / "w", *sources, **given)


def test_an_owner_leaves_files_out(made, tmp_path):
    shared = code("shared")
    rules = b'exclude = ["private/", "*.gen.py"]\n'
    a = git_repository(
        tmp_path / "a",
        {".starloom.toml": rules, "LICENSE": MIT, "kept.py": code(1), "x.gen.py": code(2), "private/s.py": shared},
    )
    b = git_repository(tmp_path / "b", {"LICENSE": MIT + b"\n", "copy.py": shared})
    workspace = made(a, b).build()
    assert workspace.row("a", "kept.py")["verdict"] == "kept"
    out = workspace.row("a", "private/s.py")
    assert (out["verdict"], out["rule"], out["value"]) == ("dropped", "excluded-by-owner", "private/")
    assert out["limit"] == ".starloom.toml"
    assert workspace.row("a", "x.gen.py")["value"] == "*.gen.py"
    assert workspace.row("b", "copy.py")["verdict"] == "kept"  # somebody else's copy is somebody else's to exclude
    assert workspace.row("a", ".starloom.toml")["rule"] != "excluded-by-owner"


def test_what_an_owner_wrote_and_we_do_not_understand_leaves_all_out(made, tmp_path):
    a = git_repository(tmp_path / "a", {".starloom.toml": b"exclude = [", "LICENSE": MIT, "a.py": code(1)})
    workspace = made(a).build()
    assert {row["rule"] for row in workspace.ledger().values()} == {"excluded-by-owner"}
    assert "not understood" in workspace.row("a", "a.py")["value"]
    assert workspace.dataset() == []


def _unreadable_link(folder):
    (folder / ".starloom.toml").symlink_to("rules.toml")


def _unreadable_file(folder):
    (folder / ".starloom.toml").write_bytes(b"exclude = true\n" + b"# why\n" * 30)


@pytest.mark.parametrize("spoil", [_unreadable_link, _unreadable_file], ids=["a-link", "beyond-max-bytes"])
def test_what_an_owner_wrote_and_nobody_reads_leaves_all_out(made, tmp_path, spoil):
    files = {"a.py": b"x = 1\n", "rules.toml": b'exclude = ["a.py"]\n'}
    a = folder(tmp_path / "a", files)
    spoil(a)
    workspace = made(a, extra=f"{building.ENGINE}[list]\nmax_bytes = 100\n").build("list")
    assert all("cannot be read" in row["excluded"] for row in workspace.listing())


@pytest.mark.parametrize(
    ("url", "is_github"),
    [
        ("https://github.com/a/b", True),
        ("ssh://github.com/a/b", True),
        ("HTTPS://www.GitHub.com", True),
        ("https://github.com:443/a/b", True),
        ("https://github.com.example.org/a/b", False),
        ("https://notgithub.com/a/b", False),
        ("https://gitlab.com/github.com/b", False),
        ("https://[github.com/a/b", False),
    ],
)
def test_only_what_lies_at_github_is_told_of_by_its_events(url, is_github):
    assert bool(_AT_GITHUB.fullmatch(url)) == is_github


def test_a_starloom_toml_decides_nothing_else(made, tmp_path):
    evil = b'[[sources]]\npath = "/etc"\n[engine]\nspill = "/tmp/evil"\n[[rules]]\nname = "license"\ndrop = "false"\n'
    a = git_repository(tmp_path / "a", {".starloom.toml": evil, "LICENSE": MIT, "a.py": code(1)})
    workspace = made(a).build()
    assert [row["repo_name"] for row in pq.read_table(building.tables.repositories(workspace.root)[0]).to_pylist()] == [
        "a"
    ]
    assert workspace.row("a", "a.py")["verdict"] == "kept"


def test_opted_out_repositories_are_listed_and_not_read(made, tmp_path):
    a = git_repository(tmp_path / "a", {"a.py": code(1)})
    git = Git(a)
    git("remote", "add", "origin", "https://github.com/Alice/Project.git")
    b = git_repository(tmp_path / "b", {"LICENSE": MIT, "b.py": code(2)})
    workspace = made(a, b)
    (workspace.root / "opt-outs.txt").write_text("# asked on 3 May\nalice\n")
    workspace.build()
    row = workspace.row("Alice/Project", "")
    assert (row["verdict"], row["rule"], row["value"]) == ("dropped", "opt-out", "opted out: alice (line 2)")
    assert ("Alice/Project", "a.py") not in workspace.ledger()
    assert "opted out" in building.explain_words(workspace, "Alice/Project")
    (workspace.root / "opt-outs.txt").write_text("")
    workspace.build()
    assert workspace.row("Alice/Project", "a.py")["verdict"] == "kept"


def test_a_large_file_kept_elsewhere_is_no_source_code(made, tmp_path):
    workspace = made(git_repository(tmp_path / "a", {"LICENSE": MIT, "model.py": LFS, "a.py": code(1)})).build()
    row = workspace.row("a", "model.py")
    assert (row["verdict"], row["rule"]) == ("dropped", "lfs-pointer")
    assert row["value"] == f"sha256:{'4d' * 32} 12345"


def test_a_submodule_is_recorded_and_not_followed(made, tmp_path):
    a = git_repository(tmp_path / "a", {"LICENSE": MIT, "a.py": code(1)})
    git = Git(a)
    git("update-index", "--add", "--cacheinfo", f"160000,{'ab' * 20},sub")
    git("commit", "-q", "-m", "sub")
    row = made(a).build().row("a", "sub")
    assert (row["rule"], row["value"]) == ("not-a-file", f"submodule {'ab' * 20}")


def test_a_broken_repository_costs_itself_and_is_tried_again(made, tmp_path):
    a = git_repository(tmp_path / "a", {"LICENSE": MIT, "d/a.py": code(1)})
    b = git_repository(tmp_path / "b", {"LICENSE": MIT + b"\n", "b.py": code(2)})
    tree = Git(a)("rev-parse", "HEAD:d").strip()
    broken = a / ".git" / "objects" / tree[:2] / tree[2:]
    aside = tmp_path / "aside"
    shutil.move(broken, aside)
    workspace = made(a, b).build()
    row = workspace.row("a", "")
    assert (row["verdict"], row["rule"]) == ("quarantined", "repository")
    assert workspace.row("b", "b.py")["verdict"] == "kept"
    again = workspace.build_again()
    assert set(again) == {"list"}  # tried again; what follows has nothing new to do
    shutil.move(aside, broken)
    workspace.build()
    assert workspace.row("a", "d/a.py")["verdict"] == "kept"
    assert ("a", "") not in workspace.ledger()
    assert workspace.build_again() == {}


def test_the_reason_goes_with_the_outcome(made, tmp_path):
    """A content that one repository lost and another has, in no encoding: both say why, and one of them counts."""
    noise = bytes(random.Random(0).randrange(0x80, 0x100) for _ in range(400))
    a = git_repository(tmp_path / "a", {"LICENSE": MIT, "noise.py": noise})
    b = git_repository(tmp_path / "b", {"LICENSE": MIT, "noise.py": noise}, hours=1)
    workspace = made(a, b).build("list")
    blob = Git(a)("rev-parse", "HEAD:noise.py").strip()
    (a / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    row = workspace.build().row("b", "noise.py")
    assert (row["rule"], row["value"]) == ("damaged", "not UTF-8, and no other encoding is likely")


def test_an_unreadable_content_is_tried_again_and_leaves_nothing_behind(made, tmp_path):
    a = git_repository(tmp_path / "a", {"LICENSE": MIT, "a.py": code(1), "b.py": code(2)})
    blob = Git(a)("rev-parse", "HEAD:a.py").strip()
    broken = a / ".git" / "objects" / blob[:2] / blob[2:]
    workspace = made(a).build("list")
    shutil.move(broken, tmp_path / "aside")
    workspace.build()
    row = workspace.row("a", "a.py")
    assert (row["verdict"], row["rule"]) == ("quarantined", "unreadable")
    parts = sorted(path.name for path in (workspace.root / "files").iterdir())
    for _ in range(3):
        assert set(workspace.build_again()) == {"read"}
    assert sorted(path.name for path in (workspace.root / "files").iterdir()) == parts
    shutil.move(tmp_path / "aside", broken)
    workspace.build()
    assert workspace.row("a", "a.py")["verdict"] == "kept"
    assert workspace.build_again() == {}


def test_a_list_of_sources(made, tmp_path):
    for number in range(3):
        git_repository(tmp_path / "repos" / f"r{number}", {"LICENSE": MIT, "a.py": code(number)})
    (tmp_path / "repos.txt").write_text("# ours\nrepos/r0\nrepos/r1   # the second\n\nrepos/missing\n")
    workspace = made(f"@{tmp_path / 'repos.txt'}").build()
    ledger = workspace.ledger()
    assert {repo for repo, path in ledger if path} == {"r0", "r1"}
    (problem,) = workspace.problems()
    assert problem["location"].endswith("repos.txt:5")
    assert "does not exist" in problem["reason"]


KILLED = """
import sys
from pathlib import Path
from starloom.stages import all_stages, load_settings
from starloom.workspace.run import build

root = Path(sys.argv[1])
settings = load_settings(root)
build(root, all_stages()[:1], settings, settings.engine, "test")
"""


@pytest.mark.slow
def test_kill_in_the_middle_of_200_repositories_then_resume(made, tmp_path):
    template = git_repository(tmp_path / "template", {"LICENSE": MIT, "a.py": code(0)})
    for number in range(200):
        folder = tmp_path / "repos" / f"r{number:03}"
        shutil.copytree(template, folder)
        building.put(folder, {"b.py": code(number)})
        Git(folder).commit()
    whole = Workspace(tmp_path / "undisturbed", tmp_path / "repos").build("list")
    killed = made(tmp_path / "repos")
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(killed.root)], start_new_session=True)
    waiting = killed.root / ".starloom" / "listed"
    deadline = time.monotonic() + 120
    while len(list(waiting.glob("*.parquet"))) < 60:
        assert process.poll() is None, "it ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    with contextlib.suppress(ProcessLookupError):
        while True:  # its workers die on their own time, and hold the lock until then
            os.killpg(process.pid, signal.SIGKILL)
            time.sleep(0.05)
    assert not (killed.root / "listing" / "manifest.json").exists()
    done = {path.name: path.stat().st_mtime_ns for path in waiting.glob("*.parquet")}
    assert 60 <= len(done) < 200
    killed.build("list")
    assert not waiting.exists()
    for name in ("files.parquet", "repositories.parquet", "problems.parquet"):
        assert (killed.root / "listing" / name).read_bytes() == (whole.root / "listing" / name).read_bytes()
    first, second = (json.loads((one.root / "listing/manifest.json").read_text()) for one in (whole, killed))
    assert first["files"] == second["files"]
