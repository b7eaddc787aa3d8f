"""Phrases by which notices are known, each looked for only where all the stems that it is made of may stand.

A stem has no white space, so it stands in a file as in the comments read from it, wherever lines are broken: a kernel
finds all stems in the heads of many files at once (at_once.py). Of a text alone nothing is known: EVERY.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Generic, TypeVar

STEMS = (
    # of what grants, or speaks of terms
    *("licen", "permi", "redistribut", "domain", "propriet", "confiden", "terms", "commerc", "unauthor", "gpl"),
    *("purposes", "released", "available", "distributed", "copyleft", "free", "may", "can", "without", "publish"),
    *("same", "public", "under"),
    # of licences' names and texts
    *("common", "netscape", "apple", "open", "european", "eupl", "cecill", "reciprocal", "microsoft", "server"),
    *("business", "elastic", "polyform", "latex", "ruby", "creative", "cc-by", "by-nc", "agreement", "either", "mit"),
    *("php", "zope", "font", "academic", "universal", "mulan", "artistic", "apache", "mozilla", "eclipse"),
    *("development", "boost", "perl", "granted", "evil", "clause", "unlimited", "copying", "unencumbered", "extent"),
    *("ibm", "sun", "possible", "law", "redistribution"),
    # of others' parts, choices, restrictions
    *("portion", "part", "parts", "sections", "adapted", "borrowed", "copied", "taken", "includes", "alternatively"),
    *("dual", "choice", "secret", "strictly", "sold", "testing", "research", "educational", "evaluation", "personal"),
    "internal",
)
EVERY = -1  # a bit for each stem

_REMEMBERED = 4096  # sets of stems

T = TypeVar("T")


def stems_of(phrase: str) -> int:
    """The bits of the stems that stand where the phrase does."""
    return sum(1 << number for number, stem in enumerate(STEMS) if stem in phrase)


class Phrases(Generic[T]):
    """Some of what is known by a phrase, which `phrase` gives, in lower case."""

    def __init__(self, known: Sequence[T], phrase: Callable[[T], str]) -> None:
        self._known = [(one, stems_of(phrase(one))) for one in known]
        self._stems = 0
        for _, stems in self._known:
            self._stems |= stems
        self._where = lru_cache(_REMEMBERED)(self._of)

    def where(self, stems: int) -> tuple[T, ...]:
        """Those whose phrase may stand where `stems` do, in their order."""
        return self._where(stems & self._stems)

    def _of(self, stems: int) -> tuple[T, ...]:
        return tuple(one for one, needed in self._known if needed & stems == needed)


class AnyOf(Phrases[str]):
    """Phrases themselves, of which a text is asked whether it has one."""

    def __init__(self, *words: str) -> None:
        super().__init__(words, str)

    def any_in(self, lower: str, stems: int) -> bool:
        """Whether one stands in a text of lower case that has no other stems."""
        return any(map(lower.__contains__, self.where(stems)))
