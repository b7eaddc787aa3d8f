"""Git LFS pointers: the small text that stands in a repository for a large file kept elsewhere.

Specification: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md, version 1. A pointer is no source code: it is
recognised and marked, the large file is not fetched.
"""

import re

MAX_POINTER = 1024  # bytes; longer files are none
_POINTER = re.compile(
    rb"version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/v1\n(?:ext-\d-[^\n]*\n)*"
    rb"oid sha256:([0-9a-f]{64})\nsize (\d{1,19})\n(?:[a-z0-9.-]+ [^\n]*\n)*"
)


def pointer(data: bytes) -> str | None:
    """`sha256:… SIZE` of the large file that `data` stands for; None where it is no pointer.

    >>> pointer(b"version https://git-lfs.github.com/spec/v1\\noid sha256:" + b"a" * 64 + b"\\nsize 12\\n")[-3:]
    ' 12'
    """
    if len(data) >= MAX_POINTER or not data.startswith(b"version https://"):
        return None
    found = _POINTER.fullmatch(data)
    return f"sha256:{found[1].decode()} {int(found[2])}" if found else None
