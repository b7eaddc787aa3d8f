"""What lies where in the folder `membership/`.

One folder a shard (`00/`), in it segments: what was indexed in one go, never written again. Of segment 0:

| file | holds |
|---|---|
| `0-head.bin`, `0-ids.bin` | content_ids in order, the first 8 bytes as numbers, and all 20 |
| `0-text.bin` | the fold of every content, in the order in which they were read |
| `0-text_start.bin`, `0-text_size.bin` | where that of each content is |
| `0-gap_*.bin` | `kernels/fold.Gaps`: lines of a file from its fold |
| `0-mark.bin` | what was replaced in each content, as a number: equal means equal text |
| `0-first_tile.bin`, `0-filter.bin`, `0-starts.bin`, `0-tags.bin`, `0-tiles.bin` | the table of `kernels/tiles` |
| `0-gate.bin` | `kernels/tile_gate`: which windows of a text need not be looked for in it |
| `0-renamed_*.bin` | a table for the shapes of `membership/renamed` |

and, written anew at every run: `0-state.bin` (whether each content is in the dataset still, and in which split),
`0-origin_*.bin` (which rows are its places), and of the shard `origins.arrow` (every place of every content,
`the_stack/origins`). Numbers are little-endian. All of it is mapped, nothing is read before it is asked for.

The text is the dataset's a second time, folded and not packed: 0.83 bytes a byte; all the rest is 0.2. Measured (82 MB
of text, one core, 2026): a match confirmed in the dataset itself costs 90 ms for each row group it touches; in packed
blocks of 32 KB (0.24 bytes a byte) a question of 2 KB took 10 ms at the median and 340 ms at the 99th percentile, since
one in a hundred has candidates in 1,000 files; mapped, 2 and 18 ms beside it on the same busy machine.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from starloom.kernels.text import UInt8s, UInt64s
from starloom.the_stack.origins import OCCURRENCES

FOLDER: Final = "membership"
VERSION: Final = 3

TABLE: Final = {"filter": "<u8", "starts": "<u4", "tags": "<u4", "tiles": "<u4"}
GATE: Final = {"gate": "<u8"}
TEXT: Final = {"text": "u1", "gap_position": "<u4", "gap_lines": "<u4"}
ROWS: Final = {
    "head": "<u8",
    "ids": "u1",
    "text_start": "<i8",
    "text_size": "<u4",
    "gap_start": "<i8",
    "gap_count": "<u4",
    "mark": "<u8",
    "first_tile": "<u4",  # one more than there are rows
}
RENAMED: Final = "renamed_"
SHAPES: Final = {f"{RENAMED}{name}": kind for name, kind in ({"first_tile": "<u4"} | TABLE).items()}
STATE: Final = {"state": "u1", "origin_first": "<u4", "origin_count": "<u4"}
GONE, TRAIN, HELD_OUT = 0, 1, 2  # values of `state`
ID_BYTES: Final = 20

ORIGINS: Final = "origins.arrow"
_DICTIONARIES: Final = ("repo_name", "revision_id", "version", "url", "license_type", "language", "split")
LICENSE: Final = "license"  # a column beside those of OCCURRENCES: license_type and detected_licenses as one text
_TEXTS: Final = pa.dictionary(pa.int32(), pa.string())
ORIGIN_ROWS: Final = pa.schema(
    [
        *(pa.field(one.name, _TEXTS if one.name in _DICTIONARIES else one.type) for one in OCCURRENCES),
        pa.field(LICENSE, _TEXTS),
    ]
)


def shard_folder(number: int, shards: int) -> str:
    """`00`, `01`, …"""
    return f"{number:0{max(2, len(str(shards - 1)))}d}"


def immutable(renamed: bool) -> dict[str, str]:
    """The files of a segment that are never written again, with their types."""
    return ROWS | TEXT | TABLE | GATE | (SHAPES if renamed else {})


def first_ids(number: int, shards: int) -> tuple[str, str]:
    """(the least content_id a shard may hold, the least one beyond), or texts that sort as these."""
    low, high = (-(-one * 65536 // shards) for one in (number, number + 1))
    return f"{low:04x}", f"{high:04x}" if high < 65536 else "g"


def packed_ids(contents: Iterable[str]) -> UInt8s:
    """uint8[n, 20] of content_ids. Raises ValueError for one that is none."""
    text = "".join(contents)
    try:
        data = bytes.fromhex(text) if " " not in text else b""
    except ValueError:
        data = b""
    if 2 * len(data) != len(text) or len(data) % ID_BYTES:
        raise ValueError("a content_id has 40 hexadecimal digits")
    return np.frombuffer(data, dtype=np.uint8).reshape(-1, ID_BYTES)


def content_ids(ids: UInt8s) -> list[str]:
    """What `packed_ids` packs."""
    return np.ascontiguousarray(ids).tobytes().hex(" ", ID_BYTES).split()


def heads(ids: UInt8s) -> UInt64s:
    """uint64[n]: the first eight bytes of content_ids, in whose order these are."""
    return np.ascontiguousarray(ids[:, :8]).view(">u8").reshape(-1).astype(np.uint64)


def keys(ids: UInt8s) -> NDArray[np.bytes_]:
    """The ids as what NumPy compares and sorts; equal length, so nothing is lost."""
    return np.ascontiguousarray(ids).view("S20").reshape(-1)
