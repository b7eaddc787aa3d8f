"""Where copies come from: how large the groups of duplicates are, in which repositories the copies stand and in which
the file that stays. Cost: some queries over the ledger, and none that compares repositories with each other."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from starloom.dedup.components import connected_components
from starloom.engine.verbs import Engine, Table
from starloom.the_stack import tables
from starloom.the_stack.relations import FORK, MIRROR, VENDORED

# Kinds of places, the first that holds: a fork's vendored folder is told by the fork.
WITHIN, ELSEWHERE = "within", "elsewhere"
KINDS = (WITHIN, MIRROR, FORK, VENDORED, ELSEWHERE)


@dataclass(frozen=True)
class Size:
    """Groups of `least` to `most` files, the one that stays for them counted."""

    least: int
    most: int
    groups: int
    files: int  # that went
    bytes: int


@dataclass(frozen=True)
class Place:
    """Files that went, by how their repository and that of the file kept for them are related. `kind`: one of KINDS."""

    kind: str
    files: int
    bytes: int


@dataclass(frozen=True)
class Flow:
    """Files of `repo_name` that went for files of `twin_repo_name`; `vendored` of them stand in a folder of somebody
    else's code. `kind`: of the two repositories, WITHIN, MIRROR, FORK or ELSEWHERE."""

    repo_name: str
    twin_repo_name: str
    kind: str
    files: int
    vendored: int
    bytes: int


@dataclass(frozen=True)
class Relation:
    """A repository, or a folder of it, whose contents stand in another one: `path` and `origin_path` are empty where it
    is the whole of it. `kind`: MIRROR, FORK or VENDORED; `share`: of the contents that count."""

    repo_name: str
    path: str
    kind: str
    origin_repo_name: str
    origin_path: str
    share: float
    files: int


def sizes(root: Path, engine: Engine, rule: str) -> list[Size]:
    """The groups of `rule` (exact-duplicate, near-duplicate) by size: 2, 3 to 4, 5 to 8, … up to the largest."""
    rows = engine.table(
        """SELECT files, count(*) AS groups, CAST(sum(bytes) AS BIGINT) AS bytes FROM (
          SELECT count(*) AS files, coalesce(sum(length_bytes), 0) AS bytes FROM ledger WHERE rule = $rule
          GROUP BY twin_repo_name, twin_path)
        GROUP BY files ORDER BY files""",
        {"ledger": tables.ledger(root)},
        {"rule": rule},
    ).to_pylist()
    found: list[Size] = []
    for row in rows:
        step = row["files"].bit_length()  # 1, 2 to 3, 4 to 7, … beside the one that stays
        while len(found) < step:
            found.append(Size((1 << len(found)) + 1, 2 << len(found), 0, 0, 0))
        one = found[-1]
        found[-1] = Size(
            one.least,
            one.most,
            one.groups + row["groups"],
            one.files + row["files"] * row["groups"],
            one.bytes + row["bytes"],
        )
    return found


# Of each file that went: how the two repositories are related, and whether it stands in a folder of foreign code.
_GONE = f"""
WITH folders AS (SELECT repo_name, path FROM relations WHERE kind = '{VENDORED}'),
gone AS (
  SELECT repo_name, path, twin_repo_name, is_vendor, coalesce(length_bytes, 0) AS length_bytes FROM ledger
  WHERE rule = $rule),
copied AS (
  SELECT DISTINCT g.repo_name, g.path FROM gone g
  JOIN folders f ON g.repo_name = f.repo_name AND starts_with(g.path, f.path || '/')),
placed AS (
  SELECT g.repo_name, g.twin_repo_name, g.length_bytes, g.is_vendor OR c.path IS NOT NULL AS vendored,
    CASE WHEN g.repo_name = g.twin_repo_name THEN '{WITHIN}'
      WHEN a.family = b.family AND (a.is_fork OR b.is_fork) THEN '{FORK}'
      WHEN a.family = b.family THEN '{MIRROR}'
      ELSE '{ELSEWHERE}' END AS kind
  FROM gone g LEFT JOIN families a ON g.repo_name = a.repo_name
  LEFT JOIN families b ON g.twin_repo_name = b.repo_name
  LEFT JOIN copied c ON g.repo_name = c.repo_name AND g.path = c.path)
"""


