"""Texts with the bodies of their definitions emptied, where a language shows by columns what they are: what stands in
them goes, but for its line ends, so that what is left is on the line where it was.

INDENTED: a line that begins with such a word as `def` and ends with a colon, and the deeper lines behind it, of which
the first becomes a 0. ENDED: the same without a colon, up to an `end` in the same column. BOUND: a line that begins
with `let` in the first column, and all up to the next line that begins there, of which a 0 is left behind the =.
EQUATIONS: the same of a line that begins with a small letter; what says only its type goes.

A line begins something only where no bracket, comment or string is open (comments and strings as kernels/lexical finds
them) and no backslash goes before. In doubt a body stays: where something in it must stay, see hollow_layout_rules;
where its lines, brackets, `end`s or last words do not fit. Cost: as kernels/hollow.
"""

from typing import Any

import numpy as np

from starloom.kernels.cache import kernel
from starloom.kernels.hollow_items import hollow_items
from starloom.kernels.hollow_layout_rules import ENDED, INDENTED, Packed
from starloom.kernels.hollow_levels import COLUMNS, MOST_LEVELS, hollow_levels
from starloom.kernels.hollow_steps import checked_spans, copied
from starloom.kernels.text import Int64s, UInt8s


def hollow_layout(
    offsets: Int64s, data: UInt8s, languages: Int64s, bounds: Int64s, spans: Int64s, packed: Packed
) -> tuple[Int64s, UInt8s]:
    """The texts with their bodies emptied, in the same form. `languages`: the place of each in `packed`;
    spans[bounds[i]:bounds[i + 1]]: (start, end, COMMENT | STRING) in text i, in order.

    Raises ValueError where any of these does not fit the others.
    """
    texts = checked_spans(offsets, data, languages, bounds, spans, len(packed.forms))
    out = np.empty(int(offsets[-1] - offsets[0]), np.uint8)  # nothing is put in where there was less
    ends = _hollow_all(*texts, tuple(packed), out)
    return ends, out[: ends[-1]]


@kernel
def _hollow_all(offsets: Any, data: Any, languages: Any, bounds: Any, spans: Any, packed: Any, out: Any) -> Any:
    n = len(offsets) - 1
    ends = np.zeros(n + 1, np.int64)
    levels = np.zeros((MOST_LEVELS, COLUMNS), np.int64)
    forms = packed[0]
    for i in range(n):
        start, stop, at = offsets[i], offsets[i + 1], ends[i]
        if forms[languages[i]] in (INDENTED, ENDED):
            at = hollow_levels(
                data, start, stop, languages[i], spans, bounds[i], bounds[i + 1], packed, levels, out, at
            )
        else:
            at = hollow_items(data, start, stop, languages[i], spans, bounds[i], bounds[i + 1], packed, out, at)
        if at < 0:  # given up
            at, _, _ = copied(data, start, stop, out, ends[i], np.int64(0))
        ends[i + 1] = at
    return ends
