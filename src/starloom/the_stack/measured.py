"""Listed files with what was measured of them, for queries, and the ledger with columns beside it."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from starloom.languages.table import load
from starloom.the_stack import tables
from starloom.the_stack.columns import COLUMNS
from starloom.the_stack.placed import asked_of, beside, placed, with_columns

KINDS = "kinds"


def needed(columns: Iterable[str]) -> tuple[str, ...]:
    """The tables beside listing and verdicts that `columns` come from, in the order in which they can be joined."""
    return tuple(dict.fromkeys(table for name in columns for table in COLUMNS[name].needs))


def joins(needs: Iterable[str]) -> str:
    """LEFT JOINs to f, the listed file with its signals beside it: none makes a row more, or less."""
    return "LEFT JOIN kinds ON f.language.language = kinds.language" if KINDS in needs else ""


def given(root: Path, needs: Collection[str], sql: str) -> dict[str, Any]:
    """The tables of the query `sql`: the listing with what it asks of signals among `needs`, and what `joins` joins."""
    listing = placed(root, re.findall(r"\bf\.(\w+)", sql))
    files = with_columns(listing.files, beside(listing, asked_of(root, needs, sql)))
    return {"files": files, "repositories": tables.repositories(root)} | kinds(needs)


def kinds(needs: Iterable[str]) -> dict[str, pa.Table]:
    """The kinds of languages, if they are asked for."""
    if KINDS not in needs:
        return {}
    languages = load().languages.values()
    columns = [[one.name for one in languages], [one.kind for one in languages]]
    return {KINDS: pa.table([pa.array(one, pa.string()) for one in columns], ["language", "language_kind"])}


def measured(root: Path, columns: Iterable[str]) -> tuple[str, dict[str, Any]]:
    """(SQL, tables): a row for every file in the ledger, with the ledger's columns, `file_name`, and `columns` (keys of
    COLUMNS; null where nothing was measured)."""
    asked = [name for name in dict.fromkeys(columns) if name not in tables.LEDGER_ROWS.names]
    needs = needed(asked)
    more = "".join(f", {COLUMNS[name].sql} AS {name}" for name in asked if name != "file_name")
    sql = f"""SELECT v.*, f.file_name{more}
      FROM ledger v JOIN files f ON v.repo_name = f.repo_name AND v.path = f.path
      JOIN repositories r ON f.repo_name = r.repo_name
      {joins(needs)}"""
    return sql, given(root, needs, sql) | {"ledger": tables.ledger(root)}
