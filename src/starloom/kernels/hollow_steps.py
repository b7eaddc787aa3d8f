"""What kernels/hollow_levels and hollow_items have in common: bytes by their kinds, words looked up, pieces written."""

from typing import Any

import numpy as np

from starloom.kernels.cache import leaf
from starloom.kernels.text import UInt8s

OTHER, WORD, WHITE, OPENS, CLOSES, SYMBOL = range(6)  # what a byte may be
_ZERO, _LINE_END = 0x30, 0x0A


def _classes() -> UInt8s:
    classes = np.full(256, OTHER, np.uint8)
    classes[0x80:] = WORD
    for kind, characters in (
        (WORD, b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz'"),
        (WHITE, b" \t\v\f\r"),
        (OPENS, b"([{"),
        (CLOSES, b")]}"),
        (SYMBOL, b"!#$%&*+-./:<=>?@\\^|~"),
    ):
        classes[list(characters)] = kind
    return classes


CLASSES = _classes()


@leaf
def copied(data: Any, p: Any, end: Any, out: Any, at: Any, line: Any) -> Any:
    """Writes what stays up to `end`; (at, line, p) behind it."""
    while p < end:
        out[at] = data[p]
        line += data[p] == _LINE_END
        at += 1
        p += 1
    return at, line, p


@leaf
def emptied(out: Any, at: Any, lines: Any, zero: Any) -> Any:
    if zero:
        out[at] = _ZERO
        at += 1
    for _ in range(lines):
        out[at] = _LINE_END
        at += 1
    return at


@leaf
def does_word(data: Any, start: Any, end: Any, language: Any, firsts: Any, lengths: Any, words: Any, kinds: Any) -> Any:
    """What the word does."""
    first = np.int64(data[start])
    for row in range(firsts[language, first], firsts[language, first + 1]):
        if lengths[row] != end - start:
            continue
        same = 1
        while same < end - start and words[row, same] == data[start + same]:
            same += 1
        if same == end - start:
            return np.int64(kinds[row])
    return np.int64(0)
