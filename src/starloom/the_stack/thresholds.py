"""Where the files lie around a rule's limit: how many on which side, which are nearest, how many another would keep.

A rule such as `avg_line_length > 100 OR max_line_length > 1000` has two comparisons with a number. Each is looked at by
itself: the others, and `unless`, stay as they are. Files: those in the dataset, and those that this rule alone drops.
Whatever drops a file before (another rule, an exact copy elsewhere) drops it at any limit. What this does not see: a
file that comes in may be a near-duplicate of another, and one that goes may have hidden one (`tune` can decide again).

Touches no content. Cost: a query or two over the ledger and the signals that the rule asks.
"""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from starloom.engine.verbs import Engine, Table
from starloom.errors import UserError
from starloom.the_stack import conditions
from starloom.the_stack.measured import measured
from starloom.the_stack.rules import Rule, comparisons, compile_rule

_BY_SIZE = ("gt", "gte", "lt", "lte")  # keys of such nodes
_OPPOSITE = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}
_LARGEST = "1e300"  # what is beyond it, or no number, has no place on a scale
_LONG_TAIL = 100.0  # a scale of counts that reaches further is logarithmic
_SIGNIFICANT = 2  # digits of a proposed limit that is no whole number
_STEPS = (0.1, 0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 4.0, 10.0)  # proposed limits, times the present one


class Distribution(NamedTuple):
    """How many files have which value, of those that one comparison of a rule decides.

    Bin k is from edges[k] to edges[k + 1]; a value on an edge lies where the limit would keep it together with its
    side. The limit is one of the edges. Empty (no bins) where the comparison decides nothing that was measured."""

    column: str
    operator: str  # >, >=, <, <=: what drops; the opposite of what is written where that stands under a NOT
    limit: float
    left: str  # the left side as the recipe has it; most often the column
    edges: tuple[float, ...]
    dropped: tuple[int, ...]  # files a bin
    kept: tuple[int, ...]
    unknown: int  # files that the comparison would decide, but there is no value


class Near(NamedTuple):
    """A file near the limit."""

    repo_name: str
    path: str
    content_id: str | None
    value: float
    language: str | None
    length_bytes: int | None
    twin: str | None = None  # what it resembles, REPOSITORY:PATH, where that is what the value is about


class Kept(NamedTuple):
    """What a limit keeps."""

    limit: float
    files: int
    bytes: int


def distribution(root: Path, engine: Engine, rule: Rule, comparison: int = 0, bins: int = 40) -> Distribution | None:
    """Of the values that comparison number `comparison` of `rule` looks at. None where it compares no number."""
    if comparison >= len(comparisons(rule)):
        return None
    return distribution_of(root, engine, rule, comparison, bins)


def distribution_of(root: Path, engine: Engine, rule: Rule, comparison: int, bins: int) -> Distribution:
    """The same for a comparison that is there."""
    this = comparisons(rule)[comparison]
    left, operator = _sides(rule, comparison)
    if _denied(rule, comparison):
        operator = _OPPOSITE[operator]
    files, tables = _files(root, rule, comparison)
    shape = Distribution(this.column, operator, this.limit, left, (), (), (), 0)
    return binned(engine, files, tables, {"rule": rule.name}, shape, bins)


def binned(
    engine: Engine,
    files: str,
    tables: Mapping[str, Table],
    parameters: Mapping[str, Any],
    shape: Distribution,
    bins: int,
) -> Distribution:
    """`shape` with its bins filled: from `files`, SQL of rows with `amount` (a double or null), `goes`, `decides`."""
    found = engine.table(
        f"SELECT amount, goes, count(*) AS n FROM ({files}) WHERE decides GROUP BY amount, goes", tables, parameters
    )
    is_known = found.column("amount").is_valid()
    unknown = sum(found.filter(pc.invert(is_known)).column("n").to_pylist())
    found = found.filter(is_known)
    if not len(found):
        return shape._replace(unknown=unknown)
    amounts, goes, counts = (found.column(name).to_numpy() for name in ("amount", "goes", "n"))
    is_whole = bool((amounts == np.floor(amounts)).all())
    edges = _edges(float(amounts.min()), float(amounts.max()), shape.limit, is_whole, bins)
    side: Literal["left", "right"] = "left" if shape.operator in (">", "<=") else "right"
    place = np.searchsorted(np.array(edges[1:-1]), amounts, side=side)

    def files_in_bins(these: NDArray[np.bool_]) -> tuple[int, ...]:
        sums = np.bincount(place[these], counts[these], minlength=len(edges) - 1)
        return tuple(int(one) for one in sums)

    goes = goes.astype(np.bool_)
    return shape._replace(edges=edges, dropped=files_in_bins(goes), kept=files_in_bins(~goes), unknown=unknown)


