"""Twin of index_terms.py in plain Python: dictionaries for its hash tables. Nothing but its test calls it."""

import re
from typing import NamedTuple

from starloom.kernels.index_terms import ALPHABET


class Lists(NamedTuple):
    """The terms of one text, in order."""

    code: list[str]
    parts: list[str]
    cased: list[str]
    grams: list[str]


def index_terms(text: str, folded: str, longest: int) -> Lists:
    """Of a text, whose trigrams are those of `folded`."""
    written = dict.fromkeys(word for word in re.findall("[0-9A-Za-z_]+", text) if len(word) < longest)
    whole = dict.fromkeys(word.lower() for word in written)
    pieces = [piece for word in written for piece in parts(word) if piece != word]
    return Lists(
        code=list(whole),
        parts=list(dict.fromkeys(piece.lower() for piece in pieces if piece.lower() not in whole)),
        cased=[word for word in dict.fromkeys([*written, *pieces]) if word != word.lower()],
        grams=list(dict.fromkeys(map(_gram, _trigrams(folded.encode().lower() + b"\n")))),
    )


def parts(word: str) -> list[str]:
    """What the borders of an identifier leave; the whole word where it has none."""
    found = [""]
    for at, character in enumerate(word):
        if at and _border(word[at - 1], character, word[at + 1 : at + 2]):
            found.append("")
        if character != "_":
            found[-1] += character
    return [one for one in found if one]


def _border(before: str, character: str, after: str) -> bool:
    if "_" in (before, character):
        return True
    return character.isupper() and (not before.isupper() or after.islower())


def _trigrams(data: bytes) -> list[bytes]:
    return [data[at : at + 3] for at in range(len(data) - 2)]


def _gram(gram: bytes) -> str:
    bits = int.from_bytes(gram, "big")
    return "".join(ALPHABET[bits >> shift & 63] for shift in (18, 12, 6, 0))
