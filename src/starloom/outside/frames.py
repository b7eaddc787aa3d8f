"""Values and arrays of numbers as bytes between our own processes, over HTTP: a JSON head, then the arrays as they are.

    magic  8 bytes · length of the head  uint32 · head  JSON: {"values": …, "arrays": [[name, kind, length], …]} · data

Little-endian. Read as a stranger's: nothing but numbers comes out of it, and a frame that is not whole is refused.
Cost: one copy of the data to write, none to read.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

KIND: Final = "application/x-starloom-frame"  # as a content type
_MAGIC: Final = b"starlm01"
_KINDS: Final = ("<i8", "|u1")
_HEAD: Final = len(_MAGIC) + 4


def check(sound: bool) -> None:
    """Raises ValueError where what came in a frame does not fit together."""
    if not sound:
        raise ValueError("a frame whose values do not fit together")


@dataclass(frozen=True)
class Frame:
    """`values`: what JSON has; `arrays`: int64 or uint8, read-only, of one dimension."""

    values: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]

    def int64s(self, name: str) -> NDArray[np.int64]:
        """Raises ValueError when there is no such array of that kind, as the next one does."""
        return self._array(name, "<i8")

    def uint8s(self, name: str) -> NDArray[np.uint8]:
        return self._array(name, "|u1")

    def _array(self, name: str, kind: str) -> NDArray[Any]:
        found = self.arrays.get(name)
        if found is None or found.dtype.str != kind:
            raise ValueError(f"a frame without {name}")
        return found


def to_bytes(values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]] = {}) -> bytes:
    """A frame as bytes. Raises ValueError for an array of another kind, TypeError for what JSON has not."""
    told = []
    pieces = []
    for name, array in arrays.items():
        kind = "|u1" if array.dtype == np.uint8 else "<i8"
        if array.ndim != 1 or array.dtype.kind not in "iu" or (kind == "<i8" and array.dtype != np.int64):
            raise ValueError(f"{name} is no array of int64 or uint8")
        told.append([name, kind, len(array)])
        pieces.append(np.ascontiguousarray(array, dtype=kind).tobytes())
    head = json.dumps({"values": values, "arrays": told}, ensure_ascii=True).encode()
    return b"".join([_MAGIC, len(head).to_bytes(4, "little"), head, *pieces])


def from_bytes(data: bytes) -> Frame:
    """The frame that `data` is. Raises ValueError when it is none, or not whole."""
    if data[: len(_MAGIC)] != _MAGIC or len(data) < _HEAD:
        raise ValueError("no frame")
    at = _HEAD + int.from_bytes(data[len(_MAGIC) : _HEAD], "little")
    try:
        head = json.loads(data[_HEAD:at])
        values, told = head["values"], head["arrays"]
        rows = [(str(name), str(kind), int(length)) for name, kind, length in told]
    except (ValueError, RecursionError, KeyError, TypeError):
        raise ValueError("no frame: its head cannot be read") from None
    if not isinstance(values, dict):
        raise ValueError("no frame: its values are no object")  # noqa: TRY004 - of the data, not of a caller
    arrays: dict[str, NDArray[Any]] = {}
    for name, kind, length in rows:
        if kind not in _KINDS or length < 0 or name in arrays:
            raise ValueError("no frame: an array that is none")
        size = length * np.dtype(kind).itemsize
        if size > len(data) - at:
            raise ValueError("a frame that was cut")
        arrays[name] = np.frombuffer(data, dtype=kind, count=length, offset=at)
        at += size
    if at != len(data):
        raise ValueError("a frame with something behind it")
    return Frame(values, arrays)