def nearest(
    root: Path, engine: Engine, rule: Rule, count: int, comparison: int = 0
) -> tuple[tuple[Near, ...], tuple[Near, ...]]:
    """(dropped, kept): on each side of the limit the `count` files nearest to it, of those that the comparison
    decides; the nearest first, then by repository and path. Both empty where the rule compares no number."""
    found = comparisons(rule)
    if comparison >= len(found):
        return (), ()
    files, tables = _files(root, rule, comparison)
    limit = _double(found[comparison].limit)
    order = f"ORDER BY abs(amount - {limit}), repo_name, path"
    rows = engine.table(
        f"""WITH near AS (
          SELECT repo_name, path, content_id, amount, language, length_bytes, goes FROM ({files})
          WHERE decides AND amount IS NOT NULL)
        SELECT * FROM (SELECT * FROM near WHERE goes {order} LIMIT $count)
        UNION ALL SELECT * FROM (SELECT * FROM near WHERE NOT goes {order} LIMIT $count) {order}""",
        tables,
        {"rule": rule.name, "count": count},
    ).to_pylist()
    sides = tuple(
        tuple(Near(*list(row.values())[:-1]) for row in rows if row["goes"] is goes) for goes in (True, False)
    )
    return sides[0], sides[1]


def kept_at(root: Path, engine: Engine, rule: Rule, limits: Sequence[float], comparison: int = 0) -> tuple[Kept, ...]:
    """What would be in the dataset with each of `limits` in the place of the rule's. Raises UserError where the rule
    compares no number."""
    if comparison >= len(comparisons(rule)):
        raise UserError(f"rule `{rule.name}` compares no number", "it has no limit to move")
    if not limits:
        return ()
    copies, tables = _copies(root, rule, comparison)
    stays, counted = [], []
    for k, limit in enumerate(limits):
        stays.append(f"bool_or(NOT {compile_rule(moved(rule, limit, comparison)).fires}) AS stays_{k}")
        counted += [
            f"count(*) FILTER (WHERE stays_{k}) AS files_{k}",
            f"CAST(sum(length_bytes) FILTER (WHERE stays_{k}) AS BIGINT) AS bytes_{k}",
        ]
    contents = f"SELECT max(length_bytes) AS length_bytes, {', '.join(stays)} FROM ({copies}) GROUP BY content_id"
    (row,) = engine.table(f"SELECT {', '.join(counted)} FROM ({contents})", tables, {"rule": rule.name}).to_pylist()
    return tuple(Kept(limit, row[f"files_{k}"], row[f"bytes_{k}"] or 0) for k, limit in enumerate(limits))


def moved(rule: Rule, limit: float, comparison: int = 0) -> Rule:
    """The rule with another limit in comparison number `comparison`."""
    left, operator = _sides(rule, comparison)
    return _replaced(rule, comparison, f"{left} {operator} {number(limit)}")


