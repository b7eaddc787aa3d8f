r"""Runs of numbers in a text: data in code, tables, dumps.

A run of numbers is a stretch of at least 256 characters that begins and ends with a number, holds nothing but numbers
and what stands between them (ASCII white space, `,` `;` `:` `|`, quotes, signs, brackets), and of which at least an
eighth is numbers. A number is decimal (also 1.5e-3, 1_000) or hexadecimal with 0x, may end in u, l, f or several of
these, and is no part of a word; or it is an escape (\x41, \101).

Cost: 3.6 GB/s of ordinary text, in which few bytes are looked at (`runs.next_stretch`); linear in any.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.cache import leaf
from starloom.kernels.runs import next_stretch

LEAST_RUN = 256  # characters

# What a byte can be part of.
_IN_RUN, _BETWEEN, _HEX, _SUFFIX, _WORD = (np.uint8(1 << bit) for bit in range(5))


def _classes() -> NDArray[np.uint8]:
    table = np.zeros(256, dtype=np.uint8)
    digits, hexadecimal = b"0123456789", b"0123456789abcdefABCDEF"
    between = b"\t\n\v\f\r\x1c\x1d\x1e\x1f ,;:|'\"+-()[]{}"
    suffixes = b"uUlLfF"
    letters = bytes(range(0x41, 0x5B)) + bytes(range(0x61, 0x7B))
    for kind, members in (
        (_IN_RUN, hexadecimal + between + suffixes + b"xX._\\"),
        (_BETWEEN, between),
        (_HEX, hexadecimal),
        (_SUFFIX, suffixes),
        (_WORD, digits + letters + b"_$" + bytes(range(0x80, 0x100))),
    ):
        table[list(members)] |= kind
    return table


_CLASSES = _classes()


@leaf
def number_runs(text: Any) -> Any:
    """(the longest, the sum of all) of one text, in characters."""
    longest = total = 0
    start, end = next_stretch(text, 0, _CLASSES, _IN_RUN, LEAST_RUN)
    while start < len(text):
        first, last, numbers = -1, -1, 0  # of the run under way
        p = start
        while p <= end:
            after = _number(text, p) if p < end else -1
            if after > 0:
                first = p if first < 0 else first
                last = after
                numbers += after - p
                p = after
            elif p < end and _CLASSES[text[p]] & _BETWEEN:
                p += 1
            else:  # the run is over
                length = last - first
                if length >= LEAST_RUN and 8 * numbers >= length:
                    longest = max(longest, length)
                    total += length
                first, last, numbers = -1, -1, 0
                p += 1
        start, end = next_stretch(text, end, _CLASSES, _IN_RUN, LEAST_RUN)
    return longest, total


@leaf
def _number(text: Any, at: int) -> int:
    """Where the number ends that begins at `at`; -1 if none does. The twin's pattern, by hand."""
    size = len(text)
    p = at
    if text[p] == 0x5C:
        p += 1
        if p < size and text[p] == 0x78:
            first = p + 1
            p = _digits(text, first, True)
        else:
            first = p
            while p < size and p < first + 3 and 0x30 <= text[p] <= 0x37:
                p += 1
        return -1 if p == first or _goes_on(text, p) else p
    if at > 0 and _CLASSES[text[at - 1]] & _WORD:
        return -1
    if text[p] == 0x30 and p + 2 < size and text[p + 1] | 0x20 == 0x78 and _CLASSES[text[p + 2]] & _HEX:
        p = _digits(text, p + 2, True)
    else:
        p = _digits(text, p, False)
        whole = p > at
        if p < size and text[p] == 0x2E:
            p = _digits(text, p + 1, False)
            if not whole and p == at + 1:
                return -1
        elif not whole:
            return -1
        if p < size and text[p] | 0x20 == 0x65:
            first = p + 2 if p + 1 < size and (text[p + 1] == 0x2B or text[p + 1] == 0x2D) else p + 1
            after = _digits(text, first, False)
            p = after if after > first else p
    while p < size and _CLASSES[text[p]] & _SUFFIX:
        p += 1
    return -1 if _goes_on(text, p) else p


@leaf
def _digits(text: Any, at: int, hexadecimal: bool) -> int:
    """The end of the digits from `at` on, with single "_" between them."""
    p = at
    while p < len(text):
        here = p + 1 if text[p] == 0x5F and at < p < len(text) - 1 else p
        if not (0x30 <= text[here] <= 0x39 or (hexadecimal and _CLASSES[text[here]] & _HEX)):
            break
        p = here + 1
    return p


@leaf
def _goes_on(text: Any, at: int) -> bool:
    return at < len(text) and (_CLASSES[text[at]] & _WORD) != 0
