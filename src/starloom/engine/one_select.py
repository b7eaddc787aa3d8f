"""SQL that a person typed: held to one SELECT before it runs, and what goes wrong said in a line with its place.

DuckDB's own parser reads it, so nothing is refused or let through by a misunderstanding. A SELECT can write: a CTE may
hold COPY, INSERT or DELETE (a file that may be read may be written too). So every query in the tree must be a SELECT.
DuckDB's errors are of a few kinds; those about a name are said with the nearest known one, the others in its words.
"""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from starloom.errors import UserError
from starloom.settings import nearest

_HARMLESS = ("SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE")
_NO_PLACE = 1 << 63  # DuckDB's "nowhere" is above it
_HINT = "write one SELECT, in DuckDB's SQL"

_COLUMN = re.compile(
    r'(?:Referenced column|have a column named|Column) "(?P<name>(?:[^"]|"")*)"'
    r"(?: not found| was not found| does not exist| in EXCLUDE| in REPLACE| in RENAME|$)",
    re.IGNORECASE | re.MULTILINE,
)
_TABLE = re.compile(r"Table with name (?P<name>.+?) does not exist|Referenced table \"(?P<other>.+?)\" not found")
_FUNCTION = re.compile(r"Function with name (?P<name>\S+) does not exist", re.IGNORECASE)
_MEANT = re.compile(r'Did you mean "(?P<name>[^"]+)"')
_LINE = re.compile(r"^LINE (?P<line>\d+): (?P<text>.*)\n(?P<blank> *)\^", re.MULTILINE)


@dataclass
class Select:
    """One SELECT. Names as they are written, each with where it first stands (bytes from the beginning, or None)."""

    sql: str
    tables: dict[str, int | None] = field(default_factory=dict)
    columns: dict[str, int | None] = field(default_factory=dict)
    functions: dict[str, int | None] = field(default_factory=dict)
    has_star: bool = False  # it asks for every column of something

    def where(self, place: int | None) -> str:
        """`line 2, column 8: ` of a place in bytes; nothing where there is none."""
        if place is None:
            return ""
        before = self.sql.encode()[:place].decode("utf-8", "replace")
        return f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}: "


def one_select(sql: str) -> Select:
    """`sql`, read. Raises UserError unless it is a single SELECT that writes nothing."""
    found = Select(sql)
    if "\0" in sql:
        raise UserError("the SQL has a NUL character", _HINT)
    if any("\ud800" <= one <= "\udfff" for one in sql):
        raise UserError("the SQL is no UTF-8", _HINT)
    answer = _parsed(sql)
    if answer["error"]:
        place = int(answer["position"]) if str(answer.get("position", "")).isdigit() else None
        message = str(answer["error_message"]).splitlines()[0]
        if answer.get("error_type") == "not implemented":
            message = "only a SELECT is allowed"
        raise UserError(found.where(place) + message, _HINT)
    statements = answer["statements"]
    if len(statements) != 1:
        raise UserError("there is no SELECT" if not statements else f"{len(statements)} statements, not one", _HINT)
    if statements[0].get("named_param_map"):
        raise UserError("parameters have no values here", "write the values into the SQL")
    _walk(statements, found)
    return found


def _parsed(sql: str) -> dict[str, Any]:
    """DuckDB's tree of the statements in `sql`, or its error."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    try:
        row = connection.execute(
            "SELECT json_serialize_sql(?::VARCHAR, skip_null := true, skip_empty := true)", [sql]
        ).fetchone()
        answer: dict[str, Any] = json.loads(row[0]) if row else {"error": True, "error_message": "no answer"}
    except (duckdb.Error, RecursionError) as problem:  # nested too deep
        answer = {"error": True, "error_message": _first(str(problem))}
    finally:
        connection.close()
    return answer


def _walk(tree: Any, found: Select) -> None:
    """Collects the names of a tree, in the order of the text. Raises UserError at a query that is no SELECT."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += reversed(node)
            continue
        if not isinstance(node, dict):
            continue
        kind = str(node.get("type", ""))
        if (kind.endswith("_NODE") and kind not in _HARMLESS) or "info_type" in node:
            raise UserError(f"{kind.removesuffix('_QUERY_NODE') or 'a statement'} in it writes", _HINT)
        place = int(node.get("query_location", _NO_PLACE))
        at = place if place < _NO_PLACE else None
        if kind == "COLUMN_REF":
            found.columns.setdefault(str(node["column_names"][-1]), at)
        elif kind == "BASE_TABLE":
            found.tables.setdefault(str(node["table_name"]), at)
        elif kind == "FUNCTION":
            found.functions.setdefault(str(node["function_name"]), at)
        elif kind in ("STAR", "SHOW_REF"):
            found.has_star = True
        waiting += reversed(list(node.values()))


@contextlib.contextmanager
def explained(select: Select, tables: Mapping[str, Sequence[str]], skipped: int = 0) -> Iterator[None]:
    """Around a query that runs `select`: what DuckDB says against it is raised as UserError. `tables`: the columns of
    each known table; `skipped`: lines that stand before the SELECT in what is run."""
    try:
        yield
    except (duckdb.Error, OSError, RuntimeError) as problem:
        if isinstance(problem, OSError) and problem.errno is not None:
            raise  # of the machine, not of the query
        raise _said(str(problem), select, tables, skipped) from None


def _said(message: str, select: Select, tables: Mapping[str, Sequence[str]], skipped: int) -> UserError:
    asked = {name.lower() for name in select.tables}
    columns = [one for name, known in tables.items() if not asked or name in asked for one in known]
    if match := _COLUMN.search(message):
        name = match["name"].replace('""', '"')
        return UserError(
            f"{select.where(_place(select.columns, name))}no column `{name}`", nearest(name.lower(), columns)
        )
    if match := _TABLE.search(message):
        name = match["name"] or match["other"]
        return UserError(f"{select.where(_place(select.tables, name))}no table `{name}`", nearest(name.lower(), tables))
    if match := _FUNCTION.search(message):
        name, meant = match["name"], _MEANT.search(message)
        hint = f"did you mean `{meant['name']}`?" if meant else _HINT
        return UserError(f"{select.where(_place(select.functions, name))}no function `{name}`", hint)
    where = ""
    if match := _LINE.search(message):
        where = _line(
            select,
            int(match["line"]) - skipped,
            match["text"],
            len(match["blank"]) - len("LINE : ") - len(match["line"]),
        )
    hint = (
        "ask one of the tables given: no other file can be read" if message.startswith("Permission") else "mend the SQL"
    )
    return UserError(where + _first(message), hint)


def _place(names: Mapping[str, int | None], name: str) -> int | None:
    return next((place for one, place in names.items() if one.lower() == name.lower()), None)


def _line(select: Select, number: int, text: str, at: int) -> str:
    """`line 2, column 8: ` of a place that DuckDB marked in an excerpt, which may be cut on both sides."""
    lines = select.sql.split("\n")
    if not 1 <= number <= len(lines):
        return ""
    cut = 3 if text.startswith("...") else 0
    begin = lines[number - 1].find(text[cut:].removesuffix("..."))
    return f"line {number}, column {begin + at - cut + 1}: " if begin >= 0 else f"line {number}: "


def _first(message: str) -> str:
    """The first line of a DuckDB error, without its kind."""
    return re.sub(r"^[A-Z][\w ]* Error: ", "", message.strip().split("\n", 1)[0])
