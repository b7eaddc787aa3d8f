"""What a work tree, its index or a revision has more than another revision, as a patch: `git diff`, read line by line.

Git gets an empty repository of our own with the objects, the index and the files of the real one: nothing of its
configuration takes part (no filter, no diff driver, no monitor), and no attribute hides a file. Names of revisions
alone are resolved by the repository itself, which runs nothing. Memory: one chunk of output and the longest line.
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from starloom.errors import UserError
from starloom.outside.processes import ProcessError, Stream, run
from starloom.sources.git.folder import (
    MEMORY,
    OPTIONS,
    SECONDS,
    GitFolder,
    complaint,
    environment,
    is_git,
    locate,
    neutral,
)
from starloom.sources.repository import SourceError

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
LONGEST_LINE = 1 << 28  # bytes
IDLE_SECONDS = 120.0  # without any output
WHOLE = 10_000_000  # lines of context: all of a file

_RANGE = re.compile(r"(.*?)(\.\.\.?)(.*)", re.DOTALL)
_OPTIONS = [
    f"--unified={WHOLE}",
    "--text",  # an attribute must not hide a file; what is no text is told by who reads the patch
    "--find-renames",
    "--ignore-all-space",  # a line that is only indented anew is not new
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-relative",
    "--ignore-submodules=all",
    "--src-prefix=a/",
    "--dst-prefix=b/",
]


def root_around(here: Path) -> Path | None:
    """The root of the work tree of git around a folder, by its real path; None where there is none."""
    return next((folder for folder in (here, *here.parents) if os.path.lexists(folder / ".git")), None)


class WorkTree:
    """The work tree of git around a folder."""

    def __init__(self, here: Path) -> None:
        """Raises UserError where there is none, or one that is not read (see `sources/git/folder`)."""
        here = here.resolve()
        found = root_around(here)
        if found is None:
            hint = "go into one, or give a diff: git diff … | starloom check --diff -"
            raise UserError(f"{here} is in no work tree of git{' (it is bare)' if is_git(here) else ''}", hint)
        self.root = found
        try:
            self._folder: GitFolder = locate(found)
        except SourceError as refused:
            hint = "a diff of your own git is read as well: git diff … | starloom check --diff -"
            raise UserError(f"{found}: {refused.problem.reason}", hint) from None

    def staged(self, paths: Sequence[Path] = ()) -> Iterator[list[bytes]]:
        """What the index has more than the last commit; in a hook of git, the index that is about to be committed."""
        return self._diff(["--cached", self._revision("HEAD", EMPTY_TREE)], paths)

    def since(self, revision: str, paths: Sequence[Path] = ()) -> Iterator[list[bytes]]:
        """What the files have more than `revision` (`A..B`: B more than A; `A...B`: more than where it left A).

        Raises UserError for a revision that is not there, or when git fails; at the latest at the end.
        """
        found = _RANGE.fullmatch(revision)
        if found is None:
            return self._diff([self._revision(revision, EMPTY_TREE if revision == "HEAD" else None)], paths)
        one, two = self._revision(found[1] or "HEAD"), self._revision(found[3] or "HEAD")
        return self._diff([self._base(one, two, revision) if found[2] == "..." else one, two], paths)

    def untracked(self) -> bool:
        """Whether there are files that git neither tracks nor ignores: no diff shows them."""
        argv = ["ls-files", "--others", "--exclude-standard", "--directory", "--no-empty-directory", "-z"]
        with neutral(self._folder) as (git, variables):
            try:
                found = run([*git, "-C", str(self.root), *argv], variables | self._files(), timeout=SECONDS)
            except ProcessError:
                return False
        return bool(found.stdout)

    def _diff(self, what: Sequence[str], paths: Sequence[Path]) -> Iterator[list[bytes]]:
        inside = [self._inside(path) for path in paths]
        argv = ["--literal-pathspecs", "-C", str(self.root), "-c", "core.quotePath=false", "diff", *_OPTIONS]
        with (
            neutral(self._folder) as (git, variables),
            Stream(
                [*git, *argv, *what, "--", *inside],
                variables | self._files(),
                idle_timeout=IDLE_SECONDS,
                limits=MEMORY,
            ) as stream,
        ):
            try:
                yield from stream.pieces(b"\n", LONGEST_LINE)
                status = stream.finish()
            except ProcessError as problem:
                raise UserError(f"git diff in {self.root}: {problem}", "check files or folders instead") from None
            if status:
                hint = "a diff of your own git is read as well: git diff … | starloom check --diff -"
                raise UserError(f"git diff in {self.root}: {complaint(stream)}", hint)

    def _files(self) -> dict[str, str]:
        """Where git finds the index and the files. `git commit -a` gives its hooks an index of their own."""
        index = os.environ.get("GIT_INDEX_FILE")
        own = f"{self._folder.git_dir}/index"
        return {
            "GIT_WORK_TREE": str(self.root),
            "GIT_INDEX_FILE": str(self.root / index) if index else own,
            "GIT_ALLOC_LIMIT": "0",  # the files are the user's own, and may be large
        }

    def _revision(self, name: str, otherwise: str | None = None) -> str:
        """The hash of the commit of this name; `otherwise` where there is none, if given."""
        argv = ["git", f"--git-dir={self._folder.git_dir}", *OPTIONS, "rev-parse", "--verify", "--quiet"]
        found = None
        if not name.startswith("-"):
            try:
                found = run([*argv, f"{name}^{{commit}}"], environment(), timeout=SECONDS)
            except (ProcessError, ValueError):  # ValueError: a NUL in the name
                found = None
        if found is None or found.returncode:
            if otherwise:
                return otherwise
            hint = f"fetch it in CI with `fetch-depth: 0`, or `git fetch origin {name}`; or see `git log`"
            raise UserError(f"{self.root} has no revision {name}", hint)
        return found.stdout.decode("ascii").strip()

    def _base(self, one: str, two: str, name: str) -> str:
        with neutral(self._folder) as (git, variables):
            try:
                found = run([*git, "merge-base", one, two], variables, timeout=IDLE_SECONDS)
            except ProcessError as problem:
                raise UserError(
                    f"git merge-base in {self.root}: {problem}", f"try {name.replace('...', '..')}"
                ) from None
        if found.returncode:
            hint = "a CI checkout is shallow: `fetch-depth: 0`; else compare the two directly, with two dots"
            raise UserError(f"{name}: no common ancestor is known in {self.root}", hint)
        return found.stdout.decode("ascii").split()[0]

    def _inside(self, path: Path) -> str:
        found = os.path.relpath(os.path.abspath(path), self.root)  # noqa: PTH100 - links stay what they are
        if found == ".." or found.startswith("../"):
            raise UserError(f"{path} lies outside of {self.root}", "give paths of this work tree")
        return found
