"""What was found in a text as matches: which stretches to show, and all that is known of their files."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np

from starloom.kernels.common_tiles import sharing
from starloom.kernels.slots import numbered
from starloom.kernels.text import Int64s
from starloom.membership.asked import Asked, Asking, Told
from starloom.membership.boilerplate import Judge, is_license, reason, worded
from starloom.membership.described import License, Licenses, Made, ranged
from starloom.membership.layout import packed_ids
from starloom.membership.license_of import unnamed
from starloom.membership.matches import COMMON, Licensed, Match, MatchedFile, Place
from starloom.membership.shard import Shard, Split, Wanted
from starloom.membership.spans import Spans

_ALL: Final = 1 << 40  # more places than a content has
_MOST_LISTED: Final = 100_000  # files that are kept in lists, 120 bytes each, so that many matches are soon looked at


@dataclass
class Matches:
    """Of a question. `covered`: the bytes of its fold that are in an exact one, as stretches; `renamed`: in a copy with
    other names."""

    matches: list[Match] = field(default_factory=list)
    covered: list[tuple[int, int]] = field(default_factory=list)
    renamed: list[tuple[int, int]] = field(default_factory=list)


class _Told(NamedTuple):
    """Of stretches of the text asked about, what is told of the contents that have them: how many there are, in how
    many files, under which licences; and `listed`, files[k] to files[k + 1] of stretch k. `worded`: whether they have a
    word of licences."""

    stretches: list[Told]
    worded: list[bool]
    contents: list[int]
    totals: list[int]
    licenses: list[list[Licensed]]
    listed: "_Listed"
    files: list[int]


class _Listed:
    """Files in columns, which are lists from the first look on where they are not too many: which of the places, from
    where to where in the text, and on which lines."""

    def __init__(self, places: Made[Place], place: Int64s, *columns: Int64s) -> None:
        self._places = places
        self._arrays = place, *columns
        self._lists: list[list[int]] = []

    def files(self, low: int, high: int) -> list[MatchedFile]:
        """Those from `low` to `high` (exclusive)."""
        if len(self._arrays[0]) > _MOST_LISTED:
            place, *columns = [one[low:high].tolist() for one in self._arrays]
        else:
            self._lists = self._lists or [one.tolist() for one in self._arrays]
            place, *columns = [one[low:high] for one in self._lists]
        return list(map(Place.file, self._places.those(place), *columns))


class Matching:
    """The matches of several questions, asked as one text."""

    def __init__(self, shard: Shard, width: int, asking: Asking, spans: Spans, files: int | None, judge: Judge) -> None:
        """`judge`: as `is_license`."""
        self._shard = shard
        self._judge = judge
        self._width = width
        self._asking = asking
        self._spans = spans
        self._files = _ALL if files is None else files

    def matches(self) -> list[Matches]:
        """Of each question; in no order that means anything."""
        from starloom.kernels.stretches import chosen, holders

        found, asking = self._spans.stretches, self._asking
        matches = [Matches() for _ in asking.questions]
        if not len(found.start):
            return matches
        other = (found.start[1:] != found.start[:-1]) | (found.end[1:] != found.end[:-1])
        each = np.append(0, np.flatnonzero(other) + 1)  # most have the same bytes as the one before: another file's
        starts, ends = found.start[each], found.end[each]
        groups = np.searchsorted(starts, np.append(asking.begins, len(asking.query)))
        shown = chosen(*_packed(starts, ends), self._width, groups)
        starts, ends = starts[shown], ends[shown]
        bounds, rows, _ = holders(found, starts, ends, self._width)
        of = np.searchsorted(asking.begins, starts, side="right") - 1  # its question, of each stretch
        about = self._told(starts, ends, of, bounds, rows)
        begins = asking.begins[of]
        for k, where in enumerate(zip(of.tolist(), (starts - begins).tolist(), (ends - begins).tolist())):
            question, start, end = where
            matches[question].matches.append(self._match(k, about))
            matches[question].covered.append((start, end))
        return matches

    def _told(self, starts: Int64s, ends: Int64s, of: Int64s, bounds: Int64s, rows: Int64s) -> _Told:
        """What the contents in `rows` have of these stretches, those of each at `bounds`; every content is described
        once."""
        found, most = self._spans.stretches, self._files
        stretch = np.repeat(np.arange(len(starts)), np.diff(bounds))
        shift = found.start[rows] - found.position[rows]
        contents, number = numbered(found.file[rows])
        listed = np.flatnonzero(np.arange(len(rows)) - bounds[stretch] < most)
        first = np.maximum(starts[stretch[listed]], found.start[rows[listed]])
        stop = np.minimum(ends[stretch[listed]], found.end[rows[listed]])
        wanted = np.zeros(len(contents), dtype=np.int64)
        wanted[number[listed]] = most
        pairs = number[listed], first - shift[listed], stop - shift[listed] - 1
        described = self._shard.described(Wanted(self._spans.contents, contents, wanted, *pairs))
        there = described.totals[number] >= 0
        here = np.append(0, np.cumsum(there))[bounds]
        totals = np.append(0, np.cumsum(np.maximum(described.totals, 0)[number]))[bounds]
        common, ways = (self._spans.common, self._spans.sharing), (shift % self._width)[there]
        by_hash = sharing(starts, ends, common, self._spans.frequent, (ways, here), self._width)
        more = np.maximum(by_hash - np.diff(here), 0)
        held = number, stretch
        number, stretch = number[listed], stretch[listed]
        room = np.diff(described.bounds)[number] * there[listed]
        before = np.cumsum(room) - room
        taken = np.clip(most - before + before[np.searchsorted(stretch, stretch)], 0, room)
        which = np.repeat(np.arange(len(taken)), taken)
        place = ranged(described.bounds[number], taken)
        ask = self._asking
        asked = [of, of[stretch[which]]], [starts, first[which]], [ends, stop[which]]  # at once: texts are read once
        where = ask.where(*map(np.concatenate, asked))
        told = ask.told(of, starts, ends, where[:, : len(of)])
        return _Told(
            told,
            worded(ask.query, starts, ends).tolist(),
            (np.diff(here) + more).tolist(),
            (np.diff(totals) + more).tolist(),
            _together(described.licenses, *held, [one.characters for one in told]),
            _Listed(described.places, place, *where[:2, len(of) :], *described.lines[:, which]),
            np.searchsorted(stretch[which], np.arange(len(starts) + 1)).tolist(),
        )

    def _match(self, k: int, about: _Told) -> Match:
        """Of stretch k, with the files that have all of it but less than a tile."""
        first, last, first_line, last_line, characters, text = about.stretches[k]
        why = reason(about.worded[k] and self._judge(text), about.contents[k], COMMON)
        return Match.listing(
            partial(about.listed.files, about.files[k], about.files[k + 1]),
            start=first,
            end=last,
            first_line=first_line,
            last_line=last_line,
            characters=characters,
            total=about.totals[k],
            common=bool(why),
            reason=why,
            kind="exact",
            licenses=about.licenses[k],
        )


def _packed(starts: Int64s, ends: Int64s) -> tuple[Int64s, Int64s, int]:
    """(starts, ends, the last end) of stretches, which are in order, without the bytes that none of them has."""
    if not len(starts):
        return starts, ends, 0
    reach = np.concatenate(([0], np.maximum.accumulate(ends)))
    further = np.cumsum(np.maximum(starts - reach[:-1], 0))
    return starts - further, ends - further, int((ends - further).max())


def add_renamed(found: Matches, shard: Shard, asked: Asked, split: Split, most: int, files: int | None) -> None:
    """To the matches of a question the copies with other names, where no exact match covers them."""
    from starloom.membership import renamed

    exact = np.zeros(len(asked.query), dtype=np.bool_)
    for start, end in found.covered:
        exact[start:end] = True
    copies = renamed.find(shard, asked.query, split, exact, most)
    places = [place for copy in copies for place in copy.places]
    if not places:
        return
    ids, number = np.unique([one.content_id for one in places], return_inverse=True)  # one may hold several copies
    first, last = _columns(places, "first", "last")
    listed = np.full(len(ids), _ALL if files is None else files)
    described = shard.described(Wanted(packed_ids(ids.tolist()), np.arange(len(ids)), listed, number, first, last - 1))
    told_of = list(described.each())
    where, at = asked.where(*_columns(places, "start", "end"))[:2].T.tolist(), described.lines.T.tolist()
    known = iter(zip((told_of[k] for k in number.tolist()), where, at))
    for copy, told in zip(copies, asked.told(*_columns(copies, "start", "end"))):
        shown: list[MatchedFile] = []
        licenses: Counter[License] = Counter()
        total = 0
        for _, ((number, some, of), characters, lines) in zip(copy.places, known):
            if number < 0:
                continue
            total += number
            licenses.update(of)
            room = None if files is None else max(files - len(shown), 0)
            shown += [one.file(*characters, *lines) for one in some[:room]]
        total += copy.contents - len(copy.places)
        why = reason(is_license(told.text), copy.contents, COMMON)
        why_so = f"{renamed.REASON}; {why}" if why else renamed.REASON
        licensed = _licensed(licenses.items(), told.characters)
        found.matches.append(Match(*told[:5], shown, total, bool(why), why_so, "renamed", licensed))
        found.renamed.append((copy.start, copy.end))


def _columns(things: Iterable[Any], *names: str) -> Iterator[Int64s]:
    things = list(things)
    return (np.array([getattr(one, name) for one in things], dtype=np.int64) for name in names)


def _together(licenses: Licenses, number: Int64s, stretch: Int64s, characters: list[int]) -> list[list[Licensed]]:
    """Of each stretch of so many characters, under which licences how many places of its contents are, those of most
    first. `number`, `stretch`: pairs."""
    bounds = np.searchsorted(licenses.of, np.append(number, number + 1)).reshape(2, -1)
    counts = bounds[1] - bounds[0]
    rows = ranged(bounds[0], counts)
    names = max(len(licenses.names), 1)
    keys, which = numbered(np.repeat(stretch, counts) * names + licenses.name[rows])
    files = np.bincount(which, licenses.number[rows], len(keys)).astype(np.int64)
    of, name = np.divmod(keys, names)
    used, name = numbered(name)
    known = [licenses.names[one] for one in used.tolist()]
    rank = np.argsort(sorted(range(len(known)), key=lambda one: _rank(known[one])))
    called = [_named(one) for one in known]
    order = np.lexsort((rank[name], -files, of))
    found: list[list[Licensed]] = [[] for _ in characters]
    for k, one, count in zip(of[order].tolist(), name[order].tolist(), files[order].tolist()):
        license, kind = called[one]
        found[k].append(Licensed(license, kind, characters[k], count))
    return found


def _licensed(licenses: Iterable[tuple[License, int]], characters: int) -> list[Licensed]:
    """Those of most files first."""
    order = sorted(licenses, key=lambda one: (-one[1], _rank(one[0])))
    return [Licensed(*_named(license), characters, number) for license, number in order]


def _rank(license: License) -> tuple[tuple[str, ...], str]:
    """Where it comes among others of as many files."""
    kind, names = license
    return names, kind or ""


def _named(license: License) -> tuple[str, str | None]:
    """What it is called, and its type."""
    kind, names = license
    return ", ".join(names) or unnamed(kind), kind
