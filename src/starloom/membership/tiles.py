"""The stage `membership`: tiles of every file of the dataset, both splits, in a table that finds them by hash.

Each data file is read once, a row group at a time: its text is folded and hashed; the folds go to a scratch file, and
the tiles to another, sorted by hash. Then the table is merged, a range of hashes at a time. Memory: a row group and
about 30 bytes a tile of one data file for each worker, then 150 MB whatever the corpus; disk: the index twice for a
while. Same dataset, same bytes. At most 2**32 - 1 tiles, 215 GB of folded text: more has to be cut into workspaces.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from starloom import progress
from starloom.errors import UserError
from starloom.membership.store import FILES, FOLDER, TABLE, TEXT, VERSION, mapped
from starloom.the_stack import origins, tables
from starloom.workspace.atomic import Draft
from starloom.workspace.stage import Done, Job, Stage

RANGE_TILES = 4 << 20  # merged at a time
SPLITS = ("train", "held_out")
_HASHES, _NUMBERS = "hashes", "numbers"
_SCRATCH = {**TEXT, _HASHES: "<u8", _NUMBERS: "<u4"}


@dataclass(frozen=True)
class _Part:
    """In a worker: one data file. Texts, gaps and tiles (sorted by hash) go to scratch files."""

    source: Path
    folder: Path
    number: int

    def scratch(self, name: str) -> Path:
        return self.folder / f"{self.number}.{name}"


@dataclass(frozen=True)
class _Tiled:
    """What came of a part: rows of FILES, the number of its tiles, the bytes of its text."""

    files: pa.Table
    tiles: int
    text_bytes: int


Map: TypeAlias = Callable[[Callable[[_Part], _Tiled], Sequence[_Part]], Iterator[tuple[_Part, _Tiled]]]


def _run(job: Job) -> Done:
    places = origins.occurrences(job.root, job.engine)
    with job.publish() as draft:
        write(draft, _sources(job), places, job.scratch(FOLDER), job.engine.map)
        files, tiles, text = (draft.facts[name] for name in ("files", "tiles", "text_bytes"))
    return Done(text, f"{progress.counted(files, 'files')}, {progress.counted(tiles, 'tiles')}")


def write(draft: Draft, sources: Sequence[Path], places: pa.Table, scratch: Path, run: Map) -> None:
    """The index of some data files (Parquet with content_id and content) into a draft.

    `places`: rows of origins.OCCURRENCES; `run`: the engine's `map`. Raises UserError when there are too many tiles.
    """
    parts = [_Part(path, scratch, number) for number, path in enumerate(sources)]
    done: dict[int, _Tiled] = {}
    with progress.task("tile", sum(part.source.stat().st_size for part in parts)) as bar:
        for part, found in run(_tile_part, parts):
            done[part.number] = found
            bar.advance(part.source.stat().st_size)
    tiled = [done[part.number] for part in parts]
    first = [int(one) for one in np.cumsum([0, *(one.tiles for one in tiled)])]
    check_size(first[-1])
    files = draft.parquet("files.parquet", FILES, [one.files for one in tiled])
    draft.parquet("origins.parquet", origins.OCCURRENCES, [places])
    for name in TEXT:
        _append(draft, f"{name}.bin", [part.scratch(name) for part in parts])
    draft.facts |= {
        "bits": _merge(draft, parts, first),
        "tiles": first[-1],
        "files": files,
        "repositories": int(pc.count_distinct(places.column("repo_name")).as_py()),
        "text_bytes": sum(one.text_bytes for one in tiled),
    }


def _sources(job: Job) -> list[Path]:
    return [path for split in SPLITS for path in tables.dataset(job.root, "files", split)]


def check_size(tiles: int) -> None:
    """Raises UserError when so many tiles do not fit into one index."""
    from starloom.kernels.tiles import MOST_TILES

    if tiles > MOST_TILES:
        raise UserError(
            f"the dataset has {tiles:,} tiles of 50 bytes, and one index holds {MOST_TILES:,} (about 250 GB of text)",
            "cut the sources in starloom.toml into several workspaces",
        )


def _tile_part(part: _Part) -> _Tiled:
    from starloom.kernels.fold import fold_with_gaps
    from starloom.kernels.text import text_buffers
    from starloom.kernels.tiles import tile_hashes

    file = pq.ParquetFile(part.source)
    rows: list[pa.Table] = []
    hashes = [np.zeros(0, dtype=np.uint64)]
    text_bytes = 0
    with contextlib.ExitStack() as stack:
        outputs = {name: stack.enter_context(part.scratch(name).open("wb")) for name in TEXT}
        for group in range(file.metadata.num_row_groups):
            read = file.read_row_group(group, columns=["content_id", "content"])
            offsets, data = text_buffers(read.column("content"))
            bounds, folded, gaps = fold_with_gaps(offsets, data)
            hashes.append(tile_hashes(bounds, folded)[1])
            for name, column in (("text", folded), ("gap_position", gaps.position), ("gap_lines", gaps.lines)):
                column.astype(TEXT[name], copy=False).tofile(outputs[name])
            sizes = pa.array(np.diff(bounds)), pa.array(np.diff(gaps.offsets))
            rows.append(pa.table([read.column("content_id"), *sizes], FILES))
            text_bytes += int(offsets[-1] - offsets[0])
    everything = np.concatenate(hashes)
    order = np.argsort(everything, kind="stable")
    everything[order].astype(_SCRATCH[_HASHES], copy=False).tofile(part.scratch(_HASHES))
    order.astype(_SCRATCH[_NUMBERS]).tofile(part.scratch(_NUMBERS))
    return _Tiled(pa.concat_tables([FILES.empty_table(), *rows]), len(everything), text_bytes)


def _append(draft: Draft, name: str, pieces: list[Path]) -> None:
    """A file of the index that holds these, one after the other."""
    with draft.create(name) as output:
        for path in pieces:
            with path.open("rb") as piece:
                while data := piece.read(1 << 24):
                    output.write(data)
            path.unlink()


def _merge(draft: Draft, parts: list[_Part], first: list[int]) -> int:
    """The table of all parts, their tiles counted from `first`; a range of hashes at a time. Returns its bits."""
    from starloom.kernels.tiles import bucket_bits, filter_words, tags_of

    bits = bucket_bits(first[-1])
    ranges = min(2 ** (first[-1] // RANGE_TILES).bit_length(), 2**bits)
    buckets = 2**bits // ranges
    hashes, numbers = (
        [mapped(part.scratch(name), np.dtype(_SCRATCH[name])) for part in parts] for name in (_HASHES, _NUMBERS)
    )
    with contextlib.ExitStack() as stack, progress.task("merge", first[-1], "tiles") as bar:
        outputs = {name: stack.enter_context(draft.create(f"{name}.bin")) for name in TABLE}
        total = 0
        for low in range(0, 2**bits, buckets):
            found, tiles = _range(hashes, numbers, first, low << (64 - bits), (low + buckets) << (64 - bits))
            sizes = np.bincount((found >> np.uint64(64 - bits)).astype(np.int64) - low, minlength=buckets)
            columns = {
                "filter": filter_words(found, bits, low, buckets),
                "starts": total + np.cumsum(sizes) - sizes,
                "tags": tags_of(found, bits),
                "tiles": tiles,
            }
            for name, column in columns.items():
                outputs[name].write(column.astype(TABLE[name]).tobytes())
            total += len(found)
            bar.advance(len(found))
        outputs["starts"].write(np.array([total], dtype=TABLE["starts"]).tobytes())
    return bits


def _range(
    hashes: list[NDArray[np.uint64]], numbers: list[NDArray[np.uint32]], first: list[int], low: int, high: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """(hashes from `low` to below `high`, in order; their tiles, in order where hashes are equal)."""
    found, tiles = [np.zeros(0, dtype=np.uint64)], [np.zeros(0, dtype=np.int64)]
    for part, (some, local) in enumerate(zip(hashes, numbers, strict=True)):
        start = int(np.searchsorted(some, np.uint64(low)))
        stop = int(np.searchsorted(some, np.uint64(high))) if high < 2**64 else len(some)
        found.append(some[start:stop])
        tiles.append(local[start:stop].astype(np.int64) + first[part])
    everything = np.concatenate(found)
    order = np.argsort(everything, kind="stable")
    return everything[order], np.concatenate(tiles)[order]


def _forecast(job: Job) -> str:
    rows = sum(pq.ParquetFile(path).metadata.num_rows for path in _sources(job))
    return f"tile {progress.counted(rows, 'files')}"


STAGE = Stage(
    name="membership",
    folder=FOLDER,
    version=VERSION,
    reads=(tables.DATASET, tables.LEDGER, tables.LISTING),
    settings=lambda _settings: {},
    run=_run,
    forecast=_forecast,
)
