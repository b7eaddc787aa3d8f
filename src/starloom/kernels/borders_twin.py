"""Twin of borders.py in plain Python: a pattern. Nothing but its test calls it."""

import re
from collections.abc import Sequence

from starloom.kernels.borders import FILE_SHIFT, MOST_BETWEEN, border_hash

_BORDER = re.compile(b"(?=([0-9a-z_]{2}[^0-9a-z_]{1,%d}[0-9a-z_]{2}))" % MOST_BETWEEN)


def border_keys(texts: Sequence[bytes]) -> list[int]:
    """Of every border in every text, in their order."""
    return [
        number << FILE_SHIFT | border_hash(border)
        for number, text in enumerate(texts)
        for border in _BORDER.findall(text.lower())
    ]
