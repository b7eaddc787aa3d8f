r"""Blanks: a run of them counts as one space in filters of texts (`gram_filters`, `cuts`) and in `borders`, so that
those can be asked for words with any number of blanks between: of `end[ \t]+process` for `end process`.
"""

import re
from typing import Final

import numpy as np

from starloom.kernels.text import UInt8s

SPACE: Final = 0x20
BLANKS: Final = b"\t\n\v\f\r "  # the line's end too
_RUN: Final = re.compile(b"[%s]+" % BLANKS)
_RUN_ON_LINE: Final = re.compile(b"[%s]+" % BLANKS.replace(b"\n", b""))


def closed_up(piece: bytes, lines_too: bool) -> bytes:
    """ASCII letters folded, each run of blanks a space. `lines_too`: a line's end is a blank."""
    return (_RUN if lines_too else _RUN_ON_LINE).sub(b" ", piece.lower())


def folding(lines_too: bool) -> UInt8s:
    """uint8[256]: each byte so, but that runs are still to be closed up."""
    return np.frombuffer(b"".join(closed_up(bytes([one]), lines_too) for one in range(256)), np.uint8)
