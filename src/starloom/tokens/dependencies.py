"""The files of a repository in the order of their imports: what is used before what uses it.

The paths in order, each after what it imports, as a walk through the imports comes back from them. So the order is the
same whatever order the files come in, and every import is obeyed but those on a circle (of files, or of packages): of
each circle the one that closes it on the walk. What a file uses stands near it. What imports nothing and is not
imported (data, texts) stands where its path does.
"""

from collections.abc import Sequence

from starloom.languages.imports.graph import imports


def order(files: Sequence[tuple[str, str]]) -> list[int]:
    """The numbers of (path, text) in that order.

    >>> order([("a.py", "import c"), ("b.md", ""), ("c.py", "")])
    [2, 0, 1]
    """
    paths = [path for path, _ in files]
    return [number for number in _after(imports(files), _by_path(paths)) if number < len(files)]


def _by_path(paths: Sequence[str]) -> list[int]:
    return sorted(range(len(paths)), key=lambda number: paths[number])


def _after(imported: Sequence[Sequence[int]], starts: Sequence[int]) -> list[int]:
    """Every node after those it imports, but for circles: the order in which a walk leaves them."""
    place = {number: at for at, number in enumerate(starts)}
    nodes = [sorted(one, key=lambda number: place.get(number, number)) for one in imported]
    entered = [False] * len(nodes)
    left: list[int] = []
    for start in starts:
        if entered[start]:
            continue
        entered[start] = True
        walk = [(start, iter(nodes[start]))]
        while walk:
            node, rest = walk[-1]
            following = next((one for one in rest if not entered[one]), None)
            if following is None:
                left.append(node)
                walk.pop()
            else:
                entered[following] = True
                walk.append((following, iter(nodes[following])))
    return left
