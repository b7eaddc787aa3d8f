"""What an opt-out is about, from what a person writes.

    somebody                                     owner: a user, an organisation, a group: all of their repositories
    somebody/project                             repository (on GitLab: a group and all below it)
    https://github.com/somebody/project          the same, as its address
    swh:1:cnt:…, or a content id                 content: wherever it stands
    somebody/project:src/a.py                    file: what stands there now, wherever it stands, and that place
    https://github.com/somebody/project/blob/main/src/a.py      the same, as its address

Names are compared without regard to case; paths and ids as they are.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from starloom.errors import UserError
from starloom.identity import content_swhid, parse_swhid
from starloom.outside.paths import printable

Scope = Literal["owner", "repository", "content", "file"]
ACCEPTED: Final = "a user, an organisation, OWNER/NAME or its address, swh:1:cnt:…, or OWNER/NAME:PATH"

_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://(?:[^/@\s]*@)?[^/\s]+/|git@[^:/\s]+:)", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9._~@+-]{1,100}(?:/[A-Za-z0-9._~@+-]{1,100}){0,20}")
_BLOB = re.compile(r"(?P<name>[^:]+?)/(?:-/)?(?:blob|raw)/[^/]+/(?P<path>.+)")  # a branch with a slash is not seen
_CONTENT_ID = re.compile(r"[0-9a-fA-F]{40}")
_MOST: Final = 5000  # characters of a subject

# Contents that say nothing, and stand in thousands of repositories: nothing, and a line end.
_BLANK: Final = {
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391": "the empty file",
    "8b137891791fe96927ad78e64b0aad7bded08bdc": "a file of one empty line",
    "d3f5a12faa99758192ecc4ed3fc22c9249232e86": "a file of one empty line",
}


@dataclass(frozen=True)
class Subject:
    """`text` is its one way of writing. `name`: of the owner or repository, as given; `path`: of a file; `content_id`:
    of a content."""

    scope: Scope
    text: str
    name: str = ""
    path: str = ""
    content_id: str = ""

    @property
    def key(self) -> str:
        """Equal for equal subjects."""
        if self.scope == "content":
            return self.content_id
        return f"{self.name.lower()}:{self.path}" if self.scope == "file" else self.name.lower()


def parse(text: str) -> Subject:
    """The subject that `text` names. Raises UserError for what is none, and for a content that is everybody's."""
    given = text.strip()
    if not given or len(given) > _MOST or not given.isprintable():
        raise _none(text)
    if swhid := parse_swhid(given):
        if swhid[0] != "cnt":
            raise UserError(
                f"`{given[:60]}` is no content", "a folder or revision cannot be opted out: name its repository"
            )
        return _content(swhid[1])
    if _CONTENT_ID.fullmatch(given):
        return _content(given.lower())
    plain = _ADDRESS.sub("", given, count=1)
    blob = _BLOB.fullmatch(plain) if plain != given else None
    name, _, path = (blob["name"], "", blob["path"]) if blob else plain.partition(":")
    name = name.rstrip("/").removesuffix(".git")
    if not _NAME.fullmatch(name) or (":" in plain and not path):
        raise _none(text)
    if path:
        return Subject("file", f"{name}:{path}", name, path)
    return Subject("repository" if "/" in name else "owner", name, name)


def refuse_blank(content_id: str) -> None:
    """Raises UserError where a content is one that says nothing and stands everywhere."""
    if content_id in _BLANK:
        raise UserError(
            f"{content_swhid(content_id)} is {_BLANK[content_id]}: it is nobody's, and stands in many repositories",
            "opt out its repository, if that is meant: that takes nothing of others",
        )


def _content(content_id: str) -> Subject:
    refuse_blank(content_id)
    return Subject("content", content_swhid(content_id), content_id=content_id)


def _none(text: str) -> UserError:
    return UserError(f"`{printable(text.strip())[:100]}` is no opt-out", f"write {ACCEPTED}")
