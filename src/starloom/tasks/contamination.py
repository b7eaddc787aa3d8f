"""Where problems of benchmarks stand in texts: whole parts whatever their layout, or most of their runs of words.

A part is looked for as `kernels/squeeze` has it: without white space and escapes, ASCII letters in lower case (The
Stack v2 removes white space on both sides; StarCoder's published script lower-cases; that a copy in a string, in JSON
or in a notebook is one too is ours). Parts shorter than `min_characters` say too little to be looked for: with 30,
those are `return x + y`, the other three solutions of HumanEval that BigCode's script lets pass, and a dozen like them.
With `ngram` a part is found too where `share` of its distinct runs of so many words stand in the file, in any order.

Cost, with the 14,000 parts of eleven benchmarks, on a shared core: 335 MB/s, with `ngram` 100 MB/s; each worker reads
the benchmarks and makes its tables once, in some five seconds, half of them for reading test data that is not used.
"""

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.tasks.benchmark_files import fetch
from starloom.tasks.problems import Benchmarks, open_benchmarks
from starloom.tasks.problems import mark as files_mark

LEAST, LONGEST = 8, 100  # characters of a part, words of a run: see the kernels


@dataclass(frozen=True)
class ContaminationSettings:
    """`[contamination]`: the benchmarks that must not be in the data. A hit alone drops nothing: a rule does, as
    `benchmark IS NOT NULL`."""

    benchmarks: tuple[str, ...] = ()  # folders or files of problems, `hub:OWNER/NAME[@REVISION]`
    min_characters: int = 30  # white space aside, in bytes: parts below are trivial, and not looked for
    ngram: int = 0  # words of a run; 0: only whole parts are found
    share: float = 0.8  # of the distinct runs of a part, that a file must have

    def __post_init__(self) -> None:
        if self.min_characters < LEAST:
            raise UserError(
                f"[contamination] min_characters = {self.min_characters} is out of range", f"use {LEAST} or more"
            )
        if not 0 <= self.ngram <= LONGEST:
            raise UserError(f"[contamination] ngram = {self.ngram} is out of range", f"use 0, or 1 to {LONGEST}")
        if not 0 < self.share <= 1:
            raise UserError(f"[contamination] share = {self.share} is out of range", "use more than 0, up to 1")


class Match(NamedTuple):
    """A part of a problem in a text: characters `start` to `end` (exclusive), on which lines, counted from 1. `share`:
    of its runs of words; 1 where it stands there whole."""

    benchmark: str
    problem: str
    part: str
    start: int
    end: int
    line: int
    end_line: int
    share: float


class Sought(NamedTuple):
    """What is looked for of a benchmark. `trivial`: parts that are too short; `unseen`: problems that have no other."""

    benchmark: str
    problems: int
    parts: int
    trivial: int
    unseen: int


def complaint(settings: ContaminationSettings) -> str:
    """What a person must know who builds with these settings; "" where all is looked for that is asked."""
    if not settings.benchmarks:
        return "no benchmarks are looked for: give some in [contamination] benchmarks"
    sought = Parts(open_benchmarks(settings.benchmarks), settings.min_characters).sought
    unseen = [f"{one.unseen} of {one.benchmark}" for one in sought if one.unseen]
    if unseen:
        return f"problems too short to be looked for: {', '.join(unseen)}; lower [contamination] min_characters"
    return ""


def prepare(settings: ContaminationSettings) -> None:
    """Fetches benchmarks from the Hub that are not there yet. Raises UserError."""
    for place in settings.benchmarks:
        fetch(place)


def mark(settings: ContaminationSettings) -> str:
    """Of the benchmarks' files, for fingerprints. Raises UserError where they are not there."""
    return files_mark(settings.benchmarks)


def open_search(settings: ContaminationSettings) -> "Search":
    """The search for the benchmarks of `settings`, kept while their files stay the same. Raises UserError."""
    return _opened(settings, mark(settings))


@functools.lru_cache(maxsize=2)
def _opened(settings: ContaminationSettings, _mark: str) -> "Search":
    return Search(open_benchmarks(settings.benchmarks), settings)


