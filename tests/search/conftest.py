"""Datasets from plain rows, published as `write` publishes them, and their indexes."""

from types import SimpleNamespace

import pyarrow as pa
import pytest

from starloom.engine.verbs import EngineSettings
from starloom.identity import content_id
from starloom.search.build import STAGE
from starloom.search.index import SearchIndex
from starloom.search.settings import SearchSettings
from starloom.the_stack import tables
from starloom.workspace.atomic import publish
from starloom.workspace.run import build


def row(path, content, repo_name="here/one", language="Python", license_type="permissive", licenses=("MIT",)):
    """A row of the dataset, what search does not read left out."""
    data = content.encode()
    known = {
        "path": path,
        "content": content,
        "repo_name": repo_name,
        "language": language,
        "license_type": license_type,
        "detected_licenses": list(licenses),
        "content_id": content_id(data),
        "length_bytes": len(data),
    }
    return dict.fromkeys(tables.DATASET_FILES.names) | known


def write_dataset(root, train, held_out=()):
    """The dataset of a workspace: each split in two files where it has two rows, small row groups."""
    root.mkdir(exist_ok=True)
    (root / "starloom.toml").touch()
    with publish(
        root / tables.DATASET, kind="write", version=1, fingerprint="-", inputs={}, settings={}, replace=True
    ) as draft:
        for split, rows in (("train", list(train)), ("held_out", list(held_out))):
            half = (len(rows) + 1) // 2
            for number, part in enumerate(filter(None, (rows[:half], rows[half:]))):
                table = pa.Table.from_pylist(part, schema=tables.DATASET_FILES)
                draft.parquet(f"files/{split}-{number:05d}.parquet", table.schema, [table], row_group_rows=7)


def index(root, workers=1, shards=1, symbols=False):
    """Makes the index of a workspace, where it is not fresh."""
    settings = SimpleNamespace(search=SearchSettings(shards=shards, symbols=symbols))
    build(root, [STAGE], settings, EngineSettings(workers=workers), "test")
    return SearchIndex.open(root)


@pytest.fixture
def indexed(tmp_path):
    """`indexed(*rows)`: the open index of a new dataset of these rows."""

    def make(*train, held_out=()):
        write_dataset(tmp_path / "made", train, held_out)
        return index(tmp_path / "made")

    return make


def paths(answer):
    return [hit.path for hit in answer.hits]
