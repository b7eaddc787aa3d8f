"""The folder `search/`: which files it has, and what a row of theirs says.

    NN/meta.json, NN/*.idx …   tantivy's index of shard NN, see `fields`
    NN/files.arrow             one row a file: FILES. A row keeps its number; what has gone is not `live`, and empty
    NN/texts-KK.lz4            the texts, in UTF-8, see `texts`

A file's shard is told by its content: see `shard_of`. Why the texts once more, beside the dataset's Parquet: a row
group there has 16 MB, 40-70 ms to decode for every hit that lies elsewhere; here a file costs 10 µs, and the index
answers for what it was made of while the dataset is built anew. Rows are Arrow's, not Parquet's: they are mapped, so
that an index is open in milliseconds.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from starloom.the_stack import tables
from starloom.workspace.operations import Output

FOLDER: Final = "search"
KIND: Final = "search"  # of its manifest: the stage's name
VERSION: Final = 7
SPLITS: Final = ("train", "held_out")

ROWS: Final = "files.arrow"
META: Final = "meta.json"
REMEDY: Final = "make it again: `starloom index search`"
ANEW: Final = "make it again: `starloom clean search`, then `starloom index search`"  # what no hash need tell

FROM_DATASET: Final = (
    "content_id",
    "repo_name",
    "path",
    "language",
    "license_type",
    "detected_licenses",
    "revision_id",
    "is_vendor",
    "is_generated",
    "star_events_count",
)
FILES: Final = pa.schema(
    [
        *map(tables.DATASET_FILES.field, FROM_DATASET),
        pa.field("split", pa.string(), nullable=False),  # one of SPLITS
        pa.field("rank", pa.uint64(), nullable=False),  # see fields
        pa.field("symbols", pa.list_(pa.string())),  # what it defines; null: nobody looked
        pa.field("symbol_lines", pa.list_(pa.int32())),  # where, from 1
        pa.field("text_file", pa.int16(), nullable=False),  # KK
        pa.field("text_start", pa.int64(), nullable=False),  # of its block in there
        pa.field("text_size", pa.int64(), nullable=False),  # of the block
        pa.field("text_bytes", pa.int64(), nullable=False),  # of the text
        pa.field("grams", pa.large_binary()),  # a filter of what is in the text: see `grams`; null of what has gone
        pa.field("mark", pa.binary(16), nullable=False),  # a hash of all that the dataset says of it, text and all
        pa.field("live", pa.bool_(), nullable=False),
    ]
)

_REPEATED: Final = ("repo_name", "revision_id", "language", "license_type", "split")  # as dictionaries

# Facts of the manifest: `shards` (how many), `files` and `text_bytes` (of live rows), `symbols` (whether known).


def shard_name(number: int) -> str:
    return f"{number:02d}"


def text_name(number: int) -> str:
    return f"texts-{number:02d}.lz4"


def texts_among(names: Iterable[str]) -> list[str]:
    """Those of a shard's files that hold texts."""
    return [name for name in names if name.startswith("texts-")]


def text_number(name: str) -> int:
    """The KK of a file's name."""
    return int(name.removeprefix("texts-").removesuffix(".lz4"))


def shard_of(content_id: str, shards: int) -> int:
    """Which shard a content is in."""
    return int(content_id[:4], 16) * shards >> 16


def write_rows(output: Output, rows: pa.Table) -> None:
    """The file of rows, `rows` being of FILES."""
    for name in _REPEATED:
        at = FILES.get_field_index(name)
        column = rows.column(name).combine_chunks().dictionary_encode()
        rows = rows.set_column(at, pa.field(name, column.type, FILES.field(name).nullable), column)
    with pa.ipc.new_file(output, rows.schema) as writer:
        writer.write_table(rows.combine_chunks())
    output.rows = len(rows)


def read_rows(path: Path) -> pa.Table:
    """The file of rows, mapped: columns of FILES, some of them as dictionaries. Raises OSError, pa.ArrowException."""
    rows = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    if rows.schema.names != FILES.names:
        raise pa.ArrowInvalid(f"{path} has other columns")
    return rows


def live_rows(path: Path, columns: list[str]) -> pa.Table:
    """Columns of the files that are in the index. Raises as `read_rows`."""
    rows = read_rows(path)
    return rows.select(columns).filter(rows.column("live"))


def rows_left(path: Path) -> int:
    """How many files have left the index: their rows are empty. Raises as `read_rows`."""
    return int(pc.sum(pc.invert(read_rows(path).column("live"))).as_py() or 0)