def proposals(found: Distribution) -> tuple[float, ...]:
    """Limits worth a look: the present one, and some below and above it within what was measured; in order."""
    if not found.edges:
        return (found.limit,)
    low, high = found.edges[0], found.edges[-1]
    whole = found.limit == round(found.limit) and high > 1.0
    if found.limit:
        steps = [_rounded(found.limit * step, whole) for step in _STEPS]
    else:
        steps = [_rounded(edge, whole) for edge in found.edges[:: max(len(found.edges) // len(_STEPS), 1)]]
    return tuple(sorted({found.limit, *(one for one in steps if low <= one <= high)}))


def number(value: float) -> str:
    """A number as SQL has it, without an exponent.

    >>> number(100.0), number(0.25), number(1e-7), number(-3.0)
    ('100', '0.25', '0.0000001', '-3')
    """
    return str(int(value)) if value == int(value) else format(Decimal(repr(float(value))), "f")


# Those in the dataset, their exact copies, and those that no other rule drops.
_IN_PLAY = """verdict IN ('kept', 'changed') OR rule = $rule AND len(matched_rules) = 1
  OR rule = 'exact-duplicate' AND content_id IN (SELECT content_id FROM ledger WHERE verdict IN ('kept', 'changed'))"""


def _copies(root: Path, rule: Rule, comparison: int) -> tuple[str, dict[str, Any]]:
    """(SQL, tables) of every copy in play: `given`, the comparison's left side; `goes`: whether the rule drops it;
    `decides`: whether the comparison makes the difference."""
    compiled = compile_rule(rule)
    asked = {*compiled.columns, "language", "length_bytes", "content_id"}
    holds, fails = (compile_rule(_replaced(rule, comparison, word)).fires for word in ("TRUE", "FALSE"))
    left = comparisons(rule)[comparison].sql
    rows, tables = measured(root, sorted(asked))
    sql = f"""SELECT *, CAST({left} AS DOUBLE) AS given, {compiled.fires} AS goes, {holds} <> {fails} AS decides
      FROM ({rows}) WHERE {_IN_PLAY}"""
    return sql, tables


def _files(root: Path, rule: Rule, comparison: int) -> tuple[str, dict[str, Any]]:
    """The same of one copy a content, that which is kept if one is; with `amount`, `given` or null where it is no
    finite number."""
    copies, tables = _copies(root, rule, comparison)
    sql = f"""SELECT *, CASE WHEN given BETWEEN -{_LARGEST} AND {_LARGEST} THEN given END AS amount
      FROM (SELECT *, row_number() OVER (
          PARTITION BY content_id ORDER BY goes, coalesce(rule, '') = 'exact-duplicate', repo_name, path) AS place
        FROM ({copies}))
      WHERE place = 1"""
    return sql, tables


def _sides(rule: Rule, comparison: int) -> tuple[str, str]:
    """Left side and operator of a comparison, the number on the right."""
    _, node = _place(rule, comparison)
    left = node.this if conditions.columns(node.this) else node.expression
    return left.sql(dialect="duckdb", comments=False), comparisons(rule)[comparison].operator


def _denied(rule: Rule, comparison: int) -> bool:
    """Whether it stands under a NOT (or under three)."""
    _, node = _place(rule, comparison)
    denials = 0
    while node.parent is not None:
        node = node.parent
        denials += node.key == "not"
    return denials % 2 == 1


def _replaced(rule: Rule, comparison: int, text: str) -> Rule:
    """The rule with the condition `text` in the place of a comparison."""
    tree, node = _place(rule, comparison)
    node.replace(conditions.parse(f"rule `{rule.name}`, `drop`", f"({text})").copy())
    return Rule(rule.name, tree.this.sql(dialect="duckdb", comments=False), rule.unless, rule.source)


def _place(rule: Rule, comparison: int) -> tuple[Any, Any]:
    """(a copy of the condition in brackets, the comparison in it): those that `comparisons` gives, in its order."""
    tree = conditions.parse(f"rule `{rule.name}`, `drop`", f"({rule.drop})").copy()
    nodes = [node for node in tree.walk(bfs=False) if node.key in _BY_SIZE and _counts(node) > _below(node)]
    return tree, nodes[comparison]


def _counts(node: Any) -> int:
    return len(conditions.comparisons(node))


def _below(node: Any) -> int:
    return _counts(node.this) + _counts(node.expression)


def _edges(low: float, high: float, limit: float, whole: bool, bins: int) -> tuple[float, ...]:
    """Of about `bins` bins, from least to greatest; logarithmic for counts with a long tail. The limit is one."""
    low, high = min(low, limit), max(high, limit)
    if low == high:
        return (low, low + 1.0)
    logarithmic = low >= 0 and high > _LONG_TAIL
    if logarithmic:
        start, stop = math.log1p(low), math.log1p(high)
        inner = [math.expm1(start + (stop - start) * k / bins) for k in range(1, bins)]
    else:
        inner = [low + (high - low) * k / bins for k in range(1, bins)]
    if whole:
        inner = [float(round(edge)) for edge in inner]
    if low < limit < high:
        inner[min(range(len(inner)), key=lambda k: abs(inner[k] - limit))] = limit
    return tuple(sorted({low, high, *(edge for edge in inner if low < edge < high)}))


def _rounded(value: float, whole: bool) -> float:
    return float(round(value)) if whole else float(f"{value:.{_SIGNIFICANT}g}")


def _double(value: float) -> str:
    """A double in SQL: a plain 0.1 is a decimal there."""
    return f"CAST({value!r} AS DOUBLE)"
