"""Why is this file in, or not? The ledger's answer, by path, repository, content id or SWHID."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from starloom.engine.verbs import Engine
from starloom.errors import UserError
from starloom.identity import content_swhid, parse_swhid
from starloom.outside.paths import printable
from starloom.the_stack import tables

_COLUMNS = (
    'repo_name, path, content_id, verdict, rule, "value", "limit", twin_repo_name, twin_path, twin_content_id, '
    "jaccard, split, language, license_type, detected_licenses, license_evidence, license_source, license_rule, "
    "license_score, rights, length_bytes, matched_rules, quality_score"
)


@dataclass(frozen=True)
class Explanation:
    """What was asked, the rows that answer it (some of them), and how many there are of each (verdict, rule)."""

    what: str
    files: list[dict[str, Any]]
    counts: list[dict[str, Any]]  # verdict, rule, files
    total: int

    def to_json(self) -> dict[str, Any]:
        files = []
        for row in self.files:
            twin = {key: row[f"twin_{key}"] for key in ("repo_name", "path", "content_id")}
            rest = {key: value for key, value in row.items() if not key.startswith("twin_")}
            files.append(rest | {"twin": twin if twin["path"] else None})
        return {"files": files, "total": self.total, "counts": self.counts}


def explain(root: Path, engine: Engine, what: str, limit: int) -> Explanation:
    """The ledger's rows for `what`. Raises UserError when nothing is listed under that name."""
    ledger = tables.ledger(root)
    for condition, parameters in _readings(what):
        sql = f"FROM ledger WHERE {condition}"
        counts = engine.table(
            f"SELECT verdict, rule, count(*) AS files {sql} GROUP BY verdict, rule ORDER BY files DESC, verdict, rule",
            {"ledger": ledger},
            parameters,
        ).to_pylist()
        if counts:
            rows = engine.table(
                f"SELECT {_COLUMNS} {sql} ORDER BY repo_name, path LIMIT $rows",
                {"ledger": ledger},
                parameters | {"rows": limit},
            )
            return Explanation(what, rows.to_pylist(), counts, sum(row["files"] for row in counts))
    for problem in repository_problems(root):
        if what in (problem["location"], Path(problem["location"]).name):
            raise UserError(f"{problem['location']} was not read: {problem['reason']}", problem["hint"])
    raise UserError(
        f"nothing is listed as `{what}`",
        "give a path or its end, a repository, a content id or a SWHID; `starloom status` names what was not read",
    )


def _readings(what: str) -> list[tuple[str, dict[str, Any]]]:
    """What the words may mean, the most exact first."""
    swhid = parse_swhid(what)
    if swhid is not None:
        if swhid[0] != "cnt":
            raise UserError(f"{what} is no content", "give a `swh:1:cnt:…`, a path or a repository")
        return [("content_id = $what", {"what": swhid[1]})]
    found: list[tuple[str, dict[str, Any]]] = []
    if len(what) == 40 and set(what.lower()) <= set("0123456789abcdef"):
        found.append(("content_id = $what", {"what": what.lower()}))
    repo, _, path = what.partition(":")
    if path:
        found.append(("repo_name = $repo AND path = $path", {"repo": repo, "path": path}))
    plain = what.removeprefix("./").rstrip("/")
    found += [
        ("repo_name = $what", {"what": plain}),
        ("path = $what", {"what": plain}),
        ("repo_name || '/' || path = $what", {"what": plain}),
        ("ends_with(path, '/' || $what)", {"what": plain}),
        ("starts_with(path, $what || '/') OR contains(path, '/' || $what || '/')", {"what": plain}),
        ("repo_name = split_part($what, '/', -1) OR ends_with(repo_name, '/' || $what)", {"what": plain}),
    ]
    return found


def repository_problems(root: Path) -> list[dict[str, Any]]:
    """location, reason, hint of each repository that was not read or left out; none before the first listing."""
    try:
        paths = tables.problems(root)
    except UserError:
        return []
    found: list[dict[str, Any]] = pq.read_table(paths[0]).to_pylist()
    return found


def words(found: Explanation) -> str:
    """The answer for a person: each file, its verdict, the rule with value and limit, the twin, the licence."""
    lines = []
    for row in found.files:
        lines.append(printable(f"{row['repo_name']}:{row['path']}" if row["path"] else str(row["repo_name"])))
        lines += [f"  {printable(line)}" for line in _verdict(row)]
        lines.append("")
    if found.total > len(found.files):
        lines.append(f"… and {found.total - len(found.files):,} more files; --limit shows more")
    if found.total > 1:
        width = max(len(f"{row['files']:,}") for row in found.counts)
        for row in found.counts:
            rule = f" by {row['rule']}" if row["rule"] else ""
            lines.append(f"{row['files']:>{width},} {row['verdict']}{rule}")
    return "\n".join(lines).rstrip()


def _verdict(row: dict[str, Any]) -> list[str]:
    verdict = row["verdict"].upper() + (f" by rule {row['rule']}" if row["rule"] else "")
    if row["rule"] == "exact-duplicate":
        verdict += ": another copy of the same content is kept"
    elif row["value"] is not None:
        verdict += f": {row['value']}" + (f"  (limit: {row['limit']})" if row["limit"] else "")
    elif row["limit"]:
        verdict += f": {row['limit']}"
    lines = [verdict]
    if others := [rule for rule in row["matched_rules"] if rule != row["rule"]]:
        lines.append(f"also      {', '.join(others)}")
    if row["rule"] in ("repository", "unreadable"):
        lines.append("the next `starloom build` tries again")
    elif row["rule"] in ("unlisted", "unread"):
        lines.append("mended?   `starloom clean list read`, then `starloom build`, asks for it again")
    if row["twin_path"]:
        lines.append(f"twin      {row['twin_repo_name']}:{row['twin_path']}  (Jaccard {row['jaccard']:.2f})")
    if row["split"]:
        lines.append(f"split     {row['split']}")
    if row["language"]:
        lines.append(f"language  {row['language']}")
    if row["license_type"]:
        licenses = ", ".join(row["detected_licenses"] or []) or "none found"
        lines.append(f"licence   {row['license_type']}: {licenses}  (by {row['license_evidence']})")
        if row["license_source"]:
            score = f", score {row['license_score']:.0f}" if (row["license_score"] or 100) < 100 else ""
            rule = f"  ({row['license_rule']}{score})" if row["license_rule"] else ""
            lines.append(f"          see {row['license_source']}{rule}")
    if row["rights"] == "owned":
        lines.append("rights    owned: never dropped for its licence, not to be published")
    if row["content_id"]:
        lines.append(f"content   {content_swhid(row['content_id'])}")
    return lines


def telling_file(root: Path, engine: Engine) -> str | None:
    """REPOSITORY:PATH of a file that shows what the ledger can say: a near-duplicate, else another dropped file, else
    any; None when nothing is listed. The same for the same ledger."""
    found = engine.table(
        "SELECT repo_name || ':' || path AS name FROM ledger WHERE path <> '' "
        "ORDER BY coalesce(rule, '') <> 'near-duplicate', "
        "verdict <> 'dropped', coalesce(jaccard, 1.0) >= 1.0, jaccard DESC, repo_name, path LIMIT 1",
        {"ledger": tables.ledger(root)},
    ).column(0)
    return str(found[0]) if len(found) else None
