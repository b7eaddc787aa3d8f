"""What a shard of the index is asked, and many shards as one.

A question goes through the same few calls whether its shards are in this process or behind HTTP, and what is decided
(which tiles are rare, which places of a common one are looked at) is decided on sums and merges over all of them, in
orders that no cut changes. So merged answers are those of one big index. Every call is for the whole question at once:

    tiles → grown → (some → confirmed, while common tiles are left) → (shapes → renamed, where asked for) → described

`query` is always the folded text; positions are bytes of folds; a content is named by its content_id. Answers name
contents by numbers in a list of ids, which may be all that a segment has, as it lies on the disk: nothing is copied.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.text import Int64s, UInt8s
from starloom.membership.described import Content, Described, in_columns
from starloom.membership.layout import ID_BYTES, keys

T = TypeVar("T")
Each: TypeAlias = Callable[..., Any]  # `map`, or the one of a pool
Split: TypeAlias = Literal["train", "held_out"] | None  # of the contents that may answer; None: both

ALL: Final = 4096  # files that share a tile are counted up to here; "4,096" means so many or more


def shard_of(content_id: str, shards: int) -> int:
    """In which of so many shards a content is."""
    return int(content_id[:4], 16) * shards >> 16


@dataclass(frozen=True)
class Covered:
    """What an index is, and which part of it is here. Equal but for `numbers` and `problems` in all parts of one index.

    `made`: stands for the whole index. `files` and `repositories` are the whole index's.
    """

    made: str
    width: int  # bytes of a tile: 50 or 32
    shards: int
    files: int
    repositories: int
    renamed: bool
    numbers: frozenset[int]  # of the shards that are here and sound
    problems: tuple[str, ...] = ()  # what is wrong with others, in words

    @property
    def whole(self) -> bool:
        return len(self.numbers) == self.shards


class Tiles(NamedTuple):
    """Offsets of the query at which a tile begins, ascending, and how many places each has, at most `most` + 1."""

    offsets: Int64s
    counts: Int64s


class Found(NamedTuple):
    """Equal stretches: bytes start to end (exclusive) of the query are bytes from `position` on of a content's fold.
    `content` is an index into `contents`, uint8[n, 20], which are in order, each once, and need not all be used."""

    contents: UInt8s
    content: Int64s
    start: Int64s
    end: Int64s
    position: Int64s


class Places(NamedTuple):
    """Some places of tiles that are common, by the tile asked for (`tile`: an index into the offsets of the question).

    `again`: 0 for the first place in a content, 1 for others. In the order (tile, again, content_id, position), of each
    tile the first `most`. `sharing`: of each tile asked for, how many files have it, at most ALL.
    """

    contents: UInt8s
    tile: Int64s
    again: Int64s
    content: Int64s
    position: Int64s
    sharing: Int64s


class Renamed(NamedTuple):
    """Stretches that are equal but for names and literals: bytes start to end (exclusive) of the query and first to
    last (exclusive) of a content's fold, which need not be as many. `tokens`: how many each holds."""

    contents: UInt8s
    content: Int64s
    start: Int64s
    end: Int64s
    first: Int64s
    last: Int64s
    tokens: Int64s


class Wanted(NamedTuple):
    """Contents of which all is wanted that is known, each once: numbers in `contents`, as in `Found`. `most`: places of
    each wanted at most. Pairs of bytes of a fold whose lines are wanted too, `first` to `last`; `of`: of which of the
    contents wanted, a position in `content`."""

    contents: UInt8s
    content: Int64s
    most: Int64s
    of: Int64s
    first: Int64s
    last: Int64s


