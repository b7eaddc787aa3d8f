"""What a file looks like, without knowing its language: the counts behind the heuristic quality score.

All counts are of bytes of UTF-8; a byte from 0x80 counts as a letter. A line ends at "\\n". A word is a run of ASCII
letters, digits, "_" and bytes from 0x80 that begins with no digit. A telling line has at least TELLING bytes that are
no white space: the others (a brace, an `end`) repeat in any code. A telling line repeats when one with the same bytes,
white space at its ends aside, stood before it.

Cost: see `bench/quality.py`; two passes, and a table of at most 12 MB. A line that finds no place in the table within
PROBES steps counts as new, so that no file can make this slow.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.cache import kernel
from starloom.kernels.decoding import mix
from starloom.kernels.ngrams import DIGIT, LETTER, SIGN, SPACE, byte_classes
from starloom.kernels.text import Int64s, UInt8s, checked

LONG_LINE: Final = 120  # bytes; what a line has beyond it is overhang
LONG_WORD: Final = 40  # bytes
TELLING: Final = 8  # bytes
SLOTS: Final = 1 << 20  # of the table of lines, at most
PROBES: Final = 32

# Columns of `texture`
COUNTS: Final = (
    *("letters", "digits", "spaces", "signs"),  # bytes; line ends are neither
    *("lines", "blank", "telling", "repeated", "comments"),  # lines
    *("overhang", "words", "word_bytes", "long_word_bytes"),
)
_SEED, _STEP = np.uint64(0x629A292A367CD507), np.uint64(0x6A09E667F3BCC909)
_CLASSES = byte_classes()


def texture(offsets: Int64s, data: UInt8s) -> NDArray[np.int64]:
    """int64[COUNTS, n]: one column a file.

    `comments` are lines that begin with "#", "//", "/*", "*", "--", ";", "%", "\\"\\"\\"" or "<!--", white space aside:
    near enough for a score, not for a parser (`languages/comments` knows the languages).
    """
    offsets, data = checked(offsets, data)
    return np.asarray(_texture(offsets, data, _CLASSES))


@kernel
def _begins_comment(text: Any, start: int, stop: int) -> bool:
    first = text[start]
    second = text[start + 1] if start + 1 < stop else np.uint8(0)
    if first == 0x23 or first == 0x3B or first == 0x25 or first == 0x2A:  # # ; % *
        return True
    if first == 0x2F:  # //, /*
        return bool(second == 0x2F or second == 0x2A)
    if first == 0x2D:  # --
        return bool(second == 0x2D)
    if first == 0x22:  # """
        return bool(second == 0x22 and start + 2 < stop and text[start + 2] == 0x22)
    if first == 0x3C:  # <!--
        return bool(second == 0x21 and start + 2 < stop and text[start + 2] == 0x2D)
    return False


@kernel
def _slots(offsets: Any) -> int:
    """Slots of the table of lines: a power of two, twice the telling lines that the longest file can have, or SLOTS."""
    longest = 0
    for i in range(len(offsets) - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    slots = 64
    while slots < SLOTS and slots < 2 * (longest // TELLING + 1):
        slots *= 2
    return slots


@kernel
def _texture(offsets: Any, data: Any, classes: Any) -> Any:
    n = len(offsets) - 1
    counts = np.zeros((13, n), dtype=np.int64)
    slots = _slots(offsets)
    hashes = np.zeros(slots, dtype=np.uint64)
    owners = np.zeros(slots, dtype=np.int32)  # the file, from 1, that filled a slot
    for i in range(n):
        text = data[offsets[i] : offsets[i + 1]]
        _words(text, classes, counts[:, i])
        _lines(text, classes, counts[:, i], hashes, owners, i + 1)
    return counts


@kernel
def _words(text: Any, classes: Any, counts: Any) -> None:
    size = len(text)
    by_class = np.zeros(5, dtype=np.int64)
    words, word_bytes, long_bytes = 0, 0, 0
    begin = -1  # of the word or number that goes on
    is_word = False
    for p in range(size + 1):
        kind = classes[text[p]] if p < size else SPACE
        if p < size:
            by_class[kind] += 1
        if kind in (LETTER, DIGIT):
            if begin < 0:
                begin = p
                is_word = kind == LETTER
        elif begin >= 0:
            length = p - begin
            if is_word:
                words += 1
                word_bytes += length
            if length > LONG_WORD:
                long_bytes += length
            begin = -1
    counts[0], counts[1] = by_class[LETTER], by_class[DIGIT]
    counts[2], counts[3] = by_class[SPACE], by_class[SIGN]
    counts[10], counts[11], counts[12] = words, word_bytes, long_bytes


@kernel
def _lines(text: Any, classes: Any, counts: Any, hashes: Any, owners: Any, owner: int) -> None:
    size = len(text)
    last = np.uint64(len(hashes) - 1)
    lines, blank, telling, repeated, comments, overhang = 0, 0, 0, 0, 0, 0
    start = 0
    while start < size:
        stop = start
        while stop < size and text[stop] != 0x0A:
            stop += 1
        lines += 1
        overhang += max(stop - start - LONG_LINE, 0)
        low, high = start, stop
        while low < high and classes[text[low]] == SPACE:
            low += 1
        while high > low and classes[text[high - 1]] == SPACE:
            high -= 1
        if low == high:
            blank += 1
        else:
            if _begins_comment(text, low, high):
                comments += 1
            solid = 0
            h = _SEED
            for p in range(low, high):
                solid += classes[text[p]] != SPACE
                h = (h ^ np.uint64(text[p])) * _STEP
            if solid >= TELLING:
                telling += 1
                h = mix(h)
                slot = h & last
                probes = 0
                while owners[slot] == owner and hashes[slot] != h and probes < PROBES:
                    slot = (slot + np.uint64(1)) & last
                    probes += 1
                if owners[slot] == owner and hashes[slot] == h:
                    repeated += 1
                elif owners[slot] != owner:
                    owners[slot] = owner
                    hashes[slot] = h
        start = stop + 1
    counts[4], counts[5], counts[6] = lines, blank, telling
    counts[7], counts[8], counts[9] = repeated, comments, overhang
