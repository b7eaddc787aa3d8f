"""Which code of a text stands in the dataset: stretches, with every file that has them, its repository and licence.

Matching is exact but for white space (`kernels/fold`): a copy that was re-indented or saved as CRLF is found; one whose
names were changed is found by `renamed=True`, and labelled. It says that code matches, never who wrote it first. Every
answer is confirmed on the text of the files; an answer without a match says what it covers, for the data of a base
model, or of another dataset, is not here. Nothing asked is kept.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from starloom.identity import permalink, qualified_swhid
from starloom.membership.asked import MOST_BYTES, Asked
from starloom.membership.boilerplate import reason
from starloom.membership.matches import (
    COMMON,
    GUARANTEE,
    WIDTH,
    Check,
    Licensed,
    Match,
    MatchedFile,
    Status,
)
from starloom.membership.shard import Described, License, Shard, Split, Wanted
from starloom.membership.spans import EVERY, MOST, Spans, find
from starloom.membership.store import open_shards
from starloom.progress import counted
from starloom.the_stack.origins import Origin

__all__ = [
    "COMMON",
    "FILES",
    "GUARANTEE",
    "MOST_BYTES",
    "WIDTH",
    "Check",
    "Index",
    "Licensed",
    "Match",
    "MatchedFile",
]

FILES: Final = 20  # listed of each match, unless another number is asked for


class Index:
    """The membership index of a workspace, or of several processes; many threads may ask at a time. `width`: characters
    of the shortest match; `guarantee`: from so many on every copy is found, but for white space."""

    def __init__(self, shard: Shard) -> None:
        told = shard.covered
        self.shard = shard
        self.width = told.width
        self.guarantee = 2 * told.width - 1
        self.files = told.files
        self.repositories = told.repositories

    @classmethod
    def open(cls, root: Path, shards: Collection[int] | None = None) -> "Index":
        """The index of the workspace `root`, or some of its shards. Shards that are missing or damaged are left out,
        and answers say so. Raises UserError: not there, all of it damaged, of another version."""
        index = cls(open_shards(root, shards))
        index.check("starloom " * 20)  # loads the kernels: a second
        return index

    @property
    def covered(self) -> str:
        """What an answer speaks about."""
        return self._covered(None)

    def check(
        self,
        text: str,
        files: int | None = FILES,
        *,
        split: Split = None,
        renamed: bool = False,
    ) -> Check:
        """`text` against the dataset; at most `files` files of each match are listed. None: every file, and what many
        files share is compared with 4,096 of them instead of 32, which takes longer.

        `split`: "train" asks what a model saw, None the whole dataset. `renamed`: also copies with other names and
        literals, as matches of that kind. Raises UserError for a text above 8 MB, for one that is no Unicode (lone
        surrogates), for a damaged index.
        """
        started = time.perf_counter()
        most = EVERY if files is None else MOST
        asked = Asked(text)
        matches: list[Match] = []
        coverage = 0.0
        if len(asked.query) >= self.width:
            spans = find(self.shard, asked.query, split, most)
            matches, covered = _Matching(self.shard, self.width, asked, spans, files).matches()
            coverage = asked.share(covered)
            if renamed:
                matches += _renamed(self.shard, asked, split, covered, most, files)
            matches.sort(
                key=lambda one: (
                    one.common,
                    one.kind != "exact",
                    -one.characters,
                    one.start,
                )
            )
        status, verdict = self._verdict(len(asked.query), bool(matches), split)
        return Check(
            status,
            verdict,
            coverage,
            asked.characters(0, len(asked.query)),
            time.perf_counter() - started,
            self.repositories,
            matches,
            _licenses([one for one in matches if not one.common]),
            self.guarantee,
            list(self.shard.covered.problems),
        )

    def check_many(
        self,
        texts: Iterable[str],
        files: int | None = FILES,
        *,
        split: Split = None,
        renamed: bool = False,
    ) -> Iterator[Check]:
        """`check` of each, in order, as they are asked for."""
        for text in texts:
            yield self.check(text, files, split=split, renamed=renamed)

    def _covered(self, split: Split) -> str:
        told = self.shard.covered
        where = f"the {counted(self.repositories, 'repositories')} indexed"
        if split:
            where = f"the split {split} of {where}"
        return where if told.whole else f"{len(told.numbers):,} of {told.shards:,} parts of {where}"

    def _verdict(self, size: int, found: bool, split: Split) -> tuple[Status, str]:
        where = self._covered(split)
        if found:
            return "match", f"match in {where}"
        if size < self.width:
            return "not_covered", f"not covered: shorter than {self.width} characters"
        if self.shard.covered.whole:
            return "no_match", f"no match in {where}"
        return (
            "partial",
            f"partial: no match in {where}; the other parts are not here, and may have one",
        )


_Known: TypeAlias = tuple[Described, dict[tuple[int, int], int]]  # of a content; which of its `lines` are which
_Covered: TypeAlias = NDArray[np.bool_]  # bytes of the fold that are in a match


class _Matching:
    """The matches of one question."""

    def __init__(self, shard: Shard, width: int, asked: Asked, spans: Spans, files: int | None) -> None:
        self._shard = shard
        self._width = width
        self._asked = asked
        self._spans = spans
        self._files = files

    def matches(
        self,
    ) -> tuple[list[Match], _Covered]:
        """(the matches, which bytes of the fold are in one)."""
        from starloom.kernels.stretches import chosen, holders

        found, size = self._spans.stretches, len(self._asked.query)
        covered = np.zeros(size, dtype=np.bool_)
        shown = chosen(found.start, found.end, size, self._width)
        starts, ends = found.start[shown], found.end[shown]
        bounds, rows, _ = holders(found, starts, ends, self._width)
        spans = list(
            zip(
                starts.tolist(),
                ends.tolist(),
                bounds[:-1].tolist(),
                bounds[1:].tolist(),
            )
        )
        described = self._described([(start, end, rows[low:high].tolist()) for start, end, low, high in spans])
        matches = []
        for start, end, low, high in spans:
            covered[start:end] = True
            matches.append(self._match(start, end, rows[low:high].tolist(), described))
        return matches, covered

    def _described(self, spans: list[tuple[int, int, list[int]]]) -> dict[int, _Known]:
        """By content, (what is known of it, which of its `lines` are those of a stretch); every content once."""
        found = self._spans.stretches
        pairs: dict[int, dict[tuple[int, int], int]] = {}
        for start, end, rows in spans:
            for number, row in enumerate(rows):
                lines = pairs.setdefault(int(found.file[row]), {})
                if self._files is None or number < self._files:
                    lines.setdefault(self._place(row, start, end), len(lines))
        wanted = [
            Wanted(self._spans.contents[content], tuple(lines), self._files if lines else 0)
            for content, lines in pairs.items()
        ]
        told = self._shard.described(wanted) if wanted else []
        return {content: (one, pairs[content]) for content, one in zip(pairs, told) if one is not None}

    def _place(self, row: int, start: int, end: int) -> tuple[int, int]:
        """First and last byte of the file's fold, of what of the bytes start to end of the query it has."""
        found = self._spans.stretches
        begins, ends = max(start, int(found.start[row])), min(end, int(found.end[row]))
        first = int(found.position[row]) + begins - int(found.start[row])
        return first, first + ends - begins - 1

    def _match(
        self,
        start: int,
        end: int,
        rows: list[int],
        described: dict[int, _Known],
    ) -> Match:
        """Bytes start to end of the folded text, with the files that have all of it but less than a tile."""
        found, asked = self._spans.stretches, self._asked
        files: list[MatchedFile] = []
        total = contents = 0
        licenses: Counter[License] = Counter()
        for row in rows:
            content = int(found.file[row])
            if content not in described:
                continue
            about, places = described[content]
            total += about.total
            contents += 1
            for license, number in about.licenses.items():
                licenses[license] += number
            room = None if self._files is None else self._files - len(files)
            if room is None or room > 0:
                pair = self._place(row, start, end)
                one, two = asked.chars(max(start, int(found.start[row])), min(end, int(found.end[row])))
                files += [_file(origin, one, two, about.lines[places[pair]]) for origin in about.places[:room]]
        if (sharing := self._sharing(start, end)) > contents:
            total += sharing - contents
            contents = sharing
        first, last = asked.chars(start, end)
        characters = asked.characters(start, end)
        why = reason(asked.text[first:last], contents, COMMON)
        told = _told(licenses, characters)
        return Match(
            first,
            last,
            *asked.lines(first, last),
            characters,
            files,
            total,
            bool(why),
            why,
            licenses=told,
        )

    def _sharing(self, start: int, end: int) -> int:
        """In how many files these bytes are at most, by hash; 0 where a tile of theirs was compared with all."""
        spans, width = self._spans, self._width
        rare = np.searchsorted(spans.rare, start)
        if rare < len(spans.rare) and spans.rare[rare] + width <= end:
            return 0
        low, high = np.searchsorted(spans.common, [start, end - width + 1])
        return int(spans.sharing[low:high].min()) if low < high else 0