class Search:
    """Tables of all parts: equal ones, as of HumanEval and HumanEval+, stand there once."""

    def __init__(self, benchmarks: Benchmarks, settings: ContaminationSettings) -> None:
        from starloom.kernels.passage_ngrams import passage_ngrams
        from starloom.kernels.passages import passages

        parts = Parts(benchmarks, settings.min_characters)
        self.sought = parts.sought
        self.names = ", ".join(f"{one.benchmark} {one.problems}" for one in self.sought)
        self._owners: list[list[tuple[str, str, str]]] = []  # of each passage
        places: dict[bytes, int] = {}
        texts: list[bytes] = []  # of each passage, as it is written first
        for owner, text, squeezed in parts.told:
            if squeezed not in places:
                places[squeezed] = len(places)
                self._owners.append([])
                texts.append(text)
            if owner not in (owners := self._owners[places[squeezed]]):
                owners.append(owner)
        self._passages = passages(list(places), settings.min_characters)
        self._ngrams = passage_ngrams(texts, settings.ngram, settings.share) if settings.ngram else None
        self._sizes = np.diff(self._passages.offsets)

    def find(self, offsets: NDArray[np.int64], data: NDArray[np.uint8]) -> list[list[Match]]:
        """Of each text (file i is data[offsets[i]:offsets[i + 1]]), those that say most first: whole parts, the
        longest; then by benchmark, problem, part."""
        from starloom.kernels.passage_ngrams import find_nearly
        from starloom.kernels.passages import find
        from starloom.kernels.squeeze import squeeze

        found: list[list[Match]] = [[] for _ in range(len(offsets) - 1)]
        hits: dict[int, list[tuple[int, int, int, float]]] = {}  # by text: passage, start, end in bytes, share
        met: set[tuple[int, int]] = set()
        rows = find(*squeeze(offsets, data), self._passages)
        for text, passage, start in zip(*(row.tolist() for row in rows), strict=True):
            hits.setdefault(text, []).append((passage, start, start + int(self._sizes[passage]), 1.0))
            met.add((text, passage))
        nearly: dict[int, list[tuple[int, int, int, float]]] = {}
        if self._ngrams is not None:
            most = self._ngrams.runs
            for text, passage, start, end, runs in zip(
                *(row.tolist() for row in find_nearly(offsets, data, self._ngrams)), strict=True
            ):
                if (text, passage) not in met:
                    nearly.setdefault(text, []).append((passage, start, end, runs / int(most[passage])))
        for text in sorted(hits.keys() | nearly.keys()):
            one = data[offsets[text] : offsets[text + 1]]
            found[text] = self._matches(one, hits.get(text, []), nearly.get(text, []))
        return found

    def _matches(
        self,
        text: NDArray[np.uint8],
        hits: list[tuple[int, int, int, float]],
        nearly: list[tuple[int, int, int, float]],
    ) -> list[Match]:
        from starloom.kernels.squeeze import squeeze_with_map

        _, sources = squeeze_with_map(text)
        places = [(k, int(sources[a]), int(sources[b - 1]) + 1, share) for k, a, b, share in hits] + nearly
        characters = np.concatenate([[0], np.cumsum((text & 0xC0) != 0x80)])
        line_ends = np.flatnonzero(text == 0x0A)
        found = []
        for k, start, end, share in places:
            while end < len(text) and text[end] & 0xC0 == 0x80:  # the last character's other bytes
                end += 1
            first, last = np.searchsorted(line_ends, [start, end - 1]) + 1
            span = int(characters[start]), int(characters[end]), int(first), int(last)
            found += [(-share, -int(self._sizes[k]), Match(*owner, *span, share)) for owner in self._owners[k]]
        return [one for *_, one in sorted(found)]


class Parts:
    """`told`: benchmark, problem and part, the part's text, and the same squeezed, of each that is long enough."""

    def __init__(self, benchmarks: Benchmarks, min_characters: int) -> None:
        every = [
            ((benchmark.name, problem.task_id, part), text.encode("utf-8", "replace"))
            for benchmark in benchmarks.benchmarks
            for problem in benchmark.problems
            for part, text in problem.parts
        ]
        squeezed = _squeezed([text for _, text in every])
        self.told = [
            (owner, text, one) for (owner, text), one in zip(every, squeezed, strict=True) if len(one) >= min_characters
        ]
        counts, long_enough = Counter(owner[0] for owner, _ in every), Counter(owner[0] for owner, *_ in self.told)
        seen = Counter(benchmark for benchmark, _ in {owner[:2] for owner, *_ in self.told})
        self.sought = tuple(
            Sought(
                one.name,
                len(one.problems),
                long_enough[one.name],
                counts[one.name] - long_enough[one.name],
                len(one.problems) - seen[one.name],
            )
            for one in benchmarks.benchmarks
        )


def _squeezed(texts: Sequence[bytes]) -> list[bytes]:
    from starloom.kernels.squeeze import squeeze

    offsets = np.concatenate([[0], np.cumsum([len(one) for one in texts], dtype=np.int64)]).astype(np.int64)
    bounds, data = squeeze(offsets, np.frombuffer(b"".join(texts), dtype=np.uint8))
    whole = data.tobytes()
    return [whole[a:b] for a, b in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)]
