"""File patterns of copyright statements as regular expressions for whole paths, in what RE2 and `re` share."""

import re
from collections.abc import Iterable, Iterator

_MAX_PATTERN = 4_000  # characters of one regular expression: RE2 bounds the memory of each
_STARS = re.compile(r"\*+")


def any_of(patterns: Iterable[str]) -> Iterator[str]:
    """Few regular expressions that match what any of the many does."""
    chunk: list[str] = []
    length = 0
    for pattern in patterns:
        if chunk and length + len(pattern) > _MAX_PATTERN:
            yield _alternatives(chunk)
            chunk, length = [], 0
        chunk.append(pattern)
        length += len(pattern) + 1
    if chunk:
        yield _alternatives(chunk)


def _alternatives(patterns: list[str]) -> str:
    return "(?s)" + "|".join(f"(?:{one})" for one in patterns)


def dep5(glob: str) -> str:
    """`*` and `?` match `/` too; a backslash takes the meaning from the next character.

    >>> re.fullmatch(dep5("debian/*"), "debian/patches/x") is not None
    True
    """
    return _translate(_STARS.sub("*", glob.removeprefix("./")), any_star=".*", one=".")


def reuse(glob: str) -> str:
    """`*` stays within a folder, `**` does not; a `?` is itself."""
    return _translate(glob.removeprefix("./"), any_star="[^/]*", one=r"\?")


def _translate(glob: str, any_star: str, one: str) -> str:
    parts, i = [], 0
    while i < len(glob):
        character = glob[i]
        if character == "*":
            end = i
            while end < len(glob) and glob[end] == "*":
                end += 1
            parts.append(".*" if end - i > 1 else any_star)
            i = end
            continue
        if character == "\\" and i + 1 < len(glob):
            i += 1
            parts.append(re.escape(glob[i]))
        else:
            parts.append(one if character == "?" else re.escape(character))
        i += 1
    return "".join(parts)
