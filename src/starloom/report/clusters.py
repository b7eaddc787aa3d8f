"""The largest groups of duplicates: who stays, who went for it, and how alike they are."""

from dataclasses import dataclass
from pathlib import Path

from starloom.engine.verbs import Engine
from starloom.the_stack import tables


@dataclass(frozen=True)
class Member:
    """A file that went; `jaccard`: its similarity to the one that stays, None where it was not verified."""

    repo_name: str
    path: str
    jaccard: float | None


@dataclass(frozen=True)
class Cluster:
    """The file that stands for the others (later rules may still have dropped it) and some of them, by path."""

    repo_name: str
    path: str
    keeper_stays: bool
    files: int  # that went
    bytes: int
    repositories: int  # that those are in
    members: tuple[Member, ...]


_CLUSTERS = """
WITH gone AS (
  SELECT twin_repo_name, twin_path, repo_name, path, length_bytes, jaccard,
    row_number() OVER (PARTITION BY twin_repo_name, twin_path ORDER BY jaccard NULLS LAST, repo_name, path) AS place
  FROM ledger WHERE rule = $rule),
largest AS (
  SELECT twin_repo_name, twin_path, count(*) AS files, CAST(sum(length_bytes) AS BIGINT) AS bytes,
    count(DISTINCT repo_name) AS repositories,
    list(struct_pack(repo_name := repo_name, path := path, jaccard := jaccard) ORDER BY place)
      FILTER (place <= $members) AS members
  FROM gone GROUP BY twin_repo_name, twin_path
  ORDER BY files DESC, bytes DESC, twin_repo_name, twin_path LIMIT $rows)
SELECT g.twin_repo_name AS repo_name, g.twin_path AS path, k.split IS NOT NULL AS keeper_stays, g.files, g.bytes,
  g.repositories, g.members
FROM largest g LEFT JOIN ledger k ON g.twin_repo_name = k.repo_name AND g.twin_path = k.path
ORDER BY g.files DESC, g.bytes DESC, g.twin_repo_name, g.twin_path
"""


def clusters(root: Path, engine: Engine, rule: str, limit: int = 10, members: int = 4) -> list[Cluster]:
    """The largest clusters of `rule` (exact-duplicate, near-duplicate); of near ones the least alike members."""
    rows = engine.table(
        _CLUSTERS, {"ledger": tables.ledger(root)}, {"rule": rule, "rows": limit, "members": members}
    ).to_pylist()
    return [Cluster(**row | {"members": tuple(Member(**one) for one in row["members"])}) for row in rows]
