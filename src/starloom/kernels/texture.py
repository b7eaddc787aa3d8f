"""What a file looks like, without knowing its language: the counts behind the heuristic quality score.

All counts are of bytes of UTF-8; a byte from 0x80 counts as a letter. A line ends at "\\n". A word is a run of ASCII
letters, digits, "_" and bytes from 0x80 that begins with no digit. A telling line has at least TELLING bytes that are
no white space: the others (a brace, an `end`) repeat in any code. A telling line repeats when one with the same bytes,
white space at its ends aside, stood before it.

Cost: see `bench/quality.py`; a few passes, and a table of at most 12 MB. A line that finds no place in the table within
PROBES steps counts as new, so that no file can make this slow.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.cache import kernel, leaf
from starloom.kernels.counting import BLOCK, is_digit, is_letter
from starloom.kernels.line_hash import line_hash
from starloom.kernels.ngrams import DIGIT, LETTER, SPACE, byte_classes
from starloom.kernels.swar import line_end
from starloom.kernels.text import Int64s, UInt8s, checked
from starloom.kernels.vectors import BITS, between, equal, highest, last, lowest, ones

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
_CLASSES = byte_classes()
_NONE, _ONE, _LAST = np.uint64(0), np.uint64(1), np.uint64(63)


def texture(offsets: Int64s, data: UInt8s) -> NDArray[np.int64]:
    """int64[COUNTS, n]: one column a file.

    `comments` are lines that begin with "#", "//", "/*", "*", "--", ";", "%", "\\"\\"\\"" or "<!--", white space aside:
    near enough for a score, not for a parser (`languages/comments` knows the languages).
    """
    offsets, data = checked(offsets, data)
    return np.asarray(_texture(offsets, data, _CLASSES))


@leaf
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


@leaf
def _slots(lines: int) -> int:
    """Slots of the table of lines: a power of two, twice as many as there are lines, or SLOTS."""
    slots = 64
    while slots < SLOTS and slots < 2 * lines:
        slots *= 2
    return slots


@kernel
def _texture(offsets: Any, data: Any, classes: Any) -> Any:
    n = len(offsets) - 1
    counts = np.zeros((13, n), dtype=np.int64)
    tail = np.empty(64, dtype=np.uint8)
    hashes = np.zeros(64, dtype=np.uint64)
    owners = np.zeros(64, dtype=np.int32)  # the file, from 1, that filled a slot
    for i in range(n):
        text = data[offsets[i] : offsets[i + 1]]
        letters, digits, spaces, ends, words = _bytes(text)
        numbers, is_long = _number_bytes(text, tail)
        long_bytes = _long_bytes(text, classes) if is_long else 0
        counts[0, i], counts[1, i], counts[2, i] = letters, digits, spaces
        counts[3, i] = len(text) - letters - digits - spaces - ends
        counts[10, i], counts[11, i], counts[12, i] = words, letters + digits - numbers, long_bytes
        slots = _slots(ends + 1)
        if slots > len(hashes):
            hashes, owners = np.zeros(slots, dtype=np.uint64), np.zeros(slots, dtype=np.int32)
        _lines(text, classes, counts[:, i], hashes, owners, i + 1, slots)
    return counts


@leaf
def _bytes(text: Any) -> Any:
    """(letters, digits, spaces, line ends, words); see counting.py."""
    letters: Any = 0
    digits: Any = 0
    spaces: Any = 0
    ends: Any = 0
    words: Any = 0
    if len(text):
        letters += _is_letter(text[0])
        digits += is_digit(text[0])
        spaces += _is_space(text[0])
        ends += text[0] == 0x0A
        words += letters
    for start in range(1, len(text), BLOCK):
        block = text[start : start + BLOCK]
        before = text[start - 1 : start - 1 + len(block)]
        letters_here, digits_here, spaces_here = np.uint8(0), np.uint8(0), np.uint8(0)
        ends_here, words_here = np.uint8(0), np.uint8(0)
        for p in range(len(block)):
            letter = _is_letter(block[p])
            letters_here = np.uint8(letters_here + letter)
            digits_here = np.uint8(digits_here + is_digit(block[p]))
            spaces_here = np.uint8(spaces_here + _is_space(block[p]))
            ends_here = np.uint8(ends_here + (block[p] == 0x0A))
            words_here = np.uint8(words_here + (letter & ~(_is_letter(before[p]) | is_digit(before[p]))))
        letters, digits, spaces = letters + letters_here, digits + digits_here, spaces + spaces_here
        ends, words = ends + ends_here, words + words_here
    return letters, digits, spaces - ends, ends, words


@leaf
def _is_letter(byte: Any) -> Any:
    return is_letter(byte) | (byte == 0x5F) | (byte >= 0x80)


@leaf
def _is_space(byte: Any) -> Any:
    return (np.uint8(byte - np.uint8(0x09)) < 5) | (byte == 0x20)


@leaf
def _number_bytes(text: Any, tail: Any) -> Any:
    """(bytes of the runs of letters and digits that begin with a digit, whether any run may be longer than LONG_WORD).
    `tail`: 64 bytes to work in."""
    size = len(text)
    last(text, tail)
    count: Any = 0
    before, goes_on = _NONE, _NONE  # the byte before is of a run; of one that counts
    length: Any = 0  # of the run that reaches the byte before, at most
    is_long = False
    for base in range(0, size, 64):
        if base + 64 <= size:
            letters, digits = _letters_and_digits(text, base)
        else:
            letters, digits = _letters_and_digits(tail, 0)
        runs = letters | digits
        begins = digits & ~(runs << _ONE | before) | (runs & goes_on)
        inside = runs & ~(runs + begins)  # the sum carries from a run's first bit to behind its last
        count += ones(inside)
        before, goes_on = runs >> _LAST, inside >> _LAST
        is_long |= length + lowest(~runs) > LONG_WORD
        length = length + BITS if ~runs == _NONE else BITS - 1 - highest(~runs)
        for steps in (1, 2, 4, 8, 16, 9):  # 2, 4, 8, 16, 32 and 41 in a row
            runs &= runs >> np.uint64(steps)
        is_long |= runs != _NONE
    return count, is_long


@leaf
def _letters_and_digits(text: Any, at: Any) -> Any:
    letters = between(text, at, 0x41, 26) | between(text, at, 0x61, 26) | equal(text, at, 0x5F)
    return letters | between(text, at, 0x80, 128), between(text, at, 0x30, 10)


@leaf
def _long_bytes(text: Any, classes: Any) -> Any:
    """Bytes of the runs of letters and digits that are longer than LONG_WORD."""
    size = len(text)
    count: Any = 0
    begin = 0  # no run that goes on
    while begin + LONG_WORD < size:
        # Most runs are short: the last other byte that so long a run must not hold, found from behind.
        p = begin + LONG_WORD
        while p >= begin and (classes[text[p]] == LETTER or classes[text[p]] == DIGIT):
            p -= 1
        if p >= begin:
            begin = p + 1
            continue
        stop = begin + LONG_WORD + 1
        while stop < size and (classes[text[stop]] == LETTER or classes[text[stop]] == DIGIT):
            stop += 1
        count += stop - begin
        begin = stop + 1
    return count


@leaf
def _lines(text: Any, classes: Any, counts: Any, hashes: Any, owners: Any, owner: int, slots: int) -> None:
    size = len(text)
    last = np.uint64(slots - 1)  # a small file stays in the fast part of memory
    lines, blank, telling, repeated, comments, overhang = 0, 0, 0, 0, 0, 0
    start = 0
    while start < size:
        stop, low, high, solid = _line(text, start, classes)
        lines += 1
        overhang += max(stop - start - LONG_LINE, 0)
        if solid == 0:
            blank += 1
        else:
            if _begins_comment(text, low, high):
                comments += 1
            if solid >= TELLING:
                telling += 1
                h = line_hash(text[low:high])
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


@leaf
def _line(text: Any, start: int, classes: Any) -> Any:
    """(its end, where what is no white space begins and ends in it, how many bytes are none: of a long line
    TELLING if more)."""
    if start + BITS <= len(text):
        size = lowest(equal(text, start, 0x0A))
        if size < BITS:  # as most
            solid = ~(between(text, start, 0x09, 5) | equal(text, start, 0x20)) & ((_ONE << np.uint64(size)) - _ONE)
            return start + size, start + min(lowest(solid), size), start + highest(solid) + 1, ones(solid)
    stop = line_end(text, start)
    low, high = start, stop
    while low < high and classes[text[low]] == SPACE:
        low += 1
    while high > low and classes[text[high - 1]] == SPACE:
        high -= 1
    count: Any = 0
    p = low
    while p < high and count < TELLING:
        count += classes[text[p]] != SPACE
        p += 1
    return stop, low, high, count
