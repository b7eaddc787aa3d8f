"""Queries whose rows go to Parquet files in a folder, batch by batch: the frontier of a walk is never in memory."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from starloom.engine.verbs import Engine, Table

GROUP_ROWS = 100_000


class Steps:
    """The steps of one preparation: `folder` holds their rows, one file a step."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder

    def keep(
        self, name: str, sql: str, tables: Mapping[str, Table], parameters: Mapping[str, Any] | None = None
    ) -> list[Path]:
        """The file (in a list, as queries take it) with the rows of `sql`, in no order."""
        with self.engine.query(sql, tables, parameters) as rows:
            return [self.write(name, rows.schema, rows)]

    def write(self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Path:
        path = self.folder / f"{name}.parquet"
        with Writer(path, schema) as writer:
            for batch in batches:
                writer.write(batch)
        return path

    def rows(self, paths: Sequence[Path]) -> int:
        return sum(int(pq.read_metadata(path).num_rows) for path in paths)


class Writer:
    """A Parquet file of many batches."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self._writer = pq.ParquetWriter(path, schema, compression="zstd", compression_level=1)

    def write(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows:
            self._writer.write_batch(batch, row_group_size=GROUP_ROWS)

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()
