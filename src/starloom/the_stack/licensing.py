"""Which licence each copy of each file has, and on what evidence.

Careful, the default. By path: a statement about the very file (debian/copyright, REUSE) is first; else a licence file
or package metadata speaks for everything below its folder, and nested ones add to it (or, `propagation = "nearest"`,
stand in its place). Then, per content: its own notice beats its origin's licence (the earliest, not vendored occurrence
known), which beats other copies. Where the copies disagree and the origin cannot be told (a copy without history may be
the older one), the conflict is not permissive. An empty file is nobody's: each copy has what its path says.

Paper (arXiv 2402.19173, section 2.2, and its published scripts): the repository's declared licence, else what licence
files above say, for each copy by itself; notices and origins are not asked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from starloom.engine.verbs import Engine, Table
from starloom.errors import UserError
from starloom.licenses.categories import UNKNOWN, UNKNOWN_REFERENCE, expression_class
from starloom.licenses.expressions import symbols
from starloom.licenses.verdict import NO_ASSERTION, LicenseType, license_type
from starloom.the_stack.stated import stated_files


@dataclass(frozen=True)
class LicenseSettings:
    """`[licenses]`: how what is found becomes a verdict."""

    order: str = "careful"  # careful: a file's own notice, then its origin, then its path; paper: as The Stack v2 did
    propagation: str = "union"  # union: a folder's licence files add to those above; nearest: they stand in their place

    def __post_init__(self) -> None:
        for name, words in (("order", ("careful", "paper")), ("propagation", ("union", "nearest"))):
            if getattr(self, name) not in words:
                raise UserError(
                    f'[licenses] {name} = "{getattr(self, name)}" is unknown', f"use one of {', '.join(words)}"
                )


# "3" or "3-9".
_SPAN = "CASE WHEN {end} > {start} THEN {start} || '-' || {end} ELSE CAST({start} AS VARCHAR) END"
_SCANNED = _SPAN.format(start="list_extract({0}.text_lines, s.start)", end="list_extract({0}.text_lines, s.end)")

# The few files that may say something of others: read once, asked four times.
_SPEAKING = """
SELECT repo_name, path, file_name, content_id, length_bytes, license_base, metadata_base, is_license FROM files
WHERE license_base IS NOT NULL OR metadata_base IS NOT NULL OR is_license
"""

# Licence files and statements for folders, one row each. Where many Python distributions are installed side by side,
# the METADATA of none speaks for the folder. `kind`: file, metadata, readme (asked where nothing else
# speaks), unknown (a licence file that nobody could read), plain (one that is plainly permissive, licenses/plain).
_SPOKEN = f"""
SELECT f.repo_name, f.path, f.license_base AS base,
  coalesce(l.file_license, s.expression, '{UNKNOWN}') AS expression,
  CASE WHEN l.file_license IS NULL AND s.expression IS NULL THEN CASE WHEN l.is_plain THEN 'plain' ELSE 'unknown' END
    ELSE 'file' END AS kind,
  CASE WHEN l.file_license IS NULL THEN {_SCANNED.format("l")} END AS lines,
  CASE WHEN l.file_license IS NOT NULL THEN 'licence text' WHEN s.expression IS NOT NULL THEN 'ScanCode ' || s.rule
    ELSE 'unrecognised' END AS rule,
  CASE WHEN l.file_license IS NOT NULL THEN 100.0 ELSE s.score END AS score
FROM speaking f JOIN license_file l ON f.content_id = l.content_id AND f.file_name = l.file_name
LEFT JOIN scans s ON l.text_id = s.text_id
WHERE f.license_base IS NOT NULL AND (l.file_license IS NOT NULL OR s.expression IS NOT NULL OR l.is_license)
UNION ALL
SELECT repo_name, path, license_base, '{UNKNOWN}', 'unknown', NULL, 'not read', NULL
FROM speaking f WHERE is_license AND length_bytes > 0 AND NOT EXISTS (
  SELECT 1 FROM license_file l WHERE f.content_id = l.content_id AND f.file_name = l.file_name)
