"""A git repository, bare or not, read from its objects: the main branch's last commit, never the work tree.

Which branch that is: `refs.py`; paths: `listing.py`; contents: `objects.py`; history: `history.py`; all
without the repository's own configuration (`folder.py`). Not covered: submodules' contents (listed with their
commit, not followed), large-file storage (the pointer file is the content), other branches.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from starloom.outside.paths import text_path
from starloom.sources.content_ids import ContentIds
from starloom.sources.git.folder import GitFolder, locate
from starloom.sources.git.history import first_seen
from starloom.sources.git.listing import listed
from starloom.sources.git.objects import contents
from starloom.sources.git.refs import last_commit, main_revision
from starloom.sources.git.url import last_name, name_from_url, public_url
from starloom.sources.repository import Content, Entry, LicenseMetadata, Repository, Wanted, utc


class GitSource:
    """One git repository at its main revision, which is resolved when the source is made."""

    def __init__(self, repository: Repository, folder: GitFolder, main_branch: str) -> None:
        self._repository = repository
        self._folder = folder
        self._main_branch = main_branch

    @classmethod
    def at(cls, path: Path, rights: str, main_branch: str = "code", url: str | None = None) -> "GitSource":
        """The repository at the absolute, resolved `path`; with `url` it is a fetched copy of that one.

        `main_branch`: the rule, "code" or "paper". Raises SourceError where it is not read.
        """
        location = url or str(path)
        folder = locate(path)
        branch, revision = main_revision(location, folder, main_branch)
        commit = last_commit(location, folder, revision)
        name = name_from_url(url or folder.url) or (last_name(url) if url else _folder_name(path))
        repository = Repository(
            repo_name=name,
            kind="git",
            location=location,
            rights=rights,
            revision_id=commit.revision_id,
            directory_id=commit.directory_id,
            branch_name=branch,
            revision_date=utc(commit.author_time),
            committer_date=utc(commit.committer_time),
            url=public_url(url or folder.url) or url,
        )
        return cls(repository, replace(folder, url=""), main_branch)  # it may hold a password

    def repository(self) -> Repository:
        """The row of this repository."""
        return self._repository

    def renamed(self, repo_name: str) -> "GitSource":
        """This source under another name."""
        return GitSource(replace(self._repository, repo_name=repo_name), self._folder, self._main_branch)

    def state(self) -> str:
        """The main revision as it is now. Another one than in `repository` means: open the source again."""
        _, revision = main_revision(self._repository.location, self._folder, self._main_branch)
        return f"git:sha1:{revision}"

    def entries(self, max_bytes: int) -> Iterator[Entry]:  # noqa: ARG002
        """Every path of the main revision's tree; git knows each hash, so no content is read."""
        return listed(self._repository.location, self._folder, self._repository.directory_id or "")

    def contents(self, wanted: Iterable[Wanted]) -> Iterator[Content]:
        """Each content from git's objects, hashed again."""
        return contents(self._folder, wanted)

    def license_metadata(self) -> LicenseMetadata:
        """Empty: git knows of no licence."""
        return LicenseMetadata()

    def first_seen(self, ids: ContentIds) -> npt.NDArray[np.int64] | None:
        """When the main revision's history first had each content."""
        return first_seen(self._repository.location, self._folder, self._repository.revision_id or "", ids)


def _folder_name(path: Path) -> str:
    name = path.name.removesuffix(".git") or path.parent.name
    return text_path(os.fsencode(name)) or "repository"
