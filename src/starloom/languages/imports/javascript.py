"""JavaScript, TypeScript, and the scripts of Vue and Svelte: `import … from "./a"`, `export … from`, `require("./a")`,
`import("./a")`.

Only what is named by its place: packages' names are not looked up, but `@/a` and `~/a` are by convention the project's
own sources. A name without suffix, or with that of the compiled file, finds the source; a folder its index.
"""

import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

from starloom.languages.imports.tree import IMPORTS, Tree, above, folder_of, joined, names

_SCRIPTS: Final = (".ts", ".tsx", ".js", ".jsx", ".mts", ".cts", ".mjs", ".cjs")
SUFFIXES: Final = (*_SCRIPTS, ".vue", ".svelte")

# A pattern each: one that begins with letters is looked for many times faster than one of three.
_IMPORTS: Final = tuple(
    re.compile(word + r"""\s{0,20}\(?\s{0,20}["'](\.\.?/[^"'\n]{0,300}|\.\.?|[@~]/[^"'\n]{1,300})["']""")
    for word in ("from", "import", "require")
)
_TRIED: Final = (*_SCRIPTS, ".d.ts", ".vue", ".svelte", ".json")
_COMPILED: Final = {".js": (".ts", ".tsx"), ".jsx": (".tsx",), ".mjs": (".mts",), ".cjs": (".cts",)}


def imports(tree: Tree) -> Iterator[tuple[int, int]]:
    """(file, what it imports) by number."""
    for number, path, text in tree.ending(SUFFIXES):
        folder = folder_of(path)
        found_names = chain.from_iterable(names(pattern, text) for pattern in _IMPORTS)
        for (name,) in islice(found_names, IMPORTS):
            found = tree.first(_places(folder, name))
            if found is not None:
                yield number, found


def _places(folder: str, name: str) -> Iterator[str]:
    """Where it may be."""
    if name[0] == ".":
        places = [joined(folder, name)]
    else:
        places = [joined(outer + root, name[2:]) for outer in above(folder) for root in ("src/", "")]
    for place in places:
        if place is None:
            continue
        yield place
        stem, dot, suffix = place.rpartition(".")
        for source in _COMPILED.get(dot + suffix, ()):
            yield stem + source
        for tried in _TRIED:
            yield place + tried
        for tried in _SCRIPTS:
            yield f"{place}/index{tried}" if place else f"index{tried}"
