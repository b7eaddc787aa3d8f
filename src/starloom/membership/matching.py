"""What was found in a text as matches: which stretches to show, and all that is known of their files."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from starloom.kernels.text import Int64s
from starloom.membership.asked import Asked, Asking, Told
from starloom.membership.boilerplate import reason
from starloom.membership.layout import packed_ids
from starloom.membership.matches import COMMON, Licensed, Match, MatchedFile
from starloom.membership.shard import Described, License, Shard, Split, Wanted
from starloom.membership.spans import Spans

_ALL: Final = 1 << 40  # more places than a content has


@dataclass
class Matches:
    """Of a question. `covered`: the bytes of its fold that are in one, as stretches."""

    matches: list[Match] = field(default_factory=list)
    covered: list[tuple[int, int]] = field(default_factory=list)


class _Held(NamedTuple):
    """Of stretches of the text asked about, what contents have. Of each stretch those at `bounds`; `number`: which of
    the contents described. `first` to `last`: bytes of its fold; `start` to `end` (exclusive): characters of the
    question; `way`: where its tiles begin in the text, modulo their width; `lines`: of the file, None where none are
    listed."""

    bounds: list[int]
    number: list[int]
    start: list[int]
    end: list[int]
    way: list[int]
    lines: list[tuple[int, int] | None]


class Matching:
    """The matches of several questions, asked as one text."""

    def __init__(self, shard: Shard, width: int, asking: Asking, spans: Spans, files: int | None) -> None:
        self._shard = shard
        self._width = width
        self._asking = asking
        self._spans = spans
        self._files = files

    def matches(self) -> list[Matches]:
        """Of each question; in no order that means anything."""
        from starloom.kernels.stretches import chosen, holders

        found, asking = self._spans.stretches, self._asking
        matches = [Matches() for _ in asking.questions]
        if not len(found.start):
            return matches
        groups = np.searchsorted(found.start, np.append(asking.begins, len(asking.query)))
        shown = chosen(*_packed(found.start, found.end), self._width, groups)
        starts, ends = found.start[shown], found.end[shown]
        bounds, rows, _ = holders(found, starts, ends, self._width)
        of = np.searchsorted(asking.begins, starts, side="right") - 1  # its question, of each stretch
        held, described = self._described(starts, ends, of, bounds, rows)
        low, high = np.searchsorted(self._spans.common, [starts, ends - self._width + 1]).tolist()
        told, begins = asking.told(of, starts, ends), asking.begins.tolist()
        for k, (question, start, end) in enumerate(zip(of.tolist(), starts.tolist(), ends.tolist())):
            common = slice(low[k], high[k])
            matches[question].matches.append(self._match(k, told[k], start, end, common, held, described))
            matches[question].covered.append((start - begins[question], end - begins[question]))
        return matches

    def _described(
        self, starts: Int64s, ends: Int64s, of: Int64s, bounds: Int64s, rows: Int64s
    ) -> tuple[_Held, Described]:
        """What the contents in `rows` have of these stretches, and all that is known of them; every content once."""
        found, files = self._spans.stretches, self._files
        stretch = np.repeat(np.arange(len(starts)), np.diff(bounds))
        shift = found.start[rows] - found.position[rows]
        starts, ends = np.maximum(starts[stretch], found.start[rows]), np.minimum(ends[stretch], found.end[rows])
        contents, number = np.unique(found.file[rows], return_inverse=True)
        nth = np.arange(len(rows)) - bounds[stretch]
        listed = np.flatnonzero(nth < (_ALL if files is None else files))
        most = np.zeros(len(contents), dtype=np.int64)
        most[number[listed]] = _ALL if files is None else files
        pairs = number[listed], (starts - shift)[listed], (ends - shift)[listed] - 1
        described = self._shard.described(Wanted(self._spans.contents, contents, most, *pairs))
        lines: list[tuple[int, int] | None] = [None] * len(rows)
        for row, shown in zip(listed.tolist(), zip(*described.lines.tolist())):
            lines[row] = shown
        first, last = self._asking.characters_at(of[stretch], starts, ends)
        ways = (shift % self._width).tolist()
        return _Held(bounds.tolist(), number.tolist(), first.tolist(), last.tolist(), ways, lines), described

    def _match(
        self, k: int, told: Told, start: int, end: int, common: slice, held: _Held, described: Described
    ) -> Match:
        """Stretch k: bytes start to end of the text, with the files that have all of it but less than a tile."""
        totals, places, of_content, _ = described
        files: list[MatchedFile] = []
        room = _ALL if self._files is None else self._files
        total = contents = 0
        licenses: dict[License, int] = {}
        here = range(held.bounds[k], held.bounds[k + 1])
        for row in here:
            number = held.number[row]
            if totals[number] < 0:
                continue
            contents += 1
            total += totals[number]
            for license, count in of_content[number].items():
                licenses[license] = licenses.get(license, 0) + count
            if len(files) < room and (lines := held.lines[row]):
                where = held.start[row], held.end[row], lines
                files += [one.file(*where) for one in places[number][: room - len(files)]]
        if common.start < common.stop:
            ways = [held.way[row] for row in here if totals[held.number[row]] >= 0]
            if (sharing := self._sharing(start, end, common, ways)) > contents:
                total += sharing - contents
                contents = sharing
        why = reason(told.text, contents, COMMON)
        licensed = _licensed(licenses, told.characters)
        return Match(*told[:5], files, total, bool(why), why, licenses=licensed)

    def _sharing(self, start: int, end: int, common: slice, held: list[int]) -> int:
        """In how many files these bytes are by hash, at most: of each way to lay tiles over them in which every tile is
        common, as many as share the rarest that was asked for; and those that lay them otherwise. `held`: the ways of
        those found."""
        spans, width = self._spans, self._width
        ways = spans.common[common] % width
        shared: dict[int, int] = {}
        for way in set(ways.tolist()):
            tiles = np.arange(start + (way - start) % width, end - width + 1, width)
            at = np.searchsorted(spans.frequent, tiles)
            if at[-1] < len(spans.frequent) and (spans.frequent[at] == tiles).all():
                shared[way] = int(spans.sharing[common][ways == way].min())
        others = sum(way not in shared for way in held) if shared else 0
        return sum(shared.values()) + others


def _packed(starts: Int64s, ends: Int64s) -> tuple[Int64s, Int64s, int]:
    """(starts, ends, the last end) of stretches, which are in order, without the bytes that none of them has."""
    if not len(starts):
        return starts, ends, 0
    reach = np.concatenate(([0], np.maximum.accumulate(ends)))
    further = np.cumsum(np.maximum(starts - reach[:-1], 0))
    return starts - further, ends - further, int((ends - further).max())


def renamed_matches(
    shard: Shard, asked: Asked, split: Split, covered: Sequence[tuple[int, int]], most: int, files: int | None
) -> list[Match]:
    """Copies with other names, where no exact match covers them."""
    from starloom.membership import renamed

    exact = np.zeros(len(asked.query), dtype=np.bool_)
    for start, end in covered:
        exact[start:end] = True
    copies = renamed.find(shard, asked.query, split, exact, most)
    places = [place for copy in copies for place in copy.places]
    if not places:
        return []
    each = np.arange(len(places))
    first, last = (np.array(column, dtype=np.int64) for column in zip(*((one.first, one.last - 1) for one in places)))
    listed = np.full(len(places), _ALL if files is None else files)
    ids = packed_ids([one.content_id for one in places])
    described = shard.described(Wanted(ids, each, listed, each, first, last))
    numbers = iter(range(len(places)))
    matches = []
    for copy in copies:
        shown: list[MatchedFile] = []
        licenses: Counter[License] = Counter()
        total = 0
        for place, number in zip(copy.places, numbers):
            if described.totals[number] < 0:
                continue
            total += described.totals[number]
            licenses.update(described.licenses[number])
            room = None if files is None else max(files - len(shown), 0)
            one, two = asked.chars(place.start, place.end)
            lines = int(described.lines[0, number]), int(described.lines[1, number])
            shown += [where.file(one, two, lines) for where in described.places[number][:room]]
        told = asked.told(copy.start, copy.end)
        total += copy.contents - len(copy.places)
        why = reason(told.text, copy.contents, COMMON)
        why_so = f"{renamed.REASON}; {why}" if why else renamed.REASON
        licensed = _licensed(licenses, told.characters)
        matches.append(Match(*told[:5], shown, total, bool(why), why_so, "renamed", licensed))
    return matches


def _licensed(licenses: Mapping[License, int], characters: int) -> list[Licensed]:
    """Those of most files first."""
    order = sorted(licenses.items(), key=lambda one: (-one[1], one[0][1], one[0][0] or ""))
    return [Licensed(", ".join(names) or "unknown", kind, characters, number) for (kind, names), number in order]
