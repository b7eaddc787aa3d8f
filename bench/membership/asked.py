"""What the index answers of texts whose truth is known, judged on the texts of files."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import process_time
from typing import Any, NamedTuple

import numpy as np
from running.workspace import Corpus, File

from membership import planted, renaming
from membership.planted import Planted
from starloom.membership.asked import Asking, gathered
from starloom.membership.check import Index
from starloom.membership.matches import Check, Match
from starloom.membership.spans import MOST, find

_PART = 600  # characters of each copy in a generation
_MIDDLE = 800


class Verdict(NamedTuple):
    """`found`: the copy whole. `named`: its own file is listed. `of many`: so many have it that not all are listed.
    `exact`: what was renamed was found by its unchanged part alone."""

    found: bool = False
    named: bool = False
    of_many: bool = False
    exact: bool = False


class Judged(NamedTuple):
    copies: int
    found: int
    named: int


@dataclass(frozen=True)
class Generation:
    text: str
    copies: tuple[tuple[int, int, File], ...]


def generation(corpus: Corpus, others: Sequence[str], chance: random.Random) -> Generation:
    """2 KB: a re-indented copy, other code, another copy."""
    one, two = (planted.plant(corpus, others, _PART, "re-indented", chance) for _ in range(2))
    first, last = one.text[one.start : one.end], two.text[two.start : two.end]
    middle = f"\n{planted.other(others, _MIDDLE, chance)}\n"
    start = len(first) + len(middle)
    return Generation(first + middle + last, ((0, len(first), one.file), (start, start + len(last), two.file)))


def judged(check: Check, one: Generation) -> Judged:
    verdicts = [_exact(check, start, end, file) for start, end, file in one.copies]
    return Judged(len(verdicts), sum(v.found for v in verdicts), sum(v.named or v.of_many for v in verdicts))


def of_planted(check: Check, one: Planted) -> Verdict:
    return _exact(check, one.start, one.end, one.file)


def _exact(check: Check, start: int, end: int, file: File) -> Verdict:
    there = [match for match in check.matches if match.kind == "exact" and match.start < end and match.end > start]
    whole = [match for match in there if match.start <= start and match.end >= end]
    return Verdict(bool(whole), _names(there, file), any(match.total > len(match.files) for match in there))


def _names(matches: Sequence[Match], file: File) -> bool:
    return any((one.repo_name, one.path) == (file.repo, file.path) for match in matches for one in match.files)


def files_of(corpus: Corpus, language: str) -> list[int]:
    return [number for number, file in enumerate(corpus.files) if file.language == language]


def copies(
    corpus: Corpus, others: Sequence[str], numbers: Sequence[int], share: float, most: int, chance: random.Random
) -> Iterator[Planted]:
    """Pieces of these files with `share` of their names replaced, between two pieces of other code."""
    made = 0
    for _ in range(200 * most):
        if made == most or not numbers:
            return
        number = chance.choice(numbers)
        piece = renaming.piece(corpus.text(number).decode(), chance)
        if piece is None:
            continue
        file = corpus.files[number]
        copy = renaming.renamed(piece, file.language, share, chance)
        before, after = planted.other(others, 400, chance), planted.other(others, 400, chance)
        made += 1
        start = len(before) + 1
        yield Planted(f"{before}\n{copy}\n{after}", start, start + len(copy), file, len(copy), f"renamed {share}")


def of_renamed(check: Check, one: Planted) -> Verdict:
    """Found: a match, of whichever kind, in at least half of the copy."""
    there = [match for match in check.matches if match.start < one.end and match.end > one.start]
    covered = np.zeros(one.end - one.start, dtype=np.bool_)
    for match in there:
        covered[max(match.start - one.start, 0) : match.end - one.start] = True
    renamed = any(match.kind == "renamed" for match in there)
    found = bool(covered.mean() >= 0.5)
    return Verdict(found, found and _names(there, one.file), exact=found and not renamed)


def looked_at(check: Check) -> int:
    """How many files are listed, each made: its identifier and its page too."""
    return sum(file.swhid != file.permalink for match in check.matches for file in match.files)


def windows(index: Index, texts: Sequence[str]) -> tuple[int, float]:
    """(windows looked up in the table of tiles, seconds of CPU)."""
    width = index.shard.covered.width
    asked = [Asking(some) for some in gathered(texts)]
    number = sum(max(len(text.query) - width + 1, 0) for some in asked for text in some.questions)
    start = process_time()
    for some in asked:
        index.shard.tiles(some.query, None, MOST)
    return number, process_time() - start


def looked_up(index: Index, texts: Sequence[str]) -> float:
    """Seconds of CPU of encoding and folding texts, and of asking the table for every window of theirs, small texts
    together as `Index.check_many` does it."""
    start = process_time()
    for some in gathered(texts):
        index.shard.tiles(Asking(some).query, None, MOST)
    return process_time() - start


def confirmed(index: Index, texts: Sequence[str]) -> float:
    """The same, and of confirming on the texts of files what was found: which stretches of the text are theirs."""
    start = process_time()
    for some in gathered(texts):
        find(index.shard, Asking(some).query)
    return process_time() - start


def held_out(index: Index, corpus: Corpus, others: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Every match, against the file that it names first: without white space, the text has to stand there."""
    numbers = {(one.repo, one.path): number for number, one in enumerate(corpus.files)}
    found = {"texts": len(others), "characters": 0, "exact": 0, "wrong": 0, "common": 0}
    shares = {"exact": 0, "renamed": 0, "renamed in other languages": 0}
    texts = {"exact": 0, "renamed": 0, "renamed in other languages": 0}
    wrong: list[Any] = []
    for language, text in others:
        check = index.check(text, renamed=True)
        found["characters"] += len(text)
        told = dict.fromkeys(shares, 0)
        for match in check.matches:
            file = match.files[0]
            number = numbers[file.repo_name, file.path]
            if match.kind == "exact":
                found["exact"] += 1
                found["common"] += match.common
                piece = planted.bare(text[file.start : file.end])
                if piece not in planted.bare(corpus.text(number).decode()):
                    found["wrong"] += 1
                    wrong.append([file.repo_name, file.path, text[file.start : file.end]])
                told["exact"] += match.end - match.start
                continue
            told["renamed"] += match.end - match.start
            if corpus.files[number].language != language:
                told["renamed in other languages"] += match.end - match.start
        for name, characters in told.items():
            shares[name] += characters
            texts[name] += characters > 0
    return found | {"characters by kind": shares, "texts by kind": texts, "examples": wrong[:5]}
