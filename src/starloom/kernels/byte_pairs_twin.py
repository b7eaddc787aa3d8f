"""`pretokens` and `byte_pairs` again in plain Python: what they mean, and what the tests hold them to."""

import unicodedata
from collections.abc import Mapping, Sequence
from itertools import pairwise

from starloom.kernels.pretokens import _WHITE

_CONTRACTIONS = ("'s", "'t", "'m", "'d", "'ll", "'ve", "'re")


def pretokens(text: str) -> list[str]:
    """GPT-2's pattern between numbers, each of which stands alone."""
    found, at = [], 0
    while at < len(text):
        end = _end(text, at)
        found.append(text[at:end])
        at = end
    return found


def merged(text: bytes, of_byte: Sequence[int], merges: Mapping[tuple[int, int], tuple[int, int]]) -> list[int]:
    """Of two neighbours that a merge joins, those of the first merge, and among them the leftmost, until there are
    none; `merges`: (number, token) by the two ids."""
    parts = [of_byte[byte] for byte in text]
    while True:
        possible = [(merges[pair], at) for at, pair in enumerate(pairwise(parts)) if pair in merges]
        if not possible:
            return parts
        (_, token), at = min(possible)
        parts[at : at + 2] = [token]


def encode(text: str, of_byte: Sequence[int], merges: Mapping[tuple[int, int], tuple[int, int]]) -> list[int]:
    return [one for part in pretokens(text) for one in merged(part.encode(), of_byte, merges)]


def _end(text: str, at: int) -> int:
    for one in _CONTRACTIONS:
        if text.startswith(one, at):
            return at + len(one)
    if _kind(text[at]) == "N":
        return at + 1
    word = at + 1 if text[at] == " " else at
    if word < len(text) and _kind(text[word]) in "LS":
        return _run(text, word)
    end = _run(text, at)
    return end if end == len(text) or _kind(text[end]) == "N" or end == at + 1 else end - 1


def _run(text: str, at: int) -> int:
    kind = _kind(text[at])
    while at < len(text) and _kind(text[at]) == kind:
        at += 1
    return at


def _kind(character: str) -> str:
    if ord(character) in _WHITE:
        return "W"
    category = unicodedata.category(character)[0]
    return category if category in "LN" else "S"
