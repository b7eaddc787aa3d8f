"""The main branch of a git repository and its last commit.

Two rules, where the paper and the published code of The Stack v2 disagree. Both take the default branch of the forge
where it is known: a clone remembers it in `refs/remotes/origin/HEAD` (the local branch of that name is taken, else the
remote one), and HEAD of a bare repository is it. Without it, `code` takes HEAD, then `master`, then `main`; `paper`
only a branch named `main` or `master`.

Refs are read here, not by git, so that neither a repository's configuration nor a FIFO among its refs matters. Cost: a
file for each name, and one pass over `packed-refs` at the speed of reading, however many branches there are.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from starloom.errors import UserError
from starloom.outside.paths import RefusedError, Root, read_descriptor, text_path
from starloom.outside.processes import ProcessError, run
from starloom.sources.git.folder import SECONDS, SMALL_FILE, GitFolder, neutral
from starloom.sources.git.store import Store
from starloom.sources.repository import RepositoryProblem, SourceError

RULES = ("code", "paper")
LINKS = 5  # symbolic refs that lead to each other; git's own limit
COMMIT_LIMIT = 1 << 24  # bytes of a commit object
_REMOTE = b"refs/remotes/origin/"
_HASH = re.compile(rb"[0-9a-f]{40}(?=\s|$)")
_SYMBOLIC = re.compile(rb"ref:\s*(refs/[^\n\0]+?)\s*(?:\n|$)")


@dataclass(frozen=True)
class Commit:
    """A commit's own words."""

    revision_id: str
    directory_id: str
    author_time: int | None  # seconds since 1970
    committer_time: int | None


def main_revision(location: str, folder: GitFolder, rule: str) -> tuple[str | None, str]:
    """Name of the main branch by `rule` (None: HEAD is detached) and its commit. Raises SourceError."""
    if rule not in RULES:
        raise UserError(f"the main branch by `{rule}` is not known", f"one of: {', '.join(RULES)}")
    try:
        with Root(folder.common_dir) as root:
            refs = _Refs(folder, root)
            for name in _main_names(refs, folder, rule):
                revision = refs.resolve(name)
                if revision is not None:
                    return (None if name == b"HEAD" else text_path(name)), revision
    except (OSError, RefusedError) as problem:
        raise SourceError(RepositoryProblem(location, f"its branches cannot be read: {problem}")) from None
    hint = "commit something first, or see what `git fsck` says of it"
    if rule == "paper":
        hint = 'none is its default branch or named main or master; `main_branch = "code"` takes HEAD as well'
    raise SourceError(RepositoryProblem(location, "it has no commits on a main branch", hint))


def last_commit(location: str, folder: GitFolder, revision: str) -> Commit:
    """What the commit `revision` says. Raises SourceError."""
    header = _commit(location, folder, revision).split(b"\n\n", 1)[0]
    tree = re.match(rb"tree ([0-9a-f]{40})(?:\n|$)", header)
    if tree is None:
        reason = f"its last commit {revision} is missing or corrupt"
        raise SourceError(RepositoryProblem(location, reason, "see what `git fsck` says of it"))
    return Commit(revision, tree[1].decode(), _time(header, b"author"), _time(header, b"committer"))


def _commit(location: str, folder: GitFolder, revision: str) -> bytes:
    """Its bytes; of git where they are not read here, and none where they do not hash to its name."""
    with Store(folder.objects) as store:
        data = store.read(b"commit", bytes.fromhex(revision))
    if data is not None:
        return data
    with neutral(folder) as (git, environment):
        try:
            found = run([*git, "cat-file", "commit", revision], environment, timeout=SECONDS, max_output=COMMIT_LIMIT)
        except ProcessError as problem:
            raise SourceError(RepositoryProblem(location, f"its last commit cannot be read: {problem}")) from None
    digest = hashlib.sha1(b"commit %d\0%b" % (len(found.stdout), found.stdout), usedforsecurity=False).hexdigest()
    return b"" if found.returncode or digest != revision else found.stdout


def _main_names(refs: "_Refs", folder: GitFolder, rule: str) -> Iterator[bytes]:
    default = refs.symbolic(_REMOTE + b"HEAD")
    if default is not None and default.startswith(_REMOTE):
        yield b"refs/heads/" + default.removeprefix(_REMOTE)
        yield default
    if rule == "code" or folder.bare:
        yield refs.symbolic(b"HEAD") or b"HEAD"
    yield from (b"refs/heads/main", b"refs/heads/master")[:: -1 if rule == "code" else 1]


class _Refs:
    """The refs below an open common folder; HEAD may lie in another one."""

    def __init__(self, folder: GitFolder, root: Root) -> None:
        self._folder = folder
        self._root = root

    def resolve(self, name: bytes) -> str | None:
        """The hash that `name` leads to; None where it leads nowhere."""
        for _ in range(LINKS):
            data = self._loose(name)
            linked = _SYMBOLIC.match(data)
            if linked is None:
                found = _HASH.match(data) or self._packed(name)
                return found[0].decode() if found else None
            name = linked[1]
        return None

    def symbolic(self, name: bytes) -> bytes | None:
        """The ref that `name` stands for; None where it is none or stands for itself."""
        linked = _SYMBOLIC.match(self._loose(name))
        return linked[1] if linked else None

    def _loose(self, name: bytes) -> bytes:
        try:
            if name != b"HEAD":
                return self._root.read(name, SMALL_FILE)
            path = f"{self._folder.git_dir}/HEAD"
            if os.path.islink(path):  # noqa: PTH114 - git made HEAD a link until 2005
                return b"ref: " + os.fsencode(os.readlink(path))  # noqa: PTH115
            with Root(self._folder.git_dir) as root:
                return root.read(name, SMALL_FILE)
        except (RefusedError, OSError):
            return b""

    def _packed(self, name: bytes) -> re.Match[bytes] | None:
        """The line of `packed-refs` that has `name`, from its hash on."""
        try:
            descriptor, _ = self._root.open(b"packed-refs")
        except RefusedError:
            return None
        wanted = re.compile(rb"^([0-9a-f]{40}) " + re.escape(name) + rb"$", re.MULTILINE)
        try:
            tail = b""
            while chunk := read_descriptor(descriptor, SMALL_FILE):
                block = tail + chunk
                found = wanted.search(block, 0, block.rfind(b"\n") + 1)
                if found:
                    return _HASH.match(found[0])
                tail = block[block.rfind(b"\n") + 1 :][-SMALL_FILE:]
            return _HASH.match(found[0]) if (found := wanted.search(tail)) else None
        finally:
            os.close(descriptor)


def _time(header: bytes, field: bytes) -> int | None:
    found = re.search(rb"^" + field + rb" [^\n]*> (\d{1,15}) [^\n]*$", header, re.MULTILINE)
    return int(found[1]) if found else None
