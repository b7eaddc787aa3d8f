"""Every file-system operation of every stage fails once: what is there stays whole, and the same command goes on.

By stage, on the smallest workspace, in this process (`workers = 1`). By default some operations of each stage; all of
them (some 1,200 cases, ten minutes): STARLOOM_EVERY_FAULT=1.
"""

import os
import re
import shutil
from itertools import pairwise

import pytest

from starloom.stages import all_stages, load_settings
from starloom.workspace.manifest import verify_all
from starloom.workspace.run import build
from the_stack import building
from the_stack.building import MIT, code

STAGES = [stage.name for stage in all_stages()]
IGNORED = (".starloom/*",)  # the lock, the log and scratch
ALL = os.environ.get("STARLOOM_EVERY_FAULT") == "1"
EVERY = {"list": 5, "read": 6, "measure": 29, "pair": 4, "decide": 6, "write": 9, "collect": 1}


def run_stage(root, name):
    settings = load_settings(root)
    build(root, all_stages()[: STAGES.index(name) + 1], settings, settings.engine, "test")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Two folders, six files: copies, near copies, a licence, a refused file, an encoding."""
    base = tmp_path_factory.mktemp("sources")
    near = code("a").replace(b"return", b"yield", 1)
    return [
        building.folder(base / "a", {"LICENSE": MIT, "a.py": code("a"), "b.py": "# é\n".encode("latin-1") + code("b")}),
        building.folder(base / "b", {"near.py": near, "again.py": code("a"), "x.bin": b"\0"}),
    ]


@pytest.fixture(scope="module")
def before(source, tmp_path_factory):
    """Per stage, a workspace in which all stages before it are done."""
    base = tmp_path_factory.mktemp("before")
    building.Workspace(base / STAGES[0], *source)
    for done, name in pairwise(STAGES):
        shutil.copytree(base / done, base / name)
        run_stage(base / name, done)
    return {name: base / name for name in STAGES}


def whole(root):
    """Every folder that a manifest names is there as it says."""
    if list(root.glob("[a-z]*/manifest.json")):
        assert verify_all(root)[1] == {}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ENOSPC", "ENOSPC for good", "EIO", "short for good", "halt"])
@pytest.mark.parametrize("stage", STAGES)
def test_every_operation_fails_once(faults, before, stage, kind):
    """A UserError or no error at all; then the same command, and every byte is that of an undisturbed run."""
    cases = faults.enumerate_faults(
        lambda root: run_stage(root, stage),
        whole,
        prepare=lambda root: shutil.copytree(before[stage], root, dirs_exist_ok=True),
        kinds=[kind],
        every=1 if ALL else (4 if stage == "measure" else 1) if kind.startswith("short") else EVERY[stage],
        ignore=IGNORED,
    )
    assert sum(cases.values()) >= 2, "hardly a case: another step is needed"


def test_every_operation_of_a_change_fails_once(faults, before, source):
    """The same where an older ledger and dataset are replaced: a reader sees the old one or the new one."""

    def prepare(root):
        shutil.copytree(before["write"], root, dirs_exist_ok=True)
        run_stage(root, "write")
        settings = root / "starloom.toml"
        settings.write_text(settings.read_text() + "\n[decide]\nnear_duplicates = 0.99\n")

    cases = faults.enumerate_faults(
        lambda root: run_stage(root, "write"),
        whole,
        prepare=prepare,
        kinds=["halt"],
        every=1 if ALL else 4,
        ignore=IGNORED,
    )
    assert cases["halt"] > 4


def test_the_count_of_operations_is_known(faults, before):
    """How many places there are to fail in: a stage that suddenly has fewer writes past the seam."""
    counts = {}
    for stage in STAGES:
        folder = faults.folder()
        shutil.copytree(before[stage], folder, dirs_exist_ok=True)
        seen = faults.operations(lambda root, stage=stage: run_stage(root, stage), folder)
        counts[stage] = len(seen)
        published = {path for operation, path in seen if operation == "rename"}
        assert any(re.search(r"(^|/)[a-z_]+$|manifest\.json$", path) for path in published), stage
    assert all(count > 10 for count in counts.values()), counts
