"""Identity of contents, as git and Software Heritage compute it.

`content_id` is the git blob hash (the hex part of `swh:1:cnt:…`); `blob_id` is the plain SHA-1, the key of Software
Heritage's object store and The Stack v2's `blob_id`. They never mix: every column and argument says which it is.
Specification: https://docs.softwareheritage.org/devel/swh-model/persistent-identifiers.html (SWHID version 1).
"""

import hashlib
import re

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


def content_swhid(content_id: str) -> str:
    """The Software Heritage identifier of a content.

    >>> content_swhid("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
    'swh:1:cnt:e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    return f"swh:1:cnt:{content_id}"


def parse_swhid(text: str) -> tuple[str, str] | None:
    """`(kind, hash)` of a core SWHID (qualifiers after `;` are ignored), or None when `text` is none."""
    found = _SWHID.fullmatch(text)
    return (found[1], found[2]) if found else None
