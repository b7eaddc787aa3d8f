"""What the user named, as sources: one line a kind in `_NAMED`, paths and URLs by what they are.

Opening is cheap and uses no network: what lies elsewhere comes back as `Unfetched` until it has been fetched into the
`Place`. A path that looks like one of the names (a folder called `installed`): write `./installed`.
"""

import os
import re
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from starloom.errors import UserError
from starloom.outside.paths import printable, text_path
from starloom.sources.git.folder import is_git
from starloom.sources.repositories_below import is_workspace, open_folder
from starloom.sources.repository import Opened, Place, RepositoryProblem, SourceSettings, unique_names

RIGHTS = ("public", "owned")
ACCEPTED = (
    "give a folder, a git repository or its URL, an archive, a file, @LIST, installed, pypi:NAME, npm:NAME, "
    "debian:NAME, corpus:NAME, swh:EXPORT, dataset:FOLDER or hub:OWNER/NAME"
)
MAX_LIST_BYTES = 1 << 26  # of a list of sources: a million URLs
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|[^/\s]+@[^/\s]+:")
_ARCHIVE_URL = re.compile(r"https?://[^?#]*\.(?:tar(?:\.(?:gz|bz2|xz|zst))?|tgz|tbz2|txz|zip|whl|jar)", re.IGNORECASE)
_TABLE = re.compile(r".*\.(?:parquet|jsonl|ndjson)(?:\.gz)?", re.IGNORECASE)

Opener = Callable[[str, SourceSettings, Place], Opened]


def _installed(rest: str, settings: SourceSettings, _place: Place) -> Opened:
    from starloom.sources.distributions import installed

    return installed(prefix=rest or None, rights=settings.rights)


def _package(_rest: str, settings: SourceSettings, place: Place) -> Opened:
    from starloom.sources.packages.by_name import open_package

    return open_package(settings.path, settings, place)


def _corpus(rest: str, settings: SourceSettings, place: Place) -> Opened:
    from starloom.sources.corpus import open_corpus

    return open_corpus(rest, settings, place)


def _software_heritage(rest: str, settings: SourceSettings, place: Place) -> Opened:
    from starloom.sources.software_heritage.archive import open_archive_export

    return open_archive_export(rest, settings, place)


def _dataset(rest: str, settings: SourceSettings, place: Place) -> Opened:
    from starloom.sources.hub_datasets.open import open_dataset

    return open_dataset(rest, settings, place)


def _hub(_rest: str, settings: SourceSettings, place: Place) -> Opened:
    return _dataset(settings.path, settings, place)


_NAMED: dict[str, Opener] = {
    "installed": _installed,
    "pypi": _package,
    "npm": _package,
    "debian": _package,
    "corpus": _corpus,
    "swh": _software_heritage,
    "dataset": _dataset,
    "hub": _hub,
}
_WITH_PATH = ("installed", "swh", "dataset")  # what follows these is a path, or may be


def open_source(settings: SourceSettings, place: Place) -> Opened:
    """The sources that `settings.path` stands for, with distinct names; a bad repository among them is a problem, not
    an exception. Raises UserError where nothing can be meant: no such path, an unknown kind of URL or `rights`."""
    if settings.rights not in RIGHTS:
        raise UserError(f"rights `{settings.rights}` are not known", f"one of: {', '.join(RIGHTS)}")
    text = settings.path
    for one in (text, settings.contents):
        if "\0" in one:
            raise UserError(f"{printable(one)} is no path", ACCEPTED)
        if not _is_text(one):
            raise UserError(f"{printable(one)}: its path is not UTF-8", "rename it")
    kind, _, rest = text.partition(":")
    if kind in _NAMED and not rest.startswith("//"):
        try:
            return _NAMED[kind](rest, settings, place)
        except OSError as problem:  # a name that no file can have
            raise UserError(f"{printable(text)[:200]}: {problem.strerror or problem}", ACCEPTED) from None
    if text.startswith("@"):
        return _listed(_expanded(text[1:]), settings, place)
    if _URL.match(text) and not os.path.lexists(text):
        if _ARCHIVE_URL.fullmatch(text.partition("?")[0]):
            from starloom.sources.archives.url import open_archive_url

            return open_archive_url(text, settings, place)
        from starloom.sources.git.remote import open_remote

        return open_remote(text, settings, place)
    return _path(settings, place)


