"""C, C++, Objective-C, CUDA: `#include "a/b.h"`, `#include <a/b.h>`, `#import`.

Looked for beside the file, then in each folder above it, and in its include, src and inc; at last by its name, if only
one file of the repository ends so.
"""

import re
from collections.abc import Iterator
from typing import Final

from starloom.languages.imports.tree import Tree, above, folder_of, joined, names

SUFFIXES: Final = (
    *(".c", ".h", ".cc", ".hh", ".cpp", ".hpp", ".cxx", ".hxx", ".c++", ".h++"),
    *(".inl", ".ipp", ".tpp", ".inc", ".cu", ".cuh", ".m", ".mm"),
)

_INCLUDE: Final = re.compile(r"[ \t]*#[ \t]*(?:include|import|include_next)[ \t]*[\"<]([^\">\n]{1,300})[\">]")
_ROOTS: Final = ("", "include/", "src/", "inc/")


def imports(tree: Tree) -> Iterator[tuple[int, int]]:
    """(file, what it imports) by number."""
    files = list(tree.ending(SUFFIXES))
    ends: dict[str, list[int]] = {}
    for number, path, _ in files:
        ends.setdefault(path.rpartition("/")[2], []).append(number)
    for number, path, text in files:
        folder = folder_of(path)
        for (name,) in names(_INCLUDE, text, "include", "import"):
            if name.rpartition("/")[2] not in tree.names:
                continue
            found = tree.first(_places(folder, name))
            if found is None:
                found = _only(tree, ends, name)
            if found is not None:
                yield number, found


def _places(folder: str, name: str) -> Iterator[str]:
    for outer in above(folder):
        for root in _ROOTS:
            place = joined(outer + root, name)
            if place is not None:
                yield place


def _only(tree: Tree, ends: dict[str, list[int]], name: str) -> int | None:
    namesakes = ends.get(name.rpartition("/")[2], [])
    inner = name.lstrip("./")
    if len(namesakes) == 1:
        path = tree.files[namesakes[0]][0]
        if path == inner or path.endswith(f"/{inner}"):
            return namesakes[0]
    return None
