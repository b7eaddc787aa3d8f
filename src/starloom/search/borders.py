"""Borders of identifiers: two bytes of one, one to three bytes between, two bytes of the next (`rn sel` of `return
self`). A run of blanks and lines' ends counts as a space. A text has 0.4 as many as trigrams, and each says more: a
large file has every trigram of a phrase, seldom its borders. Hashed to 20 bits, and written as trigrams are; two that
share a hash cost a look at a text. Those of whole texts: kernels/borders.
"""

import re
from typing import Final

from starloom.kernels.blanks import closed_up
from starloom.kernels.borders import MOST_BETWEEN, border_hash
from starloom.search.fields import gram_term

_BORDER: Final = re.compile(b"(?=([0-9a-z_]{2}[^0-9a-z_]{1,%d}[0-9a-z_]{2}))" % MOST_BETWEEN)


def of_piece(folded: bytes) -> set[str]:
    """The terms of the borders in a piece of folded text: of each text that has the piece."""
    found = _BORDER.findall(closed_up(folded, lines_too=True))
    return {gram_term(border_hash(one).to_bytes(3, "big")) for one in found}
