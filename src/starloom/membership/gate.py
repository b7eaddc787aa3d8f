"""The gate: which matches must not be, so that a hook or a CI job fails where one is.

A match counts when it is long enough, is no common code (licence headers, boilerplate) and is not one's own; it fails
when a file that has it is under a licence of a kind that was asked for. No gate is passed on a part of the index.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from starloom.errors import UserError
from starloom.membership import license_of
from starloom.membership.answers import Answer
from starloom.membership.given import Given
from starloom.membership.matches import GUARANTEE, Licensed, Match, MatchedFile
from starloom.membership.measured import Measured

OWN_FILES: Final = 1000  # of a match, among which one of an own repository is sought


@dataclass(frozen=True)
class Failure:
    """A match that must not be, for files under `licenses`, which are of `kinds`; `files`: those of them that are
    listed."""

    given: Given
    match: Match
    kinds: tuple[str, ...]
    licenses: list[Licensed]
    files: list[MatchedFile]


@dataclass(frozen=True)
class Gate:
    """`fail_on`: kinds of licences and SPDX ids, as `license_of.kind` takes them. `unless_permissive`: not where a file
    under a permissive licence has the same. `own`: names of repositories, in which `*` and `?` stand for any letters;
    what one of them has is one's own. `min_coverage`: the share of a text that must be in matches that fail. `common`:
    common code counts too. Raises UserError for a kind or licence that is not known."""

    fail_on: tuple[str, ...]
    unless_permissive: bool = False
    own: tuple[str, ...] = ()
    min_characters: int = GUARANTEE
    min_lines: int = 1
    min_coverage: float = 0.0
    common: bool = False
    _kinds: tuple[tuple[str, license_of.Kind], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_kinds", tuple((one, license_of.kind(one)) for one in self.fail_on))
        if not 0 <= self.min_coverage <= 1:
            raise UserError(f"a coverage of {self.min_coverage:g} is no share", "a number from 0 to 1, such as 0.2")

    def failures(self, answer: Answer) -> list[Failure]:
        """The matches of a text for which it fails, the longest first."""
        if answer.found is None:
            return []
        failed = [one for match in answer.found.matches if (one := self._failure(answer.given, match))]
        if failed and self.min_coverage:
            measured = Measured(answer.given.text or "", answer.given.added, answer.given.first_line)
            share = measured.together((one.match.start, one.match.end) for one in failed) / measured.characters
            if share < self.min_coverage:
                return []
        return failed

    def _failure(self, given: Given, match: Match) -> Failure | None:
        short = match.characters < self.min_characters or match.last_line - match.first_line + 1 < self.min_lines
        if short or (match.common and not self.common) or any(map(self._is_own, match.files)):
            return None
        if self.unless_permissive and any(one.license_type == "permissive" for one in match.licenses):
            return None
        licenses = [one for one in match.licenses if any(of(one) for _, of in self._kinds)]
        kinds = tuple(name for name, of in self._kinds if any(map(of, licenses)))
        files = [one for one in match.files if any(of(one) for _, of in self._kinds)]
        if not licenses and "any" in self.fail_on:  # a shard that knows them is not there
            return Failure(given, match, ("any",), [], match.files)
        return Failure(given, match, kinds, licenses, files) if licenses else None

    def _is_own(self, file: MatchedFile) -> bool:
        return any(fnmatchcase(file.repo_name.lower(), one.lower()) for one in self.own)


@dataclass
class Judgement:
    """What a gate says of several texts."""

    gate: Gate
    failures: list[Failure] = field(default_factory=list)
    partial: int = 0  # texts without a failing match, of which a part of the index alone was asked

    def add(self, answer: Answer) -> None:
        found = self.gate.failures(answer)
        self.failures += found
        if answer.found and answer.found.status == "partial" and not found:
            self.partial += 1

    @property
    def failed(self) -> bool:
        return bool(self.failures) or self.partial > 0


def judge(gate: Gate, answers: Iterable[Answer]) -> Judgement:
    """What `gate` says of all of them."""
    judgement = Judgement(gate)
    for one in answers:
        judgement.add(one)
    return judgement
