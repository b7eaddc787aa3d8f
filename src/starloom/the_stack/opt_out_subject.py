"""What an opt-out is about, from what a person writes.

    somebody                                     owner: a user, an organisation, a group: all of their repositories
    somebody/project                             repository (on GitLab: a group and all below it)
    https://github.com/somebody/project          the same, as its address
    swh:1:cnt:…, or a content id                 content: wherever it stands
    somebody/project:src/a.py                    file: what stands there now, wherever it stands, and that place
    https://github.com/somebody/project/blob/main/src/a.py      the same, as its address
    my notes: 2024/                              owner: whatever stands before a slash at the end is a name

A name with blanks, colons or other signs may be a slip, or a file: it is taken for a name where a repository is called
so, or with a slash at its end. Names are compared without regard to case, and to how Unicode composes them; paths and
ids as they are.
"""

import re
import unicodedata
from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

from starloom.errors import UserError
from starloom.identity import content_swhid, parse_swhid
from starloom.outside.paths import printable

Scope = Literal["owner", "repository", "content", "file"]
ACCEPTED: Final = "a user, an organisation, OWNER/NAME or its address, swh:1:cnt:…, or OWNER/NAME:PATH"

_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://(?:[^/@\s]*@)?[^/\s]+/|git@[^:/\s]+:)", re.IGNORECASE)
_PART = r"[\w.~@+\u0300-\u036f-]{1,100}"  # letters of any script, with what stands over them
_NAME = re.compile(rf"{_PART}(?:/{_PART}){{0,20}}")  # what is a name, whether or not a repository here is called so
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
        name, colon, path = self.text.partition(":") if self.scope == "file" else (self.name, "", "")
        return f"{folded(name)}{colon}{path}"


def folded(name: str) -> str:
    """As which names are compared. Some systems write `ü` as two characters."""
    return unicodedata.normalize("NFC", name).lower()


def parse(text: str, called: Container[str] = ()) -> Subject:
    """The subject that `text` names; `called`: what repositories and owners are called here, folded. Raises
    UserError for what is none, and for a content that is everybody's."""
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
    address = _ADDRESS.match(given)
    plain = given[address.end() :].partition("#")[0] if address else given
    if address and (blob := _BLOB.fullmatch(plain)):
        places = [(blob["name"], blob["path"])]
    else:
        name = plain.rstrip("/").removesuffix(".git")
        if _NAME.fullmatch(name) or folded(name) in called or (plain.endswith("/") and _is_stated(name)):
            return Subject("repository" if "/" in name else "owner", name, name)
        places = readings(plain)
    places = [(name.removesuffix(".git"), path) for name, path in places]
    known = [one for one in places if folded(one[0]) in called][-1:]  # the longest name
    for name, path in known or places[:1]:
        if path and (known or _NAME.fullmatch(name)):
            return Subject("file", f"{name}:{path}", name, path)
    raise _none(text)


def logged(scope: str, text: str) -> Subject:
    """The subject of an entry of a log, which says its scope. Raises UserError."""
    with suppress(UserError):
        subject = parse(text)
        if subject.scope == scope:
            return subject
    if len(text) <= _MOST and text.isprintable():
        if scope in ("owner", "repository") and _is_name(text):
            return Subject("repository" if "/" in text else "owner", text, text)
        if scope == "file" and ":" in text:
            return Subject("file", text, *readings(text)[0])
    return parse(text)


def readings(text: str) -> list[tuple[str, str]]:
    """Each repository and path that `text` may be about: both may have colons, so that only a listing can tell."""
    return [(text[: found.start()], text[found.end() :]) for found in re.finditer(":", text)]


def _is_stated(name: str) -> bool:
    """Whether that is a name with a slash behind it, and no folder: OWNER/NAME:FOLDER/."""
    parts = name.split("/")
    return _is_name(name) and not parts[0].endswith(":") and not any(":" in one for one in parts[1:])


def _is_name(text: str) -> bool:
    return "://" not in text and all(part.strip() for part in text.split("/"))


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
    given = printable(text.strip())
    hint = f"write {ACCEPTED}"
    if len(given) <= 100 and not given.endswith("/") and _is_stated(given):
        hint += f"; what is really called so has a slash behind it: `{given}/`"
    return UserError(f"`{given[:100]}` is no opt-out", hint)
