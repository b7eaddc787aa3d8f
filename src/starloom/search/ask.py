"""What shards of the index are asked, and many answerers as one.

A question goes through one call, whether the shards that answer are in this process or behind HTTP. Hits have a total
order that no cut of the index changes: by `Key`, which comes of the query and of the file's own row. Whoever answers
gives the first hits in that order, so the first of all answers together are those of one big index, and counts add up.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice
from typing import Final, NamedTuple, Protocol, TypeVar

from starloom.search.facets import Facets, added
from starloom.search.hits import Hit

SECONDS: Final = 2.0  # that a question may take
COUNT_SECONDS: Final = 0.002  # of them for counting on, once the page is full
MOST_HITS: Final = 10_000  # of one answer

T = TypeVar("T")
U = TypeVar("U")
Each = Callable[[Callable[[T], U], Iterable[T]], Iterable[U]]  # `map`, or a pool's


class Key(NamedTuple):
    """Where a hit stands among all: less is better. `tier`: how well the words of the query fit; `rank`: see fields."""

    tier: int
    rank: int


@dataclass(frozen=True)
class Question:
    """`query` in its language, count: included. `after`: the hits behind this place only. `limit`: hits wanted, at most
    MOST_HITS. `count_seconds`: for counting on after them, where the query says nothing of it. `raw`: what is private
    in the lines shown is not hidden. `facets`: counted too; with `after`, of the hits behind it."""

    query: str
    after: Key | None = None
    limit: int = 10
    seconds: float = SECONDS
    count_seconds: float = COUNT_SECONDS
    facets: bool = False
    raw: bool = False


@dataclass(frozen=True)
class Found:
    """What answers a question. `hits` are the first behind `after`, in order, all of them proved on their texts.

    `total`: so many hits are behind `after`: exactly where `complete`, else at least. `reached`: the time was up here,
    before there were `limit` hits: behind it nobody looked. None: there are `limit`, or there are no more.
    `facets`: by each of facets.FACETS, how many of the `total` hits have which value.
    """

    hits: tuple[tuple[Key, Hit], ...]
    total: int
    complete: bool
    reached: Key | None = None
    facets: Facets | None = None


@dataclass(frozen=True)
class Covered:
    """What an index is, and which shards of it are here. Equal but for `numbers` in all parts of one index.

    `made` stands for the whole index: it changes with it. `files` are the whole index's. `problems`: of shards that
    should be here, in words.
    """

    made: str
    shards: int
    files: int
    symbols: bool  # whether `sym:` finds anything
    numbers: frozenset[int]
    problems: tuple[str, ...] = field(default=())

    @property
    def whole(self) -> bool:
        return len(self.numbers) == self.shards


class Shards(Protocol):
    """Some shards of one index, asked as one. Any number of threads may ask."""

    @property
    def covered(self) -> Covered: ...

    def ask(self, question: Question) -> Found:
        """Raises UserError for a query that cannot be understood, a damaged index, a peer that does not answer."""
        ...


class Merged:
    """Several answerers as one: the same interface again."""

    def __init__(self, answerers: Sequence[Shards], problems: Sequence[str] = (), each: Each = map) -> None:  # type: ignore[type-arg]
        """`problems`: of those that are not here. `each`: how all of them are asked. Raises ValueError for none, for
        parts of different indexes, and for a shard that is there twice."""
        told = [one.covered for one in answerers]
        if not told or len({(one.made, one.shards) for one in told}) > 1:
            raise ValueError("shards of different indexes" if told else "no shards")
        numbers = frozenset[int]().union(*(one.numbers for one in told))
        if sum(len(one.numbers) for one in told) > len(numbers):
            raise ValueError("a shard is there twice")
        first = told[0]
        more = (problem for one in told for problem in one.problems)
        self.covered = Covered(first.made, first.shards, first.files, first.symbols, numbers, (*problems, *more))
        self._answerers = list(answerers)
        self._each = each

    def ask(self, question: Question) -> Found:
        return merged(list(self._each(lambda one: one.ask(question), self._answerers)), question.limit)


def merged(found: Sequence[Found], limit: int) -> Found:
    """The first `limit` hits of them all. Where one was cut short, none behind the place that it reached is given: one
    that it did not look at may come before. Such hits are counted, and given when asked for behind that place."""
    reached = min((one.reached for one in found if one.reached is not None), default=None)
    ordered = merge(*(one.hits for one in found), key=lambda hit: hit[0])
    hits = tuple(islice((hit for hit in ordered if reached is None or hit[0] <= reached), limit))
    told = [one.facets for one in found if one.facets is not None]
    return Found(
        hits,
        sum(one.total for one in found),
        all(one.complete for one in found),
        reached if len(hits) < limit else None,
        added(told) if len(told) == len(found) else None,
    )