class Shard(Protocol):
    """One shard, or several that answer as one. All may raise UserError: damaged, not reachable, of another index."""

    @property
    def covered(self) -> Covered: ...

    def tiles(self, query: UInt8s, split: Split, most: int) -> Tiles:
        """Every tile that stands in the query."""
        ...

    def grown(self, query: UInt8s, offsets: Int64s, split: Split) -> Found:
        """The longest equal stretch around every place of the tiles at these offsets."""
        ...

    def some(self, query: UInt8s, offsets: Int64s, split: Split, most: int) -> Places:
        """Up to `most` places of each of the tiles at these offsets, of as many contents as possible."""
        ...

    def confirmed(self, query: UInt8s, offsets: Int64s, places: Places) -> Found:
        """The longest equal stretch around each of these places, where the text bears it out. Places in contents of
        other shards give none."""
        ...

    def shapes(self, query: UInt8s, split: Split, most: int) -> Places:
        """Up to `most` places of each tile of token shapes in the query. `tile`: the number of its first token in the
        query; `position`: the how manieth tile of the content's shapes; `sharing`: one for each token."""
        ...

    def renamed(self, query: UInt8s, places: Places) -> Renamed:
        """What a consistent renaming bears out around these places."""
        ...

    def described(self, wanted: Wanted) -> Described: ...


class Shards:
    """Shards as one: the same interface again."""

    def __init__(self, shards: Sequence[Shard], problems: Sequence[str] = (), each: Each = map) -> None:
        """`problems`: what is wrong with those that are not there. `each`: how all are asked, `map` or a pool's. Raises
        ValueError for none, and for shards of two indexes."""
        told = [one.covered for one in shards]
        if not told or len({(one.made, one.width, one.shards) for one in told}) > 1:
            raise ValueError("shards of different indexes" if told else "no shard")
        numbers = frozenset[int]().union(*(one.numbers for one in told))
        if sum(len(one.numbers) for one in told) > len(numbers):
            raise ValueError("a shard is there twice")
        first = told[0]
        self.shards = list(shards)
        self._each = each
        self.covered = Covered(
            first.made,
            first.width,
            first.shards,
            first.files,
            first.repositories,
            all(one.renamed for one in told),
            numbers,
            (*problems, *(problem for one in told for problem in one.problems)),
        )

    def tiles(self, query: UInt8s, split: Split, most: int) -> Tiles:
        return merged_tiles(self._all(lambda shard: shard.tiles(query, split, most)), most)

    def grown(self, query: UInt8s, offsets: Int64s, split: Split) -> Found:
        return joined(self._all(lambda shard: shard.grown(query, offsets, split)))

    def some(self, query: UInt8s, offsets: Int64s, split: Split, most: int) -> Places:
        return merged_places(self._all(lambda shard: shard.some(query, offsets, split, most)), most)

    def confirmed(self, query: UInt8s, offsets: Int64s, places: Places) -> Found:
        return joined(self._all(lambda shard: shard.confirmed(query, offsets, places)))

    def shapes(self, query: UInt8s, split: Split, most: int) -> Places:
        return merged_places(self._all(lambda shard: shard.shapes(query, split, most)), most)

    def renamed(self, query: UInt8s, places: Places) -> Renamed:
        return joined_renamed(self._all(lambda shard: shard.renamed(query, places)))

    def described(self, wanted: Wanted) -> Described:
        return merged_described(self._all(lambda shard: shard.described(wanted)), wanted)

    def _all(self, ask: Callable[[Shard], T]) -> list[T]:
        return list(self._each(ask, self.shards))


def merged_tiles(found: Sequence[Tiles], most: int) -> Tiles:
    """Those of several shards as those of one."""
    if len(found) == 1:
        return found[0]
    every = [np.concatenate([_NONE, *column]) for column in zip(*found)] or [_NONE, _NONE]
    offsets, inverse = np.unique(every[0], return_inverse=True)
    counts = np.zeros(len(offsets), dtype=np.int64)
    np.add.at(counts, inverse, every[1])
    return Tiles(offsets, np.minimum(counts, most + 1))


