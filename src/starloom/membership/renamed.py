"""Copies whose names and literals were changed: found by the shape of their tokens, confirmed by a consistent renaming.

What stands here runs on the folds of the index (`kernels/fold`), beside the tiles of text: `tiles` for the table of a
shard, `asked` for what to look up in it, `grown` on the texts of a shard, and `find` over all shards, which decides
what is shown. How shapes work, and what is guaranteed: `kernels/token_shapes`.

Such a match is weaker than an exact one: code that does the same in the same order has one shape whoever wrote it.
Nearly all that is alike by chance repeats itself (tables, lists of options, one assignment after the other), so a match
has to be telling: at TELLING places of it four tokens stand, names alike, that stood nowhere before in it. Measured on
11,099 files of packages that were not indexed (64 MB, 36 languages) against 105 MB of others: 31 had such a match; read
one by one, 24 of them hold code of one origin (jQuery, minified; MurmurHash; LZ4), and 7, CHANCE of all, are alike by
chance: accessors, comparison operators, the three methods of a sort. Of 1,200 copies of 20 to 40 lines of code in 20
languages, with all names and literals changed, 97 % were found and the right file named: 99 % from 150 tokens on, 84 %
of those with 80 to 100, of which more repeat themselves.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.kernels import token_shapes
from starloom.kernels.code_tokens import NAME, Tokens, tokens
from starloom.kernels.stretches import chosen
from starloom.kernels.text import Int64s, UInt8s, UInt32s, UInt64s
from starloom.kernels.token_shapes import Stretches, Windows
from starloom.kernels.windows import BASE
from starloom.membership.layout import content_ids
from starloom.membership.shard import ALL, Places, Renamed, Shard, Split

MOST: Final = 16  # places of a tile that are compared, of as many contents as there are
LEAST: Final = 50  # tokens of a match
TELLING: Final = 30
CHANCE: Final = 0.0006  # of files that share nothing
REASON: Final = f"equal but for names, literals and comments; by chance in {1e4 * CHANCE:.0f} of 10,000 files"

_GRAM: Final = 4
_AGO: Final = 256  # tokens: what stood so long ago counts as new
_REPEATS: Final = 4  # windows of one shape that are asked about, of a text that repeats itself
_CONTENTS: Final = 1024  # compared for one question, and one more for each 64 bytes of it
_ADDS: Final = 50  # bytes that a match has beyond the longer ones
_SAME: Final = 0.9  # of a match, that a content shares which is listed with it
_COVERED: Final = 0.8  # of a match, at most, that stands in exact ones


class Place(NamedTuple):
    """A content that has a match, or nearly all of it: bytes start to end (exclusive) of the query are bytes first to
    last (exclusive) of its fold."""

    content_id: str
    start: int
    end: int
    first: int
    last: int


class Copy(NamedTuple):
    """Bytes start to end (exclusive) of the query, so many tokens. `places`: a content each, those that share most
    first. `contents`: how many have it; where more do than were compared, they are counted by hash, up to ALL."""

    start: int
    end: int
    tokens: int
    places: tuple[Place, ...]
    contents: int


def tiles(bounds: Int64s, folded: UInt8s) -> tuple[Int64s, UInt64s]:
    """(bounds int64[n + 1], hashes uint64[]): of each text the tiles of its shapes, in order; for the table."""
    return token_shapes.tiles(bounds, folded)


def asked(query: UInt8s) -> Windows:
    """The shapes to look up: numbers of their first tokens, ascending, and hashes."""
    found = token_shapes.windows(tokens(query))
    order = np.argsort(found.hashes, kind="stable")
    hashes = found.hashes[order]
    nth = np.arange(len(hashes)) - np.searchsorted(hashes, hashes)
    kept = np.sort(order[nth < _REPEATS])
    return Windows(found.tokens[kept], found.hashes[kept])


def token_count(query: UInt8s) -> int:
    """How many tokens it has: the numbers that `asked` gives are below."""
    return len(tokens(query).form)


def grown(
    query: UInt8s, starts: Int64s, sizes: UInt32s, text: UInt8s, token: Int64s, row: Int64s, tile: Int64s
) -> Stretches:
    """The stretches around places of a shard, by row: tile number `tile` of the text in a row (sizes[row] bytes of
    `text`, from starts[row] on) for the window at number `token` of the query. Raises ValueError for what is outside.
    """
    return token_shapes.grown(tokens(query), starts, sizes, text, token, row, tile)


def find(shard: Shard, query: UInt8s, split: Split, covered: NDArray[np.bool_], most: int = MOST) -> list[Copy]:
    """The copies in the folded text `query`, the longest first. `covered`: which bytes stand in an exact match; what
    does so for the most part is left out. Raises UserError for an index without shapes."""
    if not shard.covered.renamed:
        raise UserError(
            "the index was made without the shapes of code, by which copies with other names are found",
            "set renamed = true under [membership] in starloom.toml and run `starloom index`",
        )
    places = _voted(shard.shapes(query, split, most), len(query))
    if not len(places.tile):
        return []
    found = shard.renamed(query, places)
    there = tokens(query)
    before = np.concatenate(([0], np.cumsum(covered)))
    kept = found.tokens >= LEAST
    kept &= before[found.end] - before[found.start] <= _COVERED * (found.end - found.start)
    rows = np.flatnonzero(kept)
    rows = rows[_telling(there, found.start[rows], found.end[rows]) >= TELLING]
    order = np.lexsort([one[rows] for one in (found.last, found.first, found.content, found.end, found.start)])
    content, start, end, first, last, size = (column[rows[order]] for column in found[1:])
    found = Renamed(found.contents, content, start, end, first, last, size)
    shown = chosen(start, end, len(query), _ADDS).tolist()
    copies = [_copy(found, row, places, there.start, most) for row in shown]
    return sorted(copies, key=lambda one: (-one.tokens, one.start))


def _voted(places: Places, size: int) -> Places:
    """Of the places those in the contents that have the most, by content_id where as many: bounded work."""
    most = _CONTENTS + size // 64
    if len(places.contents) <= most:
        return places
    votes = np.bincount(places.content, minlength=len(places.contents))
    taken = np.zeros(len(votes), dtype=np.bool_)
    taken[np.argsort(-votes, kind="stable")[:most]] = True
    kept = taken[places.content]
    tile, again, content, position = (one[kept] for one in (places.tile, places.again, places.content, places.position))
    return Places(places.contents, tile, again, content, position, places.sharing)


def _telling(there: Tokens, start: Int64s, end: Int64s) -> Int64s:
    """Of each stretch of bytes, at how many of its tokens four begin, names alike, that did not begin in it before."""
    last = _last_seen(there)
    old = np.concatenate(([0], np.cumsum(np.arange(len(last)) - last > _AGO)))
    low = np.searchsorted(there.start, start)
    high = np.maximum(np.searchsorted(there.start, end) - _GRAM + 1, low)
    near = np.minimum(low + _AGO, high)
    new = [int((last[a:b] < a).sum()) for a, b in zip(low.tolist(), near.tolist(), strict=True)]
    return np.array(new, dtype=np.int64) + old[high] - old[near]


def _last_seen(there: Tokens) -> Int64s:
    """Of each token at which a gram begins, where the same, names alike, began last before; far back if nowhere."""
    form = np.where(there.form >= NAME, NAME, there.form)
    size = max(len(form) - _GRAM + 1, 0)
    grams = np.zeros(size, dtype=np.uint64)
    for k in range(_GRAM):
        grams = grams * np.uint64(BASE) + form[k : k + size]
    order = np.argsort(grams, kind="stable")
    same = grams[order[1:]] == grams[order[:-1]]
    last = np.full(size, -_AGO - 1, dtype=np.int64)
    last[order[1:][same]] = order[:-1][same]
    return last


def _copy(found: Renamed, row: int, places: Places, begins: Int64s, most: int) -> Copy:
    """The stretch in a row as a match, with every content that has most of it."""
    start, end = int(found.start[row]), int(found.end[row])
    shared = np.minimum(found.end, end) - np.maximum(found.start, start)
    rows = np.flatnonzero(shared >= _SAME * (end - start))
    best: dict[int, int] = {}  # content → row
    for one in rows[np.lexsort((found.content[rows], -shared[rows]))].tolist():
        best.setdefault(int(found.content[one]), one)
    listed = tuple(_place(found, one) for one in best.values())
    low, high = np.searchsorted(begins, [start, end])
    sharing = places.sharing[low:high]
    by_hash = int(sharing[sharing > 0].min(initial=ALL))
    contents = by_hash if most < by_hash < ALL else len(listed)
    return Copy(start, end, int(found.tokens[row]), listed, max(contents, len(listed)))


def _place(found: Renamed, row: int) -> Place:
    start, end, first, last = (int(column[row]) for column in (found.start, found.end, found.first, found.last))
    content_id = content_ids(found.contents[found.content[row : row + 1]])[0]
    return Place(content_id, start, end, first, last)
