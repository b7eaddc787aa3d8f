"""Workspaces for tests: repositories from plain data, a build through the public interfaces, and its tables as rows."""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import forked
from sources.conftest import Git
from starloom.stages import SETTINGS_FILE, all_stages, initialise, load_settings
from starloom.the_stack import tables
from starloom.the_stack.why import explain, words
from starloom.workspace.run import build, engine

ENGINE = "\n[engine]\nworkers = 1\n"
MIT = Path(__file__).with_name("mit.txt").read_bytes()
DAMAGED = b"\xff\xfe" + "print('cut off".encode("utf-16-le")[:-1]  # it says UTF-16, and half a character is missing
GPL_NOTICE = b"""# This program is free software: you can redistribute it and/or modify
# it under the terms of the GNU General Public License as published by
# the Free Software Foundation, either version 3 of the License, or
# (at your option) any later version.
"""


def gpl():
    """The text of the GNU General Public License 3, as every Debian has it."""
    path = Path("/usr/share/common-licenses/GPL-3")
    if not path.exists():
        pytest.skip(f"{path} is missing")
    return path.read_bytes()


def code(seed, lines=12):
    """Python that resembles no other: words drawn by `seed`."""
    dice = random.Random(f"code {seed}")
    words = ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=dice.randint(4, 9))) for _ in range(60)]
    rows = []
    for number in range(lines):
        a, b, c, d = dice.sample(words, 4)
        rows.append(f"def {a}_{number}({b}, {c}):\n    return {b}.{d}({c}) + {dice.randint(0, 999)}\n")
    return "\n".join(rows).encode()


def put(folder, files):
    """The files of {path: bytes} below `folder`, paths as text or bytes; None removes one."""
    for name, data in files.items():
        path = Path(folder) / os.fsdecode(name)
        if data is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def git_repository(path, *commits, hours=0):
    """A git repository, one commit for each {path: bytes}, the first `hours` hours after the start of time."""
    path = Path(path)
    path.mkdir(parents=True)
    git = Git(path)
    git.hours = hours
    git("init", "-q", "-b", "main")
    for files in commits:
        put(path, files)
        git.commit()
    return path


def folder(path, files):
    """A plain folder."""
    Path(path).mkdir(parents=True)
    put(path, files)
    return Path(path)


class Workspace:
    """A workspace on disk. `sources`: paths, or (path, rights)."""

    def __init__(self, root, *sources, recipe="small", extra=ENGINE):
        self.root = Path(root)
        named = [one if isinstance(one, tuple) else (one, "public") for one in sources]
        (first, rights), *rest = named
        initialise(self.root, (str(first),), recipe, rights, extra=extra)
        for path, rights in rest:
            self.add(path, rights)

    @property
    def settings_file(self):
        return self.root / SETTINGS_FILE

    def add(self, path, rights="public"):
        self.configure(f"[[sources]]\npath = {json.dumps(str(path))}\nrights = {json.dumps(rights)}\n")

    def configure(self, toml):
        """More of starloom.toml."""
        with self.settings_file.open("a") as file:
            file.write("\n" + toml)

    def replace(self, old, new):
        text = self.settings_file.read_text()
        assert old in text
        self.settings_file.write_text(text.replace(old, new))

    def build(self, stage=None):
        settings = load_settings(self.root)
        stages = all_stages()
        if stage:
            stages = stages[: [one.name for one in stages].index(stage) + 1]
        build(self.root, stages, settings, settings.engine, "test")
        return self

    def ledger(self):
        """{(repo_name, path): row}, no row lost or double."""
        rows = pq.read_table(tables.ledger(self.root)[0]).to_pylist()
        found = {(row["repo_name"], row["path"]): row for row in rows}
        assert len(found) == len(rows)
        return found

    def row(self, repo_name, path):
        return self.ledger()[repo_name, path]

    def listing(self):
        return pq.read_table(tables.listed_files(self.root)[0]).to_pylist()

    def problems(self):
        return pq.read_table(tables.problems(self.root)[0]).to_pylist()

    def pairs(self):
        """{(left, right): Jaccard}."""
        rows = pq.read_table(tables.pairs(self.root)[0]).to_pylist()
        return {(row["left"], row["right"]): row["jaccard"] for row in rows}

    def dataset(self, form="files"):
        """The rows of both splits, each with its `split`."""
        return [
            row | {"split": split}
            for split in ("train", "held_out")
            for path in tables.dataset(self.root, form, split)
            for row in pq.read_table(path).to_pylist()
        ]

    def facts(self, name):
        return json.loads((self.root / name / "manifest.json").read_text())["facts"]

    def why(self, what, limit=20):
        with engine(self.root, load_settings(self.root).engine) as local:
            return explain(self.root, local, what, limit)

    def outputs(self):
        """The bytes of what must not depend on history: ledger and dataset."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for name in ("ledger", "dataset")
            for path in sorted((self.root / name).rglob("*"))
            if path.is_file()
        }

    def runs(self):
        """The run log: one entry for each stage that ran."""
        path = self.root / ".starloom" / "runs.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def build_again(self):
        """The run log's entries of one more build, by stage."""
        before = len(self.runs())
        self.build()
        return {entry["stage"]: entry for entry in self.runs()[before:]}


def explain_words(workspace, what):
    """What `starloom why` prints."""
    return words(workspace.why(what))


def verdicts(rows):
    """How many rows of each (verdict, rule)."""
    return Counter((row["verdict"], row["rule"]) for row in rows)


def starloom(*arguments, cwd=None, env=None, timeout=120):
    """The command line in a process of its own; `env`: in one that has not even imported anything before."""
    if env is None:
        return forked.starloom([*map(str, arguments)], cwd, timeout)
    return subprocess.run(
        [sys.executable, "-c", "from starloom.commands import main; main()", *map(str, arguments)],
        cwd=cwd,
        env=dict(os.environ) | env,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=timeout,
    )
