"""What an opt-out is about, in tables that may still hold it; and what stands in the dataset in its place.

The names of repositories are asked one by one, with every name they are known to have had; files and contents are
joined. Cost: the distinct repository names of a table, and a query over its narrow columns.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from starloom.engine.verbs import Engine, Table
from starloom.errors import UserError
from starloom.the_stack import opt_out_log, opt_outs, tables
from starloom.the_stack.opt_outs import OptOuts
from starloom.workspace.manifest import read_manifest

_REPOSITORIES = pa.schema([("repo_name", pa.string()), ("entry", pa.string())])

# Of the rows of `held` (repo_name, path, content_id), those that are opted out, with the entry that says so.
OPTED = """(SELECT h.*, coalesce(oc.entry, op.entry, og.entry) AS entry FROM held h
  LEFT JOIN opted_contents oc ON h.content_id = oc.content_id
  LEFT JOIN opted_files op ON lower(h.repo_name) = op.repo_key AND h.path = op.path
  LEFT JOIN opted_repositories og ON h.repo_name = og.repo_name
  WHERE coalesce(oc.entry, op.entry, og.entry) IS NOT NULL)"""

# Contents of the dataset that are near-duplicates of opted-out ones, each with the most alike of those.
_TWINS = """
WITH streams_of AS (
  SELECT o.content_id, o.entry, coalesce(s.stream_id, o.content_id) AS stream_id
  FROM opted_contents o LEFT JOIN streams s ON o.content_id = s.content_id),
near AS (
  SELECT o.content_id AS opted, o.entry, p.right AS stream_id, p.jaccard
    FROM streams_of o JOIN pairs p ON o.stream_id = p.left
  UNION ALL SELECT o.content_id, o.entry, p.left, p.jaccard FROM streams_of o JOIN pairs p ON o.stream_id = p.right
  UNION ALL SELECT content_id, entry, stream_id, 1.0 FROM streams_of),
alike AS (
  SELECT n.opted, n.entry, n.jaccard, coalesce(s.content_id, n.stream_id) AS content_id
    FROM near n LEFT JOIN streams s ON n.stream_id = s.stream_id
  UNION SELECT opted, entry, jaccard, stream_id FROM near)
SELECT l.repo_name, l.path, l.content_id, a.opted, a.entry, a.jaccard
FROM ledger l JOIN alike a ON l.content_id = a.content_id
WHERE l.split IS NOT NULL AND l.content_id NOT IN (SELECT content_id FROM opted_contents)
QUALIFY row_number() OVER (PARTITION BY l.repo_name, l.path ORDER BY a.jaccard DESC NULLS LAST, a.opted) = 1
ORDER BY a.jaccard DESC NULLS LAST, l.repo_name, l.path
"""


@dataclass(frozen=True)
class Twin:
    """A file of the dataset that is a near-duplicate of an opted-out content."""

    repo_name: str
    path: str
    content_id: str
    opted: str  # the content that is opted out
    entry: str
    jaccard: float | None  # None: not verified


def names_of(root: Path) -> dict[str, tuple[str, ...]]:
    """By repository, the names that it is known to have had, as far as it is listed now."""
    try:
        rows = pq.read_table(tables.repositories(root)[0], columns=["repo_name", "former_names"]).to_pylist()
    except UserError:  # nothing is listed
        return {}
    return {row["repo_name"]: tuple(row["former_names"]) for row in rows if row["former_names"]}


def repositories(root: Path) -> list[str]:
    """Every repository that is listed, or was refused by its name. Raises UserError where nothing is listed."""
    listed: list[str] = pq.read_table(tables.repositories(root)[0], columns=["repo_name"]).column(0).to_pylist()
    refused = pq.read_table(tables.problems(root)[0], columns=["repo_name"]).column(0).drop_null().to_pylist()
    return [*listed, *refused]


class Called:
    """What repositories and owners are called here, folded: as they are listed or were refused, as they were called
    before, and as the log has them. Read when the first is asked for."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __contains__(self, name: object) -> bool:
        return name in self._names

    @cached_property
    def _names(self) -> set[str]:
        names = {*opt_outs.of_entries(opt_out_log.read(self._root).active).names}
        if read_manifest(self._root / tables.LISTING) is not None:
            former = [name for some in names_of(self._root).values() for name in some]
            names.update(opt_outs.called([*repositories(self._root), *former]))
        return {one for one in names if one and ":/" not in f"{one}/"}  # of an address, its name is another of them


def contents_at(root: Path, engine: Engine, subject: str) -> tuple[str, ...]:
    """The contents that are listed as `subject`, REPOSITORY:PATH. Raises UserError where nothing is listed."""
    wishes = opt_outs.of_entries([opt_out_log.Entry(0, "", "add", subject, "file", "")])
    rows = engine.table(
        """SELECT DISTINCT f.content_id FROM files f JOIN opted_files o ON lower(f.repo_name) = o.repo_key
        AND f.path = o.path WHERE f.content_id <> '' ORDER BY f.content_id""",
        {"files": tables.listed_files(root), "opted_files": wishes.files_table()},
    )
    return tuple(rows.column(0).to_pylist())


