"""`starloom ledger --sql`: one SELECT over the ledger, the listing, the pairs and every signal.

Nothing is written, no other file is read, and no content: a query sees narrow tables. Rows come as a stream, so a query
may give more than fits into memory. Cost: that of the query; tables that it does not name are not opened.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from starloom.engine.one_select import Select, explained, one_select
from starloom.engine.verbs import Engine
from starloom.the_stack import tables
from starloom.the_stack.columns import COLUMNS
from starloom.the_stack.ledger_columns import MEASURED, described
from starloom.the_stack.measured import measured

_PREFIX_LINES = 1


@contextmanager
def answer(root: Path, engine: Engine, sql: str) -> Iterator[pa.RecordBatchReader]:
    """The rows of one SELECT, in its order. Raises UserError for anything else, and for what is wrong in it."""
    select = one_select(sql)
    known = {table: [column.name for column in columns] for table, columns in described().items()}
    asked = [name for name in known if name in {one.lower() for one in select.tables}]
    if select.has_star and not select.tables:  # SHOW TABLES
        asked = [name for name in known if name != MEASURED]
    given: dict[str, Any] = {}
    skipped = 0
    for name in asked:
        if name != MEASURED:
            given[name] = _table(root, name)
    if MEASURED in asked:
        files, more = measured(root, _columns(select))
        # As lines of its own: what stands after it keeps its meaning, whatever it ends with.
        sql = f"WITH {MEASURED} AS ({' '.join(files.split())}) SELECT * FROM (\n{sql.rstrip().rstrip(';')}\n)"
        given = more | given
        skipped = _PREFIX_LINES
    with explained(select, known, skipped), engine.query(sql, given) as rows:
        yield rows


def _columns(select: Select) -> list[str]:
    """Those of COLUMNS that the query can mean."""
    if select.has_star:
        return list(COLUMNS)
    named = {name.lower() for name in select.columns}
    return [name for name in COLUMNS if name in named]


def _table(root: Path, name: str) -> Any:
    readers = {
        "ledger": tables.ledger,
        "files": tables.listed_files,
        "repositories": tables.repositories,
        "problems": tables.problems,
        "relations": tables.relations,
        "pairs": tables.pairs,
        "streams": tables.streams,
    }
    return readers[name](root) if name in readers else tables.signal_rows(root, name)
