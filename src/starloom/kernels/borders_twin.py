"""Twin of borders.py in plain Python: a pattern. Nothing but its test calls it."""

import re
from collections.abc import Sequence

from starloom.kernels.borders import MOST_BETWEEN, border_hash
from starloom.kernels.index_terms import ALPHABET

_BORDER = re.compile(b"(?=([0-9a-z_]{2}[^0-9a-z_]{1,%d}[0-9a-z_]{2}))" % MOST_BETWEEN)


def border_terms(texts: Sequence[bytes]) -> list[str]:
    """Of every text the terms of its borders, a space behind each."""
    closed_up = [re.sub(rb"\s+", b" ", text.lower()) for text in texts]
    return ["".join(map(_term, dict.fromkeys(map(border_hash, _BORDER.findall(text))))) for text in closed_up]


def _term(hashed: int) -> str:
    return "".join(ALPHABET[hashed >> shift & 63] for shift in (18, 12, 6, 0)) + " "
