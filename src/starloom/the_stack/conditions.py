"""SQL conditions of rules and budgets: parsed, held to be pure expressions over `COLUMNS`, taken apart.

Anything else (a sub-query, a file function, an unknown column, parts that do not fit) is refused, with the place
marked.
"""

import functools
import re
from typing import NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from starloom.errors import UserError
from starloom.settings import nearest
from starloom.the_stack.columns import COLUMNS, Kind

FUNCTIONS = ("lower", "upper", "length", "coalesce", "abs", "starts_with", "contains")

_MAX_NUMBER = 1e18  # more is no 64-bit number
_MAX_DEPTH = 200  # of a condition; the query engine's own limit is 1,000

_NODES: tuple[type[exp.Expression], ...] = (
    exp.And, exp.Or, exp.Not, exp.Paren, exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Neg,
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between, exp.Like,
    exp.Add, exp.Sub, exp.Mul, exp.Div,
    exp.Lower, exp.Upper, exp.Length, exp.Coalesce, exp.Abs, exp.StartsWith, exp.Contains,
)  # fmt: skip
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between, exp.Like, exp.Is)
_BY_SIZE = {exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<="}
_MIRRORED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Abs)


class Comparison(NamedTuple):
    """A number compared with a fixed one: `sql` of the left side, e.g. num_lines > 100000."""

    column: str  # the first column of the left side
    operator: str  # >, >=, <, <=
    limit: float
    sql: str


@functools.lru_cache(maxsize=1024)
def parse(where: str, text: str) -> exp.Expression:
    """The condition `text`. Raises UserError that begins with `where` and marks what is refused."""
    try:
        return _parsed(where, text)
    except RecursionError:
        raise _too_deep(where) from None


def _too_deep(where: str) -> UserError:
    return UserError(
        f"{where}: the condition is nested too deep", "use IN for a list of values, or write several rules"
    )


def _parsed(where: str, text: str) -> exp.Expression:
    try:
        statements = sqlglot.parse(f"SELECT {text}", read="duckdb")
    except (ParseError, TokenError) as problem:
        first = str(problem).splitlines()[0].replace("\x1b[4m", ">>>").replace("\x1b[0m", "<<<")
        raise UserError(f"{where}: {text!r} is no SQL condition: {first}", "mend the condition") from None
    select = statements[0] if len(statements) == 1 else None
    if not isinstance(select, exp.Select) or len(select.expressions) != 1 or set(_arguments(select)) != {"expressions"}:
        raise UserError(f"{where}: {text!r} is not one condition", "write a single SQL condition, e.g. num_lines > 9")
    tree = select.expressions[0]
    depth = {id(tree.parent): 0}
    for node in tree.walk():  # parents come first
        depth[id(node)] = depth[id(node.parent)] + 1
        if depth[id(node)] > _MAX_DEPTH:
            raise _too_deep(where)
        _check(where, text, node)
    if _kind(where, text, tree) not in ("truth value", "unknown"):
        raise UserError(f"{where}: {text!r} is no condition", "compare it with something, e.g. num_lines > 9")
    result: exp.Expression = tree
    return result


def _arguments(select: exp.Select) -> list[str]:
    return [name for name, value in select.args.items() if value not in (None, [], False)]


def _check(where: str, text: str, node: exp.Expression) -> None:
    if isinstance(node, exp.Anonymous | exp.Func) and not isinstance(node, _NODES):
        name = node.name if isinstance(node, exp.Anonymous) else type(node).__name__
        raise UserError(
            f"{where}: {_marked(text, node)}: function `{name}` is not allowed", f"functions: {', '.join(FUNCTIONS)}"
        )
    if not isinstance(node, _NODES):
        raise UserError(
            f"{where}: {_marked(text, node)}: {type(node).__name__} is not allowed",
            "a rule is a condition over columns: comparisons, AND, OR, NOT, IN, BETWEEN, LIKE, IS NULL, arithmetic",
        )
    if isinstance(node, exp.Column) and (node.table or node.name not in COLUMNS):
        raise UserError(f"{where}: {_marked(text, node)}: unknown column", nearest(node.name, COLUMNS))
    if isinstance(node, exp.In) and node.args.get("query"):
        raise UserError(f"{where}: {_marked(text, node)}: a sub-query is not allowed", "list the values in brackets")
    if isinstance(node, exp.In) and not node.expressions:
        raise UserError(f"{where}: {_marked(text, node)}: IN needs values", "list the values in brackets")
    if isinstance(node, exp.Literal) and not node.is_string and not abs(float(node.this)) <= _MAX_NUMBER:
        raise UserError(f"{where}: {_marked(text, node)}: the number is too large", f"use at most {_MAX_NUMBER:g}")


