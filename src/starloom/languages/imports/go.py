"""Go: `import "module/folder"` imports all files of a folder, but its tests and programs (`//go:build ignore`).

Modules are named by their go.mod; of two under one name the first counts. Where there is none among the files, the
longest end of the name that is a folder with Go files is taken, if the name begins with a host.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from starloom.languages.imports.tree import Tree, folder_of, names

SUFFIXES: Final = (".go",)

_MODULE: Final = re.compile(r"^[ \t]*module[ \t]+\"?([^\s\"]{1,300})", re.MULTILINE)
_IMPORT: Final = re.compile(r"import\b[ \t]*(?:\(([^)]{1,20000})|(?:[\w.]+[ \t]+)?(\"[^\"\n]{1,300}\"))")
_IGNORED: Final = re.compile(r"^//[ \t]*(?:go:build|\+build)[ \t]+ignore\b", re.MULTILINE)
_HEAD: Final = 5_000  # characters within which that stands, after a licence
_STANDARD: Final = "std"  # the module of Go's own library, whose packages are named without it
_QUOTED: Final = re.compile(r'"([^"\n]{1,300})"')


def imports(tree: Tree) -> Iterator[tuple[int, int]]:
    """(file, what it imports) by number, `tree`'s files and packages."""
    files = list(tree.ending(SUFFIXES))
    packages: dict[str, list[int]] = defaultdict(list)
    for number, path, text in files:
        if not path.endswith("_test.go") and not _IGNORED.search(text, 0, _HEAD):
            packages[folder_of(path)].append(number)
    modules: dict[str, str] = {}
    for _, path, text in tree.ending(("go.mod",)):
        if (declared := _MODULE.search(text)) and path == f"{folder_of(path)}go.mod":
            modules.setdefault(declared[1], folder_of(path))
    for number, _, text in files:
        for block, one in names(_IMPORT, text, "import"):
            for (name,) in names(_QUOTED, block or one):
                folder = _folder(name, modules, packages)
                if folder is not None:
                    yield number, tree.package(f"go {folder}", packages[folder])


def _folder(name: str, modules: dict[str, str], packages: dict[str, list[int]]) -> str | None:
    """The folder of the package; `modules`: their folders."""
    parts = name.split("/")
    ends = ["".join(f"{part}/" for part in parts[cut:]) for cut in range(len(parts) + 1)]
    if not modules:
        hosted = ends[1:-1] if "." in parts[0] else []
        return next((folder for folder in hosted if folder in packages), None)
    folders = (
        modules[module] + ends[cut] for cut in range(len(parts), 0, -1) if (module := "/".join(parts[:cut])) in modules
    )
    folder = next(folders, modules[_STANDARD] + ends[0] if _STANDARD in modules else None)
    return folder if folder in packages else None
