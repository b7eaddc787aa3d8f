"""Where a git repository keeps its objects and refs, and whether it may be read at all.

Refused, each as a RepositoryProblem with its remedy: objects borrowed from outside (`objects/info/alternates`, a
linked `objects` or `pack` folder), SHA-256 repositories and other formats, a `.git` that is a symbolic link, and a
`.git` *file* (work trees made by `git worktree`, submodules) unless the repository that it names names it back:
anybody can write a file that points at somebody else's repository, only that repository's owner can write the answer.

Nothing of the repository's own configuration ever takes part: git is given an empty repository of our own (`neutral`)
whose object folder is the stranger's, and its refs are read without git (`refs.py`).
"""

import contextlib
import os
import resource
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from starloom.outside.paths import RefusedError, Root, text_path
from starloom.outside.processes import ProcessError, Stream, run
from starloom.scratch import scratch_folder
from starloom.sources.git.config import plain_settings
from starloom.sources.repository import RepositoryProblem, SourceError

SMALL_FILE = 1 << 20  # bytes; HEAD, config, commondir, alternates and .git files are far smaller
SECONDS = 30.0  # for a command that reads a ref, a setting or a commit
ALTERNATES_DEPTH = 5  # git's own limit
MEMORY = {resource.RLIMIT_DATA: 4 << 30}  # of one git; the pages of pack files do not count
ALLOCATION = "256m"  # that git may take in one piece: a small content may be a delta of one of many gigabytes


_FORMATS = ("0", "1")
# Extensions of git that change nothing of how objects and refs are read here; git refuses those it does not know.
_HARMLESS = {
    "noop",
    "noop-v1",
    "partialclone",
    "preciousobjects",
    "relativeworktrees",
    "submodulepathconfig",
    "worktreeconfig",
}


@dataclass(frozen=True)
class GitFolder:
    """The folders of one repository, absolute: `git_dir` has HEAD, `common_dir` refs, config and objects."""

    git_dir: str
    common_dir: str
    url: str = ""  # remote.origin.url as it stands in the config: not to be shown, it may hold a password
    bare: bool = False  # core.bare: HEAD is what the owner declares to be the main branch

    @property
    def objects(self) -> str:
        """The object folder."""
        return f"{self.common_dir}/objects"


def environment() -> dict[str, str]:
    """The neutral environment: no settings of user or system, no network, no lazy fetch, no replacing.

    Built from nothing rather than cleaned, so no inherited GIT_* variable can be forgotten.
    """
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return kept | {
        "HOME": "/nonexistent",
        "XDG_CONFIG_HOME": "/nonexistent",
        "LC_ALL": "C",
        "TZ": "UTC",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_LAZY_FETCH": "1",  # git 2.39 knows it as a fix of 2024; the next line stops older ones
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_GRAFT_FILE": "/dev/null",
        "GIT_ALLOC_LIMIT": ALLOCATION,
    }


# A commit graph may state other dates than the commits do; signatures would run the configured gpg program. Git's 96 MB
# of cached delta bases cost more to fill than they save: with 16 a tenth less CPU time.
OPTIONS = [
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.commitGraph=false",
    "-c",
    "log.showSignature=false",
    "-c",
    "core.deltaBaseCacheLimit=16m",
    "--no-pager",
]


