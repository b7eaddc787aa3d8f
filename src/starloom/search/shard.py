"""One opened shard: the candidates of a query in the order of hits, the rows, the texts.

Opening maps the files: rows, texts, tantivy's segments. They stay mapped, whatever becomes of the names: a reader goes
on with what it opened while the index is made anew.
"""

import tempfile
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.kernels.text import Int64s
from starloom.search import fields, grams, layout
from starloom.search.ask import Key
from starloom.search.candidates import Plan, plan
from starloom.search.matching import File, Text
from starloom.search.nodes import Node, fold
from starloom.search.rows import mapped

if TYPE_CHECKING:
    from tantivy import Query, Schema, Searcher

_FIRST: Final = 64  # candidates asked for at first; then ever more, as each batch goes through all matches once
_MORE: Final = 16
_MOST: Final = 16_384
_COPIES: Final = 2  # of a text: as it is, and in lower case
_COUNTED: Final = 1 << 17  # texts of which is known how often they were asked for
_MOST_VALUES: Final = 65_000  # of a facet: tantivy's own limit on buckets

Clauses: TypeAlias = "list[tuple[Any, Query]]"


class Candidate(NamedTuple):
    """A row of a shard, and where it stands among hits. `ahead`: so many seconds pass, about, until the next one."""

    key: Key
    shard: int
    row: int
    ahead: float