UNION ALL
SELECT repo_name, path, metadata_base, s.expression,
  CASE WHEN s.rule LIKE 'README%' THEN 'readme' ELSE 'metadata' END, CAST(s.line AS VARCHAR), s.rule, 100.0
FROM (
  SELECT f.repo_name, f.path, f.metadata_base, unnest(t.statements) AS s
  FROM (
    SELECT *, count(*) OVER (PARTITION BY repo_name, metadata_base, file_name) AS beside FROM speaking
    WHERE metadata_base IS NOT NULL) f
  JOIN statements t ON f.content_id = t.content_id AND f.file_name = t.file_name
  WHERE f.file_name <> 'METADATA' OR f.beside = 1)
WHERE s.scope = 'folder'
"""

# The folder of a path: cheaper than a pattern, by a million of them.
_FOLDER = "left(f.path, greatest(length(f.path) - length(f.file_name) - 1, 0))"

# What is said at each level that says something, and the best source. The same is said again and again: `level_id`.
_LEVELS = """
SELECT *, row_number() OVER (ORDER BY repo_name, base) AS number, dense_rank() OVER (ORDER BY level) AS level_id
FROM (
  SELECT repo_name, base, struct_pack(
      at_top := base = '',
      files := coalesce(list_sort(list(DISTINCT expression) FILTER (kind = 'file')), CAST([] AS VARCHAR[])),
      metadata := coalesce(list_sort(list(DISTINCT expression) FILTER (kind = 'metadata')), CAST([] AS VARCHAR[])),
      readme := coalesce(list_sort(list(DISTINCT expression) FILTER (kind = 'readme')), CAST([] AS VARCHAR[])),
      plain := bool_or(kind = 'plain'),
      unread := bool_or(kind = 'unknown')) AS level,
    min(struct_pack(
      kind := kind, size := length(path), path := path, lines := lines, rule := rule, score := score)) AS best
  FROM spoken GROUP BY repo_name, base)
"""

# For each folder: the levels above it, from the top down, and the number of the nearest. `levels_id` numbers what is
# said at all of them: millions of files are joined by it, not by nested lists.
_BY_FOLDER = f"""
WITH folders AS (
  SELECT DISTINCT repo_name, {_FOLDER} AS folder FROM files f
  WHERE entry_type = 'file' AND repo_name IN (SELECT repo_name FROM levels)),
above AS (
  SELECT repo_name, folder, unnest(list_transform(
    range(0, CASE WHEN folder = '' THEN 1 ELSE len(names) + 1 END), lambda i: array_to_string(names[1:i], '/'))) AS base
  FROM (SELECT *, string_split(folder, '/') AS names FROM folders)),
found AS (
  SELECT a.repo_name, a.folder, string_agg(CAST(l.level_id AS VARCHAR), ' ' ORDER BY length(a.base)) AS level_ids,
    arg_max(l.number, length(a.base)) AS nearest
  FROM above a JOIN levels l ON a.repo_name = l.repo_name AND a.base = l.base
  GROUP BY a.repo_name, a.folder)
SELECT f.*, n.levels_id FROM found f JOIN (
  SELECT level_ids, row_number() OVER (ORDER BY level_ids) AS levels_id FROM (SELECT DISTINCT level_ids FROM found)) n
ON f.level_ids = n.level_ids
"""

_DECLARED = "coalesce(r.declared_license, r.gha_license_id)"

# What can be said of any path: nothing but of its repository, of its folder, of itself.
_CASES = f"""
SELECT c.*, l.level_ids, s.stated FROM (
  SELECT {_DECLARED} AS declared_license, CAST(NULL AS BIGINT) AS levels_id, CAST(NULL AS BIGINT) AS stated_id
  FROM repositories r
  UNION
  SELECT {_DECLARED}, b.levels_id, NULL FROM by_folder b JOIN repositories r ON b.repo_name = r.repo_name
  UNION
  SELECT {_DECLARED}, b.levels_id, s.stated_id
  FROM stated t JOIN sayings s ON t.saying = s.saying JOIN repositories r ON t.repo_name = r.repo_name
  LEFT JOIN by_folder b ON t.repo_name = b.repo_name AND regexp_replace(t.path, '/?[^/]*$', '') = b.folder) c
