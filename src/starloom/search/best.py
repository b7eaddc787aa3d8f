"""Which place of a hit is shown: on the line that defines most of what is asked for, else has most of the terms."""

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

import numpy as np

from starloom.kernels.best_places import Weight, best_places
from starloom.kernels.lines_at import line_starts
from starloom.kernels.shown import Line
from starloom.kernels.text import Bools, Int64s
from starloom.kernels.where import Standing, Stretch, Where
from starloom.search import nodes
from starloom.search.indexed import Indexed, symbols
from starloom.search.matching import File, Text, judge, places, seeker_of, text_terms
from starloom.search.nodes import Exact, Filter, Node, Word, fold

PLACES: Final = 20  # of a term, among which the best line is sought
_DEFINITIONS: Final = 4  # of what is asked for, that are looked at


class Texts:
    """Texts one behind the other, so that a kernel is called for all of them together."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        self.data = b"".join(texts)
        self.bounds = list(accumulate(map(len, texts), initial=0))
        self.array = np.frombuffer(self.data, np.uint8)
        self.offsets = np.array(self.bounds, np.int64)
        self.offsets.flags.writeable = False

    def line_end(self, start: int, stop: int) -> int:
        """Of the line of a place; `stop` where the text ends before it."""
        found = self.data.find(b"\n", start, stop)
        return stop if found < 0 else found


class Terms:
    """What a hit shows of a query."""

    def __init__(self, node: Node) -> None:
        terms = list(text_terms(node))
        seekers = [None if isinstance(term, nodes.Pattern) else seeker_of(term) for term in terms]
        self.where = Where(seekers)
        self._others = [(k, places(term)) for k, term in enumerate(terms) if seekers[k] is None]
        self.in_bytes = not self._others  # told by their bytes alone
        self.on_lines = all(isinstance(one, Word | Exact) and "\n" not in one.text for one in terms)
        self.many = len(terms)

    def standing(self, texts: Texts, stretches: Sequence[Stretch]) -> Standing:
        """Where they stand."""
        found = self.where.standing(stretches, texts.array)
        for term, find in self._others:
            for number, one in enumerate(stretches):
                some = find(Text(texts.data[one.start : one.stop]), one.most)
                found.counts[term, number] = len(some)
                for k, (start, end) in enumerate(some):
                    found.starts[term, number, k], found.ends[term, number, k] = start, end
        return found


class Definition(NamedTuple):
    """A line that defines something that the query names: where it begins in its text, and how well that fits."""

    text: int
    line: int
    name: bytes
    fit: int


def _by_weight(one: Line) -> int:
    return -one.weight


class Best:
    """`may_define` of a file is False where it is known to define nothing that the query names. What `places` and the
    rest tell is told by the kernel `shown` in one call, where all terms are `in_bytes`."""

    def __init__(self, node: Node) -> None:
        self.terms = Terms(node)
        tests = list(_symbol_tests(node))
        self._tests = [test for _, test in tests]
        names = [name for name, _ in tests if name is not None]
        self.names = frozenset(names) if len(names) == len(tests) else None  # folded; None: others may be meant too

    def places(self, texts: Texts, lines: Sequence[Line]) -> tuple[Int64s, Int64s, Bools]:
        """(starts, ends) in each text: the first match on its best line; without terms, the first line that is not
        blank. And whether every term was seen in it: where one was not, it may stand there nevertheless."""
        defined = self._defined(texts, lines)
        stretches = list(self._stretches(texts, defined))
        standing = self.terms.standing(texts, [stretch for _, stretch in stretches])
        begins = [(number, stretch.start) for number, stretch in stretches]
        weights = list(self._weights(texts, defined))
        letters = self.terms.many != 1
        return best_places(texts.offsets, texts.array, begins, standing, weights, letters=letters)

    def lines(self, files: Sequence[Indexed], may_define: Sequence[bool]) -> list[Line]:
        """Of each file those that define what fits best; `weight`: how well."""
        if not self._tests or not any(may_define):
            return []
        asked = [number for number, may in enumerate(may_define) if may]
        found = []
        for number, some in zip(asked, symbols([files[one] for one in asked], self.names), strict=True):
            if some:
                fits = [Line(number, line, self._fit(name), name.encode()) for name, line in some]
                found += sorted([one for one in fits if one.weight], key=_by_weight)[:_DEFINITIONS]
        return found

    def _fit(self, name: str) -> int:
        """How well a symbol fits what the query names."""
        return max([test(name) for test in self._tests])

    def _defined(self, texts: Texts, lines: Sequence[Line]) -> list[Definition]:
        """Where they are."""
        if not lines:
            return []
        numbers, counted = np.array([one[:2] for one in lines], np.int64).T
        starts = line_starts(texts.offsets, texts.array, numbers, counted).tolist()
        return [
            Definition(one.text, at, one.name, one.weight) for one, at in zip(lines, starts, strict=True) if at >= 0
        ]

    def _stretches(self, texts: Texts, defined: Sequence[Definition]) -> Iterator[tuple[int, Stretch]]:
        """Where the terms are sought, and in which text: the lines that define something, on which the first place may
        be beyond the first places of the text; and the whole text, unless such a line is better than any other."""
        lines: dict[int, list[int]] = {}
        for one in defined:
            lines.setdefault(one.text, []).append(one.line)
        for number, (start, stop) in enumerate(pairwise(texts.bounds)):
            here = lines.get(number, [])
            for line in here:
                yield number, Stretch(start + line, texts.line_end(start + line, stop), 1)
            if not here or not self.terms.on_lines:
                yield number, Stretch(start, stop, 1 if self.terms.many == 1 and not here else PLACES)

    def _weights(self, texts: Texts, defined: Sequence[Definition]) -> Iterator[Weight]:
        """Lines that define something; where no term stands on one, what it defines is shown."""
        for one in defined:
            start = texts.bounds[one.text]
            line = start + one.line
            at = texts.data.find(one.name, line, texts.line_end(line, texts.bounds[one.text + 1]))
            place = (at - start, at - start + len(one.name)) if at >= 0 else (one.line, one.line)
            yield Weight(one.text, one.line, self.terms.many + one.fit, *place)


def _symbol_tests(node: Node) -> Iterator[tuple[str | None, Callable[[str], int]]]:
    """Of the parts of a query that may name a symbol (`sym:`, and words): what it is called, folded (None: that is a
    pattern), and whether a name is theirs: 2 where it is so written, 1 in another case, 0."""
    if isinstance(node, nodes.All | nodes.Any):
        for part in node.parts:
            yield from _symbol_tests(part)
    elif isinstance(node, Word):
        yield fold(node.text), _named(node.text, node.case_sensitive)
    elif isinstance(node, Filter) and node.field == "sym":
        if node.pattern:
            holds = judge(node)
            yield None, lambda name: 2 * holds(File(lambda _: (name,), bytes))
        else:
            yield fold(node.value), _named(node.value, node.case_sensitive)


def _named(text: str, case_sensitive: bool) -> Callable[[str], int]:
    folded = fold(text)
    return lambda name: 2 if name == text else int(not case_sensitive and fold(name) == folded)
