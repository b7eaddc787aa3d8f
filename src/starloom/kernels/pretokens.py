r"""Text cut into pre-tokens: the stretches inside which byte pairs are joined. StarCoder2's rule, and ours.

Every number (`\p{N}`) is one by itself; what lies between two numbers is cut by GPT-2's pattern

    's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+

in which a run of white space before a number stands at an end of text. But for the apostrophes, whether a character
begins a pre-token is settled by its own kind and those of its two neighbours:

- a number, and what follows one, always;
- a letter after anything but letters and a blank (U+0020); a sign after anything but signs and a blank;
- white space after anything else; white space after white space where a letter or a sign follows, and only there.

So the kinds are bytes, and the beginnings are found for many bytes at once. Kinds are those of Unicode 14 (what
`code_points` ships); of a text with a character that is newer nothing is said. Cost: 1.2 GB/s.
"""

import functools
from typing import Any

import numpy as np

from starloom.kernels.cache import kernel
from starloom.kernels.code_points import ALPHA, ALPHANUMERIC, assigned, properties
from starloom.kernels.decoding import code_point
from starloom.kernels.text import UInt8s

# What the bytes of a character are, as bits. TAIL: not the first byte of a number or of white space; LAST: white space
# beyond ASCII that begins a pre-token, because a letter or a sign follows.
LETTER, SIGN, NUMBER, SPACE, BLANK, TAIL, LAST, NEWER = 1, 2, 4, 8, 16, 32, 64, 128

_WHITE = (*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
_ONE, _TWO, _THREE, _FOUR, _FIVE = (np.uint8(number) for number in range(1, 6))
_LETTER, _SIGN, _NUMBER, _SPACE, _LAST = (np.uint8(one) for one in (LETTER, SIGN, NUMBER, SPACE, LAST))
_NONE, _WORD = np.uint8(0), np.uint8(LETTER | SIGN)
_APOSTROPHE, _S, _T, _M, _D, _L, _V, _R, _E = (ord(one) for one in "'stmdlvre")


@functools.cache
def kinds() -> UInt8s:
    """uint8[0x110000], the kind of each code point. 1.1 MB."""
    table = np.full(0x110000, SIGN, dtype=np.uint8)
    table[(properties() & ALPHANUMERIC) != 0] = NUMBER  # what is alphanumeric and no letter has a category N
    table[(properties() & ALPHA) != 0] = LETTER
    table[list(_WHITE)] = SPACE
    table[ord(" ")] = SPACE | BLANK
    table[~assigned()] = NEWER
    table.flags.writeable = False
    return table


@kernel
def pretokens(text: Any, kinds: Any, kind: Any, begins: Any, stops: Any) -> Any:
    """How many pre-tokens `text` (uint8[n], UTF-8) has, or -1 if it has a newer character. Pre-token i ends at
    stops[i + 1] and begins at stops[i]. Written over: kind uint8[n + 2 or more], begins uint8[n or more], stops
    int32[n + 1 or more]."""
    n = len(text)
    if not _ascii(text, kinds, kind[1:]) and not _beyond_ascii(text, kinds, kind[1:]):
        return -1
    kind[0] = kind[n + 1] = _NONE
    _begin(kind[:n], kind[1 : n + 1], kind[2 : n + 2], begins[:n])
    count: Any = 0
    for i in range(n):  # without a branch
        stops[count] = i
        count += begins[i]
    stops[count] = n
    return _contracted(text, stops, count)


@kernel
def _ascii(text: Any, kinds: Any, kind: Any) -> bool:
    """Whether the text is ASCII; if so, its kinds."""
    together = _NONE
    for i in range(len(text)):
        together |= text[i]
    if together >= 128:
        return False
    for i in range(len(text)):
        kind[i] = kinds[text[i]]
    return True


@kernel
def _beyond_ascii(text: Any, kinds: Any, kind: Any) -> bool:
    """Whether every character is known; if so, the kinds of its bytes."""
    at: Any = 0
    end = len(text)
    while at < end:
        here: Any = kinds[text[at]]
        after: Any = at + 1
        if text[at] >= 128:
            point, after = code_point(text, at, end)
            here = kinds[point]
        if here == NEWER:
            return False
        rest = here
        if after > at + 1:
            if here == SPACE:
                rest = np.uint8(SPACE | TAIL)
                if after < end and _kind_at(text, after, end, kinds) & _WORD:
                    here = np.uint8(SPACE | LAST)
            elif here == NUMBER:
                rest = np.uint8(NUMBER | TAIL)
        kind[at] = here
        for k in range(at + 1, after):
            kind[k] = rest
        at = after
    return True


@kernel
def _kind_at(text: Any, at: Any, end: Any, kinds: Any) -> Any:
    if text[at] < 128:
        return kinds[text[at]]
    point, _ = code_point(text, at, end)
    return kinds[point]


@kernel
def _begin(before: Any, here: Any, after: Any, begins: Any) -> None:
    """1 where a pre-token begins, by the kinds of each byte and its neighbours; eight-bit arithmetic throughout, so
    that 32 or 64 bytes go at once."""
    for i in range(len(begins)):
        b, h, a = before[i], here[i], after[i]
        joined = b | ((b >> _FOUR) & _ONE) | ((b >> _THREE) & _TWO)  # BLANK >> 4 is LETTER, BLANK >> 3 is SIGN
        found = ((h | b) & _NUMBER) | (h & _WORD & ~joined)
        found |= h & _SPACE & (~b | ((a | (a << _ONE)) << _TWO))  # SIGN << 2 and LETTER << 3 are SPACE
        found |= h & _LAST
        first = ((h >> _FIVE) & _ONE) ^ _ONE
        begins[i] = np.uint8(np.uint8(found) != _NONE) & first


@kernel
def _contracted(text: Any, stops: Any, count: Any) -> Any:
    """The count, after contractions are put together: an apostrophe that begins a pre-token, and what follows it."""
    kept = np.int64(0)
    i = np.int64(0)
    while i < count:
        at = np.int64(stops[i])
        stops[kept] = at
        kept += 1
        i += 1
        if text[at] != _APOSTROPHE or i == count or stops[i] != at + 1:
            continue
        end = np.int64(stops[i + 1])
        one: Any = text[at + 1]
        size = 1
        if one in (_S, _T, _M, _D):
            size = 2
        elif end - at > 2:
            two: Any = text[at + 2]
            if (one == _L and two == _L) or (one in (_V, _R) and two == _E):
                size = 3
        if size > 1:
            stops[i] = at + size
            if at + size == end:
                i += 1
    stops[kept] = stops[count]
    return kept
