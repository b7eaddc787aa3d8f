"""What was found in a text as matches: which stretches to show, and all that is known of their files."""

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from starloom.identity import permalink, qualified_swhid
from starloom.kernels.text import Int64s
from starloom.membership.asked import Asked
from starloom.membership.boilerplate import reason
from starloom.membership.layout import content_ids
from starloom.membership.matches import COMMON, Licensed, Match, MatchedFile
from starloom.membership.shard import Described, License, Shard, Split, Wanted
from starloom.membership.spans import Spans
from starloom.the_stack.origins import Origin

_Known: TypeAlias = tuple[Described, dict[tuple[int, int], int]]  # of a content; which of its `lines` are which
Covered: TypeAlias = NDArray[np.bool_]  # bytes of the fold that are in a match


class _Held(NamedTuple):
    """Of a stretch of the query, what a content has: bytes `place` of its fold, first and last, which are characters
    `start` to `end` (exclusive) of the text. `way`: where its tiles begin in the query, modulo their width."""

    content: int
    place: tuple[int, int]
    start: int
    end: int
    way: int


class Matching:
    """The matches of one question."""

    def __init__(self, shard: Shard, width: int, asked: Asked, spans: Spans, files: int | None) -> None:
        self._shard = shard
        self._width = width
        self._asked = asked
        self._spans = spans
        self._files = files

    def matches(self) -> tuple[list[Match], Covered]:
        """(the matches, which bytes of the fold are in one)."""
        from starloom.kernels.stretches import chosen, holders

        found, size = self._spans.stretches, len(self._asked.query)
        covered = np.zeros(size, dtype=np.bool_)
        if not len(found.start):
            return [], covered
        shown = chosen(*_packed(found.start, found.end), self._width)
        starts, ends = found.start[shown], found.end[shown]
        bounds, rows, _ = holders(found, starts, ends, self._width)
        held = self._held(np.repeat(starts, np.diff(bounds)), np.repeat(ends, np.diff(bounds)), rows)
        of_spans = [held[low:high] for low, high in pairwise(bounds.tolist())]
        described = self._described(of_spans)
        matches = []
        for start, end, some in zip(starts.tolist(), ends.tolist(), of_spans):
            covered[start:end] = True
            matches.append(self._match(start, end, some, described))
        return matches, covered

    def _held(self, starts: Int64s, ends: Int64s, rows: Int64s) -> list[_Held]:
        """What of bytes of the query the content of a stretch has, for each of these."""
        found = self._spans.stretches
        shift = found.start[rows] - found.position[rows]
        starts, ends = np.maximum(starts, found.start[rows]), np.minimum(ends, found.end[rows])
        columns = found.file[rows], starts - shift, ends - shift - 1, *self._asked.characters_at(starts, ends), shift
        return [
            _Held(content, (first, last), start, end, way % self._width)
            for content, first, last, start, end, way in zip(*(column.tolist() for column in columns))
        ]

    def _described(self, spans: list[list[_Held]]) -> dict[int, _Known]:
        """By content, (what is known of it, which of its `lines` are those of a stretch); every content once."""
        pairs: dict[int, dict[tuple[int, int], int]] = {}
        for some in spans:
            for number, one in enumerate(some):
                lines = pairs.setdefault(one.content, {})
                if self._files is None or number < self._files:
                    lines.setdefault(one.place, len(lines))
        names = content_ids(self._spans.contents[list(pairs)])
        wanted = [Wanted(name, tuple(lines), self._files if lines else 0) for name, lines in zip(names, pairs.values())]
        told = self._shard.described(wanted) if wanted else []
        return {content: (one, pairs[content]) for content, one in zip(pairs, told) if one is not None}

    def _match(self, start: int, end: int, held: list[_Held], described: dict[int, _Known]) -> Match:
        """Bytes start to end of the folded text, with the files that have all of it but less than a tile."""
        asked = self._asked
        held = [one for one in held if one.content in described]
        files: list[MatchedFile] = []
        total, contents = 0, len(held)
        licenses: dict[License, int] = {}
        for one in held:
            about, places = described[one.content]
            total += about.total
            for license, number in about.licenses.items():
                licenses[license] = licenses.get(license, 0) + number
            room = None if self._files is None else self._files - len(files)
            if room is None or room > 0:
                lines = about.lines[places[one.place]]
                files += [_file(origin, one.start, one.end, lines) for origin in about.places[:room]]
        if (sharing := self._sharing(start, end, held)) > contents:
            total += sharing - contents
            contents = sharing
        first, last = asked.chars(start, end)
        characters = asked.characters(start, end)
        why = reason(asked.text[first:last], contents, COMMON)
        told = _told(licenses, characters)
        return Match(first, last, *asked.lines(first, last), characters, files, total, bool(why), why, licenses=told)

    def _sharing(self, start: int, end: int, held: list[_Held]) -> int:
        """In how many files these bytes are by hash, at most: of each way to lay tiles over them in which every tile is
        common, as many as share the rarest that was asked for; and those that lay them otherwise."""
        spans, width = self._spans, self._width
        low, high = np.searchsorted(spans.common, [start, end - width + 1])
        if low == high:
            return 0
        ways = spans.common[low:high] % width
        shared: dict[int, int] = {}
        for way in set(ways.tolist()):
            tiles = np.arange(start + (way - start) % width, end - width + 1, width)
            at = np.searchsorted(spans.frequent, tiles)
            if at[-1] < len(spans.frequent) and (spans.frequent[at] == tiles).all():
                shared[way] = int(spans.sharing[low:high][ways == way].min())
        others = sum(one.way not in shared for one in held) if shared else 0
        return sum(shared.values()) + others


