"""What kernels/hollow, hollow_levels and hollow_items have in common: texts with their spans, bytes by their kinds,
words looked up, pieces written."""

from typing import Any

import numpy as np

from starloom.kernels.cache import leaf
from starloom.kernels.text import Int64s, UInt8s, checked, frozen

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


def checked_spans(
    offsets: Int64s, data: UInt8s, languages: Int64s, bounds: Int64s, spans: Int64s, known: int
) -> tuple[Int64s, UInt8s, Int64s, Int64s, Int64s]:
    """Texts, of each its language, one of `known`, and its spans[bounds[i]:bounds[i + 1]], as kernels take them. Raises
    ValueError where any of these does not fit the others."""
    offsets, data = checked(offsets, data)
    languages, bounds, spans = (frozen(one, np.int64) for one in (languages, bounds, spans))
    n = len(offsets) - 1
    if (
        len(languages) != n
        or len(bounds) != n + 1
        or bounds[0] != 0
        or bounds[-1] > len(spans)
        or spans.shape[1:] != (3,)
    ):
        raise ValueError("languages or spans do not fit the texts")
    if (np.diff(bounds) < 0).any() or (n and not 0 <= languages.min() <= languages.max() < known):
        raise ValueError("languages or spans are out of bounds")
    return offsets, data, languages, bounds, spans


@leaf
def next_span(spans: Any, span: Any, last_span: Any, start: Any, stop: Any) -> Any:
    """Where the next span of the text data[start:stop] begins; where the text ends if there is none."""
    return min(start + spans[span, 0], stop) if span < last_span else stop


@leaf
def run_end(data: Any, p: Any, limit: Any, kind: Any) -> Any:
    """Where the bytes of this kind that begin at data[p] end."""
    end = p + 1
    while end < limit and CLASSES[data[end]] == kind:
        end += 1
    return end


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