@contextlib.contextmanager
def neutral(folder: GitFolder) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Start of a git command line, and its environment, that read only the objects of `folder`."""
    with scratch_folder("starloom-git-") as own:
        (own / "refs").mkdir()
        (own / "objects").mkdir()
        (own / "HEAD").write_text("ref: refs/heads/none\n")
        (own / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
        with contextlib.suppress(RefusedError, OSError), Root(folder.common_dir) as root:
            # Where a shallow clone ends; without it the history would seem broken there.
            (own / "shallow").write_bytes(root.read(b"shallow", SMALL_FILE))
        yield ["git", f"--git-dir={own}", *OPTIONS], environment() | {"GIT_OBJECT_DIRECTORY": folder.objects}


def is_git(path: Path) -> bool:
    """Whether `path` is a work tree (it has a `.git` of any kind) or a bare repository. Raises nothing."""
    if os.path.lexists(path / ".git"):
        return True
    try:
        return (
            stat.S_ISREG((path / "HEAD").lstat().st_mode) and (path / "objects").is_dir() and (path / "refs").is_dir()
        )
    except OSError:
        return False


def locate(path: Path) -> GitFolder:
    """The folders of the repository at `path` (`is_git` holds). Raises SourceError where it is refused."""
    location = str(path)
    inner = path / ".git"
    try:
        if not os.path.lexists(inner):
            folder = GitFolder(location, location)
        elif inner.is_symlink():
            raise _refusal(location, ".git is a symbolic link", "give the path of the repository it points to")
        elif inner.is_dir():
            folder = GitFolder(str(inner), str(inner))
        else:
            folder = _pointed_to(path)
        if folder.git_dir == folder.common_dir and os.path.lexists(f"{folder.git_dir}/commondir"):
            hint = "give the path of the repository that it belongs to"
            raise _refusal(location, "it shares another repository's objects (commondir)", hint)
        _check_plain(location, folder)
        _check_objects(location, folder)
        values = _checked_settings(location, folder)
    except OSError as problem:
        reason = f"unreadable: {problem.filename}: {problem.strerror}"
        raise SourceError(RepositoryProblem(location, reason, "see that you may read all of it")) from None
    return replace(folder, url=values.get("remote.origin.url", ""), bare=values.get("core.bare", "") == "true")


def _settings(folder: GitFolder) -> dict[str, str] | None:
    """The repository's own config file, without includes; None where it cannot be parsed."""
    try:
        with Root(folder.common_dir) as root:
            data = root.read(b"config", SMALL_FILE)
    except RefusedError as problem:
        return {} if str(problem) == "missing" else None
    if (plain := plain_settings(data)) is not None:
        return plain
    # From standard input: git shall not open the path again, which could have become something else.
    argv = ["git", "config", "--file", "-", "--no-includes", "-z", "--list"]
    try:
        found = run(argv, environment() | {"GIT_DIR": "/nonexistent"}, timeout=SECONDS, feed=data)
    except ProcessError:
        return None
    if found.returncode:
        return None
    pairs = (item.partition("\n") for item in found.stdout.decode("utf-8", "backslashreplace").split("\0"))
    return {key: value if separator else "true" for key, separator, value in pairs}


def _pointed_to(path: Path) -> GitFolder:
    location = str(path)
    with Root(path) as root:
        git_dir = _first_line(root, b".git", b"gitdir: ")
    if git_dir is None:
        raise _refusal(location, "its .git file cannot be read", "give the path of the repository itself")
    git_dir = os.path.realpath(os.path.join(location, git_dir))  # noqa: PTH118 - stays text, for GitFolder
    refusal = _refusal(
        location,
        f".git points to {git_dir}, which does not point back",
        "give the path of that repository itself, or mend the link with `git worktree repair`",
    )
    if not os.path.isdir(git_dir):  # noqa: PTH112
        raise refusal
    with Root(git_dir) as root:
        common = _first_line(root, b"commondir")
        back = _first_line(root, b"gitdir")
    if common is not None and back is not None:  # made by `git worktree add`
        common_dir = os.path.realpath(os.path.join(git_dir, common))  # noqa: PTH118
        registered = os.path.dirname(git_dir) == f"{common_dir}/worktrees"  # noqa: PTH120
        if registered and os.path.realpath(os.path.join(git_dir, back)) == f"{location}/.git":  # noqa: PTH118
            return GitFolder(git_dir, common_dir)
        raise refusal
    folder = GitFolder(git_dir, git_dir)  # a submodule: its configuration names the work tree
    tree = (_settings(folder) or {}).get("core.worktree")
    if tree is None or os.path.realpath(os.path.join(git_dir, tree)) != location:  # noqa: PTH118
        raise refusal
    return folder


def _first_line(root: Root, name: bytes, prefix: bytes = b"") -> str | None:
    try:
        line = root.read(name, SMALL_FILE).split(b"\n")[0].rstrip(b"\r")
    except RefusedError:
        return None
    if not line.startswith(prefix) or b"\0" in line:
        return None
    return os.fsdecode(line[len(prefix) :])