LEFT JOIN (SELECT DISTINCT levels_id, level_ids FROM by_folder) l ON c.levels_id = l.levels_id
LEFT JOIN (SELECT DISTINCT stated_id, expressions AS stated FROM sayings) s ON c.stated_id = s.stated_id
"""

# Of the listing, what a verdict hangs on. `<p.more>`, `<p.listed>`: where `_with` puts what a caller wants beside it.
_ASKED = ("repo_name", "path", "content_id", "is_vendor", "first_seen")

_LOCATED = f"""
SELECT {", ".join(f"p.{name}" for name in _ASKED)}<p.more>, c.license_type, c.evidence, c.licenses,
  CASE c.evidence WHEN 'stated' THEN p.stated_source WHEN 'declared' THEN p.repo_name WHEN 'none' THEN NULL
    ELSE concat_ws(':', p.repo_name, p.best.path, p.best.lines) END AS source,
  CASE c.evidence WHEN 'stated' THEN p.stated_rule WHEN 'declared' THEN 'declared licence' WHEN 'none' THEN NULL
    ELSE p.best.rule END AS rule,
  CASE c.evidence WHEN 'none' THEN NULL WHEN 'path' THEN p.best.score ELSE 100.0 END AS score
FROM (
  SELECT {", ".join(f"f.{name}" for name in _ASKED)}<f.more>, {_DECLARED} AS declared_license, b.levels_id, l.best,
    s.stated_id, s.source AS stated_source, s.rule AS stated_rule
  FROM files f JOIN repositories r ON f.repo_name = r.repo_name
  LEFT JOIN by_folder b ON f.repo_name = b.repo_name AND {_FOLDER} = b.folder
  LEFT JOIN levels l ON b.nearest = l.number
  LEFT JOIN stated t ON f.repo_name = t.repo_name AND f.path = t.path
  LEFT JOIN sayings s ON t.saying = s.saying
  WHERE f.content_id IS NOT NULL) p
JOIN cases c ON p.declared_license IS NOT DISTINCT FROM c.declared_license
  AND p.levels_id IS NOT DISTINCT FROM c.levels_id AND p.stated_id IS NOT DISTINCT FROM c.stated_id
"""

_PAPER = f"""
SELECT p.repo_name, p.path<p.listed>, license_type, licenses AS detected_licenses, evidence AS license_evidence,
  source AS license_source, rule AS license_rule, score AS license_score
FROM ({_LOCATED}) p
"""

# `own` is what the path says; `origin` what the origin's path says; the notice beats both. What ScanCode finds in a
# notice counts where it names a licence, not where it sees a mere reference to one. Only contents of several copies
# have an origin to look for: most have one.
_CAREFUL = f"""
WITH located AS NOT MATERIALIZED ({_LOCATED}),
copied AS (
  SELECT content_id, bool_or(NOT is_vendor) AS somewhere_own FROM files
  WHERE length_bytes > 0 AND content_id IS NOT NULL GROUP BY content_id HAVING count(*) > 1),
candidates AS (
  SELECT l.* FROM located l JOIN copied m ON l.content_id = m.content_id
  WHERE NOT is_vendor OR NOT m.somewhere_own),
summary AS (
  SELECT content_id, count(DISTINCT license_type) AS types, bool_or(first_seen IS NULL) AS undated,
    min(first_seen) AS earliest
  FROM candidates GROUP BY content_id),
origin AS (
  SELECT c.content_id, count(DISTINCT c.license_type) AS types,
    min(struct_pack(undated := c.first_seen IS NULL, first_seen := c.first_seen, repo_name := c.repo_name,
      path := c.path, license_type := c.license_type, licenses := c.licenses, source := c.source, rule := c.rule,
      score := c.score)) AS best
  FROM candidates c JOIN summary s ON c.content_id = s.content_id
  WHERE s.types = 1 OR (NOT s.undated AND c.first_seen = s.earliest)
  GROUP BY c.content_id),
