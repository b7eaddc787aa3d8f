"""From a place in a text to another: to the beginning of a line, so many characters on, so many back.

Texts are valid UTF-8, and places where a character begins.
"""

from typing import Any

import numpy as np

from starloom.kernels.cache import leaf
from starloom.kernels.vectors import BITS, between, equal, ones

_NEWLINE = np.uint8(0x0A)
_CONTINUATIONS, _HOW_MANY = np.uint8(0x80), np.uint8(0x40)  # the first of them


@leaf
def line_begin(text: Any, first: Any, place: Any) -> Any:
    """Where the line of a place begins; `first` where it begins before that."""
    p = place
    while p - first >= BITS and equal(text, p - BITS, _NEWLINE) == 0:
        p -= BITS
    while p > first and text[p - 1] != _NEWLINE:
        p -= 1
    return p


@leaf
def continues(byte: Any) -> bool:
    """Whether it is any byte of a character but its first."""
    return bool(np.uint8(byte - _CONTINUATIONS) < _HOW_MANY)


@leaf
def back(text: Any, first: Any, place: Any, many: Any) -> Any:
    """The place so many characters before; `first` where there are fewer."""
    p = place
    while many >= BITS and p - first >= BITS:
        p -= BITS
        many -= BITS - ones(between(text, p, _CONTINUATIONS, _HOW_MANY))
    while many > 0 and p > first:
        p -= 1
        while p > first and continues(text[p]):
            p -= 1
        many -= 1
    return p


@leaf
def forward(text: Any, place: Any, last: Any, many: Any) -> Any:
    """The place so many characters behind; `last` where there are fewer."""
    p = place
    while many >= BITS and last - p >= BITS:
        many -= BITS - ones(between(text, p, _CONTINUATIONS, _HOW_MANY))
        p += BITS
    while p > place and p < last and continues(text[p]):  # of a character that was begun
        p += 1
    while many > 0 and p < last:
        p += 1
        while p < last and continues(text[p]):
            p += 1
        many -= 1
    return p
