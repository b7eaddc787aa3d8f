"""Listed files with what was measured of them: the joins that `decide` makes, and the ledger with columns beside it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from starloom.errors import UserError
from starloom.languages.table import load
from starloom.the_stack import tables
from starloom.the_stack.columns import COLUMNS
from starloom.the_stack.signal import all_signals, signal
from starloom.workspace.parts import Parts
from starloom.workspace.stage import opened

KINDS = "kinds"

# Of each content that could be read, its encoding. A content is in one part of the cache, so in one row.
READABLE = "LEFT JOIN contents c ON f.content_id = c.content_id"


def needed(columns: Iterable[str]) -> tuple[str, ...]:
    """The tables beside listing and verdicts that `columns` come from, in the order in which they can be joined."""
    return tuple(dict.fromkeys(table for name in columns for table in COLUMNS[name].needs))


def joins(needs: Iterable[str]) -> str:
    """LEFT JOINs of the tables `needs` to f, the listed file: none makes a row more, or less."""
    found = []
    for name in needs:
        if name == KINDS:
            found.append("LEFT JOIN kinds ON language.language = kinds.language")
            continue
        by_name = f" AND f.file_name = {name}.file_name" if signal(name).by_name else ""
        (first, *others) = signal(name).columns.names
        # Of a signal that says one thing of few files, the others are not worth a place in the join.
        rows = name if others else f"(SELECT * FROM {name} WHERE {first} IS NOT NULL)"
        found.append(f"LEFT JOIN {rows} AS {name} ON f.content_id = {name}.content_id{by_name}")
    return "\n".join(found)


def given(root: Path, needs: Iterable[str]) -> dict[str, Any]:
    """Those tables, for a query, and the listing."""
    found: dict[str, Any] = {
        "files": tables.listed_files(root),
        "repositories": tables.repositories(root),
        "contents": tables.contents(root) or tables.CONTENTS.empty_table(),
    }
    for name in needs:
        found[name] = _kinds() if name == KINDS else tables.signal_rows(root, name)
    return found


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
    return sql, given(root, needs) | {"ledger": tables.ledger(root)}


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
