"""Identity of contents, directories and revisions, as git and Software Heritage compute it.

`content_id` is the git blob hash (the hex part of `swh:1:cnt:…`); `blob_id` is the plain SHA-1, the key of Software
Heritage's object store and The Stack v2's `blob_id`. They never mix: every column and argument says which it is.
Specification: https://docs.softwareheritage.org/devel/swh-model/persistent-identifiers.html (SWHID version 1).
"""

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, urlsplit

_REMEMBERED = 4096  # files whose identifiers and pages are kept: code that many have is told from the same ones
_SWHID = re.compile(r"swh:1:(cnt|dir|rev|rel|snp):([0-9a-f]{40})(;.*)?")


def content_id(data: bytes | memoryview) -> str:
    """The git blob hash of `data`, 40 lower-case hex digits.

    >>> content_id(b"")
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    digest = hashlib.sha1(b"blob %d\0" % len(data), usedforsecurity=False)
    digest.update(data)
    return digest.hexdigest()


def blob_id(data: bytes | memoryview) -> str:
    """The plain SHA-1 of `data`, 40 lower-case hex digits."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def directory_id(files: Iterable[tuple[bytes, int, str]]) -> str:
    """The git tree hash of (path, mode, git hash) in bytewise order of path; modes as git writes them.

    Folders without files are not in it, as in git. Memory: one path's depth. Raises ValueError when paths are out of
    order, or one is both a file and a folder.

    >>> directory_id([])
    '4b825dc642cb6eb9a060e54bf8d69288fbee4904'
    """
    names: list[bytes] = []  # of the open folders, below the root
    trees: list[bytearray] = [bytearray()]  # what stands in them so far
    previous: bytes | None = None
    for path, mode, name in files:
        if previous is not None and (path <= previous or path.startswith(previous + b"/")):
            raise ValueError(f"{path!r} cannot come after {previous!r}")
        previous = path
        *folders, last = path.split(b"/")
        kept = 0
        while kept < min(len(folders), len(names)) and folders[kept] == names[kept]:
            kept += 1
        while len(names) > kept:
            _close(names, trees)
        for folder in folders[kept:]:
            names.append(folder)
            trees.append(bytearray())
        trees[-1] += b"%o %b\0" % (mode, last) + bytes.fromhex(name)
    while names:
        _close(names, trees)
    return _tree_id(trees[0])


def _close(names: list[bytes], trees: list[bytearray]) -> None:
    inner = _tree_id(trees.pop())
    trees[-1] += b"40000 %b\0" % names.pop() + bytes.fromhex(inner)


def _tree_id(tree: bytearray) -> str:
    return hashlib.sha1(b"tree %d\0" % len(tree) + tree, usedforsecurity=False).hexdigest()