def _check_plain(location: str, folder: GitFolder) -> None:
    """What git opens by itself must be files: a FIFO would hang it, a link lead out of the repository."""
    for path in (f"{folder.git_dir}/HEAD", f"{folder.common_dir}/config", f"{folder.common_dir}/packed-refs"):
        with contextlib.suppress(FileNotFoundError):
            mode = os.lstat(path).st_mode
            old_head = stat.S_ISLNK(mode) and path.endswith("/HEAD")  # git made HEAD a link until 2005
            if not stat.S_ISREG(mode) and not old_head:
                raise _refusal(location, f"{path} is not a regular file", "see what `git fsck` says of it")


def _check_objects(location: str, folder: GitFolder) -> None:
    """Objects must lie in the repository: else it could hand on what somebody else's holds."""
    waiting = [(folder.objects, 0)]
    while waiting:
        objects, depth = waiting.pop()
        linked = next(_links(objects), None)
        if linked is not None:
            hint = "make a copy that stands alone: `git clone --no-local SOURCE COPY`"
            raise _refusal(location, f"its objects are a symbolic link: {linked}", hint)
        for line in _alternates(objects):
            real = os.path.realpath(os.path.join(objects, line))  # noqa: PTH118
            if depth >= ALTERNATES_DEPTH or not real.startswith(f"{folder.common_dir}/"):
                hint = "make it stand alone: `git repack -a -d` in it, then delete objects/info/alternates"
                raise _refusal(location, f"it borrows objects from {real} (objects/info/alternates)", hint)
            waiting.append((real, depth + 1))


def _links(objects: str) -> Iterator[str]:
    if os.path.islink(objects):  # noqa: PTH114
        yield objects
    with contextlib.suppress(FileNotFoundError), os.scandir(objects) as listing:
        inner = sorted(listing, key=lambda item: item.name)
        yield from (item.path for item in inner if item.is_symlink())
        for folder in inner:
            if folder.is_dir(follow_symlinks=False):
                with os.scandir(folder.path) as objects_in:
                    yield from sorted(item.path for item in objects_in if item.is_symlink())


def _alternates(objects: str) -> list[str]:
    try:
        with Root(objects) as root:
            data = root.read(b"info/alternates", SMALL_FILE)
    except FileNotFoundError:
        return []
    except RefusedError as problem:
        return [] if str(problem) == "missing" else ["/"]  # unreadable: treated as pointing outside
    return [os.fsdecode(line) for line in data.split(b"\n") if line and not line.startswith(b"#")]


def _checked_settings(location: str, folder: GitFolder) -> dict[str, str]:
    values = _settings(folder)
    if values is None:
        raise _refusal(location, "its config cannot be read", "see what `git config --list` says in it")
    version = values.get("core.repositoryformatversion", "0")
    if version not in _FORMATS:
        raise _refusal(location, f"its format is of version {version}", "clone it with a git that knows the format")
    extensions = {key.removeprefix("extensions."): one for key, one in values.items() if key.startswith("extensions.")}
    kind = extensions.pop("objectformat", "sha1")
    if kind != "sha1":
        hint = "contents are known by SHA-1 here: give a copy of its files without .git, as a plain folder"
        raise _refusal(location, f"its objects are named by {kind}, not SHA-1", hint)
    storage = extensions.pop("refstorage", "files")
    if storage != "files":
        raise _refusal(location, f"its refs are stored as {storage}", "use `git refs migrate --ref-format=files`")
    unknown = sorted(set(extensions) - _HARMLESS)
    if version == "1" and unknown:
        hint = "clone it with a git that knows the extension"
        raise _refusal(location, f"its format has an extension that is not known here: {unknown[0]}", hint)
    return values


def _refusal(location: str, reason: str, hint: str) -> SourceError:
    reason = text_path(os.fsencode(reason))  # it may quote a path that is no UTF-8
    return SourceError(RepositoryProblem(location, reason, hint))


def failed(location: str, reason: str) -> SourceError:
    """What is raised where git cannot read what should be there."""
    return SourceError(RepositoryProblem(location, reason, "see what `git fsck` says of it"))


def complaint(stream: Stream) -> str:
    """The last line that git complained."""
    lines = stream.stderr.strip().splitlines()
    return text_path(lines[-1].encode()) if lines else "git said nothing"
