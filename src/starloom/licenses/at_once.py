"""The notices of many files: as `read_notice` says of each, sooner.

Kernels tell the comments at the top of all texts, and which phrases (sought.py) stand in them: most have none, and in
the others none are looked for that are not there.
"""

from collections.abc import Sequence

import numpy as np

from starloom.kernels import heads, leading
from starloom.kernels.present import FOLDED, Words
from starloom.kernels.text import Int64s, UInt8s
from starloom.licenses.comments import MARKS, MAX_CHARACTERS, MAX_LINES, Comments
from starloom.licenses.notices import Notice, read_comments, read_notice
from starloom.licenses.sought import EVERY, every_phrase
from starloom.licenses.terms import may_have_terms

_MARKS = leading.Compiled(MARKS)
_PHRASES = Words(FOLDED, [phrase.encode() for phrase in every_phrase()])


def read_notices(
    texts: Sequence[str], offsets: Int64s, data: UInt8s
) -> dict[int, tuple[Notice | None, Comments | None]]:
    """`read_notice` of each in which there is something to read, by its place; the UTF-8 form of the texts is
    data[offsets[i]:offsets[i + 1]]."""
    starts, stops = offsets[:-1], offsets[1:]
    ends = heads.first_lines(starts, stops, data, MAX_LINES, MAX_CHARACTERS)
    lines = leading.leading_lines(starts, ends, data, _MARKS)
    bounds, first, numbers = lines.bounds.tolist(), lines.first.tolist(), lines.numbers.tolist()
    spaced = np.where(lines.data == ord("\n"), np.uint8(ord(" ")), lines.data)  # phrases go on in the next line
    found = _PHRASES.standing(lines.bounds[:-1], lines.bounds[1:], spaced)
    folded = np.any(found[:, : len(FOLDED)], axis=1)
    packed = np.packbits(found[:, len(FOLDED) :], axis=1, bitorder="little")
    read = {}
    for row in np.flatnonzero(np.any(found, axis=1)).tolist():
        standing = EVERY if folded[row] else int.from_bytes(packed[row].tobytes(), "little")
        if may_have_terms(standing):
            text = lines.data[bounds[row] : bounds[row + 1]].tobytes().decode()
            read[row] = read_comments(text, numbers[first[row] : first[row + 1]], standing)
    for row in np.flatnonzero(lines.odd).tolist():
        read[row] = read_notice(texts[row])
    return read
