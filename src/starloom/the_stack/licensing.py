"""Which licence each copy of each file has, and on what evidence: first by path, then not laundered.

By path: a licence file speaks for everything below its folder, nested ones add to it (the paper, section 2.2), and a
declared licence comes first (licenses/verdict). Then, per content: its own notice beats its origin's licence (the
earliest, not vendored occurrence known), which beats other copies. Where the copies disagree and the origin cannot be
told (a copy without history may be the older one), the conflict is not permissive. An empty file is nobody's: each
copy has what its path says.
"""

import pyarrow as pa

from starloom.engine.verbs import Engine, Table
from starloom.licenses.categories import expression_class
from starloom.licenses.verdict import license_type

# What the licence files of a repository say of each of its folders.
_BY_FOLDER = """
WITH recognised AS (
  SELECT f.repo_name, f.license_base, f.path, l.file_license
  FROM files f JOIN license_file l ON f.content_id = l.content_id AND f.file_name = l.file_name
  WHERE f.license_base IS NOT NULL AND l.file_license IS NOT NULL),
folders AS (
  SELECT DISTINCT repo_name, regexp_replace(path, '/?[^/]*$', '') AS folder FROM files
  WHERE entry_type = 'file' AND repo_name IN (SELECT repo_name FROM recognised)),
above AS (
  SELECT DISTINCT repo_name, folder, unnest(list_transform(
    range(0, len(names) + 1), lambda i: array_to_string(names[1:i], '/'))) AS base
  FROM (SELECT *, string_split(folder, '/') AS names FROM folders))
SELECT a.repo_name, a.folder, list_sort(list(DISTINCT r.file_license)) AS detected,
  min(struct_pack(above := -length(r.license_base), size := length(r.path), path := r.path)).path AS license_path,
  coalesce(list_sort(list(DISTINCT r.file_license) FILTER (r.license_base <> '')), CAST([] AS VARCHAR[])) AS nested
FROM above a JOIN recognised r ON a.repo_name = r.repo_name AND a.base = r.license_base
GROUP BY a.repo_name, a.folder
"""

_BY_PATH = """
SELECT f.repo_name, f.path, f.content_id, f.length_bytes, f.is_vendor, f.first_seen,
  coalesce(r.declared_license, r.gha_license_id) AS declared_license,
  coalesce(b.detected, CAST([] AS VARCHAR[])) AS detected, b.license_path,
  coalesce(b.nested, CAST([] AS VARCHAR[])) AS nested
FROM files f JOIN repositories r ON f.repo_name = r.repo_name
LEFT JOIN by_folder b ON f.repo_name = b.repo_name AND regexp_replace(f.path, '/?[^/]*$', '') = b.folder
WHERE f.content_id IS NOT NULL
"""

_CASES = f"SELECT DISTINCT declared_license, detected, nested FROM ({_BY_PATH})"

