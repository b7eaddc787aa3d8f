r"""The shape of each file's text, whatever its language: white space, digits, minified code, runs of numbers, repeated
lines.

White space is `str.isspace` (and `\s` of `re`), digits are 0 to 9; both are shares of characters. A line is what stands
between two "\n".

A file is minified if at least half of its characters stand in lines of more than 300, and of the characters of these
lines at most 8 % are white space, at most 25 % digits, and at least 3 % are `;`, `(` or `)`. Minified JavaScript has
2 % and 8 %, a table of numbers no such marks, JSON on one line neither, prose 15 % white space, and generated headers
with long lines of declarations 9 % or more. Fewer marks than in code: minified HTML without scripts is not told.

Runs of numbers: see `number_runs`.

A line is repeated if an earlier one is the same but for ASCII white space at its end; blank lines do not count, nor
do lines after the first 1,048,576. Two lines are the same if their 64-bit hashes are.

Cost: about 600 MB/s (bench/kernels.py); linear in the text, whatever it is.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.cache import kernel, leaf
from starloom.kernels.counting import BLOCK, continuation_bytes, is_digit, newlines
from starloom.kernels.line_hash import line_hash
from starloom.kernels.number_runs import number_runs
from starloom.kernels.swar import line_end
from starloom.kernels.text import Int64s, UInt8s, checked
from starloom.kernels.vectors import BITS, between, equal, highest, lowest

LONG_LINE = 300  # characters: longer lines may be minified
MOST_LINES = 1 << 20  # whose repeats are counted

_ONE = np.uint64(1)
_LEAST_SLOTS = 256
_PROBES = 16  # for each line, on average: with more, somebody chose the lines so that their hashes meet


class Shape(NamedTuple):
    """One value a file."""

    whitespace_fraction: NDArray[np.float32]  # of characters, as the others where not said; 0 for an empty file
    digit_fraction: NDArray[np.float32]
    is_minified: NDArray[np.bool_]
    number_run_longest: NDArray[np.int32]  # characters; 0 if there is no run
    number_run_fraction: NDArray[np.float32]  # of characters, in runs
    duplicate_line_fraction: NDArray[np.float32]  # of lines that are not blank; 0 if there is none


def shape(offsets: Int64s, data: UInt8s) -> Shape:
    """The shape of every file, in order. Raises ValueError for offsets outside `data`."""
    offsets, data = checked(offsets, data)
    counts, minified = _shape(offsets, data)
    characters, spaces, digits, longest, in_runs, lines, repeated = counts
    for i in np.flatnonzero(repeated < 0).tolist():
        lines[i], repeated[i] = _repeated_by_set(data[offsets[i] : offsets[i + 1]].tobytes())
    whole = np.maximum(characters, 1)
    return Shape(
        whitespace_fraction=(spaces / whole).astype(np.float32),
        digit_fraction=(digits / whole).astype(np.float32),
        is_minified=minified,
        number_run_longest=longest.astype(np.int32),
        number_run_fraction=(in_runs / whole).astype(np.float32),
        duplicate_line_fraction=(repeated / np.maximum(lines, 1)).astype(np.float32),
    )


def _repeated_by_set(text: bytes) -> tuple[int, int]:
    """(lines, repeated ones), slower, for lines whose hashes meet on purpose: Python's are keyed by a secret."""
    lines = [line for line in (one.rstrip(b"\t\n\v\f\r\x1c\x1d\x1e\x1f ") for one in text.split(b"\n")) if line]
    lines = lines[:MOST_LINES]
    return len(lines), len(lines) - len(set(lines))


@kernel
def _shape(offsets: Any, data: Any) -> Any:
    n = len(offsets) - 1
    counts = np.zeros((7, n), dtype=np.int64)
    minified = np.zeros(n, dtype=np.bool_)
    slots = np.empty(_LEAST_SLOTS, dtype=np.uint64)
    for i in range(n):
        text = data[offsets[i] : offsets[i + 1]]
        continuations = continuation_bytes(text)
        characters = len(text) - continuations
        spaces, digits = _ascii_classes(text)
        if continuations:
            spaces += _spaces_beyond_ascii(text)
        counts[0, i] = characters
        counts[1, i] = spaces
        counts[2, i] = digits
        counts[3, i], counts[4, i] = number_runs(text)
        minified[i] = _is_minified(text, characters)
        room = _slots(min(newlines(text) + 1, MOST_LINES))
        if room > len(slots):
            slots = np.empty(room, dtype=np.uint64)
        counts[5, i], counts[6, i] = _repeated_lines(text, slots[:room])
    return counts, minified


