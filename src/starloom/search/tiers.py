"""Which tier a file is of, told by its row: what `candidates` asks the index of many files, of a few."""

from collections.abc import Iterable, Sequence

from starloom.search.fields import LONGEST_WORD
from starloom.search.identifiers import identifiers, parts
from starloom.search.nodes import fold


class Tiers:
    """Those of hits that are ranked by these words, none of them a term that may be a part of an identifier."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        self.names = frozenset(map(fold, self._words))

    def tier(self, symbols: Sequence[tuple[str, int]], path: str) -> int:
        """Of a file that defines these `symbols`, of all those that are called one of `names`, folded."""
        if not self._words or any(name in self._words for name, _ in symbols):
            return 0
        if symbols:
            return 1
        return 3 - any(word in self.names for word in _words_of(path.rpartition("/")[2]))


def _words_of(name: str) -> Iterable[str]:
    """As the field `name` has them."""
    for one in identifiers(name):
        if len(one) < LONGEST_WORD:
            yield fold(one)
            yield from map(fold, parts(one))