# `own` is what the path says; `origin` what the origin's path says; the notice beats both.
_VERDICTS = f"""
WITH located AS (
  SELECT p.repo_name, p.path, p.content_id, p.length_bytes = 0 AS is_empty, p.is_vendor, p.first_seen, c.license_type,
    CASE WHEN p.declared_license IS NOT NULL AND len(p.nested) = 0 THEN 'declared'
      WHEN len(p.detected) > 0 THEN 'path' WHEN p.declared_license IS NOT NULL THEN 'declared' ELSE 'none'
      END AS evidence,
    CASE WHEN p.declared_license IS NULL THEN p.detected
      ELSE list_sort(list_distinct(list_append(p.nested, p.declared_license))) END AS licenses,
    CASE WHEN p.license_path IS NOT NULL THEN p.repo_name || ':' || p.license_path
      WHEN p.declared_license IS NOT NULL THEN p.repo_name END AS source
  FROM ({_BY_PATH}) p JOIN cases c
    ON p.declared_license IS NOT DISTINCT FROM c.declared_license AND p.detected = c.detected AND p.nested = c.nested),
pool AS (SELECT *, bool_or(NOT is_vendor) OVER (PARTITION BY content_id) AS somewhere_own FROM located),
candidates AS (SELECT * FROM pool WHERE (NOT is_vendor OR NOT somewhere_own) AND NOT is_empty),
summary AS (
  SELECT content_id, count(DISTINCT license_type) AS types, bool_or(first_seen IS NULL) AS undated,
    min(first_seen) AS earliest
  FROM candidates GROUP BY content_id),
origin AS (
  SELECT c.content_id, count(DISTINCT c.license_type) AS types,
    min(struct_pack(undated := c.first_seen IS NULL, first_seen := c.first_seen, repo_name := c.repo_name,
      path := c.path, license_type := c.license_type, licenses := c.licenses, source := c.source)) AS best
  FROM candidates c JOIN summary s ON c.content_id = s.content_id
  WHERE s.types = 1 OR (NOT s.undated AND c.first_seen = s.earliest)
  GROUP BY c.content_id)
SELECT l.repo_name, l.path,
  CASE WHEN n.notice_license IS NOT NULL THEN t.class
    WHEN is_empty THEN l.license_type
    WHEN o.types IS NULL OR o.types > 1 THEN 'non_permissive'
    WHEN o.best.license_type <> l.license_type THEN o.best.license_type ELSE l.license_type END AS license_type,
  CASE WHEN n.notice_license IS NOT NULL THEN [n.notice_license]
    WHEN o.types = 1 AND o.best.license_type <> l.license_type THEN o.best.licenses ELSE l.licenses END
    AS detected_licenses,
  CASE WHEN n.notice_license IS NOT NULL THEN 'notice'
    WHEN is_empty THEN l.evidence WHEN o.types IS NULL OR o.types > 1 THEN 'conflict'
    WHEN o.best.license_type <> l.license_type THEN 'origin' ELSE l.evidence END AS license_evidence,
  CASE WHEN n.notice_license IS NOT NULL THEN l.repo_name || ':' || l.path || ':' || n.notice_line
    WHEN o.types = 1 AND o.best.license_type <> l.license_type
      THEN coalesce(o.best.source, o.best.repo_name || ':' || o.best.path) ELSE l.source END AS license_source
FROM located l LEFT JOIN origin o ON l.content_id = o.content_id
LEFT JOIN notice n ON l.content_id = n.content_id
LEFT JOIN classes t ON n.notice_license = t.notice_license
"""


def license_verdicts(engine: Engine, files: Table, repositories: Table, license_file: Table, notice: Table) -> pa.Table:
    """repo_name, path, license_type, detected_licenses, license_evidence, license_source of every hashed file."""
    given = {"files": files, "repositories": repositories}
    by_folder = engine.table(_BY_FOLDER, given | {"license_file": license_file})
    cases = _judged(engine.table(_CASES, given | {"by_folder": by_folder}))
    stated = engine.table(
        "SELECT DISTINCT notice_license FROM notice WHERE notice_license IS NOT NULL ORDER BY ALL", {"notice": notice}
    ).column(0)
    classes = pa.table(
        {
            "notice_license": pa.array(stated.to_pylist(), pa.string()),
            "class": pa.array([_class(one) for one in stated.to_pylist()], pa.string()),
        }
    )
    return engine.table(
        _VERDICTS, given | {"by_folder": by_folder, "cases": cases, "notice": notice, "classes": classes}
    )


def _class(expression: str) -> str:
    return "permissive" if expression_class(expression) == "permissive" else "non_permissive"


def _judged(cases: pa.Table) -> pa.Table:
    """`license_type` of each distinct (declared, detected, nested).

    A declared licence speaks for the whole, so it stands for the licence files at the root and decides alone, except
    where a folder states its own (vendored code): there both count.
    """
    types = []
    for row in cases.to_pylist():
        declared, detected = row["declared_license"], row["detected"]
        if declared and row["nested"]:
            declared, detected = None, [*row["nested"], declared]
        types.append(license_type(declared, detected))
    return cases.append_column("license_type", pa.array(types, pa.string()))
