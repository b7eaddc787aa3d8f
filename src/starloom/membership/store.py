"""The folder `membership/`, opened: the tile table and the folded text of every file, mapped into memory.

| file | holds |
|---|---|
| `filter.bin`, `starts.bin`, `tags.bin`, `tiles.bin` | the table of `kernels/tiles` |
| `text.bin` | the fold of every content, one after the other |
| `gap_position.bin`, `gap_lines.bin` | `kernels/fold.Gaps`: lines of a file from its fold |
| `files.parquet` | one row a content: how many bytes and gaps are its |
| `origins.parquet` | every place of every content: `the_stack/origins` |

Numbers are little-endian. The text is the dataset's a second time, folded and not packed: 0.83 bytes a byte; all the
rest is 0.19. Measured (82 MB of text, one core, 2026): a match confirmed in the dataset itself costs 90 ms for each row
group it touches; in packed blocks of 32 KB (0.24 bytes a byte) a question of 2 KB took 10 ms at the median and 340 ms
at the 99th percentile, since one in a hundred has candidates in 1,000 files; mapped, 2 and 18 ms beside it on the same
busy machine, 0.8 and 7 ms on a quiet one.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.kernels.text import Int64s, UInt8s
from starloom.kernels.tiles import WIDTH, Table
from starloom.the_stack.origins import Origin, Origins
from starloom.workspace.manifest import Manifest, open_folder, read_manifest

FOLDER: Final = "membership"
VERSION: Final = 1

FILES: Final = pa.schema(
    [
        pa.field("content_id", pa.string(), nullable=False),
        pa.field("folded_bytes", pa.int64(), nullable=False),  # in text.bin, after those of the rows before
        pa.field("gaps", pa.int64(), nullable=False),  # in gap_*.bin, likewise
    ]
)
TABLE: Final = {"filter": "<u8", "starts": "<u4", "tags": "<u4", "tiles": "<u4"}
TEXT: Final = {"text": "u1", "gap_position": "<u4", "gap_lines": "<u4"}
_REMEMBERED: Final = 4096  # contents whose places are kept as objects
_REMEDY: Final = "delete {} and run `starloom index`: it is made again"


class Store:
    """An opened index; many threads may ask at a time. `offsets`: of the text of each content, in `text`."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        """Raises ValueError and what NumPy and Arrow raise when the files do not belong together."""
        arrays = {name: mapped(folder / f"{name}.bin", np.dtype(kind)) for name, kind in (TABLE | TEXT).items()}
        rows = pq.read_table(folder / "files.parquet", schema=FILES)
        sizes = rows.column("folded_bytes").to_numpy()
        self.folder = folder
        self.facts = manifest.facts
        self.table = Table(manifest.facts["bits"], *(arrays[name] for name in TABLE))
        self.text: UInt8s = arrays["text"]
        self.offsets = _offsets(sizes)
        self.content_ids: list[str] = rows.column("content_id").to_pylist()
        self._origins = Origins(pq.read_table(folder / "origins.parquet"))
        self.places = lru_cache(_REMEMBERED)(self._places)  # of the content in a row, at most so many
        self._first_tile = _offsets(sizes // WIDTH)
        self._first_gap = _offsets(rows.column("gaps").to_numpy())
        self._gap_position, self._gap_lines = arrays["gap_position"], arrays["gap_lines"]
        tiles, buckets = self._first_tile[-1], 2**self.table.bits
        told = [len(one) for one in (self.text, self._gap_position, self._gap_lines, *self.table[1:])]
        if told != [self.offsets[-1], *[self._first_gap[-1]] * 2, buckets, buckets + 1, tiles, tiles]:
            raise ValueError("its files do not belong together")

    @classmethod
    def open(cls, root: Path) -> "Store":
        """The index of the workspace `root`; sizes are checked, `starloom verify` checks the rest. Raises UserError."""
        folder = root / FOLDER
        try:
            manifest = read_manifest(folder)
            if manifest is not None and manifest.version > VERSION:
                raise UserError(
                    f"{folder} was written by a newer Starloom (version {manifest.version}, this one knows {VERSION})",
                    "update Starloom: pip install --upgrade starloom",
                )
            manifest = open_folder(folder)
        except UserError as problem:
            if problem.hint and problem.hint.startswith("delete"):
                raise UserError(problem.problem, _REMEDY.format(folder)) from None
            raise
        if manifest is None:
            raise UserError(f"{root} has no index of matching code", "run `starloom index`")
        if manifest.version != VERSION:
            raise UserError(f"{folder} was written by an older Starloom", "run `starloom index`: it is made again")
        try:
            return cls(folder, manifest)
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as problem:
            raise damaged(folder, str(problem).splitlines()[0]) from None

    def files_of(self, tiles: Int64s) -> tuple[Int64s, Int64s]:
        """(row of the content, number of the tile in its text) of tiles. Raises UserError when damaged."""
        if len(tiles) and tiles.max() >= self._first_tile[-1]:
            raise damaged(self.folder, "a tile that no file has")
        file = np.searchsorted(self._first_tile, tiles, side="right") - 1
        return file, tiles - self._first_tile[file]

    def count(self, file: int) -> int:
        """How many places a content has."""
        return self._origins.count(self.content_ids[file])

    def lines(self, file: int, first: int, last: int) -> tuple[int, int]:
        """On which lines of its file, counted from 1, two bytes of the fold of a content stand; `first` <= `last`."""
        low, high = int(self._first_gap[file]), int(self._first_gap[file + 1])
        gaps = low + self._gap_position[low:high].searchsorted([first, last], side="right") - 1
        left_out = [int(self._gap_lines[gap]) if gap >= low else 0 for gap in gaps.tolist()]
        start = int(self.offsets[file])
        before = self.text[start : start + first].tobytes().count(b"\n")
        between = self.text[start + first : start + last].tobytes().count(b"\n")
        return 1 + before + left_out[0], 1 + before + between + left_out[1]

    def _places(self, file: int, most: int | None) -> list[Origin]:
        return self._origins.of(self.content_ids[file], most)


def damaged(folder: Path, why: str) -> UserError:
    """What to raise when the index is not what was written."""
    return UserError(f"{folder} is damaged: {why}", _REMEDY.format(folder))


def mapped(path: Path, kind: np.dtype[Any]) -> NDArray[Any]:
    """The whole file as a read-only array; nothing is read before it is asked for. Raises OSError, ValueError."""
    if path.stat().st_size == 0:  # what mmap refuses
        return np.zeros(0, dtype=kind)
    return np.asarray(np.memmap(path, dtype=kind, mode="r"))


def _offsets(sizes: Int64s) -> Int64s:
    """Where each begins, and the last one ends."""
    found = np.zeros(len(sizes) + 1, dtype=np.int64)
    np.cumsum(sizes, out=found[1:])
    return found
