"""Which files two ledgers judge differently, and why: of two workspaces, or of one by two settings.

A file is the same by repository and path. What only one ledger has is `absent` in the other. Cost: a join of the two,
some seconds for a million files.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from starloom.engine.verbs import Engine
from starloom.outside.paths import printable
from starloom.progress import counted, human
from starloom.the_stack.decide import decided

ABSENT = "absent"

_KEYS = "verdict_a, rule_a, verdict_b, rule_b"
_SIDE = 'repo_name, path, content_id, verdict, rule, "value", "limit", split, language, length_bytes'
_DIFFERENT = "verdict_a <> verdict_b OR rule_a IS DISTINCT FROM rule_b"


@dataclass(frozen=True)
class Difference:
    """Between two ledgers, named as they were asked for."""

    a: str
    b: str
    kept: dict[str, dict[str, int]]  # files and bytes in the dataset of `a`, of `b`; files in that of `both`
    changes: list[dict[str, Any]]  # verdict and rule in a, in b; files, bytes
    languages: list[dict[str, Any]]  # language; files and bytes that come in, that go
    files: list[dict[str, Any]]  # some of them, with value and limit of both
    total: int  # files that are judged differently
    same_verdict_other_split: int  # files that stay, and move between train and held_out
    other_content: int  # files of one name with another content

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


def decided_by(root: Path, engine: Engine, settings: Any) -> pa.Table:
    """The ledger of the workspace `root` by other settings; nothing is written. Raises UserError."""
    return decided(root, engine, settings)


def difference(
    engine: Engine, a: tuple[str, Sequence[Path] | pa.Table], b: tuple[str, Sequence[Path] | pa.Table], limit: int
) -> Difference:
    """From ledger `a` to ledger `b`, each (name, table): `limit` files are named, those whose verdict changed first."""
    given = {"a": a[1], "b": b[1]}
    both = _both()
    stays_a, stays_b = (f"verdict_{side} IN ('kept', 'changed')" for side in "ab")
    (counts,) = engine.table(
        f"""SELECT count(*) FILTER (WHERE {stays_a}) AS files_a,
          CAST(sum(bytes_a) FILTER (WHERE {stays_a}) AS BIGINT) AS bytes_a,
          count(*) FILTER (WHERE {stays_b}) AS files_b,
          CAST(sum(bytes_b) FILTER (WHERE {stays_b}) AS BIGINT) AS bytes_b,
          count(*) FILTER (WHERE {stays_a} AND {stays_b}) AS files_both,
          count(*) FILTER (WHERE {_DIFFERENT}) AS total,
          count(*) FILTER (WHERE verdict_a = verdict_b AND split_a <> split_b) AS splits,
          count(*) FILTER (WHERE content_a <> content_b) AS contents
        FROM ({both})""",
        given,
    ).to_pylist()
    changes = engine.table(
        f"SELECT {_KEYS}, count(*) AS files, CAST(sum(coalesce(bytes_b, bytes_a)) AS BIGINT) AS bytes FROM ({both}) "
        f"WHERE {_DIFFERENT} GROUP BY {_KEYS} ORDER BY files DESC, {_KEYS}",
        given,
    ).to_pylist()
    languages = engine.table(
        f"""SELECT coalesce(language_b, language_a) AS language,
          count(*) FILTER (WHERE {stays_b}) AS files_in,
          CAST(coalesce(sum(bytes_b) FILTER (WHERE {stays_b}), 0) AS BIGINT) AS bytes_in,
          count(*) FILTER (WHERE {stays_a}) AS files_out,
          CAST(coalesce(sum(bytes_a) FILTER (WHERE {stays_a}), 0) AS BIGINT) AS bytes_out
        FROM ({both}) WHERE ({stays_a}) <> ({stays_b})
        GROUP BY ALL ORDER BY files_in + files_out DESC, language""",
        given,
    ).to_pylist()
    files = engine.table(
        f"SELECT repo_name, path, {_KEYS}, value_a, limit_a, value_b, limit_b, coalesce(language_b, language_a) AS "
        f"language, coalesce(bytes_b, bytes_a) AS length_bytes FROM ({both}) WHERE {_DIFFERENT} "
        f"ORDER BY ({stays_a}) = ({stays_b}), verdict_a = verdict_b, repo_name, path LIMIT $count",
        given,
        {"count": limit},
    ).to_pylist()
    kept = {
        "a": {"files": counts["files_a"], "bytes": counts["bytes_a"] or 0},
        "b": {"files": counts["files_b"], "bytes": counts["bytes_b"] or 0},
        "both": {"files": counts["files_both"]},
    }
    return Difference(
        a[0], b[0], kept, changes, languages, files, counts["total"], counts["splits"], counts["contents"]
    )


def _both() -> str:
    """A row for every file of either ledger, with what each says of it."""
    said = ", ".join(
        f'{side}.rule AS rule_{side}, {side}."value" AS value_{side}, {side}."limit" AS limit_{side}, '
        f"{side}.split AS split_{side}, {side}.language AS language_{side}, {side}.length_bytes AS bytes_{side}, "
        f"{side}.content_id AS content_{side}, coalesce({side}.verdict, '{ABSENT}') AS verdict_{side}"
        for side in "ab"
    )
    return f"""SELECT coalesce(a.repo_name, b.repo_name) AS repo_name, coalesce(a.path, b.path) AS path, {said}
      FROM (SELECT {_SIDE} FROM a) a FULL OUTER JOIN (SELECT {_SIDE} FROM b) b
      ON a.repo_name = b.repo_name AND a.path = b.path"""


def words(found: Difference, languages: int = 12) -> str:
    """For a person."""
    in_a, in_b, both = (found.kept[key] for key in ("a", "b", "both"))
    lines = [
        f"A  {found.a}: {counted(in_a['files'], 'files')} in the dataset, {human(in_a['bytes'], 'bytes')}",
        f"B  {found.b}: {counted(in_b['files'], 'files')} in the dataset, {human(in_b['bytes'], 'bytes')}",
        f"   {counted(both['files'], 'files')} in both",
        "",
    ]
    if found.total:
        lines.append(f"{counted(found.total, 'files')} judged differently")
        width = max(len(f"{row['files']:,}") for row in found.changes)
        for row in found.changes:
            before, after = _judged(row["verdict_a"], row["rule_a"]), _judged(row["verdict_b"], row["rule_b"])
            lines.append(f"  {row['files']:>{width},}  {before} → {after}  ({human(row['bytes'] or 0, 'bytes')})")
    else:
        lines.append("no file is judged differently")
    if found.same_verdict_other_split:
        lines.append(f"{counted(found.same_verdict_other_split, 'files')} stay, and move between train and held_out")
    if found.other_content:
        lines.append(f"{counted(found.other_content, 'files')} of one name have another content")
    if found.languages:
        lines += ["", "in the dataset, by language"]
        width = max(len(row["language"] or "none") for row in found.languages[:languages])
        for row in found.languages[:languages]:
            moves = (("+", row["files_in"], row["bytes_in"]), ("-", row["files_out"], row["bytes_out"]))
            said = [f"{sign}{counted(files, 'files')} ({human(size, 'bytes')})" for sign, files, size in moves if files]
            lines.append(f"  {row['language'] or 'none':<{width}}  {'  '.join(said)}")
        if len(found.languages) > languages:
            lines.append(f"  … and {counted(len(found.languages) - languages, 'other languages')}")
    for row in found.files:
        lines += [
            "",
            f"{row['repo_name']}:{row['path']}" if row["path"] else str(row["repo_name"]),
            f"  A  {_judged(row['verdict_a'], row['rule_a'])}{_why(row['value_a'], row['limit_a'])}",
            f"  B  {_judged(row['verdict_b'], row['rule_b'])}{_why(row['value_b'], row['limit_b'])}",
        ]
    if found.total > len(found.files):
        lines += ["", f"… and {counted(found.total - len(found.files), 'more files')}; --limit shows more"]
    return "\n".join(printable(line) for line in lines)


def _judged(verdict: str, rule: str | None) -> str:
    return f"{verdict} by {rule}" if rule else verdict


def _why(value: str | None, limit: str | None) -> str:
    if value is None:
        return f": {limit}" if limit else ""
    return f": {value}" + (f"  (limit: {limit})" if limit else "")