def _renamed(
    shard: Shard,
    asked: Asked,
    split: Split,
    covered: _Covered,
    most: int,
    files: int | None,
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
        **vars(origin),
        start=start,
        end=end,
        first_line=lines[0],
        last_line=lines[1],
        swhid=swhid,
        permalink=link,
    )


def _told(licenses: Counter[License], characters: int) -> list[Licensed]:
    """Those of most files first."""
    order = sorted(licenses.items(), key=lambda one: (-one[1], one[0][1], one[0][0] or ""))
    return [Licensed(", ".join(names) or "unknown", kind, characters, number) for (kind, names), number in order]


def _licenses(matches: list[Match]) -> list[Licensed]:
    """Of all these matches: characters of the text, each once, and files of the matches, those of most text first."""
    spans: dict[tuple[str, str | None], list[tuple[int, int, int]]] = defaultdict(list)
    files: Counter[tuple[str, str | None]] = Counter()
    for match in matches:
        for one in match.licenses:
            spans[one.name, one.license_type].append((match.start, match.end, match.characters))
            files[one.name, one.license_type] += one.files
    found = [Licensed(*key, _union(some), files[key]) for key, some in spans.items()]
    return sorted(found, key=lambda one: (-one.characters, -one.files, one.name))


def _union(spans: list[tuple[int, int, int]]) -> int:
    """Characters, white space folded, of spans (start, end, characters) that may overlap a little: in their parts."""
    total = 0.0
    reach = 0
    for start, end, characters in sorted(spans):
        new = max(end - max(start, reach), 0)
        total += characters * new / (end - start)
        reach = max(reach, end)
    return round(total)
