"""From origins to root directories: latest visit, main branch, its revision, one repository for each root directory.

- Visit: the latest `full` one with a snapshot, else the latest `partial` one; git's before any other kind.
- Main branch: what GitHub calls the default branch, where its events are given; else by "code" (the published code of
  The Stack v2) HEAD, its alias followed, else `master`, else `main`; by "paper" `main`, else `master`.
- A branch or release may lead over at most HOPS others. A revision must be one of git; a branch or release may also
  lead straight to a directory, and then there is no revision.
- Repositories with the same root directory are one, in the paper's order: licence (by its name, the unknown last),
  stars, forks (these from GitHub's events, where they are given), oldest revision, GitHub's id, oldest visit, URL.

Everything is SQL on the engine; every origin ends as a row with `number`, or with a `problem`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from starloom.sources import gh_archive
from starloom.sources.software_heritage.steps import Steps

SAME = "same root directory as "  # how the reason of a twin begins
HOPS = 5  # aliases after aliases, releases of releases
ORDERS = {
    "code": (b"HEAD", b"refs/heads/master", b"refs/heads/main"),
    "paper": (b"refs/heads/main", b"refs/heads/master"),
}

_KEY = "CASE WHEN lower(v.origin) LIKE 'https://github.com/%' THEN lower(substr(v.origin, 20)) END"  # as in `name_key`
_VISITS = """
WITH stated AS (
  SELECT origin, visit, date, type, CASE WHEN status IN ('full', 'partial') THEN snapshot END AS snapshot,
    CASE WHEN status = 'full' THEN 0 ELSE 1 END AS rank
  FROM origin_visit_status WHERE origin IS NOT NULL
)
SELECT origin, snapshot, date FROM (
  SELECT *, row_number() OVER (
    PARTITION BY origin
    ORDER BY CASE WHEN snapshot IS NULL THEN 1 ELSE 0 END, rank,
      CASE WHEN coalesce(type, 'git') = 'git' THEN 0 ELSE 1 END, date DESC NULLS LAST, visit DESC, snapshot
  ) AS place FROM stated
) WHERE place = 1
"""
_BRANCHES = """
SELECT DISTINCT snapshot_id, name, target, target_type, alias
FROM snapshot_branch WHERE snapshot_id IN (SELECT snapshot FROM visits)
"""
# An alias that leads nowhere is passed over: the next name in the order is tried.
_MAIN = f"""
WITH RECURSIVE wanted AS (
  SELECT v.origin, v.snapshot, p.name, p.place FROM visits v CROSS JOIN preferred p
  UNION ALL
  SELECT v.origin, v.snapshot, CAST('refs/heads/' || g.default_branch AS BLOB), 0
  FROM visits v JOIN github g ON {_KEY} = g.name_key WHERE g.default_branch IS NOT NULL
),
chain AS (
  SELECT w.origin, b.snapshot_id, w.place, b.name, b.target, b.target_type, b.alias, 0 AS hops
  FROM wanted w JOIN branches b ON b.snapshot_id = w.snapshot AND b.name = w.name
  UNION ALL
  SELECT c.origin, c.snapshot_id, c.place, b.name, b.target, b.target_type, b.alias, c.hops + 1
  FROM chain c JOIN branches b ON b.snapshot_id = c.snapshot_id AND b.name = c.alias
  WHERE c.target_type = 'alias' AND c.hops < {HOPS}
)
SELECT origin, name, target, target_type FROM (
  SELECT *, row_number() OVER (PARTITION BY origin ORDER BY place, hops, target) AS first
  FROM chain WHERE target_type <> 'alias' AND target IS NOT NULL
) WHERE first = 1
"""
_TARGETS = f"""
WITH RECURSIVE chain AS (
  SELECT origin, name, target, target_type, 0 AS hops FROM main
  UNION ALL
  SELECT c.origin, c.name, r.target, r.target_type, c.hops + 1
  FROM chain c JOIN release r ON r.id = c.target
  WHERE c.target_type = 'release' AND c.hops < {HOPS}
)
SELECT origin, name, target, target_type FROM (
  SELECT *, row_number() OVER (PARTITION BY origin ORDER BY hops DESC, target) AS first FROM chain
) WHERE first = 1
"""
_REVISIONS = """
SELECT id, min(date) AS date, min(committer_date) AS committer_date, min(directory) AS directory, min(type) AS type
FROM revision WHERE id IN (SELECT target FROM targets WHERE target_type = 'revision') GROUP BY id
"""
_ROOTS = """
SELECT v.origin, v.snapshot, v.date AS visit_date, t.name AS branch_name, r.id AS revision_id,
  r.date AS revision_date, r.committer_date,
  CASE WHEN t.target_type = 'directory' THEN t.target ELSE r.directory END AS directory_id,
  CASE
    WHEN v.snapshot IS NULL THEN 'the archive never visited it with success'
    WHEN t.origin IS NULL THEN 'it has no main branch in snapshot ' || v.snapshot
    WHEN t.target_type = 'release' THEN 'its main branch leads to release ' || t.target || ', which leads nowhere'
    WHEN t.target_type = 'directory' THEN NULL
    WHEN t.target_type <> 'revision' THEN 'its main branch leads to a ' || t.target_type || ', not to files'
    WHEN r.id IS NULL THEN 'its main revision ' || t.target || ' is not in the export'
    WHEN coalesce(r.type, 'git') <> 'git' THEN 'its main revision is not one of git but of ' || r.type
    WHEN r.directory IS NULL THEN 'its main revision ' || t.target || ' names no directory'
  END AS problem
