"""One opened shard: the candidates of a query in the order of hits, the rows, the texts.

Opening maps the files: rows, texts, tantivy's segments. They stay mapped, whatever becomes of the names: a reader goes
on with what it opened while the index is made anew.
"""

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from starloom.errors import UserError
from starloom.kernels.cuts import LARGE
from starloom.kernels.named import Names
from starloom.kernels.packed import Packed
from starloom.kernels.text import Int64s
from starloom.scratch import scratch_folder
from starloom.search import fields, grams, layout
from starloom.search import texts as texts_of
from starloom.search.ask import Key
from starloom.search.candidates import Plan, plan
from starloom.search.columns import Columns, Lists, Strings, cell_of
from starloom.search.indexed import Indexed
from starloom.search.looks import Look, Looking
from starloom.search.nodes import Node, fold
from starloom.search.rows import mapped

if TYPE_CHECKING:
    from tantivy import Query, Schema, Searcher

_FIRST: Final = 64  # candidates asked for at first; then ever more, as each batch goes through all matches once
_SMALL: Final = 1 << 16  # bytes of texts that are proved one by one
_MORE: Final = 16
_MOST: Final = 8_192
_COUNTED: Final = 1 << 17  # texts of which is known how often they were asked for
_MOST_VALUES: Final = 65_000  # of a facet: tantivy's own limit on buckets

Clauses: TypeAlias = "list[tuple[Any, Query]]"


class Candidate(NamedTuple):
    """A row of a shard, and where it stands among hits. `holds`: whether it is one; None: it is still to be proved.
    `ahead`: so many seconds pass, about, until the next one."""

    key: Key
    shard: int
    row: int
    holds: bool | None
    ahead: float


