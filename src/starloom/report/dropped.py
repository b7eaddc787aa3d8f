"""What each step dropped: in which languages, together with which other rules, and how its values lie around its limit.

Like `figures` it touches no content. Cost: two queries over the ledger, and a few for each number that a rule compares.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from starloom.engine.verbs import Engine
from starloom.report.figures import REFUSALS
from starloom.report.samples import Near
from starloom.the_stack import tables
from starloom.the_stack.alike import ALIKE
from starloom.the_stack.rules import Rule, comparisons
from starloom.the_stack.thresholds import Distribution, binned, distribution, nearest, number

JACCARD = "jaccard"  # the column of the near-duplicate step
_BINS = 40
_SPARE, _OF_ONE = 8, 2  # times as many asked for as shown; files of one repository


@dataclass(frozen=True)
class InLanguage:
    """What a step dropped of one language; None: of files without one."""

    language: str | None
    files: int
    bytes: int
    listed: int  # files of this language, in all


@dataclass(frozen=True)
class Matches:
    """Texts for which a rule's condition holds, whichever rule stands first; those for which no other rule's does."""

    files: int
    alone: int


@dataclass(frozen=True)
class Limits:
    """A rule's distributions, one for each comparison with a number, and the kept files nearest to any of them."""

    distributions: tuple[Distribution, ...]
    nearly: tuple[Near, ...]


def by_language(root: Path, engine: Engine) -> dict[str, list[InLanguage]]:
    """Of each step that dropped any: its languages, the most files first."""
    rows = engine.table(
        """SELECT rule, language, count(*) AS files, CAST(coalesce(sum(length_bytes), 0) AS BIGINT) AS bytes,
          any_value(n.listed) AS listed
        FROM ledger JOIN (SELECT language AS name, count(*) AS listed FROM ledger WHERE path <> '' GROUP BY name) n
          ON language IS NOT DISTINCT FROM n.name
        WHERE split IS NULL AND path <> '' GROUP BY rule, language ORDER BY rule, files DESC, bytes DESC, language""",
        {"ledger": tables.ledger(root)},
    ).to_pylist()
    found: dict[str, list[InLanguage]] = {}
    for row in rows:
        found.setdefault(row.pop("rule"), []).append(InLanguage(**row))
    return found


def matches(root: Path, engine: Engine) -> dict[str, Matches]:
    """Of each rule that holds for any file that is a text."""
    refused = ", ".join(f"'{name}'" for name in REFUSALS)
    rows = engine.table(
        f"""SELECT name, count(*) AS files, count(*) FILTER (len(matched_rules) = 1) AS alone
        FROM (SELECT unnest(matched_rules) AS name, matched_rules FROM ledger WHERE rule NOT IN ({refused}))
        GROUP BY name ORDER BY name""",
        {"ledger": tables.ledger(root)},
    ).to_pylist()
    return {row["name"]: Matches(row["files"], row["alone"]) for row in rows}


def limits(root: Path, engine: Engine, rule: Rule, count: int) -> Limits:
    """Of one rule; without distributions where it compares no number or decides nothing by it."""
    shapes: list[Distribution] = []
    near: dict[tuple[str, str], tuple[float, Near]] = {}  # by file: how near, in shares of the limit
    for place in range(len(comparisons(rule))):
        shape = distribution(root, engine, rule, place)
        if shape is None or not shape.edges:
            continue
        shapes.append(shape)
        _, kept = nearest(root, engine, rule, _SPARE * count, place)
        limit = f"{shape.left} {shape.operator} {number(shape.limit)}"
        for one in kept:
            distance = abs(one.value - shape.limit) / (abs(shape.limit) or 1.0)
            found = distance, Near(one.repo_name, one.path, _value(one.value), limit)
            key = one.repo_name, one.path
            if key not in near or found[0] < near[key][0]:
                near[key] = found
    ranked = sorted(near.values(), key=lambda one: (one[0], one[1].repo_name, one[1].path))
    return Limits(tuple(shapes), _spread([one for _, one in ranked], count))


def _spread(ranked: Sequence[Near], count: int) -> tuple[Near, ...]:
    """The first `count`, but of one repository no more than `_OF_ONE` while there are others: its files are alike."""
    taken: dict[str, int] = {}
    first: list[Near] = []
    later: list[Near] = []
    for one in ranked:
        taken[one.repo_name] = taken.get(one.repo_name, 0) + 1
        (first if taken[one.repo_name] <= _OF_ONE else later).append(one)
    chosen = set((first + later)[:count])
    return tuple(one for one in ranked if one in chosen)


def near_duplicates(root: Path, engine: Engine, threshold: float, count: int) -> Limits:
    """Of the near-duplicate step: files by their similarity to the one that is kept for them, or, of those kept, to the
    most alike other one; and the kept ones that come nearest to the threshold."""
    given = {"ledger": tables.ledger(root), "pairs": tables.pairs(root), "streams": tables.streams(root)}
    shape = Distribution(JACCARD, ">=", threshold, JACCARD, (), (), (), 0)
    shape = binned(engine, ALIKE, given, {}, shape, _BINS)
    rows = engine.table(
        f"""SELECT repo_name, path, amount AS value, twin_repo_name, twin_path, twin_content_id FROM ({ALIKE})
        WHERE NOT goes AND amount IS NOT NULL ORDER BY amount DESC, repo_name, path LIMIT $rows""",
        given,
        {"rows": _SPARE * count},
    ).to_pylist()
    limit = f"{JACCARD} >= {threshold:g}"
    ranked = [Near(**row | {"value": f"{row['value']:.4f}", "limit": limit}) for row in rows]
    return Limits((shape,) if shape.edges else (), _spread(ranked, count))


def _value(value: float) -> str:
    return number(value) if value == int(value) else f"{value:.6g}"


def fewest(rows: Sequence[InLanguage], most: int) -> tuple[Sequence[InLanguage], InLanguage | None]:
    """The first `most` rows, and the others as one."""
    rest = rows[most:]
    if len(rest) < 2:
        return rows, None
    sums = (sum(one.files for one in rest), sum(one.bytes for one in rest), sum(one.listed for one in rest))
    return rows[:most], InLanguage(f"{len(rest)} others", *sums)
