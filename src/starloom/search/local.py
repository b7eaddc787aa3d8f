"""Shards of an index that are open in this process, asked as one: candidates of all are proved in one order.

A page is full as soon as enough of them hold; then hits are counted for as long as the question says. Cost: the look-up
in the index (a look at each match, 5 ns), and 30-100 µs for every file that is proved or shown.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from heapq import merge
from operator import itemgetter
from pathlib import Path

from starloom.errors import UserError
from starloom.search import layout
from starloom.search.ask import MOST_HITS, Covered, Found, Key, Question
from starloom.search.candidates import DEFINING
from starloom.search.facets import Facets, Tally, added, of_terms
from starloom.search.hits import Shower
from starloom.search.indexed import Indexed
from starloom.search.looks import look
from starloom.search.matching import File, judge, judge_beside_terms
from starloom.search.nodes import ALL_HITS, Query
from starloom.search.query import parse
from starloom.search.shard import Candidate, Shard
from starloom.workspace.manifest import verify


class Local:
    """Read by any number of threads; writes nothing into the workspace."""

    def __init__(self, folder: Path, shards: Sequence[Shard], covered: Covered) -> None:
        self.covered = covered
        self._folder = folder
        self._shards = list(shards)

    def ask(self, question: Question) -> Found:
        query = parse(question.query)
        with self._blaming():
            return _Asked(query, question, self._shards).found(self._folder)

    def files(self) -> Iterator[File]:
        """Every file of every shard."""
        for shard in self._shards:
            for row in shard.rows():
                with self._blaming():
                    yield shard.file(row)

    @contextmanager
    def _blaming(self) -> Iterator[None]:
        """What goes wrong because a file is not what was written, as UserError; tantivy's panics are no Exception."""
        try:
            yield
        except (UserError, KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as problem:
            if damage := verify(self._folder):
                raise UserError(f"the search index is damaged: {damage[0]}", layout.ANEW) from problem
            raise


class _Asked:
    """One question on its way."""

    def __init__(self, query: Query, question: Question, shards: Sequence[Shard]) -> None:
        self._query = query
        self._question = question
        self._deadline = time.monotonic() + question.seconds
        self._limit = min(max(question.limit, 0), MOST_HITS)
        self._asked = [(shard, shard.plan(query.node)) for shard in shards]
        self._by_number = {shard.number: shard for shard in shards}

    def found(self, folder: Path) -> Found:
        told = self._exact() if all(plan.unproved is None for _, plan in self._asked) else self._proved()
        keys, files = [key for key, _ in told.files], [file for _, file in told.files]
        shower = Shower(self._query.node, self._question.raw)
        known = shower.names is not None and all(shower.names <= plan.ranked for _, plan in self._asked)
        hits, seen = shower.hits(files, [not known or key.tier < DEFINING for key in keys])
        if not self._agree(files, seen):
            raise UserError(f"{folder}: its words and its texts disagree", layout.ANEW)
        return Found(tuple(zip(keys, hits, strict=True)), told.total, told.complete, told.reached, told.facets)

    def _agree(self, files: Sequence[File], seen: Sequence[bool]) -> bool:
        """Whether the query holds for all files of a page, once more where the index alone said so. `seen`: all terms
        were, in each: to show them they are sought anyway."""
        node = self._query.node
        if all(plan.unproved == node for _, plan in self._asked):
            return True
        beside = judge_beside_terms(node)
        left = [file for file, there in zip(files, seen, strict=True) if not (there and beside and beside(file))]
        return not left or all(map(judge(node), left))

    def _candidates(self, wanted: int) -> Iterator[Candidate]:
        """Those of all shards, in order."""
        after = self._question.after
        found = [
            shard.candidates(plan, after, wanted, partial(look, plan.unproved) if plan.unproved else None)
            for shard, plan in self._asked
        ]
        return found[0] if len(found) == 1 else merge(*found)

    def _exact(self) -> "_Told":
        """The index alone knows."""
        after = self._question.after
        files: list[tuple[Key, Indexed]] = []
        for shard, plan in self._asked:
            files += [(key, shard.file(row)) for key, row in shard.first(plan, after, self._limit)]
        if len(self._asked) > 1:
            files = sorted(files, key=itemgetter(0))[: self._limit]
        facets = None
        if self._question.facets:
            facets = added(of_terms(shard.values(plan)) for shard, plan in self._asked)
        if len(files) < self._limit:
            return _Told(files, len(files), True, None, facets)
        if self._query.count is None and self._question.count_seconds <= 0:
            return _Told(files, len(files), False, None, facets)
        return _Told(files, sum(shard.count(plan, after) for shard, plan in self._asked), True, None, facets)

    def _proved(self) -> "_Told":
        """Each candidate is looked at, until the page is full and enough are counted."""
        judges = [(shard.number, judge(plan.unproved) if plan.unproved else None) for shard, plan in self._asked]
        holds = dict(judges)
        files: list[tuple[Key, Indexed]] = []
        total, tally = 0, Tally() if self._question.facets else None
        counting = _Counting(self._query.count, self._question.count_seconds, self._deadline)
        for key, number, row, told, ahead in self._candidates(4 * self._limit):
            file = self._by_number[number].file(row)
            if told is None:
                proof = holds[number]
                told = proof is None or proof(file)
            if told:
                total += 1
                if tally:
                    tally.add(file.value)
                if len(files) < self._limit:
                    files.append((key, file))
            full = len(files) == self._limit
            if counting.over(full, total, ahead):
                return _Told(files, total, False, None if full else key, tally.facets() if tally else None)
        return _Told(files, total, True, None, tally.facets() if tally else None)


@dataclass(frozen=True)
class _Told:
    """What Found says, the hits not yet made."""

    files: Sequence[tuple[Key, Indexed]]
    total: int
    complete: bool
    reached: Key | None
    facets: Facets | None


class _Counting:
    """When to stop."""

    def __init__(self, wanted: int | None, seconds: float, deadline: float) -> None:
        self._wanted = wanted
        self._seconds = seconds
        self._deadline = deadline
        self._counted: float | None = None  # until when hits are counted, once the page is full

    def over(self, full: bool, total: int, ahead: float) -> bool:
        """Asked after each candidate, so that every question comes a little further; the next is `ahead` seconds on."""
        now = time.monotonic()
        if now > self._deadline:
            return True
        if not full or self._wanted == ALL_HITS:
            return False
        if self._wanted is not None:
            return total >= self._wanted
        if self._counted is None:
            self._counted = now + self._seconds
        return now + ahead >= self._counted
