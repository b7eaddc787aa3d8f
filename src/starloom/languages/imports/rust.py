"""Rust: `mod a;`, `use crate::a::B;`, `use super::c;`, `use other_crate::d;`.

Modules are looked up as files (`a.rs`, `a/mod.rs`), other crates of the repository by the name in their Cargo.toml, or
that of their folder. A module depends on those that it declares; what one uses of a module it lies in is no dependency
here, since that module declares it.
"""

import re
from collections.abc import Iterator
from typing import Final

from starloom.languages.imports.tree import Tree, above, folder_of, joined, names

SUFFIXES: Final = (".rs",)

_IMPORT: Final = re.compile(
    r"[ \t]*(?:#\[path[ \t]*=[ \t]*\"([^\"\n]{1,300})\"\]\s{0,200})?(?:pub(?:\([^)\n]{1,100}\))?[ \t]+)?"
    r"(?:mod[ \t]+(?:r#)?(\w{1,200})[ \t]*;|use[ \t]+(?:::)?([^;]{1,2000});)"
)
_CRATE: Final = re.compile(r"^[ \t]*name[ \t]*=[ \t]*\"([\w-]{1,200})\"", re.MULTILINE)
_PART: Final = re.compile(r"[{},]|::|[\w*]+(?:[ \t\n]+as[ \t\n]+\w+)?")
_TOPS: Final = ("lib.rs", "main.rs")
_DEEP: Final = 16  # of modules within modules
_USES: Final = 200  # of one declaration


def imports(tree: Tree) -> Iterator[tuple[int, int]]:
    """(file, what it imports) by number."""
    crates = _crates(tree)
    for number, path, text in tree.ending(SUFFIXES):
        folder, own = folder_of(path), _modules(path)
        top = next((one for one in above(folder) if any(tree.find(one + name) is not None for name in _TOPS)), None)
        for placed, declared, used in names(_IMPORT, text, "#[path", "mod ", "use "):
            if placed:
                place = joined(folder, placed)
                found = None if place is None else tree.find(place)
                if found is not None:
                    yield number, found
            elif declared:
                found = _module(tree, own, [declared])
                if found is not None:
                    yield number, found
            for parts in uses(used):
                found = _used(tree, own, top, crates, parts)
                if found is not None and not path.startswith(_modules(tree.files[found][0])):
                    yield number, found


def _modules(path: str) -> str:
    """Where the modules lie that the file may declare."""
    folder, name = folder_of(path), path.rpartition("/")[2]
    return folder if name in (*_TOPS, "mod.rs", "build.rs") else f"{path.removesuffix('.rs')}/"


def _crates(tree: Tree) -> dict[str, str]:
    """The folders of the crates' modules, by the names they are used under."""
    found: dict[str, str] = {}
    for _, path, _ in tree.ending(("src/lib.rs",)):
        folder = path.removesuffix("src/lib.rs")
        manifest = tree.find(f"{folder}Cargo.toml")
        named = _CRATE.search(tree.files[manifest][1]) if manifest is not None else None
        name = named[1] if named else folder[:-1].rpartition("/")[2]
        if name and (not folder or folder.endswith("/")):
            found.setdefault(name.replace("-", "_"), f"{folder}src/")
    return found


def _used(tree: Tree, own: str, top: str | None, crates: dict[str, str], parts: list[str]) -> int | None:
    first, *rest = parts
    if first == "crate":
        return None if top is None else _module(tree, top, rest)
    if first in ("self", "super"):
        while first == "super":
            if not own:
                return None
            own = folder_of(own[:-1])
            if not rest:
                return None
            first, *rest = rest
        return _module(tree, own, rest if first == "self" else [first, *rest])
    if first in crates:
        within = crates[first]
        found = _module(tree, within, rest)
        return tree.find(f"{within}lib.rs") if found is None and within != top else found
    return _module(tree, own, parts)  # a module of its own


def _module(tree: Tree, folder: str, parts: list[str]) -> int | None:
    """The innermost file of the modules, and what is in it, that `parts` names."""
    for count in range(min(len(parts), _DEEP), 0, -1):
        place = folder + "/".join(parts[:count])
        found = tree.first(iter((f"{place}.rs", f"{place}/mod.rs")))
        if found is not None:
            return found
    return None


def uses(text: str) -> list[list[str]]:
    """The paths of a declaration.

    >>> uses("a::{b, c::{self, D as E}}")
    [['a', 'b'], ['a', 'c', 'self'], ['a', 'c', 'D']]
    """
    found: list[list[str]] = []
    outer: list[list[str]] = []
    path: list[str] = []
    fresh = False  # whether something was named since the last comma or bracket
    for part in _PART.findall(text):
        if part == "{":
            outer.append(list(path))
            fresh = False
        elif part in (",", "}"):
            if fresh:
                found.append(path)
                if len(found) == _USES:
                    return found
            fresh = False
            if part == "}" and outer:
                outer.pop()
            path = list(outer[-1]) if outer else []
        elif part != "::":
            path = [*path, part.split()[0]]
            fresh = True
    return [*found, path] if fresh else found