class KeptTexts:
    """Texts that are asked for again and again, as many as fit.

    Large files have nearly everything, so they are proved and shown again and again. A text takes the place of one that
    was asked for less often, so a question that goes through thousands drives none of those out, and none of its own.
    """

    def __init__(self, most: int) -> None:
        self._most = most  # bytes
        self._lock = threading.Lock()
        self._texts: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._asked: Counter[tuple[int, int]] = Counter()
        self._bytes = 0

    def get(self, key: tuple[int, int], read: Callable[[], bytes]) -> bytes:
        with self._lock:
            self._asked[key] += 1
            if len(self._asked) > _COUNTED:
                self._asked = Counter({one: times // 2 for one, times in self._asked.items() if times > 1})
            if text := self._texts.get(key):
                self._texts.move_to_end(key)
                return text
        text = read()
        with self._lock:
            self._keep(key, text)
        return text

    def _keep(self, key: tuple[int, int], text: bytes) -> None:
        if key in self._texts or len(text) > self._most:
            return
        while self._bytes + len(text) > self._most:
            oldest = next(iter(self._texts))
            if self._asked[oldest] >= self._asked[key]:
                self._texts.move_to_end(oldest)
                return
            self._bytes -= len(self._texts.pop(oldest))
        self._texts[key] = text
        self._bytes += len(text)


class Shard:
    """Read by any number of threads."""

    def __init__(self, folder: Path, names: Iterable[str], number: int, kept: KeptTexts) -> None:
        """`names`: the files of `folder`. `kept`: texts at hand, of all shards. Raises UserError where the files do not
        fit together."""
        names = set(names)
        self.number = number
        self._kept = kept
        table = layout.read_rows(folder / layout.ROWS)
        self._columns = Columns(table)
        self._symbols = Lists(self._columns.array("symbols"))
        self._names, self._line = Strings(self._symbols.values), cell_of(self._columns.array("symbol_lines").values)
        self._files, self._starts, self._sizes, self._lengths = map(
            self._columns.numbers, ("text_file", "text_start", "text_size", "text_bytes")
        )
        self._grams = grams.in_column(self._columns.array("grams"))
        texts = layout.texts_among(names)
        self._texts = {layout.text_number(name): pa.py_buffer(mapped(folder / name)) for name in texts}
        self._packed = Packed(self._texts, self._files, self._starts, self._sizes, self._lengths, LARGE)
        self._searcher, self._schema = _open_segments(folder, names - {layout.ROWS, *texts})
        self.files = int(self._searcher.num_docs)
        self._deleted = len(table) - self.files  # rows
        if self.files != int(pc.sum(table.column("live")).as_py() or 0):
            raise UserError(f"{folder} holds parts of different indexes", layout.ANEW)

    def plan(self, node: Node) -> Plan:
        return plan(node, self._searcher, self._schema)

    def candidates(
        self, found: Plan, after: Key | None, wanted: int, look: Callable[[], Look | None] | None = None
    ) -> Iterator[Candidate]:
        """The plan's candidates behind `after`, in order. `wanted`: so many will be taken, probably. `look`: makes
        what looks at them; of those that it says are none, only so many are given that he who counts the time is asked
        again and again."""
        if few := self._few(found, after):
            keys, rows = few
            brief = int(self._packed.length[rows].sum()) <= _SMALL  # then a look costs more than it spares
            looking = Looking(self._packed, look() if look and not brief else None)
            for place, holds, ahead in looking.at(rows, np.arange(len(rows))):
                yield Candidate(keys[place], self.number, int(rows[place]), holds, ahead)
            return
        looking = Looking(self._packed, look() if look else None)
        for tier, rank in self._tiers(found, after):
            size = min(max(wanted, _FIRST), _MOST)
            while True:
                started = time.monotonic()
                ranks, rows = self._batch(self._of_tier(found, tier, rank), size)
                likely = self._likely(found, rows)
                spent = time.monotonic() - started
                for place, holds, ahead in looking.at(rows, likely):
                    ahead += spent if place == len(rows) - 1 else 0.0
                    yield Candidate(Key(tier, ranks[place]), self.number, int(rows[place]), holds, ahead)
                if len(ranks) < size:
                    break
                rank = ranks[-1]
                size = min(size * _MORE, _MOST)

    def first(self, found: Plan, after: Key | None, wanted: int) -> list[tuple[Key, int]]:
        """The first `wanted` candidates behind `after`, and their rows, of a plan that leaves nothing to be proved."""
        keys: list[Key] = []
        addresses: list[Any] = []
        known = found.total if after is None and not self._deleted else None
        for tier, rank in self._tiers(found, after) if wanted else ():
            hits = self._search(self._of_tier(found, tier, rank), wanted - len(keys))
            keys += [Key(tier, rank) for rank, _ in hits]
            addresses += [address for _, address in hits]
            if len(keys) in (wanted, known):
                break
        return list(zip(keys, self._rows_at(addresses), strict=True))

    def _tiers(self, found: Plan, after: Key | None) -> Iterator[tuple[int, int | None]]:
        """The tiers that may have candidates behind `after`; in each, the rank that they are behind."""
        for tier in range(after.tier if after else 0, len(found.better) + 1):
            if tier == len(found.better) or found.better[tier] is not None:
                yield tier, after.rank if after and after.tier == tier else None

    def _few(self, found: Plan, after: Key | None) -> tuple[list[Key], Int64s] | None:
        """All candidates behind `after` that may be hits, in order: keys and rows; where they are few, for then one
        look-up is enough, and their rows say of which tier they are. None: that is not known."""
        if not found.few or found.tiers is None:
            return None
        ranks, found_rows = self._batch(found.candidates, _FIRST)
        if len(ranks) == _FIRST:
            return None
        likely = found_rows if found.may is None else found_rows[found.may(self._grams, found_rows)]
        rows = likely.tolist()
        rank_of = dict(zip(found_rows.tolist(), ranks, strict=True))
        symbols = self.symbols(rows, found.tiers.names)
        some = []
        for row, defined in zip(rows, symbols, strict=True):
            tier = found.tiers.tier(defined, self._columns.value(row, "path") or "")
            some.append((Key(tier, rank_of[row]), row))
        some = sorted(one for one in some if after is None or one[0] > after)
        return [key for key, _ in some], np.array([row for _, row in some], np.int64)

    def _likely(self, found: Plan, rows: Int64s) -> Int64s:
        """The places of those that may be hits."""
        if found.may is None or not len(rows):
            return np.arange(len(rows))
        return np.flatnonzero(found.may(self._grams, rows))

    def _batch(self, asked: "Query", size: int) -> tuple[list[int], Int64s]:
        """The first files, by rank: their ranks and rows."""
        hits = self._search(asked, size)
        return [rank for rank, _ in hits], np.array(self._rows_at([address for _, address in hits]), dtype=np.int64)

    def _search(self, asked: "Query", size: int) -> list[tuple[int, Any]]:
        """The first files, by rank: (rank, tantivy's address)."""
        return self._searcher.search(asked, size, count=False, order_by_field=fields.RANK, order=_ascending()).hits

    def _rows_at(self, addresses: list[Any]) -> list[int]:
        """A call costs 10 us, whatever it is asked."""
        return self._searcher.fast_field_values(fields.NUMBER, addresses) if addresses else []  # type: ignore[return-value]

    def count(self, found: Plan, after: Key | None) -> int:
        """How many candidates are behind `after`."""
        if found.total is not None and after is None and not self._deleted:
            return found.total
        asked = found.candidates
        if after is not None:
            _, must, must_not = _occurs()
            clauses = [(must, asked), *((must_not, better) for better in found.better[: after.tier] if better)]
            upto = self._ranks(0, after.rank + 1)
            if after.tier == len(found.better):
                clauses.append((must_not, upto))
            elif better := found.better[after.tier]:
                clauses.append((must_not, _boolean([(must, better), (must, upto)])))
            asked = _boolean(clauses)
        told = self._searcher.search(asked, 1, count=True, order_by_field=fields.RANK)  # else each has its score
        return int(told.count)  # type: ignore[attr-defined]

    def values(self, found: Plan) -> dict[str, dict[str, int]]:
        """Of all candidates, by field, how many have which language, licence (a term of `license:`), repository."""
        names = (fields.LANGUAGE, fields.LICENSE, fields.REPO)
        asked = {name: {"terms": {"field": name, "size": _MOST_VALUES}} for name in names}
        told = self._searcher.aggregate(found.candidates, asked)
        return {name: {one["key"]: int(one["doc_count"]) for one in told[name]["buckets"]} for name in names}

    def _of_tier(self, found: Plan, tier: int, rank: int | None) -> "Query":
        should, must, must_not = _occurs()
        better = found.better[tier] if tier < len(found.better) else None
        if better is None:
            clauses: Clauses = [(must, found.candidates)]
        elif found.sure and tier + 1 == len(found.better):
            clauses = [(must, better)]
        elif len(found.split) > 1:  # a list that is two together is gone through from end to end
            clauses = [(must, _boolean([(should, _boolean([(must, better), (must, one)])) for one in found.split]))]
        else:
            clauses = [(must, found.candidates), (must, better)]
        clauses += [(must_not, better) for better in found.better[:tier] if better]
        if rank is not None:
            clauses.append((must, self._ranks(rank + 1, 2**64)))
        return _boolean(clauses) if len(clauses) > 1 else clauses[0][1]

    def _ranks(self, start: int, stop: int) -> "Query":
        from tantivy import FieldType, Query

        return Query.range_query(self._schema, fields.RANK, FieldType.Unsigned, start, stop - 1)

    def rows(self) -> Iterator[int]:
        """The numbers of all rows that are not deleted."""
        live = self._columns.array("live").to_numpy(zero_copy_only=False)
        yield from map(int, live.nonzero()[0])

    def file(self, row: int) -> Indexed:
        return Indexed(self, row)

    # A table of `indexed`

    def value(self, row: int, name: str) -> Any:
        return self._columns.value(row, name)

    def columns(self, rows: Sequence[int], names: Sequence[str]) -> Iterable[Sequence[Any]]:
        return self._columns.of_rows(rows, names)

    def symbols(self, rows: Sequence[int], names: frozenset[str] | None) -> list[list[tuple[str, int]]]:
        ranges = [self._symbols.slice(row) for row in rows]
        found: list[list[tuple[str, int]]] = [[] for _ in rows]
        if names is not None and (sought := _sought(names)) is not None:
            for which, number in sought.among(ranges, *self._names.buffers()):
                found[which].append((self._names[number], self._line(number)))
            return found
        for some, (first, last) in zip(found, ranges, strict=True):
            defined = [(self._names[number], self._line(number)) for number in range(first, last)]
            some += [one for one in defined if names is None or fold(one[0]) in names]
        return found

    def text(self, row: int) -> bytes:
        if self._lengths[row] <= LARGE:  # unpacked as fast as it is found
            return self._unpacked(row)
        return self._kept.get((self.number, row), partial(self._unpacked, row))

    def _unpacked(self, row: int) -> bytes:
        block = self._texts[self._files[row]].slice(self._starts[row], self._sizes[row])
        return texts_of.unpack(block, self._lengths[row])


@lru_cache(64)
def _sought(names: frozenset[str]) -> Names | None:
    """None where that is more than ASCII: then more than ASCII folds to them."""
    return Names(one.encode() for one in names) if all(map(str.isascii, names)) else None


def _open_segments(folder: Path, names: Iterable[str]) -> tuple["Searcher", "Schema"]:
    """tantivy writes a lock file wherever it opens an index: so it opens a folder of links, which then goes."""
    import tantivy

    with scratch_folder("starloom-search-") as scratch:
        for name in names:
            (scratch / name).symlink_to((folder / name).resolve())
        index = tantivy.Index.open(str(scratch))
        index.config_reader("manual")  # else it watches the folder
        return index.searcher(), index.schema


@cache
def _ascending() -> Any:
    from tantivy import Order

    return Order.Asc


@cache
def _occurs() -> tuple[Any, Any, Any]:
    from tantivy import Occur

    return Occur.Should, Occur.Must, Occur.MustNot


def _boolean(clauses: Sequence[tuple[Any, "Query"]]) -> "Query":
    return _make_boolean()(clauses)


@cache
def _make_boolean() -> "Callable[[Sequence[tuple[Any, Query]]], Query]":
    from tantivy import Query

    return Query.boolean_query
