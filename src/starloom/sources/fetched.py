"""What was fetched for one repository, so that it can be removed: its clone, its package.

An archive's URL, an export and a data set are not covered: what was fetched for them may be fetched again before their
repositories' names are known, or holds repositories of many. Nor is a corpus in the user's own folder.
"""

import shutil
from pathlib import Path

from starloom.errors import UserError
from starloom.sources.git.remote import fetched_folder
from starloom.sources.git.url import parse_remote
from starloom.sources.packages.by_name import fetched_files, is_package
from starloom.sources.repository import Place


def fetched(location: str, place: Place) -> list[Path]:
    """The files and folders in the place that were fetched for the repository at `location` alone; none where it is on
    this machine."""
    try:
        if is_package(location):
            return fetched_files(location, place)
        folder = fetched_folder(parse_remote(location), place)
    except UserError:
        return []
    return [folder] if folder.is_dir() else []


def size(path: Path) -> int:
    """Bytes of a file, or of all files below a folder."""
    if path.is_dir() and not path.is_symlink():
        return sum(size(one) for one in path.iterdir())
    return path.lstat().st_size


def remove(path: Path) -> None:
    """Removes a file, or a folder with all that is in it; links are removed, never followed. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
