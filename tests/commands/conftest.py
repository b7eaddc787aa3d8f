"""The command line as a process of its own, on workspaces made by itself."""

import pytest

from the_stack import building


@pytest.fixture
def cli(tmp_path):
    """`cli("why", "x.py", cwd=…)`: the finished process; text in `stdout` and `stderr`."""
    return lambda *arguments, **options: building.starloom(*arguments, **({"cwd": tmp_path} | options))


@pytest.fixture
def refused():
    """Checks that a process failed as it should: one clear message, a hint, no traceback. Gives the message."""

    def check(done, *words, code=1):
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        if code == 1:
            assert done.stderr.count("error: ") == 1
            assert "\n\nhint: " in done.stderr
        for word in words:
            assert word in done.stderr
        return done.stderr

    return check


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A small workspace, built: a git repository and a folder, with one of each verdict."""
    base = tmp_path_factory.mktemp("built")
    near = building.code("a", 40).replace(b"return", b"yield", 1)
    files = {"LICENSE": building.MIT, "src/pkg/a.py": building.code("a", 40), "b.py": building.code("b")}
    other = {
        "near.py": near,
        "copy.py": building.code("b"),
        "LICENSE": building.MIT,
        "damaged.py": building.DAMAGED,
        "latin.py": "# Grüße aus Köln\n".encode("latin-1") + building.code("l"),
        "odd name \x1b[31m.py": building.code("odd"),
    }
    return building.Workspace(
        base / "w", building.git_repository(base / "one", files), building.git_repository(base / "two", other, hours=9)
    ).build()
