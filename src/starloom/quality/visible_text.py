"""The text of an HTML page that a person would see, and how much of the file it is.

Which bytes are text says kernels/markup, after the tokenizer of the HTML Standard. Here character references are
decoded by the Standard's table (`html.unescape`) and white space is folded, so that indentation is no text. The title
counts, as it does in BeautifulSoup's `get_text`. Never an error, whatever the input, and linear in it.
"""

import html
import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from starloom.kernels.text import Int64s, UInt8s

# Python refuses to read a number of so many digits; no character has one.
_HUGE = re.compile(r"&#[xX]?[0-9a-fA-F]{1000,};?")


def visible_text(text: str) -> str:
    """What is visible of one page: words with one space between them.

    >>> visible_text("<title>Hello</title><script>1 < 2</script><p>a&amp;b<p>c<b>d</b>")
    'Hello a&b cd'
    """
    data = np.frombuffer(text.encode("utf-8", "replace"), dtype=np.uint8)
    return visible_texts(np.array([0, len(data)], dtype=np.int64), data)[0]


def visible_texts(offsets: Int64s, data: UInt8s) -> list[str]:
    """The same of a batch: file i is data[offsets[i]:offsets[i + 1]], UTF-8."""
    from starloom.kernels.markup import visible_bytes  # Numba is slow to import, and most commands see no page

    bounds, shown = visible_bytes(offsets, data)
    whole = shown.tobytes()
    # NUL is no character of a page: the tree builder leaves it out.
    pages = (whole[begin:end].decode("utf-8", "replace").replace("\0", "") for begin, end in pairwise(bounds))
    return [" ".join(html.unescape(_HUGE.sub("\ufffd", page)).split()) for page in pages]


def visible_characters(offsets: Int64s, data: UInt8s) -> NDArray[np.int32]:
    """int32 a file: the characters (code points) of its visible text, white space folded."""
    return np.array([len(one) for one in visible_texts(offsets, data)], dtype=np.int32)


def visible_fractions(characters: Sequence[int] | NDArray[np.int32], texts: Sequence[str]) -> NDArray[np.float32]:
    """float32 a file: visible characters as a share of all its characters; 0 for an empty file."""
    sizes = np.array([max(len(one), 1) for one in texts], dtype=np.float64)
    return (np.asarray(characters) / sizes).astype(np.float32)