class KeptTexts:
    """Texts that are asked for again and again, as many as fit; with what is made of them (lower case).

    Large files have nearly every trigram, so nearly every question asks for them. A text takes the place of one that
    was not asked for more often, so a question that goes through thousands drives none of those out.
    """

    def __init__(self, most: int) -> None:
        self._most = most  # bytes
        self._lock = threading.Lock()
        self._texts: OrderedDict[tuple[int, int], Text] = OrderedDict()
        self._asked: Counter[tuple[int, int]] = Counter()
        self._bytes = 0

    def get(self, key: tuple[int, int], read: Callable[[], bytes]) -> Text:
        with self._lock:
            self._asked[key] += 1
            if len(self._asked) > _COUNTED:
                self._asked = Counter({one: times // 2 for one, times in self._asked.items() if times > 1})
            if text := self._texts.get(key):
                self._texts.move_to_end(key)
                return text
        text = Text(read())
        with self._lock:
            self._keep(key, text)
        return text

    def _keep(self, key: tuple[int, int], text: Text) -> None:
        size = _COPIES * len(text.data)
        if key in self._texts or size > self._most:
            return
        while self._bytes + size > self._most:
            oldest = next(iter(self._texts))
            if self._asked[oldest] > self._asked[key]:
                self._texts.move_to_end(oldest)
                return
            self._bytes -= _COPIES * len(self._texts.pop(oldest).data)
        self._texts[key] = text
        self._bytes += size


@dataclass(frozen=True)
class _Shared(File):
    """A file whose text others have too. `named`: those of its symbols that have one of these folded names."""

    shared: Callable[[], Text]
    named: Callable[[Collection[str]], list[tuple[str, int]]]

    @cached_property
    def text(self) -> Text:
        return self.shared()

    def symbols(self, names: Collection[str] | None) -> list[tuple[str, int]]:
        return super().symbols(None) if names is None else self.named(names)


class Shard:
    """Read by any number of threads."""

    def __init__(self, folder: Path, names: Iterable[str], number: int, kept: KeptTexts) -> None:
        """`names`: the files of `folder`. `kept`: texts at hand, of all shards. Raises UserError where the files do not
        fit together."""
        names = set(names)
        self.number = number
        self._kept = kept
        table = layout.read_rows(folder / layout.ROWS)
        self._columns = {name: _whole(table.column(name)) for name in layout.FILES.names}
        self._places = [
            self._columns[name].to_numpy() for name in ("text_file", "text_start", "text_size", "text_bytes")
        ]
        self._grams = grams.in_column(table.column("grams").combine_chunks())
        texts = layout.texts_among(names)
        self._texts = {layout.text_number(name): mapped(folder / name) for name in texts}  # never cut while open
        self._codec = pa.Codec(layout.CODEC)
        self._searcher, self._schema = _open_segments(folder, names - {layout.ROWS, *texts})
        self.files = int(self._searcher.num_docs)
        if self.files != int(pc.sum(self._columns["live"]).as_py() or 0):
            raise UserError(f"{folder} holds parts of different indexes", layout.REMEDY)

    def plan(self, node: Node) -> Plan:
        return plan(node, self._searcher, self._schema)

    def candidates(self, found: Plan, after: Key | None, wanted: int) -> Iterator[Candidate]:
        """The plan's candidates behind `after`, in order. `wanted`: so many will be taken, probably."""
        for tier in range(after.tier if after else 0, len(found.better) + 1):
            if tier < len(found.better) and found.better[tier] is None:
                continue
            rank = after.rank if after and after.tier == tier else None
            size = max(min(wanted, _MOST), _FIRST)
            while True:
                started = time.monotonic()
                ranks, rows = self._batch(found, tier, rank, size)
                likely = self._likely(found, rows)
                spent = time.monotonic() - started
                for place in likely:
                    ahead = spent if place == len(rows) - 1 else 0.0
                    yield Candidate(Key(tier, ranks[place]), self.number, int(rows[place]), ahead)
                if len(ranks) < size:
                    break
                rank = ranks[-1]
                size = min(size * _MORE, _MOST)

    def _likely(self, found: Plan, rows: Int64s) -> list[int]:
        """The places of those that may be hits, and the last: so he who counts the time is asked in each batch."""
        if found.may is None or not len(rows):
            return list(range(len(rows)))
        may = found.may(self._grams, rows)
        may[-1] = True
        return np.flatnonzero(may).tolist()

    def _batch(self, found: Plan, tier: int, rank: int | None, size: int) -> tuple[list[int], Int64s]:
        """The first candidates of a tier, of a greater rank: their ranks and rows."""
        from tantivy import Order

        asked = self._of_tier(found, tier, rank)
        result = self._searcher.search(asked, size, count=False, order_by_field=fields.RANK, order=Order.Asc)
        rows = self._searcher.fast_field_values(fields.NUMBER, [address for _, address in result.hits])
        return [rank for rank, _ in result.hits], np.array(rows, dtype=np.int64)

    def count(self, found: Plan, after: Key | None) -> int:
        """How many candidates are behind `after`."""
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
        return int(self._searcher.search(asked, 1, count=True).count)  # type: ignore[attr-defined]

    def values(self, found: Plan) -> dict[str, dict[str, int]]:
        """Of all candidates, by field, how many have which language, licence (a term of `license:`), repository."""
        names = (fields.LANGUAGE, fields.LICENSE, fields.REPO)
        asked = {name: {"terms": {"field": name, "size": _MOST_VALUES}} for name in names}
        told = self._searcher.aggregate(found.candidates, asked)
        return {name: {one["key"]: int(one["doc_count"]) for one in told[name]["buckets"]} for name in names}

    def _of_tier(self, found: Plan, tier: int, rank: int | None) -> "Query":
        _, must, must_not = _occurs()
        clauses: Clauses = [(must, better) for better in found.better[tier : tier + 1] if better]
        clauses += [(must_not, better) for better in found.better[:tier] if better]
        if rank is not None:
            clauses.append((must, self._ranks(rank + 1, 2**64)))
        return _boolean([(must, found.candidates), *clauses]) if clauses else found.candidates

    def _ranks(self, start: int, stop: int) -> "Query":
        from tantivy import FieldType, Query

        return Query.range_query(self._schema, fields.RANK, FieldType.Unsigned, start, stop - 1)

    def rows(self) -> Iterator[int]:
        """The numbers of all rows that are not deleted."""
        live = self._columns["live"].to_numpy(zero_copy_only=False)
        yield from map(int, live.nonzero()[0])

    def file(self, row: int) -> File:
        read, shared, named = partial(self._text, row), partial(self._shared, row), partial(self._named, row)
        return _Shared(partial(self.value, row), read, shared, named)

    def _named(self, row: int, names: Collection[str]) -> list[tuple[str, int]]:
        """(name, line) of the symbols with one of these folded names: hundreds are gone through as one text."""
        symbols = self._columns["symbols"][row].values
        if symbols is None or not len(symbols):
            return []
        _, offsets, data = symbols.buffers()
        starts = np.frombuffer(offsets, dtype=np.int32)[symbols.offset : symbols.offset + len(symbols) + 1]
        joined = memoryview(data)[starts[0] : starts[-1]].tobytes() if data else b""
        if joined.isascii():
            numbers = sorted({one for name in names for one in _whole_names(joined.lower(), starts, name.encode())})
        else:
            numbers = [number for number, name in enumerate(symbols.to_pylist()) if fold(name) in names]
        lines = self._columns["symbol_lines"][row].values
        return [(symbols[number].as_py(), lines[number].as_py()) for number in numbers]

    def _shared(self, row: int) -> Text:
        """The text of a row, kept for the next question: large files have every trigram, so all of them ask for it."""
        return self._kept.get((self.number, row), partial(self._text, row))

    def value(self, row: int, name: str) -> Any:
        return self._columns[name][row].as_py()

    def _text(self, row: int) -> bytes:
        name, start, size, length = (int(column[row]) for column in self._places)
        with memoryview(self._texts[name]) as texts, texts[start : start + size] as block:
            data: bytes = self._codec.decompress(block, length, asbytes=True)
        return data


def _whole(column: pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """One piece, where it is one: of that an item costs half."""
    return column.chunk(0) if column.num_chunks == 1 else column


def _whole_names(folded: bytes, starts: NDArray[np.int32], name: bytes) -> Iterator[int]:
    """The numbers of the names that are `name`, of names one behind the other."""
    at = folded.find(name)
    while at >= 0:
        number = int(np.searchsorted(starts, starts[0] + at, side="right")) - 1
        if starts[number] == starts[0] + at and starts[number + 1] == starts[number] + len(name):
            yield number
        at = folded.find(name, at + 1)


def _open_segments(folder: Path, names: Iterable[str]) -> tuple["Searcher", "Schema"]:
    """tantivy writes a lock file wherever it opens an index: so it opens a folder of links, which then goes."""
    import tantivy

    with tempfile.TemporaryDirectory(prefix="starloom-search-", ignore_cleanup_errors=True) as scratch:
        for name in names:
            (Path(scratch) / name).symlink_to((folder / name).resolve())
        index = tantivy.Index.open(scratch)
        index.config_reader("manual")  # else it watches the folder
        return index.searcher(), index.schema


def _occurs() -> tuple[Any, Any, Any]:
    from tantivy import Occur

    return Occur.Should, Occur.Must, Occur.MustNot


def _boolean(clauses: Sequence[tuple[Any, "Query"]]) -> "Query":
    from tantivy import Query

    return Query.boolean_query(clauses)
