"""Which code of a text stands in the dataset: stretches, with every file that has them, its repository and licence.

Matching is exact but for white space (`kernels/fold`): a copy that was re-indented or saved as CRLF is found, one whose
names were changed is not. It says that code matches, never who wrote it first. Every answer is confirmed on the text of
the files; an answer without a match says what it covers, for the data of a base model, or of another dataset, is not
here. Cost (82 MB indexed, one core): 2 KB 0.8 ms at the median, 7 ms at the 99th percentile; long texts 25 MB/s, and
0.2 to 1 ms for each match that is described.
"""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.membership.spans import ALL, MOST, Spans, find
from starloom.membership.store import Store
from starloom.progress import counted
from starloom.the_stack.origins import Origin

WIDTH: Final = 50  # characters of the shortest match
GUARANTEE: Final = 2 * WIDTH - 1  # characters from which every match is found
MOST_BYTES: Final = 8 << 20  # of a text
COMMON: Final = 16  # contents from which a match is `common`: a licence header, boilerplate
FILES: Final = 20  # listed of each match, unless another number is asked for


@dataclass(frozen=True)
class MatchedFile(Origin):
    """A place of a content that has the match, or all but less than 50 characters of it: which of the text, and
    on which lines of the file, counted from 1."""

    start: int
    end: int
    first_line: int
    last_line: int


@dataclass(frozen=True)
class Match:
    """Characters `start` to `end` (exclusive) of the text, and on which lines of it they are, counted from 1.

    `characters`: its length without the white space that folding removes. `files`: those that share most of it first,
    then in the dataset's order, a content's own place before its copies. `total`: how many files there are; where
    that is more than were compared on the text, the rest is counted by hash. `common`: more than 16 contents have it.
    """

    start: int
    end: int
    first_line: int
    last_line: int
    characters: int
    files: list[MatchedFile]
    total: int
    common: bool


@dataclass(frozen=True)
class Check:
    """`coverage`: the share of the text's characters, white space folded, that are in a match. `matches`: those that
    are not common first, the longest first. `verdict`: never a bare "clean"."""

    verdict: str
    coverage: float
    characters: int
    seconds: float
    repositories: int
    matches: list[Match]

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"guarantee": GUARANTEE}