def _kind(where: str, text: str, node: exp.Expression) -> Kind:
    """What `node` gives. Raises UserError where its parts do not fit it, which else would stop the build half-way."""

    def need(kind: Kind, *parts: exp.Expression) -> None:
        for part in parts:
            fits(kind, _kind(where, text, part), part)

    def agree(*parts: exp.Expression) -> Kind:
        kinds = [_kind(where, text, part) for part in parts]
        first: Kind = next((kind for kind in kinds if kind != "unknown"), "unknown")
        for kind, part in zip(kinds, parts, strict=True):
            fits(first, kind, part)
        return first

    def fits(kind: Kind, found: Kind, part: exp.Expression) -> None:
        if found not in (kind, "unknown"):
            raise UserError(f"{where}: {_marked(text, part)} is a {found}, not a {kind}", "mend the condition")

    if isinstance(node, exp.Paren):
        return _kind(where, text, node.this)
    if isinstance(node, exp.Column):
        return COLUMNS[node.name].kind
    if isinstance(node, exp.Literal):
        return "text" if node.is_string else "number"
    if isinstance(node, exp.Null):
        return "unknown"
    if isinstance(node, _ARITHMETIC):
        need("number", *node.iter_expressions())
        return "number"
    if isinstance(node, exp.Coalesce):
        return agree(node.this, *node.expressions)
    if isinstance(node, exp.Lower | exp.Upper | exp.Length):
        need("text", node.this)
        return "number" if isinstance(node, exp.Length) else "text"
    if isinstance(node, exp.StartsWith | exp.Contains | exp.Like):
        need("text", node.this, node.expression)
    elif isinstance(node, exp.And | exp.Or | exp.Not):
        need("truth value", *node.iter_expressions())
    elif isinstance(node, exp.In):
        agree(node.this, *node.expressions)
    elif isinstance(node, exp.Between):
        agree(node.this, node.args["low"], node.args["high"])
    elif not isinstance(node, exp.Boolean):  # comparisons, IS
        agree(node.this, node.expression)
    return "truth value"


def _marked(text: str, node: exp.Expression) -> str:
    shown = node.sql(dialect="duckdb")
    return f"{text!r} at {shown!r}" if shown != text else repr(text)


def sql(node: exp.Expression) -> str:
    """DuckDB SQL of a parsed condition: without comments, which the engine nests and sqlglot does not; with arithmetic
    that cannot fail: in doubles, and a division by zero is unknown."""
    safe = exp.Paren(this=node.copy())
    for one in reversed(list(safe.find_all(*_ARITHMETIC))):  # the innermost first
        for key, part in list(one.args.items()):
            if isinstance(part, exp.Expression) and not isinstance(part.unnest(), _ARITHMETIC):
                part = exp.cast(part.copy(), "DOUBLE")
            if isinstance(one, exp.Div) and key == "expression":
                part = exp.Nullif(this=part.copy(), expression=exp.Literal.number(0))
            one.set(key, part)
    text: str = safe.sql(dialect="duckdb", comments=False)
    return text


def columns(node: exp.Expression) -> set[str]:
    """The columns a parsed condition asks."""
    return {column.name for column in node.find_all(exp.Column)}


def alternatives(node: exp.Expression) -> list[exp.Expression]:
    """The operands of the OR at the top, in order."""
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Or):
        return alternatives(node.left) + alternatives(node.right)
    return [node]


def reason(node: exp.Expression) -> tuple[str, str]:
    """(SQL of the value, text of the limit) of the first comparison in `node`, else of its first column."""
    for one in node.find_all(*_COMPARISONS, bfs=False):
        column = one.find(exp.Column)
        if column is not None:
            subject = one.this if one.this.find(exp.Column) else column
            return sql(subject), _shown(one if not isinstance(one.parent, exp.Not) else one.parent)
    column = node.find(exp.Column)
    return (sql(column), _shown(node)) if column is not None else ("NULL", _shown(node))


def _shown(node: exp.Expression) -> str:
    text = re.sub(r"\bNOT (\w+) IS NULL\b", r"\1 IS NOT NULL", node.sql(dialect="duckdb", comments=False))
    return text if len(text) <= 80 else text[:77] + "…"


def comparisons(node: exp.Expression) -> tuple[Comparison, ...]:
    """Every comparison by size with a number, in order; `9 < num_lines` counts as num_lines > 9."""
    found = []
    for one in node.find_all(*_BY_SIZE, bfs=False):
        operator, left, right = _BY_SIZE[type(one)], one.this, one.expression
        if _number(left) is not None:
            operator, left, right = _MIRRORED[operator], right, left
        limit, column = _number(right), left.find(exp.Column)
        if limit is not None and column is not None:
            found.append(Comparison(column.name, operator, limit, sql(left)))
    return tuple(found)


def _number(node: exp.Expression) -> float | None:
    """Of a literal, with or without a sign."""
    node = node.unnest()
    if isinstance(node, exp.Neg):
        inner = _number(node.this)
        return None if inner is None else -inner
    return float(node.this) if isinstance(node, exp.Literal) and not node.is_string else None
