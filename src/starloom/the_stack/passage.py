"""A passage of the dataset to show search and matching on: real code, the same one for the same dataset."""

import re
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from starloom.the_stack import tables

_LINES = 24
_NAME = re.compile(r"^\s*(?:def|class|function|func|fn)\s+([A-Za-z_]\w{5,})", re.MULTILINE)


@dataclass(frozen=True)
class Passage:
    """Some lines of a kept file."""

    repo_name: str
    path: str
    text: str
    name: str  # of something it defines


def passage(root: Path) -> Passage | None:
    """Lines from the middle of the first permissive file of split = train, in the dataset's order, that defines
    something there; None when there is none. Reads row groups until it is found."""
    for path in tables.dataset(root, "files", "train"):
        file = pq.ParquetFile(path)
        for group in range(file.metadata.num_row_groups):
            rows = file.read_row_group(group, columns=["repo_name", "path", "license_type", "is_vendor", "content"])
            for row in rows.to_pylist():
                lines = row["content"].splitlines()
                if len(lines) < 4 * _LINES or row["is_vendor"] or row["license_type"] != "permissive":
                    continue
                text = "\n".join(lines[len(lines) // 2 : len(lines) // 2 + _LINES]) + "\n"
                if name := _NAME.search(text):
                    return Passage(row["repo_name"], row["path"], text, name[1])
    return None
