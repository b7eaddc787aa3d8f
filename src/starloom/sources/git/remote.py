"""A git repository on another machine: its main branch's last commit, fetched whole into a bare repository of our own.

Depth 1, no tags, no submodules. Not blob-less: nearly all contents are read, and asking for them one batch after the
other costs more than the few that are too large. Which branch: the rules of `refs.py`, where the server's HEAD is
the default branch. What was fetched stays until `place.update`. Written aside and renamed last; a killed fetch leaves a
folder that the next one removes, and starts again from nothing: git cannot resume.

Cost: three connections and the pack. Not covered: history (a shallow clone's last commit seems to introduce everything
before it), and servers without git's own protocol ("dumb" http).
"""

import hashlib
import os
import re
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from starloom import progress
from starloom.sources.aside import locked, publish_folder
from starloom.sources.git.network import RemoteError, ask, resolved
from starloom.sources.git.source import GitSource
from starloom.sources.git.url import Remote, name_from_url, parse_remote
from starloom.sources.repository import Opened, Place, RepositoryProblem, SourceError, SourceSettings

FOLDER = "git"  # in the place
WAITS = (1.0, 5.0)  # seconds before another try
_DETACHED = "refs/starloom/head"  # where a HEAD that is no branch is fetched to
_REF = re.compile(r"refs/heads/[^\x00-\x20\x7f~^:?*\[\\]+")


def open_remote(url: str, settings: SourceSettings, place: Place) -> Opened:
    """The repository at `url`, as it was fetched, else what fetches it. Raises UserError for a URL that is refused."""
    remote = parse_remote(url)
    fetched = fetched_folder(remote, place)
    if place.update or not fetched.is_dir():
        return Opened([], [], [RemoteGit(remote)])
    try:
        return Opened([GitSource.at(fetched, settings.rights, place.main_branch, remote.url)], [])
    except SourceError as failure:
        return Opened([], [replace(failure.problem, hint="fetch it again: `starloom build --update`")])


class RemoteGit:
    """A repository that lies elsewhere."""

    alone = False

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self.location = remote.url  # it has no password
        self.repo_name = name_from_url(remote.url)

    def fetch(self, place: Place) -> None:
        """Into the place, in place of what was fetched before. Raises SourceError."""
        fetched = fetched_folder(self._remote, place)
        if self._remote.scheme in ("http", "git"):
            progress.say(
                f"{self.location} comes unencrypted: whoever is on the way may change it; https does not let them"
            )
        try:
            fetched.parent.mkdir(parents=True, exist_ok=True)
            with locked(fetched.with_suffix(".lock")):
                if place.update or not fetched.is_dir():  # the same URL may stand twice in a list
                    self._try(fetched, place.main_branch)
        except RemoteError as problem:
            raise SourceError(RepositoryProblem(self.location, str(problem), problem.hint)) from None
        except OSError as problem:
            reason = f"it cannot be kept: {problem.filename}: {problem.strerror}"
            raise SourceError(
                RepositoryProblem(self.location, reason, "see that there is room, and fetch again")
            ) from None

    def _try(self, fetched: Path, rule: str) -> None:
        for stale in fetched.parent.glob(f"{fetched.stem}.*.part"):
            shutil.rmtree(stale, ignore_errors=True)
        for wait in WAITS:
            try:
                self._once(fetched, rule)
            except RemoteError as problem:
                if not problem.retryable:
                    raise
                time.sleep(wait)
            else:
                return
        self._once(fetched, rule)

    def _once(self, fetched: Path, rule: str) -> None:
        part = Path(tempfile.mkdtemp(prefix=f"{fetched.stem}.", suffix=".part", dir=fetched.parent))
        try:
            _fetch_into(part, self._remote, rule)
            GitSource.at(part, "public", rule, self.location)  # what came can be opened
            publish_folder(part, fetched)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def fetched_folder(remote: Remote, place: Place) -> Path:
    """Where a repository lies that was fetched into the place."""
    return place.folder / FOLDER / f"{hashlib.sha256(remote.url.encode()).hexdigest()[:16]}.git"


def _fetch_into(folder: Path, remote: Remote, rule: str) -> None:
    """The last commit of the main branch, into the empty `folder`, whose HEAD is then that branch."""
    (folder / "refs").mkdir()
    (folder / "objects").mkdir()
    (folder / "HEAD").write_text("ref: refs/heads/none\n")
    (folder / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
    here = resolved(remote)
    name = _main_branch(here, str(folder), rule)
    target = _DETACHED if name == "HEAD" else name
    options = ["--depth=1", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance", "--no-write-fetch-head"]
    ask(here, str(folder), ["fetch", *options, "--progress", "--", here.url, f"+{name}:{target}"])
    head = (folder / target).read_bytes() if name == "HEAD" else b"ref: %b\n" % os.fsencode(target)
    (folder / "HEAD").write_bytes(head)


def _main_branch(remote: Remote, git_dir: str, rule: str) -> str:
    """The ref to fetch: the server's default branch, else what the rule takes. Raises RemoteError."""
    asked = ["HEAD", "refs/heads/main", "refs/heads/master"]
    lines = ask(remote, git_dir, ["ls-remote", "--symref", "--", remote.url, *asked]).decode("utf-8", "surrogateescape")
    default, there = None, set()
    for line in lines.splitlines():
        value, _, name = line.partition("\t")
        if name == "HEAD" and value.startswith("ref: "):
            default = value.removeprefix("ref: ")
        else:
            there.add(name)
    if default is not None and "HEAD" in there:
        if not _REF.fullmatch(default) or ".." in default or default.endswith(".lock"):
            raise RemoteError("its default branch has a name that is none")
        return default
    order = (
        ("refs/heads/main", "refs/heads/master")
        if rule == "paper"
        else ("HEAD", "refs/heads/master", "refs/heads/main")
    )
    for name in order:
        if name in there:
            return name
    raise RemoteError("it has no commits on a main branch", "see what `git ls-remote --symref` says of it")
