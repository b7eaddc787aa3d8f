"""Rules are data: SQL conditions over known columns, written in a recipe; here they are parsed, checked and compiled.

    [[rules]]
    name   = "long-line"
    drop   = "avg_line_length > 100 OR max_line_length > 1000"
    unless = "language IN ('HTML', 'JSON')"
    source = "arXiv 2402.19173, section 2.1"

means `coalesce(drop, false) AND NOT coalesce(unless, false)`: an unknown value never decides by accident. A condition
is a pure expression over known columns (see conditions, columns). What fired is told by the first comparison that
was true: its left side is the `value`, its text the `limit`.
"""

import functools
from dataclasses import dataclass
from typing import Any

from starloom.errors import UserError
from starloom.the_stack import conditions
from starloom.the_stack.conditions import Comparison


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
    columns: frozenset[str]  # that it asks
    fires: str
    value: str
    limit: str


@functools.lru_cache(maxsize=1024)
def compile_rule(rule: Rule) -> Compiled:
    """The rule as DuckDB SQL over columns of COLUMNS. Raises UserError that marks what is refused."""
    drop = conditions.parse(f"rule `{rule.name}`, `drop`", rule.drop)
    fires = f"coalesce({conditions.sql(drop)}, false)"
    names = conditions.columns(drop)
    if rule.unless:
        unless = conditions.parse(f"rule `{rule.name}`, `unless`", rule.unless)
        fires += f" AND NOT coalesce({conditions.sql(unless)}, false)"
        names |= conditions.columns(unless)
    reasons = [(conditions.sql(one), *conditions.reason(one)) for one in conditions.alternatives(drop)]
    value = " ".join(f"WHEN coalesce({true}, false) THEN CAST({left} AS VARCHAR)" for true, left, _ in reasons)
    limit = " ".join(f"WHEN coalesce({true}, false) THEN {_text(words)}" for true, _, words in reasons)
    return Compiled(rule, frozenset(names), f"({fires})", f"CASE {value} END", f"CASE {limit} END")


def comparisons(rule: Rule) -> tuple[Comparison, ...]:
    """The comparisons of its `drop` by size with a number, in order."""
    return conditions.comparisons(conditions.parse(f"rule `{rule.name}`, `drop`", rule.drop))


def merged(recipe: tuple[Rule, ...], own: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The workspace's rules, then the recipe's: of a name that both have, the workspace's in the recipe's place, else
    before all of them. `drop = "false"` switches a rule off."""
    by_name = {rule.name: rule for rule in own}
    known = {rule.name for rule in recipe}
    return tuple(rule for rule in own if rule.name not in known) + tuple(
        by_name.get(rule.name, rule) for rule in recipe
    )


def check(rules: tuple[Rule, ...]) -> tuple[Compiled, ...]:
    """Every rule compiled. Raises UserError for one that is refused, and for a name that stands twice."""
    names = [rule.name for rule in rules]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"rule `{name}` stands there twice", "give each rule a name of its own")
    return tuple(compile_rule(rule) for rule in rules)


def _text(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"


def describe(rule: Rule) -> dict[str, Any]:
    """A rule as plain values, for manifests and pages."""
    return {"name": rule.name, "drop": rule.drop, "unless": rule.unless, "source": rule.source}
