"""Runs of encoded data: the three patterns of The Stack v2 (arXiv 2402.19173, section 2.1), exactly as `re` finds them.

    base64   [a-zA-Z0-9+/\\n=]{64,}
    hex      (?:\\b(?:0x|\\\\x)?[0-9a-fA-F]{2}(?:,|\\b\\s*)){8,}
    unicode  (?:\\\\u[0-9a-fA-F]{4}){8,}

A match of at least so many bytes lies inside a stretch of bytes of one class. So the scan looks at the last byte
that a match beginning here must have, walks back to the first byte of another class, and goes on behind it; an
automaton runs inside long stretches only. No pattern has two ways to match one text from one place, so nothing is tried
twice. The hex pattern asks what a word and what white space is of any character: the table of `code_points` and the
white space of Unicode tell, as Python's `re` does.

The base64 pattern holds "\\n", so a list of one word a line, a rule of "=====" or a long path is a match from end to
end. `data_longest` and `data_fraction` count a base64 match only where it is data (`_is_data`):

- at least half of it is letters and digits (no rules);
- at least half of it stands in lines of 32 characters or more (no lists of words, names, numbers; encoders fold at 64
  or 76, and MD5 sums have 32);
- it does not read like words: fewer than 70 % of its letters and digits are lower case, or fewer than 22 % of these
  are one of e, i, o, u (prose has about 30 %, random letters 15 %, the bases a, c, g, t none; hexadecimal is mostly
  digits).

What it takes for words wrongly: lower-case text in an alphabet of few letters that are mostly vowels. Cost: about
1.2 GB/s (bench/kernels.py); linear in the text, whatever it is.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.cache import kernel, leaf
from starloom.kernels.code_points import WORD, properties
from starloom.kernels.counting import continuation_bytes
from starloom.kernels.decoding import code_point
from starloom.kernels.text import Int64s, UInt8s, checked
from starloom.kernels.vectors import between, equal, lowest

BASE64, HEX, UNICODE = 0, 1, 2

_LEAST_BASE64, _LEAST_HEX, _LEAST_UNICODE = 64, 23, 48  # bytes of the shortest match
_LEAST_UNITS = 8  # of a hex or unicode match
_LONG_LINE = 32  # characters of a line that lists of words do not have
_WORD = np.uint32(WORD)

# What a byte can be part of.
_IN_BASE64, _IN_HEX, _IN_UNICODE, _DIGIT, _SPACE = (np.uint8(1 << bit) for bit in range(5))

# Bytes of the white space beyond ASCII: U+0085, A0, 1680, 2000-200A, 2028, 2029, 202F, 205F, 3000.
_BEYOND = np.array([0xC2, 0xE1, 0xE2, 0xE3, *range(0x80, 0x8B), 0x9A, 0x9F, 0xA0, 0xA8, 0xA9, 0xAF], dtype=np.uint8)


def _classes() -> NDArray[np.uint8]:
    table = np.zeros(256, dtype=np.uint8)
    letters = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    spaces = b"\t\n\v\f\r\x1c\x1d\x1e\x1f "  # what `\s` is in ASCII
    for kind, members in (
        (_IN_BASE64, letters + b"0123456789+/=\n"),
        (_IN_HEX, b"0123456789abcdefABCDEFx\\," + spaces + _BEYOND.tobytes()),
        (_IN_UNICODE, b"0123456789abcdefABCDEFu\\"),
        (_DIGIT, b"0123456789abcdefABCDEF"),
        (_SPACE, spaces),
    ):
        table[list(members)] |= kind
    return table


_CLASSES = _classes()


class EncodedRuns(NamedTuple):
    """One value a file. Lengths are in characters (code points), 0 where nothing matches; fractions are of all
    characters, 0 for an empty file."""

    base64_longest: NDArray[np.int32]
    hex_longest: NDArray[np.int32]
    unicode_longest: NDArray[np.int32]
    longest: NDArray[np.int32]  # of any match
    fraction: NDArray[np.float32]  # in any match; what two patterns match counts once
    data_longest: NDArray[np.int32]  # the same two without base64 matches that are no data
    data_fraction: NDArray[np.float32]


def encoded_runs(offsets: Int64s, data: UInt8s) -> EncodedRuns:
    """The matches of every file, in order, summed up. Raises ValueError for offsets outside `data`."""
    offsets, data = checked(offsets, data)
    longest, covered, characters = _encoded(offsets, data, properties())
    whole = np.maximum(characters, 1)
    base64, hexadecimal, unicode, base64_data = longest.astype(np.int32)
    others = np.maximum(hexadecimal, unicode)
    return EncodedRuns(
        base64_longest=base64,
        hex_longest=hexadecimal,
        unicode_longest=unicode,
        longest=np.maximum(base64, others),
        fraction=(covered[0] / whole).astype(np.float32),
        data_longest=np.maximum(base64_data, others),
        data_fraction=(covered[1] / whole).astype(np.float32),
    )


@kernel
def _encoded(offsets: Any, data: Any, table: Any) -> Any:
    n = len(offsets) - 1
    longest = np.zeros((4, n), dtype=np.int64)  # base64, hex, unicode, base64 that is data
    covered = np.zeros((2, n), dtype=np.int64)  # characters in any match; without base64 that is no data
    characters = np.zeros(n, dtype=np.int64)  # of files with a match only
    spans = np.empty((64, 4), dtype=np.int64)  # start, end, characters, whether it counts as data
    bounds = np.zeros(4, dtype=np.int64)  # which spans are of which pattern
    for i in range(n):
        text = data[offsets[i] : offsets[i + 1]]
        if len(text) < _LEAST_HEX:
            continue
        spans, bounds[1] = _base64(text, spans)
        spans, bounds[2] = _hex(text, table, spans, bounds[1])
        spans, bounds[3] = _unicode(text, spans, bounds[2])
        if bounds[3] == 0:
            continue
        for kind in range(3):
            for k in range(bounds[kind], bounds[kind + 1]):
                longest[kind, i] = max(longest[kind, i], spans[k, 2])
                if kind == BASE64 and spans[k, 3]:
                    longest[3, i] = max(longest[3, i], spans[k, 2])
        characters[i] = len(text) - continuation_bytes(text)
        covered[0, i] = _covered(text, spans, bounds, False)
        covered[1, i] = _covered(text, spans, bounds, True)
    return longest, covered, characters


@leaf
def next_stretch(text: Any, at: int, table: Any, kind: Any, least: int) -> Any:
    """(start, end) of the first stretch of `least` bytes or more that all are of the class `kind`, from `at` on, where
    none may be under way; (len(text), len(text)) if there is none. Looks at no byte twice."""
    size = len(text)
    start = known = at  # text[start:known] is of the class
    while start + least <= size:
        p = start + least - 1
        while p >= known and table[text[p]] & kind:
            p -= 1
        if p < known:
            end = start + least
            while end < size and table[text[end]] & kind:
                end += 1
            return start, end
        known = start + least
        start = p + 1
    return size, size


@kernel
def _with_span(spans: Any, count: int, start: int, end: int, characters: int, counts: bool) -> Any:
    if count == len(spans):
        more = np.empty((2 * count, 4), dtype=np.int64)
        more[:count] = spans
        spans = more
    spans[count, 0], spans[count, 1], spans[count, 2], spans[count, 3] = start, end, characters, counts
    return spans


@kernel
def _base64(text: Any, spans: Any) -> Any:
    count = 0
    start, end = next_stretch(text, 0, _CLASSES, _IN_BASE64, _LEAST_BASE64)
    while start < len(text):
        spans = _with_span(spans, count, start, end, end - start, _is_data(text[start:end]))
        count += 1
        start, end = next_stretch(text, end, _CLASSES, _IN_BASE64, _LEAST_BASE64)
    return spans, count


@leaf
def _is_data(match: Any) -> bool:
    """Whether a base64 match is data: see the docstring of this file."""
    alphanumeric = lower = open_vowels = in_long_lines = 0
    begin = 0
    for p in range(len(match)):
        byte = match[p]
        if byte == 0x0A:
            in_long_lines += p - begin if p - begin >= _LONG_LINE else 0
            begin = p + 1
        elif 0x61 <= byte <= 0x7A:
            alphanumeric += 1
            lower += 1
            # e, i, o, u
            open_vowels += byte == 0x65 or byte == 0x69 or byte == 0x6F or byte == 0x75
        elif byte >= 0x30 and byte != 0x3D:  # neither "+", "/" nor "="
            alphanumeric += 1
    in_long_lines += len(match) - begin if len(match) - begin >= _LONG_LINE else 0
    if 2 * alphanumeric < len(match) or 2 * in_long_lines < len(match):
        return False
    return 10 * lower < 7 * alphanumeric or 100 * open_vowels < 22 * lower


@kernel
def _hex(text: Any, words: Any, spans: Any, count: int) -> Any:
    start, end = _next_hex(text, 0)
    while start < len(text):
        p = start
        while p + _LEAST_HEX <= end:
            if not _CLASSES[text[p]] & _DIGIT and text[p] != 0x5C:  # no unit begins here
                p += 1
                continue
            units = 0
            q = p
            after = _hex_unit(text, p, words)
            while after >= 0:
                q = after
                units += 1
                after = _hex_unit(text, q, words)
            if units >= _LEAST_UNITS:
                spans = _with_span(spans, count, p, q, q - p - continuation_bytes(text[p:q]), True)
                count += 1
            # A unit inside this chain would end where the chain does, with fewer units.
            p = max(q, p + 1)
        start, end = _next_hex(text, end)
    return spans, count


@leaf
def _next_hex(text: Any, at: int) -> Any:
    """`next_stretch` of _IN_HEX, 64 bytes at a time."""
    size = len(text)
    while at + 64 <= size:
        runs = _in_hex(text, at)
        for steps in (1, 2, 4, 8, 7):  # 2, 4, 8, 16 and 23 in a row from here on
            runs &= runs >> np.uint64(steps)
        if runs:
            return next_stretch(text, at + lowest(runs), _CLASSES, _IN_HEX, _LEAST_HEX)
        at += 64 - _LEAST_HEX + 1  # a later stretch may begin with the last 22 bytes
    return next_stretch(text, at, _CLASSES, _IN_HEX, _LEAST_HEX)


@leaf
def _in_hex(text: Any, at: int) -> Any:
    """Bit i: text[at + i] is of the class _IN_HEX."""
    bits = between(text, at, 0x30, 10) | between(text, at, 0x41, 6) | between(text, at, 0x61, 6) | equal(text, at, 0x78)
    bits |= between(text, at, 0x09, 5) | between(text, at, 0x1C, 5) | equal(text, at, 0x2C) | equal(text, at, 0x5C)
    if between(text, at, 0x80, 128):
        for byte in _BEYOND:
            bits |= equal(text, at, byte)
    return bits


@leaf
def _hex_unit(text: Any, at: int, words: Any) -> int:
    r"""Where \b(?:0x|\\x)?[0-9a-fA-F]{2}(?:,|\b\s*) ends if it matches at `at`; otherwise -1."""
    size = len(text)
    if at + 2 > size:
        return -1
    p = at
    backslash = text[p] == 0x5C
    # A word begins or ends here: before a digit stands no word character, before "\" one does.
    if _word_before(text, at, words) != backslash:
        return -1
    if text[p + 1] == 0x78 and (backslash or text[p] == 0x30):
        p += 2
        if p + 2 > size:
            return -1
    if not (_CLASSES[text[p]] & _DIGIT and _CLASSES[text[p + 1]] & _DIGIT):
        return -1
    p += 2
    if p < size and text[p] == 0x2C:
        return p + 1
    if p < size and _word_at(text, p, words):
        return -1
    while p < size:
        if text[p] < 0x80:
            if not _CLASSES[text[p]] & _SPACE:
                break
            p += 1
        else:
            point, after = code_point(text, p, size)
            if not _is_space(point):
                break
            p = after
    return p


@leaf
def _word_at(text: Any, at: int, words: Any) -> Any:
    point = np.uint64(text[at])
    if point >= 0x80:
        point, _ = code_point(text, at, len(text))
    return (words[point] & _WORD) != 0


@leaf
def _word_before(text: Any, at: int, words: Any) -> Any:
    if at == 0:
        return False
    p = at - 1
    while p > 0 and at - p < 4 and text[p] & 0xC0 == 0x80:
        p -= 1
    return _word_at(text, p, words)


@leaf
def _is_space(point: Any) -> Any:
    """White space beyond ASCII."""
    if point < 0x2000:
        return point == 0x85 or point == 0xA0 or point == 0x1680
    return (
        point <= 0x200A or point == 0x2028 or point == 0x2029 or point == 0x202F or point == 0x205F or point == 0x3000
    )


@kernel
def _unicode(text: Any, spans: Any, count: int) -> Any:
    start, end = next_stretch(text, 0, _CLASSES, _IN_UNICODE, _LEAST_UNICODE)
    while start < len(text):
        p = start
        while p + _LEAST_UNICODE <= end:
            q = p
            while q + 6 <= end and text[q] == 0x5C and text[q + 1] == 0x75:
                digits = 0
                for k in range(q + 2, q + 6):
                    digits += (_CLASSES[text[k]] & _DIGIT) != 0
                if digits < 4:
                    break
                q += 6
            if q - p >= _LEAST_UNICODE:
                spans = _with_span(spans, count, p, q, q - p, True)
                count += 1
            p = max(q, p + 1)
        start, end = next_stretch(text, end, _CLASSES, _IN_UNICODE, _LEAST_UNICODE)
    return spans, count


@kernel
def _covered(text: Any, spans: Any, bounds: Any, data_only: bool) -> int:
    """Characters in any of the spans, which are ordered within each pattern."""
    at = bounds[:3].copy()
    total = 0
    reached = 0  # bytes before it are counted
    while True:
        first = -1
        for kind in range(3):
            while data_only and at[kind] < bounds[kind + 1] and not spans[at[kind], 3]:
                at[kind] += 1
            if at[kind] < bounds[kind + 1] and (first < 0 or spans[at[kind], 0] < spans[at[first], 0]):
                first = kind
        if first < 0:
            return total
        start, end = max(spans[at[first], 0], reached), spans[at[first], 1]
        if end > start:
            total += end - start - continuation_bytes(text[start:end])
            reached = end
        at[first] += 1
