"""An answer: which stretches of a text the dataset has, in which files, under which licences, and what it covers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from starloom.identity import Reference, reference
from starloom.the_stack.origins import Origin

Status: TypeAlias = Literal["match", "no_match", "partial", "not_covered"]
Kind: TypeAlias = Literal["exact", "renamed"]

WIDTH: Final = 50  # characters of the shortest match, in the usual profile
GUARANTEE: Final = 2 * WIDTH - 1  # characters from which every match is found there
COMMON: Final = 16  # contents from which a match is `common`


def lines_of(first: int, last: int) -> str:
    """
    >>> lines_of(3, 3), lines_of(3, 1200)
    ('line 3', 'lines 3 to 1,200')
    """
    return f"line {first:,}" if first == last else f"lines {first:,} to {last:,}"


@dataclass(frozen=True)
class MatchedFile(Origin):
    """A place of a content that has the match, or all but less than a tile (50 characters) of it: which of the text,
    and on which lines of the file, counted from 1.

    `swhid`: the content's identifier with origin, revision, path and lines. `permalink`: the page of the repository's
    host that shows them; None where there is none.
    """

    start: int
    end: int
    first_line: int
    last_line: int
    swhid: str
    permalink: str | None


class Place(NamedTuple):
    """Where a content stands, with what every match there says of it: `fields` of a MatchedFile, and `known`."""

    origin: Origin
    fields: dict[str, Any]
    known: Reference

    @classmethod
    def of(cls, origin: Origin) -> "Place":
        fields = vars(origin) | dict.fromkeys(("start", "end", "first_line", "last_line", "swhid", "permalink"))
        return cls(origin, fields, reference(origin.content_id, origin.url, origin.revision_id, origin.path))

    def file(self, start: int, end: int, first_line: int, last_line: int) -> MatchedFile:
        """What the constructor makes, in a sixth of its time: a frozen class sets each field by a call."""
        _, fields, known = self
        fields = fields.copy()
        fields["start"], fields["end"] = start, end
        fields["first_line"], fields["last_line"] = first_line, last_line
        fields["swhid"], fields["permalink"] = known.of_lines(first_line, last_line)
        made = object.__new__(MatchedFile)
        object.__setattr__(made, "__dict__", fields)
        return made


@dataclass(frozen=True)
class Licensed:
    """Files under one licence. `name`: what was detected, as SPDX expressions ("MIT", "Apache-2.0, MIT"); where
    nothing was, "no license", or "unknown" with its type ("unknown, non permissive"). `license_type`: permissive,
    no_license, non_permissive; None: not judged.

    `characters`: of the text, that stand in such a file too. `files`: how many there are.
    """

    name: str
    license_type: str | None
    characters: int
    files: int


@dataclass(frozen=True)
class Match:
    """Characters `start` to `end` (exclusive) of the text, and on which lines of it they are, counted from 1.

    `kind`: "exact", but for white space; "renamed": equal but for names and literals. `characters`: its length without
    the white space that folding removes. `files`: those that share most of it first, then by content, a content's own
    place before its copies. `total`: how many files there are; where that is more than were compared on the text, the
    rest is counted by hash, up to 4,096. `common`: so many files have it, or such text, that it says little of where it
    comes from; `reason` says why it is thought so. `licenses`: of all files compared, whether listed or not.
    """

    start: int
    end: int
    first_line: int
    last_line: int
    characters: int
    files: list[MatchedFile]
    total: int
    common: bool
    reason: str = ""
    kind: Kind = "exact"
    licenses: list[Licensed] = field(default_factory=list)

    @classmethod
    def listing(cls, files: Callable[[], list[MatchedFile]], **others: Any) -> "Match":
        """One whose files are made by `files` when they are first looked at; all the `others` are given."""
        others["_listing"] = files
        made = object.__new__(cls)
        object.__setattr__(made, "__dict__", others)
        return made

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            known = vars(self)
            if name == "files" and (listing := known.get("_listing")):
                known.setdefault("files", listing())  # all threads see the same list
                known.pop("_listing", None)
            if name in known:
                return known[name]
            raise AttributeError(f"a match has no {name}")

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__match_args__}

    def to_json(self) -> dict[str, Any]:
        told = self.__getstate__()
        return told | {
            "files": list(map(dict.copy, map(vars, self.files))),
            "licenses": list(map(dict.copy, map(vars, self.licenses))),
        }


@dataclass(frozen=True)
class Check:
    """`coverage`: the share of the text's characters, white space folded, that are in a match of kind "exact";
    `coverage_with_renamed`: in a match of either kind. `matches`: those that are not common first, the longest first.
    `licenses`: of the matches that are not common.

    `status`: "match"; "no_match" in what is indexed; "partial": none found, and a part of the index is missing or
    damaged (`problems`); "not_covered": shorter than a match. `verdict` says the same in words, with what it speaks
    about: never a bare "clean". `guarantee`: characters from which every copy is found, but for white space. `seconds`:
    without those in which the files of matches are made.
    """

    status: Status
    verdict: str
    coverage: float
    characters: int
    seconds: float
    repositories: int
    matches: list[Match]
    licenses: list[Licensed] = field(default_factory=list)
    guarantee: int = GUARANTEE
    problems: list[str] = field(default_factory=list)
    coverage_with_renamed: float = 0.0

    def to_json(self) -> dict[str, Any]:
        matches, licenses = [one.to_json() for one in self.matches], [dict(vars(one)) for one in self.licenses]
        return vars(self) | {"matches": matches, "licenses": licenses, "problems": [*self.problems]}
