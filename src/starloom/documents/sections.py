"""A document of several parts as one text, so that every stage reads it as it reads a file.

Each part begins with a control character that says what it is and that is taken out of what people wrote; it survives
whatever is replaced in between. No word is added, so that two documents are alike by what is in them.
"""

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Final, NamedTuple

TEXT, CODE, OUTPUT = "text", "code", "output"
MARKS: Final = {TEXT: "\x1d", CODE: "\x1e", OUTPUT: "\x1f"}
_KINDS: Final = {mark: kind for kind, mark in MARKS.items()}
_BEGINS: Final = re.compile("[\x1d-\x1f]")
_NOT_WRITTEN: Final = dict.fromkeys([0, *map(ord, _KINDS)])  # NUL too: a text that has one counts as binary


class Section(NamedTuple):
    """Characters `start` to `end` (exclusive) of the text are a part of this kind."""

    kind: str
    start: int
    end: int


def joined(parts: Iterable[tuple[str, str]]) -> str:
    """One text of (kind, text) parts.

    >>> joined([("text", "A sum"), ("code", "1 + 1"), ("output", "2")])
    '\\x1dA sum\\n\\x1e1 + 1\\n\\x1f2\\n'
    """
    return "".join(f"{MARKS[kind]}{text}\n" for kind, text in parts)


def sections(text: str) -> list[Section]:
    """The parts of a text that `joined` made, in order, without their marks and the line ends added to them."""
    starts = [one.start() for one in _BEGINS.finditer(text)]
    found = []
    for start, stop in pairwise([*starts, len(text)]):
        end = stop - 1 if text[stop - 1] == "\n" and stop - 1 > start else stop
        found.append(Section(_KINDS[text[start]], start + 1, end))
    return found


def written(text: str) -> str:
    """What can stand in a part: without the marks, and without halves of characters, which UTF-8 does not have."""
    return text.translate(_NOT_WRITTEN).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
