"""Real code to plant in and to look at: the contents of a workspace, with a name and a language of each."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from starloom.the_stack import tables

_SCHEMA = pa.schema([("id", pa.string()), ("name", pa.string()), ("language", pa.string()), ("content", pa.string())])


class File(NamedTuple):
    id: str
    name: str
    language: str
    content: str


def write(workspace: Path, target: Path, max_bytes: int) -> None:
    """Contents of the workspace in the order of their parts, up to `max_bytes` of text, each once."""
    known: dict[str, tuple[str, str]] = {}
    for path in sorted((workspace / "signals" / "language").rglob("*.parquet")):
        told = pq.read_table(path, columns=["content_id", "file_name", "language"])
        for content, name, language in zip(*(told.column(one).to_pylist() for one in told.column_names), strict=True):
            known.setdefault(content, (name or "", language or ""))
    left = max_bytes
    with pq.ParquetWriter(target, _SCHEMA, compression="zstd") as writer:
        for path in tables.contents(workspace):
            for batch in pq.ParquetFile(path).iter_batches(500, columns=["content_id", "content"]):
                ids, texts = (column.to_pylist() for column in batch.columns)
                kept = [(one, *known.get(one, ("", "")), text) for one, text in zip(ids, texts, strict=True) if text]
                left -= sum(len(text.encode("utf-8", "surrogatepass")) for *_, text in kept)
                writer.write_table(pa.table([list(one) for one in zip(*kept, strict=True)], schema=_SCHEMA))
                if left <= 0:
                    return


def read(path: Path) -> list[File]:
    columns = (column.to_pylist() for column in pq.read_table(path, columns=_SCHEMA.names).columns)
    return [File(*one) for one in zip(*columns, strict=True)]


def some(files: list[File], max_bytes: int, seed: str) -> list[File]:
    """A seeded choice of whole files, about `max_bytes` of text."""
    order = sorted(files, key=lambda one: hashlib.sha256(f"{seed} {one.id}".encode()).digest())
    found, left = [], max_bytes
    for one in order:
        if left <= 0:
            break
        found.append(one)
        left -= len(one.content)
    return found
