"""The one letter that Python lower-cases by its neighbours: a capital sigma at the end of a word.

`str.lower` of a whole text makes ς of a Σ that stands after a cased character and before none (characters that case
ignores, such as the apostrophe, the full stop and combining marks, are looked through), and σ of any other. Peers lower
a whole text, the kernels each character: where the text is rewritten so beforehand, both are the same.

Cost: some GB/s, and a copy of the batch if some file has a capital sigma; 400 MB/s over such files.
"""

from typing import Any

import numpy as np

from starloom.kernels.cache import kernel
from starloom.kernels.code_points import CASED, IGNORABLE, properties
from starloom.kernels.decoding import code_point
from starloom.kernels.text import Int64s, UInt8s, frozen

_SIGMA = np.uint64(ord("Σ"))
_CASED, _IGNORABLE = np.uint32(CASED), np.uint32(IGNORABLE)


def with_final_sigmas(offsets: Int64s, data: UInt8s) -> tuple[Int64s, UInt8s]:
    """(offsets, data) of the same files, each Σ that `str.lower` makes ς of replaced by it (of as many bytes); the
    arrays themselves where there is none. `offsets`, `data`: as `text.checked` gives them."""
    start, end = int(offsets[0]), int(offsets[-1])
    if not _has_capital(data[start:end]):
        return offsets, data
    text = data[start:end].copy()
    moved = frozen(offsets - start, np.int64)
    _rewrite(moved, text, properties())
    return moved, frozen(text, np.uint8)


@kernel
def _has_capital(text: Any) -> Any:
    found = np.uint8(0)
    first, second = text[:-1], text[1:]
    for p in range(len(first)):  # to the end always, from 0: the form that the compiler vectorises
        found |= np.uint8((first[p] == np.uint8(0xCE)) & (second[p] == np.uint8(0xA3)))
    return found != 0


@kernel
def _rewrite(offsets: Any, text: Any, table: Any) -> None:
    for i in range(len(offsets) - 1):
        p, end = offsets[i], offsets[i + 1]
        if not _has_capital(text[p:end]):
            continue
        cased = False  # whether the last character that case does not ignore is cased
        pending = -1  # where the Σ stands that is final unless a cased character follows
        while p < end:
            at = p
            if text[p] < 0x80:
                point = np.uint64(text[p])
                p += 1
            else:
                point, p = code_point(text, p, end)
            value = table[point]
            if value & _IGNORABLE:
                continue
            if pending >= 0 and not value & _CASED:
                text[pending], text[pending + 1] = 0xCF, 0x82
            pending = at if cased and point == _SIGMA else -1
            cased = (value & _CASED) != 0
        if pending >= 0:
            text[pending], text[pending + 1] = 0xCF, 0x82
