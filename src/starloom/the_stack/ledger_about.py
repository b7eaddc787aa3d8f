"""What `starloom ledger` shows by itself: the tables that can be asked, and a few queries with their answers."""

import textwrap
from pathlib import Path
from typing import Any

from starloom.engine.verbs import Engine
from starloom.the_stack import query_output
from starloom.the_stack.ledger_columns import EXAMPLES, MEASURED, TABLES, described
from starloom.the_stack.ledger_query import answer
from starloom.the_stack.signal import all_signals

_WIDTH = 110
_ROWS = 8


def to_json(root: Path, engine: Engine) -> dict[str, Any]:
    """`tables`: name, meaning, columns; `examples`: title, sql, columns, rows."""
    signals = {one.name for one in all_signals()}
    examples = []
    for title, sql in EXAMPLES:
        with answer(root, engine, sql) as reader:
            names = query_output.names(reader.schema)
            rows = [dict(zip(names, row, strict=True)) for row in query_output.rows(reader)]
        examples.append({"title": title, "sql": sql, "columns": names, "rows": rows})
    tables = [
        {
            "name": name,
            "meaning": TABLES.get(name, "a signal" if name in signals else ""),
            "columns": [column._asdict() for column in columns],
        }
        for name, columns in described().items()
    ]
    return {"tables": tables, "examples": examples}


def words(root: Path, engine: Engine) -> str:
    """The same for a person: the ledger's columns with their meaning, the other tables in a line or two."""
    known = described()
    lines = [f"ledger: {TABLES['ledger']}", ""]
    width = max(len(column.name) for column in known["ledger"]) + 2
    lines += [f"  {_quoted(column.name):<{width}}  {column.meaning}" for column in known["ledger"]]
    lines += ["", "Other tables:", ""]
    in_ledger = {column.name for column in known["ledger"]}
    for name, columns in known.items():
        if name == "ledger":
            continue
        shown = [_quoted(one.name) for one in columns if name != MEASURED or one.name not in in_ledger]
        first = f"{name}: {TABLES[name]}; " if name in TABLES else f"{name}, a signal: "
        if name == MEASURED:
            first += "beside the ledger's: "
        lines += textwrap.wrap(
            first + ", ".join(shown), _WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
        )
    lines += ["", "For example:"]
    for title, sql in EXAMPLES:
        lines += ["", f"# {title}", f'starloom ledger --sql "{sql}"', ""]
        with answer(root, engine, sql) as reader:
            lines += query_output.table(reader, _ROWS)
    return "\n".join(lines)


def _quoted(name: str) -> str:
    """As SQL wants it: some names are its own words."""
    return f'"{name}"' if name in ("value", "limit", "left", "right") else name
