"""Real git repositories with fixed people and dates."""

import os
import subprocess
from pathlib import Path

import pytest

START = 1_500_000_000  # seconds since 1970 of the first commit; each later one an hour after


class Git:
    """Runs the real `git`, plainly: this is the user's git, not the product's."""

    def __init__(self, path):
        self.path = Path(path)
        self.hours = 0
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path.parent),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.org",
            "GIT_COMMITTER_NAME": "Bob",
            "GIT_COMMITTER_EMAIL": "bob@example.org",
            "LC_ALL": "C",
        }

    def __call__(self, *arguments, feed=None, check=True, text=True):
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env=self.env | {"GIT_AUTHOR_DATE": f"{self.now - 60} +0200", "GIT_COMMITTER_DATE": f"{self.now} -0500"},
            input=feed,
            capture_output=True,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"git {arguments}: {done.stderr.decode()}")
        return done.stdout.decode().strip() if text else done.stdout

    @property
    def now(self):
        return START + 3600 * self.hours

    def write(self, **files):
        for name, data in files.items():
            self.put(name, data)

    def put(self, name, data):
        path = self.path / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def commit(self, message="more"):
        self("add", "-A")
        self("commit", "-q", "--allow-empty", "-m", message)
        self.hours += 1
        return self("rev-parse", "HEAD")

    def blob(self, data):
        return self("hash-object", "-w", "-t", "blob", "--stdin", feed=data)

    def tree(self, *entries):
        """A tree of (mode, name, hash), as they are: no check of names, order or repetition."""
        raw = b"".join(b"%b %b\0%b" % (mode, name, bytes.fromhex(one)) for mode, name, one in entries)
        return self("hash-object", "-w", "-t", "tree", "--literally", "--stdin", feed=raw)

    def point_main_at(self, tree):
        commit = self("commit-tree", tree, "-m", "crafted")
        self("update-ref", "refs/heads/main", commit)
        return commit


@pytest.fixture
def new_git(tmp_path):
    def make(name="work", *options):
        path = tmp_path / name
        path.mkdir(parents=True)
        git = Git(path)
        git("init", "-q", "-b", "main", *options)
        return git

    return make


@pytest.fixture
def git(new_git):
    return new_git()


@pytest.fixture
def place(tmp_path):
    from starloom.engine.local import LocalEngine
    from starloom.engine.verbs import EngineSettings
    from starloom.sources.repository import Place

    with LocalEngine(EngineSettings(workers=1), tmp_path / "spill") as engine:
        yield Place(tmp_path / "fetched", engine)


@pytest.fixture
def open_path(place):
    """What a path stands for."""
    from starloom.sources import open as opening
    from starloom.sources.repository import SourceSettings

    return lambda path, rights="public": opening.open_source(SourceSettings(str(path), rights), place)


@pytest.fixture
def opened(open_path):
    """The one source at a path, which must be without problems."""

    def one(path):
        found = open_path(path)
        assert found.problems == []
        (source,) = found.sources
        return source

    return one


@pytest.fixture
def refused(open_path):
    """The one problem of a path that must give no source."""

    def one(path):
        found = open_path(path)
        assert found.sources == []
        (problem,) = found.problems
        assert problem.reason
        return problem

    return one


@pytest.fixture
def read():
    """{raw path: content or problem} of everything a source lists as a readable file."""
    from starloom.sources.repository import Wanted

    def everything(source, max_bytes=1 << 20):
        wanted = [Wanted(one.raw_path, one.content_id, one.size) for one in source.entries(max_bytes) if one.content_id]
        answers = list(source.contents({one.content_id: one for one in wanted}.values()))
        data = {one.content_id: one.problem if one.data is None else one.data for one in answers}
        assert len(answers) == len(data)
        return {one.raw_path: data[one.content_id] for one in wanted}

    return everything


@pytest.fixture
def first_seen():
    """{content id: seconds since 1970} of those ids that a source's history knows."""
    from starloom.sources.content_ids import ContentIds

    def seen(source, hexes):
        found = source.first_seen(ContentIds(hexes))
        assert len(found) == len(set(hexes))
        places = ContentIds(hexes).places(sorted(set(hexes)))
        return {one: found[place] for one, place in zip(sorted(set(hexes)), places) if found[place] >= 0}

    return seen
