"""Listed files with what was measured of them: the joins that `decide` makes, and the ledger with columns beside it.

Joins by content ids, texts of 40 characters, are what `decide` would spend most of its time on. So there is one: what
was measured of contents, whatever their names, is laid beside their ids first.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from starloom.errors import UserError
from starloom.languages.table import load
from starloom.the_stack import tables
from starloom.the_stack.columns import COLUMNS
from starloom.the_stack.signal import all_signals, signal
from starloom.workspace.parts import Parts
from starloom.workspace.stage import opened

KINDS = "kinds"

# Of each content that could be read: its encoding, its `place` among them, and a struct for each signal. A content is
# in one part of the cache, so in one row.
READABLE = "LEFT JOIN contents c ON f.content_id = c.content_id"


def needed(columns: Iterable[str]) -> tuple[str, ...]:
    """The tables beside listing and verdicts that `columns` come from, in the order in which they can be joined."""
    return tuple(dict.fromkeys(table for name in columns for table in COLUMNS[name].needs))


def joins(needs: Iterable[str]) -> str:
    """LEFT JOINs of the tables `needs` to f, the listed file, and c: none makes a row more, or less."""
    found = []
    for name in needs:
        if name == KINDS:
            found.append("LEFT JOIN kinds ON language.language = kinds.language")
        elif signal(name).by_name:
            (first, *others) = signal(name).columns.names
            # Of a signal that says one thing of few files, the others are not worth a place in the join.
            rows = name if others else f"(SELECT * FROM {name} WHERE {first} IS NOT NULL)"
            found.append(
                f"LEFT JOIN {rows} AS {name} ON f.content_id = {name}.content_id AND f.file_name = {name}.file_name"
            )
    return "\n".join(found)


def given(root: Path, needs: Iterable[str], sql: str) -> dict[str, Any]:
    """Those tables, for the query `sql`, and the listing."""
    found: dict[str, Any] = {"files": tables.listed_files(root), "repositories": tables.repositories(root)}
    beside: dict[str, list[str]] = {}
    for name in needs:
        if name == KINDS:
            found[name] = _kinds()
        elif signal(name).by_name:
            found[name] = tables.signal_rows(root, name)
        else:
            asked = set(re.findall(rf"\b{name}\.(\w+)", sql))
            beside[name] = [column for column in signal(name).columns.names if column in asked]
    beside = {name: columns for name, columns in beside.items() if columns}
    return found | {"contents": _contents(root, beside)}


def _contents(root: Path, beside: dict[str, list[str]]) -> pa.Table:
    """content_id, src_encoding and place of every content that could be read, and the columns `beside` of signals."""
    parts = tables.contents(root)
    found = _read(parts, tables.CONTENTS, ["content_id", "src_encoding"])
    ids = found.column("content_id")
    found = found.append_column("place", pa.array(range(len(found)), pa.int32()))
    for name, columns in beside.items():
        paths = tables.signal(root, name)
        rows = _read(paths, signal(name).schema, columns)
        if len(rows) != len(ids) or [one.parent.name for one in paths] != [one.parent.name for one in parts]:
            # A part of a signal has the rows of the part of the cache that it was measured of, unless a run was stopped
            # in between.
            rows = _read(paths, signal(name).schema, ["content_id", *columns])
            rows = rows.select(columns).take(pc.index_in(ids, rows.column("content_id")))
        found = found.append_column(name, rows.to_struct_array())
    return found


def _read(paths: Sequence[Path], schema: pa.Schema, columns: Sequence[str]) -> pa.Table:
    """These columns of Parquet files of one schema, in order. Raises UserError for one that cannot be read."""
    found = [pa.schema([schema.field(name) for name in columns]).empty_table()]
    for path in paths:
        try:
            with pq.ParquetFile(path) as file:
                found.append(file.read(columns=list(columns), use_threads=False))
        except (OSError, pa.ArrowException) as problem:
            raise UserError(
                f"{path} cannot be read ({str(problem).splitlines()[0]})",
                "`starloom verify` checks the workspace's files",
            ) from None
    return pa.concat_tables(found)


def measured(root: Path, columns: Iterable[str]) -> tuple[str, dict[str, Any]]:
    """(SQL, tables): a row for every file in the ledger, with the ledger's columns, `file_name`, and `columns` (keys of
    COLUMNS; null where nothing was measured)."""
    asked = [name for name in dict.fromkeys(columns) if name not in tables.LEDGER_ROWS.names]
    needs = needed(asked)
    more = "".join(f", {COLUMNS[name].sql} AS {name}" for name in asked if name != "file_name")
    sql = f"""SELECT v.*, f.file_name{more}
      FROM ledger v JOIN files f ON v.repo_name = f.repo_name AND v.path = f.path
      JOIN repositories r ON f.repo_name = r.repo_name
      {READABLE}
      {joins(needs)}"""
    return sql, given(root, needs, sql) | {"ledger": tables.ledger(root)}


def check_measured(root: Path, settings: Any) -> None:
    """Raises UserError where `settings` would need other contents or signals than the built workspace has."""
    largest = opened(root / tables.LEDGER, "decide").settings["max_bytes"]
    problem = None
    if settings.list.max_bytes > largest:
        problem = f"[list] max_bytes = {settings.list.max_bytes} asks for files that were not read (up to {largest})"
    for one in all_signals():
        parts = Parts(root / tables.SIGNALS / one.name, f"signal-{one.name}").manifests().values()
        if any(part.fingerprint != one.fingerprint(settings) for part in parts):
            problem = f"the signal `{one.name}` was measured with other settings than these ask for"
    if problem:
        raise UserError(f"{root}: {problem}", "build a workspace with those settings, and name it instead")


def _kinds() -> pa.Table:
    languages = load().languages.values()
    return pa.table(
        {
            "language": pa.array([one.name for one in languages], pa.string()),
            "language_kind": pa.array([one.kind for one in languages], pa.string()),
        }
    )