def opted_tables(
    root: Path, wishes: OptOuts, repositories: Iterable[str], former: Mapping[str, Sequence[str]] | None = None
) -> dict[str, pa.Table]:
    """What the query OPTED joins; `repositories`: the names that stand in `held`."""
    known = names_of(root) if former is None else former
    rows = []
    for name in sorted(set(repositories)):
        if entry := wishes.covering((name, *known.get(name, ()))):
            rows.append({"repo_name": name, "entry": entry})
    return {
        "opted_contents": wishes.contents_table(),
        "opted_files": wishes.files_table(),
        "opted_repositories": pa.Table.from_pylist(rows, _REPOSITORIES),
    }


def distinct_names(engine: Engine, held: Table) -> list[str]:
    """The repositories that stand in a table."""
    if not held:
        return []
    found: list[str] = engine.table("SELECT DISTINCT repo_name FROM held", {"held": held}).column(0).to_pylist()
    return found


def in_dataset(root: Path, engine: Engine, wishes: OptOuts, limit: int) -> tuple[list[dict[str, Any]], int]:
    """(the first `limit` places in the dataset, by the ledger, with `entry`; how many there are)."""
    ledger = tables.ledger(root)
    given = opted_tables(root, wishes, distinct_names(engine, ledger)) | {"ledger": ledger}
    sql = OPTED.replace("FROM held h", "FROM (SELECT * FROM ledger WHERE split IS NOT NULL) h")
    rows = engine.table(
        f"SELECT repo_name, path, content_id, entry, count(*) OVER () AS total FROM {sql} "
        "ORDER BY repo_name, path LIMIT $rows",
        given,
        {"rows": limit},
    ).to_pylist()
    return [{name: row[name] for name in row if name != "total"} for row in rows], rows[0]["total"] if rows else 0


def elsewhere(root: Path, engine: Engine, wishes: OptOuts, limit: int) -> tuple[list[dict[str, Any]], int]:
    """Files of other repositories with contents of opted-out ones: those stay. (The first places, those of the dataset
    before others; how many there are.) What an opted-out repository held is known from the listing while it is in it,
    then from the cache: from which repository a content was read."""
    listed, contents = tables.listed_files(root), tables.contents(root) or tables.CONTENTS.empty_table()
    homes = engine.table(
        "SELECT repo_name FROM files UNION SELECT home FROM contents", {"files": listed, "contents": contents}
    )
    given = opted_tables(root, wishes, homes.column(0).to_pylist())
    rows = engine.table(
        """WITH own AS (
          SELECT content_id FROM files f JOIN opted_repositories o ON f.repo_name = o.repo_name
          UNION SELECT content_id FROM contents c JOIN opted_repositories o ON c.home = o.repo_name)
        SELECT f.repo_name, f.path, f.content_id, coalesce(l.split IS NOT NULL, false) AS in_dataset,
          count(*) OVER () AS total
        FROM files f LEFT JOIN ledger l ON f.repo_name = l.repo_name AND f.path = l.path
        WHERE f.content_id IN (SELECT content_id FROM own)
          AND f.repo_name NOT IN (SELECT repo_name FROM opted_repositories)
        ORDER BY in_dataset DESC, f.repo_name, f.path LIMIT $rows""",
        given | {"files": listed, "contents": contents, "ledger": tables.ledger(root)},
        {"rows": limit},
    ).to_pylist()
    return [{name: row[name] for name in row if name != "total"} for row in rows], rows[0]["total"] if rows else 0


def twins(root: Path, engine: Engine, wishes: OptOuts) -> list[Twin]:
    """Near-duplicates of opted-out contents in the dataset, the most alike first: by the pairs that were found when
    those contents were still measured (not after `pair` has run upon a purge)."""
    contents = dict(wishes.contents)
    contents |= _gone_with_repositories(root, engine, wishes)
    if not contents:
        return []
    rows = engine.table(
        _TWINS,
        {
            "opted_contents": OptOuts(contents=contents).contents_table(),
            "pairs": tables.pairs(root),
            "streams": tables.streams(root),
            "ledger": tables.ledger(root),
        },
    ).to_pylist()
    return [Twin(**row) for row in rows]


def _gone_with_repositories(root: Path, engine: Engine, wishes: OptOuts) -> dict[str, str]:
    """Contents in the cache that were read from opted-out repositories, and stand in no other → the entry."""
    if not wishes.names:
        return {}
    contents = tables.contents(root)
    given = opted_tables(root, wishes, _homes(engine, contents)) | {"contents": contents} if contents else {}
    if not given:
        return {}
    rows = engine.table(
        """SELECT c.content_id, any_value(o.entry) AS entry FROM contents c
        JOIN opted_repositories o ON c.home = o.repo_name
        WHERE c.content_id NOT IN (SELECT content_id FROM ledger WHERE split IS NOT NULL)
        GROUP BY c.content_id""",
        given | {"ledger": tables.ledger(root)},
    )
    return dict(zip(rows.column(0).to_pylist(), rows.column(1).to_pylist(), strict=True))


def _homes(engine: Engine, contents: Sequence[Path]) -> list[str]:
    found = engine.table("SELECT DISTINCT home FROM contents", {"contents": contents})
    names: list[str] = found.column(0).to_pylist()
    return names


def one_entry(root: Path, plain: str, number: int | None) -> OptOuts:
    """All opt-outs of the workspace, or those of one entry of the log. Raises UserError."""
    if number is None:
        return opt_outs.of(root, plain)
    return opt_outs.of_entries([opt_out_log.read(root).entry(number)])
