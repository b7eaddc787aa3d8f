"""What the user named, as sources: a folder, a git repository, a folder of repositories, or `installed`."""

import os
import re
import stat
from pathlib import Path

from starloom.errors import UserError
from starloom.outside.paths import printable, text_path
from starloom.sources.distributions import installed
from starloom.sources.folder import FolderSource
from starloom.sources.git import GitSource
from starloom.sources.git_folder import is_git
from starloom.sources.repository import (
    Opened,
    Repository,
    RepositoryProblem,
    Source,
    SourceError,
    unique_names,
)

SEARCH_DEPTH = 4  # folders below the named one in which repositories are looked for
RIGHTS = ("public", "owned")
_ACCEPTED = "give a folder, a git repository (a clone or a bare one), a folder of repositories, or `installed`"
_NOT_TEXT = "its path is not UTF-8"
_RENAME = "rename the folder"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|[^/\s]+@[^/\s]+:")


def open_source(text: str, rights: str) -> Opened:
    """The sources that `text` stands for; a bad repository among them is a problem, not an exception.

    `installed`, `installed:PREFIX`: the Python distributions of this or another environment (a folder of that
    name: `./installed`); else a path. Raises UserError where nothing can be meant: no such path, a file, a
    URL, unknown `rights`.
    """
    if rights not in RIGHTS:
        raise UserError(f"rights `{rights}` are not known", f"one of: {', '.join(RIGHTS)}")
    if text == "installed" or text.startswith("installed:"):
        return installed(prefix=text.partition(":")[2] or None, rights=rights)
    if _URL.match(text) and not os.path.lexists(text):
        shown = printable(re.sub(r"//[^/@]*@", "//", text))  # without a password
        raise UserError(
            f"{shown}: remote URLs are not supported yet",
            "clone it first: `git clone URL`, then give the folder",
        )
    try:
        path = Path(os.path.realpath(Path(text).expanduser()))
        status = path.stat()
    except OSError as problem:
        reason = "does not exist" if isinstance(problem, FileNotFoundError) else f"unreadable: {problem.strerror}"
        raise UserError(f"{printable(text)}: {reason}", _ACCEPTED) from None
    except (ValueError, RuntimeError):  # NUL in it; `~name` of an unknown user
        raise UserError(f"{printable(text)} is no path", _ACCEPTED) from None
    if not stat.S_ISDIR(status.st_mode):
        raise UserError(f"{text} is not a folder; single files and archives are not supported yet", _ACCEPTED)
    if _not_text(path):
        raise UserError(f"{text_path(os.fsencode(path))}: {_NOT_TEXT}", _RENAME)
    return _open_folder(path, rights)


def _open_folder(path: Path, rights: str) -> Opened:
    found = [path] if is_git(path) else _repositories_below(path)
    sources: list[Source] = []
    problems: list[RepositoryProblem] = []
    for one in found:
        try:
            sources.append(_git(one, rights))
        except SourceError as failure:
            problems.append(failure.problem)
    if found != [path]:
        try:
            rest = _rest(path, found, rights)
            if rest is not None:
                sources.append(rest)
        except SourceError as failure:
            problems.append(failure.problem)
    return Opened(unique_names(sources), problems)


def _git(path: Path, rights: str) -> GitSource:
    if _not_text(path):
        raise SourceError(RepositoryProblem(text_path(os.fsencode(path)), _NOT_TEXT, _RENAME))
    return GitSource.at(path, rights)


def _not_text(path: Path) -> bool:
    """Whether `path` could not be stored as text and opened again from it."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _rest(path: Path, found: list[Path], rights: str) -> FolderSource | None:
    """The files outside the repositories; None where there are repositories and no such file."""
    name = text_path(os.fsencode(path.name)) or "root"
    exclude = frozenset(os.fsencode(one.relative_to(path)) for one in found)
    source = FolderSource(Repository(repo_name=name, kind="folder", location=str(path), rights=rights), exclude)
    return source if not found or source.has_files() else None


def _repositories_below(path: Path) -> list[Path]:
    """Repositories at most SEARCH_DEPTH folders below, by path; links and found ones are not entered."""
    found: list[Path] = []
    level = [path]
    for _ in range(SEARCH_DEPTH):
        below: list[Path] = []
        for folder in level:
            for inner in _folders_in(folder):
                (found if is_git(inner) else below).append(inner)
        level = below
    return sorted(found)


def _folders_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as listing:
            return sorted(Path(item.path) for item in listing if item.is_dir(follow_symlinks=False))
    except OSError:
        return []  # the walk of the rest reports it
