"""Rules are data: SQL conditions over known columns, written in a recipe; here they are parsed, checked and compiled.

    [[rules]]
    name   = "long-line"
    drop   = "avg_line_length > 100 OR max_line_length > 1000"
    unless = "language IN ('HTML', 'JSON')"
    source = "arXiv 2402.19173, section 2.1"

means `coalesce(drop, false) AND NOT coalesce(unless, false)`: an unknown value never decides by accident. A condition
is a pure expression over the columns of `COLUMNS` and the functions of `FUNCTIONS`; anything else (a sub-query, a file
function, an unknown column) is refused, with the place marked. What fired is told by the first comparison that
was true: its left side is the `value`, its text the `limit`.
"""

import functools
from dataclasses import dataclass
from typing import Any, Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from starloom.errors import UserError
from starloom.settings import nearest

Phase = Literal["path", "license", "content"]

# What a rule may ask, by the phase of `decide` that knows it: every copy; every copy with its licence; the keeper only.
COLUMNS: dict[str, Phase] = {
    "repo_name": "path",
    "rights": "path",
    "path": "path",
    "file_name": "path",
    "extension": "path",
    "length_bytes": "path",
    "is_vendor": "path",
    "is_documentation": "path",
    "is_test": "path",
    "star_events_count": "path",
    "fork_events_count": "path",
    "license_type": "license",
    "license_evidence": "license",
    "language": "content",
    "src_encoding": "content",
    "num_lines": "content",
    "max_line_length": "content",
    "avg_line_length": "content",
    "characters": "content",
    "alpha_fraction": "content",
    "alphanum_fraction": "content",
    "is_generated": "content",
}

FUNCTIONS = ("lower", "upper", "length", "coalesce", "abs", "starts_with", "contains")

Kind = Literal["text", "number", "truth value", "unknown"]  # unknown: NULL, which fits anything

_NUMBERS = ("length_bytes", "star_events_count", "fork_events_count", "num_lines", "max_line_length", "avg_line_length",
            "characters", "alpha_fraction", "alphanum_fraction")  # fmt: skip
_MAX_NUMBER = 1e18  # more is no 64-bit number
_MAX_DEPTH = 200  # of a condition; the query engine's own limit is 1,000

_NODES: tuple[type[exp.Expression], ...] = (
    exp.And, exp.Or, exp.Not, exp.Paren, exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Neg,
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between, exp.Like,
    exp.Add, exp.Sub, exp.Mul, exp.Div,
    exp.Lower, exp.Upper, exp.Length, exp.Coalesce, exp.Abs, exp.StartsWith, exp.Contains,
)  # fmt: skip
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between, exp.Like, exp.Is)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Abs)


@dataclass(frozen=True)
class Rule:
    """One `[[rules]]` of a recipe."""

    name: str
    drop: str  # SQL condition
    unless: str = ""  # SQL condition that exempts
    source: str = ""  # where the rule comes from


@dataclass(frozen=True)
class Compiled:
    """SQL of a rule: whether it fires (never null), which value did it, against which limit (both text)."""

    rule: Rule
    phase: Phase
    fires: str
    value: str
    limit: str


def compile_rule(rule: Rule) -> Compiled:
    """The rule as DuckDB SQL over columns of COLUMNS. Raises UserError that marks what is refused."""
    try:
        return _compiled(rule)
    except RecursionError:
        raise _too_deep(rule) from None


def _too_deep(rule: Rule) -> UserError:
    return UserError(
        f"rule `{rule.name}`: its condition is nested too deep",
        "use IN for a list of values, or write several rules",
    )


def _compiled(rule: Rule) -> Compiled:
    drop = _parse(rule, "drop", rule.drop)
    fires = f"coalesce({_sql(drop)}, false)"
    names = _columns(drop)
    if rule.unless:
        unless = _parse(rule, "unless", rule.unless)
        fires += f" AND NOT coalesce({_sql(unless)}, false)"
        names |= _columns(unless)
    phases = {COLUMNS[name] for name in names}
    phase: Phase = "content" if "content" in phases else "license" if "license" in phases else "path"
    reasons = [(_sql(one), *_reason(one)) for one in _alternatives(drop)]
    value = " ".join(f"WHEN coalesce({true}, false) THEN CAST({left} AS VARCHAR)" for true, left, _ in reasons)
    limit = " ".join(f"WHEN coalesce({true}, false) THEN {_text(words)}" for true, _, words in reasons)
    return Compiled(rule, phase, f"({fires})", f"CASE {value} END", f"CASE {limit} END")


def merged(recipe: tuple[Rule, ...], own: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The recipe's rules, with those of the workspace in their place by name, new ones after them. `drop = "false"`
    switches a rule off."""
    by_name = {rule.name: rule for rule in own}
    known = {rule.name for rule in recipe}
    return tuple(by_name.get(rule.name, rule) for rule in recipe) + tuple(
        rule for rule in own if rule.name not in known
    )


def check(rules: tuple[Rule, ...]) -> tuple[Compiled, ...]:
    """Every rule compiled. Raises UserError for one that is refused, and for a name that stands twice."""
    names = [rule.name for rule in rules]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"rule `{name}` stands there twice", "give each rule a name of its own")
    return tuple(compile_rule(rule) for rule in rules)


@functools.lru_cache(maxsize=1024)
def _parse(rule: Rule, key: str, text: str) -> exp.Expression:
    where = f"rule `{rule.name}`, `{key}`"
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
            raise _too_deep(rule)
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
        return "number" if node.name in _NUMBERS else "truth value" if node.name.startswith("is_") else "text"
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


def _sql(node: exp.Expression) -> str:
    """Without comments, which the engine nests and sqlglot does not; with arithmetic that cannot fail: in doubles, and
    a division by zero is unknown."""
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


def _columns(node: exp.Expression) -> set[str]:
    return {column.name for column in node.find_all(exp.Column)}


def _alternatives(node: exp.Expression) -> list[exp.Expression]:
    """The operands of the OR at the top, in order."""
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Or):
        return _alternatives(node.left) + _alternatives(node.right)
    return [node]


def _reason(node: exp.Expression) -> tuple[str, str]:
    """(SQL of the value, text of the limit) of the first comparison in `node`, else of its first column."""
    for one in node.find_all(*_COMPARISONS, bfs=False):
        column = one.find(exp.Column)
        if column is not None:
            subject = one.this if one.this.find(exp.Column) else column
            return _sql(subject), _shown(one if not isinstance(one.parent, exp.Not) else one.parent)
    column = node.find(exp.Column)
    return (_sql(column), _shown(node)) if column is not None else ("NULL", _shown(node))


def _shown(node: exp.Expression) -> str:
    text: str = node.sql(dialect="duckdb", comments=False)
    return text if len(text) <= 80 else text[:77] + "…"


def _text(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"


def describe(rule: Rule) -> dict[str, Any]:
    """A rule as plain values, for manifests and pages."""
    return {"name": rule.name, "drop": rule.drop, "unless": rule.unless, "source": rule.source}