def _packed(starts: Int64s, ends: Int64s) -> tuple[Int64s, Int64s, int]:
    """(starts, ends, the last end) of stretches, which are in order, without the bytes that none of them has."""
    if not len(starts):
        return starts, ends, 0
    reach = np.concatenate(([0], np.maximum.accumulate(ends)))
    further = np.cumsum(np.maximum(starts - reach[:-1], 0))
    return starts - further, ends - further, int((ends - further).max())


def renamed_matches(
    shard: Shard, asked: Asked, split: Split, covered: Covered, most: int, files: int | None
) -> list[Match]:
    """Copies with other names, where nothing exact covers them."""
    from starloom.membership import renamed

    copies = renamed.find(shard, asked.query, split, covered, most)
    wanted = [
        Wanted(place.content_id, ((place.first, place.last - 1),), files) for copy in copies for place in copy.places
    ]
    described = iter(shard.described(wanted) if wanted else [])
    matches = []
    for copy in copies:
        listed: list[MatchedFile] = []
        licenses: Counter[License] = Counter()
        total = 0
        for place, about in zip(copy.places, described):
            if about is None:
                continue
            total += about.total
            licenses.update(about.licenses)
            room = None if files is None else max(files - len(listed), 0)
            one, two = asked.chars(place.start, place.end)
            listed += [_file(origin, one, two, about.lines[0]) for origin in about.places[:room]]
        first, last = asked.chars(copy.start, copy.end)
        characters = asked.characters(copy.start, copy.end)
        total += copy.contents - len(copy.places)
        why = reason(asked.text[first:last], copy.contents, COMMON)
        told = f"{renamed.REASON}; {why}" if why else renamed.REASON
        where = first, last, *asked.lines(first, last), characters
        matches.append(Match(*where, listed, total, bool(why), told, "renamed", _told(licenses, characters)))
    return matches


def _file(origin: Origin, start: int, end: int, lines: tuple[int, int]) -> MatchedFile:
    where = origin.url, origin.revision_id, origin.path, lines
    swhid, link = qualified_swhid(origin.content_id, *where), permalink(*where)
    return MatchedFile(
        **vars(origin), start=start, end=end, first_line=lines[0], last_line=lines[1], swhid=swhid, permalink=link
    )


def _told(licenses: Mapping[License, int], characters: int) -> list[Licensed]:
    """Those of most files first."""
    order = sorted(licenses.items(), key=lambda one: (-one[1], one[0][1], one[0][0] or ""))
    return [Licensed(", ".join(names) or "unknown", kind, characters, number) for (kind, names), number in order]
