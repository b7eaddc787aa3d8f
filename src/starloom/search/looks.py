"""What a query asks of the text of a file, put to many packed texts at once (`kernels/packed`): Python sees those alone
that may be hits.

What is told so: words and pieces of text that need no folding beyond ASCII, what must not be there too; of a pattern
the pieces that it needs, and whether it, or where it may reach over lines' ends what is on its first line, stands on
one of the lines that have them.
Of whatever else there is in a query nothing is told, and the judge (`matching`) is asked of what is left.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.packed import HAS, TORN, Packed, Sought
from starloom.kernels.seek import Seeker
from starloom.kernels.text import Int64s
from starloom.search import patterns, required
from starloom.search.first_lines import first_line
from starloom.search.matching import choices, seeker_of
from starloom.search.nodes import All, Any, Exact, Node, Not, Pattern, Word

Bools: TypeAlias = NDArray[np.bool_]

_GLANCE: Final = 1 << 16  # bytes of texts that are looked at together at first
_MOST: Final = 1 << 23  # at most, where it is not one text: the next ones may lack nothing, and then take 4 ms
_MOST_OF_LONG: Final = 1 << 17  # where a piece is _LONG: texts made for it are gone through once for each of its bytes
_LONG: Final = 1 << 8
_LINES: Final = 1 << 17  # bytes of lines in which a pattern is sought at once: there are some that take 2 us a byte
_BRIEF: Final = 0.0005  # seconds that a look takes, about, or this share of all before it, if that is longer
_SHARE: Final = 0.1


@dataclass
class _Asked:
    """What is asked of a text. `whole`: that is all."""

    there: list[list[Seeker]] = field(default_factory=list)
    absent: list[list[Seeker]] = field(default_factory=list)
    on_line: list[list[Seeker]] = field(default_factory=list)
    closely: list[list[bytes]] = field(default_factory=list)  # on the line too, asked of filters alone
    pattern: Pattern | None = None  # sought on the lines
    whole: bool = True

    def add(self, node: Node) -> None:
        if isinstance(node, All):
            for part in node.parts:
                self.add(part)
        elif isinstance(node, Pattern):
            self._add_pattern(node)
        elif seekers := _seekers(node):
            self.there.append(seekers)
        elif isinstance(node, Not) and (seekers := _seekers(node.part)):
            self.absent.append(seekers)
        else:
            self.whole = False

    def _add_pattern(self, pattern: Pattern) -> None:
        line = pattern if patterns.on_one_line(pattern) else first_line(pattern)
        on_line = _choices(line) if line and not self.pattern and not patterns.needs_folding(pattern) else []
        if line and on_line:  # what else it needs is not worth unpacking: the files' filters have been asked for it
            self.pattern, self.on_line, self.closely = line, _any_case(on_line), _choices(line, closely=True)
        else:
            self.there += _any_case(_choices(pattern))
        self.whole &= line is pattern and bool(on_line)


def _choices(pattern: Pattern, closely: bool = False) -> list[list[bytes]]:
    needed = required.needed(pattern, closely)
    return choices(needed) if needed else []


def _any_case(groups: list[list[bytes]]) -> list[list[Seeker]]:
    groups = sorted(groups, key=lambda some: -min(map(len, some)) / len(some))  # each is a way through a text
    return [[Seeker(piece, any_case=True) for piece in some] for some in groups]


def _seekers(node: Node) -> list[Seeker]:
    """Of which one stands in each text that `node` holds for, and in no other; none where that is not so simple."""
    if isinstance(node, Word | Exact):
        seeker = seeker_of(node)
        return [seeker] if seeker else []
    if isinstance(node, Any):
        parts = [_seekers(part) for part in node.parts]
        return [one for part in parts for one in part] if all(parts) else []
    return []


class Look:
    """Made once a query, by one thread. `most`: bytes of texts that it is shown at once."""

    def __init__(self, asked: _Asked) -> None:
        self._sought = Sought(asked.there, asked.absent, asked.on_line, asked.closely)
        self._whole = asked.whole
        pieces = [piece for group in (*asked.there, *asked.absent, *asked.on_line) for piece in group]
        self.most = _MOST if max(len(one.piece) for one in pieces) < _LONG else _MOST_OF_LONG
        self._case_sensitive = asked.pattern is not None and asked.pattern.case_sensitive
        self._compiled = patterns.compile(asked.pattern) if asked.pattern else None

    def told(self, packed: Packed, rows: Int64s) -> Iterator[list[bool | None]]:
        """Whether the query holds for each of these rows, in pieces, between which the time may be looked at; None: ask
        the judge. One batch after the other."""
        state, bounds, lines = self._sought.told(packed, rows)
        if not self._compiled:
            yield self._words(state == HAS, state == TORN)
            return
        begin = 0
        while begin < len(rows):
            end = max(int(np.searchsorted(bounds, bounds[begin] + _LINES, "right")) - 1, begin + 1)
            data = lines[bounds[begin] : bounds[end]].tobytes()
            ends = (bounds[begin : end + 1] - bounds[begin]).tolist()
            has = np.zeros(end - begin, np.bool_)
            has[[*patterns.holding(self._compiled, data if self._case_sensitive else data.lower(), ends)]] = True
            yield self._words(has, state[begin:end] == TORN)
            begin = end

    def _words(self, has: Bools, torn: Bools) -> list[bool | None]:
        told: list[bool | None] = has.tolist()
        for number in np.flatnonzero(torn if self._whole else has | torn).tolist():
            told[number] = None
        return told


def look(node: Node) -> Look | None:
    """What of `node` may be told of many texts at once; None: nothing."""
    asked = _Asked()
    asked.add(node)
    return Look(asked) if asked.there or asked.absent or asked.on_line else None


class Looking:
    """Looks at rows, ever more of them at once: few are wasted where a page is soon full."""

    def __init__(self, packed: Packed, look: Look | None) -> None:
        self._packed = packed
        self._look = look
        self._bytes = _GLANCE  # of texts, that are looked at next
        self._spent = 0.0  # seconds, by all looks

    def at(self, rows: Int64s, likely: Int64s) -> Iterator[tuple[int, bool | None, float]]:
        """Of those at `likely` places among `rows` that may be hits, and of the last row: place, whether it is one, and
        how long it takes until the next one is told. None: nobody knows yet."""
        last = len(rows) - 1
        if self._look is None:
            yield from ((place, None, 0.0) for place in likely.tolist())
        else:
            upto = np.cumsum(self._packed.length[rows[likely]])
            begin = passed = 0
            while begin < len(likely):
                end = max(int(np.searchsorted(upto, passed + self._bytes, "right")), begin + 1)
                yield from self._glance(self._look, rows, likely[begin:end])
                begin, passed = end, int(upto[end - 1])
        if last >= 0 and not (len(likely) and likely[-1] == last):
            yield last, False, 0.0

    def _glance(self, look: Look, rows: Int64s, likely: Int64s) -> Iterator[tuple[int, bool | None, float]]:
        """The same of some, at once; of what is said in pieces, the last of each too."""
        told = look.told(self._packed, rows[likely])
        begin, spent = 0, 0.0
        while begin < len(likely):
            started = time.monotonic()
            some = next(told)
            ahead = time.monotonic() - started
            end = begin + len(some)
            spent += ahead
            if end == len(likely):
                ahead = self._next(spent, look.most)
            for place, holds in zip(likely[begin : end - 1].tolist(), some, strict=False):
                if holds is not False:
                    yield place, holds, 0.0
            yield int(likely[end - 1]), some[-1], ahead
            begin = end

    def _next(self, spent: float, most: int) -> float:
        """How long the next glance takes, of as many bytes as are right after one that took so long."""
        self._spent += spent
        brief = max(_BRIEF, _SHARE * self._spent)
        if spent < brief / 2:
            self._bytes = min(2 * self._bytes, most)
            return 2 * spent
        if spent > 2 * brief:
            self._bytes = max(self._bytes // 2, _GLANCE)
        return spent
