"""The notices of many files: as `read_notice` says of each, sooner.

A kernel looks for all stems (stems.py) in the heads of all texts: most have none, and of the others only those phrases
are looked for whose stems are there.
"""

from collections.abc import Sequence

import numpy as np

from starloom.kernels import heads
from starloom.kernels.present import FOLDED, Words
from starloom.kernels.text import Int64s, UInt8s
from starloom.licenses.comments import MAX_CHARACTERS, MAX_LINES, Comments
from starloom.licenses.notices import Notice, read_notice
from starloom.licenses.stems import EVERY, STEMS
from starloom.licenses.terms import may_have_terms

_WORDS = Words(FOLDED, [stem.encode() for stem in STEMS])


def read_notices(texts: Sequence[str], offsets: Int64s, data: UInt8s) -> list[tuple[Notice | None, Comments | None]]:
    """`read_notice` of each; the UTF-8 form of the texts is data[offsets[i]:offsets[i + 1]]."""
    starts, stops = offsets[:-1], offsets[1:]
    ends = heads.first_lines(starts, stops, data, MAX_LINES, MAX_CHARACTERS)
    found = _WORDS.standing(starts, ends, data)
    odd: list[bool] = np.any(found[:, : len(FOLDED)], axis=1).tolist()
    packed = np.packbits(found[:, len(FOLDED) :], axis=1, bitorder="little")
    read: list[tuple[Notice | None, Comments | None]] = []
    for text, row, is_odd in zip(texts, packed, odd, strict=True):
        stems = EVERY if is_odd else int.from_bytes(row.tobytes(), "little")
        read.append(read_notice(text, stems) if may_have_terms(stems) else (None, None))
    return read
