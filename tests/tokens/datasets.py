"""Datasets for tests: rows of a few columns, published as `write` publishes them."""

from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as pq

from starloom.the_stack import tables
from starloom.workspace.atomic import publish

COLUMNS = ["repo_name", "language", "content_id", "length_bytes", "content", "redactions"]
SCHEMA = pa.schema([tables.DATASET_FILES.field(name) for name in COLUMNS])


def row(content, language="Python", repo_name="a/b", redactions=(), content_id=None):
    """A file; its `content_id` is its content where none is given."""
    values = (repo_name, language, content_id or content, len(content.encode()), content, list(redactions))
    return dict(zip(COLUMNS, values, strict=True))


def parts(folder, rows, cuts=()):
    """Parquet files of the rows, cut before these."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, (start, stop) in enumerate(pairwise((0, *cuts, len(rows)))):
        paths.append(folder / f"{number}.parquet")
        pq.write_table(pa.Table.from_pylist(rows[start:stop], SCHEMA), paths[-1], row_group_size=7)
    return paths


def publish_dataset(root, train, held_out=()):
    """`root`/dataset, in place of the one that is there."""
    about = {"kind": "write", "version": 1, "fingerprint": "", "inputs": {}, "settings": {}, "replace": True}
    with publish(root / tables.DATASET, **about) as draft:
        for split, rows in (("train", train), ("held_out", held_out)):
            if rows:
                draft.parquet(f"files/{split}-00000.parquet", SCHEMA, [pa.Table.from_pylist(list(rows), SCHEMA)])
