"""Code whose names and literals were changed: tiles over the shape of its tokens, and the growth of what they find.

A shape is what a window of WIDTH tokens (`code_tokens`) says when its names are forgotten: marks, keywords, where a
number or a string stands, and of each name how many tokens before it the same name stood, or that it is new in the
window. Two windows have one shape just when a one-to-one renaming makes one of the other: Baker's parameterised
matching (STOC 1993). A stretch grows as long as every window of it has one shape on both sides: names may change
otherwise from one function to the next, as scopes do.

The corpus is cut at every STRIDE-th token of a file, a question asked at every one, as with tiles of text: what runs on
for GUARANTEE tokens, some ten lines, holds a whole tile. Dull windows, with fewer than KINDS different marks, keywords
and literals (tables of numbers, lists of names), are neither indexed nor asked. Cost: 140 MB/s for tiles, 50 MB/s for a
question; 0.007 tiles a byte of text.
"""

from typing import Any, NamedTuple

import numpy as np

from starloom.kernels.cache import kernel
from starloom.kernels.code_tokens import LEXICON, NAME, Tokens, lex
from starloom.kernels.decoding import mix
from starloom.kernels.shingles import longest_file
from starloom.kernels.text import Int64s, UInt8s, UInt32s, UInt64s, checked, frozen
from starloom.kernels.windows import BASE, extended

WIDTH = 32  # tokens of a tile
STRIDE = 20  # from one to the next
KINDS = 5
GUARANTEE = WIDTH + STRIDE - 1

_BACK = np.uint64(1 << 16)  # added to how far back a name stood, so that it is no mark
_POWERS = np.array([pow(BASE, k, 2**64) for k in range(WIDTH)], dtype=np.uint64)


class Windows(NamedTuple):
    """Of one text: the numbers of the tokens at which a window that is not dull begins, ascending, and their hashes."""

    tokens: Int64s
    hashes: UInt64s


class Stretches(NamedTuple):
    """Bytes start to end (exclusive) of the text asked about are bytes first to last of text `row`, renamed."""

    row: Int64s
    start: Int64s
    end: Int64s
    first: Int64s
    last: Int64s
    tokens: Int64s


def tiles(offsets: Int64s, data: UInt8s) -> tuple[Int64s, UInt64s]:
    """(bounds int64[n + 1], hashes uint64[]) of the tiles of each text that are not dull, in order."""
    offsets, data = checked(offsets, data)
    size = int(offsets[-1] - offsets[0])
    hashes = np.empty(size // STRIDE + len(offsets), dtype=np.uint64)
    bounds: Int64s = _tiles(offsets, data, LEXICON, hashes)
    return bounds, hashes[: bounds[-1]].copy()


def windows(asked: Tokens) -> Windows:
    """The windows at every token of a text."""
    most = max(len(asked.form) - WIDTH + 1, 0)
    numbers, hashes = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.uint64)
    found = _windows(frozen(asked.form, np.uint64), 1, numbers, hashes)
    return Windows(numbers[:found].copy(), hashes[:found].copy())


def grown(
    asked: Tokens, starts: Int64s, sizes: UInt32s, data: UInt8s, token: Int64s, row: Int64s, tile: Int64s
) -> Stretches:
    """The longest stretch around each candidate: the window at number `token` of the text asked about, and tile number
    `tile` of text `row`: sizes[row] bytes of `data`, from starts[row] on.

    Where the shapes differ it gives none, nor does one within a stretch that was found before. Ordered by row. Raises
    ValueError for a candidate outside the texts.
    """
    data = frozen(data, np.uint8)
    if len(row) and (row.min() < 0 or row.max() >= len(starts) or token.min() < 0 or tile.min() < 0):
        raise ValueError("a candidate names a text that is not there")
    if len(token) and token.max() > len(asked.form) - WIDTH:
        raise ValueError("a candidate lies outside its text")
    order = np.lexsort((token, tile, row))
    token, row, tile = (frozen(one[order], np.int64) for one in (token, row, tile))
    low = frozen(starts[row], np.int64)
    high = frozen(low + sizes[row].astype(np.int64), np.int64)
    if len(row) and (low.min() < 0 or high.max() > len(data)):
        raise ValueError("a text lies outside the data")
    form, start, end = frozen(asked.form, np.uint64), frozen(asked.start, np.int64), frozen(asked.end, np.int64)
    longest = int((high - low).max()) if len(row) else 0
    out = np.empty((6, len(row)), dtype=np.int64)
    found = _grown(form, start, end, data, token, row, tile, low, high, longest, LEXICON, out)
    return Stretches(*(one[:found].copy() for one in out))


