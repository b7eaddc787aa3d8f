"""Every listed file with what the ledger says of it, why it is refused, and the rules that hold: one query.

It joins nothing but small tables: what was measured stands beside each file already (placed). Rows are told by numbers,
those of the files in order; what the query need not look at is not carried through it.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import pyarrow as pa

from starloom.engine.verbs import Engine, Table
from starloom.privacy.replace import RedactSettings
from starloom.the_stack import budgets, redactions
from starloom.the_stack.budgets import Budget
from starloom.the_stack.columns import COLUMNS
from starloom.the_stack.measured import joins, needed
from starloom.the_stack.placed import by_number
from starloom.the_stack.rules import Compiled

# What the ledger says of every file, whatever the rules ask. Of the listing and the verdicts, which are in its order
# anyhow, only what the choice of keepers asks.
_LISTED = ("repo_name", "path", "length_bytes", "is_vendor", "first_seen")
_REPOSITORY = ("rights", "star_events_count", "fork_events_count")
_LICENSE = ("license_type", "license_evidence")
_MEASURED = ("language", "is_generated", "quality_score")
_BASE = (*_LISTED, *_REPOSITORY, *_LICENSE, "src_encoding", *_MEASURED)
_GIVEN = ("is_vendor", "first_seen", *_REPOSITORY, "license_type", "src_encoding", *_MEASURED)

_REFUSAL = """
  CASE WHEN f.problem IS NOT NULL OR f.entry_type = 'folder' THEN 'unlisted'
    WHEN f.entry_type <> 'file' THEN 'not-a-file'
    WHEN opted IS NOT NULL THEN 'opt-out'
    WHEN f.excluded IS NOT NULL THEN 'excluded-by-owner'
    WHEN f.length_bytes > $max_bytes THEN 'too-large'
    WHEN f.c.place IS NULL THEN coalesce(x.outcome, 'unread') END AS refusal,
  CASE WHEN f.problem IS NOT NULL THEN f.problem
    WHEN f.entry_type <> 'file' THEN concat_ws(' ', f.entry_type, f.target)
    WHEN opted IS NOT NULL THEN opted
    WHEN f.excluded IS NOT NULL THEN f.excluded
    WHEN f.length_bytes > $max_bytes THEN CAST(f.length_bytes AS VARCHAR)
    WHEN f.c.place IS NULL THEN x.reason END AS refusal_value"""


class Question(NamedTuple):
    """`sql` over `files` (LISTED_FILES with `number`, the columns of license_verdicts, and what `needs`, signals, say
    beside), `repositories`, `refused`, `opted_contents`, `opted_files` and `kinds`, with the parameter $max_bytes.

    Its answer: `number`; what is given or measured of the file; `redacted`, what is replaced in it; `refusal` and
    `refusal_value`; `rule`, `value` and `limit` of the first rule that holds, and `matched_rules`; `budget` and
    `budget_each` as budgets.choice gives them.
    """

    sql: str
    needs: tuple[str, ...]

    @property
    def listed(self) -> set[str]:
        """The columns that it asks of the files."""
        return set(re.findall(r"\bf\.(\w+)", self.sql))

    def answer(self, engine: Engine, given: Mapping[str, Table], max_bytes: int) -> pa.Table:
        """In the order of the files."""
        return by_number(engine.table(self.sql, given, {"max_bytes": max_bytes}))


def question(rules: tuple[Compiled, ...], some: tuple[Budget, ...], redact: RedactSettings) -> Question:
    asked = {name for one in rules for name in one.columns} | budgets.asked(some)
    columns = [*_MEASURED, *(name for name in COLUMNS if name in asked and name not in _BASE)]
    needs = needed(columns)
    sources = [f"f.{name}" for name in (*_LISTED, *_LICENSE)] + [f"r.{name}" for name in _REPOSITORY]
    sources += ["f.c.src_encoding", *(f"{COLUMNS[name].sql} AS {name}" for name in columns)]
    fires = "".join(f", refusal IS NULL AND {one.fires} AS rule_{number}" for number, one in enumerate(rules))
    names = [_text(one.rule.name) for one in rules]
    number, each = budgets.choice(some)
    sql = f"""
    SELECT number, {", ".join(_GIVEN)}, redacted, refusal, refusal_value,
      {_first(names)} AS rule, {_first([one.value for one in rules])} AS "value",
      {_first([one.limit for one in rules])} AS "limit",
      {_all(names)} AS matched_rules, {number} AS budget, {each} AS budget_each
    FROM (SELECT *{fires} FROM (
      SELECT f.number, {", ".join(sources)}, {redactions.of_content(redact)} AS redacted, {_REFUSAL}
      FROM (SELECT f.*, coalesce(oc.entry, op.entry) AS opted FROM files f
        LEFT JOIN opted_contents oc ON f.content_id = oc.content_id
        LEFT JOIN opted_files op ON lower(f.repo_name) = op.repo_key AND f.path = op.path) f
      JOIN repositories r ON f.repo_name = r.repo_name
      LEFT JOIN (SELECT content_id, min(outcome) AS outcome, min_by(reason, outcome || ' ' || reason) AS reason
        FROM refused GROUP BY content_id) x
        ON CASE WHEN f.c.place IS NULL THEN f.content_id END = x.content_id
      {joins(needs)}))"""
    return Question(sql, (*needs, *(() if redactions.SIGNAL in needs else (redactions.SIGNAL,))))


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
