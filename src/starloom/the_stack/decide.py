"""`decide`: one ledger row for every listed file: kept, changed, dropped or quarantined, by which rule and value.

Order: what `read` refused → the licence verdict by path → every rule on every copy that could be read; the first that
fires decides, all are recorded (`matched_rules`) → the keeper among the exact copies that passed → star clusters among
keepers → budgets → `split`. Touches no content: SQL over narrow tables, and one kernel. Cost: see bench/decide.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from starloom.engine.verbs import Engine, Table
from starloom.errors import UserError
from starloom.settings import as_json
from starloom.the_stack import budgets, tables
from starloom.the_stack.budgets import Budget, cut
from starloom.the_stack.columns import COLUMNS
from starloom.the_stack.licensing import LicenseSettings, license_verdicts
from starloom.the_stack.measured import KINDS, READABLE, given, joins, needed
from starloom.the_stack.rules import Compiled, check, describe
from starloom.the_stack.twins import held_out, near_duplicates, streams
from starloom.workspace.stage import Done, Job, Stage

VERSION = 4


@dataclass(frozen=True)
class DecideSettings:
    """`[decide]`: what is no condition over columns."""

    near_duplicates: float = 0.7  # Jaccard similarity from which one of two files goes; 0: none goes
    held_out: float = 0.02  # share of repositories that no model is trained on
    seed: int = 0  # of the split

    def __post_init__(self) -> None:
        if not 0.0 <= self.near_duplicates <= 1.0:
            raise UserError(
                f"[decide] near_duplicates = {self.near_duplicates} is out of range", "use a Jaccard similarity, 0 to 1"
            )
        if not 0.0 <= self.held_out < 1.0:
            raise UserError(f"[decide] held_out = {self.held_out} is out of range", "use a share, 0 to less than 1")


_LICENSES = ("license_file", "notice", "statements")
_SIGNALS = (
    *dict.fromkeys(need for column in COLUMNS.values() for need in column.needs if need != KINDS),
    *(*_LICENSES, "scancode"),
)
_QUARANTINED = "('unlisted', 'damaged', 'unreadable', 'unread')"

# What the ledger says of every copy, whatever the rules ask.
_LISTED = ("repo_name", "path", "content_id", "length_bytes", "is_vendor", "first_seen")
_REPOSITORY = ("rights", "star_events_count", "fork_events_count")
_LICENSE = (
    *("license_type", "detected_licenses", "license_evidence", "license_source", "license_rule", "license_score"),
)
_MEASURED = ("src_encoding", "language", "is_generated", "quality_score")
_BASE = (*_LISTED, *_REPOSITORY, *_LICENSE, *_MEASURED)

_REFUSALS = """(SELECT content_id, min(outcome) AS outcome, min(reason) AS reason FROM refused
  WHERE content_id NOT IN (SELECT content_id FROM contents) GROUP BY content_id)"""
_REFUSAL = """
  CASE WHEN f.problem IS NOT NULL OR f.entry_type = 'folder' THEN 'unlisted'
    WHEN f.entry_type <> 'file' THEN 'not-a-file'
    WHEN f.excluded IS NOT NULL THEN 'excluded-by-owner'
    WHEN f.length_bytes > $max_bytes THEN 'too-large'
    WHEN x.outcome IS NOT NULL THEN x.outcome
    WHEN c.content_id IS NULL THEN 'unread' END AS refusal,
  CASE WHEN f.problem IS NOT NULL THEN f.problem
    WHEN f.entry_type <> 'file' THEN concat_ws(' ', f.entry_type, f.target)
    WHEN f.excluded IS NOT NULL THEN f.excluded
    WHEN f.length_bytes > $max_bytes THEN CAST(f.length_bytes AS VARCHAR)
    WHEN x.outcome IS NOT NULL THEN x.reason END AS refusal_value"""


def _copies(rules: tuple[Compiled, ...], some: tuple[Budget, ...]) -> tuple[str, tuple[str, ...]]:
    """SQL of every listed file with what the ledger says of it, its refusal, its rules and its budget; and the tables
    it needs."""
    asked = {name for one in rules for name in one.columns} | budgets.asked(some)
    columns = [*_MEASURED[1:], *(name for name in COLUMNS if name in asked and name not in _BASE)]
    needs = needed(columns)
    sources = [f"f.{name}" for name in _LISTED] + [f"r.{name}" for name in _REPOSITORY]
    sources += [f"v.{name}" for name in _LICENSE] + ["c.src_encoding"]
    sources += [f"{COLUMNS[name].sql} AS {name}" for name in columns]
    fires = "".join(f", {one.fires} AS rule_{number}" for number, one in enumerate(rules))
    names = [_text(one.rule.name) for one in rules]
    number, each = budgets.choice(some)
    sql = f"""
    SELECT {", ".join(_BASE)}, refusal, refusal_value,
      {_first(names)} AS rule, {_first([one.value for one in rules])} AS "value",
      {_first([one.limit for one in rules])} AS "limit",
      {_all(names)} AS matched_rules, {number} AS budget, {each} AS budget_each
    FROM (SELECT *{fires} FROM (
      SELECT {", ".join(sources)}, {_REFUSAL}
      FROM files f JOIN repositories r ON f.repo_name = r.repo_name
      {READABLE}
      LEFT JOIN {_REFUSALS} x ON f.content_id = x.content_id
      LEFT JOIN verdicts v ON f.repo_name = v.repo_name AND f.path = v.path
      {joins(needs)}))"""
    return sql, needs


def _first(results: list[str]) -> str:
    """SQL of what the first rule that fires gives."""
    whens = " ".join(f"WHEN rule_{number} THEN {result}" for number, result in enumerate(results))
    return f"CASE {whens} END" if results else "CAST(NULL AS VARCHAR)"


def _all(names: list[str]) -> str:
    """SQL of the names of all rules that fire, as a list."""
    nothing = "CAST([] AS VARCHAR[])"
    if not names:
        return nothing
    any_fired = " OR ".join(f"rule_{number}" for number in range(len(names)))  # most files are spared the list
    fired = ", ".join(f"CASE WHEN rule_{number} THEN {name} END" for number, name in enumerate(names))
    return f"CASE WHEN {any_fired} THEN string_split(concat_ws(chr(31), {fired}), chr(31)) ELSE {nothing} END"


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def decided(root: Path, engine: Engine, settings: Any) -> pa.Table:
    """The ledger (LEDGER_ROWS, by repository and path) that `settings` make of what was listed, read, measured and
    paired; nothing is written."""
    files, repositories = tables.listed_files(root), tables.repositories(root)
    spoken = {name: tables.signal_rows(root, name) for name in _LICENSES} | {"scans": tables.scans(root)}
    sql, needs = _copies(check(settings.rules), settings.budgets)
    limit = {"max_bytes": settings.list.max_bytes}
    copies = engine.table(
        sql,
        given(root, needs)
        | {
            "refused": tables.refused(root) or tables.REFUSED.empty_table(),
            "verdicts": license_verdicts(engine, files, repositories, spoken, settings.licenses),
        },
        limit,
    )
    keepers = engine.table(_keepers(settings.licenses), {"copies": copies, "streams": tables.streams(root)})
    return (
        engine.table(
            f"SELECT * FROM (({_LEDGER}) UNION ALL BY NAME ({_REFUSED})) ORDER BY repo_name, path",
            {
                "copies": copies,
                "keepers": keepers,
                "fate": _fate(engine, keepers.sort_by("rank"), tables.pairs(root), settings),
                "problems": tables.problems(root),
            },
            limit | {"threshold": f"jaccard >= {settings.decide.near_duplicates:g}"},
        )
        .select(tables.LEDGER_ROWS.names)
        .cast(tables.LEDGER_ROWS)
    )


def _run(job: Job) -> Done:
    ledger = decided(job.root, job.engine, job.settings)
    counts = job.engine.table(
        "SELECT verdict, count(*) AS n FROM ledger GROUP BY verdict ORDER BY verdict", {"ledger": ledger}
    ).to_pylist()
    with job.publish() as draft:
        draft.parquet("ledger.parquet", tables.LEDGER_ROWS, [ledger])
        draft.facts = {"verdicts": {row["verdict"]: row["n"] for row in counts}}
    return Done(0, ", ".join(f"{row['n']:,} {row['verdict']}" for row in counts))


# The published pipeline keeps the copy under the most permissive licence; careful verdicts are one for all copies.
_PERMISSIVE_FIRST = "CASE license_type WHEN 'permissive' THEN 0 WHEN 'no_license' THEN 1 ELSE 2 END"


def _keepers(licenses: LicenseSettings) -> str:
    """The best of the copies of each content that no rule drops, with its rank among them."""
    best = f"{_PERMISSIVE_FIRST}, {tables.BEST}" if licenses.order == "paper" else tables.BEST
    return f"""
      SELECT c.repo_name, c.path, c.content_id, c.length_bytes, c.budget, c.budget_each,
        coalesce(s.stream_id, c.content_id) AS stream_id, row_number() OVER (ORDER BY {best}) AS rank
      FROM (
        SELECT *, row_number() OVER (PARTITION BY content_id ORDER BY {best}) AS place FROM copies
        WHERE refusal IS NULL AND rule IS NULL) c
      LEFT JOIN streams s ON c.content_id = s.content_id
      WHERE c.place = 1"""


def _fate(engine: Engine, keepers: pa.Table, pairs: Table, settings: Any) -> pa.Table:
    """Per keeper, best first: the twin kept for it (null where it has none), the budget it is beyond, and the split of
    those that stay."""
    ids, stream_ids, repositories = (
        keepers.column(name).combine_chunks() for name in ("content_id", "stream_id", "repo_name")
    )
    threshold, seed = settings.decide.near_duplicates, settings.decide.seed
    found = streams(engine, stream_ids, pairs)
    twins = near_duplicates(found, threshold) if threshold else None
    keeper = twins.keeper if twins else np.arange(len(ids))
    similarity = twins.similarity if twins else np.ones(len(ids))
    alone = keeper == np.arange(len(ids))
    beyond = cut(settings.budgets, keepers.filter(pa.array(alone)), seed)
    out = np.flatnonzero(alone)[beyond.rows]
    stays = alone.copy()
    stays[out] = False
    kept = np.flatnonzero(stays)
    held = held_out(repositories.take(pa.array(kept)), kept, found, settings.decide.held_out, seed)

    def column(rows: Any, values: Any) -> pa.Array:
        """`values` at `rows`, else null."""
        places = np.full(len(ids), -1, dtype=np.int64)
        places[rows] = np.arange(len(rows))
        return pa.array(values, pa.string()).take(pa.array(places, mask=places < 0))

    return pa.table(
        {
            "content_id": ids,
            "twin": ids.take(pa.array(keeper, mask=alone)),
            "jaccard": pa.array(similarity, pa.float64(), mask=alone),
            "split": column(kept, np.where(held, "held_out", "train")),
            "budget": column(out, beyond.names),
            "budget_value": column(out, beyond.values),
            "budget_limit": column(out, beyond.limits),
        }
    )


_LEDGER = f"""
SELECT repo_name, path, content_id,
  CASE WHEN what = 'refusal' AND refusal IN {_QUARANTINED} THEN 'quarantined' WHEN what IS NOT NULL THEN 'dropped'
    WHEN src_encoding <> 'UTF-8' THEN 'changed' ELSE 'kept' END AS verdict,
  CASE what WHEN 'refusal' THEN refusal WHEN 'rule' THEN rule WHEN 'copy' THEN 'exact-duplicate'
    WHEN 'twin' THEN 'near-duplicate' WHEN 'budget' THEN budget_name
    ELSE CASE WHEN src_encoding <> 'UTF-8' THEN 'encoding' END END AS rule,
  CASE what WHEN 'refusal' THEN refusal_value WHEN 'rule' THEN "value" WHEN 'copy' THEN NULL
    WHEN 'twin' THEN printf('%.4f', fate_jaccard) WHEN 'budget' THEN budget_value
    ELSE CASE WHEN src_encoding <> 'UTF-8' THEN src_encoding END END AS "value",
  CASE what WHEN 'refusal' THEN CASE refusal WHEN 'not-a-file' THEN 'entry_type <> ''file'''
      WHEN 'excluded-by-owner' THEN '.starloom.toml'
      WHEN 'too-large' THEN 'length_bytes > ' || CAST($max_bytes AS VARCHAR) END
    WHEN 'rule' THEN "limit" WHEN 'copy' THEN 'one copy of a content' WHEN 'twin' THEN $threshold
    WHEN 'budget' THEN budget_limit
    ELSE CASE WHEN src_encoding <> 'UTF-8' THEN 'src_encoding <> ''UTF-8''' END END AS "limit",
  matched_rules, twin_repo_name, twin_path, twin_content_id,
  CASE WHEN what = 'copy' THEN 1.0 WHEN twin_content_id IS NOT NULL THEN fate_jaccard END AS jaccard,
  split, language, license_type, detected_licenses, license_evidence, license_source, license_rule, license_score,
  rights, length_bytes, is_vendor, is_generated, quality_score
