"""What a benchmark's files look like: a TOML file each, of ours beside this module or of the user's beside the data."""

import functools
import importlib.resources
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from starloom.errors import UserError
from starloom.settings import load, read_toml

OTHER = "other"  # the definition of files that no benchmark claims


@dataclass(frozen=True)
class Part:
    """A text of a problem that no training data should have: one field, or several one after the other. A field may be
    a list of texts; each is a part then."""

    name: str  # e.g. prompt, docstring, solution
    field: str = ""
    fields: tuple[str, ...] = ()
    take: Literal["whole", "docstring", "before"] = "whole"  # docstring: what the last triple quotes enclose
    marks: tuple[str, ...] = ()  # before: what stands before the first of these

    @property
    def sources(self) -> tuple[str, ...]:
        return self.fields or (self.field,)


@dataclass(frozen=True)
class Definition:
    """How to know a benchmark's files, and to read them."""

    title: str
    source: str  # where it is published
    names: tuple[str, ...]  # patterns of a file's path, in lower case; the longest that fits decides
    parts: tuple[Part, ...]
    skip: tuple[str, ...] = ()  # of files, below the folder given, that are no part of it, e.g. its training split
    id: tuple[str, ...] = ()  # fields that name a problem, joined by "/"; none: file and row
    id_pattern: str = ""  # a regular expression: the part of that name that counts
    first: int | None = None  # of a benchmark whose problems are numbered: those from here …
    last: int | None = None  # … to here
    name: str = ""  # by default that of the TOML file


@functools.cache
def shipped() -> tuple[Definition, ...]:
    """The definitions that come with Starloom."""
    folder = Path(str(importlib.resources.files("starloom.tasks")))
    return tuple(read_definition(path) for path in sorted(folder.glob("*.toml")))


def read_definition(path: Path) -> Definition:
    """Raises UserError with file, key and value where it is none."""
    found = load({"name": path.stem} | read_toml(path), Definition, str(path))
    try:
        re.compile(found.id_pattern)
    except re.error as problem:
        raise UserError(f"{path}: id_pattern: {problem}", "mend the regular expression") from None
    if not found.parts or not found.names:
        raise UserError(f"{path}: a benchmark has `names` of its files and `parts` of its problems", "add them")
    for part in found.parts:
        if bool(part.field) == bool(part.fields):
            raise UserError(f"{path}: part `{part.name}` has no field, or two keys for it", "write `field` or `fields`")
        if bool(part.marks) != (part.take == "before"):
            raise UserError(f'{path}: part `{part.name}`: `marks` belong to take = "before"', "give both or none")
    return found


def definition_of(
    path: str, fields: Collection[str], definitions: Sequence[Definition]
) -> tuple[Definition, bool] | None:
    """(whose file this is, whether it is part of the benchmark): of those that find a part in its fields, the one with
    the longest pattern that fits its path, then the first. None: nobody's."""
    path = path.lower()  # the name of the folder given comes first in it
    fitting = [
        (-len(pattern), place, one)
        for place, one in enumerate(definitions)
        for pattern in one.names
        if fnmatchcase(path, pattern) and any(set(part.sources) <= set(fields) for part in one.parts)
    ]
    if not fitting:
        return None
    found = min(fitting, key=lambda one: one[:2])[2]
    inner = path.partition("/")[2]  # a folder may be called anything
    return found, not any(fnmatchcase(inner, pattern) for pattern in found.skip)