def content_swhid(content_id: str) -> str:
    """The Software Heritage identifier of a content.

    >>> content_swhid("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
    'swh:1:cnt:e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    return f"swh:1:cnt:{content_id}"


def directory_swhid(directory_id: str) -> str:
    """The Software Heritage identifier of a directory, from its git tree hash."""
    return f"swh:1:dir:{directory_id}"


def revision_swhid(revision_id: str) -> str:
    """The Software Heritage identifier of a revision, from its git commit hash."""
    return f"swh:1:rev:{revision_id}"


def parse_swhid(text: str) -> tuple[str, str] | None:
    """`(kind, hash)` of a core SWHID (qualifiers after `;` are ignored), or None when `text` is none."""
    found = _SWHID.fullmatch(text)
    return (found[1], found[2]) if found else None


class Reference(NamedTuple):
    """A content where it stands, to be told of with lines: what its identifier and the address of its page begin with,
    and what stands before and between the lines in that address. `page` is None where there is none."""

    swhid: str
    page: str | None
    before: str
    between: str

    def of_lines(self, first: int, last: int) -> tuple[str, str | None]:
        """(identifier, page) with these lines."""
        swhid, page, before, between = self
        return (
            f"{swhid};lines={first}" if first == last else f"{swhid};lines={first}-{last}",
            None if page is None else f"{page}#{before}{first}{between}{last}",
        )


@lru_cache(_REMEMBERED)
def reference(content_id: str, url: str | None, revision_id: str | None, path: str) -> Reference:
    """The identifier of a content with where it stands (the repository's address, the revision, the path), and a page
    of the repository's host that shows it as it is in that revision, for ever; no page where the host is none whose
    addresses are known, or the revision is no commit.

    >>> one = reference("e" * 40, "https://github.com/a/b.git", "1" * 40, "x y.py")
    >>> swhid, page = one.of_lines(3, 5)
    >>> swhid.partition(";")[2]
    'origin=https://github.com/a/b.git;anchor=swh:1:rev:1111111111111111111111111111111111111111;path=/x%20y.py;lines=3-5'
    >>> page
    'https://github.com/a/b/blob/1111111111111111111111111111111111111111/x%20y.py#L3-L5'
    """
    qualifiers = []
    if url:
        qualifiers.append(f"origin={_quoted(url, _PLAIN)}")
    revision = revision_id if revision_id and _HEX.fullmatch(revision_id) else None
    if revision:
        qualifiers.append(f"anchor={revision_swhid(revision)}")
    qualifiers.append(f"path=/{_quoted(path, _PLAIN)}")
    swhid = ";".join([content_swhid(content_id), *qualifiers])
    if not url or not revision or (host := _host(url)) is None:
        return Reference(swhid, None, "", "")
    repository, folder, mark = host
    before, between, _ = mark.split("{}")
    return Reference(swhid, f"{repository}/{folder}/{revision}/{_quoted(path, '/')}", before, between)


def qualified_swhid(
    content_id: str, url: str | None, revision_id: str | None, path: str, lines: tuple[int, int] | None = None
) -> str:
    """The identifier of a content with where it stands: the repository's address, the revision, the path, and lines.

    >>> qualified_swhid("e" * 40, "https://github.com/a/b", "1" * 40, "x/y.py", (3, 5)).partition(";")[2]
    'origin=https://github.com/a/b;anchor=swh:1:rev:1111111111111111111111111111111111111111;path=/x/y.py;lines=3-5'
    """
    found = reference(content_id, url, revision_id, path)
    return found.of_lines(*lines)[0] if lines else found.swhid


def permalink(url: str | None, revision_id: str | None, path: str, lines: tuple[int, int] | None = None) -> str | None:
    """A page of the repository's host that shows these lines as they are in that revision, for ever; None where the
    host is none whose addresses are known, or the revision is no commit.

    >>> permalink("https://github.com/a/b.git", "1" * 40, "x y.py", (3, 5))
    'https://github.com/a/b/blob/1111111111111111111111111111111111111111/x%20y.py#L3-L5'
    """
    found = reference("", url, revision_id, path)
    return found.of_lines(*lines)[1] if lines else found.page


@lru_cache(_REMEMBERED)
def _host(url: str) -> tuple[str, str, str] | None:
    """(page of the repository, what stands before the revision, how lines are named); None: no known host's."""
    try:
        parts = urlsplit(re.sub(r"^(?:ssh://)?git@([^:/]+)[:/]", r"https://\1/", url))
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return None
    if parts.scheme not in ("https", "http", "git") or host not in _HOSTS:
        return None
    name = parts.path.strip("/").removesuffix(".git")
    return (f"https://{host}/{quote(name)}", *_HOSTS[host]) if "/" in name else None


@lru_cache(_REMEMBERED)
def _quoted(text: str, safe: str) -> str:
    return quote(text, safe=safe, errors="replace")


_HEX = re.compile("[0-9a-f]{40}")
_PLAIN = "/:@!$&'()*+,=~?#[]"  # besides letters, digits and -._: what a qualifier of a SWHID may hold
_HOSTS = {  # host → what stands before the revision, and how lines are named
    "github.com": ("blob", "L{}-L{}"),
    "gitlab.com": ("-/blob", "L{}-{}"),
    "bitbucket.org": ("src", "lines-{}:{}"),
    "codeberg.org": ("src/commit", "L{}-L{}"),
}