def absolute(text: str, base: Path) -> str:
    """`text` with a relative path in it meant from the folder `base`; names and URLs stay as they are. Raises UserError
    where there is nothing."""
    if not text.strip():
        raise UserError("a source is empty", ACCEPTED)
    kind, colon, rest = text.partition(":")
    if text.startswith("@"):
        return f"@{base / _expanded(text[1:])}"
    if kind == "corpus" and "@" in rest:
        name, _, folder = rest.partition("@")
        return f"corpus:{name}@{base / _expanded(folder)}"
    if kind in _NAMED and not rest.startswith("//"):
        if kind not in _WITH_PATH or not rest or "://" in rest:
            return text
        return f"{kind}{colon}{base / _expanded(rest)}"
    if _URL.match(text) and not os.path.lexists(base / text):
        return text
    return str(base / _expanded(text))


def _expanded(text: str) -> Path:
    """With the home folder in the place of `~`; that of a user whom nobody knows is a name like any other."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def _path(settings: SourceSettings, place: Place) -> Opened:
    text = settings.path
    try:
        path = Path(os.path.realpath(Path(text).expanduser()))
        status = path.stat()
    except OSError as problem:
        reason = "does not exist" if isinstance(problem, FileNotFoundError) else f"unreadable: {problem.strerror}"
        raise UserError(f"{printable(text)}: {reason}", ACCEPTED) from None
    except (ValueError, RuntimeError):  # NUL in it; `~name` of an unknown user
        raise UserError(f"{printable(text)} is no path", ACCEPTED) from None
    if not _is_text(str(path)):
        raise UserError(f"{text_path(os.fsencode(path))}: its path is not UTF-8", "rename it")
    if stat.S_ISDIR(status.st_mode):
        if is_workspace(path) and not is_git(path):
            raise own_output(path)
        return open_folder(path, settings.rights, place.main_branch)
    if not stat.S_ISREG(status.st_mode):
        raise UserError(f"{printable(text)} is neither a folder nor a file", ACCEPTED)
    if _TABLE.fullmatch(path.name):
        return _dataset(str(path), settings, place)
    from starloom.sources.archives.source import is_archive, open_archive, open_file

    return open_archive(path, settings, place) if is_archive(path) else open_file(path, settings)


def own_output(workspace: Path) -> UserError:
    """A folder cannot be both: what is made in it would be read as code, and the dataset grow with every build."""
    return UserError(
        f"{printable(str(workspace))} is a workspace: its own output would be read as code",
        "make the workspace in another folder, or name the folders in it that the code is in",
    )


def _is_text(path: str) -> bool:
    """Whether `path` can be stored as text and opened again from it."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _listed(path: Path, settings: SourceSettings, place: Place) -> Opened:
    """A file of sources, one a line, `#` for comments; a relative path in it is meant from the file's folder."""
    try:
        data = path.read_bytes() if path.stat().st_size <= MAX_LIST_BYTES else None
        text = None if data is None else data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(
            f"{path}: the list of sources cannot be read: {problem}", "a text file, one source a line"
        ) from None
    if text is None:
        raise UserError(f"{path} is longer than {MAX_LIST_BYTES} bytes", "cut it into several lists")
    found = Opened([], [])
    for number, line in enumerate(text.splitlines(), 1):
        one = re.sub(r"(?:^|\s)#.*", "", line).strip()
        if not one:
            continue
        if one.startswith("@"):
            raise UserError(f"{path}:{number}: a list within a list", "name each list in `[[sources]]`")
        try:
            inner = open_source(replace(settings, path=absolute(one, path.absolute().parent)), place)
        except UserError as problem:
            found.problems.append(RepositoryProblem(f"{path}:{number}", problem.problem, problem.hint))
            continue
        found.sources.extend(inner.sources)
        found.problems.extend(inner.problems)
        found.unfetched.extend(inner.unfetched)
    return Opened(unique_names(found.sources), found.problems, found.unfetched)
