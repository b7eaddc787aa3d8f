"""An archive behind an http(s) URL: downloaded once into the place, then an archive like any other.

The file keeps the name that the URL has, in a folder named by a hash of the URL; it appears whole, a stopped download
goes on where it was, and it stays as it was fetched until `update`.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from starloom.errors import UserError
from starloom.outside.download import download
from starloom.outside.http import Http, HttpError
from starloom.outside.paths import is_safe
from starloom.sources.archives.source import open_archive
from starloom.sources.aside import publish_folder
from starloom.sources.repository import Opened, Place, RepositoryProblem, SourceError, SourceSettings

LIMIT = 64 << 30  # bytes of an archive
_CHECKSUM = "sha256"  # the file beside it that holds its checksum
_FORGE = re.compile(r"/([^/]+)/([^/]+)/(?:-/)?archive/")  # GitHub's, GitLab's and Gitea's archives of a revision


@dataclass(frozen=True)
class ArchiveUrl:
    """An archive that has not been fetched (or is to be fetched again)."""

    url: str
    folder: Path
    name: str
    location: str
    repo_name: str | None
    alone: bool = False

    def fetch(self, place: Place) -> None:  # noqa: ARG002 - the folder is the place's
        """The file and its checksum, whole. Raises SourceError."""
        aside = self.folder.with_name(f"{self.folder.name}.part")
        aside.mkdir(parents=True, exist_ok=True)
        try:
            with Http() as http:
                checksum = download(http, self.url, aside / self.name, limit=LIMIT)
        except HttpError as problem:
            hint = "see that the address is right and reachable; the next build tries again"
            raise SourceError(RepositoryProblem(self.location, f"not fetched: {problem}", hint)) from None
        (aside / _CHECKSUM).write_text(checksum)
        publish_folder(aside, self.folder)


def open_archive_url(url: str, settings: SourceSettings, place: Place) -> Opened:
    """The archive at `url`, fetched or not. Raises UserError for a URL with credentials or without a usable name."""
    parts = urlsplit(url)
    location = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    if "@" in parts.netloc:
        raise UserError(f"{location}: a user name or password in the address", "leave it out: it would be stored")
    name = unquote(parts.path.rpartition("/")[2])
    if not is_safe(name) or "/" in name:
        raise UserError(f"{location}: its last part is no file name", "give the address of an archive file")
    folder = place.folder / "archives" / hashlib.sha256(url.encode()).hexdigest()[:16]
    forge = _FORGE.search(parts.path)
    repo_name = f"{forge[1]}/{forge[2]}" if forge else None
    if place.update or not (folder / name).is_file():
        return Opened([], [], [ArchiveUrl(url, folder, name, location, repo_name)])
    checksum = (folder / _CHECKSUM).read_text()
    return open_archive(
        folder / name,
        settings,
        place,
        location=location,
        url=location,
        repo_name=repo_name,
        checksum=f"sha256:{checksum}",
    )
