"""What another limit would keep: of a rule that compares a number, of near-duplicates, of a budget.

For a rule the answer is counted from the ledger (see thresholds: near-duplicates and budgets are not settled again), or
with `exact` decided anew for each limit, which is how it always is for near-duplicates and budgets. Nothing is written,
no content is read. Cost: below a second a rule for 70,000 files; decided anew, that of `decide` for each limit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from starloom import progress
from starloom.engine.verbs import Engine
from starloom.errors import UserError
from starloom.settings import nearest as closest
from starloom.the_stack import tables
from starloom.the_stack.alike import ALIKE
from starloom.the_stack.budgets import Budget, asked, choice
from starloom.the_stack.decide import decided
from starloom.the_stack.measured import measured
from starloom.the_stack.rules import Rule, comparisons, describe
from starloom.the_stack.thresholds import (
    Distribution,
    Kept,
    Near,
    binned,
    distribution_of,
    kept_at,
    moved,
    nearest,
    number,
    proposals,
)
from starloom.workspace.stage import opened

_JACCARDS = (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)


@dataclass(frozen=True)
class Tuned:
    """One limit: where the files are, what others would keep, and the files nearest to it."""

    limit: float
    operator: str  # what drops: >, >=, <, <=
    left: str  # what is compared
    distribution: Distribution | None  # None for a budget
    kept: tuple[Kept, ...]  # by limit
    dropped_near: tuple[Near, ...]
    kept_near: tuple[Near, ...]


@dataclass(frozen=True)
class Tuning:
    """The answer about one rule, budget or the near-duplicates."""

    name: str
    condition: str
    source: str
    exact: bool  # whether each limit was decided anew
    stale: bool  # whether the ledger was decided by other rules than those that are set now
    limits: tuple[Tuned, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "condition": self.condition,
            "source": self.source,
            "exact": self.exact,
            "stale": self.stale,
            "limits": [
                {
                    "compared": one.left,
                    "operator": one.operator,
                    "limit": one.limit,
                    "kept": [kept._asdict() for kept in one.kept],
                    "distribution": _bins(one.distribution) if one.distribution else None,
                    "dropped_nearest": [near._asdict() for near in one.dropped_near],
                    "kept_nearest": [near._asdict() for near in one.kept_near],
                }
                for one in self.limits
            ],
        }


def tune(
    root: Path,
    engine: Engine,
    settings: Any,
    name: str,
    column: str | None = None,
    at: Sequence[float] = (),
    samples: int = 5,
    exact: bool = False,
    bins: int = 12,
) -> Tuning:
    """About the rule or budget `name`, or `near-duplicate`. `column`: only comparisons of it; `at`: these limits beside
    the present one, in the place of proposed ones; `samples`: files a side. Raises UserError."""
    at = tuple(sorted(set(at)))
    stale = _stale(root, settings, name)
    rules = {rule.name: rule for rule in settings.rules}
    budgets = {budget.name: budget for budget in settings.budgets}
    if name in rules:
        rule = rules[name]
        found = tuple(
            _rule(root, engine, settings, rule, comparison, at, samples, exact, bins)
            for comparison in _chosen(rule, column)
        )
        condition = rule.drop + (f"  unless  {rule.unless}" if rule.unless else "")
        return Tuning(name, condition, rule.source, exact, stale, found)
    if column is not None:
        raise UserError(f"`{name}` has no columns to choose from", "leave out --column")
    if name in budgets:
        budget = budgets[name]
        condition = f"{budget.where}, {budget.bytes:,} bytes" + (f" for each {budget.each}" if budget.each else "")
        return Tuning(
            name, condition, budget.source, True, stale, (_budget(root, engine, settings, budget, at, samples),)
        )
    if name == tables.NEAR_DUPLICATE:
        threshold = settings.decide.near_duplicates
        chain = "" if settings.decide.clusters == "stars" else "linked by a chain of pairs: "
        condition = f"{chain}jaccard >= {threshold:g}" if threshold else "off (near_duplicates = 0)"
        return Tuning(name, condition, "", True, stale, (_twins(root, engine, settings, at, samples, bins),))
    raise UserError(f"no rule `{name}`", closest(name, [*rules, *budgets, tables.NEAR_DUPLICATE]))


def _chosen(rule: Rule, column: str | None) -> list[int]:
    """The numbers of the comparisons that were asked for."""
    found = comparisons(rule)
    if not found:
        raise UserError(f"rule `{rule.name}` compares no number: {rule.drop}", "`starloom ledger` shows what it drops")
    chosen = [k for k, one in enumerate(found) if column in (None, one.column)]
    if not chosen:
        names = [one.column for one in found]
        raise UserError(f"rule `{rule.name}` compares no `{column}` with a number", closest(str(column), names))
    return chosen


def _rule(
    root: Path,
    engine: Engine,
    settings: Any,
    rule: Rule,
    comparison: int,
    at: Sequence[float],
    samples: int,
    exact: bool,
    bins: int,
) -> Tuned:
    distribution = distribution_of(root, engine, rule, comparison, bins)
    limits = sorted({distribution.limit, *at}) if at else proposals(distribution)
    if exact:
        changed = [
            replace(
                settings, rules=tuple(moved(rule, limit, comparison) if one is rule else one for one in settings.rules)
            )
            for limit in limits
        ]
        kept = _decided(root, engine, limits, changed)
    else:
        kept = kept_at(root, engine, rule, limits, comparison)
    sides = nearest(root, engine, rule, samples, comparison)
    return Tuned(distribution.limit, distribution.operator, distribution.left, distribution, kept, *sides)


def _budget(root: Path, engine: Engine, settings: Any, budget: Budget, at: Sequence[float], samples: int) -> Tuned:
    if any(limit < 0 or limit != int(limit) for limit in at):
        raise UserError(f"a budget is a whole number of bytes, not {', '.join(map(number, at))}", "mend --at")
    limits = sorted({float(budget.bytes), *map(float, at or _budget_steps(root, engine, settings, budget))})
    changed = [
        replace(
            settings,
            budgets=tuple(replace(one, bytes=int(limit)) if one is budget else one for one in settings.budgets),
        )
        for limit in limits
    ]
    rows = engine.table(
        'SELECT repo_name, path, content_id, CAST("value" AS DOUBLE) AS amount, language, length_bytes FROM ledger '
        "WHERE rule = $rule ORDER BY amount, repo_name, path LIMIT $count",
        {"ledger": tables.ledger(root)},
        {"rule": budget.name, "count": samples},
    ).to_pylist()
    near = tuple(Near(*row.values()) for row in rows)
    kept = _decided(root, engine, limits, changed)
    return Tuned(float(budget.bytes), ">", "bytes, lowest hash first", None, kept, near, ())


def _budget_steps(root: Path, engine: Engine, settings: Any, budget: Budget) -> list[float]:
    """Budgets that leave something out: below the bytes there are (with `each`, of the value that has most)."""
    files, given = measured(root, sorted(asked(settings.budgets)))
    number, each = choice(settings.budgets)
    (row,) = engine.table(
        f"""SELECT max(size) AS most FROM (
          SELECT {each} AS value_of_each, CAST(sum(length_bytes) AS BIGINT) AS size FROM ({files})
          WHERE (verdict IN ('kept', 'changed') OR rule = $name) AND {number} = {settings.budgets.index(budget)}
          GROUP BY value_of_each)""",
        given,
        {"name": budget.name},
    ).to_pylist()
    most = row["most"] or 0
    steps = [float(f"{min(budget.bytes, most) * step:.2g}") for step in (0.1, 0.25, 0.5, 0.75, 1.5, 2.0, 4.0)]
    return [float(round(step)) for step in steps if step < most]


# Files that a pair says something about: those dropped for their twin, and those in the dataset that are most like
# another in it, with the greatest Jaccard similarity. Pairs are of token streams.
def _twins(root: Path, engine: Engine, settings: Any, at: Sequence[float], samples: int, bins: int) -> Tuned:
    present, floor = settings.decide.near_duplicates, settings.pair.floor
    if not settings.pair.verify:
        raise UserError(
            "no Jaccard similarity decides here: pairs are not verified ([pair] verify = false)",
            "write `verify = true` under [pair], build, and ask again",
        )
    if any(not floor <= limit <= 1.0 for limit in at):
        raise UserError(
            f"--at {', '.join(map(number, at))} is out of range: pairs are known from [pair] floor = {floor:g} on",
            f"use a Jaccard similarity from {floor:g} to 1, or lower the floor and build",
        )
    steps = at or [one for one in _JACCARDS if one >= floor]
    limits = sorted({present, *steps})
    given = {"ledger": tables.ledger(root), "pairs": tables.pairs(root), "streams": tables.streams(root)}
    shape = Distribution("jaccard", ">=", present or 1.0, "jaccard", (), (), (), 0)
    sides = []
    for goes, order in (("goes", "ASC"), ("NOT goes", "DESC")):
        rows = engine.table(
            "SELECT repo_name, path, content_id, amount, language, length_bytes, twin_repo_name || ':' || twin_path "
            f"AS twin FROM ({ALIKE}) WHERE {goes} AND amount IS NOT NULL "
            f"ORDER BY amount {order}, repo_name, path LIMIT $count",
            given,
            {"count": samples},
        ).to_pylist()
        sides.append(tuple(Near(*row.values()) for row in rows))
    changed = [replace(settings, decide=replace(settings.decide, near_duplicates=limit)) for limit in limits]
    kept = _decided(root, engine, limits, changed)
    return Tuned(present, ">=", "jaccard", binned(engine, ALIKE, given, {}, shape, bins), kept, *sides)


def _decided(root: Path, engine: Engine, limits: Sequence[float], changed: Sequence[Any]) -> tuple[Kept, ...]:
    """What each of the settings `changed` keeps."""
    found = []
    with progress.task("decide for every limit", len(limits), "limits") as task:
        for limit, settings in zip(limits, changed, strict=True):
            ledger = decided(root, engine, settings)
            stays = ledger.filter(pc.is_in(ledger.column("verdict"), pa.array(["kept", "changed"])))
            found.append(Kept(limit, len(stays), pc.sum(stays.column("length_bytes")).as_py() or 0))
            task.advance(1)
    return tuple(found)


def _stale(root: Path, settings: Any, name: str) -> bool:
    """Whether other rules than `name` are not those that the ledger was decided by. Raises UserError without one."""
    tables.ledger(root)
    then = {rule["name"]: rule for rule in opened(root / tables.LEDGER, "decide").settings["rules"]}
    now = {rule.name: describe(rule) for rule in settings.rules}
    then.pop(name, None)
    now.pop(name, None)
    return then != now


def _bins(found: Distribution) -> dict[str, Any]:
    return {
        "column": found.column,
        "edges": list(found.edges),
        "dropped": list(found.dropped),
        "kept": list(found.kept),
        "unknown": found.unknown,
    }
