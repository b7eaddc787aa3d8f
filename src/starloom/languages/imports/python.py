"""Python: `import a.b`, `from a import b`, `from . import c`.

A module that is named whole is looked for from the file's own folder up, in each folder and its src, lib and python,
which usually are on the path. `from a import b` is a/b.py if there is one, else a.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from starloom.languages.imports.tree import IMPORTS, Tree, above, folder_of, names

SUFFIXES: Final = (".py", ".pyi")

_IMPORT: Final = re.compile(
    r"[ \t]*(?:import[ \t]+([\w., \t]{1,1000})"
    r"|from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]*(?:\(([^)]{1,2000})|[ \t]([\w*, \t]{1,1000})))"
)
_ROOTS: Final = ("", "src/", "lib/", "python/")


def imports(tree: Tree) -> Iterator[tuple[int, int]]:
    """(file, what it imports) by number, `tree`'s files and packages."""
    before, known = "", dict[tuple[str, str], int | None]()
    for number, path, text in tree.ending(SUFFIXES):
        folder = folder_of(path)
        if folder != before:  # neighbours import the same
            before, known = folder, {}
        for module, name in islice(_named(text), IMPORTS):
            if (module, name) not in known:
                known[module, name] = _found(tree, folder, module, name)
            found = known[module, name]
            if found is not None:
                yield number, found


def _named(text: str) -> Iterator[tuple[str, str]]:
    """(module, name of something in it, or nothing)."""
    for whole, module, bracketed, plain in names(_IMPORT, text, "import"):
        if whole:
            yield from ((name, "") for name in _listed(whole))
        else:
            yield from ((module, name) for name in _listed(bracketed or plain) or [""])


def _listed(text: str) -> list[str]:
    """The names of a list, without what they are imported as, and without comments."""
    lines = (line.partition("#")[0] for line in text.splitlines())
    return [words[0] for part in " ".join(lines).split(",") if (words := part.split())]


def _found(tree: Tree, folder: str, module: str, name: str) -> int | None:
    inner = module.lstrip(".")
    place = inner.replace(".", "/")
    up = len(module) - len(inner)
    if up:
        folders = list(above(folder))
        if up > len(folders):
            return None
        return _module(tree, folders[up - 1] + place, name)
    if place.partition("/")[0] not in tree.stems:
        return None
    for outer in above(folder):
        for root in _ROOTS:
            found = _module(tree, outer + root + place, name)
            if found is not None:
                return found
    return None


def _module(tree: Tree, place: str, name: str) -> int | None:
    place = place.rstrip("/")
    inside = f"{place}/{name}" if place else name
    packages = (f"{place}/__init__.py", f"{place}/__init__.pyi") if place else ("__init__.py",)
    within = (f"{inside}.py", f"{inside}/__init__.py", f"{inside}.pyi") if name else ()
    return tree.first(iter((*within, f"{place}.py", *packages, f"{place}.pyi")))
