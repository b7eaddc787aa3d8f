"""Samples of what each rule dropped: drawn by a keyed hash, so the same ledger gives the same ones.

Cost: one pass over the dropped rows, in batches; then the ids of the cached contents, and the row groups that hold a
sample, one at a time.
"""

import heapq
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from starloom.engine.verbs import Engine
from starloom.kernels.random import keyed_uint64s
from starloom.privacy.redact import excerpt
from starloom.the_stack import tables

SEED, PURPOSE = 0, "report samples"


@dataclass(frozen=True)
class Sample:
    """One dropped file. `excerpt` is None where its content was never read."""

    repo_name: str
    path: str
    value: str | None
    limit: str | None
    length_bytes: int | None
    language: str | None
    license_type: str | None
    detected_licenses: tuple[str, ...]
    license_source: str | None
    twin_repo_name: str | None
    twin_path: str | None
    excerpt: str | None


_COLUMNS = (
    'repo_name, path, content_id, "value", "limit", length_bytes, language, license_type, detected_licenses, '
    "license_source, twin_repo_name, twin_path"
)


def samples(root: Path, engine: Engine, per_rule: int = 3) -> dict[str, list[Sample]]:
    """Up to `per_rule` files of each rule that dropped any, those of the least keyed hash of repository and path."""
    drawn = _draw(root, engine, per_rule)
    rows = engine.table(
        f"SELECT l.rule, {', '.join('l.' + name.strip() for name in _COLUMNS.split(','))} FROM ledger l "
        "JOIN drawn d ON l.repo_name = d.repo_name AND l.path = d.path ORDER BY d.place",
        {"ledger": tables.ledger(root), "drawn": drawn},
    ).to_pylist()
    texts = _contents(root, {row["content_id"] for row in rows if row["content_id"]})
    found: dict[str, list[Sample]] = {}
    for row in rows:
        text = texts.get(row.pop("content_id"))
        licenses = tuple(row.pop("detected_licenses") or ())
        shown = excerpt(text) if text is not None else None
        found.setdefault(row.pop("rule"), []).append(Sample(**row, detected_licenses=licenses, excerpt=shown))
    return found


def _draw(root: Path, engine: Engine, per_rule: int) -> pa.Table:
    """repo_name, path, place of the samples; nothing of what is in quarantine."""
    least: dict[str, list[tuple[int, str, str]]] = {}
    sql = "SELECT rule, repo_name, path FROM ledger WHERE verdict = 'dropped' AND path <> ''"
    with engine.query(sql, {"ledger": tables.ledger(root)}) as batches:
        for batch in batches:
            rules, repos, paths = (column.to_pylist() for column in batch.columns)
            keys = keyed_uint64s(SEED, PURPOSE, (f"{repo}\0{path}" for repo, path in zip(repos, paths, strict=True)))
            by_rule: dict[str, list[tuple[int, str, str]]] = {}
            for rule, key, repo, path in zip(rules, keys.tolist(), repos, paths, strict=True):
                by_rule.setdefault(rule, []).append((key, repo, path))
            for rule, rows in by_rule.items():
                least[rule] = heapq.nsmallest(per_rule, least.get(rule, []) + rows)
    drawn = [(repo, path) for rule in sorted(least) for _, repo, path in least[rule]]
    return pa.table(
        {
            "repo_name": pa.array([repo for repo, _ in drawn], pa.string()),
            "path": pa.array([path for _, path in drawn], pa.string()),
            "place": pa.array(range(len(drawn)), pa.int64()),
        }
    )


def _contents(root: Path, wanted: Collection[str]) -> dict[str, str]:
    """The texts of the contents `wanted` that are in the cache, reading only the row groups that hold one."""
    missing = set(wanted)
    found: dict[str, str] = {}
    for path in tables.contents(root):
        if not missing:
            break
        with pq.ParquetFile(path) as file:
            for group in range(file.metadata.num_row_groups):
                ids = file.read_row_group(group, columns=["content_id"]).column(0).to_pylist()
                places = [place for place, one in enumerate(ids) if one in missing]
                if places:
                    column = file.read_row_group(group, columns=["content"]).column(0)
                    found |= {ids[place]: column[place].as_py() for place in places}
                    missing -= {ids[place] for place in places}
    return found