FROM visits v LEFT JOIN targets t ON t.origin = v.origin
LEFT JOIN revisions r ON t.target_type = 'revision' AND r.id = t.target
"""
# The place among those that are kept is the repository's number; the others have the reason.
_REPOSITORIES = f"""
WITH placed AS (
  SELECT v.*, row_number() OVER same AS place, first_value(v.origin) OVER same AS first
  FROM roots v LEFT JOIN github g ON {_KEY} = g.name_key WHERE v.problem IS NULL
  WINDOW same AS (PARTITION BY v.directory_id ORDER BY g.gha_license_id NULLS LAST,
    coalesce(g.star_events_count, 0) DESC, coalesce(g.fork_events_count, 0) DESC, v.revision_date NULLS LAST,
    g.github_id NULLS LAST, v.visit_date NULLS LAST, v.origin)
)
SELECT origin, snapshot, visit_date, branch_name, revision_id, revision_date, committer_date, directory_id, problem,
  CAST(NULL AS INTEGER) AS number FROM roots WHERE problem IS NOT NULL
UNION ALL
SELECT origin, snapshot, visit_date, branch_name, revision_id, revision_date, committer_date, directory_id,
  '{SAME}' || first, NULL FROM placed WHERE place > 1
UNION ALL
SELECT origin, snapshot, visit_date, branch_name, revision_id, revision_date, committer_date, directory_id, NULL,
  CAST(row_number() OVER (ORDER BY origin) - 1 AS INTEGER) FROM placed WHERE place = 1
"""


def find_heads(
    steps: Steps, tables: Mapping[str, Sequence[Path]], main_branch: str, events: Path | None = None
) -> list[Path]:
    """The repositories: a row for each origin, `number` (0, 1, … by URL) where it is one, else `problem`.

    `events`: what GitHub's events say, REPOSITORIES of `gh_archive`.
    """
    names = ORDERS[main_branch]
    places = pa.array(range(1, len(names) + 1), pa.int32())  # 0 is GitHub's default branch
    preferred = pa.table({"name": pa.array(names, pa.binary()), "place": places})
    github = [events] if events else gh_archive.REPOSITORIES.empty_table()
    visits = steps.keep("visits", _VISITS, {"origin_visit_status": tables["origin_visit_status"]})
    branches = steps.keep("branches", _BRANCHES, {"snapshot_branch": tables["snapshot_branch"], "visits": visits})
    main = steps.keep("main", _MAIN, {"visits": visits, "branches": branches, "preferred": preferred, "github": github})
    targets = steps.keep("targets", _TARGETS, {"main": main, "release": tables["release"]})
    revisions = steps.keep("revisions", _REVISIONS, {"revision": tables["revision"], "targets": targets})
    roots = steps.keep("roots", _ROOTS, {"visits": visits, "targets": targets, "revisions": revisions})
    return steps.keep("repositories", _REPOSITORIES, {"roots": roots, "github": github})
