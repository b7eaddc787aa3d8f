"""How much of several texts is in the data: of a repository, a diff, the samples of a model; by licence, by repository.

Each character counts once for a licence or a repository, however many of its files have it. Common code (licence
headers, boilerplate) counts for the whole and for no licence or repository. For repositories, the files that are listed
of each match are counted.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from starloom.identity import content_id
from starloom.membership.answers import Answer, shared
from starloom.membership.matches import GUARANTEE, Check, Match
from starloom.membership.measured import Measured


@dataclass
class Part:
    """What a licence or repository has: characters, white space folded, in so many of the texts."""

    characters: int = 0
    texts: int = 0

    def take(self, characters: int) -> None:
        """One text more."""
        self.characters += characters
        self.texts += characters > 0


@dataclass
class Whole:
    """`matched`: texts with a match that tells something, `slight`: with others only. `identical`: texts that are, to
    the byte, a file of the data."""

    texts: int = 0
    matched: int = 0
    slight: int = 0
    short: int = 0  # too short to be found
    unread: int = 0  # no text, too large, or unreadable
    partial: int = 0  # of which a part of the index alone was asked
    identical: int = 0
    characters: int = 0
    covered: int = 0  # in an exact match
    covered_with_renamed: int = 0  # in a match of either kind
    seconds: float = 0.0
    guarantee: int = GUARANTEE  # characters from which a copy is always found
    licenses: defaultdict[str, Part] = field(default_factory=lambda: defaultdict(Part))
    repositories: defaultdict[str, Part] = field(default_factory=lambda: defaultdict(Part))

    def add(self, answer: Answer) -> None:
        """One text more."""
        self.texts += 1
        found = answer.found
        if found is None:
            self.unread += 1
            return
        telling = [match for match in found.matches if tells(match, found)]
        self.matched += bool(telling)
        self.slight += bool(found.matches) and not telling
        self.short += found.status == "not_covered"
        self.partial += found.status == "partial"
        self.guarantee = found.guarantee
        self.characters += found.characters
        self.seconds += found.seconds
        if found.matches:
            self._sum(answer, found)

    @property
    def coverage(self) -> float:
        """The share of all their characters that is in a match."""
        return self.covered / self.characters if self.characters else 0.0

    def to_json(self) -> dict[str, Any]:
        counts = ("texts", "matched", "slight", "short", "unread", "partial", "identical", "characters", "covered")
        told: dict[str, Any] = {name: getattr(self, name) for name in (*counts, "covered_with_renamed")}
        told["licenses"] = [{"name": name, **vars(part)} for name, part in ordered(self.licenses)]
        told["repositories"] = [{"repo_name": name, **vars(part)} for name, part in ordered(self.repositories)]
        return told | {"coverage": self.coverage, "seconds": self.seconds}

    def _sum(self, answer: Answer, found: Check) -> None:
        text = answer.given.text or ""
        measured = Measured(text, answer.given.added, answer.given.first_line)
        covered = measured.together(shared(answer))
        self.covered += covered
        if any(match.kind == "renamed" for match in found.matches):
            covered = measured.together((match.start, match.end) for match in found.matches)
        self.covered_with_renamed += covered
        own = content_id(text.encode())
        self.identical += any(file.content_id == own for match in found.matches for file in match.files)
        for one in found.licenses:
            self.licenses[one.name].take(one.characters)
        stretches: dict[str, set[tuple[int, int]]] = defaultdict(set)
        for match in found.matches:
            for file in () if match.common else match.files:
                stretches[file.repo_name].add((file.start, file.end))
        for name, some in stretches.items():
            self.repositories[name].take(measured.together(some))


def tells(match: Match, found: Check) -> bool:
    """Whether a match is more than an import or a licence header that many files have."""
    return match.characters >= found.guarantee and not match.common


def ordered(parts: dict[str, Part]) -> list[tuple[str, Part]]:
    """The largest first."""
    return sorted(parts.items(), key=lambda one: (-one[1].characters, one[0]))


def whole(answers: Iterable[Answer]) -> Whole:
    """The sums of all of them."""
    total = Whole()
    for one in answers:
        total.add(one)
    return total
