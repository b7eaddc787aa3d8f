"""Pieces of real files, changed in their white space only, in the midst of other code: what is found of them.

The fold here is of regular expressions: what the index's kernels do is not used to judge them.
"""

import random
import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from running.workspace import Corpus, File

LENGTHS = (60, 80, 99, 120, 150, 200, 300, 500, 1000, 2000)  # characters, white space folded
CHANGES = ("as it is", "re-indented", "CRLF", "blanks as tabs")
_BLANK = "[ \t\r\v\f]"
_LINES = re.compile(f"{_BLANK}*\n[ \t\r\v\f\n]*")
_BLANKS = re.compile(f"{_BLANK}+")


def fold(text: str) -> str:
    return _BLANKS.sub(" ", _LINES.sub("\n", text)).strip(" \t\r\n\v\f")


def bare(text: str) -> str:
    """Without any white space."""
    return re.sub("[ \t\r\n\v\f]+", "", text)


@dataclass(frozen=True)
class Planted:
    """`text`: all of it, in which characters start to end are the copy of a piece of `file`."""

    text: str
    start: int
    end: int
    file: File
    length: int
    change: str


def plant(corpus: Corpus, others: Sequence[str], length: int, change: str, chance: random.Random) -> Planted:
    """A piece of `length` characters once folded, cut anywhere, changed, between two pieces of `others`."""
    while True:
        number = pick(corpus, chance)
        text = corpus.text(number).decode()
        piece = cut(text, length, chance)
        if piece is None:
            continue
        changed = _CHANGES[change](piece, chance)
        if fold(changed) != fold(piece):
            continue
        before, after = other(others, 400, chance), other(others, 400, chance)
        start = len(before) + 1
        return Planted(
            f"{before}\n{changed}\n{after}", start, start + len(changed), corpus.files[number], length, change
        )


def pick(corpus: Corpus, chance: random.Random) -> int:
    """A file, each byte of the corpus as likely."""
    return bisect_right(corpus.offsets, chance.randrange(len(corpus.data))) - 1


def cut(text: str, length: int, chance: random.Random) -> str | None:
    """A piece that begins and ends with no blank; None where chance found none."""
    if len(text) <= length:
        return None
    start = chance.randrange(len(text) - length)
    if text[start].isspace():
        return None
    end = start + length
    while (missing := length - len(fold(text[start:end]))) > 0:
        if end >= len(text):
            return None
        end += missing
    piece = text[start:end]
    return piece if len(fold(piece)) == length and not piece[-1].isspace() else None


def other(others: Sequence[str], length: int, chance: random.Random) -> str:
    """A piece of a text that is not indexed."""
    text = chance.choice(others)
    start = chance.randrange(max(len(text) - length, 1))
    return text[start : start + length]


def _indented(piece: str, chance: random.Random) -> str:
    unit = chance.choice(("  ", "    ", "\t", "   \t"))
    first, *lines = piece.split("\n")
    changed = [first]
    for line in lines:
        changed.append(unit * chance.randint(0, 3) + line.strip(" \t\r\v\f") + " " * chance.randint(0, 2))
        if chance.random() < 0.1:
            changed.append("")
    return "\n".join(changed).rstrip(" \t\r\n\v\f")


_CHANGES: dict[str, Callable[[str, random.Random], str]] = {
    "as it is": lambda piece, _: piece,
    "re-indented": _indented,
    "CRLF": lambda piece, _: piece.replace("\r\n", "\n").replace("\n", "\r\n"),
    "blanks as tabs": lambda piece, _: re.sub(" +", "\t", piece),
}
