"""Which file is this: every listed place of a content that the dataset holds, with its repository and licence.

Search hits, matching code and traces name places through this table. An index stores it beside itself when it is made,
so that it answers for what it holds and asks nothing of the ledger at query time.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from starloom.engine.verbs import Engine
from starloom.the_stack import tables

OCCURRENCES = pa.schema(
    [
        pa.field("content_id", pa.string(), nullable=False),
        pa.field("repo_name", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        ("revision_id", pa.string()),
        ("version", pa.string()),
        ("url", pa.string()),  # where the repository came from
        ("license_type", pa.string()),
        ("detected_licenses", pa.list_(pa.string())),
        ("language", pa.string()),
        pa.field("split", pa.string(), nullable=False),  # of the dataset's own place: train, held_out
        pa.field("in_dataset", pa.bool_(), nullable=False),  # this very place is the dataset's; else a copy of it
    ]
)

# Copies that were dropped as exact duplicates have their own licence verdict, where one was reached.
# What stands in both splits was trained on: "train" is the greater word. A place that is opted out is none, though what
# stands there now may stand elsewhere too.
_SQL = """
SELECT l.content_id, l.repo_name, l.path, r.revision_id, r.version, r.url, l.license_type, l.detected_licenses,
  l.language, k.split, l.split IS NOT NULL AS in_dataset
FROM ledger l
JOIN (SELECT content_id, max(split) AS split FROM ledger WHERE split IS NOT NULL GROUP BY content_id) k
  ON l.content_id = k.content_id
JOIN repositories r ON l.repo_name = r.repo_name
WHERE l.content_id >= $first AND l.content_id < $beyond AND coalesce(l.rule, '') <> 'opt-out'
ORDER BY l.content_id, in_dataset DESC, l.repo_name, l.path
"""


@dataclass(frozen=True)
class Origin:
    """A place where a content stands."""

    repo_name: str
    path: str
    content_id: str
    revision_id: str | None
    url: str | None
    license_type: str | None
    detected_licenses: tuple[str, ...]
    language: str | None
    split: str
    in_dataset: bool


def occurrences(root: Path, engine: Engine, first: str = "", beyond: str = "g") -> pa.Table:
    """Rows of OCCURRENCES, by content_id (from `first` to below `beyond`), the dataset's own place first. Raises
    UserError when nothing is decided."""
    given = {"ledger": tables.ledger(root), "repositories": tables.repositories(root)}
    found = engine.table(_SQL, given, {"first": first, "beyond": beyond})
    return found.select(OCCURRENCES.names).cast(OCCURRENCES)


class Origins:
    """Look-ups in a table of OCCURRENCES. Memory: the table and one dictionary of its contents."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table.combine_chunks()
        counted = pc.value_counts(self._table.column("content_id").combine_chunks())
        self._ranges: dict[str, tuple[int, int]] = {}
        start = 0
        for content, number in zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist()):
            self._ranges[content] = (start, number)  # in order of appearance: the table is sorted by content
            start += number

    def of(self, content_id: str, limit: int | None = None) -> list[Origin]:
        """The places of a content, the dataset's own first; none for a content that it does not hold."""
        start, number = self._ranges.get(content_id, (0, 0))
        rows = self._table.slice(start, number if limit is None else min(number, limit)).to_pylist()
        return [origin(row) for row in rows]

    def count(self, content_id: str) -> int:
        """How many places a content has."""
        return self._ranges.get(content_id, (0, 0))[1]


def origin(row: dict[str, Any]) -> Origin:
    """Of a row of OCCURRENCES."""
    del row["version"]
    return Origin(**row | {"detected_licenses": tuple(row["detected_licenses"] or ())})
