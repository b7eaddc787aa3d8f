"""Some texts of the content cache, by their content ids. Cost: all ids, and the row groups that hold one of those."""

from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow.parquet as pq

from starloom.the_stack import tables


def cached_texts(root: Path, wanted: Collection[str]) -> Iterator[tuple[str, str]]:
    """(content_id, text) of the contents `wanted` that are in the cache, one at a time: texts may be large."""
    missing = set(wanted)
    for path in tables.contents(root) if missing else ():
        if not missing:
            break
        with pq.ParquetFile(path) as file:
            for group in range(file.metadata.num_row_groups):
                ids = file.read_row_group(group, columns=["content_id"]).column(0).to_pylist()
                places = {one: place for place, one in enumerate(ids) if one in missing}
                if not places:
                    continue
                column = file.read_row_group(group, columns=["content"]).column(0)
                for one, place in places.items():
                    yield one, column[place].as_py()
                missing -= places.keys()