class Index:
    """The membership index of a workspace, memory-mapped; many threads may ask at a time. Nothing asked is kept."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.files = int(store.facts["files"])
        self.repositories = int(store.facts["repositories"])

    @classmethod
    def open(cls, root: Path) -> "Index":
        """The index of the workspace `root`. Raises UserError: not there, damaged, of another version."""
        index = cls(Store.open(root))
        index.check(bytes(index._store.text[: 4 * WIDTH]).decode(errors="ignore"))  # loads the kernels: a second
        return index

    @property
    def covered(self) -> str:
        """What an answer speaks about."""
        return f"the {counted(self.repositories, 'repositories')} indexed"

    def check(self, text: str, files: int | None = FILES) -> Check:
        """`text` against the dataset; at most `files` files of each match are listed. None: every file, and what many
        files share is compared with 4,096 of them instead of 32, which takes longer.

        Raises UserError for a text above 8 MB, for one that is no Unicode (lone surrogates), for a damaged index.
        """
        from starloom.kernels.fold import fold_with_map

        started = time.perf_counter()
        most = ALL if files is None else MOST
        data = _encoded(text)
        query, sources = fold_with_map(data)
        asked = _Asked(text, data, query, sources)
        matches: list[Match] = []
        coverage = 0.0
        if len(query) >= WIDTH:
            matches, coverage = self._matches(asked, find(self._store, query, most), files)
        if matches:
            verdict = f"match in {self.covered}"
        elif len(query) >= WIDTH:
            verdict = f"no match in {self.covered}"
        else:
            verdict = f"not covered: shorter than {WIDTH} characters"
        seconds = time.perf_counter() - started
        return Check(verdict, coverage, asked.characters(0, len(query)), seconds, self.repositories, matches)

    def _matches(self, asked: "_Asked", spans: Spans, most: int | None) -> tuple[list[Match], float]:
        from starloom.kernels.stretches import chosen

        found = spans.stretches
        shown = chosen(found.start, found.end, len(asked.query), WIDTH)
        covered = np.zeros(len(asked.query), dtype=np.bool_)
        matches = []
        for row in shown.tolist():
            start, end = int(found.start[row]), int(found.end[row])
            covered[start:end] = True
            matches.append(self._match(asked, spans, start, end, most))
        matches.sort(key=lambda one: (one.common, -one.characters, one.start))
        return matches, asked.share(covered)

    def _match(self, asked: "_Asked", spans: Spans, start: int, end: int, most: int | None) -> Match:
        """Bytes start to end of the folded text, with the files that have all of it but less than 50 bytes."""
        found = spans.stretches  # sorted by start
        before = int(np.searchsorted(found.start, start + WIDTH))
        rows = np.flatnonzero(found.end[:before] > end - WIDTH)
        lacks = np.maximum(found.start[rows] - start, 0) + np.maximum(end - found.end[rows], 0)
        rows, lacks = rows[lacks < WIDTH], lacks[lacks < WIDTH]
        best: dict[int, int] = {}  # content → row: one stretch of each, those that lack least first
        for _, file, row in sorted(zip(lacks.tolist(), found.file[rows].tolist(), rows.tolist())):
            best.setdefault(file, row)
        total = sum(map(self._store.count, best))
        files: list[MatchedFile] = []
        for row in best.values():
            room = None if most is None else most - len(files)
            if room is not None and room <= 0:
                break
            files += self._places(asked, spans, row, start, end, room)
        contents = len(best)
        if (sharing := _sharing(spans, start, end)) > contents:
            total += sharing - contents
            contents = sharing
        characters = asked.characters(start, end)
        first, last = asked.chars(start, end)
        return Match(first, last, *asked.lines(first, last), characters, files, total, contents > COMMON)

    def _places(
        self, asked: "_Asked", spans: Spans, row: int, start: int, end: int, most: int | None
    ) -> list[MatchedFile]:
        """Every place of the content of a stretch: what of the bytes start to end of the folded text it has, where."""
        found = spans.stretches
        file = int(found.file[row])
        start, end = max(start, int(found.start[row])), min(end, int(found.end[row]))
        first = int(found.position[row]) + start - int(found.start[row])
        first_line, last_line = self._store.lines(file, first, first + end - start - 1)
        one, two = asked.chars(start, end)
        return [
            MatchedFile(**vars(origin), start=one, end=two, first_line=first_line, last_line=last_line)
            for origin in self._store.places(file, most)
        ]


def _sharing(spans: Spans, start: int, end: int) -> int:
    """In how many files these bytes are at most, by hash; 0 where a tile of theirs was compared with every place."""
    rare = np.searchsorted(spans.rare, start)
    if rare < len(spans.rare) and spans.rare[rare] + WIDTH <= end:
        return 0
    low, high = np.searchsorted(spans.common, [start, end - WIDTH + 1])
    return int(spans.sharing[low:high].min()) if low < high else 0


class _Asked:
    """The text of a question, and the way from bytes of its fold to characters and lines of it."""

    def __init__(
        self, text: str, data: NDArray[np.uint8], query: NDArray[np.uint8], sources: NDArray[np.int64]
    ) -> None:
        self.query = query
        self._text = text
        self._sources = sources
        ascii_only = len(data) == len(text)
        # of each byte of the text, its character; of each byte of the fold, characters that begin before it
        self._character = None if ascii_only else np.cumsum((data & 0xC0) != 0x80) - 1
        self._before = None if ascii_only else np.concatenate(([0], np.cumsum((query & 0xC0) != 0x80)))
        line_ends = np.flatnonzero(data == 0x0A)
        self._line_ends = line_ends if self._character is None else self._character[line_ends]

    def chars(self, start: int, end: int) -> tuple[int, int]:
        """Characters of the text, for bytes of its fold that begin and end with whole ones."""
        first, last = int(self._sources[start]), int(self._sources[end - 1])
        if self._character is not None:
            first, last = int(self._character[first]), int(self._character[last])
        return first, last + 1

    def lines(self, first: int, last: int) -> tuple[int, int]:
        """The lines, counted from 1, of the first and the last of these characters of the text."""
        one, two = np.searchsorted(self._line_ends, [first, last - 1])
        return int(one) + 1, int(two) + 1

    def characters(self, start: int, end: int) -> int:
        """How many characters these bytes of the fold are."""
        return end - start if self._before is None else int(self._before[end] - self._before[start])

    def share(self, covered: NDArray[np.bool_]) -> float:
        """The share of the fold's characters whose bytes are covered."""
        begins = (self.query & 0xC0) != 0x80
        return float(covered[begins].mean()) if len(covered) else 0.0


def _encoded(text: str) -> NDArray[np.uint8]:
    try:
        data = text.encode()
    except UnicodeEncodeError as problem:
        raise UserError(
            f"the text is no Unicode: a lone surrogate at character {problem.start:,}",
            "decode the file it came from strictly, in its own encoding",
        ) from None
    if len(data) > MOST_BYTES:
        raise UserError(
            f"the text has {len(data):,} bytes, more than {MOST_BYTES:,}", "check it in pieces, or file by file"
        )
    return np.frombuffer(data, dtype=np.uint8)
