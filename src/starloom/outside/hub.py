"""A data set's or model's files from the Hugging Face Hub: one revision, whole and verified, in a folder.

The revision is resolved to its commit first and kept in a record that is written last, so a folder with a record is
whole. Every file is held to what the Hub states of it: SHA-256 where it is stored in LFS or Xet, git's hash else. Files
that are there already are not fetched again, partial ones go on. HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE are honoured
by `huggingface_hub`, which does the transfer with its own client; the token is in no message and no record.

Cost: one reading of every file more, for its hash. Not covered: limits on a server's speed, and vetted addresses.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from starloom import progress
from starloom.outside.paths import is_safe, printable

if TYPE_CHECKING:
    from huggingface_hub import HfApi

RECORD = ".starloom-hub.json"
PARALLEL = 4  # files at a time
_PIECE = 1 << 20


@dataclass(frozen=True)
class Record:
    """What a folder holds."""

    repo_id: str
    revision: str  # as it was asked for: a branch, a tag, a commit
    commit: str  # 40 hex digits
    files: int
    bytes: int


@dataclass(frozen=True)
class _File:
    path: str
    size: int
    sha256: str | None  # of a file in LFS or Xet
    git_hash: str


class HubError(Exception):
    """Why a snapshot is not to be had, and what can be done."""

    def __init__(self, reason: str, hint: str | None = None) -> None:
        super().__init__(reason)
        self.hint = hint


def fetched(folder: Path) -> Record | None:
    """The record of a folder that is whole; None where there is none."""
    try:
        return Record(**json.loads((folder / RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def snapshot(
    repo_id: str,
    folder: Path,
    revision: str | None,
    patterns: Sequence[str],
    kind: Literal["dataset", "model"] = "dataset",
) -> Record:
    """The files of the data set or model `repo_id` that one of `patterns` matches, in `folder`; `revision` None: the
    main branch. Files of an older snapshot that are no more are deleted. Raises HubError."""
    from huggingface_hub import HfApi
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

    disable_progress_bars()  # ours is enough
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None)
    asked = revision or "main"
    commit, files = _listed(api, repo_id, asked, patterns, kind)
    record = Record(repo_id, asked, commit, len(files), sum(file.size for file in files))
    there = (folder / file.path for file in files)
    if fetched(folder) == record and all(path.is_file() for path in there):
        return record
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RECORD).unlink(missing_ok=True)  # from here on it is not whole
    with progress.task(f"fetch {repo_id}", record.bytes) as bar, ThreadPoolExecutor(PARALLEL) as pool:
        try:
            for size in pool.map(lambda file: _one(api, repo_id, commit, folder, file, kind), files):
                bar.advance(size)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    _remove_others(folder, {file.path for file in files})
    aside = folder / f"{RECORD}.aside"
    aside.write_text(json.dumps(asdict(record)), encoding="utf-8")
    aside.replace(folder / RECORD)
    return record


def _listed(api: "HfApi", repo_id: str, revision: str, patterns: Sequence[str], kind: str) -> tuple[str, list[_File]]:
    """The commit, and its files that are wanted."""
    from huggingface_hub import RepoFile

    try:
        commit = api.repo_info(repo_id, revision=revision, repo_type=kind).sha
        if commit is None:
            raise HubError(f"{repo_id}: the Hub states no commit")
        tree = list(api.list_repo_tree(repo_id, recursive=True, revision=commit, repo_type=kind))
    except HubError:
        raise
    except Exception as problem:
        raise _explained(problem, f"{repo_id}@{revision}") from None
    found = [
        _File(one.path, one.size, one.lfs.sha256 if one.lfs else None, one.blob_id)
        for one in tree
        if isinstance(one, RepoFile) and any(fnmatchcase(one.path.lower(), pattern.lower()) for pattern in patterns)
    ]
    for file in found:
        if not is_safe(file.path) or any(part.startswith(".") for part in file.path.split("/")):
            raise HubError(f"{repo_id}: unsafe path {printable(file.path)}")
    return commit, sorted(found, key=lambda file: file.path)


def _one(api: "HfApi", repo_id: str, commit: str, folder: Path, file: _File, kind: str) -> int:
    """Fetches one file, if it is not there, and verifies it. Its size."""
    target = folder / file.path
    if target.is_file() and not target.is_symlink() and _is(target, file):
        return file.size
    target.unlink(missing_ok=True)
    try:
        api.hf_hub_download(repo_id, file.path, repo_type=kind, revision=commit, local_dir=folder)
    except Exception as problem:
        raise _explained(problem, f"{repo_id}: {file.path}") from None
    if not target.is_file() or not _is(target, file):
        target.unlink(missing_ok=True)
        raise HubError(f"{repo_id}: {printable(file.path)} is not what the Hub states", "run the same command again")
    return file.size


def _is(path: Path, file: _File) -> bool:
    """Whether the file at `path` has the stated size and hash."""
    if path.stat().st_size != file.size:
        return False
    digest = hashlib.sha256() if file.sha256 else hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
    with path.open("rb") as opened:
        while piece := opened.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest() == (file.sha256 or file.git_hash)


def _remove_others(folder: Path, kept: set[str]) -> None:
    """Files of an older snapshot; what is hidden is the client's own."""
    for place, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if not name.startswith(".")]
        for name in names:
            path = Path(place, name)
            if not name.startswith(".") and path.relative_to(folder).as_posix() not in kept:
                path.unlink()


def _explained(problem: Exception, what: str) -> HubError:
    """The client's errors in our words; what is none of them stays a bug."""
    from huggingface_hub import errors

    access = "private and gated ones: ask for access on its page, then set HF_TOKEN"
    if isinstance(problem, errors.GatedRepoError):
        return HubError(f"{what}: gated", access)
    if isinstance(problem, errors.RepositoryNotFoundError):
        return HubError(f"{what}: not found", f"check its name; {access}")
    if isinstance(problem, errors.RevisionNotFoundError):
        return HubError(f"{what}: no such revision")
    if isinstance(problem, errors.HfHubHTTPError):
        status = getattr(problem.response, "status_code", None)
        return HubError(f"{what}: the Hub answers {status}", access if status in (401, 403) else "try again later")
    if isinstance(problem, errors.OfflineModeIsEnabled):
        return HubError(f"{what}: HF_HUB_OFFLINE is set", "unset it to fetch")
    if isinstance(problem, OSError) or type(problem).__module__.split(".")[0] in (
        "httpx",
        "httpx2",
        "httpcore",
        "httpcore2",
    ):
        said = (str(problem).splitlines() or [type(problem).__name__])[0]
        return HubError(f"{what}: {printable(said)[:200]}", "run the same command again: it goes on")
    raise problem
