"""`decide`: one ledger row for every listed file: kept, changed, dropped or quarantined, by which rule and value.

Order: what `read` refused, and what is opted out → the licence verdict by path → every rule on every copy that could be
read; the first that fires decides, all are recorded (`matched_rules`) → the keeper among the exact copies that passed →
clusters of near-duplicates among keepers → budgets → `split`. Touches no content: SQL over narrow tables, and one
kernel. Cost: see bench/decide.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from starloom.engine.verbs import Engine, Table
from starloom.errors import UserError
from starloom.privacy.replace import RedactSettings
from starloom.settings import as_json
from starloom.the_stack import budgets, opt_outs, redactions, tables
from starloom.the_stack.budgets import Budget, cut
from starloom.the_stack.columns import COLUMNS
from starloom.the_stack.door import opted_out
from starloom.the_stack.licensing import LicenseSettings, verdicts_query
from starloom.the_stack.measured import KINDS, READABLE, given, joins, needed
from starloom.the_stack.rules import Compiled, check, describe
from starloom.the_stack.twins import held_out, near_duplicates, streams, within
from starloom.workspace.stage import Done, Job, Stage

VERSION = tables.LEDGER_VERSION


@dataclass(frozen=True)
class DecideSettings:
    """`[decide]`: what is no condition over columns."""

    near_duplicates: float = 0.7  # Jaccard similarity from which one of two files goes; 0: none goes
    near_duplicates_within: Literal["all", "language"] = "all"  # language: files of two languages are not alike
    clusters: Literal["stars", "components"] = "stars"  # components: what a chain of pairs links goes too
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

_REFUSAL = """
  CASE WHEN f.problem IS NOT NULL OR f.entry_type = 'folder' THEN 'unlisted'
    WHEN f.entry_type <> 'file' THEN 'not-a-file'
    WHEN opted IS NOT NULL THEN 'opt-out'
    WHEN f.excluded IS NOT NULL THEN 'excluded-by-owner'
    WHEN f.length_bytes > $max_bytes THEN 'too-large'
    WHEN c.content_id IS NULL THEN coalesce(x.outcome, 'unread') END AS refusal,
  CASE WHEN f.problem IS NOT NULL THEN f.problem
    WHEN f.entry_type <> 'file' THEN concat_ws(' ', f.entry_type, f.target)
    WHEN opted IS NOT NULL THEN opted
    WHEN f.excluded IS NOT NULL THEN f.excluded
    WHEN f.length_bytes > $max_bytes THEN CAST(f.length_bytes AS VARCHAR)
    WHEN c.content_id IS NULL THEN x.reason END AS refusal_value"""

# The listed files, with the opt-out that a file's content, or its place, falls under.
_JUDGED = """(SELECT v.*, coalesce(oc.entry, op.entry) AS opted FROM judged v
        LEFT JOIN opted_contents oc ON v.content_id = oc.content_id
        LEFT JOIN opted_files op ON lower(v.repo_name) = op.repo_key AND v.path = op.path)"""


def _copies(
    rules: tuple[Compiled, ...], some: tuple[Budget, ...], redact: RedactSettings
) -> tuple[str, tuple[str, ...], list[str]]:
    """SQL of every listed file with what the ledger says of it, its refusal, its rules, its budget and what is replaced
    in it; the tables it needs, and the columns of the listing that the verdicts, whose query takes the place of
    `<verdicts>`, are to have."""
    asked = {name for one in rules for name in one.columns} | budgets.asked(some)
    columns = [*_MEASURED[1:], *(name for name in COLUMNS if name in asked and name not in _BASE)]
    needs = needed(columns)
    sources = [f"f.{name}" for name in _LISTED] + [f"r.{name}" for name in _REPOSITORY]
    sources += [f"f.{name}" for name in _LICENSE] + ["c.src_encoding"]
    sources += [f"{COLUMNS[name].sql} AS {name}" for name in columns]
    fires = "".join(f", refusal IS NULL AND {one.fires} AS rule_{number}" for number, one in enumerate(rules))
    names = [_text(one.rule.name) for one in rules]
    number, each = budgets.choice(some)
    measured = joins(needs)
    redacted = redactions.of_content(redact)
    asks = set(re.findall(r"\bf\.(\w+)", " ".join([*sources, _REFUSAL, measured])))
    listed = [name for name in tables.LISTED_FILES.names if name in asks]
    sql = f"""
    WITH verdicts AS (<verdicts>),
    judged AS (  -- what has no content has no verdict
      SELECT * FROM verdicts UNION ALL BY NAME SELECT {", ".join(listed)} FROM files WHERE content_id IS NULL)
    SELECT {", ".join(_BASE)}, place, redacted, refusal, refusal_value,
      {_first(names)} AS rule, {_first([one.value for one in rules])} AS "value",
      {_first([one.limit for one in rules])} AS "limit",
      {_all(names)} AS matched_rules, {number} AS budget, {each} AS budget_each
    FROM (SELECT *{fires} FROM (
      SELECT {", ".join(sources)}, c.place, {redacted} AS redacted, {_REFUSAL}
      FROM {_JUDGED} f JOIN repositories r ON f.repo_name = r.repo_name
      {READABLE}
      LEFT JOIN (SELECT content_id, min(outcome) AS outcome, min(reason) AS reason FROM refused GROUP BY content_id) x
        ON f.content_id = x.content_id
      {measured}))"""
    return sql, (*needs, *(() if redactions.SIGNAL in needs else (redactions.SIGNAL,))), listed


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


def decided(root: Path, engine: Engine, settings: Any, opted: opt_outs.OptOuts | None = None) -> pa.Table:
    """The ledger (LEDGER_ROWS, by repository and path) that `settings` make of what was listed, read, measured and
    paired; nothing is written. `opted`: the opt-outs; None: those of the workspace as they are now."""
    return _as_ledger(engine.table(*_decision(root, engine, settings, opted)))


def _as_ledger(rows: Any) -> Any:
    """A table or a batch with the ledger's columns and types."""
    return rows.select(tables.LEDGER_ROWS.names).cast(tables.LEDGER_ROWS)