judged AS (
  SELECT l.*, n.expression AS notice, n.lines, n.rule AS notice_rule, n.score AS notice_score, n.class,
    o.best, CASE WHEN n.expression IS NOT NULL THEN 'notice' WHEN m.content_id IS NULL THEN 'own'
      WHEN o.types IS NULL OR o.types > 1 THEN 'conflict'
      WHEN o.best.license_type <> l.license_type THEN 'origin' ELSE 'own' END AS how
  FROM located l LEFT JOIN copied m ON l.content_id = m.content_id
  LEFT JOIN origin o ON l.content_id = o.content_id
  LEFT JOIN notices n ON l.content_id = n.content_id)
SELECT j.repo_name, j.path<j.listed>,
  CASE how WHEN 'notice' THEN class WHEN 'conflict' THEN 'non_permissive' WHEN 'origin' THEN best.license_type
    ELSE license_type END AS license_type,
  CASE how WHEN 'notice' THEN [notice] WHEN 'origin' THEN best.licenses ELSE licenses END AS detected_licenses,
  CASE how WHEN 'own' THEN evidence ELSE how END AS license_evidence,
  CASE how WHEN 'notice' THEN repo_name || ':' || path || ':' || lines
    WHEN 'origin' THEN coalesce(best.source, best.repo_name || ':' || best.path) ELSE source END AS license_source,
  CASE how WHEN 'notice' THEN notice_rule WHEN 'origin' THEN best.rule ELSE rule END AS license_rule,
  CASE how WHEN 'notice' THEN notice_score WHEN 'origin' THEN best.score ELSE score END AS license_score
FROM judged j
"""

_NOTICES = f"""
SELECT n.content_id, coalesce(n.notice_license, s.expression) AS expression,
  CASE WHEN n.notice_license IS NULL THEN {_SCANNED.format("n")}
    ELSE {_SPAN.format(start="n.notice_line", end="n.notice_end")} END AS lines,
  CASE WHEN n.notice_license IS NULL THEN 'ScanCode ' || s.rule ELSE 'notice: ' || n.notice_kind END AS rule,
  CASE WHEN n.notice_license IS NULL THEN s.score ELSE 100.0 END AS score
