"""What a file must have to be a hit, asked of the filters of its blocks before any of it is unpacked.

The index finds the files that have a piece's rarest trigrams: a large file has them all; the filters of its blocks
(`kernels/gram_filters`) say of most such files that the piece itself is not there, and of the rest where it may be.
What stands on one line must have all that it needs in one block.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from starloom.kernels import gram_filters
from starloom.kernels.gram_filters import Filters, Wanted
from starloom.kernels.text import Bools, Int64s
from starloom.search import patterns, required
from starloom.search.matching import Stands, stands
from starloom.search.needs import Beside, Every, Has, Needed, Said, Some
from starloom.search.nodes import All, Any, Exact, Node, Pattern, Term, Word, fold

May: TypeAlias = Callable[[Filters, Int64s], Bools]  # of rows, which may be hits
_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True)
class OnALine:
    """A term that is all that is asked for and reaches over no line's end: what a block must have for it, and whether
    lines have it."""

    wanted: Wanted
    stands: Stands


def on_a_line(node: Node | None) -> OnALine | None:
    """`node` as such a term; None: it is none, or the filters say nothing of it."""
    if isinstance(node, All) and len(node.parts) == 1:
        return on_a_line(node.parts[0])
    if isinstance(node, Word | Exact | Pattern) and (wanted := _on_a_line(node)):
        return OnALine(wanted, stands(node))
    return None


def may(node: Node | None) -> May | None:
    """What the filters say of a query; None: nothing."""
    if isinstance(node, Word | Exact | Pattern):
        if wanted := _on_a_line(node):
            return _somewhere(wanted)
        needed = _needed(node)
        return None if needed is None else _apart(needed)
    if isinstance(node, All | Any):
        return _together([may(part) for part in node.parts], isinstance(node, All))
    return None  # a filter, an exclusion


def _on_a_line(term: Term) -> Wanted | None:
    if "\n" in term.text if isinstance(term, Word | Exact) else not patterns.on_one_line(term):
        return None
    needed = _needed(term)
    return (Wanted(list(_choices(needed))) or None) if needed else None


def _needed(term: Term) -> Needed:
    """What is in each text that has it."""
    return required.needed(term, closely=True) if isinstance(term, Pattern) else Has(fold(term.text))


def _choices(needed: Said) -> Iterator[list[list[bytes | gram_filters.Beside]]]:
    """What is needed as `Wanted` has it; what it cannot say is left out."""
    if isinstance(needed, Every):
        for part in needed.parts:
            yield from _choices(part)
    else:
        yield list(_alternatives(needed))


def _alternatives(needed: Said) -> Iterator[list[bytes | gram_filters.Beside]]:
    if isinstance(needed, Some):
        for part in needed.parts:
            yield from _alternatives(part)
    else:
        parts = needed.parts if isinstance(needed, Every) else [needed]
        yield [_piece(one) for one in parts if isinstance(one, Has | Beside)]


def _piece(part: Has | Beside) -> bytes | gram_filters.Beside:
    if isinstance(part, Has):
        return part.text.encode()
    return gram_filters.Beside(part.left.encode(), part.right.encode())


def _apart(needed: Said) -> May | None:
    """Each piece wherever it is."""
    if isinstance(needed, Every | Some):
        return _together(list(map(_apart, needed.parts)), isinstance(needed, Every))
    if isinstance(needed, Beside):
        return _somewhere(Wanted([[[_piece(needed)]]]))
    lines = [Wanted([[[line.encode()]]]) for line in _LINE.findall(needed.text)]
    return _together([_somewhere(one) if one else None for one in lines], True)


def _somewhere(wanted: Wanted) -> May:
    """In some block."""
    return lambda filters, rows: np.diff(filters.among(wanted, rows)[0]) > 0


def _together(parts: list[May | None], of_all: bool) -> May | None:
    known = [part for part in parts if part is not None]
    if not known or (not of_all and len(known) < len(parts)):
        return None
    return _in_turn(known, of_all)


def _in_turn(parts: list[May], of_all: bool) -> May:
    """Each is asked of what those before it left open: to look into a filter is to wait for the memory."""

    def told(filters: Filters, rows: Int64s) -> Bools:
        found = parts[0](filters, rows)
        for part in parts[1:]:
            left = np.flatnonzero(found == of_all)
            found[left] = part(filters, rows[left])
        return found

    return told
