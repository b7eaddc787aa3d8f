"""A git repository, bare or not, read from its objects: the main branch's last commit, never the work tree.

`git ls-tree` lists, `git cat-file --batch` reads, both without the repository's configuration (see
`git_folder`). Main revision: the branch that `refs/remotes/origin/HEAD` names (the local branch of that name,
else the remote one), else HEAD, else `main`, else `master`. Memory: one content at a time, plus the paths of
a listing. Not covered: submodules' contents (listed as such), large-file storage (the pointer file is the
content), other branches.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from starloom.identity import content_id
from starloom.outside.paths import text_path
from starloom.outside.processes import ProcessError, Stream, run
from starloom.sources.git_folder import SECONDS, GitFolder, git_refs, locate, name_from_url, neutral, setting
from starloom.sources.git_history import first_seen
from starloom.sources.repository import (
    MAX_ENTRIES,
    SUBMODULE,
    SYMLINK,
    Content,
    Entry,
    Repository,
    RepositoryProblem,
    SourceError,
    Wanted,
    checked_entry,
    utc,
)

IDLE_SECONDS = 120.0  # without any output: git waits for something that will not come, as a FIFO
BATCH = 50_000  # contents asked of one `git cat-file`; about 2 MB of names
MAX_RESTARTS = 1_000  # of `git cat-file` for one call of `contents`: it dies of every corrupt object
MAX_LISTED_PATH = 1 << 20  # bytes; a longer path ends the listing
COMMIT_LIMIT = 1 << 24  # bytes of a commit object
_HASH = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class _Commit:
    revision_id: str
    directory_id: str
    author_time: int | None
    committer_time: int | None


class GitSource:
    """One git repository at its main revision, which is resolved when the source is made."""

    def __init__(self, repository: Repository, folder: GitFolder) -> None:
        self._repository = repository
        self._folder = folder

    @classmethod
    def at(cls, path: Path, rights: str) -> "GitSource":
        """The repository at the absolute, resolved `path`. Raises SourceError where it is not read."""
        folder = locate(path)
        location = str(path)
        branch, revision = _main_revision(location, folder)
        commit = _commit(location, folder, revision)
        repository = Repository(
            repo_name=name_from_url(setting(folder, "remote.origin.url") or "") or _folder_name(path),
            kind="git",
            location=location,
            rights=rights,
            revision_id=commit.revision_id,
            directory_id=commit.directory_id,
            branch_name=branch,
            revision_date=utc(commit.author_time),
            committer_date=utc(commit.committer_time),
        )
        return cls(repository, folder)

    def repository(self) -> Repository:
        """The row of this repository."""
        return self._repository

    def renamed(self, repo_name: str) -> "GitSource":
        """This source under another name."""
        return GitSource(replace(self._repository, repo_name=repo_name), self._folder)

    def state(self) -> str:
        """The main revision as it is now. Another one than in `repository` means: open the source again."""
        _, revision = _main_revision(self._repository.location, self._folder)
        return f"git:sha1:{revision}"

    def entries(self, max_bytes: int) -> Iterator[Entry]:  # noqa: ARG002
        """Every path of the main revision's tree; git knows each hash, so no content is read."""
        argv = ["ls-tree", "-r", "-z", "-l", "--full-tree", self._repository.directory_id or ""]
        seen: set[bytes] = set()
        with (
            neutral(self._folder) as (git, environment),
            Stream([*git, *argv], environment, idle_timeout=IDLE_SECONDS) as stream,
        ):
            try:
                while (line := stream.read_until(b"\0", MAX_LISTED_PATH)) is not None:
                    if len(seen) >= MAX_ENTRIES:
                        raise self._failed(f"more than {MAX_ENTRIES} paths")
                    entry = _entry(line)
                    if entry.raw_path in seen:
                        entry = replace(entry, content_id=None, problem="duplicate path")
                    seen.add(entry.raw_path)
                    yield entry
                status = stream.finish()
            except ProcessError as problem:
                raise self._failed(f"its files cannot be listed: {problem}") from None
            if status:
                raise self._failed(f"its files cannot all be listed: {_complaint(stream)}")

    def contents(self, wanted: Iterable[Wanted]) -> Iterator[Content]:
        """Each content from git's objects, re-hashed."""
        restarts = 0
        iterator = iter(wanted)
        with neutral(self._folder) as (git, environment):
            batch = [*git, "cat-file", "--batch"]
            while waiting := list(islice(iterator, BATCH)):
                done = 0
                while done < len(waiting):
                    for content in _read(batch, environment, waiting[done:]):
                        yield content
                        done += 1
                    if done == len(waiting):
                        break
                    # git died of an object, or lost what it had not yet written: ask for the next one alone.
                    restarts += 1
                    if restarts > MAX_RESTARTS:
                        yield Content(waiting[done].content_id, None, "unreadable: too many corrupt objects before it")
                    else:
                        yield _read_alone(batch, environment, waiting[done])
                    done += 1

    def first_seen(self, content_ids: set[str]) -> dict[str, datetime]:
        """When the main revision's history first had each content: see `git_history`."""
        revision = self._repository.revision_id or ""
        return first_seen(self._repository.location, self._folder, revision, content_ids)

    def _failed(self, reason: str) -> SourceError:
        return SourceError(RepositoryProblem(self._repository.location, reason, "see what `git fsck` says of it"))