FROM notice n LEFT JOIN scans s ON n.text_id = s.text_id
WHERE n.notice_license IS NOT NULL OR s.expression IS NOT NULL
"""


def license_verdicts(
    engine: Engine, files: Table, repositories: Table, signals: dict[str, Table], settings: LicenseSettings
) -> pa.Table:
    """repo_name, path, license_type, detected_licenses, license_evidence, license_source, license_rule, license_score
    of every hashed file. `signals`: license_file, notice, statements, scans."""
    return engine.table(*verdicts_query(engine, files, repositories, signals, settings))


def verdicts_query(
    engine: Engine,
    files: Table,
    repositories: Table,
    signals: dict[str, Table],
    settings: LicenseSettings,
    listed: Iterable[str] = (),
) -> tuple[str, dict[str, Table]]:
    """The query of `license_verdicts`, with the columns `listed` of the listing: carrying them through is cheaper than
    a join by path. And the tables that it asks."""
    given = {"files": files, "repositories": repositories}
    speaking = engine.table(_SPEAKING, {"files": files})
    heard = {name: signals[name] for name in ("license_file", "statements", "scans")}
    spoken = engine.table(_SPOKEN, heard | {"speaking": speaking})
    given["levels"] = engine.table(_LEVELS, {"spoken": spoken})
    given["by_folder"] = engine.table(_BY_FOLDER, given)
    given["stated"], given["sayings"] = stated_files(engine, files, speaking, signals["statements"])
    given["cases"] = _judged(engine.table(_CASES, given), given["levels"], settings)
    if settings.order == "paper":
        return _with(_PAPER, listed), given
    found = engine.table(_NOTICES, {name: signals[name] for name in ("notice", "scans")})
    return _with(_CAREFUL, listed), given | {"notices": _classes(found)}


def _with(sql: str, listed: Iterable[str]) -> str:
    """The query with the columns `listed`."""
    names = [name for name in listed if name not in ("repo_name", "path")]
    for table in "fpj":
        sql = sql.replace(f"<{table}.listed>", "".join(f", {table}.{name}" for name in names))
        sql = sql.replace(f"<{table}.more>", "".join(f", {table}.{name}" for name in names if name not in _ASKED))
    return sql


def _classes(notices: pa.Table) -> pa.Table:
    """Those that name a licence, with their class."""
    encoded = notices.column("expression").combine_chunks().dictionary_encode()  # the same few, again and again
    expressions = encoded.dictionary.to_pylist()
    names = [
        any(one != UNKNOWN_REFERENCE and expression_class(one) != "neutral" for one in symbols(expression))
        for expression in expressions
    ]
    classes = ["permissive" if expression_class(one) == "permissive" else "non_permissive" for one in expressions]
    judged = notices.append_column("class", pa.array(classes, pa.string()).take(encoded.indices))
    return judged.filter(pa.array(names, pa.bool_()).take(encoded.indices))


def _judged(cases: pa.Table, levels: pa.Table, settings: LicenseSettings) -> pa.Table:
    """`license_type`, `licenses` and `evidence` of each distinct (declared, levels, stated)."""
    by_id = {str(row["level_id"]): row["level"] for row in levels.select(["level_id", "level"]).to_pylist()}
    rows = []
    for row in cases.to_pylist():
        levels_above = [by_id[one] for one in (row["level_ids"] or "").split()]
        rows.append(_judge(row["declared_license"], levels_above, row["stated"], settings))
    for number, (name, kind) in enumerate(
        (("license_type", pa.string()), ("licenses", pa.list_(pa.string())), ("evidence", pa.string()))
    ):
        cases = cases.append_column(name, pa.array([row[number] for row in rows], kind))
    return cases


def _judge(
    declared: str | None, levels: list[dict[str, Any]], stated: list[str] | None, settings: LicenseSettings
) -> tuple[LicenseType, list[str], str]:
    if settings.order == "paper":
        detected = sorted({one for level in levels for key in ("files", "readme") for one in level[key]})
        evidence = "declared" if declared and declared != NO_ASSERTION else "path" if detected else "none"
        if any(level["unread"] or level["plain"] for level in levels) and not detected:
            detected = [UNKNOWN]  # the paper's scanner had an answer for every text
        shown = [declared] if declared and evidence == "declared" else detected
        return license_type(declared, detected, either=True), shown, evidence
    if stated:
        return license_type(None, stated), stated, "stated"
    found = [_level(one, declared if one["at_top"] else None) for one in levels]
    if declared and not any(one["at_top"] for one in levels):
        found.insert(0, [declared])
    found = [one for one in found if one]
    if settings.propagation == "nearest":
        found = found[-1:]
    licenses = sorted({one for some in found for one in some})
    if not licenses:
        return "no_license", [], "none"
    only_declared = licenses == [declared] and not any(
        declared in level[key] for level in levels for key in ("files", "metadata")
    )
    return license_type(None, licenses), licenses, "declared" if only_declared else "path"


def _level(level: dict[str, Any], declared: str | None) -> list[str]:
    """What one folder says of itself.

    Metadata says how the texts beside it go together: texts of licences that it names add nothing ("MIT OR
    GPL-2.0-only" beside both texts is a choice). A text that nobody could read is an unknown licence, whatever is
    said beside it; if it is plainly permissive, metadata may name it. A README is heard where nothing else speaks.
    """
    metadata = [*level["metadata"], *([declared] if declared else [])]
    metadata = [one for one in metadata if one != NO_ASSERTION] or metadata
    named = {_family(one) for expression in metadata for one in symbols(expression)}
    texts = [one for one in level["files"] if not {_family(name) for name in symbols(one)} <= named]
    found = [*metadata, *texts]
    if level["unread"] or (level["plain"] and metadata in ([], [NO_ASSERTION])):
        found.append(UNKNOWN)
    return found or list(level["readme"])


def _family(spdx_id: str) -> str:
    """GNU's texts do not say "or later", metadata does."""
    return spdx_id.removesuffix("+").removesuffix("-or-later").removesuffix("-only").lower()
