"""The walked paths with what the export knows of their contents, as the rows of a prepared listing.

`directory_entry.target` is git's hash (`sha1_git`, our `content_id`); the object store is keyed by plain SHA-1 (`sha1`,
our `blob_id`). Only the content table joins the two. What the archive skipped or hides, and what the export does not
have at all, stays in the listing as a path with its problem. Cost: one reading of the content table, one sort.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from starloom.sources.prepared import NUMBERED_FILES
from starloom.sources.software_heritage.steps import Steps

_WANTED = "SELECT DISTINCT target FROM paths WHERE type = 'file' AND target IS NOT NULL"
# A content of which the table has more than one row: the smallest SHA-1, and what that row says.
_FOUND = """
SELECT sha1_git, min(sha1) AS sha1, min_by(length, sha1) AS length, min_by(status, sha1) AS status
FROM content WHERE sha1 IS NOT NULL AND sha1_git IN (SELECT target FROM wanted) GROUP BY sha1_git
"""
_SKIPPED = """
SELECT sha1_git, min(length) AS length, coalesce(min(reason), 'no reason given') AS reason
FROM skipped_content WHERE sha1_git IN (SELECT target FROM wanted) GROUP BY sha1_git
"""
_LISTING = """
WITH typed AS (
  SELECT n.listed AS repository, p.raw_path, p.target, p.unsafe, p.perms,
    CASE WHEN p.type = 'rev' THEN 'submodule' WHEN p.type = 'dir' THEN 'folder'
      WHEN p.type = 'file' AND (p.perms & 61440) = 40960 THEN 'symlink'
      WHEN p.type = 'file' AND (p.perms & 61440) = 32768 THEN 'file' ELSE 'special' END AS entry_type
  FROM paths p JOIN numbers n ON p.repository = n.walked
), joined AS (
  SELECT t.*, coalesce(f.length, s.length) AS size, f.sha1,
    CASE WHEN t.unsafe THEN 'unsafe name: empty, or with a slash or NUL'
      WHEN t.entry_type = 'folder' AND t.target IS NOT NULL THEN 'unsafe path: longer than any file system allows'
      WHEN t.target IS NULL THEN 'its target is no hash'
      WHEN t.entry_type = 'special' THEN 'neither file, link, folder nor submodule'
      WHEN t.entry_type <> 'file' THEN NULL
      WHEN f.sha1_git IS NULL AND s.sha1_git IS NOT NULL THEN 'skipped by the archive: ' || s.reason
      WHEN f.sha1_git IS NULL THEN 'not in the export'
      WHEN coalesce(f.status, 'visible') <> 'visible' THEN 'hidden by the archive'
      WHEN f.length IS NULL OR f.length < 0 THEN 'its length is not in the export'
    END AS problem
  FROM typed t
  LEFT JOIN found f ON t.entry_type IN ('file', 'symlink') AND t.target = f.sha1_git
  LEFT JOIN skipped s ON t.entry_type IN ('file', 'symlink') AND t.target = s.sha1_git
)
SELECT repository, raw_path, entry_type, coalesce(perms, 0) AS mode, size,
  CASE WHEN entry_type = 'file' AND problem IS NULL THEN target END AS content_id,
  CASE WHEN entry_type = 'file' AND problem IS NULL THEN sha1 END AS blob_id,
  problem, CASE WHEN entry_type = 'submodule' THEN target END AS target,
  CAST(NULL AS INTEGER) AS file, CAST(NULL AS BIGINT) AS row
FROM joined ORDER BY repository, raw_path, joined.target, perms
"""


@contextmanager
def listing(
    steps: Steps, tables: Mapping[str, Sequence[Path]], paths: Sequence[Path], numbers: Sequence[int]
) -> Iterator[Iterator[pa.RecordBatch]]:
    """Rows of NUMBERED_FILES of the walked repositories `numbers`, which become 0, 1, …: for `write_prepared`."""
    wanted = steps.keep("wanted", _WANTED, {"paths": paths})
    found = steps.keep("found", _FOUND, {"content": tables["content"], "wanted": wanted})
    skipped = steps.keep("skipped", _SKIPPED, {"skipped_content": tables["skipped_content"], "wanted": wanted})
    listed = pa.table({"walked": pa.array(numbers, pa.int32()), "listed": pa.array(range(len(numbers)), pa.int32())})
    given = {"paths": paths, "numbers": listed, "found": found, "skipped": skipped}
    with steps.engine.query(_LISTING, given) as rows:
        yield (batch.select(NUMBERED_FILES.names).cast(NUMBERED_FILES) for batch in rows)
