"""The two verbs that every stage is written in: `map` a function over shards, `query` with SQL over narrow tables.

`LocalEngine` (local.py: process pool and DuckDB) is one implementation. A cluster is another with the same functions,
the same SQL and the same rows; nothing above this package knows which one runs. Contents never go through `query`:
maps read and write shards, queries see narrow columns.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar

import pyarrow as pa

from starloom.errors import UserError

MOST_WORKERS = 1024
_MEMORY = re.compile(r"\d{1,12}(?:\.\d{1,6})? ?[KMGT]i?B", re.IGNORECASE | re.ASCII)

Item = TypeVar("Item")
Result = TypeVar("Result")

# What a query may read: Parquet files (one schema), or a small table in memory.
Table: TypeAlias = Sequence[Path] | pa.Table


@dataclass(frozen=True)
class EngineSettings:
    """`[engine]` of starloom.toml."""

    workers: int = 0  # processes for `map`; 0: one per core
    memory: str = "auto"  # DuckDB's limit, e.g. "4GB"; auto: half of what the machine has free
    spill: str = ""  # folder for what does not fit; empty: inside the workspace

    def __post_init__(self) -> None:
        if not 0 <= self.workers <= MOST_WORKERS:
            raise UserError(
                f"[engine] workers = {self.workers} is out of range",
                f"use 1 to {MOST_WORKERS} processes, or 0: one per core",
            )
        if self.memory != "auto" and not _MEMORY.fullmatch(self.memory):
            raise UserError(
                f"[engine] memory = {self.memory!r} is no amount of memory",
                'write it as "4GB" or "500MB", or "auto": half of what is free',
            )


class Engine(Protocol):
    settings: EngineSettings
    spill: Path  # folder for what does not outlive the run
    workers: int  # functions of a `map` that run at a time

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[Item, Result]]:
        """`(item, function(item))` as they finish, in any order. Both must pickle. An exception ends the map."""
        ...

    def query(
        self, sql: str, tables: Mapping[str, Table], parameters: Mapping[str, Any] | None = None
    ) -> AbstractContextManager[pa.RecordBatchReader]:
        """The rows of `sql` over `tables`, streamed. The order is that of the query's own ORDER BY."""
        ...

    def table(self, sql: str, tables: Mapping[str, Table], parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """The rows of `sql` as one table in memory: for small answers."""
        ...
