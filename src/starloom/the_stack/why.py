"""Why is this file in, or not? The ledger's answer, by path, repository, content id or SWHID.

For a near-duplicate also how it differs from the file that is kept for it. Cost: some queries over the ledger; for
differences the ids of the content cache and two texts a file.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from starloom.dedup.signature import MinHashSettings, Tokenisation
from starloom.engine.verbs import Engine
from starloom.errors import UserError
from starloom.identity import content_swhid, parse_swhid
from starloom.outside.paths import printable
from starloom.progress import counted
from starloom.the_stack import relations, tables
from starloom.the_stack.texts import cached_texts
from starloom.the_stack.why_diff import MOST_LINES, Difference, difference, jaccard
from starloom.workspace.stage import opened

DIFF_LINES = 20  # of a near-duplicate, unless told otherwise
_FEW = 3  # so many near-duplicates are shown with a diff without being asked
_AT_ONCE = 64  # pairs of texts in memory

_COLUMNS = (
    'repo_name, path, content_id, verdict, rule, "value", "limit", twin_repo_name, twin_path, twin_content_id, '
    "jaccard, split, language, license_type, detected_licenses, license_evidence, license_source, license_rule, "
    "license_score, rights, length_bytes, matched_rules, quality_score"
)


class NothingListedError(UserError):
    """The ledger has nothing by that name."""


@dataclass(frozen=True)
class Explanation:
    """What was asked, the rows that answer it (some of them), and how many there are of each (verdict, rule).

    Beside the ledger's columns a row has `stands_for` (how many others went for it, by rule) and of a near-duplicate
    `diff` (None where it was not asked for or its text is not in the cache) and `jaccard_now` (counted now, where the
    build did not verify the pair and a diff was asked for)."""

    what: str
    files: list[dict[str, Any]]
    counts: list[dict[str, Any]]  # verdict, rule, files
    total: int
    repositories: dict[str, Any]  # those asked for by name: what they are copies of, and who of them (relations)
    diff_lines: int | None  # of each diff; 0: none was wanted; None: there are too many to show them unasked

    def to_json(self) -> dict[str, Any]:
        files = []
        for row in self.files:
            twin = {key: row[f"twin_{key}"] for key in ("repo_name", "path", "content_id")}
            rest = {key: value for key, value in row.items() if not key.startswith("twin_")}
            diff = asdict(row["diff"]) if row["diff"] else None
            files.append(rest | {"twin": twin if twin["path"] else None, "diff": diff})
        return {"files": files, "total": self.total, "counts": self.counts, "repositories": self.repositories}


def explain(
    root: Path, engine: Engine, what: str | tuple[str, str], limit: int, diff: int | None = None, raw: bool = False
) -> Explanation:
    """The ledger's rows for `what`, words or (repository, path), at most `limit`; `diff`: lines of the diff of each
    near-duplicate, 0: none, None: 20 where there are few; `raw`: with what is private in them. Raises
    NothingListedError, UserError."""
    ledger = tables.ledger(root)
    if isinstance(what, tuple):
        readings = [("repo_name = $repo AND path = $path", {"repo": what[0], "path": what[1]})]
        what = f"{what[0]}:{what[1]}"
    else:
        readings = _readings(what)
    for condition, parameters in readings:
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
            ).to_pylist()
            _count_followers(root, engine, rows)
            near = sum(row["rule"] == tables.NEAR_DUPLICATE for row in rows)
            most = diff if diff is not None else DIFF_LINES if near <= _FEW else None
            _compare(root, rows, most or 0, raw)
            kin = {}
            if condition in _REPOSITORIES:
                names = engine.table(f"SELECT DISTINCT repo_name {sql} ORDER BY ALL", {"ledger": ledger}, parameters)
                kin = {
                    name: relations.of_repository(root, engine, name) for name in names.column(0).to_pylist()[:limit]
                }
            return Explanation(what, rows, counts, sum(row["files"] for row in counts), kin, most)
    for problem in repository_problems(root):
        if what in (problem["location"], Path(problem["location"]).name):
            raise NothingListedError(f"{problem['location']} was not read: {problem['reason']}", problem["hint"])
    raise NothingListedError(
        f"nothing is listed as `{what}`",
        "give a path or its end, a repository, a content id or a SWHID; `starloom status` names what was not read",
    )


def _count_followers(root: Path, engine: Engine, rows: Sequence[dict[str, Any]]) -> None:
    """Gives each row `stands_for`."""
    asked = pa.Table.from_pylist(
        [{"repo_name": row["repo_name"], "path": row["path"]} for row in rows],
        pa.schema([("repo_name", pa.string()), ("path", pa.string())]),
    )
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row in engine.table(
        "SELECT a.repo_name, a.path, l.rule, count(*) AS files FROM ledger l "
        "JOIN asked a ON l.twin_repo_name = a.repo_name AND l.twin_path = a.path GROUP BY ALL ORDER BY ALL",
        {"ledger": tables.ledger(root), "asked": asked},
    ).to_pylist():
        found.setdefault((row["repo_name"], row["path"]), {})[row["rule"]] = row["files"]
    for row in rows:
        row["stands_for"] = found.get((row["repo_name"], row["path"]), {})


def _compare(root: Path, rows: Sequence[dict[str, Any]], most: int, raw: bool) -> None:
    """Gives each row `diff` and `jaccard_now`, both None but of near-duplicates."""
    for row in rows:
        row["diff"] = row["jaccard_now"] = None
    near = [row for row in rows if most and row["rule"] == tables.NEAR_DUPLICATE]
    for start in range(0, len(near), _AT_ONCE):
        some = near[start : start + _AT_ONCE]
        wanted = {row[name] for row in some for name in ("twin_content_id", "content_id")}
        texts = dict(cached_texts(root, wanted))
        for row in some:
            twin, file = texts.get(row["twin_content_id"]), texts.get(row["content_id"])
            if twin is not None and file is not None:
                row["diff"] = difference(twin, file, most, raw)
                if row["jaccard"] is None:
                    row["jaccard_now"] = jaccard(twin, file, _tokenisation(root))


def _tokenisation(root: Path) -> Tokenisation:
    """Of the pairs: what Jaccard is about."""
    minhash = opened(root / tables.PAIRS, "pair").settings.get("minhash", {})
    found: Tokenisation = minhash.get("tokenisation", MinHashSettings.tokenisation)
    return found


_REPOSITORIES = ("repo_name = $what", "repo_name = split_part($what, '/', -1) OR ends_with(repo_name, '/' || $what)")


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
    if ":" in what:  # both names may have colons too
        found.append(("repo_name || ':' || path = $what AND path <> ''", {"what": what}))
    plain = what.removeprefix("./").rstrip("/")
    found += [
        (_REPOSITORIES[0], {"what": plain}),
        ("path = $what", {"what": plain}),
        ("repo_name || '/' || path = $what", {"what": plain}),
        ("ends_with(path, '/' || $what)", {"what": plain}),
        ("starts_with(path, $what || '/') OR contains(path, '/' || $what || '/')", {"what": plain}),
        (_REPOSITORIES[1], {"what": plain}),
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
    """The answer for a person: each file, its verdict, the rule with value and limit, the twin and how the file differs
    from it, the licence."""
    lines = []
    for name, kin in found.repositories.items():
        if said := relations.lines(kin):
            lines += [printable(name), *(f"  {line}" for line in said), ""]
    for row in found.files:
        lines.append(printable(f"{row['repo_name']}:{row['path']}" if row["path"] else str(row["repo_name"])))
        lines += [f"  {printable(line)}" for line in _verdict(row, bool(found.diff_lines))]
        lines.append("")
    if found.diff_lines is None:
        lines.append(f"--diff {DIFF_LINES} shows how each near-duplicate differs from its twin")
    if found.total > len(found.files):
        lines.append(f"… and {found.total - len(found.files):,} more files; --limit shows more")
    if found.total > 1:
        width = max(len(f"{row['files']:,}") for row in found.counts)
        for row in found.counts:
            rule = f" by {row['rule']}" if row["rule"] else ""
            lines.append(f"{row['files']:>{width},} {row['verdict']}{rule}")
    return "\n".join(lines).rstrip()


def _verdict(row: dict[str, Any], is_compared: bool) -> list[str]:
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
        lines.append(f"twin      {row['twin_repo_name']}:{row['twin_path']}  ({_similarity(row)})")
    if row["diff"]:
        lines += _difference(row["diff"])
    elif is_compared and row["rule"] == tables.NEAR_DUPLICATE:
        lines.append("differs   not shown: its text or its twin's is not in the cache; `starloom build` reads it again")
    if row["stands_for"]:
        gone = (counted(files, f"{rule}s") for rule, files in row["stands_for"].items())
        lines.append(f"others    {' and '.join(gone)} went for it")
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


def _similarity(row: dict[str, Any]) -> str:
    if row["rule"] == "exact-duplicate":
        return "the same bytes"
    if row["jaccard"] is not None:
        return f"Jaccard {row['jaccard']:.2f}"
    now = f"; counted now: {row['jaccard_now']:.2f}" if row["jaccard_now"] is not None else ""
    return f"Jaccard not verified{now}"


def _difference(found: Difference) -> list[str]:
    """Counts, then the diff itself."""
    if not found.lines:
        what = (
            "not in what was compared"
            if found.is_part
            else "in line ends only"
            if found.is_blank
            else "in encoding only"
        )
        return [f"differs   {what}"]
    counts = f"{counted(found.added, 'lines')} only here (+), {found.removed:,} only in the twin (-)"
    counts += f", {found.alike:,} in both"
    if found.is_part:
        counts += f"; of the first {MOST_LINES:,} lines"
    lines = [f"differs   {'in white space only: ' if found.is_blank else ''}{counts}"]
    lines += [f"          {line}" for line in found.lines]
    if found.left_out:
        lines.append(f"          … {counted(found.left_out, 'more lines')} of the diff")
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
