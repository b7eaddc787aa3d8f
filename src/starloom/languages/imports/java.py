"""Java: `import a.b.C;`, `import a.b.*;`, `import static a.b.C.d;`.

A class is looked up by the package that its file declares and the file's name, so it does not matter where sources lie;
of several by one name (a test's, another module's) the one whose path has most folders in common. Classes of the own
package are used without an import and are not seen.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import takewhile
from typing import Final

from starloom.languages.imports.tree import Tree, names

SUFFIXES: Final = (".java",)

_PACKAGE: Final = re.compile(r"^[ \t]*package[ \t]+([\w.]{1,300})[ \t]*;", re.MULTILINE)
_IMPORT: Final = re.compile(r"[ \t]*import[ \t]+(?:static[ \t]+)?([\w.]{1,300}?)(\.\*)?[ \t]*;")
_NAMESAKES: Final = 8  # that are compared


def imports(tree: Tree) -> Iterator[tuple[int, int]]:
    """(file, what it imports) by number, `tree`'s files and packages."""
    files = list(tree.ending(SUFFIXES))
    classes: dict[str, list[int]] = defaultdict(list)
    packages: dict[str, list[int]] = defaultdict(list)
    for number, path, text in files:
        declared = _PACKAGE.search(text)
        package = declared[1] if declared else ""
        classes[f"{package}.{path.rpartition('/')[2].removesuffix('.java')}"].append(number)
        packages[package].append(number)
    for number, path, text in files:
        for name, all_of_it in names(_IMPORT, text, "import"):
            if all_of_it and name in packages:
                yield number, tree.package(f"java {name}", packages[name])
                continue
            while name:  # a class within a class, or a member of one
                if found := classes.get(name):
                    yield number, _nearest(tree, path, found)
                    break
                name = name.rpartition(".")[0]


def _nearest(tree: Tree, path: str, found: list[int]) -> int:
    def common(number: int) -> int:
        other = tree.files[number][0].split("/")[:-1]
        return sum(
            1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(path.split("/")[:-1], other, strict=False))
        )

    return max(found[:_NAMESAKES], key=common)
