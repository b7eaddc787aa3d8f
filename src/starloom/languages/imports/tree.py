"""The files of a repository as imports are looked up in them: by path, by folder, by folders above."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

_ABOVE: Final = 16  # folders above a file that are looked in
_LONGEST: Final = 1_000  # characters of a path that is looked up

IMPORTS: Final = 2_000  # names that are looked at in one file: a bound for hostile ones


class Tree:
    """Files by number, in the order they are given. Folders end in a slash; the outermost is the empty text."""

    def __init__(self, files: Sequence[tuple[str, str]]) -> None:
        """`files`: (path, text) each. Of two with one path, the first is found."""
        self.files = files
        self._numbers: dict[str, int] = {}
        for number, (path, _) in enumerate(files):
            self._numbers.setdefault(path, number)
        self.names = {path.rpartition("/")[2] for path in self._numbers}
        self.stems = {part.partition(".")[0] for path in self._numbers for part in path.split("/")}  # folders' too
        self.packages: list[list[int]] = []  # files that are imported together
        self._packages: dict[str, int] = {}

    def find(self, path: str) -> int | None:
        """The file with this path."""
        return self._numbers.get(path)

    def first(self, paths: Iterator[str]) -> int | None:
        """The first of these paths that there is."""
        return next((self._numbers[path] for path in paths if path in self._numbers), None)

    def ending(self, suffixes: tuple[str, ...]) -> Iterator[tuple[int, str, str]]:
        """(number, path, text) of the files whose names end so, in the order of their paths."""
        for path, number in sorted(self._numbers.items()):
            if path.endswith(suffixes):
                yield number, path, self.files[number][1]

    def package(self, name: str, members: list[int]) -> int:
        """The number of files that are imported together, under a name of their own; it follows the files' numbers."""
        if name not in self._packages:
            self._packages[name] = len(self.files) + len(self.packages)
            self.packages.append(members)
        return self._packages[name]


def folder_of(path: str) -> str:
    """
    >>> folder_of("a/b/c.py"), folder_of("c.py")
    ('a/b/', '')
    """
    return path[: path.rfind("/") + 1]


def above(folder: str) -> Iterator[str]:
    """The folder and those above it, nearest first.

    >>> list(above("a/b/"))
    ['a/b/', 'a/', '']
    """
    for _ in range(_ABOVE):
        yield folder
        if not folder:
            return
        folder = folder_of(folder[:-1])
    yield ""


def joined(folder: str, relative: str) -> str | None:
    """The path that `relative` names, seen from `folder`; None: it lies outside.

    >>> joined("a/b/", "../c.js"), joined("a/", "./b"), joined("", "../c")
    ('a/c.js', 'a/b', None)
    """
    if len(folder) + len(relative) > _LONGEST:
        return None
    parts = folder.split("/")[:-1]
    for part in relative.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def names(pattern: re.Pattern[str], text: str, *words: str) -> list[tuple[str, ...]]:
    """The groups of what the pattern finds, each once. Where there are `words`: at the beginnings of lines that have
    one of them, which is many times faster than to try every line."""
    found: dict[tuple[str, ...], None] = {}
    for match in _lines(pattern, text, words) if words else pattern.finditer(text):
        found[match.groups("")] = None
        if len(found) == IMPORTS:
            break
    return list(found)


def _lines(pattern: re.Pattern[str], text: str, words: tuple[str, ...]) -> Iterator[re.Match[str]]:
    for word in words:
        at = text.find(word)
        while at >= 0:
            match = pattern.match(text, text.rfind("\n", 0, at) + 1)
            if match:
                yield match
                at = max(at, match.end() - 1)
            at = text.find("\n", at)  # once a line: of a long one, each word would look back to its beginning
            at = text.find(word, at) if at >= 0 else -1
