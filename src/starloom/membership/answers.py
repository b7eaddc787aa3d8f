"""Texts that were handed in, each with what the index says of it: what the command shows, sums up and judges."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from starloom.membership.check import Index
from starloom.membership.given import Given
from starloom.membership.matches import Check, Licensed, Match
from starloom.membership.measured import Measured
from starloom.membership.shard import Split


@dataclass(frozen=True)
class Answer:
    """A text and what of it stands in the dataset. `found` is None for what is no text: `given.problem` says why.

    Of a diff, the added lines alone are asked about: matches without any are left out, `characters` counts added ones,
    and lines are those of the file.
    """

    given: Given
    found: Check | None

    @property
    def problem(self) -> str:
        """Why the index says nothing of it; empty where it does."""
        return self.given.problem if self.found is None else ""


def answer(index: Index, given: Given, files: int | None, split: Split = None, renamed: bool = False) -> Answer:
    """`given` against the index; arguments as of `Index.check`. Raises UserError for a damaged index."""
    return next(answers(index, [given], files, split, renamed))


def answers(
    index: Index, texts: Iterable[Given], files: int | None, split: Split = None, renamed: bool = False
) -> Iterator[Answer]:
    """The same of many, in order; see `Index.check_many`."""
    waiting: deque[Given] = deque()

    def asked() -> Iterator[str]:
        for one in texts:
            waiting.append(one)
            if one.text is not None:
                yield one.text

    for found in index.check_many(asked(), files, split=split, renamed=renamed):
        while waiting[0].text is None:
            yield Answer(waiting.popleft(), None)
        given = waiting.popleft()
        yield Answer(given, found if given.added is None else _of_added(index, given, found))
    yield from (Answer(given, None) for given in waiting)


def shared(answer: Answer) -> Iterator[tuple[int, int]]:
    """The stretches of the text that are in an exact match."""
    yield from _exact(answer.found.matches if answer.found else ())


def _exact(matches: Iterable[Match]) -> Iterator[tuple[int, int]]:
    return ((match.start, match.end) for match in matches if match.kind == "exact")


def _of_added(index: Index, given: Given, found: Check) -> Check:
    measured = Measured(given.text or "", given.added, given.first_line)
    further = given.first_line - 1
    matches = [
        replace(
            match, characters=characters, first_line=match.first_line + further, last_line=match.last_line + further
        )
        for match in found.matches
        if (characters := measured.between(match.start, match.end))
    ]
    total = measured.characters
    covered = measured.together(_exact(matches))
    either = measured.together((match.start, match.end) for match in matches)
    told = replace(
        found,
        characters=total,
        coverage=covered / total if total else 0.0,
        coverage_with_renamed=either / total if total else 0.0,
        matches=matches,
        licenses=_licenses(measured, matches),
    )
    if matches:
        return told
    where = found.verdict.removeprefix("match in ")
    if found.matches and found.problems:
        told = replace(told, verdict=f"partial: no match in {where}; other parts are not here", status="partial")
    elif found.matches:
        told = replace(told, verdict=f"no match in {where}", status="no_match")
    if total < index.width and told.status != "partial":
        told = replace(
            told, verdict=f"not covered: fewer than {index.width} characters are added", status="not_covered"
        )
    return told


def _licenses(measured: Measured, matches: list[Match]) -> list[Licensed]:
    """Of these matches, those that are not common, as `Check.licenses` has them."""
    stretches: dict[tuple[str, str | None], list[tuple[int, int]]] = {}
    files: Counter[tuple[str, str | None]] = Counter()
    for match in matches:
        for one in () if match.common else match.licenses:
            stretches.setdefault((one.name, one.license_type), []).append((match.start, match.end))
            files[one.name, one.license_type] += one.files
    told = [Licensed(*key, measured.together(some), files[key]) for key, some in stretches.items()]
    return sorted(told, key=lambda one: (-one.characters, one.name))
