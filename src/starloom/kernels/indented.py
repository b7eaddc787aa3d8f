"""JSON on one line as lines that people read: what Python's `json` gives with `indent=1`.

Python's own writer of such lines is no compiled one: 15 MB/s. Written on one line by the compiled one and then cut into
lines here, it is 100 MB/s; this part alone is 400.
"""

from typing import Any

import numpy as np

from starloom.kernels.cache import kernel, leaf
from starloom.kernels.swar import copied
from starloom.kernels.text import UInt8s, frozen

_QUOTE, _ESCAPE, _COMMA = np.uint8(0x22), np.uint8(0x5C), np.uint8(0x2C)
_OBJECT, _OBJECT_END, _EITHER = np.uint8(0x7B), np.uint8(0x7D), np.uint8(0x20)  # with it, [ is { and ] is }
_NEWLINE, _SPACE = np.uint8(0x0A), np.uint8(0x20)
_MORE = 32  # bytes that `copied` may write beyond the end
_NO_ROOM, _NO_JSON = -1, -2


def indented(data: UInt8s) -> UInt8s:
    """`data`: what `json.dumps(…, separators=(",", ": "))` gives, encoded."""
    data = frozen(data, np.uint8)
    room = len(data) + len(data) // 2 + _MORE
    while True:
        out = np.empty(room, dtype=np.uint8)
        size = _indented(data, out)
        if size == _NO_JSON:
            raise ValueError("a bracket that was not opened")
        if size != _NO_ROOM:
            return out[:size]
        room *= 2


@kernel
def _indented(data: Any, out: Any) -> int:
    at = depth = p = 0
    while p < len(data):
        start, byte = p, data[p]
        p += 1
        if byte == _QUOTE:
            while p < len(data) and data[p] != _QUOTE:
                p += 2 if data[p] == _ESCAPE else 1
            p = min(p + 1, len(data))
        if at + p - start + depth + 2 + _MORE > len(out):
            return _NO_ROOM
        if byte == _QUOTE:
            copied(data, start, p, out, at)
            at += p - start
            continue
        if _ends(byte):
            depth -= 1
            if depth < 0:
                return _NO_JSON
            if not _begins(data[start - 1]):
                at = _line(out, at, depth)
        out[at] = byte
        at += 1
        depth += _begins(byte)
        if byte == _COMMA or (_begins(byte) and p < len(data) and not _ends(data[p])):
            at = _line(out, at, depth)
    return at


@leaf
def _begins(byte: Any) -> Any:
    return byte | _EITHER == _OBJECT


@leaf
def _ends(byte: Any) -> Any:
    return byte | _EITHER == _OBJECT_END


@leaf
def _line(out: Any, at: Any, depth: Any) -> Any:
    """A new line, so deep."""
    out[at] = _NEWLINE
    for k in range(depth):
        out[at + 1 + k] = _SPACE
    return at + 1 + depth