def _decision(
    root: Path, engine: Engine, settings: Any, opted: opt_outs.OptOuts | None
) -> tuple[str, dict[str, Table], dict[str, Any]]:
    """The query of the ledger: SQL, tables and parameters. All is decided, but not yet said in words."""
    sql, needs, listed = _copies(check(settings.rules), settings.budgets, settings.redact)
    limit = {"max_bytes": settings.list.max_bytes}
    with ThreadPoolExecutor(1) as beside:  # reading is one core's work
        measured = beside.submit(given, root, needs, sql)
        verdicts, asked = _licensed(root, engine, settings.licenses, listed)
    refused = tables.refused(root) or tables.REFUSED.empty_table()
    wishes = opt_outs.of(root, settings.list.opt_outs) if opted is None else opted
    asked |= {"opted_contents": wishes.contents_table(), "opted_files": wishes.files_table(), "refused": refused}
    asked |= measured.result()
    copies = engine.table(sql.replace("<verdicts>", verdicts), asked, limit)
    del asked, measured
    copies = copies.append_column("number", pa.array(np.arange(len(copies))))
    passed = engine.table(_passed(settings.licenses), {"copies": copies, "streams": tables.streams(root)})
    copies = _with_fates(
        engine, copies.drop_columns(_FOR_CHOICE), passed, tables.pairs(root), settings, _drawn(root, engine)
    )
    del passed
    pa.default_memory_pool().release_unused()  # a third of the peak: Arrow keeps what it freed
    return (
        f"SELECT * FROM (({_LEDGER}) UNION ALL BY NAME ({_REFUSED})) ORDER BY repo_name, path",
        {"copies": copies, "twins": _twins(copies), "problems": tables.problems(root)},
        limit | {"threshold": _threshold(settings), "redacted_kinds": redactions.limit(settings.redact)},
    )


def _licensed(root: Path, engine: Engine, settings: LicenseSettings, listed: list[str]) -> tuple[str, dict[str, Table]]:
    """`verdicts_query`, or of what the listing brings along of them."""
    files = tables.listed_files(root)
    if known := tables.decided(root):
        columns = ", ".join([*(f"f.{name}" for name in listed), *(f"k.{name}" for name in _LICENSE)])
        sql = f"SELECT {columns} FROM files f JOIN decided k USING (repo_name, path) WHERE f.content_id IS NOT NULL"
        return sql, {"files": files, "decided": known}
    spoken = {name: tables.signal_rows(root, name) for name in _LICENSES} | {"scans": tables.scans(root)}
    return verdicts_query(engine, files, tables.repositories(root), spoken, settings, listed)


