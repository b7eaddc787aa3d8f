"""Identifiers and the words in them: HTTPServer → HTTP, Server; read_json → read, json; utf8Decoder → utf8, Decoder.

An identifier is a longest run of ASCII letters, digits and _. Between two of its characters a|b is a border where one
of them is _; where a is a lower letter or a digit and b an upper one; where both are upper and a lower one follows b.
Its parts are what lies between borders, without the _. Digits stay with what is before them: sha256, vec3d, SHA256|Sum.
An identifier of LONGEST characters and more has no parts: it is data, not a name.
The kernel that indexes words (kernels/index_terms) is held to these definitions.
"""

import re
from typing import Final

LONGEST: Final = 100
IDENTIFIER: Final = re.compile("[0-9A-Za-z_]+")
_PART = re.compile("(?:[A-Z](?![a-z]))+[0-9a-z]*|[A-Z]?[0-9a-z]+")
_SMALL: Final = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyz")  # begin a part only after an _
_PLAIN: Final = _SMALL | frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_CHARACTERS: Final = _PLAIN | frozenset(b"_")


def identifiers(text: str) -> list[str]:
    """The identifiers of a text, in order."""
    return IDENTIFIER.findall(text)


def parts(identifier: str) -> list[str]:
    """The parts of an identifier, in order; itself where it has no border; none of a long one.

    >>> parts("_parseHTTPResponse2")
    ['parse', 'HTTP', 'Response2']
    """
    return _PART.findall(identifier) if len(identifier) < LONGEST else []


def is_word(text: bytes, start: int, end: int) -> bool:
    """Whether text[start:end], all of it characters of an identifier, is a whole identifier or a part of one.

    `text` as it was written: in lower case the borders are gone.
    """
    if start and text[start] in _SMALL and text[start - 1] in _PLAIN:
        return False  # most that are none are told by their neighbours
    if end < len(text) and text[end] in _SMALL and text[end - 1] in _PLAIN:
        return False
    begins = start == 0 or text[start - 1] not in _CHARACTERS
    ends = end == len(text) or text[end] not in _CHARACTERS
    if begins and ends:
        return True
    left, right = start, end
    while left and text[left - 1] in _CHARACTERS and right - left < LONGEST:
        left -= 1
    while right < len(text) and text[right] in _CHARACTERS and right - left < LONGEST:
        right += 1
    return right - left < LONGEST and (start - left, end - left) in _spans(text[left:right].decode())


def _spans(identifier: str) -> list[tuple[int, int]]:
    return [found.span() for found in _PART.finditer(identifier)]
