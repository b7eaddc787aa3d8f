"""Which code of a text stands in the dataset: stretches, with every file that has them, its repository and licence.

Matching is exact but for white space (`kernels/fold`): a copy that was re-indented or saved as CRLF is found; one whose
names were changed is found by `renamed=True`, and labelled. It says that code matches, never who wrote it first. Every
answer is confirmed on the text of the files; an answer without a match says what it covers, for the data of a base
model, or of another dataset, is not here. Nothing asked is kept.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from starloom.errors import UserError
from starloom.membership.asked import MOST_BYTES, Asked, Asking, gathered
from starloom.membership.boilerplate import Judge, is_license, judge
from starloom.membership.matches import COMMON, GUARANTEE, WIDTH, Check, Licensed, Match, MatchedFile, Status
from starloom.membership.matching import Matches, Matching, add_renamed
from starloom.membership.measured import Measured
from starloom.membership.shard import Shard, Split
from starloom.membership.spans import EVERY, MOST, find
from starloom.membership.store import open_shards
from starloom.progress import counted

__all__ = ["COMMON", "FILES", "GUARANTEE", "MOST_BYTES", "WIDTH", "Check", "Index", "Licensed", "Match", "MatchedFile"]

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

    def check(self, text: str, files: int | None = FILES, *, split: Split = None, renamed: bool = False) -> Check:
        """`text` against the dataset; at most `files` files of each match are listed. None: every file, and what many
        files share is compared with 4,096 of them instead of 32, which takes longer.

        `split`: "train" asks what a model saw, None the whole dataset. `renamed`: also copies with other names and
        literals, as matches of that kind. Raises UserError for a text above 8 MB, for one that is no Unicode (lone
        surrogates), for a damaged index.
        """
        return self._checks([text], files, split, renamed, is_license)[0]

    def check_many(
        self, texts: Iterable[str], files: int | None = FILES, *, split: Split = None, renamed: bool = False
    ) -> Iterator[Check]:
        """`check` of each, in order, which raises in its turn. Small texts are asked about together, which takes half
        the time and less; no answer is another for it. Where every file is asked for they are not: that holds the
        places of all of them, and gains nothing."""
        known = judge()
        for some in gathered(texts) if files is not None else ([text] for text in texts):
            try:
                found: Iterable[Check] = _handed_over(self._checks(some, files, split, renamed, known))
            except UserError:
                if len(some) == 1:
                    raise
                found = (self.check(text, files, split=split, renamed=renamed) for text in some)
            yield from found

    def _checks(
        self, texts: Sequence[str], files: int | None, split: Split, renamed: bool, known: Judge
    ) -> list[Check]:
        started = time.perf_counter()
        most = EVERY if files is None else MOST
        asking = Asking(texts)
        found = [Matches() for _ in texts]
        if len(asking.query) >= self.width:
            spans = find(self.shard, asking.query, split, most)
            found = Matching(self.shard, self.width, asking, spans, files, known).matches()
        for asked, one in zip(asking.questions, found):
            if renamed and len(asked.query) >= self.width:
                add_renamed(one, self.shard, asked, split, most, files)
            one.matches.sort(key=lambda one: (one.common, one.kind != "exact", -one.characters, one.start))
        each = (time.perf_counter() - started) / max(len(asking.query), 1)  # seconds a byte
        where = self._covered(split)
        return [self._check(*one, where, each) for one in zip(asking.questions, found)]

    def _check(self, asked: Asked, found: Matches, where: str, each: float) -> Check:
        status, verdict = self._verdict(len(asked.query), bool(found.matches), where)
        share = asked.share(found.covered)
        return Check(
            status,
            verdict,
            share,
            asked.characters(0, len(asked.query)),
            each * len(asked.query),
            self.repositories,
            found.matches,
            _licenses(asked.text, [one for one in found.matches if not one.common]) if found.matches else [],
            self.guarantee,
            list(self.shard.covered.problems),
            asked.share(found.covered + found.renamed) if found.renamed else share,
        )

    def _covered(self, split: Split) -> str:
        told = self.shard.covered
        where = f"the {counted(self.repositories, 'repositories')} indexed"
        if split:
            where = f"the split {split} of {where}"
        return where if told.whole else f"{len(told.numbers):,} of {told.shards:,} parts of {where}"

    def _verdict(self, size: int, found: bool, where: str) -> tuple[Status, str]:
        if found:
            return "match", f"match in {where}"
        if size < self.width:
            return "not_covered", f"not covered: shorter than {self.width} characters"
        if self.shard.covered.whole:
            return "no_match", f"no match in {where}"
        return ("partial", f"partial: no match in {where}; the other parts are not here, and may have one")


def _handed_over(found: list[Check]) -> Iterator[Check]:
    """Each, and not kept here: what is done with is freed before the next, which leaves Python's collector no work."""
    found.reverse()
    while found:
        yield found.pop()


def _licenses(text: str, matches: list[Match]) -> list[Licensed]:
    """Of all these matches: characters of the text, each once, and files of the matches, those of most text first."""
    spans: dict[tuple[str, str | None], list[tuple[int, int, int]]] = defaultdict(list)
    files: Counter[tuple[str, str | None]] = Counter()
    for match in matches:
        for one in match.licenses:
            spans[one.name, one.license_type].append((match.start, match.end, match.characters))
            files[one.name, one.license_type] += one.files
    measured = cache(lambda: Measured(text))
    found = [Licensed(*key, _together(some, measured), files[key]) for key, some in spans.items()]
    return sorted(found, key=lambda one: (-one.characters, -one.files, one.name))


def _together(spans: list[tuple[int, int, int]], measured: Callable[[], Measured]) -> int:
    """Characters, white space folded, of spans (start, end, characters); where they overlap, counted on the text."""
    spans.sort()
    if all(one[1] <= other[0] for one, other in pairwise(spans)):
        return sum(characters for _, _, characters in spans)
    return measured().together((start, end) for start, end, _ in spans)