@kernel
def _tiles(offsets: Any, data: Any, lexicon: Any, hashes: Any) -> Any:
    n = len(offsets) - 1
    longest = longest_file(offsets)
    form = np.empty(longest, dtype=np.uint64)
    start, end = np.empty(longest, dtype=np.int64), np.empty(longest, dtype=np.int64)
    numbers = np.empty(longest // STRIDE + 1, dtype=np.int64)
    bounds = np.zeros(n + 1, dtype=np.int64)
    for i in range(n):
        size = lex(data[offsets[i] : offsets[i + 1]], lexicon, form, start, end)
        bounds[i + 1] = bounds[i] + _windows(form[:size], STRIDE, numbers, hashes[bounds[i] :])
    return bounds


@kernel
def _windows(form: Any, stride: int, numbers: Any, hashes: Any) -> int:
    """Every stride-th window that is not dull: its first token and its hash; how many there are."""
    back = _backs(form)
    ahead = _aheads(back)
    found = 0
    h = np.uint64(0)
    for t in range(len(form)):
        at = t - WIDTH + 1
        if at > 0:  # out goes the token before the window; where its name stands next, it is new now
            far = ahead[at - 1]
            if far > 0:
                h -= np.uint64(far) * _POWERS[WIDTH - 1 - far]
            h -= (form[at - 1] if form[at - 1] < NAME else _BACK) * _POWERS[WIDTH - 1]
        h = extended(h, form[t] if form[t] < NAME else _BACK + np.uint64(back[t]))
        if at >= 0 and at % stride == 0 and not _is_dull(form, at):
            numbers[found], hashes[found] = at, mix(h)
            found += 1
    return found


@kernel
def _backs(form: Any) -> Any:
    """Of each name, how many tokens before it the same stands, if that is within a window; 0 otherwise."""
    back = np.zeros(len(form), dtype=np.uint8)
    for t in range(len(form)):
        if form[t] >= NAME:
            for far in range(1, min(t, WIDTH - 1) + 1):
                if form[t - far] == form[t]:
                    back[t] = far
                    break
    return back


@kernel
def _is_dull(form: Any, at: int) -> bool:
    """Whether the window at this token has fewer than KINDS different forms that are no names."""
    kinds = 0
    for t in range(at, at + WIDTH):
        if form[t] >= NAME:
            continue
        u = at
        while form[u] != form[t]:
            u += 1
        kinds += u == t
        if kinds == KINDS:
            return False
    return True


@kernel
def _fit(one: Any, other: Any, a: int, b: int, back: Any, other_back: Any, room: int) -> bool:
    """Whether token a may be token b, with so many tokens before both that are known to fit."""
    if one[a] < NAME or other[b] < NAME:
        return bool(one[a] == other[b])
    far, other_far = np.int64(back[a]), np.int64(other_back[b])
    return bool((far if far <= room else 0) == (other_far if other_far <= room else 0))


@kernel
def _aheads(back: Any) -> Any:
    """Of each name, how many tokens after it the same stands; the other way round from `_backs`."""
    ahead = np.zeros(len(back), dtype=np.uint8)
    for t in range(len(back)):
        if back[t] > 0:
            ahead[t - back[t]] = back[t]
    return ahead


@kernel
def _grown(
    asked: Any,
    asked_start: Any,
    asked_end: Any,
    data: Any,
    token: Any,
    row: Any,
    tile: Any,
    low: Any,
    high: Any,
    longest: int,
    lexicon: Any,
    out: Any,
) -> int:
    back = _backs(asked)
    ahead = _aheads(back)
    form = np.empty(longest, dtype=np.uint64)
    start, end = np.empty(longest, dtype=np.int64), np.empty(longest, dtype=np.int64)
    numbers, hashes = np.empty(longest // STRIDE + 1, dtype=np.int64), np.empty(longest // STRIDE + 1, dtype=np.uint64)
    # By how far token b of a row is behind token a: the end of what was grown there last, and of which candidate's row
    reached = np.zeros(len(asked) + longest + 1, dtype=np.int64)
    owner = np.full(len(asked) + longest + 1, -1, dtype=np.int64)
    tiles_there = size = 0
    found = 0
    for k in range(len(row)):
        if k == 0 or row[k] != row[k - 1]:
            size = lex(data[low[k] : high[k]], lexicon, form, start, end)
            tiles_there = _windows(form[:size], STRIDE, numbers, hashes)
            other_back = _backs(form[:size])
            other_ahead = _aheads(other_back)
        if tile[k] >= tiles_there:
            continue
        a, b = token[k], numbers[tile[k]]
        behind = b - a + len(asked)
        if owner[behind] == row[k] and a + WIDTH <= reached[behind]:
            continue
        stop = 0
        while (
            a + stop < len(asked) and b + stop < size and _fit(asked, form, a + stop, b + stop, back, other_back, stop)
        ):
            stop += 1
        if stop < WIDTH:
            continue
        stop += a
        while a > 0 and b > 0 and _fit(asked, form, a - 1, b - 1, ahead, other_ahead, stop - a):
            a -= 1
            b -= 1
        owner[behind], reached[behind] = row[k], stop
        out[0, found], out[5, found] = row[k], stop - a
        out[1, found], out[2, found] = asked_start[a], asked_end[stop - 1]
        out[3, found], out[4, found] = start[b], end[b + stop - a - 1]
        found += 1
    return found