def places(root: Path, engine: Engine, rule: str) -> list[Place]:
    """Where the files that went by `rule` stand, by KINDS; those without a file are left out."""
    rows = engine.table(
        f"""{_GONE} SELECT CASE WHEN kind = '{ELSEWHERE}' AND vendored THEN '{VENDORED}' ELSE kind END AS kind,
          count(*) AS files, CAST(sum(length_bytes) AS BIGINT) AS bytes FROM placed GROUP BY ALL""",
        _given(root, engine),
        {"rule": rule},
    ).to_pylist()
    return sorted((Place(**row) for row in rows), key=lambda one: KINDS.index(one.kind))


def flows(root: Path, engine: Engine, rule: str, limit: int = 12) -> tuple[list[Flow], int]:
    """The pairs of repositories with the most files that went from one for the other, and how many pairs there are."""
    each = f"""{_GONE}, flows AS (
      SELECT repo_name, twin_repo_name, kind, count(*) AS files, count(*) FILTER (vendored) AS vendored,
        CAST(sum(length_bytes) AS BIGINT) AS bytes
      FROM placed GROUP BY repo_name, twin_repo_name, kind)"""
    rows = engine.table(
        f"{each} SELECT *, count(*) OVER () AS pairs FROM flows "
        "ORDER BY files DESC, bytes DESC, repo_name, twin_repo_name LIMIT $rows",
        _given(root, engine),
        {"rule": rule, "rows": limit},
    ).to_pylist()
    total = rows[0]["pairs"] if rows else 0
    return [Flow(**{key: value for key, value in row.items() if key != "pairs"}) for row in rows], total


def relations(root: Path, engine: Engine, limit: int = 12) -> tuple[list[Relation], int]:
    """The mirrors, forks and vendored folders of the most files, and how many there are."""
    rows = engine.table(
        """SELECT *, count(*) OVER () AS total FROM relations
        ORDER BY files DESC, repo_name, path, origin_repo_name, origin_path LIMIT $rows""",
        {"relations": tables.relations(root)},
        {"rows": limit},
    ).to_pylist()
    total = rows[0].get("total", 0) if rows else 0
    return [Relation(**{key: value for key, value in row.items() if key != "total"}) for row in rows], total


def unverified(root: Path, engine: Engine, rule: str) -> int:
    """Files that went though their similarity to the one that stays is not known."""
    (row,) = engine.table(
        "SELECT count(*) AS files FROM ledger WHERE rule = $rule AND jaccard IS NULL",
        {"ledger": tables.ledger(root)},
        {"rule": rule},
    ).to_pylist()
    return int(row["files"])


def _given(root: Path, engine: Engine) -> dict[str, Table]:
    relations = tables.relations(root)
    return {"ledger": tables.ledger(root), "relations": relations, "families": _families(engine, relations)}


def _families(engine: Engine, relations: Table) -> pa.Table:
    """repo_name, family, is_fork of every repository that is a mirror or a fork, or has one. Whatever such relations
    link, be it through others, is one family; an origin is no fork."""
    kin = engine.table(
        f"SELECT repo_name, origin_repo_name, kind FROM relations WHERE kind IN ('{MIRROR}', '{FORK}')",
        {"relations": relations},
    )
    copied, origin, kind = (column.to_pylist() for column in kin.columns)
    names = sorted({*copied, *origin})
    place = {name: number for number, name in enumerate(names)}
    of, at = ([place[name] for name in column] for column in (copied, origin))
    forks = {name for name, one in zip(copied, kind, strict=True) if one == FORK}
    return pa.table(
        {
            "repo_name": pa.array(names, pa.string()),
            "family": pa.array(connected_components(len(names), of, at, range(len(names)))),
            "is_fork": pa.array([name in forks for name in names], pa.bool_()),
        }
    )
