"""Draws a piece of a syntax tree, for languages/syntax/middles. Runs in the process that parses.

Half of the pieces are one named node, each as likely as it is long (but for the outermost, which is the file). Half are
neighbours: two places are drawn in the text, as for any middle, and of the smallest node that holds both those children
in a row are taken that fit the stretch between the places best (share of the common bytes in all bytes of both). No
piece has an error in it or is all of the text. Where one way finds nothing, the other is tried.

Nodes are not counted, so a tree is not walked: a place and a level are drawn together until there is a node at them,
which makes a node as likely as its bytes are many. Cost: 0.05-0.3 ms a file, beside 1.5 ms for parsing 10 kB.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from tree_sitter import Node, Tree

_LEVELS = 32  # below which no node is drawn; few files go as deep
_NODES = 256  # draws until a node is found: of 100,000 files with a node every second level, none goes without
_STRETCHES = 16  # draws of two places
_CHILDREN = 20_000  # of a node, when neighbours are drawn: each is made an object


def middle(tree: Tree, data: bytes, number: int) -> tuple[int, int] | None:
    """(start, stop), in bytes, of the piece that `number`, from [0, 2**64), draws of the text `data`; None: there is
    none."""
    units = _units(number)
    whole = len(data) - len(data.lstrip()), len(data.rstrip())
    ways = (_node, _neighbours) if next(units) < 0.5 else (_neighbours, _node)
    return ways[0](tree, len(data), whole, units) or ways[1](tree, len(data), whole, units)


def _node(tree: Tree, size: int, whole: tuple[int, int], units: Iterator[float]) -> tuple[int, int] | None:
    for _ in range(_NODES):
        place, level = int(next(units) * size), 1 + int(next(units) * _LEVELS)
        node = _at(tree, place, level)
        if node is not None and (found := _piece([node], whole)):
            return found
    return None


def _piece(nodes: list[Node], whole: tuple[int, int]) -> tuple[int, int] | None:
    """Where they stand, if that may be a middle."""
    if not nodes or any(node.has_error for node in nodes):
        return None
    start, stop = nodes[0].start_byte, nodes[-1].end_byte
    return None if start <= whole[0] and stop >= whole[1] else (start, stop)


def _at(tree: Tree, place: int, level: int) -> Node | None:
    """The named node at `place` that has `level` - 1 named ones above it, but for the outermost."""
    cursor = tree.walk()
    while cursor.goto_first_child_for_byte(place) is not None:
        node = cursor.node
        if node is None or not node.start_byte <= place < node.end_byte:
            return None  # between two nodes
        level -= node.is_named
        if not level:
            return node
    return None


def _neighbours(tree: Tree, size: int, whole: tuple[int, int], units: Iterator[float]) -> tuple[int, int] | None:
    for _ in range(_STRETCHES):
        start, stop = sorted(int(next(units) * (size + 1)) for _ in range(2))
        if start == stop:
            continue
        node = tree.root_node.named_descendant_for_byte_range(start, stop)
        if node is None or node.named_child_count > _CHILDREN:
            continue
        if found := _piece(_best(node.named_children or [node], start, stop), whole):
            return found
    return None


def _best(nodes: list[Node], start: int, stop: int) -> list[Node]:
    """Those in a row that fit best. The row's ends are next to the stretch's, on either side: farther out it only gains
    what is not common, farther in it only loses what is."""
    starts, stops = [node.start_byte for node in nodes], [node.end_byte for node in nodes]
    best: tuple[float, list[Node]] = (0.0, [])
    for first in (bisect_right(starts, start) - 1, bisect_left(starts, start)):
        for last in (bisect_left(stops, stop), bisect_right(stops, stop) - 1):
            if 0 <= first <= last < len(nodes):
                common = min(stop, stops[last]) - max(start, starts[first])
                share = common / (max(stop, stops[last]) - min(start, starts[first]))
                if share > best[0]:
                    best = share, nodes[first : last + 1]
    return best[1]


def _units(number: int) -> Iterator[float]:
    """Numbers in [0, 1) that `number` draws: SplitMix64."""
    mask = (1 << 64) - 1
    while True:
        number = (number + 0x9E3779B97F4A7C15) & mask
        mixed = ((number ^ number >> 30) * 0xBF58476D1CE4E5B9) & mask
        mixed = ((mixed ^ mixed >> 27) * 0x94D049BB133111EB) & mask
        yield ((mixed ^ mixed >> 31) >> 11) * 2.0**-53