def _drawn(root: Path, engine: Engine) -> set[str] | None:
    """The repositories that are held out already; None where they are to be drawn."""
    if not (known := tables.decided(root)):
        return None
    found = engine.table("SELECT DISTINCT repo_name FROM decided WHERE held_out", {"decided": known})
    return set(found.column(0).to_pylist())


def _threshold(settings: Any) -> str:
    """What the ledger says the limit of near-duplicates is."""
    limit = f"jaccard >= {settings.decide.near_duplicates:g}" if settings.pair.verify else "a MinHash band in common"
    return limit if settings.decide.clusters == "stars" else f"linked by a chain of pairs: {limit}"


def _run(job: Job) -> Done:
    counts: Counter[str] = Counter()

    def counted(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in map(_as_ledger, batches):
            counts.update({one["values"]: one["counts"] for one in batch.column("verdict").value_counts().to_pylist()})
            yield batch

    decision = _decision(job.root, job.engine, job.settings, opted_out(job))
    with job.engine.query(*decision) as batches, job.publish() as draft:
        draft.parquet("ledger.parquet", tables.LEDGER_ROWS, counted(batches))
        draft.facts = {"verdicts": dict(sorted(counts.items()))}
    return Done(0, ", ".join(f"{count:,} {verdict}" for verdict, count in sorted(counts.items())))


# The published pipeline keeps the copy under the most permissive licence; careful verdicts are one for all copies.
_PERMISSIVE_FIRST = "CASE license_type WHEN 'permissive' THEN 0 WHEN 'no_license' THEN 1 ELSE 2 END"


# Of the copies, what only the choice of keepers asks.
_FOR_CHOICE = ["place", "first_seen", "star_events_count", "fork_events_count", "budget", "budget_each"]


def _passed(licenses: LicenseSettings) -> str:
    """The copies that no rule drops, best first."""
    best = f"{_PERMISSIVE_FIRST}, {tables.BEST}" if licenses.order == "paper" else tables.BEST
    return f"""
      SELECT c.number, c.repo_name, c.content_id, c.place, c.length_bytes, c.language, c.budget, c.budget_each,
        s.stream_id
      FROM copies c LEFT JOIN streams s ON c.content_id = s.content_id
      WHERE c.refusal IS NULL AND c.rule IS NULL ORDER BY {best}"""


def _with_fates(
    engine: Engine, copies: pa.Table, passed: pa.Table, pairs: Table, settings: Any, drawn: set[str] | None
) -> pa.Table:
    """The copies with what becomes of those that passed: whether a better copy is kept, `twin` (the number of the copy
    that is kept for it), the budget it is beyond, and the split of those that stay. `drawn`: see twins.held_out.

    By their numbers: joins by the ids, texts of 40 characters, take several times as long.
    """
    numbers = passed.column("number").to_numpy()
    content = passed.column("place").combine_chunks().dictionary_encode().indices.to_numpy()
    first = np.diff(np.maximum.accumulate(content), prepend=-1) > 0  # contents are numbered as they come: best first
    keepers, keeper_numbers = passed.filter(pa.array(first)), numbers[first]
    names = ("content_id", "stream_id", "repo_name")
    content_ids, stream_ids, repositories = (keepers.column(name).combine_chunks() for name in names)
    threshold, seed = settings.decide.near_duplicates, settings.decide.seed
    found = streams(engine, content_ids, stream_ids, pairs)
    compared = found
    if settings.decide.near_duplicates_within == "language":
        compared = within(found, keepers.column("language").combine_chunks())
    twins = near_duplicates(compared, threshold, settings.decide.clusters) if threshold else None
    keeper = twins.keeper if twins else np.arange(len(keepers))
    alone = keeper == np.arange(len(keepers))
    beyond = cut(settings.budgets, keepers.filter(pa.array(alone)), seed)
    out = np.flatnonzero(alone)[beyond.rows]
    stays = alone.copy()
    stays[out] = False
    kept = np.flatnonzero(stays)
    held = held_out(repositories.take(pa.array(kept)), kept, found, settings.decide.held_out, seed, drawn)

    is_copy, twin, jaccard = np.zeros(len(copies), bool), np.full(len(copies), -1), np.ones(len(copies))
    is_copy[numbers[~first]] = True
    twin[numbers] = keeper_numbers[content]
    twin[keeper_numbers] = np.where(alone, -1, keeper_numbers[keeper])
    if twins:
        jaccard[keeper_numbers] = twins.similarity  # NaN: not verified

    def column(rows: Any, codes: Any, values: list[str]) -> pa.Array:
        """`values` by their `codes` for the keepers `rows`, else null."""
        places = np.full(len(copies), -1)
        places[keeper_numbers[rows]] = codes
        return pa.array(values, pa.string()).take(pa.array(places, mask=places < 0))

    each = np.arange(len(out))
    for name, values in {
        "is_copy": pa.array(is_copy),
        "twin": pa.array(twin, mask=twin < 0),
        "twin_jaccard": pa.array(jaccard, mask=(twin < 0) | np.isnan(jaccard)),
        "split": column(kept, held.astype(np.int64), ["train", "held_out"]),
        "budget": column(out, each, beyond.names),
        "budget_value": column(out, each, beyond.values),
        "budget_limit": column(out, each, beyond.limits),
    }.items():
        copies = copies.append_column(name, values)
    return copies


def _twins(copies: pa.Table) -> pa.Table:
    """The copies that are kept for others."""
    chosen = np.zeros(len(copies), bool)
    chosen[copies.column("twin").drop_null().to_numpy()] = True
    return copies.select(["number", "repo_name", "path", "content_id"]).filter(pa.array(chosen))


_LEDGER = f"""
SELECT repo_name, path, content_id,
  CASE WHEN what = 'refusal' AND refusal IN {_QUARANTINED} THEN 'quarantined' WHEN what IS NOT NULL THEN 'dropped'
    WHEN changes <> '' THEN 'changed' ELSE 'kept' END AS verdict,
  CASE what WHEN 'refusal' THEN refusal WHEN 'rule' THEN rule WHEN 'copy' THEN 'exact-duplicate'
    WHEN 'twin' THEN 'near-duplicate' WHEN 'budget' THEN budget
    ELSE CASE WHEN redacted IS NOT NULL THEN 'redaction' WHEN changes <> '' THEN 'encoding' END END AS rule,
  CASE what WHEN 'refusal' THEN refusal_value WHEN 'rule' THEN "value" WHEN 'copy' THEN NULL
    WHEN 'twin' THEN printf('%.4f', twin_jaccard) WHEN 'budget' THEN budget_value
    ELSE nullif(changes, '') END AS "value",
  CASE what WHEN 'refusal' THEN CASE refusal WHEN 'not-a-file' THEN 'entry_type <> ''file'''
      WHEN 'opt-out' THEN 'opt-outs' WHEN 'excluded-by-owner' THEN '.starloom.toml'
      WHEN 'too-large' THEN 'length_bytes > ' || CAST($max_bytes AS VARCHAR) END
    WHEN 'rule' THEN "limit" WHEN 'copy' THEN 'one copy of a content' WHEN 'twin' THEN $threshold
    WHEN 'budget' THEN budget_limit
    ELSE nullif(concat_ws('; ', CASE WHEN redacted IS NOT NULL THEN $redacted_kinds END,
      CASE WHEN src_encoding <> 'UTF-8' THEN 'src_encoding <> ''UTF-8''' END), '') END AS "limit",
  matched_rules, twin_repo_name, twin_path, twin_content_id, twin_jaccard AS jaccard, split, language, license_type,
  detected_licenses, license_evidence, license_source, license_rule, license_score, rights, length_bytes, is_vendor,
  is_generated, quality_score
FROM (
  SELECT c.*, t.repo_name AS twin_repo_name, t.path AS twin_path, t.content_id AS twin_content_id,
    concat_ws('; ', redacted, CASE WHEN src_encoding <> 'UTF-8' THEN src_encoding END) AS changes,
    CASE WHEN c.refusal IS NOT NULL THEN 'refusal' WHEN c.rule IS NOT NULL THEN 'rule' WHEN c.is_copy THEN 'copy'
      WHEN c.twin IS NOT NULL THEN 'twin' WHEN c.budget IS NOT NULL THEN 'budget' END AS what
  FROM copies c LEFT JOIN twins t ON c.twin = t.number)
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
        "verified": settings.pair.verify,
        "rules": [describe(rule) for rule in settings.rules],
        "budgets": as_json(settings.budgets),
        "redacted": redactions.decisive(settings.redact),
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
    outside=lambda job: opted_out(job).mark,
    forecast=lambda job: f"apply {len(job.settings.rules)} rules and the near-duplicate threshold",
)
