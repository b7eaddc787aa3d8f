"""What the fork server of `forked` imports: does once what most commands do, so that each finds loaded what it needs.

A command that starts cold loads kernels, compiles patterns and lays out automata: 2.5 of the 4 seconds that a build of
a few files takes. With one worker DuckDB leaves no thread behind, and Arrow makes its own anew in a forked process.
"""

import contextlib
import io
import tempfile
from pathlib import Path

import starloom.completion.local  # this and the next two: imported, as their work is that of few commands
import starloom.report.page
import starloom.training.pretraining  # noqa: F401
from starloom.commands import group
from the_stack import building


def _work() -> None:
    with tempfile.TemporaryDirectory(prefix="starloom-at-work-") as folder:
        base = Path(folder)
        files = {"LICENSE": building.MIT, "a.py": building.code("a"), "b.py": building.code("b")}
        made = building.Workspace(base / "w", building.folder(base / "s", files)).build()
        for words in (
            ["index"],
            ["status"],
            ["why", "a.py"],
            ["search", "return"],
            ["check", str(base / "s" / "a.py")],
        ):
            with contextlib.redirect_stdout(io.StringIO()):
                group.main([*words, "-w", str(made.root)], standalone_mode=False)


with contextlib.redirect_stderr(io.StringIO()):
    _work()
