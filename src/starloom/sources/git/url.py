"""What a git URL names: which repository, on which host; and whether it may be given to git.

Accepted are `https`, `http`, `git` and `ssh` URLs and ssh's short form `user@host:path`; the first is the one that
nobody on the way can change. Everything else that git understands is refused: transports that run programs (`ext::`),
local paths, and passwords in the URL, which would end in lists, logs and manifests.
"""

import os
import re
from dataclasses import dataclass

from starloom.errors import UserError
from starloom.outside.addresses import allows_private, name_refusal
from starloom.outside.paths import printable

SCHEMES = ("https", "http", "git", "ssh")
MAX_URL = 2000  # characters
PORTS = {"https": 443, "http": 80, "git": 9418, "ssh": 22}
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]*://)(?:[^/@]*@)?(?P<host>[^/:@]+)(?::\d*)?/+(?P<path>.+)", re.IGNORECASE)
_SCP = re.compile(r"(?:[^/@:]+@)?(?P<host>[^/:@]+):(?!/)(?P<path>.+)")
_NAME = re.compile(r"[A-Za-z0-9._~+-]{1,100}")
_HOST = r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
_REMOTE = re.compile(
    rf"(?P<scheme>[A-Za-z]+)://(?:(?P<user>[^/@]*)@)?{_HOST}(?::(?P<port>\d{{1,5}}))?/+(?P<path>[^/?#][^?#]*)"
)
_REMOTE_SCP = re.compile(rf"(?P<user>[A-Za-z0-9][A-Za-z0-9._-]*)@{_HOST}:(?P<path>[^-].*)")
_ACCEPTED = "give https://HOST/OWNER/NAME, ssh://USER@HOST/PATH or USER@HOST:PATH"


@dataclass(frozen=True)
class Remote:
    """A repository on another machine."""

    url: str  # as git is given it: no password, printable ASCII
    scheme: str
    host: str
    port: int


def parse_remote(text: str) -> Remote:
    """The repository that the URL `text` names. Raises UserError where it is none that may be asked for."""
    shown = printable(re.sub(r"//[^/]*@", "//", text))[:MAX_URL]
    if not (text.isascii() and text.isprintable()) or " " in text or "\\" in text or len(text) > MAX_URL:
        raise UserError(f"{shown}: no URL has such characters, or so many", _ACCEPTED)
    found = _REMOTE.fullmatch(text) or _REMOTE_SCP.fullmatch(text)
    scheme = (found.groupdict().get("scheme") or "ssh").lower() if found else ""
    if found is None or scheme not in SCHEMES:
        raise UserError(f"{shown}: not a URL of a git repository that can be fetched", _ACCEPTED)
    if ":" in (found["user"] or "") or (found["user"] and scheme != "ssh"):
        hint = "leave it out; for private repositories put a token into the variable STARLOOM_GIT_TOKEN"
        raise UserError(f"{shown}: it has a user name or password in it", hint)
    if found["user"] and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", found["user"]):
        raise UserError(f"{shown}: no user of ssh has such a name", _ACCEPTED)
    port = int(found.groupdict().get("port") or PORTS[scheme])
    if not 0 < port < 65536:
        raise UserError(f"{shown}: there is no port {port}", _ACCEPTED)
    host = found["host"].strip("[]").lower()
    if reason := name_refusal(host, private=allows_private()):
        raise UserError(f"{shown}: {host} is {reason}", "for the company's own servers set STARLOOM_ALLOW_PRIVATE=1")
    return Remote(text, scheme, host, port)


def name_from_url(url: str) -> str | None:
    """`owner/name` (on GitLab more parts) of a remote's URL, without host and credentials; else None.

    >>> name_from_url("https://me:secret@github.com/psf/requests.git"), name_from_url("git@gitlab.com:a/b")
    ('psf/requests', 'a/b')
    """
    found = _URL.fullmatch(url) or _SCP.fullmatch(url)
    if found is None or "." not in found["host"]:
        return None
    parts = found["path"].rstrip("/").removesuffix(".git").split("/")
    if len(parts) < 2 or not all(_NAME.fullmatch(part) and part.strip(".") for part in parts):
        return None
    return "/".join(parts)


def last_name(url: str) -> str:
    """The last part of a remote's path, for what has no owner.

    >>> last_name("https://example.org/engine.git")
    'engine'
    """
    return os.path.basename(url.rstrip("/")).removesuffix(".git") or "repository"  # noqa: PTH119 - a URL


def public_url(url: str) -> str | None:
    """`url` without credentials, query and fragment, where it names something on another machine; else None.

    >>> public_url("https://me:secret@github.com/a/b.git?token=x"), public_url("git@github.com:a/b")
    ('https://github.com/a/b.git', 'ssh://github.com/a/b')
    """
    if found := _SCP.fullmatch(url):
        return _shown(f"ssh://{found['host']}/{found['path']}") if "." in found["host"] else None
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in SCHEMES or not _URL.fullmatch(url):
        return None
    return _shown(f"{scheme.lower()}://{re.sub(r'^[^/]*@', '', rest)}")


def _shown(url: str) -> str | None:
    url = re.split(r"[?#]", url, maxsplit=1)[0]
    return url if url.isascii() and url.isprintable() and " " not in url else None
