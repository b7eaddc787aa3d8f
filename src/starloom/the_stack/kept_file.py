"""A file of the dataset by its place, with its text as the dataset has it.

Cost: some footers (files and row groups are in the order of places, so they are halved, not gone through) and the row
group that holds it, 16 MB of text.
"""

import sys
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from starloom.engine.verbs import Engine
from starloom.identity import permalink
from starloom.the_stack import tables

_PLACE = ["repo_name", "path"]
_COLUMNS = [*_PLACE, "content_id", "revision_id", "language", "license_type", "detected_licenses", "content"]
_SPLITS = ("train", "held_out")


@dataclass(frozen=True)
class KeptFile:
    """`url`: where its repository came from."""

    repo_name: str
    path: str
    content_id: str
    revision_id: str | None
    url: str | None
    language: str | None
    license_type: str | None
    detected_licenses: tuple[str, ...]
    split: str
    text: str

    def permalink(self, lines: tuple[int, int] | None = None) -> str | None:
        """The page of the repository's host that shows it; None where there is none."""
        return permalink(self.url, self.revision_id, self.path, lines)


def kept_file(root: Path, engine: Engine, repo_name: str, path: str) -> KeptFile | None:
    """None: the dataset has no file of that name. Raises UserError when there is no dataset."""
    for split in _SPLITS:
        files = tables.dataset(root, "files", split)
        for place in range(bisect_left(files, repo_name, key=_last), len(files)):
            with pq.ParquetFile(files[place]) as file:
                if _bounds(file, 0)[0] > repo_name:
                    break
                for row in _rows(file, repo_name, path):
                    return KeptFile(split=split, url=_url(root, engine, repo_name), **row)
    return None


def _rows(file: pq.ParquetFile, repo_name: str, path: str) -> Iterator[dict[str, Any]]:
    for group in range(file.metadata.num_row_groups):
        asked = ((repo_name, _bounds(file, group)), (path, _bounds(file, group, "path")))
        if not all(first <= name <= last for name, (first, last) in asked):
            continue
        for number, one in enumerate(file.read_row_group(group, columns=_PLACE).to_pylist()):
            if (one["repo_name"], one["path"]) == (repo_name, path):
                row = file.read_row_group(group, columns=_COLUMNS).slice(number, 1).to_pylist()[0]
                licenses = tuple(row.pop("detected_licenses") or ())
                yield {"detected_licenses": licenses, "text": row.pop("content"), **row}


def _bounds(file: pq.ParquetFile, group: int, name: str = "repo_name") -> tuple[str, str]:
    """The least and the greatest value of a column in a row group; of values too long to be kept there, all."""
    columns = file.metadata.row_group(group)
    (place,) = [number for number in range(columns.num_columns) if columns.column(number).path_in_schema == name]
    found = columns.column(place).statistics
    return (found.min, found.max) if found and found.has_min_max else ("", chr(sys.maxunicode))


def _last(path: Path) -> str:
    with pq.ParquetFile(path) as file:
        return _bounds(file, file.metadata.num_row_groups - 1)[1]


def _url(root: Path, engine: Engine, repo_name: str) -> str | None:
    sql = "SELECT url FROM repositories WHERE repo_name = $name LIMIT 1"
    found = engine.table(sql, {"repositories": tables.repositories(root)}, {"name": repo_name}).column(0).to_pylist()
    return found[0] if found else None
