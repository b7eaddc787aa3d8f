"""What a query is made of: frozen dataclasses, and the one definition of "in any case"."""

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

FilterField: TypeAlias = Literal["lang", "repo", "path", "file", "license", "sym"]

ALL_HITS: Final = -1  # of `count:all`

_KEPT = re.compile("([\u0130\u212a])")  # İ and the Kelvin sign: their lower forms are two characters, and an ASCII one


@dataclass(frozen=True)
class Word:
    """A whole identifier, or a part of one at a camel or snake border: see `identifiers`."""

    text: str
    case_sensitive: bool


@dataclass(frozen=True)
class Exact:
    """A piece of text, wherever it stands."""

    text: str
    case_sensitive: bool


@dataclass(frozen=True)
class Pattern:
    """A regular expression of RE2 that is found somewhere in the text: see `patterns`."""

    source: str
    case_sensitive: bool


@dataclass(frozen=True)
class Filter:
    """What a file's row must say.

    `lang`: the language's name. `license`: a type, or an id or expression in SPDX's spelling. `repo`, `path`, `file`
    (the path's last part): a piece of the name. `sym`: a symbol defined in the file, whole. `pattern`: `value` is an
    expression that is found in the name, in a symbol.
    """

    field: FilterField
    value: str
    case_sensitive: bool
    pattern: bool = False


@dataclass(frozen=True)
class Not:
    part: "Node"


@dataclass(frozen=True)
class All:
    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Any:
    parts: tuple["Node", ...]


Term: TypeAlias = Word | Exact | Pattern  # what stands in the text
Node: TypeAlias = Word | Exact | Pattern | Filter | Not | All | Any


@dataclass(frozen=True)
class Query:
    """`count`: how many hits to count at least, ALL_HITS for all of them; None: as the one who answers likes."""

    node: Node
    count: int | None


def fold(text: str) -> str:
    r"""Lower case, character by character: as long as `text`, whatever stands beside a character.

    >>> fold("ΟΔΟΣ İstanbul")
    'οδοσ İstanbul'
    """
    if text.isascii():
        return text.lower()
    text = text.replace("Σ", "σ")  # lower() looks whether a word ends after it
    if "\u0130" not in text and "\u212a" not in text:
        return text.lower()
    return "".join(piece if _KEPT.match(piece) else piece.lower() for piece in _KEPT.split(text))
