"""A folder as sources: the git repository that it is, or those below it, and its other files as one repository."""

import os
from pathlib import Path

from starloom.outside.paths import text_path
from starloom.sources.folder import WORKSPACE, FolderSource
from starloom.sources.git.folder import is_git
from starloom.sources.git.source import GitSource
from starloom.sources.repository import Opened, Repository, RepositoryProblem, Source, SourceError, unique_names

SEARCH_DEPTH = 4  # folders below the named one in which repositories are looked for


def open_folder(path: Path, rights: str, main_branch: str) -> Opened:
    """The sources at the absolute, resolved `path`; a repository that cannot be read is a problem among them."""
    found = [path] if is_git(path) else _repositories_below(path)
    sources: list[Source] = []
    problems: list[RepositoryProblem] = []
    for one in found:
        try:
            sources.append(_git(one, rights, main_branch))
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


def _git(path: Path, rights: str, main_branch: str) -> GitSource:
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        problem = RepositoryProblem(text_path(os.fsencode(path)), "its path is not UTF-8", "rename the folder")
        raise SourceError(problem) from None
    return GitSource.at(path, rights, main_branch)


def _rest(path: Path, found: list[Path], rights: str) -> FolderSource | None:
    """The files outside the repositories; None where there are repositories and no such file."""
    name = text_path(os.fsencode(path.name)) or "root"
    exclude = frozenset(os.fsencode(one.relative_to(path)) for one in found)
    source = FolderSource(Repository(repo_name=name, kind="folder", location=str(path), rights=rights), exclude)
    return source if not found or source.has_files() else None


def _repositories_below(path: Path) -> list[Path]:
    """Repositories at most SEARCH_DEPTH folders below, by path; links and found ones are not entered, nor workspaces,
    which the walk of the rest tells of."""
    found: list[Path] = []
    level = [path]
    for _ in range(SEARCH_DEPTH):
        below: list[Path] = []
        for folder in level:
            for inner in _folders_in(folder):
                if is_git(inner):
                    found.append(inner)
                elif not is_workspace(inner):
                    below.append(inner)
        level = below
    return sorted(found)


def is_workspace(folder: Path) -> bool:
    """Whether Starloom writes into it, so that to read it would be to read its own output."""
    file, inner = (os.path.join(folder, os.fsdecode(name)) for name in WORKSPACE)  # noqa: PTH118 - never raises
    return os.path.isfile(file) and os.path.isdir(inner)  # noqa: PTH112, PTH113


def _folders_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as listing:
            return sorted(Path(item.path) for item in listing if item.is_dir(follow_symlinks=False))
    except OSError:
        return []  # the walk of the rest reports it