def _main_revision(location: str, folder: GitFolder) -> tuple[str | None, str]:
    """Name of the main branch (None: HEAD is detached) and its commit. Raises SourceError."""
    complaint = ""
    try:
        for name in _main_names(folder):
            found = git_refs(folder, "rev-parse", "--verify", "--quiet", name)
            revision = found.stdout.decode("ascii", "replace").strip()
            if not found.returncode and _HASH.fullmatch(revision):
                return (None if name == "HEAD" else text_path(os.fsencode(name))), revision
            complaint = complaint or found.stderr.strip()
    except ProcessError as problem:
        raise SourceError(RepositoryProblem(location, f"its branches cannot be read: {problem}")) from None
    reason = "it has no commits on a main branch" + (f": {complaint}" if complaint else "")
    raise SourceError(RepositoryProblem(location, reason, "commit something first, or see what `git fsck` says of it"))


def _main_names(folder: GitFolder) -> Iterator[str]:
    remote = _symbolic(folder, "refs/remotes/origin/HEAD")
    prefix = "refs/remotes/origin/"
    if remote is not None and remote.startswith(prefix):
        yield "refs/heads/" + remote.removeprefix(prefix)
        yield remote
    head = _symbolic(folder, "HEAD")
    yield head if head is not None and head.startswith("refs/") else "HEAD"
    yield from ("refs/heads/main", "refs/heads/master")


def _symbolic(folder: GitFolder, name: str) -> str | None:
    found = git_refs(folder, "symbolic-ref", "--quiet", name)
    return None if found.returncode else os.fsdecode(found.stdout.rstrip(b"\n"))


def _commit(location: str, folder: GitFolder, revision: str) -> _Commit:
    """The commit's own words: its tree and its two times (seconds since 1970)."""
    with neutral(folder) as (git, environment):
        try:
            found = run([*git, "cat-file", "commit", revision], environment, timeout=SECONDS, max_output=COMMIT_LIMIT)
        except ProcessError as problem:
            raise SourceError(RepositoryProblem(location, f"its last commit cannot be read: {problem}")) from None
    header = found.stdout.split(b"\n\n", 1)[0]
    tree = re.match(rb"tree ([0-9a-f]{40})(?:\n|$)", header)
    if found.returncode or tree is None:
        reason = f"its last commit {revision} is missing or corrupt"
        raise SourceError(RepositoryProblem(location, reason, "see what `git fsck` says of it"))
    return _Commit(revision, tree[1].decode(), _time(header, b"author"), _time(header, b"committer"))


def _time(header: bytes, field: bytes) -> int | None:
    found = re.search(rb"^" + field + rb" [^\n]*> (\d{1,15}) [^\n]*$", header, re.MULTILINE)
    return int(found[1]) if found else None


def _entry(line: bytes) -> Entry:
    """One record of `git ls-tree -l -z`: `MODE TYPE HASH SIZE<tab>PATH`; the size may be `-` or `BAD`."""
    meta, _, raw = line.partition(b"\t")
    mode_text, kind, name, size_text = meta.split()
    mode = int(mode_text, 8)
    size = int(size_text) if size_text.isdigit() else None
    if mode == SUBMODULE or kind == b"commit":
        return checked_entry(raw, "submodule", mode, None, None)
    if mode == SYMLINK:
        return checked_entry(raw, "symlink", mode, size, None)
    if kind != b"blob" or mode & 0o170000 != 0o100000:
        return checked_entry(raw, "special", mode, None, None, f"a {kind.decode()} of mode {mode:o}")
    if size is None:
        return checked_entry(raw, "file", mode, None, None, "missing: the clone lacks this object, or it is corrupt")
    return checked_entry(raw, "file", mode, size, name.decode("ascii"))


def _read(batch: list[str], environment: dict[str, str], waiting: list[Wanted]) -> Iterator[Content]:
    """Answers in order until git ends, which may be before the last one."""
    feed = b"".join(b"%b\n" % one.content_id.encode("ascii") for one in waiting)
    with Stream([*batch, "--buffer"], environment, feed=feed, idle_timeout=IDLE_SECONDS) as stream:
        for one in waiting:
            try:
                answer = _answer(stream, one)
            except ProcessError:
                return
            if answer is None:
                return
            yield answer


def _read_alone(batch: list[str], environment: dict[str, str], wanted: Wanted) -> Content:
    feed = wanted.content_id.encode("ascii") + b"\n"
    with Stream(batch, environment, feed=feed, idle_timeout=IDLE_SECONDS) as stream:
        try:
            answer = _answer(stream, wanted)
            if answer is not None:
                return answer
            stream.finish()
            reason = _complaint(stream)
        except ProcessError as problem:
            reason = f"{_complaint(stream)} ({problem})"
    return Content(wanted.content_id, None, f"corrupt: {reason}")


def _answer(stream: Stream, wanted: Wanted) -> Content | None:
    """What `git cat-file --batch` says of one content; None when it ended. Holds at most the listed size."""
    header = stream.read_until(b"\n")
    if header is None:
        return None
    words = header.split(b" ")
    if len(words) != 3:
        return Content(wanted.content_id, None, "missing: the clone lacks this object, or it is corrupt")
    size = int(words[2])
    if words[1] != b"blob" or size != wanted.size:
        stream.skip(size + 1)
        return Content(wanted.content_id, None, f"not the listed content: a {words[1].decode()} of {size} bytes")
    data = stream.read_exactly(size)
    stream.skip(1)
    if content_id(data) != wanted.content_id:
        return Content(wanted.content_id, None, "corrupt: its bytes do not hash to its name")
    return Content(wanted.content_id, data)


def _complaint(stream: Stream) -> str:
    lines = stream.stderr.strip().splitlines()
    return text_path(lines[-1].encode()) if lines else "git said nothing"


def _folder_name(path: Path) -> str:
    name = path.name.removesuffix(".git") or path.parent.name
    return text_path(os.fsencode(name)) or "repository"