FROM (
  SELECT c.*, f.split, f.jaccard AS fate_jaccard, f.budget AS budget_name, f.budget_value, f.budget_limit,
    coalesce(k.repo_name, t.repo_name) AS twin_repo_name, coalesce(k.path, t.path) AS twin_path,
    coalesce(k.content_id, t.content_id) AS twin_content_id,
    CASE WHEN c.refusal IS NOT NULL THEN 'refusal' WHEN c.rule IS NOT NULL THEN 'rule'
      WHEN k.path IS NOT NULL THEN 'copy' WHEN f.twin IS NOT NULL THEN 'twin'
      WHEN f.budget IS NOT NULL THEN 'budget' END AS what
  FROM (SELECT *, refusal IS NULL AND rule IS NULL AS is_candidate FROM copies) c
  LEFT JOIN keepers k ON c.is_candidate AND c.content_id = k.content_id
    AND (c.repo_name <> k.repo_name OR c.path <> k.path)
  LEFT JOIN fate f ON c.is_candidate AND k.path IS NULL AND c.content_id = f.content_id
  LEFT JOIN keepers t ON f.twin = t.content_id)
"""

# A repository that did not come in has one row, with an empty path.
_REFUSED = """
SELECT coalesce(repo_name, location) AS repo_name, '' AS path, CAST(NULL AS VARCHAR) AS content_id,
  CASE WHEN rule = 'repository' THEN 'quarantined' ELSE 'dropped' END AS verdict, rule, reason AS "value",
  rights, false AS is_vendor, CAST([] AS VARCHAR[]) AS matched_rules
FROM (SELECT *, row_number() OVER (PARTITION BY coalesce(repo_name, location) ORDER BY rule, reason, location) AS place
  FROM problems)
WHERE place = 1
"""


def _settings(settings: Any) -> Any:
    return {
        "decide": settings.decide,
        "licenses": settings.licenses,
        "max_bytes": settings.list.max_bytes,
        "rules": [describe(rule) for rule in settings.rules],
        "budgets": as_json(settings.budgets),
    }


STAGE = Stage(
    name="decide",
    folder=tables.LEDGER,
    version=VERSION,
    reads=(
        tables.LISTING,
        tables.FILES,
        *(f"{tables.SIGNALS}/{name}" for name in _SIGNALS),
        tables.PAIRS,
    ),
    settings=_settings,
    run=_run,
    forecast=lambda job: f"apply {len(job.settings.rules)} rules and the near-duplicate threshold",
)