@leaf
def _ascii_classes(text: Any) -> Any:
    """(white space, digits) among the ASCII characters; see counting.py."""
    spaces: Any = 0
    digits: Any = 0
    for start in range(0, len(text), BLOCK):
        block = text[start : start + BLOCK]
        spaces_here, digits_here = np.uint8(0), np.uint8(0)
        for p in range(len(block)):
            spaces_here = np.uint8(spaces_here + _is_space(block[p]))
            digits_here = np.uint8(digits_here + is_digit(block[p]))
        spaces, digits = spaces + spaces_here, digits + digits_here
    return spaces, digits


@leaf
def _is_space(byte: Any) -> Any:
    return (np.uint8(byte - np.uint8(0x09)) < 5) | (np.uint8(byte - np.uint8(0x1C)) < 5)


@leaf
def _spaces_beyond_ascii(text: Any) -> Any:
    """U+0085, A0, 1680, 2000-200A, 2028, 2029, 202F, 205F and 3000, by their bytes."""
    count: Any = 0
    for p in range(len(text) - 1):
        count += (text[p] == 0xC2) & ((text[p + 1] == 0x85) | (text[p + 1] == 0xA0))
    for p in range(len(text) - 2):
        first, second, third = text[p], text[p + 1], text[p + 2]
        general = (third <= 0x8A) | (third == 0xA8) | (third == 0xA9) | (third == 0xAF)
        count += (first == 0xE2) & (((second == 0x80) & general) | ((second == 0x81) & (third == 0x9F)))
        count += (third == 0x80) & (((first == 0xE1) & (second == 0x9A)) | ((first == 0xE3) & (second == 0x80)))
    return count


@leaf
def _is_minified(text: Any, characters: int) -> bool:
    size = len(text)
    if size <= LONG_LINE:
        return False
    inside = spaces = digits = marks = 0
    begin = 0
    while begin + LONG_LINE < size:
        # Most lines are short: the last "\n" that a line of so many bytes must not hold, found from behind.
        p = begin + LONG_LINE
        while p >= begin and text[p] != 0x0A:
            p -= 1
        if p >= begin:
            begin = p + 1
            continue
        stop = line_end(text, begin + LONG_LINE + 1)
        line = text[begin:stop]
        length = len(line) - continuation_bytes(line)
        if length > LONG_LINE:
            inside += length
            more_spaces, more_digits = _ascii_classes(line)
            spaces += more_spaces
            digits += more_digits
            marks += _marks(line)
        begin = stop + 1
    if inside == 0 or 2 * inside < characters:
        return False
    return 100 * spaces <= 8 * inside and 100 * digits <= 25 * inside and 100 * marks >= 3 * inside


@leaf
def _marks(text: Any) -> Any:
    count: Any = 0
    for p in range(len(text)):
        count += (text[p] == 0x3B) | (text[p] == 0x28) | (text[p] == 0x29)
    return count


@leaf
def _slots(lines: int) -> int:
    """Slots of the table of so many lines: a power of two, at least twice as many."""
    slots = _LEAST_SLOTS
    while slots < 2 * lines:
        slots *= 2
    return slots


@leaf
def _repeated_lines(text: Any, slots: Any) -> Any:
    """(lines, repeated ones or -1 if too many hashes met). `slots`: as many as `_slots` says."""
    size = len(text)
    lines = held = probes = begin = 0
    slots[:] = np.uint64(0)
    mask = np.uint64(len(slots) - 1)
    while begin < size and lines < MOST_LINES:
        stop, solid = _line(text, begin)
        h = line_hash(text[begin:solid]) if solid > begin else np.uint64(0)
        begin = stop + 1
        if h == 0:
            continue
        lines += 1
        at = h & mask
        while slots[at] != 0 and slots[at] != h:
            at = (at + np.uint64(1)) & mask
            probes += 1
        # Without a branch: whether a line is new cannot be foreseen.
        held += slots[at] == 0
        slots[at] = h
        if probes > _PROBES * lines + 4096:
            return lines, -1
    return lines, lines - held


@leaf
def _line(text: Any, begin: int) -> Any:
    """(where the line ends, where it ends without the white space at its end)."""
    if begin + BITS <= len(text):
        size = lowest(equal(text, begin, 0x0A))
        if size < BITS:  # as most
            solid = ~(between(text, begin, 0x09, 5) | between(text, begin, 0x1C, 5)) & (
                (_ONE << np.uint64(size)) - _ONE
            )
            return begin + size, begin + highest(solid) + 1
    stop = line_end(text, begin)
    end = stop
    while end > begin and _is_space(text[end - 1]):
        end -= 1
    return stop, end
