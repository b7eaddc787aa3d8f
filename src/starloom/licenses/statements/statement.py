"""What one place of a metadata file says about licences, and how far it speaks."""

from dataclasses import dataclass
from typing import Literal

from starloom.licenses.expressions import parse
from starloom.licenses.verdict import NO_ASSERTION

MAX_LENGTH = 4_000_000  # characters; longer metadata files are not parsed


@dataclass(frozen=True, slots=True)
class Statement:
    """An SPDX expression (NOASSERTION: a licence is stated that cannot be named), for a folder or for some files.

    Paths of a pattern are relative to the folder that `base` gives; both scopes count from there. Of the statements
    of one file that match a path, those of the highest priority count, all of them.
    """

    scope: Literal["folder", "files"]
    pattern: str | None  # a regular expression for the whole path, in what RE2 and `re` share; None: all below
    expression: str
    line: int  # 1-based
    rule: str
    priority: int = 0


def folder(expression: str, line: int, rule: str) -> tuple[Statement, ...]:
    """The one statement of a file that speaks for all below its folder.

    What is no well-formed expression after all (strangers write the metadata) is a licence that cannot be named.
    """
    return (Statement("folder", None, expression if parse(expression) else NO_ASSERTION, line, rule),)


def line_of(text: str, offset: int) -> int:
    """The number of the line that holds an offset."""
    return text.count("\n", 0, offset) + 1
