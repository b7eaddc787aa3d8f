"""Phrases by which notices are known, each looked for only where it may stand.

All of them are numbered as the modules that know them are loaded, so that of many files at once a kernel finds which
stand in the comments of each (at_once.py). Of a text alone nothing is known: EVERY.
"""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Generic, TypeVar

EVERY = -1  # a bit for each phrase

_REMEMBERED = 4096  # sets of phrases
_numbers: dict[str, int] = {}

T = TypeVar("T")


@cache
def every_phrase() -> tuple[str, ...]:
    """In the order of their bits. Who asks looks for these: one that came later would never be found."""
    return tuple(_numbers)


def bits_of(text: str) -> int:
    """The bits of the phrases that stand in a text of lower case."""
    return sum(1 << number for phrase, number in _numbers.items() if phrase in text)


def _bit(phrase: str) -> int:
    if phrase not in _numbers and every_phrase.cache_info().currsize:
        raise RuntimeError(f"{phrase!r} is known too late: its module must be loaded before phrases are looked for")
    return 1 << _numbers.setdefault(phrase, len(_numbers))


class Phrases(Generic[T]):
    """Some of what is known by a phrase, which `phrase` gives, in lower case and of ASCII."""

    def __init__(self, known: Sequence[T], phrase: Callable[[T], str]) -> None:
        self._known = [(one, _bit(phrase(one))) for one in known]
        self._bits = 0
        for _, bit in self._known:
            self._bits |= bit
        self._where = lru_cache(_REMEMBERED)(self._of)

    def where(self, standing: int) -> tuple[T, ...]:
        """Those whose phrase is one of those `standing`, in their order."""
        return self._where(standing & self._bits)

    def _of(self, bits: int) -> tuple[T, ...]:
        return tuple(one for one, bit in self._known if bits & bit)


class AnyOf(Phrases[str]):
    """Phrases themselves, of which a text is asked whether it has one."""

    def __init__(self, *words: str) -> None:
        super().__init__(words, str)

    def any_in(self, lower: str, standing: int) -> bool:
        """Whether one stands in a text of lower case that has no others than those `standing`."""
        return any(map(lower.__contains__, self.where(standing)))
