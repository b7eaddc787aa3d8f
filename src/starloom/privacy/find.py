"""`find`: everything private in texts, by all detectors.

A gate finds the anchors of all detectors in one pass; at each, its detectors look at the text around it. A short text
is gone through in plain Python, so that showing one needs no Numba; what is found is the same. Cost: `bench/safety`;
linear in the text and in its anchors, as a detector looks at a bounded stretch.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from starloom.kernels.automaton import Anchor, Automaton
from starloom.privacy import contacts, keys, names, passwords
from starloom.privacy.detector import Detector
from starloom.privacy.finding import Finding

if TYPE_CHECKING:
    from starloom.kernels.anchors import Compiled
    from starloom.kernels.text import Int64s, UInt8s

DETECTORS: tuple[Detector, ...] = (
    *contacts.DETECTORS,
    *keys.DETECTORS,
    *passwords.DETECTORS,
    *names.DETECTORS,
)
SECRETS = ("KEY", "PASSWORD")
SHORT = 1 << 18  # characters: plain Python takes 13 ms for them, loading Numba a second

_Look: TypeAlias = Callable[[str, int], Iterator[Finding]]  # of a detector


def find(texts: Sequence[str], offsets: "Int64s", data: "UInt8s") -> list[list[Finding]]:
    """Of each text what is private in it, in order, none overlapping. `offsets`, `data`: the same texts as UTF-8 (see
    kernels/text)."""
    compiled, looks = _loaded(DETECTORS)
    found: list[list[Finding]] = [[] for _ in texts]
    pieces = compiled.places(offsets, data)
    places = chain.from_iterable(zip(*(column.tolist() for column in piece), strict=True) for piece in pieces)
    for file, some in groupby(places, itemgetter(0)):
        found[file] = _found(texts[file], some, looks)
    return found


def find_in(text: str) -> list[Finding]:
    """The same of one text, which may hold lone surrogates."""
    automaton, looks = _gate(DETECTORS)
    if len(text) > SHORT:
        import numpy as np

        data = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
        return find([text], np.array([0, len(data)], np.int64), data)[0]
    return _found(text, ((0, *place) for place in automaton.walk(text)), looks)


def find_each(texts: Sequence[str], encoded: Sequence[bytes] = ()) -> list[list[Finding]]:
    """The same of several texts: by the compiled gate where they are many, or where it is loaded anyway. `encoded`: the
    same as UTF-8, where that is at hand."""
    if not _loaded.cache_info().currsize and sum(map(len, texts)) <= SHORT:
        return [find_in(text) for text in texts]
    import numpy as np

    data = encoded or [text.encode("utf-8", "surrogatepass") for text in texts]
    offsets = np.array([0, *accumulate(map(len, data))], np.int64)
    return find(texts, offsets, np.frombuffer(b"".join(data), np.uint8))


def prepare() -> None:
    """Loads the compiled gate, for a process that will have many short texts to go through: a second, once."""
    import numpy as np

    find([""], np.zeros(2, np.int64), np.zeros(0, np.uint8))


def disjoint(found: Sequence[Finding]) -> list[Finding]:
    """Of findings that overlap the secret (its neighbours may be called an address by mistake; what is left of it must
    not be seen), then the one of the highest confidence, then the longest, then the first; in order. An empty one is
    none."""
    kept: list[Finding] = []
    some: list[Finding] = []  # that hang together
    last = 0
    for one in sorted(found):
        start, end = one[:2]
        if start >= end:
            continue
        if start >= last:
            kept += some if len(some) < 2 else _best(some)
            some = []
        some.append(one)
        if end > last:
            last = end
    kept += some if len(some) < 2 else _best(some)
    return kept


def _best(some: Sequence[Finding]) -> list[Finding]:
    """Of findings that hang together, in order, those that stay."""
    kept: list[Finding] = []
    begin = some[0].start
    taken = bytearray(max(one.end for one in some) - begin)
    for one in sorted(some, key=lambda one: (one.kind not in SECRETS, -one.confidence, one.start - one.end, one)):
        start, end = one.start - begin, one.end - begin
        if taken.find(1, start, end) < 0:
            taken[start:end] = bytes([1]) * (end - start)
            kept.append(one)
    return sorted(kept)


def _found(text: str, places: Iterable[tuple[int, int, int]], looks: Sequence[tuple[_Look, ...]]) -> list[Finding]:
    """What those find who look where anchors stand. `places`: (file, start, anchor)."""
    found: list[Finding] = []
    last: dict[_Look, Finding] = {}
    for _, at, anchor in places:
        for look in looks[anchor]:
            before = last.get(look)
            if before and before[0] <= at < before[1]:
                continue  # an anchor inside what it found: the same again
            for one in look(text, at):
                found.append(one)
                last[look] = one
    return disjoint(found) if found else found


@functools.cache
def _gate(detectors: tuple[Detector, ...]) -> tuple[Automaton, list[tuple[_Look, ...]]]:
    """The automaton of their anchors, and who looks at each."""
    looks: dict[Anchor, list[_Look]] = {}
    for detector in detectors:
        for text in dict.fromkeys(detector.anchors):
            looks.setdefault(Anchor(text, detector.near, detector.around), []).append(detector.find)
    return Automaton(list(looks)), [tuple(some) for some in looks.values()]


@functools.cache
def _loaded(detectors: tuple[Detector, ...]) -> tuple["Compiled", list[tuple[_Look, ...]]]:
    """Its compiled form too."""
    from starloom.kernels.anchors import Compiled

    automaton, looks = _gate(detectors)
    return Compiled(automaton), looks