def merged_described(told: Sequence[Described], wanted: Wanted) -> Described:
    """Of each content what the first of several shards says that has it."""
    if len(told) == 1:
        return told[0]
    lines = no_lines(wanted)
    rows = [NOT_HERE] * len(wanted.content)
    for one in told:
        here = one.totals >= 0
        for number, row in enumerate(one.each()):
            if here[number] and rows[number] is NOT_HERE:
                rows[number] = row
            else:
                here[number] = False
        pairs = here[wanted.of]
        lines[:, pairs] = one.lines[:, pairs]
    return in_columns(rows, lines)


def no_lines(wanted: Wanted) -> Int64s:
    """Room for the lines of all pairs."""
    return np.zeros((2, len(wanted.of)), dtype=np.int64)


def joined_renamed(found: Sequence[Renamed]) -> Renamed:
    """All of them."""
    contents, content = renumbered([(one.contents, one.content) for one in found])
    rows = [np.concatenate([_NONE, *column]) for column in zip(*(one[2:] for one in found))] or [_NONE] * 5
    return Renamed(contents, content, *rows)


def joined(found: Sequence[Found]) -> Found:
    """All of them, each once; of several by (start, end, content, position), one as it is."""
    if len(found) == 1:
        return found[0]
    contents, content = renumbered([(one.contents, one.content) for one in found])
    start, end, position = [np.concatenate([_NONE, *one]) for one in zip(*(one[2:] for one in found))] or [_NONE] * 3
    rows = np.stack([content, start, end, position])[:, np.lexsort((position, content, end, start))]
    new = np.ones(rows.shape[1], dtype=np.bool_)
    new[1:] = (rows[:, 1:] != rows[:, :-1]).any(axis=0)
    return Found(contents, *rows[:, new])


def used(contents: UInt8s, content: Int64s) -> tuple[UInt8s, Int64s]:
    """Those of the contents that are used, and their numbers in these."""
    rows, numbers = np.unique(content, return_inverse=True)
    return contents[rows], numbers.astype(np.int64, copy=False)


def renumbered(told: Sequence[tuple[UInt8s, Int64s]]) -> tuple[UInt8s, Int64s]:
    """(contents in order, each once; their numbers in it), of several lists of contents and numbers in each."""
    if not told:
        return NOWHERE, _NONE
    if all(contents is told[0][0] for contents, _ in told):
        return told[0][0], np.concatenate([content for _, content in told])
    names = keys(np.concatenate([contents[content] for contents, content in told]))
    names, numbers = np.unique(names, return_inverse=True)
    return names.view(np.uint8).reshape(-1, ID_BYTES), numbers.astype(np.int64, copy=False)


def merged_places(found: Sequence[Places], most: int) -> Places:
    """Those of several shards as those of one."""
    if len(found) == 1:
        return found[0]  # needs no cutting: every shard has done that
    contents, content = renumbered([(one.contents, one.content) for one in found])
    tile, again, position = (
        np.concatenate(column) for column in zip(*((one.tile, one.again, one.position) for one in found))
    )
    sharing = np.minimum(np.sum([one.sharing for one in found], axis=0, dtype=np.int64), ALL)
    return first_places(Places(contents, tile, again, content, position, sharing), most)


def first_places(places: Places, most: int) -> Places:
    """In order, of each tile the first `most`."""
    order = np.lexsort((places.position, places.content, places.again, places.tile))
    tile = places.tile[order]
    nth = np.arange(len(tile)) - np.searchsorted(tile, tile)
    order = order[nth < most]
    again, content, position = (column[order] for column in (places.again, places.content, places.position))
    return Places(places.contents, tile[nth < most], again, content, position, places.sharing)


NOT_HERE: Final[Content] = (-1, (), {})
NOWHERE: Final[UInt8s] = np.zeros((0, ID_BYTES), dtype=np.uint8)  # no contents
_NONE: Final[NDArray[np.int64]] = np.zeros(0, dtype=np.int64)
