"""The files that a scorer is asked about, as bytes one after the other."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Files(NamedTuple):
    """What is scored: file i is `data[offsets[i]:offsets[i + 1]]`, UTF-8; language and its kind one a file."""

    offsets: NDArray[np.int64]
    data: NDArray[np.uint8]
    languages: Sequence[str | None]
    kinds: Sequence[str | None]  # of `languages/table`


def as_files(texts: Sequence[str], languages: Sequence[str | None], kinds: Sequence[str | None]) -> Files:
    """`Files` of texts in memory; lone surrogates become "?"."""
    pieces = [one.encode("utf-8", "replace") for one in texts]
    offsets = np.zeros(len(pieces) + 1, dtype=np.int64)
    np.cumsum([len(one) for one in pieces], out=offsets[1:])
    data: NDArray[Any] = np.frombuffer(b"".join(pieces), dtype=np.uint8)
    return Files(offsets, data, languages, kinds)
