"""What is counted of one comment or string: its characters, and the prose in it.

Prose: four or more words in a row. White space parts a text into pieces; a piece is a word if it is letters, with
apostrophes and hyphens, between marks that prose has around words (and those that stand before comments); a piece of
such marks alone is passed over; any other piece (a call, an assignment, a number, a path) ends the row. In scripts
whose letters take three bytes or more in UTF-8 two letters more count as a word more, as Chinese, Japanese and Thai
leave no white space between words.
"""

from typing import Any

import numpy as np

from starloom.kernels.cache import leaf
from starloom.kernels.code_points import ALPHA, WORD
from starloom.kernels.counting import BLOCK, continuation_bytes
from starloom.kernels.decoding import code_point
from starloom.kernels.lexical_rules import COMMENT, STRING

COMMENT_CHARACTERS, STRING_CHARACTERS, LONGEST_STRING, PROSE_CHARACTERS = 3, 4, 5, 6  # of the counts
COUNTS = 7
LEAST_WORDS = 4
BEFORE_WORDS, AFTER_WORDS, INSIDE_WORDS = b"(\"'*#/;%!-", b".,;:!?)\"'", b"'-"

_ALPHA, _WORD = np.uint32(ALPHA), np.uint32(WORD)
_LEADING, _TRAILING, _JOINING, _OTHER, _LETTERS, _WHITE = 1, 2, 4, 8, 16, 32
_WORDS, _CHARACTERS, _END, _KIND = 0, 1, 2, 3  # of a run


def _classes() -> Any:
    classes = np.full(256, _OTHER, np.uint8)
    for byte in range(128):
        if chr(byte).isalpha():
            classes[byte] = _LETTERS
        elif byte in b" \t\n\v\f\r":
            classes[byte] = _WHITE
    for marks, bit in ((BEFORE_WORDS, _LEADING), (AFTER_WORDS, _TRAILING), (INSIDE_WORDS, _JOINING)):
        for byte in marks:
            classes[byte] = (classes[byte] & ~np.uint8(_OTHER)) | np.uint8(bit)
    return classes


_CLASSES = _classes()


@leaf
def take(text: Any, start: Any, end: Any, kind: Any, prose: Any, table: Any, counts: Any, run: Any) -> None:
    """Counts text[start:end]. `run`: the row of words so far, the characters of its words, where the last text taken
    ended and its kind; the row goes on from comment to comment if only white space lies between."""
    if kind == COMMENT:
        counts[COMMENT_CHARACTERS] += solid(text[start:end])
    else:
        length = characters(text[start:end])
        counts[STRING_CHARACTERS] += length
        counts[LONGEST_STRING] = max(counts[LONGEST_STRING], length)
    if not prose:
        return
    if kind == STRING or run[_KIND] == STRING or not _blank(text, run[_END], start):
        finish(counts, run)
    read(text, start, end, table, counts, run)
    run[_END] = end
    run[_KIND] = kind


@leaf
def finish(counts: Any, run: Any) -> None:
    """The row of words is over."""
    if run[_WORDS] >= LEAST_WORDS:
        counts[PROSE_CHARACTERS] += run[_CHARACTERS]
    run[_WORDS] = 0
    run[_CHARACTERS] = 0


@leaf
def solid(text: Any) -> Any:
    """Characters that are not ASCII white space."""
    count: Any = 0
    for start in range(0, len(text), BLOCK):
        block = text[start : start + BLOCK]
        here = np.uint8(0)
        for p in range(len(block)):
            c = block[p]
            here = np.uint8(here + (((c & 0xC0) != 0x80) & (c != 0x20) & (np.uint8(c - np.uint8(9)) > 4)))
        count += here
    return count


@leaf
def characters(text: Any) -> Any:
    """Code points."""
    return len(text) - continuation_bytes(text)


@leaf
def read(text: Any, start: Any, end: Any, table: Any, counts: Any, run: Any) -> None:
    """Every piece of text[start:end] between white space."""
    p = start
    while 0 <= p < end:
        while 0 <= p < end and _CLASSES[text[p]] == _WHITE:
            p += 1
        if p == end:
            return
        begin = p
        while 0 <= p < end and _CLASSES[text[p]] == _LETTERS:
            p += 1
        if p > begin and (p == end or _CLASSES[text[p]] == _WHITE):  # as most
            run[_WORDS] += 1
            run[_CHARACTERS] += p - begin
            continue
        p = begin
        length, wide, inside, after, good = 0, 0, False, False, True
        while 0 <= p < end:
            c = text[p]
            length += 1
            if c >= 0x80:
                point, p = code_point(text, p, end)
                if table[point] & _ALPHA:
                    good = good and not after
                    inside = True
                    wide += point >= np.uint64(0x800)
                elif table[point] & _WORD:
                    good = False  # a digit
                continue
            k = _CLASSES[c]
            if k == _WHITE:
                length -= 1
                break
            p += 1
            if k & _LETTERS:
                good = good and not after
                inside = True
            elif not inside:
                good = good and (k & (_LEADING | _TRAILING)) > 0
            elif k & _JOINING and not after:
                pass
            elif k & _TRAILING:
                after = True
            else:
                good = False
        if not good:
            finish(counts, run)
        elif inside:
            run[_WORDS] += 1 + wide // 2
            run[_CHARACTERS] += length


@leaf
def _blank(text: Any, start: Any, end: Any) -> Any:
    """Whether text[start:end] is white space."""
    for p in range(start, end):  # noqa: SIM110 - Numba knows no generators in all()
        if text[p] != 0x20 and not 9 <= text[p] <= 13:
            return False
    return True
